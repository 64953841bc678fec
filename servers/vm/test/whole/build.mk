# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_whole.c test_hostile.c fake_kernel.c ../host_backend.c \
	$(addprefix ../../,frame.c kmem.c pagemap.c region.c region_tree.c space.c rest.c mapper.c object.c pagein.c wait.c resolve.c fault.c oom.c mmap.c \
	protect.c remap.c process.c)
