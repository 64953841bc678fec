/* SPDX-License-Identifier: BSD-2-Clause */
/* open, openat, creat: each flag alone and in company, modes and umask, and which error for which obstacle. */
#include "check.h"

static mode_t mode_of(const char *path)
{
	struct stat st;
	NEED(lstat(path, &st) == 0);
	return st.st_mode;
}

static void create_and_exclusive(void)
{
	umask(0);
	int fd = open("f", O_CREAT | O_EXCL | O_WRONLY, 0640);
	NEED(fd >= 0);
	CHECK_EQ(mode_of("f"), S_IFREG | 0640);
	CHECK_ERR(open("f", O_CREAT | O_EXCL | O_WRONLY, 0640), EEXIST);
	CHECK_OK(open("f", O_CREAT | O_WRONLY, 0777)); /* there already: the mode does not matter */
	CHECK_EQ(mode_of("f"), S_IFREG | 0640);
	NEED(symlink("nowhere", "dangling") == 0);
	CHECK_ERR(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST); /* the link is not followed */
	CHECK_OK(open("dangling", O_CREAT | O_WRONLY, 0600)); /* without EXCL it is, and its target made */
	CHECK_EQ(mode_of("nowhere"), S_IFREG | 0600);
	umask(0137);
	CHECK_OK(open("g", O_CREAT | O_RDWR, 0777));
	CHECK_EQ(mode_of("g"), S_IFREG | 0640);
	CHECK_OK(open("h", O_CREAT | O_RDWR, 07777));
	CHECK_EQ(mode_of("h"), S_IFREG | 07640);
	unlink("f"), unlink("g"), unlink("h"), unlink("dangling"), unlink("nowhere");
}

static void mode_applies_to_later_opens_only(void)
{
	int fd = open("f", O_CREAT | O_RDWR, 0000); /* usable although nobody may open it */
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	unlink("f");
}

static void access_modes(void)
{
	char c;
	file_put("f", "abc");
	int r = open("f", O_RDONLY), w = open("f", O_WRONLY), rw = open("f", O_RDWR);
	CHECK_EQ(read(r, &c, 1), 1);
	CHECK_ERR(write(r, "x", 1), EBADF);
	CHECK_EQ(write(w, "x", 1), 1);
	CHECK_ERR(read(w, &c, 1), EBADF);
	CHECK_EQ(read(rw, &c, 1), 1);
	CHECK_EQ(c, 'x');
	CHECK_EQ(write(rw, "y", 1), 1);
	CHECK_ERR(ftruncate(r, 0), EINVAL);
	unlink("f");
}

static void truncates(void)
{
	struct stat st;
	file_put("f", "abcdef");
	int keep = open("f", O_RDONLY);
	CHECK_OK(open("f", O_WRONLY | O_TRUNC));
	CHECK_EQ(fstat(keep, &st), 0);
	CHECK_EQ(st.st_size, 0);
	file_put("f", "abcdef");
	CHECK_OK(open("f", O_RDONLY | O_TRUNC)); /* Linux truncates for a reader too, when writing is allowed */
	CHECK_EQ(stat("f", &st), 0);
	CHECK_EQ(st.st_size, 0);
	CHECK_OK(creat("f", 0600));
	unlink("f");
}

static void append(void)
{
	char buf[20] = "";
	file_put("f", "one ");
	int a = open("f", O_WRONLY | O_APPEND), b = open("f", O_RDWR | O_APPEND);
	CHECK_EQ(write(a, "two ", 4), 4);
	CHECK_EQ(write(b, "three", 5), 5); /* at the end, wherever the offset was */
	CHECK_EQ(lseek(b, 0, SEEK_CUR), 13);
	CHECK_EQ(lseek(b, 0, SEEK_SET), 0);
	CHECK_EQ(read(b, buf, 20), 13);
	CHECK_STR(buf, "one two three");
	CHECK_EQ(pwrite(b, "!", 1, 0), 1); /* Linux appends here as well */
	CHECK_STR(file_get("f"), "one two three!");
	unlink("f");
}

static void directories(void)
{
	char buf[10];
	NEED(mkdir("d", 0755) == 0);
	file_put("f", "");
	int d = open("d", O_RDONLY);
	NEED(d >= 0);
	CHECK_ERR(read(d, buf, 10), EISDIR);
	CHECK_ERR(open("d", O_WRONLY), EISDIR);
	CHECK_ERR(open("d", O_RDWR), EISDIR);
	CHECK_ERR(open("d", O_RDONLY | O_CREAT, 0644), EISDIR);
	CHECK_ERR(open("d", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
	CHECK_ERR(open("d/", O_CREAT | O_WRONLY, 0644), EISDIR);
	CHECK_ERR(open("new/", O_CREAT | O_WRONLY, 0644), EISDIR);
	CHECK_ERR(open("f/", O_RDONLY), ENOTDIR);
	CHECK_ERR(open("f/x", O_RDONLY), ENOTDIR);
	CHECK_ERR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_OK(open("d", O_RDONLY | O_DIRECTORY));
	NEED(symlink("d", "l") == 0);
	CHECK_OK(open("l", O_RDONLY | O_DIRECTORY));
	CHECK_ERR(open("l", O_RDONLY | O_DIRECTORY | O_NOFOLLOW), ENOTDIR);
	CHECK_OK(open("l/", O_RDONLY | O_NOFOLLOW)); /* only the last component counts, and the slash follows */
	CHECK_OK(open("d/.", O_RDONLY));
	CHECK_OK(open("d/..", O_RDONLY));
	unlink("l"), unlink("f"), rmdir("d");
}

static void links_and_nofollow(void)
{
	file_put("f", "");
	NEED(symlink("f", "l") == 0 && symlink("a", "b") == 0 && symlink("b", "a") == 0);
	CHECK_OK(open("l", O_RDONLY));
	CHECK_ERR(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_OK(open("f", O_RDONLY | O_NOFOLLOW));
	CHECK_ERR(open("a", O_RDONLY), ELOOP);
	CHECK_ERR(open("a/x", O_RDONLY), ELOOP);
	CHECK_ERR(open("a", O_CREAT | O_RDWR, 0644), ELOOP);
	unlink("f"), unlink("l"), unlink("a"), unlink("b");
}

static void lowest_descriptor_and_cloexec(void)
{
	int a = open("/dev/null", O_RDONLY), b = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(b, a + 1);
	CHECK_EQ(fcntl(a, F_GETFD), 0);
	CHECK_EQ(fcntl(b, F_GETFD), FD_CLOEXEC);
	close(a);
	CHECK_EQ(open("/dev/null", O_RDONLY), a);
}

static void status_flags_reported(void)
{
	file_put("f", "");
	int fd = open("f", O_RDWR | O_APPEND | O_NONBLOCK | O_CREAT | O_CLOEXEC, 0600);
	int fl = fcntl(fd, F_GETFL);
	CHECK_EQ(fl & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR | O_APPEND | O_NONBLOCK);
	CHECK_EQ(fl & (O_CREAT | O_CLOEXEC), 0); /* those were orders for open, no state */
	unlink("f");
}

static void o_path(void)
{
	char buf[10];
	struct stat st;
	file_put("f", "abc");
	NEED(symlink("f", "l") == 0);
	int fd = open("f", O_PATH), l = open("l", O_PATH | O_NOFOLLOW);
	CHECK_ERR(read(fd, buf, 1), EBADF);
	CHECK_ERR(write(fd, buf, 1), EBADF);
	CHECK_ERR(lseek(fd, 0, SEEK_SET), EBADF);
	CHECK_ERR(syscall(SYS_fchmod, fd, 0600), EBADF);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 3);
	CHECK_EQ(fstat(l, &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(readlinkat(l, "", buf, 10), 1);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	CHECK_EQ(close(fd), 0);
	unlink("f"), unlink("l");
}

static void tmpfile_without_name(void)
{
	struct stat st;
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fd < 0 && errno == EOPNOTSUPP)
		return (void)SKIP("no O_TMPFILE on this file system");
	NEED(fd >= 0);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_nlink, 0);
	CHECK_ERR(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
}

static void user_permissions(void)
{
	NEED(chmod(".", 0755) == 0);
	NEED(mkdir("closed", 0700) == 0 && mkdir("blind", 0711) == 0);
	file_put("closed/f", ""), file_put("blind/f", ""), file_put("own", ""), file_put("ro", "x");
	NEED(chown("own", 1000, 1000) == 0 && chmod("own", 0) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(open("closed/f", O_RDONLY), EACCES);
		CHECK_ERR(open("closed/new", O_CREAT | O_RDWR, 0644), EACCES);
		CHECK_ERR(open("closed/../ro", O_RDONLY), EACCES);
		CHECK_OK(open("blind/f", O_RDONLY));
		CHECK_ERR(open("blind", O_RDONLY), EACCES);
		CHECK_ERR(open("blind/new", O_CREAT | O_RDWR, 0644), EACCES);
		CHECK_ERR(open("own", O_RDONLY), EACCES); /* the owner's bits decide, not the most generous ones */
		CHECK_OK(open("ro", O_RDONLY));
		CHECK_ERR(open("ro", O_WRONLY), EACCES);
		CHECK_ERR(open("ro", O_RDONLY | O_TRUNC), EACCES);
		CHECK_ERR(open("new", O_CREAT | O_RDWR, 0644), EACCES);
		CHECK_ERR(open("ro", O_RDONLY | O_NOATIME), EPERM);
	}
	CHECK_OK(open("own", O_RDWR)); /* root is not asked */
	CHECK_STR(file_get("ro"), "x");
	unlink("closed/f"), unlink("blind/f"), unlink("own"), unlink("ro"), rmdir("closed"), rmdir("blind");
}

static void missing_things(void)
{
	CHECK_ERR(open("missing", O_RDONLY), ENOENT);
	CHECK_ERR(open("missing/x", O_CREAT | O_RDWR, 0644), ENOENT);
	CHECK_ERR(open("", O_RDONLY), ENOENT);
	CHECK_ERR(open("", O_CREAT | O_RDWR, 0644), ENOENT);
	CHECK_ERR(openat(-1, "x", O_RDONLY), EBADF);
	int fd = open("/dev/null", O_RDONLY);
	CHECK_ERR(openat(fd, "x", O_RDONLY), ENOTDIR);
	CHECK_OK(openat(-1, "/dev/null", O_RDONLY));
	NEED(mknod("nodev", S_IFCHR | 0666, 200 << 8 | 77) == 0);
	CHECK_ERR(open("nodev", O_RDONLY), ENXIO);
	unlink("nodev");
}

static void openat_is_relative_to_the_directory(void)
{
	NEED(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0);
	int d = open("d", O_RDONLY | O_DIRECTORY), p = open("d", O_PATH | O_DIRECTORY);
	CHECK_OK(openat(d, "f", O_CREAT | O_RDWR, 0644));
	CHECK_OK(openat(p, "e/../f", O_RDONLY));
	CHECK_OK(open("d/f", O_RDONLY));
	NEED(rename("d", "moved") == 0);
	CHECK_OK(openat(d, "f", O_RDONLY)); /* the directory, not its name */
	CHECK_OK(openat(d, "../moved/f", O_RDONLY));
	CHECK_EQ(unlinkat(d, "f", 0), 0);
	CHECK_EQ(unlinkat(d, "e", AT_REMOVEDIR), 0);
	NEED(rmdir("moved") == 0);
	CHECK_ERR(openat(d, "f", O_CREAT | O_RDWR, 0644), ENOENT); /* nothing grows in a removed directory */
	CHECK_OK(openat(d, ".", O_RDONLY));
}

int main(void)
{
	RUN(create_and_exclusive);
	RUN(mode_applies_to_later_opens_only);
	RUN(access_modes);
	RUN(truncates);
	RUN(append);
	RUN(directories);
	RUN(links_and_nofollow);
	RUN(lowest_descriptor_and_cloexec);
	RUN(status_flags_reported);
	RUN(o_path);
	RUN(tmpfile_without_name);
	RUN(user_permissions);
	RUN(missing_things);
	RUN(openat_is_relative_to_the_directory);
	return check_end();
}
