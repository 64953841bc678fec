/* SPDX-License-Identifier: BSD-2-Clause */
/* clone, raw: what each flag shares, the tid words at start and end of a thread, and the combinations refused. */
#include "check.h"
#include "futex.h"

enum { STACK = 65536 };

/*
 * The raw call on a fresh stack: the child runs fn(arg) and leaves by exit(2), never touching the C library,
 * because it may share its thread block with the parent.
 */
static long raw_clone(unsigned long flags, void *stack, int *ptid, int *ctid, unsigned long tls, int (*fn)(void *),
		      void *arg)
{
	long ret;
	void **sp = (void **)((uintptr_t)stack & ~15UL);
	*--sp = arg;
	*--sp = (void *)fn;
	register int *r10 __asm__("r10") = ctid;
	register unsigned long r8 __asm__("r8") = tls;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "pop %%rax\n\t"
			 "pop %%rdi\n\t"
			 "call *%%rax\n\t"
			 "mov %%eax, %%edi\n\t"
			 "mov $60, %%eax\n\t"
			 "syscall\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(SYS_clone), "D"(flags), "S"(sp), "d"(ptid), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return ret;
}

static long raw3(long nr, long a, long b, long c)
{
	long ret;
	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return ret;
}

static char stack[STACK] __attribute__((aligned(16)));
#define stack_top (stack + STACK)
static volatile int word, tid_seen, pid_seen;
static int ptid, ctid;

static int thread_body(void *arg)
{
	word = (int)(intptr_t)arg;
	pid_seen = (int)raw3(SYS_getpid, 0, 0, 0);
	tid_seen = (int)raw3(SYS_gettid, 0, 0, 0);
	return 0;
}

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static void wait_cleared(int *tid)
{
	for (;;) {
		int v = *(volatile int *)tid;
		if (v == 0)
			return;
		syscall(SYS_futex, tid, FUTEX_WAIT, v, NULL, NULL, 0);
	}
}

static void thread_with_tid_words(void)
{
	ctid = ptid = -1;
	long t = raw_clone(THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, stack_top, &ptid,
			   &ctid, 0, thread_body, (void *)77);
	NEED(t > 0);
	CHECK_EQ(ptid, t);
	wait_cleared(&ctid); /* zeroed and woken at the thread's end */
	CHECK_EQ(word, 77);
	CHECK_EQ(pid_seen, getpid());
	CHECK_EQ(tid_seen, t);
	CHECK(t != getpid());
	CHECK_ERR(waitpid((pid_t)t, NULL, __WALL), ECHILD); /* threads are not waited for */
	for (int i = 0; i < 200 && syscall(SYS_tgkill, getpid(), (int)t, 0) == 0; i++)
		sleep_ms(5);
	CHECK_ERR(syscall(SYS_tgkill, getpid(), (int)t, 0), ESRCH);
}

static volatile unsigned long fs_seen;
static int tls_body(void *arg)
{
	(void)arg;
	unsigned long v;
	__asm__ volatile("mov %%fs:0, %0" : "=r"(v));
	fs_seen = v;
	return 0;
}

static void settls(void)
{
	static unsigned long block[4] = { 0x1122334455667788 };
	ctid = 1;
	long t = raw_clone(THREAD | CLONE_SETTLS | CLONE_CHILD_CLEARTID, stack_top, NULL, &ctid, (unsigned long)block,
			   tls_body, NULL);
	NEED(t > 0);
	wait_cleared(&ctid);
	CHECK_EQ(fs_seen, 0x1122334455667788);
}

static int change_body(void *arg)
{
	word = 5;
	raw3(SYS_close, (long)(intptr_t)arg, 0, 0);
	raw3(SYS_chdir, (long)"/", 0, 0);
	return 9;
}

static void sharing(unsigned long flags, int vm, int fs, int files)
{
	char cwd[400], now[400];
	NEED(getcwd(cwd, sizeof cwd) != NULL);
	int fd = open("/dev/null", O_RDONLY);
	word = 0;
	long p = raw_clone(flags | SIGCHLD, stack_top, NULL, NULL, 0, change_body, (void *)(intptr_t)fd);
	NEED(p > 0);
	CHECK_EXIT((pid_t)p, 9);
	CHECK_EQ(word, vm ? 5 : 0);
	CHECK_EQ(fcntl(fd, F_GETFD), files ? -1 : 0);
	CHECK(getcwd(now, sizeof now) != NULL);
	CHECK_STR(now, fs ? "/" : cwd);
	NEED(chdir(cwd) == 0);
	close(fd);
}

static void flags_share_what_they_name(void)
{
	sharing(0, 0, 0, 0);
	sharing(CLONE_VM, 1, 0, 0);
	sharing(CLONE_FS, 0, 1, 0);
	sharing(CLONE_FILES, 0, 0, 1);
	sharing(CLONE_VM | CLONE_FS | CLONE_FILES, 1, 1, 1);
}

static volatile int handled;
static void count(int sig)
{
	handled = sig;
}

static int set_handler_body(void *arg)
{
	(void)arg;
	struct { /* the kernel's layout, so that no C library is needed on this stack */
		void (*handler)(int);
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} sa = { SIG_IGN, 0, NULL, 0 };
	__asm__ volatile("mov %2, %%r10\n\tsyscall"
			 :
			 : "a"(SYS_rt_sigaction), "D"(SIGUSR1), "r"(8L), "S"(&sa), "d"(0)
			 : "rcx", "r10", "r11", "memory");
	return 0;
}

static void sighand_shares_actions(void)
{
	struct sigaction sa;
	on_signal(SIGUSR1, count, 0);
	long p = raw_clone(CLONE_VM | SIGCHLD, stack_top, NULL, NULL, 0, set_handler_body, NULL);
	CHECK_EXIT((pid_t)p, 0);
	CHECK_EQ(sigaction(SIGUSR1, NULL, &sa), 0);
	CHECK(sa.sa_handler == count);
	p = raw_clone(CLONE_VM | CLONE_SIGHAND | SIGCHLD, stack_top, NULL, NULL, 0, set_handler_body, NULL);
	CHECK_EXIT((pid_t)p, 0);
	CHECK_EQ(sigaction(SIGUSR1, NULL, &sa), 0);
	CHECK(sa.sa_handler == SIG_IGN);
}

static void exit_signal(void)
{
	on_signal(SIGUSR2, count, 0);
	handled = 0;
	long p = raw_clone(SIGUSR2, stack_top, NULL, NULL, 0, thread_body, NULL);
	NEED(p > 0);
	CHECK_EQ(waitpid((pid_t)p, NULL, __WCLONE), p); /* a clone child: not SIGCHLD */
	for (int i = 0; i < 100 && !handled; i++)
		sleep_ms(2);
	CHECK_EQ(handled, SIGUSR2);
	p = raw_clone(0, stack_top, NULL, NULL, 0, thread_body, NULL);
	CHECK_ERR(waitpid((pid_t)p, NULL, 0), ECHILD); /* needs __WALL or __WCLONE */
	CHECK_EQ(waitpid((pid_t)p, NULL, __WALL), p);
}

static void clone_parent_is_a_sibling(void)
{
	IN_CHILD
	{
		pid_t middle, up = getpid();
		int fds[2];
		NEED(pipe(fds) == 0);
		CHILD(middle)
		{
			long p = raw_clone(CLONE_PARENT | SIGCHLD, stack_top, NULL, NULL, 0, thread_body, NULL);
			NEED(write(fds[1], &p, sizeof p) == sizeof p);
			CHECK_ERR(waitpid(-1, NULL, __WALL), ECHILD);
			(void)up;
		}
		long p = 0;
		CHECK_EQ(read(fds[0], &p, sizeof p), sizeof p);
		CHECK_EXIT(middle, 0);
		CHECK_EXIT((pid_t)p, 0);
	}
}

static void refused_combinations(void)
{
	CHECK_ERR(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_clone, CLONE_FS | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0), EINVAL);
}

static void set_tid_address(void)
{
	CHECK_EQ(syscall(SYS_set_tid_address, &ctid), getpid());
	ctid = 1;
	/* a process alone in its memory does not clear the word in anybody's sight: just must not crash */
	IN_CHILD
	{
		CHECK_EQ(syscall(SYS_set_tid_address, bad_unmapped()), getpid());
	}
}

int main(void)
{
	RUN(thread_with_tid_words);
	RUN(settls);
	RUN(flags_share_what_they_name);
	RUN(sighand_shares_actions);
	RUN(exit_signal);
	RUN(clone_parent_is_a_sibling);
	RUN(refused_combinations);
	RUN(set_tid_address);
	return check_end();
}
