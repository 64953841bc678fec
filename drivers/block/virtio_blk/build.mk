# SPDX-License-Identifier: BSD-2-Clause
NAME := virtio_blk
KIND := service
LIBS := libdriver libvirtio libpci libsef libsys
