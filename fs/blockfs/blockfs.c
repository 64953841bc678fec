/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block devices as files. VFS mounts each device once while it has files open on it; the root of that mount is the device.
 *
 *   FS_MOUNT(dev, "dev=LABEL") -> OPENING -> OPEN --FS_UNMOUNT--> synced, closed
 *
 * A request for a node that is not mounted is answered -ESTALE: it was meant for our predecessor, and VFS mounts again.
 * If the process dies here, pages not yet written are lost; the device is as after a power cut.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <libcache/cache_bdev.h>
#include <libfiber/fiber.h>
#include <libfs/fs.h>
#include <libsef/sef.h>

enum { ARENA_BYTES = 32 << 20 };
/* Modes of fallocate(2), and how much one request to a driver may be: it has a few seconds for it. */
enum { KEEP_SIZE = 1, PUNCH_HOLE = 2, HIDE_NOT = 4, ZERO_RANGE = 0x10 };
#define DISCARD_BYTES (1ull << 30)
#define ZERO_BYTES (64ull << 20)

struct device {
	struct device *next;
	uint64_t node;		/* device number */
	unsigned users;		/* mounts, and requests at work on it: the last one out closes it */
	bool writable;
	struct cache_dev *cache;
	unsigned at_work;	/* transfers under way */
	bool alone;		/* a discard has the device to itself, or waits until it has */
	struct waiting *waiting;
};
struct waiting { struct waiting *next; struct fiber *fiber; };

static struct blockfs {
	struct device *devices;
} blockfs;

static struct device *device_find(uint64_t node)
{
	struct device *d = blockfs.devices;
	while (d && d->node != node)
		d = d->next;
	return d;
}

/* ---- mount ----------------------------------------------------------------------------------------------------- */

/* The value of `key=` in comma-separated options. */
static bool option_get(const char *options, const char *key, char *value, size_t room)
{
	size_t n = strlen(key);
	for (const char *o = options; o; o = strchr(o, ',') ? strchr(o, ',') + 1 : NULL) {
		if (strncmp(o, key, n) != 0 || o[n] != '=')
			continue;
		size_t len = strcspn(o + n + 1, ",");
		if (len >= room)
			return false;
		memcpy(value, o + n + 1, len);
		value[len] = '\0';
		return true;
	}
	return false;
}

static void device_attr(const struct device *d, struct fs_attr *attr)
{
	uint64_t bytes = cache_dev_bytes(d->cache);
	*attr = (struct fs_attr){ .node = d->node, .mode = S_IFBLK | 0600, .nlink = 1, .rdev = d->node, .size = bytes,
		.blocks = bytes / 512, .flags = FS_ATTR_NOMAP, .blksize = cache_dev_block(d->cache) };
}

static int device_open(uint64_t dev, const char *label, bool writable, struct device **out)
{
	uint32_t access = BDEV_ACCESS_READ | (writable ? BDEV_ACCESS_WRITE : 0);
	struct cache_dev *cache;
	int r = cache_bdev_open(label, (uint32_t)minor(dev), access, 0, &cache);
	struct device *d = r ? NULL : malloc(sizeof *d);
	if (r)
		return r;
	if (!d) {
		cache_bdev_close(cache);
		return -ENOMEM;
	}
	*d = (struct device){ .next = blockfs.devices, .node = dev, .writable = writable, .cache = cache };
	blockfs.devices = d;
	*out = d;
	return 0;
}

static int64_t block_mount(uint64_t dev, const char *options, uint32_t flags, struct fs_attr *root)
{
	char label[LABEL_LEN];
	struct device *d = device_find(dev);
	bool writable = !(flags & MS_RDONLY);
	if (!option_get(options, "dev", label, sizeof label))
		return -EINVAL;
	if (d && writable && !d->writable)
		return -EROFS;
	int r = d ? 0 : device_open(dev, label, writable, &d);
	if (r)
		return r;
	d->users++;
	device_attr(d, root);
	return 0;
}

static void device_put(struct device *d)
{
	struct device **at = &blockfs.devices;
	if (--d->users > 0)
		return;
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	cache_bdev_close(d->cache);
	free(d);
}

static int64_t block_unmount(uint64_t node)
{
	struct device *d = device_find(node);
	if (!d)
		return -ESTALE;
	int r = cache_dev_sync(d->cache);
	device_put(d);
	return r;
}

static int64_t block_getattr(uint64_t node, struct fs_attr *attr)
{
	const struct device *d = device_find(node);
	if (!d)
		return -ESTALE;
	device_attr(d, attr);
	return 0;
}

/* ---- order of transfers and discards ----------------------------------------------------------------------------- */

static void device_wait(struct device *d)
{
	struct waiting w = { .next = d->waiting, .fiber = fiber_self() };
	d->waiting = &w;
	fiber_yield();
	for (struct waiting **at = &d->waiting; *at; at = &(*at)->next)
		if (*at == &w) {
			*at = w.next;
			break;
		}
}

static void device_wake(struct device *d)
{
	for (struct waiting *w = d->waiting; w; w = w->next)
		fiber_wake(w->fiber);
}

/* Transfers go side by side; a discard waits for those under way, and later ones wait for it. */
static void device_enter(struct device *d)
{
	d->users++;
	while (d->alone)
		device_wait(d);
	d->at_work++;
}

static void device_leave(struct device *d)
{
	d->at_work--;
	device_wake(d);
	device_put(d);
}

static void device_enter_alone(struct device *d)
{
	d->users++;
	while (d->alone)
		device_wait(d);
	d->alone = true;
	while (d->at_work)
		device_wait(d);
}

static void device_leave_alone(struct device *d)
{
	d->alone = false;
	device_wake(d);
	device_put(d);
}

/* ---- data ------------------------------------------------------------------------------------------------------ */

static int64_t read_page(struct cache_file *f, const struct fs_data *data, uint64_t done, size_t n)
{
	uint64_t at = data->offset + done;
	struct cache_page *p;
	int64_t r = cache_get(f, at / CACHE_PAGE, CACHE_READ, &p);
	if (r)
		return r;
	r = fs_data_out(data, done, p->data + at % CACHE_PAGE, n);
	cache_put(p, CACHE_READ);
	return r;
}

static int64_t write_page(struct cache_file *f, const struct fs_data *data, uint64_t done, size_t n)
{
	uint64_t at = data->offset + done;
	uint32_t block = cache_dev_block(f->dev);
	unsigned flags = CACHE_WRITE | (at % block == 0 && n % block == 0 ? CACHE_OVERWRITE : 0);
	struct cache_page *p;
	int64_t r = cache_get(f, at / CACHE_PAGE, flags, &p);
	if (r)
		return r;
	r = fs_data_in(data, done, p->data + at % CACHE_PAGE, n);
	if (r == 0)
		cache_dirty(p, at % CACHE_PAGE, n);
	cache_put(p, flags);
	return r;
}

static int64_t transfer(struct cache_file *f, const struct fs_data *data, uint64_t len,
			int64_t (*page)(struct cache_file *f, const struct fs_data *data, uint64_t done, size_t n))
{
	uint64_t done = 0;
	while (done < len) {
		size_t n = fs_page_part(data->offset + done, len - done);
		int64_t r = page(f, data, done, n);
		if (r)
			return done ? (int64_t)done : r;
		done += n;
	}
	return (int64_t)done;
}

/* Bytes of the request that lie on the device. */
static uint64_t clip(const struct fs_data *data, uint64_t size)
{
	if (data->offset >= size)
		return 0;
	return data->len < size - data->offset ? data->len : size - data->offset;
}

static int64_t block_read(uint64_t node, const struct fs_data *data)
{
	struct device *d = device_find(node);
	if (!d)
		return -ESTALE;
	uint64_t len = clip(data, cache_dev_bytes(d->cache));
	struct cache_file *f = cache_dev_meta(d->cache);
	if (len == 0)
		return 0;
	device_enter(d);
	cache_ahead(f, data->offset / CACHE_PAGE, (data->offset + len - 1) / CACHE_PAGE - data->offset / CACHE_PAGE + 1);
	int64_t r = transfer(f, data, len, read_page);
	device_leave(d);
	return r;
}

static int64_t block_write(uint64_t node, const struct fs_data *data, uint64_t flags, struct fs_rep *rep)
{
	struct device *d = device_find(node);
	if (!d)
		return -ESTALE;
	uint64_t size = cache_dev_bytes(d->cache), len = clip(data, size);
	if (flags & FS_WRITE_APPEND || (len == 0 && data->len))
		return -ENOSPC;
	if (!d->writable)
		return -EROFS;
	device_enter(d);
	int64_t r = transfer(cache_dev_meta(d->cache), data, len, write_page);
	device_leave(d);
	rep->offset = data->offset;
	rep->size = size;
	return r;
}

static int64_t block_sync(uint64_t node, uint64_t flags)
{
	struct device *d = device_find(node);
	if (!d)
		return -ESTALE;
	device_enter(d);
	int r = cache_dev_sync(d->cache);
	if (r == 0 && flags & FS_SYNC_DROP)
		cache_drop(cache_dev_meta(d->cache), 0);
	device_leave(d);
	return r;
}

/* ---- discarding -------------------------------------------------------------------------------------------------- */

struct discard { struct bdev_io io; struct fiber *fiber; bool done; int64_t result; };

static void discard_done(struct bdev_io *io, int64_t result)
{
	struct discard *x = io->owner;
	x->result = result;
	x->done = true;
	fiber_wake(x->fiber);
}

/* One request to the driver, awaited. Nothing else is under way on these bytes. */
static int64_t discard_request(struct device *d, uint32_t flags, uint64_t offset, uint64_t len)
{
	struct discard x = { .fiber = fiber_self(), .io = { .dev = cache_bdev_of(d->cache), .op = BDEV_DISCARD, .flags = flags,
		.pos = offset, .len = len, .done = discard_done } };
	x.io.owner = &x;
	bdev_submit(&x.io);
	while (!x.done)
		fiber_yield();
	return x.result;
}

/*
 * The cache must have nothing under way on the range, and nothing afterwards. What was changed there is written first where the driver may
 * turn out not to discard at all: then nothing may be lost. For zeros it does not matter: they come in one way or the other.
 */
static int64_t discard_range(struct device *d, uint32_t flags, uint64_t offset, uint64_t len)
{
	uint64_t most = flags & BDEV_ZERO ? ZERO_BYTES : DISCARD_BYTES;
	int64_t r = flags & BDEV_ZERO ? 0 : cache_sync_range(cache_dev_meta(d->cache), offset, len);
	if (r)
		return r;
	cache_forget_blocks(d->cache, offset, len);
	for (uint64_t done = 0; r == 0 && done < len; done += most)
		r = discard_request(d, flags, offset + done, len - done < most ? len - done : most);
	return r;
}

/* For a driver that cannot. */
static int64_t zeros_write(struct device *d, uint64_t offset, uint64_t len)
{
	struct cache_file *f = cache_dev_meta(d->cache);
	for (uint64_t done = 0; done < len;) {
		uint64_t at = offset + done;
		size_t n = fs_page_part(at, len - done);
		unsigned flags = CACHE_WRITE | CACHE_OVERWRITE;
		struct cache_page *p;
		int64_t r = cache_get(f, at / CACHE_PAGE, n == CACHE_PAGE ? flags : CACHE_WRITE, &p);
		if (r)
			return r;
		memset(p->data + at % CACHE_PAGE, 0, n);
		cache_dirty(p, at % CACHE_PAGE, n);
		cache_put(p, n == CACHE_PAGE ? flags : CACHE_WRITE);
		done += n;
	}
	return 0;
}

static int64_t fallocate_range(struct device *d, uint64_t mode, uint64_t offset, uint64_t len)
{
	bool discard = mode & HIDE_NOT;
	uint32_t flags = discard ? 0 : mode & ZERO_RANGE ? BDEV_ZERO : BDEV_ZERO | BDEV_UNMAP;
	device_enter_alone(d);
	int64_t r = discard_range(d, flags, offset, len);
	device_leave_alone(d);
	if (r != -EOPNOTSUPP || discard)
		return r;
	device_enter(d);
	r = zeros_write(d, offset, len);
	device_leave(d);
	return r;
}

/* Zeros (ZERO_RANGE), zeros for which blocks may be given up (PUNCH_HOLE), or contents nobody needs (with HIDE_NOT). */
static int64_t block_fallocate(uint64_t node, uint64_t mode, uint64_t offset, uint64_t len, struct fs_attr *attr)
{
	struct device *d = device_find(node);
	if (!d)
		return -ESTALE;
	uint64_t size = cache_dev_bytes(d->cache);
	if (!d->writable)
		return -EROFS;
	if (!(mode & (PUNCH_HOLE | ZERO_RANGE)) || mode & ~(uint64_t)(KEEP_SIZE | PUNCH_HOLE | HIDE_NOT | ZERO_RANGE))
		return -EOPNOTSUPP;
	if ((offset | len) & (cache_dev_block(d->cache) - 1) || offset > size || len > size - offset)
		return -EINVAL;
	d->users++;
	int64_t r = fallocate_range(d, mode, offset, len);
	if (r == 0)
		device_attr(d, attr);
	device_put(d);
	return r;
}

/* No directory: nothing can be looked up. */
static int64_t block_lookup(uint64_t dir, const struct fs_name *name, endpoint_t who, struct fs_attr *attr)
{
	(void)dir; (void)name; (void)who; (void)attr;
	return -ENOTDIR;
}

static const struct fs_ops block_ops = {
	.mount = block_mount, .unmount = block_unmount, .lookup = block_lookup, .getattr = block_getattr,
	.read = block_read, .write = block_write, .sync = block_sync, .fallocate = block_fallocate,
};

static err_t block_init(const struct sef_init_info *info)
{
	(void)info;
	int r = cache_init(ARENA_BYTES);
	return r ? r : cache_bdev_startup();
}

int main(void)
{
	static const struct sef_callbacks callbacks = {
		.init_fresh = block_init, .init_restart = block_init, .fault = fs_fault, .send_failed = bdev_send_failed,
	};
	static const struct fs_loop loop = { .before_receive = cache_bdev_before_receive, .message = cache_bdev_message };
	sef_startup(&callbacks);
	fs_task_fibers(&block_ops, &loop);
}
