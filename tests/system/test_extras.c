/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that programs use when they exist: memfd_create, inotify, pidfd_open, clone3, personality; absent is allowed. */
#include "check.h"
#include <poll.h>
#include <sys/inotify.h>

enum { SYS_PIDFD_OPEN = 434, SYS_CLONE3 = 435, P_PIDFD_TYPE = 3 };

static int absent(long ret)
{
	return ret == -1 && errno == ENOSYS;
}

static void memfd(void)
{
	long fd = syscall(SYS_memfd_create, "name", 1 /* MFD_CLOEXEC */);
	struct stat st;
	if (absent(fd))
		return (void)SKIP("no memfd_create");
	NEED(fd >= 0);
	CHECK_EQ(fcntl((int)fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(ftruncate((int)fd, PAGE), 0);
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
	NEED(p != MAP_FAILED);
	IN_CHILD
	{
		strcpy(p, "shared");
	}
	CHECK_STR(p, "shared");
	CHECK_EQ(fstat((int)fd, &st), 0);
	CHECK(S_ISREG(st.st_mode) && st.st_nlink == 0);
	CHECK_ERR(syscall(SYS_memfd_create, bad_unmapped(), 0), EFAULT);
	CHECK_ERR(syscall(SYS_memfd_create, "x", 0x80000000u), EINVAL);
}

static void inotify(void)
{
	char buf[1000] __attribute__((aligned(8)));
	struct inotify_event *e = (void *)buf;
	long fd = syscall(SYS_inotify_init1, IN_NONBLOCK);
	if (absent(fd))
		return (void)SKIP("no inotify");
	NEED(fd >= 0 && mkdir("d", 0755) == 0);
	long w = syscall(SYS_inotify_add_watch, fd, "d", IN_CREATE | IN_DELETE | IN_MODIFY);
	NEED(w >= 0);
	CHECK_ERR(read((int)fd, buf, sizeof buf), EAGAIN);
	file_put("d/f", "");
	CHECK(read((int)fd, buf, sizeof buf) >= (ssize_t)sizeof *e);
	CHECK(e->wd == w && e->mask == IN_CREATE);
	CHECK_STR(e->name, "f");
	CHECK_EQ(unlink("d/f"), 0);
	CHECK(read((int)fd, buf, sizeof buf) > 0);
	CHECK_EQ(e->mask, IN_DELETE);
	CHECK_EQ(syscall(SYS_inotify_rm_watch, fd, w), 0);
	CHECK_ERR(syscall(SYS_inotify_rm_watch, fd, 999), EINVAL);
	CHECK_ERR(syscall(SYS_inotify_add_watch, fd, "missing", IN_CREATE), ENOENT);
	CHECK_ERR(syscall(SYS_inotify_add_watch, fd, bad_unmapped(), IN_CREATE), EFAULT);
	rmdir("d");
}

static void pidfd(void)
{
	pid_t pid;
	siginfo_t si = { 0 };
	CHILD(pid) pause();
	long fd = syscall(SYS_PIDFD_OPEN, pid, 0);
	int none = absent(fd);
	if (!none) {
		struct pollfd f = { (int)fd, POLLIN, 0 };
		CHECK(fd >= 0);
		CHECK_EQ(poll(&f, 1, 0), 0);
		kill(pid, SIGKILL);
		CHECK_EQ(poll(&f, 1, 5000), 1);
		CHECK_EQ(waitid((idtype_t)P_PIDFD_TYPE, (id_t)fd, &si, WEXITED), 0);
		CHECK_EQ(si.si_pid, pid);
		CHECK_ERR(syscall(SYS_PIDFD_OPEN, 1 << 30, 0), ESRCH);
		CHECK_ERR(syscall(SYS_PIDFD_OPEN, -1, 0), EINVAL);
		return;
	}
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
	SKIP("no pidfd_open");
}

static void clone_three(void)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args = { .exit_signal = SIGCHLD };
	long pid = syscall(SYS_CLONE3, &args, sizeof args);
	if (absent(pid))
		return (void)SKIP("no clone3");
	if (pid == 0)
		_exit(12);
	NEED(pid > 0);
	CHECK_EXIT((pid_t)pid, 12);
	CHECK_ERR(syscall(SYS_CLONE3, &args, 8), EINVAL);
	CHECK_ERR(syscall(SYS_CLONE3, bad_unmapped(), sizeof args), EFAULT);
}

static void personality_query(void)
{
	long p = syscall(SYS_personality, 0xffffffffUL);
	if (absent(p))
		return (void)SKIP("no personality");
	CHECK_EQ(p & 0xff, 0); /* PER_LINUX */
}

int main(void)
{
	RUN(memfd);
	RUN(inotify);
	RUN(pidfd);
	RUN(clone_three);
	RUN(personality_query);
	return check_end();
}
