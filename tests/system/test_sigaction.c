/* SPDX-License-Identifier: BSD-2-Clause */
/* sigaction: every flag, the mask during a handler, nesting, longjmp out, the alternate stack, and what is refused. */
#include "check.h"
#include <setjmp.h>
#include <ucontext.h>

static volatile int calls, depth, deepest;
static siginfo_t info;
static sigset_t mask_inside;

static void count(int sig)
{
	(void)sig;
	calls++;
}

static void with_info(int sig, siginfo_t *si, void *ctx)
{
	calls++;
	info = *si;
	sigprocmask(SIG_BLOCK, NULL, &mask_inside);
	if (sig != si->si_signo || ((ucontext_t *)ctx)->uc_mcontext.gregs[REG_RIP] == 0)
		_exit(1);
}

static void handler_and_siginfo(void)
{
	struct sigaction sa, old;
	memset(&sa, 0, sizeof sa);
	sa.sa_sigaction = with_info;
	sa.sa_flags = SA_SIGINFO;
	sigaddset(&sa.sa_mask, SIGUSR2);
	CHECK_EQ(sigaction(SIGUSR1, &sa, &old), 0);
	CHECK(old.sa_handler == SIG_DFL);
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	CHECK_EQ(calls, 1); /* delivered before kill returns */
	CHECK_EQ(info.si_code, SI_USER);
	CHECK_EQ(info.si_pid, getpid());
	CHECK_EQ(info.si_uid, getuid());
	CHECK(sigismember(&mask_inside, SIGUSR1) && sigismember(&mask_inside, SIGUSR2));
	CHECK(!sigismember(&mask_inside, SIGHUP));
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(!sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2));
	CHECK_EQ(raise(SIGUSR1), 0);
	CHECK_EQ(info.si_code, SI_TKILL);
	CHECK_EQ(sigaction(SIGUSR1, NULL, &old), 0);
	CHECK(old.sa_sigaction == with_info && old.sa_flags & SA_SIGINFO && sigismember(&old.sa_mask, SIGUSR2));
}

static void again(int sig)
{
	deepest = ++depth > deepest ? depth : deepest;
	if (++calls < 3)
		raise(sig);
	depth--;
}

static void blocked_while_handled(void)
{
	calls = depth = deepest = 0;
	on_signal(SIGUSR1, again, 0);
	raise(SIGUSR1);
	CHECK_EQ(calls, 3);
	CHECK_EQ(deepest, 1); /* one after the other */
	calls = depth = deepest = 0;
	on_signal(SIGUSR1, again, SA_NODEFER);
	raise(SIGUSR1);
	CHECK_EQ(calls, 3);
	CHECK_EQ(deepest, 3); /* one in the other */
}

static void reset_on_delivery(void)
{
	struct sigaction now;
	calls = 0;
	on_signal(SIGUSR1, count, SA_RESETHAND);
	raise(SIGUSR1);
	CHECK_EQ(calls, 1);
	CHECK_EQ(sigaction(SIGUSR1, NULL, &now), 0);
	CHECK(now.sa_handler == SIG_DFL);
	pid_t pid;
	CHILD(pid)
	{
		on_signal(SIGUSR1, count, SA_RESETHAND);
		raise(SIGUSR1);
		raise(SIGUSR1);
	}
	CHECK_KILLED(pid, SIGUSR1);
}

static volatile int order[8], nth;
static void note(int sig)
{
	order[nth++] = sig;
}

static void note_and_raise(int sig)
{
	order[nth++] = -sig;
	raise(SIGUSR2);
	order[nth++] = sig;
}

static void nested_handlers(void)
{
	nth = 0;
	on_signal(SIGUSR1, note_and_raise, 0);
	on_signal(SIGUSR2, note, 0);
	raise(SIGUSR1);
	CHECK_EQ(nth, 3);
	CHECK(order[0] == -SIGUSR1 && order[1] == SIGUSR2 && order[2] == SIGUSR1); /* another signal interrupts */
}

static void ignoring_discards(void)
{
	sigset_t set, pend;
	calls = 0;
	on_signal(SIGUSR1, SIG_IGN, 0);
	raise(SIGUSR1);
	on_signal(SIGUSR1, count, 0);
	CHECK_EQ(calls, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	on_signal(SIGUSR1, SIG_IGN, 0); /* also what was pending */
	sigpending(&pend);
	CHECK(!sigismember(&pend, SIGUSR1));
	on_signal(SIGUSR1, count, 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK_EQ(calls, 0);
}

static sigjmp_buf out;
static void jump(int sig)
{
	siglongjmp(out, sig);
}

static void long_jump_out(void)
{
	volatile int jumps = 0;
	on_signal(SIGUSR1, jump, 0);
	for (int i = 0; i < 200; i++) { /* the mask must be restored each time, the stack must not creep */
		if (sigsetjmp(out, 1) == 0)
			raise(SIGUSR1);
		else
			jumps++;
	}
	CHECK_EQ(jumps, 200);
}

static volatile uintptr_t handler_sp;
static stack_t inside;
static void on_stack(int sig)
{
	(void)sig;
	int local;
	handler_sp = (uintptr_t)&local;
	sigaltstack(NULL, &inside);
	stack_t none = { .ss_flags = SS_DISABLE };
	CHECK_ERR(sigaltstack(&none, NULL), EPERM); /* not while standing on it */
}

static void alternate_stack(void)
{
	static char area[32768];
	stack_t ss = { .ss_sp = area, .ss_size = sizeof area }, old;
	CHECK_EQ(sigaltstack(NULL, &old), 0);
	CHECK_EQ(old.ss_flags, SS_DISABLE);
	CHECK_EQ(sigaltstack(&ss, NULL), 0);
	on_signal(SIGUSR1, on_stack, SA_ONSTACK);
	raise(SIGUSR1);
	CHECK(handler_sp > (uintptr_t)area && handler_sp < (uintptr_t)area + sizeof area);
	CHECK_EQ(inside.ss_flags, SS_ONSTACK);
	CHECK_EQ(sigaltstack(NULL, &old), 0);
	CHECK(old.ss_sp == area && old.ss_size == sizeof area && old.ss_flags == 0);
	on_signal(SIGUSR1, count, 0);
	ss.ss_flags = 77;
	CHECK_ERR(syscall(SYS_sigaltstack, &ss, NULL), EINVAL);
	ss.ss_flags = 0, ss.ss_size = 100;
	CHECK_ERR(syscall(SYS_sigaltstack, &ss, NULL), ENOMEM);
	CHECK_ERR(syscall(SYS_sigaltstack, bad_unmapped(), NULL), EFAULT);
	CHECK_ERR(syscall(SYS_sigaltstack, NULL, bad_readonly()), EFAULT);
	IN_CHILD
	{
		CHECK_EQ(sigaltstack(NULL, &old), 0);
		CHECK(old.ss_sp == area); /* fork keeps it */
	}
}

static void overflow_jump(int sig)
{
	siglongjmp(out, sig);
}

static int recurse(int n)
{
	volatile char pad[2000];
	pad[0] = (char)n;
	return n == 0 ? 0 : recurse(n + 1) + pad[0];
}

static void stack_overflow_is_handled_on_it(void)
{
	static char area[32768];
	stack_t ss = { .ss_sp = area, .ss_size = sizeof area };
	NEED(sigaltstack(&ss, NULL) == 0);
	on_signal(SIGSEGV, overflow_jump, SA_ONSTACK);
	volatile int caught = sigsetjmp(out, 1);
	if (caught == 0)
		recurse(1);
	CHECK_EQ(caught, SIGSEGV);
	pid_t pid;
	CHILD(pid)
	{
		on_signal(SIGSEGV, overflow_jump, 0); /* without it there is no room for a handler */
		recurse(1);
	}
	CHECK_KILLED(pid, SIGSEGV);
}

static void refused(void)
{
	struct sigaction sa, old;
	memset(&sa, 0, sizeof sa);
	sa.sa_handler = count;
	CHECK_ERR(sigaction(SIGKILL, &sa, NULL), EINVAL);
	CHECK_ERR(sigaction(SIGSTOP, &sa, NULL), EINVAL);
	CHECK_EQ(sigaction(SIGKILL, NULL, &old), 0);
	CHECK_ERR(sigaction(0, &sa, NULL), EINVAL);
	CHECK_ERR(sigaction(65, &sa, NULL), EINVAL);
	CHECK_ERR(sigaction(-1, &sa, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4), EINVAL);
	CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR1, bad_unmapped(), NULL, 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR1, NULL, bad_readonly(), 8), EFAULT);
}

static void change_context(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)si;
	ucontext_t *uc = ctx;
	sigaddset(&uc->uc_sigmask, SIGHUP);
	uc->uc_mcontext.gregs[REG_RAX] = 4711;
}

static void context_is_writable(void)
{
	sigset_t now;
	long ret;
	on_siginfo(SIGUSR1, change_context, 0);
	__asm__ volatile("syscall" : "=a"(ret) : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1) : "rcx", "r11", "memory");
	CHECK_EQ(ret, 4711);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGHUP)); /* the mask to return to */
}

int main(void)
{
	RUN(handler_and_siginfo);
	RUN(blocked_while_handled);
	RUN(reset_on_delivery);
	RUN(nested_handlers);
	RUN(ignoring_discards);
	RUN(long_jump_out);
	RUN(alternate_stack);
	RUN(stack_overflow_is_handled_on_it);
	RUN(refused);
	RUN(context_is_writable);
	return check_end();
}
