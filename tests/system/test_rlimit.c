/* SPDX-License-Identifier: BSD-2-Clause */
/* Resource limits: reading, setting, inheriting, and what each enforced limit does to the process that reaches it. */
#include "check.h"
#include <sys/resource.h>

static struct rlimit get(int what)
{
	struct rlimit rl = { 0, 0 };
	CHECK_EQ(getrlimit(what, &rl), 0);
	return rl;
}

static void set(int what, rlim_t soft, rlim_t hard)
{
	struct rlimit rl = { soft, hard };
	NEED(setrlimit(what, &rl) == 0);
}

static void values_stick(void)
{
	for (int i = 0; i < 16; i++) {
		struct rlimit rl = get(i);
		CHECK(rl.rlim_cur <= rl.rlim_max);
	}
	set(RLIMIT_DATA, 1 << 30, RLIM_INFINITY);
	CHECK_EQ(get(RLIMIT_DATA).rlim_cur, 1 << 30);
	CHECK_EQ(get(RLIMIT_DATA).rlim_max, RLIM_INFINITY);
	IN_CHILD
	{
		CHECK_EQ(get(RLIMIT_DATA).rlim_cur, 1 << 30);
		set(RLIMIT_DATA, 1 << 29, 1 << 29);
	}
	CHECK_EQ(get(RLIMIT_DATA).rlim_cur, 1 << 30);
}

static void prlimit_of_another(void)
{
	pid_t pid;
	CHILD(pid) pause();
	struct rlimit rl = { 33, 44 }, old;
	CHECK_EQ(syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, &rl, &old), 0);
	CHECK_EQ(old.rlim_cur, get(RLIMIT_NOFILE).rlim_cur);
	CHECK_EQ(syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, NULL, &old), 0);
	CHECK(old.rlim_cur == 33 && old.rlim_max == 44);
	CHECK_EQ(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, NULL), 0);
	CHECK_ERR(syscall(SYS_prlimit64, 1 << 30, RLIMIT_NOFILE, NULL, &old), ESRCH);
	CHECK_ERR(syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, bad_unmapped(), &old), EFAULT);
	CHECK_ERR(syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, NULL, bad_readonly()), EFAULT);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, NULL, &old), EPERM);
	}
	kill(pid, SIGKILL);
	CHECK_KILLED(pid, SIGKILL);
}

static void refusals(void)
{
	struct rlimit rl = { 10, 5 };
	CHECK_ERR(setrlimit(RLIMIT_NOFILE, &rl), EINVAL); /* soft above hard */
	CHECK_ERR(syscall(SYS_getrlimit, 16, &rl), EINVAL);
	CHECK_ERR(syscall(SYS_setrlimit, -1, &rl), EINVAL);
	CHECK_ERR(syscall(SYS_getrlimit, RLIMIT_NOFILE, bad_unmapped()), EFAULT);
	CHECK_ERR(syscall(SYS_getrlimit, RLIMIT_NOFILE, bad_readonly()), EFAULT);
	CHECK_ERR(syscall(SYS_setrlimit, RLIMIT_NOFILE, bad_unmapped()), EFAULT);
	set(RLIMIT_FSIZE, 1000, 2000);
	IN_CHILD
	{
		become_user(1000);
		rl = (struct rlimit){ 1000, 3000 };
		CHECK_ERR(setrlimit(RLIMIT_FSIZE, &rl), EPERM); /* only root lifts a hard limit */
		rl = (struct rlimit){ 2000, 2000 };
		CHECK_EQ(setrlimit(RLIMIT_FSIZE, &rl), 0);
		rl = (struct rlimit){ 500, 1500 };
		CHECK_EQ(setrlimit(RLIMIT_FSIZE, &rl), 0);
		rl = (struct rlimit){ 500, 1501 };
		CHECK_ERR(setrlimit(RLIMIT_FSIZE, &rl), EPERM);
	}
}

static void nofile(void)
{
	int fds[2];
	set(RLIMIT_NOFILE, 20, 100);
	int fd, last = -1;
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		last = fd;
	CHECK_EQ(errno, EMFILE);
	CHECK_EQ(last, 19);
	CHECK_ERR(dup(0), EMFILE);
	CHECK_ERR(pipe(fds), EMFILE);
	CHECK_ERR(fcntl(0, F_DUPFD, 0), EMFILE);
	CHECK_ERR(fcntl(0, F_DUPFD, 20), EINVAL);
	CHECK_ERR(dup2(0, 20), EBADF);
	CHECK_ERR(syscall(SYS_dup3, 0, 20, 0), EBADF);
	CHECK_ERR(open("new", O_CREAT | O_WRONLY, 0644), EMFILE);
	struct stat st;
	CHECK_ERR(stat("new", &st), ENOENT); /* no file was made */
	close(19);
	CHECK_ERR(pipe(fds), EMFILE); /* one slot is not enough, and none is lost: */
	CHECK_EQ(open("/dev/null", O_RDONLY), 19);
	set(RLIMIT_NOFILE, 21, 100);
	CHECK_EQ(dup(0), 20);
	set(RLIMIT_NOFILE, 5, 100); /* descriptors above a lowered limit go on working */
	CHECK_EQ(fcntl(20, F_GETFD), 0);
}

static volatile int xfsz;
static void on_xfsz(int sig)
{
	(void)sig;
	xfsz++;
}

static void fsize(void)
{
	char buf[600] = "";
	set(RLIMIT_FSIZE, 1000, RLIM_INFINITY);
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	on_signal(SIGXFSZ, on_xfsz, 0);
	CHECK_EQ(write(fd, buf, 600), 600);
	CHECK_EQ(write(fd, buf, 600), 400); /* up to the limit, without a signal */
	CHECK_EQ(xfsz, 0);
	CHECK_ERR(write(fd, buf, 600), EFBIG);
	CHECK_EQ(xfsz, 1);
	CHECK_ERR(pwrite(fd, buf, 1, 5000), EFBIG);
	CHECK_ERR(ftruncate(fd, 1001), EFBIG);
	CHECK_EQ(xfsz, 3);
	CHECK_ERR(fallocate(fd, 0, 0, 1001), EFBIG);
	CHECK_EQ(xfsz, 4);
	CHECK_EQ(ftruncate(fd, 1000), 0);
	CHECK_EQ(pwrite(fd, buf, 600, 0), 600);
	pid_t pid;
	CHILD(pid)
	{
		on_signal(SIGXFSZ, SIG_DFL, 0);
		ssize_t r = pwrite(fd, buf, 1, 1000);
		_exit((int)r & 1);
	}
	CHECK_EQ(wait_status(pid) & 0x7f, SIGXFSZ);
	unlink("f");
}

static void address_space(void)
{
	set(RLIMIT_AS, 64 << 20, RLIM_INFINITY);
	CHECK_ERR((long)mmap(NULL, 100 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
	void *p = mmap(NULL, 10 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK_ERR((long)mremap(p, 10 << 20, 100 << 20, MREMAP_MAYMOVE), ENOMEM);
	void *before = sbrk(0);
	CHECK(sbrk(100 << 20) == (void *)-1 && errno == ENOMEM);
	CHECK(sbrk(0) == before);
}

static void data_limit(void)
{
	set(RLIMIT_DATA, 8 << 20, RLIM_INFINITY);
	uintptr_t cur = (uintptr_t)syscall(SYS_brk, 0);
	CHECK_EQ(syscall(SYS_brk, cur + (16 << 20)), cur); /* refused: the old break comes back */
	CHECK_EQ(syscall(SYS_brk, cur + (1 << 20)), cur + (1 << 20));
}

static void nproc(void)
{
	IN_CHILD
	{
		become_user(54321);
		set(RLIMIT_NPROC, 4, 4);
		pid_t pid[8];
		int n = 0;
		while (n < 8 && (pid[n] = fork()) > 0)
			n++;
		if (n < 8 && pid[n] == 0)
			for (;;)
				pause();
		CHECK_EQ(n, 3); /* with itself four */
		CHECK_EQ(errno, EAGAIN);
		while (n-- > 0) {
			kill(pid[n], SIGKILL);
			CHECK_KILLED(pid[n], SIGKILL);
		}
		CHECK_OK(pid[0] = fork());
		if (pid[0] == 0)
			_exit(0);
		CHECK_EXIT(pid[0], 0);
	}
}

static volatile int xcpu;
static void on_xcpu(int sig)
{
	(void)sig;
	xcpu++;
}

static void cpu_time(void)
{
	pid_t pid;
	int st;
	struct rusage ru;
	CHILD(pid)
	{
		on_signal(SIGXCPU, on_xcpu, 0);
		set(RLIMIT_CPU, 1, RLIM_INFINITY);
		while (!xcpu)
			;
		CHECK_EQ(getrusage(RUSAGE_SELF, &ru), 0);
		CHECK(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec >= 0);
		_exit(3);
	}
	CHECK_EQ(wait4(pid, &st, 0, &ru), pid);
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 3);
	long ms = (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000 + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1000;
	CHECK(ms >= 500 && ms < 8000); /* the limit is watched by ticks, the usage is exact */
}

static void stack_limit(void)
{
	pid_t pid;
	CHILD(pid)
	{
		set(RLIMIT_STACK, 256 << 10, RLIM_INFINITY);
		volatile char *sp = __builtin_frame_address(0);
		for (int i = 0; i < (4 << 20); i += 1024)
			sp[-i] = 1;
	}
	CHECK_KILLED(pid, SIGSEGV);
	CHILD(pid)
	{
		volatile char *sp = __builtin_frame_address(0);
		for (int i = 0; i < (4 << 20); i += 1024)
			sp[-i] = 1; /* the default limit of 8 MiB allows this */
	}
	CHECK_EXIT(pid, 0);
}

int main(void)
{
	RUN(values_stick);
	RUN(prlimit_of_another);
	RUN(refusals);
	RUN(nofile);
	RUN(fsize);
	RUN(address_space);
	RUN(data_limit);
	RUN(nproc);
	RUN(cpu_time);
	RUN(stack_limit);
	return check_end();
}
