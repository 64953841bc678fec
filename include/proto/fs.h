/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFS <-> file system. Node-id based: VFS walks paths, checks permissions, keeps attributes and a name cache, and asks by node number.
 * All requests come from VFS alone (others: EPERM), by SENDA or REPLYREC; each carries `id`, which the reply (type + 1) returns. A
 * file system
 * may answer in any order. It never asks VFS for anything.
 *
 * Node references: LOOKUP, CREATE, SYMLINK, MOUNT's root count one reference each on the returned node; FORGET drops n. A node
 * without links lives until its references are gone. Names are granted (READ); data is granted with GRANT_TRY: on ESOFTFAULT nothing (or
 * `count` bytes, if > 0) has been done, VFS makes the memory present and asks again.
 *
 * request      args -> results                                   errors besides EIO, EPERM                       repeatable
 * FS_MOUNT     dev, flags, options -> root node, attrs, fs flags EINVAL, ENXIO                                   yes
 * FS_UNMOUNT   -                                                 EBUSY (nodes referenced)                        no
 * FS_LOOKUP    dir, name, who -> node, attr                      ENOENT, ENOTDIR, ENAMETOOLONG                   yes
 * FS_FORGET    node, n        (no reply)                                                                         no
 * FS_GETATTR   node -> attr                                                                                      yes
 * FS_SETATTR   node, mask, attr -> attr                          EINVAL, EFBIG, ENOSPC, EROFS                    yes
 * FS_CREATE    dir, name, mode, rdev, uid, gid -> node, attr     EEXIST, ENOSPC, EROFS (any file type but links) no
 * FS_SYMLINK   dir, name, target, uid, gid -> node, attr         the same                                        no
 * FS_LINK      dir, name, node -> attr                           EEXIST, EMLINK, ENOSPC                          no
 * FS_UNLINK    dir, name, flags (FS_UNLINK_DIR) -> node, attr    ENOENT, EISDIR, ENOTDIR, ENOTEMPTY, EBUSY       no
 * FS_RENAME    dir, name, dir2, name2, flags -> attr (of moved)  ENOENT, EEXIST, ENOTEMPTY, EISDIR, ENOTDIR, EINVAL  no
 * FS_READ      node, grant, offset, len -> count                 EISDIR, ESOFTFAULT                              yes
 * FS_WRITE     node, grant, offset, len, FS_WRITE_APPEND -> count, new size, offset used    ENOSPC, EFBIG        yes (not APPEND)
 * FS_READDIR   dir, cookie, grant, len, who -> count, next cookie   (struct linux_dirent64 records, d_off = cookie)   yes
 * FS_READLINK  node, grant, len, who -> count                                                                    yes
 * FS_GETPAGE   page index of node -> vaddr of the page in the fs's memory; from VM                       ENXIO beyond the end   yes
 * FS_STATFS    grant for struct statfs                                                                           yes
 * FS_SYNC      node (0 = all), flags                                                                             yes
 * FS_SEEK      node, offset, SEEK_DATA/SEEK_HOLE -> offset       ENXIO                                           yes
 * FS_FALLOCATE node, mode, offset, len -> attr                   ENOSPC, EOPNOTSUPP                              yes
 * FS_REVIVE    node, n -> attr                                   ESTALE (it is lost)                             yes
 * FS_PENDING   id -> 1: the request with this id is being worked on; 0: it is not, and an answer to it is on its way or lost      yes
 *
 * FS_PENDING finds requests that a file system has forgotten: VFS asks about those that take long. Since answers come in the order in
 * which they were sent, one that is still missing when the 0 arrives will never come.
 *
 * A file system whose process died and came back under the same endpoint (DS: drv.blk.LABEL is published anew) is mounted again with
 * FS_MOUNT_AGAIN, and hears of each node that VFS counts references of, n of them, by FS_REVIVE. Then VFS sends again what was not
 * answered: of requests that are not repeatable it finds out first, by looking, whether they were done.
 */
#pragma once
#include <abi/message.h>

enum {
	FS_MOUNT = MSG_FS, FS_UNMOUNT = MSG_FS + 2, FS_LOOKUP = MSG_FS + 4, FS_FORGET = MSG_FS + 6, FS_GETATTR = MSG_FS + 8,
	FS_SETATTR = MSG_FS + 10, FS_CREATE = MSG_FS + 12, FS_SYMLINK = MSG_FS + 14, FS_LINK = MSG_FS + 16, FS_UNLINK = MSG_FS + 18,
	FS_RENAME = MSG_FS + 20, FS_READ = MSG_FS + 22, FS_WRITE = MSG_FS + 24, FS_READDIR = MSG_FS + 26, FS_READLINK = MSG_FS + 28,
	FS_GETPAGE = MSG_FS + 30, FS_STATFS = MSG_FS + 32, FS_SYNC = MSG_FS + 34, FS_SEEK = MSG_FS + 36, FS_FALLOCATE = MSG_FS + 38,
	FS_REVIVE = MSG_FS + 40, FS_PENDING = MSG_FS + 42,
};
enum { FS_NAME_MAX = 255, FS_UNLINK_DIR = 1, FS_RENAME_NOREPLACE = 1, FS_RENAME_EXCHANGE = 2, FS_WRITE_APPEND = 1,
	FS_SYNC_DROP = 1 /* and keep nothing in memory that can be read again */ };

/* 104 bytes; results with an attr write it to the grant `attr_grant` given in the request, so a reply fits */
struct fs_attr {
	uint64_t node;
	uint32_t mode, nlink, uid, gid;
	uint64_t rdev, size, blocks;	/* blocks of 512 bytes */
	int64_t atime_ns, mtime_ns, ctime_ns, btime_ns;	/* since 1970 */
	uint32_t flags, blksize;	/* FS_ATTR_* */
	int64_t magic;			/* FS_ATTR_MAGIC_LINK: what it leads to, see below */
};
enum {
	FS_ATTR_NOCACHE = 1,	/* name and attributes may change without VFS (procfs): ask each time */
	/* A magic symbolic link: VFS follows it itself to a file that a process has open. magic = slot << 32 | (uint32)(fd or VFS_LINK_*),
	 * readlink still works through FS_READLINK. */
	FS_ATTR_MAGIC_LINK = 2,
	FS_ATTR_NOMAP = 4,	/* no page mapping (files made on the fly) */
};
enum { FS_SET_MODE = 1, FS_SET_UID = 2, FS_SET_GID = 4, FS_SET_SIZE = 8, FS_SET_ATIME = 0x10, FS_SET_MTIME = 0x20, FS_SET_CTIME = 0x40 };
	/* FS sets ctime itself to "now" for every change; times come from VFS as values */

/* All requests start with id and node; `attr_grant` (WRITE, struct fs_attr) where results include an attr. */
struct fs_node_req { uint64_t id, node; grant_t attr_grant; grant_t grant; uint64_t offset, len; uint64_t flags;
	};	/* READ WRITE READDIR READLINK SEEK
	SETATTR (flags = mask, grant = struct fs_attr READ) GETATTR SYNC STATFS UNMOUNT FORGET REVIVE (len = n) FALLOCATE (flags = mode).
	READ, READDIR, READLINK: flags = endpoint of the asking process */
MSG_BODY_FITS(struct fs_node_req);
struct fs_name_req {		/* LOOKUP CREATE SYMLINK LINK UNLINK RENAME */
	uint64_t id, node;	/* node = directory */
	/* name_grant: name, then for SYMLINK the target, for RENAME the second name, concatenated without NUL */
	grant_t attr_grant, name_grant;
	uint16_t name_len, name2_len;
	uint32_t mode_flags;	/* CREATE: mode with type; UNLINK, RENAME: flags */
	uint64_t node2;		/* LINK: node; RENAME: second directory; CREATE: rdev; LOOKUP: endpoint of the asking process */
	uint32_t uid, gid;
};
MSG_BODY_FITS(struct fs_name_req);
/*
 * dev: of a file system on a disk, the device (makedev()); its driver's label is the first of the comma-separated options (dev=LABEL).
 * Else a number that tells mounts of one service apart. flags: MS_RDONLY, ... of Linux; with MS_REMOUNT the file system is mounted already
 * and takes new flags; its root is returned once more and counts one reference more.
 */
enum { FS_MOUNT_AGAIN = 1 << 30 };	/* a predecessor of this process had it mounted */
struct fs_mount_req { uint64_t id; grant_t attr_grant, options_grant; uint32_t options_len, flags; uint64_t dev; };
/* offset: next cookie, used offset; size: file size after */
struct fs_rep { uint64_t id; int64_t result; uint64_t count, offset, size; };
MSG_BODY_FITS(struct fs_rep);
struct fs_getpage_req { uint64_t id, node, page; uint32_t write; };
/* valid: bytes of file in this page; rest is zero */
struct fs_getpage_rep { uint64_t id; int64_t result; vaddr_t addr; uint64_t valid; };
