# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_hostile.c fake.c ../vblk_disk.c ../vblk_io.c ../../../../lib/libvirtio/virtqueue.c
