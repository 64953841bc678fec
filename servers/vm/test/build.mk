# SPDX-License-Identifier: BSD-2-Clause
KIND := unit
SRCS := test_frame.c test_kmem.c test_pagemap.c test_region.c host_backend.c host_objects.c ../frame.c ../kmem.c ../pagemap.c ../region.c ../region_tree.c
