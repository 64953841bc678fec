# SPDX-License-Identifier: BSD-2-Clause
NAME := vfs
KIND := service
LIBS := sef sys fiber elf random
