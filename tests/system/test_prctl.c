/* SPDX-License-Identifier: BSD-2-Clause */
/* prctl and arch_prctl: name, parent-death signal, subreaper, dumpable, no-new-privileges, thread pointer. */
#include "check.h"
#include <sys/utsname.h>

enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS };

static void name(void)
{
	char got[32];
	memset(got, 'x', sizeof got);
	CHECK_EQ(prctl(PR_SET_NAME, "a-name-longer-than-fifteen"), 0);
	CHECK_EQ(prctl(PR_GET_NAME, got), 0);
	CHECK_STR(got, "a-name-longer-t");
	CHECK_EQ(got[16], 'x'); /* 16 bytes and no more */
	CHECK_STR(file_get("/proc/self/comm"), "a-name-longer-t\n");
	IN_CHILD
	{
		CHECK_EQ(prctl(PR_GET_NAME, got), 0);
		CHECK_STR(got, "a-name-longer-t");
	}
	CHECK_ERR(prctl(PR_SET_NAME, bad_unmapped()), EFAULT);
	CHECK_ERR(prctl(PR_GET_NAME, bad_unmapped()), EFAULT);
	CHECK_ERR(prctl(PR_GET_NAME, bad_readonly()), EFAULT);
}

static void parent_death_signal(void)
{
	int fds[2], sig = -1;
	CHECK_EQ(prctl(PR_GET_PDEATHSIG, &sig), 0);
	CHECK_EQ(sig, 0);
	CHECK_ERR(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
	CHECK_ERR(prctl(PR_GET_PDEATHSIG, bad_unmapped()), EFAULT);
	NEED(pipe(fds) == 0);
	IN_CHILD
	{
		int ready[2];
		char c;
		NEED(pipe(ready) == 0);
		if (fork() == 0) {
			sigset_t set;
			sigemptyset(&set);
			sigaddset(&set, SIGUSR1);
			sigprocmask(SIG_BLOCK, &set, NULL);
			CHECK_EQ(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
			CHECK_EQ(prctl(PR_GET_PDEATHSIG, &sig), 0);
			CHECK_EQ(sig, SIGUSR1);
			IN_CHILD
			{
				CHECK_EQ(prctl(PR_SET_PDEATHSIG, 0), 0);
				CHECK_EQ(prctl(PR_GET_PDEATHSIG, &sig), 0);
				CHECK_EQ(sig, 0);
			}
			NEED(write(ready[1], "x", 1) == 1);
			siginfo_t si;
			CHECK_EQ(sigwaitinfo(&set, &si), SIGUSR1);
			NEED(write(fds[1], "d", 1) == 1);
			_exit(0);
		}
		CHECK_EQ(read(ready[0], &c, 1), 1);
	}
	char c = 0;
	close(fds[1]);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(c, 'd');
}

static void flags(void)
{
	int v = -1;
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
	CHECK_EQ(prctl(PR_SET_DUMPABLE, 0), 0);
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
	CHECK_ERR(prctl(PR_SET_DUMPABLE, 7), EINVAL);
	CHECK_EQ(prctl(PR_GET_CHILD_SUBREAPER, &v), 0);
	CHECK_EQ(v, 0);
	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	CHECK_EQ(prctl(PR_GET_CHILD_SUBREAPER, &v), 0);
	CHECK_EQ(v, 1);
	IN_CHILD
	{
		CHECK_EQ(prctl(PR_GET_CHILD_SUBREAPER, &v), 0);
		CHECK_EQ(v, 0); /* not inherited */
	}
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	CHECK_ERR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	IN_CHILD
	{
		CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1); /* inherited */
	}
	CHECK_ERR(prctl(123456, 0, 0, 0, 0), EINVAL);
}

static void thread_pointer(void)
{
	unsigned long fs, gs, seen;
	static unsigned long cell = 0x5566;
	CHECK_EQ(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs), 0);
	__asm__("mov %%fs:0, %0" : "=r"(seen));
	CHECK_EQ(seen, fs); /* both libraries keep a self pointer there */
	CHECK_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, &cell), 0);
	CHECK_EQ(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs), 0);
	CHECK_EQ(gs, &cell);
	__asm__("mov %%gs:0, %0" : "=r"(seen));
	CHECK_EQ(seen, 0x5566);
	for (int i = 0; i < 20; i++) { /* and it survives switches */
		sched_yield();
		__asm__ volatile("mov %%gs:0, %0" : "=r"(seen));
		CHECK_EQ(seen, 0x5566);
	}
	IN_CHILD
	{
		__asm__ volatile("mov %%gs:0, %0" : "=r"(seen));
		CHECK_EQ(seen, 0x5566);
	}
	CHECK_ERR(syscall(SYS_arch_prctl, ARCH_GET_FS, bad_unmapped()), EFAULT);
	CHECK_ERR(syscall(SYS_arch_prctl, ARCH_SET_GS, bad_kernel()), EPERM);
	CHECK_ERR(syscall(SYS_arch_prctl, ARCH_SET_FS, bad_noncanonical()), EPERM);
	CHECK_ERR(syscall(SYS_arch_prctl, 0x7777, 0), EINVAL);
}

int main(void)
{
	RUN(name);
	RUN(parent_death_signal);
	RUN(flags);
	RUN(thread_pointer);
	return check_end();
}
