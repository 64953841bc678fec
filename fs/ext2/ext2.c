/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2, the service: one process for each mounted file system. Requests run on fibers; this file has the mount options, the device, and
 * the clock that writes back what has become old.
 *
 * If this process dies, its successor writes what was dirty (rescue.c), VFS mounts again, tells what it has open (FS_REVIVE) and repeats
 * what was not answered: programs see a delay. If the disk driver dies nobody here notices: libbdev repeats its requests.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <abi/endpoint.h>
#include <libcache/cache_bdev.h>
#include <libsef/sef.h>
#include <libsys/grant.h>
#include <libsys/kcall.h>
#include <proto/vm.h>

#include "ext2.h"
#include "rescue.h"

enum { MOUNT_RDONLY = 1, ARENA_MIN = 8 << 20, MEMORY_SHARE = 4 };

static struct ext2_service {
	struct cache_dev *dev;
	nstime_t bdev_deadline, armed;	/* 0: none */
	bool ticking;			/* a fiber is writing back */
	bool awaited;			/* we are a successor, VFS will mount again */
} service;

/* What our successor has to know. Read from our memory when we are dead (rescue.c). */
static struct rescue_from kept;

/* ---- the clock ------------------------------------------------------------------------------------------------- */

static void set_alarm(nstime_t deadline) { service.bdev_deadline = deadline; }

static nstime_t earlier(nstime_t a, nstime_t b) { return !a ? b : !b ? a : a < b ? a : b; }

static void before_receive(void)
{
	nstime_t next = earlier(service.bdev_deadline, service.ticking ? 0 : (nstime_t)cache_next_tick());
	if (next == service.armed)
		return;
	sys_setalarm(next, 0);
	service.armed = next;
}

static void on_alarm(void)
{
	nstime_t now = sys_uptime();
	service.armed = 0;
	if (service.bdev_deadline && service.bdev_deadline <= now) {
		service.bdev_deadline = 0;
		bdev_alarm(now);
	}
	if (service.ticking)
		return;
	service.ticking = true;
	cache_tick((int64_t)now);
	service.ticking = false;
}

static bool on_message(const struct message *m, uint32_t status)
{
	if (service.awaited && m->source == EP_VM && !ipc_is_notify(status))
		return true;	/* it asks again when its pages are forgotten (ext2_revive) */
	if (ipc_is_notify(status) && m->source == EP_CLOCK) {
		on_alarm();
		return true;
	}
	return bdev_message(m, status);
}

static int64_t clock_now(void) { return (int64_t)sys_uptime(); }

/* ---- mounting -------------------------------------------------------------------------------------------------- */

struct options { char label[LABEL_LEN]; bool readonly; };

static int option_apply(struct options *o, const char *word, size_t len)
{
	static const char *const ignored[] = { "rw", "defaults", "relatime", "noatime", "nosuid", "nodev", "noexec",
		"suid", "dev", "exec" };
	if (len > 4 && !strncmp(word, "dev=", 4)) {
		snprintf(o->label, sizeof o->label, "%.*s", (int)(len - 4), word + 4);
		return 0;
	}
	if (len == 2 && !strncmp(word, "ro", 2)) {
		o->readonly = true;
		return 0;
	}
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		if (len == strlen(ignored[i]) && !strncmp(word, ignored[i], len))
			return 0;
	printf("ext2: unknown option '%.*s'\n", (int)len, word);
	return len ? -EINVAL : 0;
}

static int options_parse(struct options *o, const char *text)
{
	int r = 0;
	while (*text && !r) {
		size_t n = strcspn(text, ",");
		r = n ? option_apply(o, text, n) : 0;
		text += n + (text[n] == ',');
	}
	return r;
}

static int root_attr(struct fs_attr *root)
{
	struct inode *n;
	int r = inode_get(ext2_mounted(), EXT2_ROOT_INO, &n);
	if (r)
		return r;
	n->refs++;
	inode_attr(n, root);
	inode_put(n);
	return 0;
}

static int device_open(const struct options *o, uint64_t dev, bool *readonly)
{
	uint32_t number = (uint32_t)minor(dev);
	bool writable = true;
	/* Also for writing when mounted read-only: a remount may want it. */
	err_t r = cache_bdev_open(o->label, number, BDEV_ACCESS_READ | BDEV_ACCESS_WRITE, 0, &service.dev);
	if (r == -EROFS) {
		*readonly = true;
		writable = false;
		r = cache_bdev_open(o->label, number, BDEV_ACCESS_READ, 0, &service.dev);
	}
	if (r)
		printf("ext2: %s, minor %u cannot be opened: error %d\n", o->label, number, (int)r);
	else
		kept = (struct rescue_from){ .minor = number, .writable = writable, .lost = kept.lost };
	memcpy(kept.label, o->label, sizeof kept.label);
	return r;
}

static int64_t service_mount(uint64_t dev, const char *text, uint32_t flags, struct fs_attr *root)
{
	struct options o = { .label = "" };
	int r = options_parse(&o, text);
	bool readonly = o.readonly || flags & MOUNT_RDONLY;
	if (r)
		return r;
	if (ext2_mounted())	/* again: the options may have changed */
		return (r = ext2_remount(readonly)) ? r : root_attr(root);
	if (!o.label[0] || service.dev)
		return service.dev ? -EBUSY : -EINVAL;
	if ((r = device_open(&o, dev, &readonly)))
		return r;
	if (flags & FS_MOUNT_AGAIN)
		r = ext2_mount_again(service.dev, readonly, kept.lost);
	else
		r = ext2_mount(service.dev, readonly);
	service.awaited = false;
	if (r == 0)
		return root_attr(root);
	cache_bdev_close(service.dev);
	service.dev = NULL;
	return r;
}

static int64_t service_unmount(uint64_t root)
{
	(void)root;
	int r = ext2_unmount();
	if (r == -EINVAL)
		return r;
	cache_bdev_close(service.dev);
	service.dev = NULL;
	kept = (struct rescue_from){ .writable = false };
	return r;
}

static int64_t service_statfs(uint64_t node, struct statfs *out)
{
	(void)node;
	return ext2_mounted() ? ext2_statfs(ext2_mounted(), out) : -ESTALE;
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

static uint64_t memory_bytes(void)
{
	struct vm_stats stats = { .total = 0 };
	struct message m = { .type = VM_INFO };
	grant_t grant = grant_direct(EP_VM, &stats, sizeof stats, GRANT_WRITE);
	*MSG_BODY(struct vm_info_req, &m) = (struct vm_info_req){ .what = VM_INFO_STATS, .grant = grant, .len = sizeof stats };
	sef_call(EP_VM, &m);
	grant_revoke(grant);
	return stats.total;
}

static err_t service_init(const struct sef_init_info *info)
{
	static const struct bdev_hooks hooks = { .set_alarm = set_alarm };
	uint64_t arena = memory_bytes() / MEMORY_SHARE;
	(void)info;
	err_t r = bdev_startup(&hooks);
	if (r || (r = cache_init(arena > ARENA_MIN ? arena : ARENA_MIN)))
		return r;
	cache_set_clock(clock_now);
	return cache_bdev_init();
}

/* While it initialises a successor hears the disk only: VFS and VM ask again. */
static void init_wait(void)
{
	struct message m;
	uint32_t status;
	before_receive();
	if (sef_receive(EP_ANY, &m, &status) == 0 && !on_message(&m, status))
		fs_refuse(&m, status);
}

static err_t service_restart(const struct sef_init_info *info)
{
	err_t r = service_init(info);
	if (r)
		return r;
	sys_statectl(STATECTL_CLEAR_IPC_REFS);
	service.awaited = true;
	kept.lost = rescue_run(info, &kept, init_wait) != 0;
	kept.writable = false;
	return 0;
}

static const struct fs_ops ext2_ops = {
	.mount = service_mount, .unmount = service_unmount,
	.lookup = ext2_lookup, .forget = ext2_forget, .getattr = ext2_getattr, .setattr = ext2_setattr,
	.create = ext2_create, .symlink = ext2_symlink, .link = ext2_link, .unlink = ext2_unlink, .rename = ext2_rename,
	.read = ext2_read, .write = ext2_write, .readdir = ext2_readdir, .readlink = ext2_readlink, .getpage = ext2_getpage,
	.statfs = service_statfs, .sync = ext2_sync, .seek = ext2_seek, .fallocate = ext2_fallocate, .revive = ext2_revive,
};

/* RS wants it gone: at once when nothing is mounted, else it waits for the unmount or for RS's patience to end. */
static void service_signal(int signo)
{
	if (signo == SIGTERM && !ext2_mounted())
		sef_exit(0);
}

static void service_fault(enum sef_fault_kind kind)
{
	if (kind == SEF_FI_SCRIBBLE) {
		cache_scribble();
		fail_stop("has written over its own tables on request");
	}
	fs_fault(kind);
}

int main(void)
{
	static const struct sef_callbacks callbacks = { .fault = service_fault, .init_fresh = service_init, .init_restart = service_restart,
							.signal_handler = service_signal,
							.send_failed = bdev_send_failed };
	static const struct fs_loop loop = { .before_receive = before_receive, .message = on_message };
	sef_startup(&callbacks);
	fs_task_fibers(&ext2_ops, &loop);
}
