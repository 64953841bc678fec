# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_virtqueue.c ../virtqueue.c
