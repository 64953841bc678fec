/* SPDX-License-Identifier: BSD-2-Clause */
/* statfs, mounting tmpfs and proc, crossing mount points, busy and refused unmounts, chroot, device nodes. */
#include "check.h"
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static struct stat st, up;

static void statfs_kinds(void)
{
	struct statfs a, b;
	int fd = open(".", O_RDONLY);
	CHECK_EQ(statfs(".", &a), 0);
	CHECK_EQ(fstatfs(fd, &b), 0);
	CHECK(a.f_type == b.f_type && a.f_bsize == b.f_bsize);
	CHECK_EQ(a.f_type, 0x01021994); /* tmpfs */
	CHECK_EQ(a.f_bsize, 4096);
	CHECK_EQ(a.f_namelen, 255);
	CHECK(a.f_blocks > 0 && a.f_bfree <= a.f_blocks && a.f_bavail <= a.f_bfree && a.f_ffree <= a.f_files);
	CHECK_EQ(statfs("/proc", &a), 0);
	CHECK_EQ(a.f_type, 0x9fa0);
	CHECK_ERR(statfs("missing", &a), ENOENT);
	CHECK_ERR(fstatfs(-1, &a), EBADF);
}

static void mount_tmpfs(void)
{
	NEED(mkdir("m", 0755) == 0);
	file_put("m/under", "covered");
	CHECK_EQ(mount("none", "m", "tmpfs", 0, "mode=700,size=1m"), 0);
	CHECK_ERR(stat("m/under", &st), ENOENT);
	CHECK_EQ(stat("m", &st), 0);
	CHECK_EQ(stat(".", &up), 0);
	CHECK(st.st_dev != up.st_dev);
	CHECK_EQ(st.st_mode & 07777, 0700);
	CHECK_EQ(stat("m/..", &st), 0); /* dot-dot leads out */
	CHECK(st.st_ino == up.st_ino && st.st_dev == up.st_dev);
	file_put("m/f", "inside");
	CHECK_ERR(rename("m/f", "f"), EXDEV);
	CHECK_ERR(link("m/f", "f"), EXDEV);
	CHECK_ERR(rmdir("m"), EBUSY);
	CHECK_ERR(rename("m", "n"), EBUSY);
	char cwd[4096];
	int back = open(".", O_RDONLY);
	NEED(chdir("m") == 0 && getcwd(cwd, sizeof cwd) != NULL);
	CHECK(strcmp(cwd + strlen(cwd) - 2, "/m") == 0);
	NEED(fchdir(back) == 0);
	CHECK(strstr(file_get("/proc/mounts"), "/m tmpfs ") != NULL);
	int fd = open("m/f", O_RDONLY);
	CHECK_ERR(umount("m"), EBUSY); /* somebody has a file open in it */
	close(fd);
	CHECK_EQ(umount("m"), 0);
	CHECK_STR(file_get("m/under"), "covered");
	CHECK_ERR(umount("m"), EINVAL);
	unlink("m/under"), rmdir("m");
}

static void a_full_file_system(void)
{
	static char block[65536];
	int written = 0;
	NEED(mkdir("m", 0755) == 0);
	NEED(mount("none", "m", "tmpfs", 0, "size=1m") == 0);
	int fd = open("m/f", O_CREAT | O_RDWR, 0644);
	ssize_t n;
	while ((n = write(fd, block, sizeof block)) > 0)
		written += (int)n;
	CHECK_ERR(write(fd, block, sizeof block), ENOSPC);
	CHECK(written > 900000 && written <= 1 << 20);
	CHECK_EQ(ftruncate(fd, 0), 0); /* what is freed can be used again */
	CHECK_EQ(write(fd, block, sizeof block), sizeof block);
	close(fd);
	CHECK_EQ(umount("m"), 0);
	rmdir("m");
}

static void read_only(void)
{
	NEED(mkdir("m", 0755) == 0);
	NEED(mount("none", "m", "tmpfs", 0, NULL) == 0);
	file_put("m/f", "x");
	CHECK_EQ(mount("none", "m", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
	CHECK_STR(file_get("m/f"), "x");
	CHECK_ERR(open("m/f", O_WRONLY), EROFS);
	CHECK_ERR(open("m/g", O_CREAT | O_RDWR, 0644), EROFS);
	CHECK_ERR(mkdir("m/d", 0755), EROFS);
	CHECK_ERR(unlink("m/f"), EROFS);
	CHECK_ERR(chmod("m/f", 0600), EROFS);
	CHECK_ERR(access("m/f", W_OK), EROFS);
	CHECK_ERR(truncate("m/f", 0), EROFS);
	CHECK_EQ(umount("m"), 0);
	rmdir("m");
}

static void mount_proc(void)
{
	NEED(mkdir("p", 0755) == 0);
	CHECK_EQ(mount("proc", "p", "proc", 0, NULL), 0);
	CHECK(strstr(file_get("p/self/stat"), ")") != NULL);
	CHECK_EQ(umount2("p", MNT_DETACH), 0);
	CHECK_ERR(open("p/self/stat", O_RDONLY), ENOENT);
	rmdir("p");
}

static void mount_refused(void)
{
	NEED(mkdir("m", 0755) == 0);
	file_put("f", "");
	CHECK_ERR(mount("none", "m", "no-such-fs", 0, NULL), ENODEV);
	CHECK_ERR(mount("none", "missing", "tmpfs", 0, NULL), ENOENT);
	CHECK_ERR(mount("none", "f", "tmpfs", 0, NULL), ENOTDIR);
	CHECK_ERR(umount("missing"), ENOENT);
	CHECK_ERR(umount("m"), EINVAL);
	CHECK_ERR(umount2("m", 0x1000), EINVAL);
	CHECK_ERR(syscall(SYS_mount, "none", bad_unmapped(), "tmpfs", 0, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_mount, "none", "m", bad_unmapped(), 0, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_mount, "none", "m", "tmpfs", 0, bad_unmapped()), EFAULT);
	NEED(chmod(".", 0755) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(mount("none", "m", "tmpfs", 0, NULL), EPERM);
		CHECK_ERR(umount("m"), EPERM);
		CHECK_ERR(chroot("m"), EPERM);
	}
	unlink("f"), rmdir("m");
}

static void chroot_confines(void)
{
	NEED(mkdir("r", 0755) == 0 && mkdir("r/in", 0755) == 0 && symlink("/in/f", "r/abs") == 0);
	file_put("r/in/f", "inside");
	file_put("outside", "x");
	CHECK_ERR(chroot("missing"), ENOENT);
	CHECK_ERR(chroot("outside"), ENOTDIR);
	IN_CHILD
	{
		char cwd[100];
		int old = open(".", O_RDONLY);
		CHECK_EQ(chroot("r"), 0);
		CHECK_EQ(access("outside", F_OK), 0); /* the working directory is not moved */
		CHECK_EQ(chdir("/"), 0);
		CHECK(getcwd(cwd, sizeof cwd) && strcmp(cwd, "/") == 0);
		CHECK_STR(file_get("/in/f"), "inside");
		CHECK_STR(file_get("/abs"), "inside"); /* absolute links start at the new root */
		CHECK_STR(file_get("../../../in/f"), "inside");
		CHECK_ERR(stat("/outside", &st), ENOENT);
		IN_CHILD
		{
			CHECK_STR(file_get("/in/f"), "inside"); /* inherited */
		}
		CHECK_EQ(fchdir(old), 0); /* the classic way out of root's chroot */
		CHECK_EQ(access("outside", F_OK), 0);
		long n = syscall(SYS_getcwd, cwd, sizeof cwd);
		CHECK(n < 0 || strncmp(cwd, "(unreachable)", 13) == 0);
	}
	CHECK_EQ(access("r/in/f", F_OK), 0);
	unlink("r/in/f"), unlink("r/abs"), unlink("outside"), rmdir("r/in"), rmdir("r");
}

static void device_nodes(void)
{
	char c = 'x';
	CHECK_EQ(mknod("zero", S_IFCHR | 0666, makedev(1, 5)), 0);
	int fd = open("zero", O_RDWR);
	NEED(fd >= 0);
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, 0);
	CHECK_EQ(mknod("plain", S_IFREG | 0600, 0), 0);
	CHECK_EQ(stat("plain", &st), 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(mknod("alsoplain", 0600, 0), 0);
	CHECK_EQ(mknod("sock", S_IFSOCK | 0600, 0), 0);
	CHECK_ERR(open("sock", O_RDWR), ENXIO);
	CHECK_ERR(mknod("plain", S_IFREG | 0600, 0), EEXIST);
	CHECK_ERR(mknod("dir", S_IFDIR | 0600, 0), EPERM);
	CHECK_ERR(mknod("odd", S_IFLNK | 0600, 0), EINVAL);
	NEED(chmod(".", 0777) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(mknod("dev", S_IFCHR | 0600, makedev(1, 5)), EPERM);
		CHECK_EQ(mknod("pipe", S_IFIFO | 0600, 0), 0);
	}
	unlink("zero"), unlink("plain"), unlink("alsoplain"), unlink("sock"), unlink("pipe");
}

int main(void)
{
	RUN(statfs_kinds);
	RUN(mount_tmpfs);
	RUN(a_full_file_system);
	RUN(read_only);
	RUN(mount_proc);
	RUN(mount_refused);
	RUN(chroot_confines);
	RUN(device_nodes);
	return check_end();
}
