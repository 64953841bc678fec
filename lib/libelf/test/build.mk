# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_elf_load.c ../elf_load.c
