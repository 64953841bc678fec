# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_partition.c ../partition.c
