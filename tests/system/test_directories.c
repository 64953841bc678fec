/* SPDX-License-Identifier: BSD-2-Clause */
/* mkdir, rmdir, getdents64 with many entries, seeking and changes meanwhile, chdir, fchdir, getcwd, removed directories. */
#include "check.h"
#include <dirent.h>

struct entry { /* the kernel's layout */
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

static struct stat st;

static void make_and_remove(void)
{
	umask(022);
	CHECK_EQ(mkdir("d", 0777), 0);
	CHECK_EQ(stat("d", &st), 0);
	CHECK_EQ(st.st_mode, S_IFDIR | 0755);
	CHECK_ERR(mkdir("d", 0777), EEXIST);
	CHECK_ERR(mkdir(".", 0777), EEXIST);
	CHECK_ERR(mkdir("/", 0777), EEXIST);
	file_put("d/f", "");
	CHECK_ERR(mkdir("d/f", 0777), EEXIST);
	NEED(symlink("nowhere", "l") == 0);
	CHECK_ERR(mkdir("l", 0777), EEXIST);
	CHECK_ERR(mkdir("missing/d", 0777), ENOENT);
	CHECK_ERR(mkdir("d/f/x", 0777), ENOTDIR);
	CHECK_ERR(rmdir("d"), ENOTEMPTY);
	CHECK_ERR(rmdir("d/f"), ENOTDIR);
	CHECK_ERR(rmdir("l"), ENOTDIR);
	CHECK_ERR(rmdir("missing"), ENOENT);
	CHECK_ERR(rmdir("d/."), EINVAL);
	CHECK_ERR(rmdir("d/.."), ENOTEMPTY);
	CHECK_ERR(rmdir("/"), EBUSY);
	CHECK_EQ(unlink("d/f"), 0);
	CHECK_EQ(rmdir("d"), 0);
	CHECK_EQ(unlink("l"), 0);
	NEED(chmod(".", 0755) == 0 && mkdir("d", 0777) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(mkdir("e", 0777), EACCES);
		CHECK_ERR(rmdir("d"), EACCES);
	}
	CHECK_EQ(rmdir("d"), 0);
}

static void types_and_dots(void)
{
	int dot = 0, dotdot = 0, n = 0;
	NEED(mkdir("t", 0755) == 0 && mkdir("t/dir", 0755) == 0 && symlink("x", "t/lnk") == 0 && mkfifo("t/pip", 0600) == 0);
	file_put("t/reg", "");
	DIR *d = opendir("t");
	NEED(d != NULL);
	for (struct dirent *e; (e = readdir(d)) != NULL; n++) {
		char path[300];
		snprintf(path, sizeof path, "t/%s", e->d_name);
		NEED(lstat(path, &st) == 0);
		CHECK_EQ(e->d_ino, st.st_ino);
		CHECK_EQ(e->d_type, IFTODT(st.st_mode));
		dot += strcmp(e->d_name, ".") == 0;
		dotdot += strcmp(e->d_name, "..") == 0;
	}
	CHECK_EQ(n, 6);
	CHECK(dot == 1 && dotdot == 1);
	closedir(d);
	rmdir("t/dir"), unlink("t/lnk"), unlink("t/pip"), unlink("t/reg"), rmdir("t");
}

enum { MANY = 1000 };
static unsigned char seen[MANY];

static int scan(int fd, size_t size, int *dots)
{
	static char buf[32768] __attribute__((aligned(8)));
	int calls = 0;
	long n;
	memset(seen, 0, sizeof seen);
	*dots = 0;
	while ((n = syscall(SYS_getdents64, fd, buf, size)) > 0) {
		calls++;
		for (long at = 0; at < n;) {
			struct entry *e = (void *)(buf + at);
			NEED(e->len >= 20 && e->len % 8 == 0 && at + e->len <= n);
			if (e->name[0] == 'e')
				seen[atoi(e->name + 1)]++;
			else
				++*dots;
			at += e->len;
		}
	}
	CHECK_EQ(n, 0);
	return calls;
}

static int complete(void)
{
	for (int i = 0; i < MANY; i++)
		if (seen[i] != 1)
			return 0;
	return 1;
}

static void many_entries(void)
{
	char name[40], buf[300];
	int dots;
	NEED(mkdir("m", 0755) == 0 && chdir("m") == 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "e%d", i);
		NEED(mknod(name, S_IFREG | 0644, 0) == 0);
	}
	int fd = open(".", O_RDONLY);
	scan(fd, 32768, &dots);
	CHECK(complete());
	CHECK_EQ(dots, 2);
	CHECK_EQ(syscall(SYS_getdents64, fd, buf, sizeof buf), 0); /* the end stays the end */
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK(scan(fd, 100, &dots) > 100); /* three or four at a time */
	CHECK(complete());
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_ERR(syscall(SYS_getdents64, fd, buf, 10), EINVAL); /* not even one fits */
	CHECK_ERR(syscall(SYS_getdents64, fd, bad_unmapped(), 1000), EFAULT);
	NEED(chdir("..") == 0);
}

static void seek_to_a_remembered_place(void)
{
	static char buf[4096] __attribute__((aligned(8))), again[4096] __attribute__((aligned(8)));
	int fd = open("m", O_RDONLY);
	long n = syscall(SYS_getdents64, fd, buf, 2000);
	NEED(n > 0);
	struct entry *first = (void *)buf, *second = (void *)(buf + first->len);
	n = syscall(SYS_getdents64, fd, again, 2000);
	NEED(n > 0);
	CHECK_EQ(lseek(fd, first->off, SEEK_SET), first->off); /* the offset of an entry leads behind it */
	n = syscall(SYS_getdents64, fd, again, 2000);
	NEED(n > 0);
	CHECK_STR(((struct entry *)again)->name, second->name);
}

static void removing_while_reading(void)
{
	DIR *d = opendir("m");
	int left = 0, removed = 0;
	NEED(d != NULL);
	for (struct dirent *e; (e = readdir(d)) != NULL;) { /* as rm -r does */
		char path[300];
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "m/%s", e->d_name);
		CHECK_EQ(unlink(path), 0);
		removed++;
	}
	CHECK_EQ(removed, MANY);
	rewinddir(d);
	while (readdir(d) != NULL)
		left++;
	CHECK_EQ(left, 2);
	closedir(d);
	CHECK_EQ(rmdir("m"), 0);
}

static void not_a_directory(void)
{
	char buf[100];
	int fd = file_make("f", "x");
	CHECK_ERR(syscall(SYS_getdents64, fd, buf, 100), ENOTDIR);
	CHECK_ERR(fchdir(fd), ENOTDIR);
	CHECK_ERR(chdir("f"), ENOTDIR);
	CHECK_ERR(chdir("missing"), ENOENT);
	CHECK_ERR(fchdir(-1), EBADF);
	CHECK_ERR(syscall(SYS_chdir, bad_unmapped()), EFAULT);
	unlink("f");
	NEED(mkdir("closed", 0700) == 0 && chmod(".", 0755) == 0);
	int closed = open("closed", O_RDONLY);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(chdir("closed"), EACCES);
		CHECK_ERR(fchdir(closed), EACCES); /* the descriptor is no ticket */
	}
	rmdir("closed");
}

static void working_directory(void)
{
	char start[4096], cwd[4096], small[3];
	NEED(getcwd(start, sizeof start) != NULL);
	NEED(mkdir("w", 0755) == 0 && mkdir("w/x", 0755) == 0 && symlink("w/x", "link") == 0);
	int back = open(".", O_RDONLY);
	CHECK_EQ(chdir("link"), 0);
	NEED(getcwd(cwd, sizeof cwd) != NULL);
	CHECK(strcmp(cwd + strlen(cwd) - 4, "/w/x") == 0); /* the real place, not the way there */
	CHECK_EQ(syscall(SYS_getcwd, cwd, sizeof cwd), strlen(cwd) + 1);
	CHECK_ERR(syscall(SYS_getcwd, small, sizeof small), ERANGE);
	CHECK_ERR(syscall(SYS_getcwd, cwd, 0), ERANGE);
	CHECK_ERR(syscall(SYS_getcwd, bad_unmapped(), 4096), EFAULT);
	CHECK_ERR(syscall(SYS_getcwd, bad_readonly(), 4096), EFAULT);
	CHECK_EQ(rename("../../w", "../../v"), 0);
	NEED(getcwd(cwd, sizeof cwd) != NULL);
	CHECK(strcmp(cwd + strlen(cwd) - 4, "/v/x") == 0);
	CHECK_EQ(fchdir(back), 0);
	NEED(getcwd(cwd, sizeof cwd) != NULL);
	CHECK_STR(cwd, start);
	CHECK_EQ(chdir("/"), 0);
	NEED(getcwd(cwd, sizeof cwd) != NULL);
	CHECK_STR(cwd, "/");
	CHECK_EQ(fchdir(back), 0);
	unlink("link"), rmdir("v/x"), rmdir("v");
}

static void removed_working_directory(void)
{
	char cwd[4096];
	NEED(mkdir("gone", 0755) == 0);
	int back = open(".", O_RDONLY);
	NEED(chdir("gone") == 0);
	CHECK_EQ(rmdir("../gone"), 0);
	CHECK_ERR(syscall(SYS_getcwd, cwd, sizeof cwd), ENOENT);
	CHECK_ERR(open("x", O_CREAT | O_RDWR, 0644), ENOENT);
	CHECK_ERR(mkdir("x", 0755), ENOENT);
	CHECK_EQ(stat(".", &st), 0);
	CHECK_EQ(st.st_nlink, 0);
	int fd = open(".", O_RDONLY);
	NEED(fd >= 0);
	CHECK_EQ(chdir(".."), 0); /* the parent is still there */
	CHECK_EQ(fchdir(back), 0);
	char buf[200];
	long n = syscall(SYS_getdents64, fd, buf, sizeof buf);
	CHECK(n == 0 || (n == -1 && errno == ENOENT)); /* nothing to be seen in it any more */
}

int main(void)
{
	RUN(make_and_remove);
	RUN(types_and_dots);
	RUN(many_entries);
	RUN(seek_to_a_remembered_place);
	RUN(removing_while_reading);
	RUN(not_a_directory);
	RUN(working_directory);
	RUN(removed_working_directory);
	return check_end();
}
