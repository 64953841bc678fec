/* SPDX-License-Identifier: BSD-2-Clause */
/* What lies on an ext2 disk. All numbers are little-endian, as this machine's are. */
#pragma once
#include <stdint.h>

enum {
	EXT2_SUPER_OFFSET = 1024, EXT2_SUPER_BYTES = 1024, EXT2_MAGIC = 0xef53, EXT2_ROOT_INO = 2, EXT2_FIRST_INO_REV0 = 11,
	EXT2_NDIR = 12, EXT2_NBLOCKS = 15, EXT2_LINK_MAX = 32000, EXT2_NAME_MAX = 255, EXT2_INODE_BASE = 128, EXT2_EXTRA_BYTES = 32,
};
enum { EXT2_STATE_VALID = 1, EXT2_STATE_ERROR = 2 };
enum { EXT2_INCOMPAT_FILETYPE = 2, EXT2_RO_SPARSE_SUPER = 1, EXT2_RO_LARGE_FILE = 2, EXT2_OS_LINUX = 0 };
enum { EXT2_FL_INDEX = 0x1000, EXT2_FL_EXTENTS = 0x80000, EXT2_FL_INLINE = 0x10000000, EXT2_FL_INHERITED = 0x3 | 0x8 | 0x40 | 0x80 };

struct ext2_super {
	uint32_t inodes_count, blocks_count, r_blocks_count, free_blocks, free_inodes, first_data_block, log_block_size, log_frag_size;
	uint32_t blocks_per_group, frags_per_group, inodes_per_group, mtime, wtime;
	uint16_t mnt_count, max_mnt_count, magic, state, errors, minor_rev;
	uint32_t lastcheck, checkinterval, creator_os, rev_level;
	uint16_t def_resuid, def_resgid;
	/* revision 1 */
	uint32_t first_ino;
	uint16_t inode_size, block_group_nr;
	uint32_t feature_compat, feature_incompat, feature_ro_compat;
	uint8_t uuid[16];
	char volume_name[16], last_mounted[64];
	uint32_t algo_bitmap;
	uint8_t prealloc_blocks, prealloc_dir_blocks;
	uint16_t reserved_gdt_blocks;
	uint8_t journal_uuid[16];
	uint32_t journal_inum, journal_dev, last_orphan, hash_seed[4];
	uint8_t def_hash_version, jnl_backup_type;
	uint16_t desc_size;
	uint32_t default_mount_opts, first_meta_bg, mkfs_time, jnl_blocks[17], blocks_count_hi, r_blocks_count_hi, free_blocks_hi;
	uint16_t min_extra_isize, want_extra_isize;
	uint8_t rest[EXT2_SUPER_BYTES - 0x160];
};
_Static_assert(sizeof(struct ext2_super) == EXT2_SUPER_BYTES, "superblock");

struct ext2_group_desc {
	uint32_t block_bitmap, inode_bitmap, inode_table;
	uint16_t free_blocks, free_inodes, used_dirs, pad;
	uint32_t reserved[3];
};
_Static_assert(sizeof(struct ext2_group_desc) == 32, "group descriptor");

struct ext2_raw_inode {
	uint16_t mode, uid;
	uint32_t size, atime, ctime, mtime, dtime;
	uint16_t gid, links;
	uint32_t sectors, flags, osd1, block[EXT2_NBLOCKS], generation, file_acl, size_high, faddr;
	uint8_t frag, fsize;
	uint16_t blocks_high, uid_high, gid_high;
	uint32_t osd2;
	/* behind the first 128 bytes, as far as extra_isize says */
	uint16_t extra_isize, checksum_hi;
	uint32_t ctime_extra, mtime_extra, atime_extra, crtime, crtime_extra, version_hi, projid;
};
_Static_assert(sizeof(struct ext2_raw_inode) == 160, "inode");

/* One entry of a directory; entries fill each block exactly. inode 0: free space. */
struct ext2_dirent { uint32_t inode; uint16_t rec_len; uint8_t name_len, type; char name[]; };
enum { EXT2_DIRENT_HEAD = 8 };

struct ext2_xattr_head { uint32_t magic, refcount, blocks, hash, checksum, reserved[3]; };
enum { EXT2_XATTR_MAGIC = 0xea020000 };
