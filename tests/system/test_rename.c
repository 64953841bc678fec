/* SPDX-License-Identifier: BSD-2-Clause */
/* rename and renameat2: replacing, directories, links, NOREPLACE, EXCHANGE, and each refusal leaving all as it was. */
#include "check.h"

enum { NOREPLACE = 1, EXCHANGE = 2, WHITEOUT = 4 };
static struct stat st;

static long rename2(const char *a, const char *b, int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags);
}

static void files(void)
{
	file_put("a", "one");
	CHECK_EQ(rename("a", "b"), 0);
	CHECK_ERR(stat("a", &st), ENOENT);
	CHECK_STR(file_get("b"), "one");
	file_put("c", "two");
	int old = open("b", O_RDONLY);
	CHECK_EQ(rename("c", "b"), 0); /* replaces */
	CHECK_STR(file_get("b"), "two");
	char buf[10] = "";
	CHECK_EQ(read(old, buf, 9), 3); /* whoever has it open keeps it */
	CHECK_STR(buf, "one");
	CHECK_EQ(fstat(old, &st), 0);
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(rename("b", "b"), 0);
	CHECK_EQ(link("b", "l"), 0);
	CHECK_EQ(rename("b", "l"), 0); /* two names of one file: nothing happens */
	CHECK_EQ(stat("b", &st), 0);
	CHECK_EQ(st.st_nlink, 2);
	unlink("b"), unlink("l");
}

static void directories(void)
{
	NEED(mkdir("d", 0755) == 0 && mkdir("e", 0755) == 0 && mkdir("d/sub", 0755) == 0);
	file_put("d/sub/f", "x");
	CHECK_EQ(rename("d/sub", "e/moved"), 0);
	CHECK_STR(file_get("e/moved/f"), "x");
	CHECK_EQ(stat("d", &st), 0);
	CHECK_EQ(st.st_nlink, 2);
	CHECK_EQ(stat("e", &st), 0);
	CHECK_EQ(st.st_nlink, 3);
	struct stat up;
	CHECK_EQ(stat("e/moved/..", &up), 0); /* dot-dot follows */
	CHECK_EQ(up.st_ino, st.st_ino);
	CHECK_EQ(mkdir("e/empty", 0755), 0);
	CHECK_EQ(rename("d", "e/empty"), 0); /* an empty directory may be replaced by a directory */
	CHECK_ERR(rename("e/empty", "e/moved"), ENOTEMPTY);
	unlink("e/moved/f"), rmdir("e/moved"), rmdir("e/empty"), rmdir("e");
}

static void refusals(void)
{
	NEED(mkdir("d", 0755) == 0 && mkdir("d/s", 0755) == 0);
	file_put("f", "keep");
	CHECK_ERR(rename("missing", "x"), ENOENT);
	CHECK_ERR(rename("f", "missing/x"), ENOENT);
	CHECK_ERR(rename("f", "d"), EISDIR);
	CHECK_ERR(rename("d", "f"), ENOTDIR);
	CHECK_ERR(rename("d", "d/s/x"), EINVAL); /* into itself */
	CHECK_ERR(rename("d", "d/s"), EINVAL);
	CHECK_ERR(rename("d/s", "d"), ENOTEMPTY);
	CHECK_ERR(rename("f", "f/x"), ENOTDIR);
	CHECK_ERR(rename("f/", "g"), ENOTDIR);
	CHECK_ERR(rename("f", "g/"), ENOTDIR);
	CHECK_ERR(rename("d/.", "x"), EBUSY);
	CHECK_ERR(rename("d/..", "x"), EBUSY);
	CHECK_ERR(rename("f", "."), EBUSY);
	CHECK_ERR(rename("f", ".."), EBUSY);
	CHECK_ERR(rename("f", ""), ENOENT);
	CHECK_ERR(rename("", "f"), ENOENT);
	CHECK_ERR(rename("/proc/version", "f"), EXDEV);
	CHECK_ERR(renameat(-1, "f", AT_FDCWD, "g"), EBADF);
	CHECK_ERR(renameat(AT_FDCWD, "f", -1, "g"), EBADF);
	NEED(chmod(".", 0755) == 0 && chmod("d", 0777) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(rename("f", "d/f"), EACCES); /* may not take it away from here */
	}
	CHECK_STR(file_get("f"), "keep");
	unlink("f"), rmdir("d/s"), rmdir("d");
}

static void noreplace(void)
{
	file_put("a", "one"), file_put("b", "two");
	CHECK_ERR(rename2("a", "b", NOREPLACE), EEXIST);
	CHECK_STR(file_get("b"), "two");
	CHECK_EQ(rename2("a", "c", NOREPLACE), 0);
	CHECK_STR(file_get("c"), "one");
	CHECK_ERR(rename2("c", "b", NOREPLACE | EXCHANGE), EINVAL);
	CHECK_ERR(rename2("c", "b", 0x100), EINVAL);
	unlink("b"), unlink("c");
}

static void exchange(void)
{
	NEED(mkdir("d", 0755) == 0 && mkdir("e", 0755) == 0);
	file_put("a", "one"), file_put("d/b", "two");
	CHECK_EQ(rename2("a", "d/b", EXCHANGE), 0);
	CHECK_STR(file_get("a"), "two");
	CHECK_STR(file_get("d/b"), "one");
	CHECK_EQ(rename2("a", "e", EXCHANGE), 0); /* a file and a directory */
	CHECK_STR(file_get("e"), "two");
	CHECK_EQ(stat("a", &st), 0);
	CHECK(S_ISDIR(st.st_mode));
	CHECK_ERR(rename2("a", "missing", EXCHANGE), ENOENT);
	CHECK_ERR(rename2("d", "d/b", EXCHANGE), EINVAL);
	unlink("e"), unlink("d/b"), rmdir("a"), rmdir("d");
}

static void links_are_renamed_themselves(void)
{
	file_put("f", "x");
	NEED(symlink("f", "l") == 0);
	CHECK_EQ(rename("l", "m"), 0);
	CHECK_EQ(lstat("m", &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	file_put("g", "y");
	CHECK_EQ(rename("g", "m"), 0); /* replaces the link, not its target */
	CHECK_STR(file_get("f"), "x");
	CHECK_EQ(lstat("m", &st), 0);
	CHECK(S_ISREG(st.st_mode));
	unlink("f"), unlink("m");
}

static void at_forms(void)
{
	NEED(mkdir("d", 0755) == 0 && mkdir("e", 0755) == 0);
	int d = open("d", O_RDONLY), e = open("e", O_RDONLY);
	file_put("d/x", "x");
	CHECK_EQ(renameat(d, "x", e, "y"), 0);
	CHECK_STR(file_get("e/y"), "x");
	CHECK_EQ(rename("e", "moved"), 0);
	CHECK_EQ(renameat(e, "y", d, "z"), 0); /* descriptors follow the directory */
	CHECK_STR(file_get("d/z"), "x");
	unlink("d/z"), rmdir("d"), rmdir("moved");
}

int main(void)
{
	RUN(files);
	RUN(directories);
	RUN(refusals);
	RUN(noreplace);
	RUN(exchange);
	RUN(links_are_renamed_themselves);
	RUN(at_forms);
	return check_end();
}
