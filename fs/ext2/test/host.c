/* SPDX-License-Identifier: BSD-2-Clause */
/* See host.h. */
#include "host.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <abi/errno.h>

enum { LIST_BYTES = 4096, STEPS_MAX = 50000000 };

uint8_t *host_user;
uint64_t host_user_limit = UINT64_MAX;
struct cache_host host_disk;
struct cache_dev *host_dev;
const struct cache_backend *host_backend = &cache_host_backend;
static char folder[64];
static uint64_t random_state = 88172645463325252ull;
static int64_t now = 1700000000123456789ll;

/* ---- libfs ------------------------------------------------------------------------------------------------------ */

static void *granted[64];

grant_t host_grant(void *buf)
{
	grant_t g = 1;
	while (granted[g])
		CHECK(++g < 64);
	granted[g] = buf;
	return g;
}

void host_ungrant(grant_t grant) { granted[grant] = NULL; }

static uint8_t *user_of(const struct fs_data *d) { return d->grant ? granted[d->grant] : host_user; }

int64_t fs_data_out(const struct fs_data *d, uint64_t at, const void *from, size_t len)
{
	if (at + len > host_user_limit)
		return -ESOFTFAULT;
	memcpy(user_of(d) + at, from, len);
	return 0;
}

int64_t fs_pieces_out(const struct fs_data *d, uint64_t at, const struct fs_pieces *s)
{
	uint64_t done = 0;
	for (unsigned i = 0; i < s->n; i++) {
		int64_t r = fs_data_out(d, at + done, s->v[i].p, s->v[i].len);
		if (r)
			return done ? (int64_t)done : r;
		done += s->v[i].len;
	}
	CHECK(done == s->bytes);
	return (int64_t)done;
}

int64_t fs_pieces_in(const struct fs_data *d, uint64_t at, const struct fs_pieces *s)
{
	int64_t r = 0;
	for (unsigned i = 0; i < s->n && !r; at += s->v[i++].len)
		r = fs_data_in(d, at, (void *)(uintptr_t)s->v[i].p, s->v[i].len);
	return r;
}

int64_t fs_data_in(const struct fs_data *d, uint64_t at, void *to, size_t len)
{
	if (at + len > host_user_limit)
		return -ESOFTFAULT;
	memcpy(to, user_of(d) + at, len);
	return 0;
}

void fs_forget_pages(uint64_t node, uint64_t first_page) { (void)node, (void)first_page; }
void fs_renew_pages(uint64_t node) { (void)node; }

int64_t fs_now(void) { return now += 1000003; }

/* ---- images ------------------------------------------------------------------------------------------------------ */

static void folder_remove(void) { host_status("rm -rf %s", folder); }

void host_end(void)
{
	folder_remove();
	_exit(0);
}

void host_start(uint64_t arena)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(folder, sizeof folder, "/tmp/ext2-test-XXXXXX");
	CHECK(mkdtemp(folder));
	atexit(folder_remove);
	setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
	CHECK(cache_init(arena) == 0);
}

const char *host_path(const char *name)
{
	static char path[4][128];
	static unsigned next;
	char *p = path[next++ % 4];
	snprintf(p, sizeof path[0], "%s/%s", folder, name);
	return p;
}

static int run(const char *format, va_list args, bool must)
{
	char command[1024];
	vsnprintf(command, sizeof command, format, args);
	int r = system(command);
	r = WIFEXITED(r) ? WEXITSTATUS(r) : -1;
	if (must && r)
		fprintf(stderr, "status %d: %s\n", r, command);
	return r;
}

int host_status(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int r = run(format, args, false);
	va_end(args);
	return r;
}

void host_run(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int r = run(format, args, true);
	va_end(args);
	CHECK(r == 0);
}

bool host_again;

int host_mount(const char *image, bool readonly)
{
	struct stat st;
	host_disk = (struct cache_host){ .fd = open(image, O_RDWR), .deferred = host_disk.deferred, .seed = host_random(1u << 31) };
	CHECK(host_disk.fd >= 0 && fstat(host_disk.fd, &st) == 0);
	host_dev = cache_dev_open(host_backend, &host_disk, (uint64_t)st.st_size, 512);
	CHECK(host_dev);
	int r = host_again ? ext2_mount_again(host_dev, readonly, false) : ext2_mount(host_dev, readonly);
	if (r) {
		cache_dev_close(host_dev);
		close(host_disk.fd);
	}
	return r;
}

void host_unmount(void)
{
	CHECK(ext2_unmount() == 0);
	cache_dev_close(host_dev);
	close(host_disk.fd);
}

void host_crash(void)
{
	int fd = host_disk.fd;
	host_disk.fd = open("/dev/null", O_RDWR);	/* reads fail, writes go nowhere */
	ext2_unmount();
	cache_dev_close(host_dev);
	close(host_disk.fd);
	close(fd);
}

void host_fsck(const char *image)
{
	int r = host_status("e2fsck -fn %s >%s 2>&1", image, host_path("fsck.log"));
	if (r) {
		host_status("cat %s >&2; cp %s /tmp/ext2-bad.img", host_path("fsck.log"), image);
		fprintf(stderr, "e2fsck: status %d; the image is kept as /tmp/ext2-bad.img\n", r);
		abort();
	}
}

/* ---- chance ------------------------------------------------------------------------------------------------------ */

void host_seed(uint64_t seed) { random_state = seed * 0x9e3779b97f4a7c15ull + 88172645463325252ull; }

uint32_t host_random(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return below ? (uint32_t)(random_state >> 16) % below : 0;
}

unsigned host_seeds(unsigned usual)
{
	const char *text = getenv("EXT2_SEEDS");
	return text ? (unsigned)strtoul(text, NULL, 10) : usual;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

struct fs_name host_name(const char *text) { return (struct fs_name){ text, strlen(text) }; }

int64_t host_lookup(uint64_t dir, const char *name, struct fs_attr *attr)
{
	struct fs_name n = host_name(name);
	return ext2_lookup(dir, &n, 0, attr);
}

int64_t host_create(uint64_t dir, const char *name, uint32_t mode, struct fs_attr *attr)
{
	struct fs_name n = host_name(name);
	struct fs_new how = { .mode = mode, .uid = 1000, .gid = 70000 };
	return ext2_create(dir, &n, &how, attr);
}

int64_t host_write(uint64_t node, uint64_t offset, const void *from, uint64_t len)
{
	struct fs_data d = { .offset = offset, .len = len };
	struct fs_rep rep;
	host_user = (uint8_t *)(uintptr_t)from;
	return ext2_write(node, &d, 0, &rep);
}

int64_t host_read(uint64_t node, uint64_t offset, void *to, uint64_t len)
{
	struct fs_data d = { .offset = offset, .len = len };
	host_user = to;
	return ext2_read(node, &d);
}

int64_t host_list(uint64_t dir, void (*each)(void *ctx, const char *name, uint64_t ino), void *ctx)
{
	uint64_t cookie = 0, count = 0;
	for (unsigned calls = 0; calls < STEPS_MAX; calls++) {
		uint8_t buf[LIST_BYTES] __attribute__((aligned(16)));
		struct fs_dirlist list = { .buf = buf, .room = 300 + host_random(sizeof buf - 300), .next = cookie };
		int64_t r = ext2_readdir(dir, cookie, 0, &list);
		if (r || !list.used)
			return r ? r : (int64_t)count;
		for (size_t at = 0; at < list.used; at += ((struct dirent *)(void *)(buf + at))->d_reclen) {
			struct dirent *d = (struct dirent *)(void *)(buf + at);
			if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
				continue;
			count++;
			if (each)
				each(ctx, d->d_name, d->d_ino);
		}
		cookie = list.next;
	}
	abort();
}
