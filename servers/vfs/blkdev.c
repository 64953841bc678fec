/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block special files. Their contents are the business of the service blockfs, which keeps a page cache over the block drivers: each device
 * in use is a hidden mount of it whose root is the device. A file system on a device is mounted by a service of its own with a cache of
 * its own; the two never have the same device in use for writing (claims), and what one has written the other reads from the device.
 *
 *   unknown --open--> mounted (refs) --last close--> closing: synced, unmounted --> unknown
 *
 * A blockfs that died is found by its announcement (dmap.c): its devices are mounted again at the next request. What was written and not
 * synced is lost then; the next fsync on the device says so.
 */
#include "blkdev.h"

#include <libsef/sef.h>
#include <proto/bdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "dmap.h"
#include "fsreq.h"
#include "mount.h"

enum { SERVICE_TRIES = 3 };
/* Of Linux's <linux/fs.h>, beside those of <sys/mount.h>. */
enum { BLKDISCARD = 0x1277, BLKDISCARDZEROES = 0x127c, BLKSECDISCARD = 0x127d, BLKZEROOUT = 0x127f, HDIO_GETGEO = 0x301 };
enum { BLKIOMIN = 0x1278, BLKIOOPT = 0x1279, BLKALIGNOFF = 0x127a, BLKPBSZGET = 0x127b, BLKROTATIONAL = 0x127e };
static const nstime_t SERVICE_WAIT = 10000000000;
static const char SERVICE[] = "blockfs";

struct blkdev {
	struct list link;
	uint64_t rdev;
	unsigned refs;			/* files, the claim, and calls that are at it */
	unsigned writers;		/* files open for writing */
	bool exclusive;			/* a file was opened with O_EXCL */
	bool claimed;			/* a file system is mounted on it */
	bool readonly, dirty, lost;	/* dirty: written since the last sync. lost: that was in a blockfs that died */
	struct mount *m;		/* of blockfs; NULL: not mounted */
	uint32_t instance;		/* of blockfs, that mounted it */
	struct fiber_lock lock;		/* of mounting and unmounting */
	struct job job;			/* the last close */
	bool closing;
};

static struct blkdevs { struct list all; } blkdevs;

void blkdevs_init(void) { list_init(&blkdevs.all); }

/* ---- the table -------------------------------------------------------------------------------------------------- */

static struct blkdev *blkdev_find(uint64_t rdev)
{
	for (struct list *l = blkdevs.all.next; l != &blkdevs.all; l = l->next)
		if (list_entry(l, struct blkdev, link)->rdev == rdev)
			return list_entry(l, struct blkdev, link);
	return NULL;
}

static struct blkdev *blkdev_get(uint64_t rdev)
{
	struct blkdev *b = blkdev_find(rdev);
	if (!b) {
		b = calloc(1, sizeof *b);
		if (!b)
			return NULL;
		b->rdev = rdev;
		fiber_lock_init(&b->lock);
		list_append(&blkdevs.all, &b->link);
	}
	b->refs++;
	return b;
}

/* The whole disk and its partitions show the same bytes. */
static bool same_bytes(uint64_t a, uint64_t b)
{
	unsigned ma = minor(a), mb = minor(b), per = BDEV_MINORS_PER_DISK;
	return major(a) == major(b) && (ma == mb || (ma / per == mb / per && (ma % per == 0 || mb % per == 0)));
}

static bool claimed(uint64_t rdev)
{
	for (struct list *l = blkdevs.all.next; l != &blkdevs.all; l = l->next) {
		const struct blkdev *b = list_entry(l, struct blkdev, link);
		if (b->claimed && same_bytes(b->rdev, rdev))
			return true;
	}
	return false;
}

/* ---- mounting at blockfs ----------------------------------------------------------------------------------------- */

/* blockfs, up. Waits a bounded time for one that starts. */
static int service_wait(struct driver **out)
{
	nstime_t deadline = time_now() + SERVICE_WAIT;
	for (;;) {
		struct driver *d = dmap_driver(SERVICE);
		if (!d || d->state == DRIVER_DOWN)
			return -ENXIO;
		*out = d;
		if (d->state == DRIVER_UP)
			return 0;
		if (waitq_wait_until(&d->changed, deadline))
			return -EIO;
	}
}

static void blkdev_forget_mount(struct blkdev *b)
{
	if (!b->m)
		return;
	b->lost = b->lost || b->dirty;
	b->dirty = false;
	b->m->failed = true;	/* nothing is sent any more */
	mount_device_remove(b->m);
	b->m = NULL;
}

static int blkdev_mount_at(struct blkdev *b, struct driver *service)
{
	struct driver *driver = dmap_block(major(b->rdev));
	char options[LABEL_LEN + 8];
	if (!driver)
		return -ENXIO;
	snprintf(options, sizeof options, "dev=%s", driver->label);
	b->readonly = false;
	int r = mount_device(service->ep, b->rdev, options, 0, &b->m);
	if (r == -EROFS) {
		b->readonly = true;
		r = mount_device(service->ep, b->rdev, options, MS_RDONLY, &b->m);
	}
	if (r == 0)
		b->instance = service->instance;
	return r;
}

/* The lock is held. Mounted at the blockfs that is there now; if that dies meanwhile, at its successor. */
static int blkdev_mount(struct blkdev *b)
{
	for (int tries = 0; ; tries++) {
		struct driver *service;
		int r = service_wait(&service);
		if (r)
			return r;
		if (b->m && (b->m->fs != service->ep || b->instance != service->instance))
			blkdev_forget_mount(b);
		if (b->m)
			return 0;
		uint32_t instance = service->instance;
		r = blkdev_mount_at(b, service);
		if (r != -EIO || service->instance == instance || tries == SERVICE_TRIES)
			return r;
	}
}

static int blkdev_mount_locked(struct blkdev *b)
{
	fiber_lock_get(&b->lock);
	int r = blkdev_mount(b);
	fiber_lock_put(&b->lock);
	return r;
}

/* ---- the last close ------------------------------------------------------------------------------------------------ */

static void blkdev_close_job(struct job *job)
{
	struct blkdev *b = list_entry(job, struct blkdev, job);
	fiber_lock_get(&b->lock);
	if (b->refs == 0 && b->m) {
		mount_device_finish(b->m);
		b->m = NULL;
		b->dirty = false;
	}
	b->closing = false;
	fiber_lock_put(&b->lock);
	if (b->refs > 0)
		return;
	list_remove(&b->link);
	free(b);
}

static void blkdev_put(struct blkdev *b)
{
	if (--b->refs > 0 || b->closing)
		return;
	b->closing = true;
	b->job.fn = blkdev_close_job;
	job_start(&b->job);
}

/* ---- requests ------------------------------------------------------------------------------------------------------ */

/* Is it worth while to ask again? The service does not know the device, or is another one by now. */
static bool service_changed(const struct blkdev *b, int64_t r)
{
	const struct driver *d = dmap_driver(SERVICE);
	return r == -ESTALE || (r == -EIO && d && d->instance != b->instance);
}

static void service_forget(struct blkdev *b, int64_t r)
{
	if (r == -ESTALE)
		b->instance = 0;	/* of none: mount again */
}

typedef int64_t device_fn(struct vnode *v, void *arg);

/* fn on the device, again where blockfs is another one than it was asked of. */
static int64_t blkdev_do(struct blkdev *b, bool write, device_fn *fn, void *arg)
{
	int64_t r = 0;
	for (int tries = 0; tries < SERVICE_TRIES; tries++) {
		r = blkdev_mount_locked(b);
		if (r)
			return r;
		struct vnode *v = vnode_get(b->m->root);
		b->dirty = b->dirty || write;
		r = fn(v, arg);
		vnode_put(v);
		if (!service_changed(b, r))
			break;
		service_forget(b, r);
	}
	return r == -ESTALE ? -EIO : r;
}

struct range { uint64_t at, len, mode; struct uio *u; };

static int64_t range_read(struct vnode *v, void *arg)
{
	struct range *q = arg;
	return fs_read(v, q->u, q->at);
}

static int64_t range_write(struct vnode *v, void *arg)
{
	struct range *q = arg;
	uint64_t offset = q->at, size;
	return fs_write(v, q->u, &offset, false, &size);
}

static int64_t range_fallocate(struct vnode *v, void *arg)
{
	struct range *q = arg;
	return fs_fallocate(v, q->mode, q->at, q->len);
}

static int64_t blkdev_transfer(struct blkdev *b, struct uio *u, int64_t *pos, bool write)
{
	struct range q = { .at = (uint64_t)*pos, .u = u };
	int64_t n = u->left ? blkdev_do(b, write, write ? range_write : range_read, &q) : 0;
	if (n > 0)
		*pos += n;
	return n;
}

static int blkdev_fallocate_at(struct blkdev *b, uint64_t mode, uint64_t at, uint64_t len)
{
	struct range q = { .at = at, .len = len, .mode = mode };
	return (int)blkdev_do(b, true, range_fallocate, &q);
}

static int blkdev_sync(struct blkdev *b, uint64_t flags)
{
	if (!b->m && !b->lost)
		return 0;
	int r = blkdev_mount_locked(b);
	if (r == 0) {
		struct vnode *v = vnode_get(b->m->root);
		r = fs_sync_flags(v, flags);
		vnode_put(v);
	}
	if (r == -ESTALE || service_changed(b, r)) {
		service_forget(b, r);
		r = -EIO;
	}
	if (r == 0 && b->lost)
		r = -EIO;
	b->lost = false;
	b->dirty = b->dirty && r;
	return r;
}

/* ---- files --------------------------------------------------------------------------------------------------------- */

static int64_t block_read(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	(void)c; (void)flags;
	return blkdev_transfer(f->object, u, pos, false);
}

static int64_t block_write(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	(void)c; (void)flags;
	struct blkdev *b = f->object;
	int64_t n = blkdev_transfer(b, u, pos, true);
	if (n >= 0 && f->flags & (O_SYNC | O_DSYNC)) {
		int r = blkdev_sync(b, 0);
		return r ? r : n;
	}
	return n;
}

static uint64_t block_size(const struct blkdev *b) { return b->m ? b->m->root->attr.size : 0; }

/* The device's size may have changed since it was mounted. */
static void blkdev_refresh(struct blkdev *b)
{
	struct fs_attr attr;
	if (!b->m || blkdev_mount_locked(b))
		return;
	struct vnode *v = vnode_get(b->m->root);
	if (fs_getattr(v, &attr) == 0)
		vnode_set_attr(v, &attr);
	vnode_put(v);
}

static int64_t block_seek(struct call *c, struct file *f, int64_t offset, int whence)
{
	(void)c;
	if (whence == SEEK_END)
		blkdev_refresh(f->object);
	int64_t size = (int64_t)block_size(f->object), base = whence == SEEK_CUR ? f->pos : whence == SEEK_END ? size : 0, pos;
	if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
		return -EINVAL;
	if (__builtin_add_overflow(base, offset, &pos) || pos < 0 || pos > size)
		return -EINVAL;
	f->pos = pos;
	return pos;
}

static int64_t block_flush(struct call *c, struct blkdev *b)
{
	return client_is_root(c->client) ? blkdev_sync(b, FS_SYNC_DROP) : -EACCES;
}

/* The driver reads the partitions when the whole disk is opened while nobody has a partition open. */
static int64_t block_reread(struct call *c, struct blkdev *b)
{
	if (!client_is_root(c->client))
		return -EACCES;
	if (minor(b->rdev) % BDEV_MINORS_PER_DISK)
		return -EINVAL;
	if (claimed(b->rdev))
		return -EBUSY;
	int r = blkdev_sync(b, FS_SYNC_DROP);
	fiber_lock_get(&b->lock);
	if (r == 0 && b->m) {
		mount_device_finish(b->m);
		b->m = NULL;
	}
	fiber_lock_put(&b->lock);
	return r ? r : blkdev_mount_locked(b);
}

/* Modes as fallocate's; FALLOCATE_STALE: contents are not needed any more, whatever is read there afterwards. */
enum { FALLOCATE_KEEP_SIZE = 1, FALLOCATE_HOLE = 2, FALLOCATE_STALE = 4, FALLOCATE_ZERO = 0x10 };

static int64_t block_range(struct call *c, struct file *f, uint64_t arg, uint64_t mode)
{
	uint64_t range[2], end;
	if (!f->can_write)
		return -EBADF;
	int r = user_read(c->ep, arg, range, sizeof range);
	if (r)
		return r;
	if ((range[0] | range[1]) % 512 || __builtin_add_overflow(range[0], range[1], &end))
		return -EINVAL;
	blkdev_refresh(f->object);
	if (end > block_size(f->object))
		return -EINVAL;
	if (range[1] == 0)
		return mode & FALLOCATE_ZERO ? -EINVAL : 0;	/* as on Linux: nothing can be discarded, but not zeroed */
	return blkdev_fallocate_at(f->object, mode, range[0], range[1]);
}

/* No disk has these any more, but who makes partition tables asks. Where a partition begins is not known here. */
struct hd_geometry { uint8_t heads, sectors; uint16_t cylinders; uint64_t start; };

static int64_t block_geometry(struct call *c, const struct blkdev *b, uint64_t arg)
{
	struct hd_geometry g = { .heads = 64, .sectors = 32, .cylinders = (uint16_t)(block_size(b) >> 20) };
	if (minor(b->rdev) % BDEV_MINORS_PER_DISK)
		return -ENOTTY;
	return arg ? user_write(c->ep, arg, &g, sizeof g) : -EINVAL;
}

static int64_t answer(struct call *c, uint64_t arg, uint64_t value, size_t bytes)
{
	return user_write(c->ep, arg, &value, bytes);
}

static int64_t block_ioctl(struct call *c, struct file *f, uint32_t request, uint64_t arg)
{
	struct blkdev *b = f->object;
	if (request == BLKGETSIZE64 || request == BLKGETSIZE || request == HDIO_GETGEO)
		blkdev_refresh(b);
	const struct fs_attr *attr = b->m ? &b->m->root->attr : NULL;
	switch (request) {
	case BLKGETSIZE64: return answer(c, arg, block_size(b), 8);
	case BLKGETSIZE:   return answer(c, arg, block_size(b) / 512, 8);
	case BLKSSZGET:    return answer(c, arg, attr ? attr->blksize : 512, 4);
	case BLKPBSZGET:
	case BLKIOMIN:     return answer(c, arg, attr ? attr->blksize : 512, 4);
	case BLKBSZGET:    return answer(c, arg, 4096, 4);
	case BLKIOOPT:     return answer(c, arg, 0, 4);
	case BLKALIGNOFF:  return answer(c, arg, 0, 4);
	case BLKROGET:     return answer(c, arg, b->readonly, 4);
	case BLKRAGET:     return answer(c, arg, 256, 8);
	case BLKROTATIONAL: return answer(c, arg, 0, 2);
	case BLKDISCARDZEROES: return answer(c, arg, 0, 4);
	case BLKDISCARD:   return block_range(c, f, arg, FALLOCATE_HOLE | FALLOCATE_KEEP_SIZE | FALLOCATE_STALE);
	case BLKZEROOUT:   return block_range(c, f, arg, FALLOCATE_ZERO);
	case BLKSECDISCARD: return f->can_write ? -EOPNOTSUPP : -EBADF;
	case HDIO_GETGEO:  return block_geometry(c, b, arg);
	case BLKFLSBUF:    return block_flush(c, b);
	case BLKRRPART:    return block_reread(c, b);
	default:           return -ENOTTY;
	}
}

static void block_close(struct file *f)
{
	struct blkdev *b = f->object;
	b->writers -= f->can_write;
	if (f->flags & O_EXCL)
		b->exclusive = false;
	blkdev_put(b);
}

static const struct file_ops block_ops = {
	.read = block_read, .write = block_write, .seek = block_seek, .ioctl = block_ioctl, .close = block_close,
};

static int open_permitted(const struct blkdev *b, unsigned flags)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	if (flags & O_EXCL && (b->exclusive || claimed(b->rdev)))
		return -EBUSY;
	if (writes && claimed(b->rdev))
		return -EBUSY;	/* the file system would not know */
	return writes && b->readonly ? -EROFS : 0;
}

static int block_file(struct blkdev *b, struct vnode *v, unsigned flags, struct file **out)
{
	struct file *f = file_new(&block_ops, flags & ~(unsigned)(O_CREAT | O_NOCTTY | O_TRUNC | O_CLOEXEC));
	if (!f)
		return -ENFILE;
	f->vnode = vnode_get(v);
	f->object = b;
	b->writers += f->can_write;
	b->exclusive = b->exclusive || flags & O_EXCL;
	*out = f;
	return 0;
}

int blkdev_open(struct call *c, struct vnode *v, unsigned flags, struct file **out)
{
	(void)c;
	if (!dmap_block(major(v->attr.rdev)))
		return -ENXIO;
	struct blkdev *b = blkdev_get(v->attr.rdev);
	if (!b)
		return -ENOMEM;
	int r = blkdev_mount_locked(b);
	if (r == 0)
		r = open_permitted(b, flags);
	if (r == 0 && claimed(b->rdev))
		blkdev_sync(b, FS_SYNC_DROP);	/* the file system writes to it: what was read before is old */
	if (r == 0)
		r = block_file(b, v, flags, out);
	if (r)
		blkdev_put(b);
	return r;
}

bool blkdev_is_file(const struct file *f) { return f->ops == &block_ops; }

/* As Linux: what is no whole block, or leaves the device, is refused; making it longer is no question. */
int blkdev_fallocate(struct file *f, uint64_t mode, uint64_t offset, uint64_t len)
{
	uint64_t kind = mode & ~(uint64_t)FALLOCATE_KEEP_SIZE;
	bool hole = mode == (FALLOCATE_HOLE | FALLOCATE_KEEP_SIZE) || mode == (FALLOCATE_HOLE | FALLOCATE_KEEP_SIZE | FALLOCATE_STALE);
	if (!hole && kind != FALLOCATE_ZERO)
		return -EOPNOTSUPP;
	blkdev_refresh(f->object);
	uint64_t size = block_size(f->object);
	if (offset >= size)
		return -EINVAL;
	if (len > size - offset && !(mode & FALLOCATE_KEEP_SIZE))
		return -EINVAL;
	if (len > size - offset)
		len = size - offset;
	if ((offset | len) % 512)
		return -EINVAL;
	return blkdev_fallocate_at(f->object, mode, offset, len);
}

int blkdev_file_sync(struct file *f) { return blkdev_sync(f->object, 0); }

/* ---- for mounts ------------------------------------------------------------------------------------------------------ */

static int claim_permitted(const struct blkdev *b)
{
	if (b->exclusive || claimed(b->rdev))
		return -EBUSY;
	for (struct list *l = blkdevs.all.next; l != &blkdevs.all; l = l->next) {
		const struct blkdev *o = list_entry(l, struct blkdev, link);
		if (same_bytes(o->rdev, b->rdev) && o->writers)
			return -EBUSY;
	}
	return 0;
}

/* Looked at again after each wait: somebody may have opened the device for writing meanwhile. */
static int claim(struct blkdev *b)
{
	fiber_lock_get(&b->lock);	/* a close may be under way: it writes */
	fiber_lock_put(&b->lock);
	int r = claim_permitted(b);
	if (r == 0 && b->m)
		r = blkdev_sync(b, FS_SYNC_DROP);
	if (r == 0)
		r = claim_permitted(b);
	b->claimed = b->claimed || r == 0;
	return r;
}

int blkdev_claim(uint64_t rdev, char *label)
{
	const struct driver *d = dmap_block(major(rdev));
	struct blkdev *b = d ? blkdev_get(rdev) : NULL;
	if (!d)
		return -ENXIO;
	if (!b)
		return -ENOMEM;
	snprintf(label, LABEL_LEN, "%s", d->label);
	int r = claim(b);
	if (r)
		blkdev_put(b);
	return r;
}

void blkdev_release(uint64_t rdev)
{
	struct blkdev *b = blkdev_find(rdev);
	if (!b || !b->claimed)
		return;
	if (b->m)
		blkdev_sync(b, FS_SYNC_DROP);
	b->claimed = false;
	blkdev_put(b);
}

int blkdevs_sync(void)
{
	struct list *l = blkdevs.all.next;
	int result = 0;
	while (l != &blkdevs.all) {
		struct blkdev *b = list_entry(l, struct blkdev, link);
		b->refs++;
		int r = b->dirty ? blkdev_sync(b, 0) : 0;
		result = result ? result : r;
		l = l->next;
		blkdev_put(b);
	}
	return result;
}
