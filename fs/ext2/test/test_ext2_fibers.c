/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many requests at the same time: transfers of the disk end in any order, and while one request waits others begin, on the same few files
 * and directories. Records in files are whole or absent at every moment, nothing stands still, and e2fsck finds nothing at the end.
 * A second run lets transfers fail: then nothing may crash or stand still.
 */
#include "host.h"

#include <libfiber/fiber.h>
#include <sys/wait.h>

enum { DIRS = 4, NAMES = 8, AT_ONCE = 24, REQUESTS = 12000, PAGES = 90, RECORD = 4096, STACK = 128 << 10 };

static struct run {
	char *image;
	uint64_t dirs[DIRS];
	unsigned begun, active, most, failing;
	bool over, ended;
	uint64_t results[2];	/* successes, errors */
} run;

static void record_fill(uint32_t *r, uint32_t file, uint32_t page, uint32_t version)
{
	for (uint32_t i = 0; i < RECORD / 4; i++)
		r[i] = file * 1000003 + page * 4099 + version * 17 + i;
}

/* Zeros, or one record whole. */
static void record_check(const uint32_t *r, uint32_t file, uint32_t page)
{
	uint32_t version = (r[0] - file * 1000003 - page * 4099) / 17;
	static uint32_t want[RECORD / 4];
	bool hole = true;
	for (uint32_t i = 0; i < RECORD / 4 && hole; i++)
		hole = r[i] == 0;
	record_fill(want, file, page, version);
	CHECK(hole || !memcmp(r, want, RECORD));
}

static int64_t result(int64_t r)
{
	run.results[r < 0]++;
	CHECK(r >= 0 || r == -ENOENT || r == -EEXIST || r == -EISDIR || r == -ENOTDIR || r == -ENOTEMPTY || r == -EINVAL || r == -ENOSPC ||
	      r == -ESTALE || r == -ENXIO || r == -EPERM || (run.failing && (r == -EIO || r == -ENOMEM || r == -EROFS || r == -EUCLEAN)));
	return r;
}

static const char *name_any(void)
{
	static const char *const names[NAMES] = { "alpha", "b", "gamma-with-a-longer-name", "delta", "e", "zeta", "eta", "theta" };
	return names[host_random(NAMES)];
}

static uint64_t dir_any(void) { return run.dirs[host_random(DIRS)]; }

/* The buffer of a request must be its own: it is moved to host_user at once, before anything waits. */
static void data_move(uint64_t node, bool write)
{
	uint32_t page = host_random(PAGES), count = 1 + host_random(4);
	struct fs_attr a;
	uint32_t *buf = malloc(count * RECORD);
	if (ext2_getattr(node, &a) == 0 && (a.mode & MODE_TYPE) == MODE_REG) {
		for (uint32_t i = 0; i < count; i++)
			record_fill(buf + i * RECORD / 4, (uint32_t)node, page + i, host_random(1000));
		struct fs_data d = { .offset = page * RECORD, .len = count * RECORD, .grant = host_grant(buf) };
		struct fs_rep rep;
		int64_t n = result(write ? ext2_write(node, &d, 0, &rep) : ext2_read(node, &d));
		for (int64_t i = 0; !write && i < n / RECORD; i++)
			record_check(buf + i * RECORD / 4, (uint32_t)node, page + (uint32_t)i);
		host_ungrant(d.grant);
	}
	free(buf);
}

static void node_use(uint64_t node)
{
	struct fs_attr a, in = { .size = host_random(PAGES) * RECORD, .mode = 0640 };
	uint64_t found, valid;
	void *addr;
	switch (host_random(9)) {
	case 0: case 1: case 2: data_move(node, true); break;
	case 3: case 4: data_move(node, false); break;
	case 5: result(ext2_setattr(node, FS_SET_SIZE, &in, &a)); break;
	case 6: result(ext2_sync(node, 0)); break;
	case 7: ext2_seek(node, 0, SEEK_HOLE, &found); break;
	default: result(ext2_getpage(node, host_random(PAGES), 0, &addr, &valid)); break;
	}
}

static void request(void)
{
	struct fs_attr a;
	struct fs_name n1 = host_name(name_any()), n2 = host_name(name_any());
	struct fs_new how = { .mode = 0 };
	uint32_t what = host_random(24);
	uint64_t d = dir_any(), d2 = dir_any();
	if (what < 12 && ext2_lookup(d, &n1, 0, &a) == 0) {
		uint64_t node = a.node;
		node_use(node);
		ext2_forget(node, 1);
	} else if (what < 15) {
		how.mode = host_random(5) ? MODE_REG | 0600 : MODE_DIR | 0700;
		if (result(ext2_create(d, &n1, &how, &a)) == 0)
			ext2_forget(a.node, 1);
	} else if (what < 18) {
		result(ext2_unlink(d, &n1, host_random(3) ? 0 : FS_UNLINK_DIR, &a));
	} else if (what < 21) {
		result(ext2_rename(d, &n1, d2, &n2, host_random(3) ? 0 : FS_RENAME_EXCHANGE, &a));
	} else if (what == 21) {
		result(host_list(d, NULL, NULL));
	} else if (what == 22) {
		result(ext2_sync(0, 0));
	} else if (ext2_lookup(d, &n1, 0, &a) == 0) {
		result(ext2_link(d2, &n2, a.node, &a));
		ext2_forget(a.node, 1);
	}
}

static void finish(void)
{
	host_disk.fail_reads = host_disk.fail_writes = 0;
	host_disk.deferred = false;
	int r = ext2_unmount();
	CHECK(r == 0 || run.failing);
	cache_dev_close(host_dev);
	close(host_disk.fd);
	if (run.failing)
		CHECK(host_status("e2fsck -fy %s >/dev/null 2>&1", run.image) <= 1);
	host_fsck(run.image);
	printf("ok %u requests, %u at once, %lu good, %lu errors, %u of 1000 transfers fail\n", run.begun, run.most, run.results[0],
	       run.results[1], run.failing);
	host_end();
}

static void loop(void)
{
	for (;;) {
		fiber_run_ready();
		CHECK(fiber_reserve());
		if (run.begun < REQUESTS && run.active < AT_ONCE && host_random(3)) {
			run.begun++;
			run.active++;
			run.most = run.active > run.most ? run.active : run.most;
			request();
			run.active--;
		} else if (!cache_host_step(&host_disk)) {
			CHECK(run.begun < REQUESTS || run.active == 0);		/* or somebody waits for ever */
			if (run.begun == REQUESTS)
				finish();
		}
	}
}

static void run_one(const char *shape, unsigned failing, bool small)
{
	static const char *const names[DIRS] = { "d0", "d1", "d2", "d3" };
	struct fs_attr a;
	host_start(small ? 1 << 20 : 32 << 20);	/* the small one is always full */
	run.image = strdup(host_path("fibers.img"));
	run.failing = failing;
	host_run("mke2fs -q -F -t ext2 %s %s 6M >/dev/null 2>&1", shape, run.image);
	CHECK(host_mount(run.image, false) == 0);
	for (int i = 0; i < DIRS; i++) {
		CHECK(host_create(i < 2 ? EXT2_ROOT_INO : run.dirs[0], names[i], MODE_DIR | 0755, &a) == 0);
		run.dirs[i] = a.node;
	}
	host_disk.deferred = true;
	host_disk.fail_reads = host_disk.fail_writes = failing;
	fibers_run(STACK, loop);
}

/* A process for each run: fibers do not come back. */
int main(void)
{
	static const char *const shapes[] = { "-b 1024 -I 128", "-b 4096 -I 256" };
	unsigned seeds = host_seeds(1);
	for (unsigned i = 0; i < seeds * 8; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			alarm(120);
			host_seed(i + 1);
			run_one(shapes[i % 2], i % 8 < 4 ? 0 : 20, i / 2 % 2);
		}
		int status;
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
	return 0;
}
