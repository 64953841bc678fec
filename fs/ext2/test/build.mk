# SPDX-License-Identifier: BSD-2-Clause
KIND = unit
SRCS = test_ext2_model.c test_ext2_fuzz.c test_ext2_cut.c test_ext2_fibers.c test_ext2_dirs.c test_ext2_sparse.c host.c \
	../alloc.c ../attrs.c ../data.c ../dir.c ../dir_index.c ../inode.c ../lock.c ../map.c ../meta.c ../names.c ../revive.c ../super.c \
	../../../lib/libcache/cache.c ../../../lib/libcache/cache_io.c ../../../lib/libcache/cache_write.c ../../../lib/libcache/cache_sweep.c ../../../lib/libcache/cache_ahead.c \
	../../../lib/libfs/fs_dirlist.c ../../../lib/libcache/cache_host.c ../../../lib/libfiber/fiber.c ../../../lib/libfiber/switch.S
