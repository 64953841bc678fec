# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_timer_heap.c test_sigqueue.c test_wait_match.c test_pidmap.c test_cred.c \
	../timer_heap.c ../sigqueue.c ../wait_match.c ../pidmap.c ../cred.c ../pool.c
