# SPDX-License-Identifier: BSD-2-Clause
NAME := ramdisk
KIND := service
LIBS := libdriver libsef libsys
