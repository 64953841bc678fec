# SPDX-License-Identifier: BSD-2-Clause
NAME = test_tmpfs
KIND = unit
SRCS = test_tmpfs.c ../tmpfs_pages.c ../tmpfs_node.c ../tmpfs_data.c ../tmpfs_archive.c
