# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := $(wildcard $(DIR)/test_*.c) $(addprefix ../,frame.c kmem.c pagemap.c region.c) host_backend.c
