/* SPDX-License-Identifier: BSD-2-Clause */
/* Every call that takes a path answers the same errors for the same bad paths, and odd but legal paths work. */
#include "check.h"

enum { P = -1000, BUF = -1001, Q = -1002 };
enum { MAKES = 1, REMOVES = 2, NOFOLLOW = 4 }; /* what the call does with the last component */

static const struct row {
	const char *name;
	int nr;
	long arg[5];
	int kind;
} rows[] = {
#define ROW(call, kind, ...) { #call, SYS_##call, { __VA_ARGS__ }, kind }
	ROW(open, 0, P, O_RDONLY, 0),
	ROW(creat, MAKES, P, 0600),
	ROW(openat, 0, AT_FDCWD, P, O_RDONLY, 0),
	ROW(stat, 0, P, BUF),
	ROW(lstat, NOFOLLOW, P, BUF),
	ROW(newfstatat, 0, AT_FDCWD, P, BUF, 0),
	ROW(statx, 0, AT_FDCWD, P, 0, 0x7ff, BUF),
	ROW(statfs, 0, P, BUF),
	ROW(access, 0, P, F_OK),
	ROW(faccessat, 0, AT_FDCWD, P, F_OK),
	ROW(chmod, 0, P, 0600),
	ROW(chown, 0, P, 0, 0),
	ROW(lchown, NOFOLLOW, P, 0, 0),
	ROW(truncate, 0, P, 0),
	ROW(utimensat, 0, AT_FDCWD, P, 0, 0),
	ROW(readlink, NOFOLLOW, P, BUF, 100),
	ROW(chdir, 0, P),
	ROW(chroot, 0, P),
	ROW(execve, 0, P, 0, 0),
	ROW(link, NOFOLLOW, P, Q),
	ROW(rename, REMOVES | NOFOLLOW, P, Q),
	ROW(unlink, REMOVES | NOFOLLOW, P),
	ROW(rmdir, REMOVES | NOFOLLOW, P),
	ROW(mkdir, MAKES | NOFOLLOW, P, 0700),
	ROW(mknod, MAKES | NOFOLLOW, P, S_IFIFO | 0600, 0),
	ROW(symlink, MAKES | NOFOLLOW, Q, P),
};

static char long_name[300], long_path[5000], deep_path[4096];

static void expect(const char *case_name, const char *path, int want, int (*applies)(const struct row *))
{
	static char buf[PAGE];
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		const struct row *r = &rows[k];
		long a[5];
		char what[200], got[60];
		if (applies && !applies(r))
			continue;
		for (int i = 0; i < 5; i++)
			a[i] = r->arg[i] == P ? (long)path : r->arg[i] == BUF ? (long)buf : r->arg[i] == Q ? (long)"q" : r->arg[i];
		errno = 0;
		long ret = syscall(r->nr, a[0], a[1], a[2], a[3], a[4]);
		snprintf(what, sizeof what, "%s with %s", r->name, case_name);
		snprintf(got, sizeof got, "%ld, errno %d %s", ret, errno, strerror(errno));
		if (ret != -1 || errno != want)
			check_fail(__FILE__, __LINE__, what, got, strerror(want));
	}
}

static int needs_existing(const struct row *r)
{
	return !(r->kind & MAKES);
}

static int follows(const struct row *r)
{
	return !(r->kind & NOFOLLOW);
}

static void same_error_everywhere(void)
{
	NEED(mkdir("d", 0755) == 0 && symlink("loop", "loop") == 0);
	file_put("f", "x");
	memset(long_name, 'n', 256);
	memset(long_path, 'p', 4999);
	for (int i = 0; i < 4999; i += 50)
		long_path[i] = '/';
	expect("an empty path", "", ENOENT, NULL);
	expect("a missing file", "missing", ENOENT, needs_existing);
	expect("a missing directory", "missing/x", ENOENT, NULL);
	expect("a file as directory", "f/x", ENOTDIR, NULL);
	expect("a file as directory and dot-dot", "f/../f", ENOTDIR, NULL);
	expect("a name of 256", long_name, ENAMETOOLONG, NULL);
	expect("a path of 5000", long_path, ENAMETOOLONG, NULL);
	expect("a loop on the way", "loop/x", ELOOP, NULL);
	expect("a loop at the end", "loop", ELOOP, follows);
	unlink("f"), unlink("loop"), rmdir("d");
}

static void forbidden_to_a_user(void)
{
	NEED(chmod(".", 0755) == 0 && mkdir("closed", 0700) == 0);
	file_put("closed/x", "");
	IN_CHILD
	{
		become_user(1000);
		expect("a closed directory on the way", "closed/x", EACCES, follows);
		expect("a closed directory on the way", "closed/y/z", EACCES, NULL);
	}
	unlink("closed/x"), rmdir("closed");
}

static void longest_names(void)
{
	struct stat st;
	memset(long_name, 'n', 255), long_name[255] = 0;
	CHECK_EQ(mkdir(long_name, 0755), 0);
	CHECK_EQ(stat(long_name, &st), 0);
	CHECK_EQ(rmdir(long_name), 0);
	memset(deep_path, '/', 4095); /* 4095 characters and the terminator are allowed */
	deep_path[0] = '.';
	CHECK_EQ(stat(deep_path, &st), 0);
	CHECK(S_ISDIR(st.st_mode));
}

static void odd_paths(void)
{
	struct stat a, b;
	NEED(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0);
	file_put("d/e/f", "x");
	NEED(stat("d/e/f", &a) == 0);
	const char *same[] = { "./d/./e//f", "d//e///f", "d/e/../e/f", "d/../d/e/./f", ".//d/e/f" };
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(stat(same[i], &b), 0);
		CHECK_EQ(a.st_ino, b.st_ino);
	}
	CHECK_EQ(stat("d/e/", &b), 0);
	CHECK_EQ(stat("/..", &a), 0); /* the root is its own parent */
	CHECK_EQ(stat("/", &b), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(stat("/../../..", &b), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(mkdir("g/", 0755), 0); /* a slash behind a directory to be made is fine */
	CHECK_EQ(rename("g/", "h/"), 0);
	CHECK_EQ(rmdir("h/"), 0);
	const char *names[] = { "with space", "back\\slash", "\xff\xfe\x01", "-dash", "...", "tab\there", "new\nline" };
	for (int i = 0; i < 7; i++) { /* any byte but slash and zero */
		file_put(names[i], "x");
		CHECK_EQ(unlink(names[i]), 0);
	}
	unlink("d/e/f"), rmdir("d/e"), rmdir("d");
}

static void deep_tree(void)
{
	enum { DEPTH = 120 };
	char path[DEPTH * 2 + 20] = "t";
	NEED(mkdir(path, 0755) == 0);
	for (int i = 1; i < DEPTH; i++) {
		strcat(path, "/t");
		NEED(mkdir(path, 0755) == 0);
	}
	struct stat st;
	CHECK_EQ(stat(path, &st), 0);
	NEED(chdir(path) == 0);
	char cwd[4096];
	CHECK(getcwd(cwd, sizeof cwd) != NULL);
	size_t n = strlen(cwd);
	CHECK(n > 2 * DEPTH && strcmp(cwd + n - 6, "/t/t/t") == 0);
	for (int i = 0; i < DEPTH; i++) {
		NEED(chdir("..") == 0);
		CHECK_EQ(rmdir("t"), 0);
	}
}

int main(void)
{
	RUN(same_error_everywhere);
	RUN(forbidden_to_a_user);
	RUN(longest_names);
	RUN(odd_paths);
	RUN(deep_tree);
	return check_end();
}
