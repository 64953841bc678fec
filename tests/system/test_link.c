/* SPDX-License-Identifier: BSD-2-Clause */
/* link, symlink, readlink, unlink and their at-forms: counts, contents, chains of links, files without a name. */
#include "check.h"

static struct stat st;

static int links(const char *path)
{
	NEED(lstat(path, &st) == 0);
	return (int)st.st_nlink;
}

static void hard_links(void)
{
	file_put("a", "one");
	CHECK_EQ(link("a", "b"), 0);
	CHECK_EQ(links("a"), 2);
	ino_t ino = st.st_ino;
	CHECK_EQ(links("b"), 2);
	CHECK_EQ(st.st_ino, ino);
	file_put("b", "two");
	CHECK_STR(file_get("a"), "two");
	CHECK_EQ(unlink("a"), 0);
	CHECK_EQ(links("b"), 1);
	CHECK_ERR(stat("a", &st), ENOENT);
	CHECK_STR(file_get("b"), "two");
	CHECK_EQ(unlink("b"), 0);
}

static void link_errors(void)
{
	file_put("f", ""), NEED(mkdir("d", 0755) == 0);
	CHECK_ERR(link("missing", "x"), ENOENT);
	CHECK_ERR(link("f", "f"), EEXIST);
	CHECK_ERR(link("f", "d"), EEXIST);
	CHECK_ERR(link("f", "missing/x"), ENOENT);
	CHECK_ERR(link("f/x", "y"), ENOTDIR);
	CHECK_ERR(link("f", "f/y"), ENOTDIR);
	CHECK_ERR(link("d", "e"), EPERM); /* never a directory */
	CHECK_ERR(link("", "x"), ENOENT);
	CHECK_ERR(link("f", ""), ENOENT);
	CHECK_ERR(link("/proc/version", "x"), EXDEV);
	CHECK_ERR(linkat(AT_FDCWD, "f", AT_FDCWD, "x", 0x8000), EINVAL);
	CHECK_ERR(linkat(-1, "f", AT_FDCWD, "x", 0), EBADF);
	CHECK_ERR(linkat(AT_FDCWD, "f", -1, "x", 0), EBADF);
	NEED(chmod(".", 0755) == 0 && chown("f", 1000, 1000) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(link("f", "x"), EACCES);
	}
	unlink("f"), rmdir("d");
}

static void linking_a_symlink(void)
{
	file_put("f", "");
	NEED(symlink("f", "s") == 0);
	CHECK_EQ(link("s", "s2"), 0); /* Linux links the link itself */
	CHECK_EQ(links("s"), 2);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(linkat(AT_FDCWD, "s", AT_FDCWD, "f2", AT_SYMLINK_FOLLOW), 0);
	CHECK_EQ(links("f"), 2);
	unlink("f"), unlink("f2"), unlink("s"), unlink("s2");
}

static void symlinks(void)
{
	char buf[100];
	NEED(mkdir("d", 0755) == 0);
	file_put("d/f", "content");
	CHECK_EQ(symlink("f", "d/l"), 0); /* relative to where the link lies */
	CHECK_STR(file_get("d/l"), "content");
	memset(buf, '#', sizeof buf);
	CHECK_EQ(readlink("d/l", buf, 100), 1);
	CHECK_EQ(buf[1], '#'); /* no terminator is written */
	CHECK_EQ(symlink("a long target that need not exist", "m"), 0);
	CHECK_EQ(readlink("m", buf, 5), 5); /* cut, not refused */
	CHECK(memcmp(buf, "a lon#", 6) == 0);
	CHECK_EQ(readlinkat(AT_FDCWD, "m", buf, 100), 33);
	CHECK_EQ(symlink("d", "dl"), 0);
	CHECK_STR(file_get("dl/f"), "content");
	CHECK_STR(file_get("dl/../d/l"), "content");
	CHECK_EQ(unlink("dl"), 0); /* the link, not the directory */
	CHECK_EQ(access("d/f", F_OK), 0);
	unlink("m"), unlink("d/l"), unlink("d/f"), rmdir("d");
}

static void symlink_errors(void)
{
	char buf[10], big[4200];
	file_put("f", ""), NEED(mkdir("d", 0755) == 0);
	NEED(symlink("f", "l") == 0);
	memset(big, 'x', sizeof big - 1), big[sizeof big - 1] = 0;
	CHECK_ERR(symlink("x", "f"), EEXIST);
	CHECK_ERR(symlink("x", "l"), EEXIST);
	CHECK_ERR(symlink("", "e"), ENOENT);
	CHECK_ERR(symlink("x", ""), ENOENT);
	CHECK_ERR(symlink("x", "missing/l"), ENOENT);
	CHECK_ERR(symlink("x", "f/l"), ENOTDIR);
	CHECK_ERR(symlink(big, "big"), ENAMETOOLONG);
	big[4095] = 0;
	CHECK_EQ(symlink(big, "big"), 0);
	char got[4100];
	CHECK_EQ(readlink("big", got, sizeof got), 4095);
	CHECK_ERR(readlink("f", buf, 10), EINVAL); /* no link */
	CHECK_ERR(readlink("d", buf, 10), EINVAL);
	CHECK_ERR(readlink("missing", buf, 10), ENOENT);
	CHECK_ERR(syscall(SYS_readlink, "l", buf, 0), EINVAL);
	CHECK_ERR(syscall(SYS_readlink, "l", buf, -1), EINVAL);
	CHECK_ERR(syscall(SYS_readlink, "l", bad_unmapped(), 10), EFAULT);
	CHECK_ERR(syscall(SYS_readlinkat, -1, "l", buf, 10), EBADF);
	unlink("f"), unlink("l"), unlink("big"), rmdir("d");
}

static void chains(void)
{
	char a[10], b[10];
	file_put("l0", "end");
	for (int i = 1; i <= 41; i++) {
		snprintf(a, sizeof a, "l%d", i - 1), snprintf(b, sizeof b, "l%d", i);
		NEED(symlink(a, b) == 0);
	}
	CHECK_STR(file_get("l40"), "end"); /* forty are followed, one more is a loop */
	CHECK_ERR(open("l41", O_RDONLY), ELOOP);
	CHECK_ERR(stat("l41", &st), ELOOP);
	CHECK_EQ(lstat("l41", &st), 0);
	for (int i = 0; i <= 41; i++) {
		snprintf(b, sizeof b, "l%d", i);
		CHECK_EQ(unlink(b), 0);
	}
}

static void unlink_rules(void)
{
	file_put("f", ""), NEED(mkdir("d", 0755) == 0);
	CHECK_ERR(unlink("missing"), ENOENT);
	CHECK_ERR(unlink("d"), EISDIR);
	CHECK_ERR(unlink("f/x"), ENOTDIR);
	CHECK_ERR(unlink("f/"), ENOTDIR);
	CHECK_ERR(unlink(""), ENOENT);
	CHECK_ERR(unlink("."), EISDIR);
	CHECK_ERR(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR), ENOTDIR);
	CHECK_ERR(unlinkat(AT_FDCWD, "f", 0x1), EINVAL);
	CHECK_ERR(unlinkat(-1, "f", 0), EBADF);
	NEED(chmod(".", 0755) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(unlink("f"), EACCES); /* the directory's permission, not the file's */
	}
	NEED(chmod("f", 0) == 0);
	CHECK_EQ(unlink("f"), 0);
	rmdir("d");
}

static void open_file_outlives_its_name(void)
{
	char buf[10] = "";
	int fd = file_make("f", "alive");
	CHECK_EQ(unlink("f"), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(read(fd, buf, 9), 5);
	CHECK_EQ(write(fd, " still", 6), 6);
	CHECK_EQ(ftruncate(fd, 100000), 0);
	file_put("f", "new one"); /* the name is free for another */
	CHECK_EQ(pread(fd, buf, 5, 0), 5);
	CHECK_STR(buf, "alive");
	IN_CHILD
	{
		CHECK_EQ(pread(fd, buf, 5, 0), 5);
	}
	struct stat now;
	CHECK_EQ(stat("f", &now), 0);
	CHECK(now.st_ino != st.st_ino);
	unlink("f");
}

int main(void)
{
	RUN(hard_links);
	RUN(link_errors);
	RUN(linking_a_symlink);
	RUN(symlinks);
	RUN(symlink_errors);
	RUN(chains);
	RUN(unlink_rules);
	RUN(open_file_outlives_its_name);
	return check_end();
}
