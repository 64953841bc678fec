# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_virtqueue.c test_registers.c ../virtqueue.c ../virtio_pci.c bus.c
