# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_events.c test_random.c ../bdev.c ../peer.c ../data.c world.c
CFLAGS_EXTRA := -Ilib/libbdev
