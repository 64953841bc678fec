/* SPDX-License-Identifier: BSD-2-Clause */
/* chmod, chown, access, umask; sticky and set-group-id directories; who may do what as an ordinary user. */
#include "check.h"

static struct stat st;

static mode_t mode_of(const char *path)
{
	NEED(stat(path, &st) == 0);
	return st.st_mode & 07777;
}

static void chmod_forms(void)
{
	int fd = file_make("f", "");
	NEED(symlink("f", "l") == 0);
	CHECK_EQ(chmod("f", 04751), 0);
	CHECK_EQ(mode_of("f"), 04751);
	CHECK_EQ(chmod("l", 0600), 0); /* through the link */
	CHECK_EQ(mode_of("f"), 0600);
	CHECK_EQ(fchmod(fd, 0170644), 0); /* the type is no part of it */
	CHECK_EQ(mode_of("f"), 0644);
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(syscall(SYS_fchmodat, AT_FDCWD, "f", 01777), 0);
	CHECK_EQ(mode_of("f"), 01777);
	unlink("f"), unlink("l");
}

static void chown_forms(void)
{
	int fd = file_make("f", "");
	NEED(symlink("f", "l") == 0);
	CHECK_EQ(chown("f", 5, 6), 0);
	CHECK_EQ(chown("f", (uid_t)-1, 7), 0); /* -1 leaves one alone */
	mode_of("f");
	CHECK(st.st_uid == 5 && st.st_gid == 7);
	CHECK_EQ(fchown(fd, 8, (gid_t)-1), 0);
	mode_of("f");
	CHECK(st.st_uid == 8 && st.st_gid == 7);
	CHECK_EQ(lchown("l", 11, 12), 0);
	mode_of("l");
	CHECK(st.st_uid == 8);
	CHECK_EQ(lstat("l", &st), 0);
	CHECK(st.st_uid == 11 && st.st_gid == 12);
	CHECK_EQ(chown("l", 1, 2), 0);
	mode_of("f");
	CHECK(st.st_uid == 1 && st.st_gid == 2);
	CHECK_EQ(fchownat(fd, "", 3, 4, AT_EMPTY_PATH), 0);
	mode_of("f");
	CHECK(st.st_uid == 3 && st.st_gid == 4);
	CHECK_ERR(fchownat(AT_FDCWD, "f", 3, 4, 0x8000), EINVAL);
	NEED(chmod("f", 06755) == 0);
	CHECK_EQ(chown("f", 9, 9), 0);
	CHECK_EQ(mode_of("f"), 0755); /* set-id bits do not change hands */
	unlink("f"), unlink("l");
}

static void an_owner_without_privilege(void)
{
	gid_t group = 2000;
	NEED(chmod(".", 0777) == 0);
	file_put("mine", ""), file_put("other", "");
	NEED(chown("mine", 1000, 1000) == 0);
	IN_CHILD
	{
		NEED(syscall(SYS_setgroups, 1, &group) == 0);
		NEED(syscall(SYS_setresgid, 1000, 1000, 1000) == 0 && syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
		CHECK_EQ(chmod("mine", 0601), 0);
		CHECK_ERR(chmod("other", 0666), EPERM);
		CHECK_ERR(chown("mine", 1001, (gid_t)-1), EPERM); /* no giving away */
		CHECK_EQ(chown("mine", 1000, 2000), 0); /* except to a group of one's own */
		CHECK_ERR(chown("mine", (uid_t)-1, 3000), EPERM);
		CHECK_ERR(chown("other", 1000, 1000), EPERM);
		CHECK_EQ(chown("mine", (uid_t)-1, 1000), 0);
		CHECK_EQ(chmod("mine", 02755), 0);
		CHECK_EQ(mode_of("mine"), 02755);
	}
	NEED(chown("mine", 1000, 3000) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_EQ(chmod("mine", 02755), 0);
		CHECK_EQ(mode_of("mine"), 0755); /* set-gid of a strange group is dropped silently */
	}
	unlink("mine"), unlink("other");
}

static void access_asks_for_the_real_user(void)
{
	NEED(chmod(".", 0755) == 0);
	file_put("f", "");
	NEED(chmod("f", 0600) == 0);
	CHECK_EQ(access("f", R_OK | W_OK), 0);
	CHECK_ERR(access("f", X_OK), EACCES); /* no x bit at all: not even root */
	NEED(chmod("f", 0610) == 0);
	CHECK_EQ(access("f", X_OK), 0);
	CHECK_ERR(access("f", 8), EINVAL);
	CHECK_ERR(access("missing", F_OK), ENOENT);
	CHECK_ERR(faccessat(-1, "f", F_OK, 0), EBADF);
	IN_CHILD
	{
		NEED(syscall(SYS_setresuid, 1000, 0, 0) == 0);
		NEED(syscall(SYS_setresgid, 1000, 1000, 1000) == 0);
		CHECK_ERR(access("f", R_OK), EACCES);
		CHECK_OK(open("f", O_RDONLY)); /* the effective user is still root */
		long r = syscall(439 /* faccessat2 */, AT_FDCWD, "f", R_OK, AT_EACCESS);
		CHECK(r == 0 || errno == ENOSYS);
	}
	IN_CHILD
	{
		NEED(chmod("f", 0704) == 0 && chown("f", 1000, 1001) == 0);
		become_user(1000);
		CHECK_EQ(access("f", R_OK | W_OK | X_OK), 0);
	}
	IN_CHILD
	{
		become_user(1001); /* in the group: the group's bits, although others have more */
		CHECK_ERR(access("f", R_OK), EACCES);
	}
	IN_CHILD
	{
		become_user(1002);
		CHECK_EQ(access("f", R_OK), 0);
		CHECK_ERR(access("f", W_OK), EACCES);
	}
	unlink("f");
}

static void umask_applies(void)
{
	CHECK_EQ(umask(0027), 022);
	CHECK_EQ(umask(07777), 0027);
	CHECK_EQ(umask(0027), 0777); /* only permission bits are kept */
	file_put("f", ""), NEED(mkdir("d", 0777) == 0 && mkfifo("p", 0666) == 0);
	CHECK_EQ(mode_of("f"), 0640);
	CHECK_EQ(mode_of("d"), 0750);
	CHECK_EQ(mode_of("p"), 0640);
	CHECK_EQ(chmod("f", 0666), 0); /* chmod does not ask */
	CHECK_EQ(mode_of("f"), 0666);
	unlink("f"), rmdir("d"), unlink("p");
	umask(022);
}

static void sticky_directory(void)
{
	NEED(chmod(".", 0755) == 0 && mkdir("s", 0755) == 0 && chmod("s", 01777) == 0);
	file_put("s/theirs", ""), file_put("s/ours", "");
	NEED(mkdir("s/dir", 0777) == 0);
	NEED(chown("s/ours", 1000, 1000) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(unlink("s/theirs"), EPERM);
		CHECK_ERR(rename("s/theirs", "s/x"), EPERM);
		CHECK_ERR(rename("s/ours", "s/theirs"), EPERM); /* replacing is removing */
		CHECK_ERR(rmdir("s/dir"), EPERM);
		CHECK_EQ(rename("s/ours", "s/mine"), 0);
		CHECK_EQ(unlink("s/mine"), 0);
	}
	NEED(chown("s", 1000, 1000) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_EQ(unlink("s/theirs"), 0); /* the directory's owner may */
	}
	rmdir("s/dir"), rmdir("s");
}

static void setgid_directory(void)
{
	umask(0);
	NEED(chmod(".", 0755) == 0 && mkdir("g", 0777) == 0);
	NEED(chown("g", 0, 4000) == 0 && chmod("g", 02777) == 0);
	IN_CHILD
	{
		become_user(1000);
		file_put("g/f", "");
		mode_of("g/f");
		CHECK(st.st_uid == 1000 && st.st_gid == 4000); /* the group comes from the directory */
		CHECK_EQ(mkdir("g/d", 0755), 0);
		CHECK_EQ(mode_of("g/d"), 02755); /* and new directories hand the rule on */
		CHECK_EQ(st.st_gid, 4000);
		CHECK_EQ(symlink("x", "g/l"), 0);
		CHECK_EQ(lstat("g/l", &st), 0);
		CHECK_EQ(st.st_gid, 4000);
		CHECK_OK(open("g/x", O_CREAT | O_RDWR, 02775)); /* no set-gid file for a stranger */
		CHECK_EQ(mode_of("g/x"), 0775);
	}
	unlink("g/f"), unlink("g/l"), unlink("g/x"), rmdir("g/d"), rmdir("g");
}

static void root_needs_no_permission(void)
{
	NEED(mkdir("d", 0000) == 0);
	file_put("d/f", "x");
	NEED(chmod("d/f", 0) == 0 && chown("d", 1000, 1000) == 0);
	CHECK_STR(file_get("d/f"), "x");
	CHECK_OK(open("d/f", O_WRONLY));
	CHECK_OK(open("d", O_RDONLY));
	CHECK_EQ(unlink("d/f"), 0);
	CHECK_EQ(rmdir("d"), 0);
}

int main(void)
{
	RUN(chmod_forms);
	RUN(chown_forms);
	RUN(an_owner_without_privilege);
	RUN(access_asks_for_the_real_user);
	umask(022);
	RUN(umask_applies);
	RUN(sticky_directory);
	RUN(setgid_directory);
	RUN(root_needs_no_permission);
	return check_end();
}
