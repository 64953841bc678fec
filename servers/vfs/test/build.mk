# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_fdtable.c test_locks.c test_ring.c test_namecache.c test_component.c test_execstack.c \
	../fdtable.c ../locks.c ../ring.c ../namecache.c ../component.c ../execstack.c
