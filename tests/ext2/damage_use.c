/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs do to files, on a file system that may be damaged in any way: no result is wrong, but each call has to return, and
 * limits keep a directory that contains itself, or a file of terabytes, from taking for ever. Devices are not opened: damage may have
 * made them.
 */
#define _GNU_SOURCE
#include "damage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEPTH_MAX = 7, NODES_MAX = 48, IN_ONE_DIR = 14, PATH_BYTES = 2600, READ_BYTES = 20000 };

static struct walk { char paths[NODES_MAX][PATH_BYTES]; unsigned count; } walk;
static char buf[READ_BYTES];
static struct used *used;

static long noted(long r)
{
	used->calls++;
	used->damage_seen += r < 0 && (errno == EUCLEAN || errno == EIO || errno == EROFS);
	return r;
}
#define TRY(call) (shared->doing = #call, noted(call))

static sigjmp_buf after_fault;
static void on_fault(int signo) { (void)signo; siglongjmp(after_fault, 1); }

/* Through a mapping; a page that cannot be read is a SIGBUS. */
static void map_and_touch(int fd, off_t size, int writable)
{
	off_t at = size > 4096 ? (off_t)any((uint32_t)(size / 4096 > 1000 ? 1000 : size / 4096)) * 4096 : 0;
	volatile char *p = mmap(NULL, 4096, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, at);
	if (p == MAP_FAILED)
		return;
	signal(SIGBUS, on_fault);
	shared->doing = "touching a mapped page";
	if (sigsetjmp(after_fault, 1) == 0) {
		char byte = p[any(4096)];
		if (writable)
			p[0] = byte;
	}
	munmap((void *)(uintptr_t)p, 4096);
}

static void file_read(const char *path, off_t size)
{
	int fd = (int)TRY(open(path, O_RDONLY | O_NONBLOCK));
	if (fd < 0)
		return;
	for (int i = 0; i < 2 && TRY(read(fd, buf, sizeof buf)) > 0; i++)
		;
	TRY(pread(fd, buf, 5000, size > 5000 ? (off_t)(((uint64_t)any(UINT32_MAX) << 12) % (uint64_t)size) : 0));
	TRY(lseek(fd, 0, SEEK_DATA));
	TRY(lseek(fd, 0, SEEK_HOLE));
	if (any(5) == 0)
		map_and_touch(fd, size, 0);
	TRY(close(fd));
}

static void node_look(const char *path, const struct stat *s)
{
	struct stat to;
	if (S_ISREG(s->st_mode)) {
		file_read(path, s->st_size);
	} else if (S_ISLNK(s->st_mode)) {
		TRY(readlink(path, buf, sizeof buf));
		TRY(stat(path, &to));
	}
}

static void walk_dir(const char *top, int depth);

static void walk_entry(const char *dir, const char *name, int depth)
{
	struct stat s;
	char *path = walk.paths[walk.count];
	if (snprintf(path, PATH_BYTES, "%s/%s", dir, name) >= PATH_BYTES)
		return;
	walk.count++;
	if (TRY(lstat(path, &s)))
		return;
	node_look(path, &s);
	if (S_ISDIR(s.st_mode) && depth < DEPTH_MAX)
		walk_dir(path, depth + 1);
}

static void walk_dir(const char *top, int depth)
{
	shared->doing = "opendir, readdir";
	DIR *d = opendir(top);
	noted(d ? 0 : -1);
	for (int i = 0; d && i < IN_ONE_DIR && walk.count < NODES_MAX; i++) {
		struct dirent *e = readdir(d);
		if (!e)
			break;
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			walk_entry(top, e->d_name, depth);
	}
	if (d)
		closedir(d);
}

/* ---- changes ---- */

static void file_change(const char *path)
{
	int fd = (int)TRY(open(path, O_RDWR | O_NONBLOCK));
	if (fd < 0)
		return;
	switch (any(6)) {
	case 0:  TRY(pwrite(fd, buf, any(sizeof buf), any(400000))); break;
	case 1:  TRY(ftruncate(fd, any(300000))); break;
	case 2:  TRY(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, any(50000), 1 + any(100000))); break;
	case 3:  TRY(lseek(fd, 0, SEEK_END)); TRY(write(fd, buf, any(sizeof buf))); break;
	case 4:  map_and_touch(fd, 4096, 1); break;
	default: TRY(unlink(path)); TRY(pwrite(fd, buf, 3000, any(100000))); break;	/* lives on without a name */
	}
	if (any(4) == 0)
		TRY(fsync(fd));
	TRY(close(fd));
}

static void node_change(const char *top, unsigned i)
{
	const char *path = walk.paths[i], *other = walk.paths[any(walk.count)];
	struct stat s;
	char fresh[PATH_BYTES];
	snprintf(fresh, sizeof fresh, "%s/new%u", any(2) ? top : other, any(20));
	switch (any(12)) {
	case 0:  TRY(unlink(path)); break;
	case 1:  TRY(rmdir(path)); break;
	case 2:  TRY(rename(path, fresh)); break;
	case 3:  TRY(rename(path, other)); break;
	case 4:  TRY(link(path, fresh)); break;
	case 5:  TRY(mkdir(fresh, 0755)); break;
	case 6:  TRY(symlink(other, fresh)); break;
	case 7:  TRY(mknod(fresh, S_IFIFO | 0644, 0)); break;
	case 8:  TRY(chmod(path, any(07777))); TRY(utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW)); break;
	case 9:  TRY(syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, other, 2 /* exchange */)); break;
	default:
		if (TRY(lstat(path, &s)) == 0 && S_ISREG(s.st_mode))
			file_change(path);
	}
}

void files_use(const char *top, struct used *u)
{
	struct statfs s;
	used = u;
	walk.count = 0;
	TRY(statfs(top, &s));
	walk_dir(top, 0);
	for (unsigned i = 0; i < walk.count; i++)
		node_change(top, any(walk.count));
	if (any(4) == 0)
		walk.count = 0, walk_dir(top, 0);
	int fd = (int)TRY(open(top, O_RDONLY | O_DIRECTORY));
	if (fd >= 0) {
		TRY(syncfs(fd));
		TRY(close(fd));
	}
}
