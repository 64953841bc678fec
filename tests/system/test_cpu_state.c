/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers, flags, SSE, x87 and their control words survive signal handlers, switches between processes and threads. */
#include "check.h"
#include <pthread.h>
#include <setjmp.h>
#include <ucontext.h>

static volatile int hits;

/* A handler that spoils every register a handler may: the vector file, the x87 stack and both control words. */
static void spoil(int sig)
{
	(void)sig;
	unsigned mxcsr = 0x1f80 | 0x6000;
	unsigned short cw = 0x0f7f;
	hits++;
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0; movdqa %%xmm0, %%xmm1; movdqa %%xmm0, %%xmm2; movdqa %%xmm0, %%xmm3\n\t"
			 "movdqa %%xmm0, %%xmm6; movdqa %%xmm0, %%xmm7; movdqa %%xmm0, %%xmm8; movdqa %%xmm0, %%xmm15\n\t"
			 "fninit; fldz; fldz; fldz\n\tfldcw %1\n\tldmxcsr %0"
			 :
			 : "m"(mxcsr), "m"(cw)
			 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm6", "xmm7", "xmm8", "xmm15");
}

struct state {
	uint64_t gpr[8];
	unsigned char xmm[16][16];
	long double st[3];
	unsigned mxcsr;
	unsigned short cw;
};

/* Fill all registers from a pattern, kill(pid, sig) with the raw call, store all registers. */
static void around_kill(struct state *s, unsigned char seed, pid_t pid, int sig)
{
	struct state in;
	memset(&in, 0, sizeof in);
	for (size_t i = 0; i < sizeof in.xmm; i++)
		in.xmm[i / 16][i % 16] = (unsigned char)(seed + i * 7);
	unsigned mxcsr = 0x1f80 | 0x8000; /* flush to zero: visible and harmless */
	unsigned short cw = 0x027f;
	long double a = 1.25L * seed, b = -3.5L;
	__asm__ volatile(
		"fninit; fldcw %[cw]; fldt %[b]; fldt %[a]; ldmxcsr %[mxcsr]\n\t"
		"movdqu (%[x]), %%xmm0; movdqu 16(%[x]), %%xmm1; movdqu 32(%[x]), %%xmm2; movdqu 48(%[x]), %%xmm3\n\t"
		"movdqu 64(%[x]), %%xmm4; movdqu 80(%[x]), %%xmm5; movdqu 96(%[x]), %%xmm6; movdqu 112(%[x]), %%xmm7\n\t"
		"movdqu 128(%[x]), %%xmm8; movdqu 144(%[x]), %%xmm9; movdqu 160(%[x]), %%xmm10; movdqu 176(%[x]), %%xmm11\n\t"
		"movdqu 192(%[x]), %%xmm12; movdqu 208(%[x]), %%xmm13; movdqu 224(%[x]), %%xmm14; movdqu 240(%[x]), %%xmm15\n\t"
		"mov %[nr], %%eax\n\tmov %[pid], %%edi\n\tmov %[sig], %%esi\n\t"
		"mov $0x1111, %%rdx; mov $0x2222, %%r8; mov $0x3333, %%r9; mov $0x4444, %%r10\n\t"
		"mov $0x5555, %%r12; mov $0x6666, %%r13; mov $0x7777, %%r14\n\t"
		"stc\n\t"
		"syscall\n\t"
		"mov %%rdx, (%[s]); mov %%r8, 8(%[s]); mov %%r9, 16(%[s]); mov %%r10, 24(%[s])\n\t"
		"mov %%r12, 32(%[s]); mov %%r13, 40(%[s]); mov %%r14, 48(%[s]); mov %%rax, 56(%[s])\n\t"
		"add $64, %[s]\n\t"
		"movdqu %%xmm0, (%[s]); movdqu %%xmm1, 16(%[s]); movdqu %%xmm2, 32(%[s]); movdqu %%xmm3, 48(%[s])\n\t"
		"movdqu %%xmm4, 64(%[s]); movdqu %%xmm5, 80(%[s]); movdqu %%xmm6, 96(%[s]); movdqu %%xmm7, 112(%[s])\n\t"
		"movdqu %%xmm8, 128(%[s]); movdqu %%xmm9, 144(%[s]); movdqu %%xmm10, 160(%[s]); movdqu %%xmm11, 176(%[s])\n\t"
		"movdqu %%xmm12, 192(%[s]); movdqu %%xmm13, 208(%[s]); movdqu %%xmm14, 224(%[s]); movdqu %%xmm15, 240(%[s])\n\t"
		"fstpt 256(%[s]); fstpt 272(%[s]); stmxcsr 304(%[s]); fnstcw 308(%[s])\n\t"
		: [s] "+b"(s)
		: [x] "r"(in.xmm), [nr] "i"(SYS_kill), [pid] "m"(pid), [sig] "m"(sig), [mxcsr] "m"(mxcsr), [cw] "m"(cw),
		  [a] "m"(a), [b] "m"(b)
		: "rax", "rcx", "rdx", "rdi", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "memory", "xmm0", "xmm1",
		  "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
		  "xmm15");
	unsigned plain = 0x1f80;
	__asm__ volatile("ldmxcsr %0; fninit" : : "m"(plain));
}

static int state_is(const struct state *s, unsigned char seed)
{
	static const uint64_t gpr[7] = { 0x1111, 0x2222, 0x3333, 0x4444, 0x5555, 0x6666, 0x7777 };
	int ok = memcmp(s->gpr, gpr, sizeof gpr) == 0 && s->gpr[7] == 0;
	for (int i = 0; i < 256; i++)
		ok &= s->xmm[i / 16][i % 16] == (unsigned char)(seed + i * 7);
	return ok && s->st[0] == 1.25L * seed && s->st[1] == -3.5L && s->mxcsr == (0x1f80 | 0x8000) && s->cw == 0x027f;
}

static void around_a_handler(void)
{
	static struct state s;
	on_signal(SIGUSR1, spoil, 0);
	for (int i = 1; i < 50; i++) {
		around_kill(&s, (unsigned char)i, getpid(), SIGUSR1);
		NEED(state_is(&s, (unsigned char)i));
	}
	CHECK_EQ(hits, 49);
}

static void around_a_plain_call(void)
{
	static struct state s;
	around_kill(&s, 77, getpid(), 0);
	CHECK(state_is(&s, 77));
}

static void handler_starts_clean(int sig)
{
	(void)sig;
	unsigned short cw;
	unsigned mxcsr;
	__asm__ volatile("fnstcw %0; stmxcsr %1" : "=m"(cw), "=m"(mxcsr));
	hits = cw == 0x037f && (mxcsr & 0xffc0) == 0x1f80;
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
	hits = hits && sp % 16 == 0;
}

static void handlers_get_a_clean_fpu_and_aligned_stack(void)
{
	static struct state s;
	on_signal(SIGUSR1, handler_starts_clean, 0);
	around_kill(&s, 5, getpid(), SIGUSR1);
	CHECK(state_is(&s, 5));
	CHECK_EQ(hits, 1);
}

/* Computing with asynchronous interruptions: any lost bit shows in the sum. */
static double harmonic(int n)
{
	double sum = 0;
	long double exact = 0;
	for (int i = 1; i <= n; i++) {
		sum += 1.0 / i;
		exact += 1.0L / i;
	}
	return sum + (double)exact;
}

static void timer_storm(void)
{
	double want = harmonic(200000);
	struct itimerval it = { { 0, 2000 }, { 0, 2000 } }, off = { { 0, 0 }, { 0, 0 } };
	hits = 0;
	on_signal(SIGALRM, spoil, SA_RESTART);
	setitimer(ITIMER_REAL, &it, NULL);
	long long end = now_ms() + 300;
	while (now_ms() < end)
		NEED(harmonic(200000) == want);
	setitimer(ITIMER_REAL, &off, NULL);
	CHECK(hits > 10);
}

static void *compute(void *arg)
{
	double want = *(double *)arg;
	for (int i = 0; i < 8; i++) {
		if (harmonic(50000) != want)
			return arg;
		sched_yield();
	}
	return NULL;
}

static void threads_and_processes_compute_at_once(void)
{
	double want = harmonic(50000);
	pthread_t t[4];
	pid_t pid[3];
	void *bad;
	for (int i = 0; i < 3; i++)
		CHILD(pid[i]) NEED(compute(&want) == NULL);
	for (int i = 0; i < 4; i++)
		NEED(pthread_create(&t[i], NULL, compute, &want) == 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &bad);
		CHECK(bad == NULL);
	}
	for (int i = 0; i < 3; i++)
		CHECK_EXIT(pid[i], 0);
}

static void fork_copies_the_fpu(void)
{
	unsigned mxcsr = 0x1f80 | 0x8000, got = 0, plain = 0x1f80;
	uint64_t pattern[2] = { 0x0123456789abcdef, 0xfedcba9876543210 }, out[2] = { 0, 0 };
	long pid;
	/* the raw call, so that nothing in between uses the registers */
	__asm__ volatile("ldmxcsr %3; movdqu (%4), %%xmm9\n\tsyscall\n\tstmxcsr %1; movdqu %%xmm9, %2"
			 : "=a"(pid), "=m"(got), "=m"(out)
			 : "m"(mxcsr), "r"(pattern), "0"(SYS_fork)
			 : "rcx", "r11", "memory", "xmm9");
	__asm__ volatile("ldmxcsr %0" : : "m"(plain));
	int ok = got == mxcsr && memcmp(out, pattern, 16) == 0;
	if (pid == 0)
		_exit(ok ? 8 : 9);
	CHECK(ok);
	CHECK_EXIT((pid_t)pid, 8);
}

static sigjmp_buf back;
static siginfo_t fault;
static void on_fault(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)ctx;
	fault = *si;
	siglongjmp(back, 1);
}

static void processor_exceptions(void)
{
	volatile int zero = 0, one = 1;
	int sigs[] = { SIGFPE, SIGILL, SIGTRAP, SIGSEGV };
	for (int i = 0; i < 4; i++)
		on_siginfo(sigs[i], on_fault, 0);
	if (!sigsetjmp(back, 1))
		one = one / zero;
	CHECK(fault.si_signo == SIGFPE && fault.si_code == FPE_INTDIV);
	if (!sigsetjmp(back, 1))
		__asm__ volatile("ud2");
	CHECK(fault.si_signo == SIGILL && fault.si_code == ILL_ILLOPN);
	if (!sigsetjmp(back, 1))
		__asm__ volatile("int3");
	CHECK(fault.si_signo == SIGTRAP && fault.si_code == SI_KERNEL);
	if (!sigsetjmp(back, 1))
		__asm__ volatile("hlt"); /* a privileged instruction */
	CHECK(fault.si_signo == SIGSEGV && fault.si_code == SI_KERNEL);
	if (!sigsetjmp(back, 1))
		__asm__ volatile("in $0x60, %%al" : : : "rax");
	CHECK(fault.si_signo == SIGSEGV && fault.si_code == SI_KERNEL);
	fault.si_signo = 0;
	if (!sigsetjmp(back, 1)) {
		unsigned unmasked = 0x1f80 & ~0x200u;
		volatile double z = 0, q = 1;
		__asm__ volatile("ldmxcsr %0" : : "m"(unmasked));
		q = q / z;
		(void)q;
	}
	unsigned plain = 0x1f80;
	__asm__ volatile("ldmxcsr %0" : : "m"(plain));
	/* an emulated processor may know no unmasked SSE exceptions */
	CHECK(fault.si_signo == 0 || (fault.si_signo == SIGFPE && fault.si_code == FPE_FLTDIV));
	pid_t pid;
	CHILD(pid)
	{
		on_signal(SIGFPE, SIG_DFL, 0);
		one = one / zero;
	}
	CHECK_EQ(wait_status(pid) & 0x7f, SIGFPE);
}

static void system_calls_keep_registers(void)
{
	uint64_t flags = 0, k8, k9, k10;
	long ret;
	register uint64_t v8 __asm__("r8") = 0x88, v9 __asm__("r9") = 0x99, v10 __asm__("r10") = 0xaa;
	__asm__ volatile("sub $128, %%rsp\n\tstd\n\tsyscall\n\tpushfq\n\tpop %1\n\tcld\n\tadd $128, %%rsp"
			 : "=a"(ret), "=b"(flags), "+r"(v8), "+r"(v9), "+r"(v10)
			 : "0"(SYS_getppid)
			 : "rcx", "r11", "memory", "cc");
	k8 = v8, k9 = v9, k10 = v10;
	CHECK_EQ(ret, getppid());
	CHECK(flags & 0x400); /* the direction flag is the program's own */
	CHECK(k8 == 0x88 && k9 == 0x99 && k10 == 0xaa);
}

int main(void)
{
	RUN(around_a_plain_call);
	RUN(around_a_handler);
	RUN(handlers_get_a_clean_fpu_and_aligned_stack);
	RUN(timer_storm);
	RUN(threads_and_processes_compute_at_once);
	RUN(fork_copies_the_fpu);
	RUN(processor_exceptions);
	RUN(system_calls_keep_registers);
	return check_end();
}
