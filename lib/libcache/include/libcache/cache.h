/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcache: the page cache of a server that keeps files or devices on block devices (ext2, blockfs).
 *
 * A cache_dev is a block device; a cache_file is anything with pages on one: each file of a file system has one (embedded in what the
 * server keeps about the file), and each device has one for itself, cache_dev_meta(), whose byte n is byte n of the device: metadata of a
 * file system, or the contents of a block special file. A page is 4 KiB and consists of blocks of the device's block size (512..4096,
 * as the file system chose); each block has its own position on the device, is valid or not, and clean or dirty.
 *
 * Everything that may wait runs on a fiber (libfiber) and yields; it is marked "waits". With a backend that answers at once (cache_host.h)
 * nothing ever waits and no fibers are needed.
 *
 * The rules of the cache:
 *  - a page is not given out while the driver reads into it, nor for changing (CACHE_WRITE) while the driver writes it;
 *  - a page held with CACHE_WRITE is not written back before cache_put: what is written is whole;
 *  - no two requests in progress touch the same bytes of a device: later ones stand in a queue;
 *  - a page that cannot be written stays dirty and is tried again, at most CACHE_WRITE_TRIES times; then its contents are given up. The
 *    error is remembered in the file and in the device and reported once by the next sync of either.
 *  - what is dirty goes to the device after CACHE_AGE at the latest (cache_tick), data before metadata.
 *
 *  - a sync waits for those who hold dirty pages for writing: call it without holding one, and without a lock that such a holder may wait
 *    for.
 *
 * The same bytes must not be cached twice: blocks that change from metadata to data of a file (or back) are announced by
 * cache_forget_blocks().
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CACHE_PAGE = 4096, CACHE_BLOCKS_MAX = 8, CACHE_WRITE_TRIES = 3 };
#define CACHE_HOLE UINT64_MAX		/* position of a block that has none: reads as zeros, cannot be written */
#define CACHE_AGE 5000000000ll		/* ns */

struct cache_dev;
struct cache_file;

struct cache_list { struct cache_list *next, *prev; };

struct cache_page {
	uint8_t *data;		/* CACHE_PAGE bytes in the arena */
	struct cache_file *file;
	uint64_t index;		/* which page of the file */
	uint32_t writers;	/* those who hold it for writing: only to be read */
	uint8_t marks;		/* a bit for each block, for the owner: cleared when its contents are read or forgotten */
	/* private to libcache from here on */
	struct cache_page *chain;
	struct cache_list in_file;	/* file->pages or file->dirty */
	struct cache_list in_order;	/* those that may be evicted, least recently used first; or the device's dirty ones */
	uint64_t pos[CACHE_BLOCKS_MAX];
	uint64_t gen;			/* when it became dirty, see cache_sync */
	int64_t since;			/* the same, ns since boot */
	uint64_t sum;			/* of the contents written last, where a program may write them at any time */
	uint32_t pins;
	uint8_t valid, dirty, reading, writing;	/* a bit for each block */
	uint8_t flags, failures;
	int error;			/* of the last attempt to read */
};

struct cache_file_ops {
	/*
	 * Where the blocks of a page lie: pos[i] = byte position on the device or CACHE_HOLE, for each block of the page (those behind the
	 * end of the file: CACHE_HOLE). 0 or a negative errno. Waits (it may read metadata through the cache).
	 */
	int (*map)(struct cache_file *f, uint64_t index, uint64_t pos[CACHE_BLOCKS_MAX]);
	/*
	 * The page was given to VM (cache_mapped) and is to leave the cache: tell VM to forget it. The cache gives the frame back to VM
	 * afterwards and takes a fresh one. NULL: mapped pages stay until cache_unmapped().
	 */
	void (*unmap)(struct cache_file *f, uint64_t index);
};

struct cache_file {
	struct cache_dev *dev;
	const struct cache_file_ops *ops;
	uint64_t size;			/* bytes; kept up to date by the owner: read-ahead ends there */
	/* private */
	struct cache_list pages, dirty, in_dev;
	uint32_t nr_mapped_write;
	int error;			/* of writing, not yet reported */
	uint64_t ahead_next, ahead_end;	/* read-ahead: the page a sequential reader asks for next; first page not asked for */
	uint32_t ahead_window;
};

/* ---- set-up ---------------------------------------------------------------------------------------------------- */

/* The arena: address space for `bytes` of pages, from which memory is taken as it is needed. Once in a process. 0, -ENOMEM. */
int cache_init(uint64_t bytes);
void *cache_arena(uint64_t *bytes);	/* for one permanent grant to each driver */

/* One transfer as a backend sees it. Segments lie in the arena; they have whole blocks and add up to len. */
enum cache_op { CACHE_OP_READ, CACHE_OP_WRITE, CACHE_OP_FLUSH };
enum { CACHE_IO_SEGS = 64 };
struct cache_seg { uint8_t *addr; uint32_t len; };
struct cache_part { struct cache_page *page, *copy; uint8_t blocks; };
struct cache_io {
	enum cache_op op;
	uint64_t pos, len;		/* bytes */
	uint32_t nsegs;
	struct cache_seg seg[CACHE_IO_SEGS];
	void *backend_private;
	/* private to libcache from here on */
	struct cache_list link;
	struct cache_dev *dev;
	uint32_t nparts;
	struct cache_part part[CACHE_IO_SEGS];	/* whose blocks these are */
	bool *flushed; int *flush_error;
};
struct cache_backend {
	/* Begin; cache_io_done(io, result) at once or later, exactly once. Any number may be in progress. */
	void (*start)(void *ctx, struct cache_io *io);
};
/* result: io->len (FLUSH: 0) or a negative errno; fewer bytes count as -EIO. */
void cache_io_done(struct cache_io *io, int64_t result);

/* bytes: size of the device. block_bytes: 512..4096, a power of two. NULL: no memory. */
struct cache_dev *cache_dev_open(const struct cache_backend *backend, void *ctx, uint64_t bytes, uint32_t block_bytes);
/* A file system has learnt its block size: nothing may be dirty or held. -EBUSY, -EINVAL. */
int cache_dev_set_block(struct cache_dev *dev, uint32_t block_bytes);
uint64_t cache_dev_bytes(const struct cache_dev *dev);
uint32_t cache_dev_block(const struct cache_dev *dev);
/* The device itself: page n is the bytes [n * 4096, +4096) of the device. */
struct cache_file *cache_dev_meta(struct cache_dev *dev);
/* All its files have been dropped (cache_file_fini). What is dirty is lost: sync before. Waits for transfers in progress. */
void cache_dev_close(struct cache_dev *dev);

/* `f` is zeroed memory of the owner that must not move. */
void cache_file_init(struct cache_file *f, struct cache_dev *dev, const struct cache_file_ops *ops, uint64_t size);
/* The owner forgets the file: its pages leave the cache. Dirty contents are lost: sync before, if they matter. Waits. */
void cache_file_fini(struct cache_file *f);

/* ---- pages ------------------------------------------------------------------------------------------------------ */

enum {
	CACHE_READ = 0,		/* contents are valid */
	CACHE_WRITE = 1,	/* will be changed; waits too while too much is dirty, unless CACHE_NOTHROTTLE */
	/* With WRITE: whole blocks will be written, so the old contents are not read. cache_dirty() makes a block valid by covering it. */
	CACHE_OVERWRITE = 2,
	CACHE_NOWAIT = 4,	/* -EAGAIN instead of waiting */
	CACHE_NOTHROTTLE = 8,
};
/*
 * The page, held until cache_put. Waits. -EIO (reading failed; the next cache_get tries again), -ENOMEM (all pages are held), an
 * error of map().
 */
int cache_get(struct cache_file *f, uint64_t index, unsigned flags, struct cache_page **out);
/*
 * For one who only copies from pages: the contents of a page that is there and valid, good until the caller waits or lets others run; NULL:
 * take it by cache_get. Costs a fraction of it.
 */
const uint8_t *cache_peek(const struct cache_file *f, uint64_t index);
/* End of use; `flags` as given to cache_get (CACHE_WRITE counts). */
void cache_put(struct cache_page *p, unsigned flags);
/* The bytes [from, from + len) of a page held for writing were changed: their blocks, which must have positions, will be written. */
void cache_dirty(struct cache_page *p, size_t from, size_t len);
/* Block i of a held page has been given a place (or lost it: CACHE_HOLE, not dirty any more). */
void cache_place(struct cache_page *p, unsigned block, uint64_t pos);
uint64_t cache_position(const struct cache_page *p, unsigned block);

/*
 * A reader wants pages [first, first + count): start reading them, and more where it reads one after the other. Does not wait for data; may
 * wait for metadata. Then take the pages by cache_get.
 */
void cache_ahead(struct cache_file *f, uint64_t first, uint64_t count);

/* Pages from `first` on are no part of the file any more (truncation): their contents are lost. Waits for transfers in progress. */
void cache_drop(struct cache_file *f, uint64_t first);
/*
 * The bytes [pos, +len) of the device do not hold metadata any more: cached copies there are dropped, dirty or not. The caller may hold the
 * page for the sake of other blocks of it. Waits.
 */
void cache_forget_blocks(struct cache_dev *dev, uint64_t pos, uint64_t len);

/* The page was given to VM. It stays in place until unmap()ped or the file is cache_unmapped(); `write`: it may change at any time and
 * is written at each sync when it has. */
void cache_mapped(struct cache_page *p, bool write);
void cache_unmapped(struct cache_file *f);	/* nobody maps the file any more */

/* ---- writing back ----------------------------------------------------------------------------------------------- */

/* Write what was dirty in the file at the time of the call. 0, or the first error since the last report. Waits. No FLUSH to the device. */
int cache_sync(struct cache_file *f);
/* The same for the data of all files of the device, in one sweep; what fails is told by their next sync. Waits. */
void cache_dev_write_data(struct cache_dev *dev);
bool cache_file_is_dirty(const struct cache_file *f);
/* Data of all files of the device, then its metadata, then FLUSH. Waits. */
int cache_dev_sync(struct cache_dev *dev);
/* What the device has confirmed is on stable storage. Waits. */
int cache_dev_flush(struct cache_dev *dev);
/* Some bytes of the metadata now (an inode's block for fsync). Waits. */
int cache_sync_range(struct cache_file *f, uint64_t from, uint64_t len);

/* Give back the time (ns since boot) of the next cache_tick(), or 0: nothing is dirty. */
int64_t cache_next_tick(void);
/* It is time: writes back what is old. Waits: call it on a fiber; calls that overlap return at once. */
void cache_tick(int64_t now);
void cache_set_clock(int64_t (*now)(void));	/* ns since boot; without it nothing ages */

/* For tests of recovery: destroys what the cache knows of its pages. Only to be followed by the end of the process. */
void cache_scribble(void);

struct cache_stats {
	uint64_t pages, free, dirty, hits, misses, reads, writes, read_bytes, written_bytes, errors, evictions;
	uint64_t looked_at;	/* dirty pages, to find what is to be written */
};
void cache_stats(struct cache_stats *out);
