/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals: raising, managers, frames, masks, restarts. The script is the manager. */
#include "ktest_rs.h"
#include <string.h>

enum { SIG_ABRT = 6, SIG_USR1 = 10, SIG_SEGV = 11, SIG_USR2 = 12, SIG_TERM = 15, SIG_FPE = 8, SIG_ILL = 4 };

static void expect_pending(void)
{
	struct message m;
	uint32_t status;

	CHECK_EQ(ipc_receive(EP_SYSTEM, &m, &status), 0, "the manager is told");
	CHECK(ipc_is_notify(status) && (m.w[1] & KSIG_PENDING) && (status & IPC_STATUS_FROM_KERNEL), "by a notification of the kernel");
}

static struct ksig_info next_signal(void)
{
	struct ksig_info i;

	CHECK_EQ(sys_getksig(&i), 0, "getksig");
	return i;
}

static void divide(struct thread *t)
{
	__asm__ volatile("xor %%ecx, %%ecx; mov $1, %%eax; xor %%edx, %%edx; div %%ecx" ::: "eax", "ecx", "edx");
	t->r[0] = 1;
}

static void bad_write(struct thread *t)
{
	*(volatile int *)0x1234 = 1;
	t->r[0] = 1;
}

static void bad_kernel_read(struct thread *t)
{
	t->r[0] = *(volatile int *)0xffffffff80100000;
}

static void privileged(struct thread *t)
{
	__asm__ volatile("cli");
	t->r[0] = 1;
}

static void faults(void)
{
	static const struct { void (*run)(struct thread *); int signo, code; } fault[] = {
		{ divide, SIG_FPE, 1 }, { bad_write, SIG_SEGV, 1 }, { bad_kernel_read, SIG_SEGV, 1 }, { privileged, SIG_SEGV, 0x80 },
	};

	for (int i = 0; i < 4; i++) {
		struct thread *t = spawn(SERVICE, fault[i].run, 0, 0);
		struct ksig_info k;

		expect_pending();
		k = next_signal();
		CHECK_EQ(k.endpoint, t->ep, "who faulted");
		CHECK_EQ(k.signals, SIGBIT(fault[i].signo), "its signal");
		CHECK_EQ(k.fault_signo, fault[i].signo, "details of the fault");
		CHECK_EQ(k.fault_code & 0xff, fault[i].code, "si_code");
		CHECK(k.fault_ip != 0 && (fault[i].run != bad_write || k.fault_addr == 0x1234), "where");
		CHECK_EQ(next_signal().endpoint, EP_NONE, "no more signals");
		reap(t);
	}
}

static void loop(struct thread *t)
{
	for (;;)
		t->r[0]++;
}

static void pending_and_end(void)
{
	struct thread *t = spawn(SERVICE, loop, 0, 0);
	struct ksig_info k;
	int64_t count;

	CHECK_EQ(sys_kill(t->ep, SIG_TERM, 0, 0), 0, "kill");
	CHECK_EQ(sys_kill(t->ep, SIG_USR1, 0, 0), 0, "kill again");
	expect_pending();
	k = next_signal();
	CHECK_EQ(k.signals, SIGBIT(SIG_TERM) | SIGBIT(SIG_USR1), "both signals at once");
	count = t->r[0];
	sleep_ms(5);
	CHECK_EQ(t->r[0], count, "stopped until the manager is done");
	CHECK_EQ(sys_kill(t->ep, SIG_USR2, 0, 0), 0, "kill while pending");
	CHECK_EQ(sys_endksig(t->ep), 0, "endksig");
	expect_pending();
	CHECK_EQ(next_signal().signals, SIGBIT(SIG_USR2), "the signal that came meanwhile");
	CHECK_EQ(sys_endksig(t->ep), 0, "endksig");
	CHECK_EQ(sys_endksig(t->ep), -K_EINVAL, "endksig twice");
	sleep_ms(5);
	CHECK(t->r[0] > count, "it runs again");
	reap(t);
}

static void other_manager(void)
{
	struct priv_spec s = spec_all();
	struct thread *t;

	s.sig_mgr = EP_DS;
	t = spawn_service(&s, loop, 0, 0);
	spawn_start(t);
	sys_kill(t->ep, SIG_TERM, 0, 0);
	CHECK_EQ(next_signal().endpoint, EP_NONE, "not ours");
	CHECK_EQ(sys_endksig(t->ep), -K_EPERM, "endksig by another");
	reap(t);
}

static void self_managed(struct thread *t)
{
	struct message m;
	uint32_t status;
	struct ksig_info k;

	t->r[1] = ipc_receive(EP_SYSTEM, &m, &status);
	t->r[2] = (int64_t)m.w[1];
	sys_getksig(&k);
	t->r[3] = (int64_t)k.signals;
	t->r[4] = k.endpoint;
	bad_write(t);
}

static void self_and_backup(void)
{
	struct priv_spec s = spec_all();
	struct thread *t;
	struct ksig_info k;

	s.sig_mgr = EP_SELF;
	s.bak_sig_mgr = EP_RS;
	t = spawn_service(&s, self_managed, 0, 0);
	spawn_start(t);
	sleep_ms(3);
	sys_kill(t->ep, SIG_TERM, 0, 0);
	expect_pending();		/* of the fault that follows */
	CHECK_EQ(t->r[2], KSIG_SELF, "a process that manages itself is told");
	CHECK(t->r[3] == SIGBIT(SIG_TERM) && t->r[4] == t->ep, "its own set");
	k = next_signal();
	CHECK(k.endpoint == t->ep && k.signals == SIGBIT(SIG_SEGV), "a lethal one goes to the backup manager");
	reap(t);
}

static void exits(struct thread *t)
{
	(void)t;
	sys_exit(7);
}

static void exit_is_a_signal(void)
{
	struct thread *t = spawn(SERVICE, exits, 0, 0);
	struct ksig_info k;

	expect_pending();
	k = next_signal();
	CHECK(k.endpoint == t->ep && k.signals == SIGBIT(SIG_ABRT) && k.fault_addr == 7, "exit is SIGABRT with the status");
	reap(t);
}

/* ---- frames ---- */


/* Called by the kernel as a handler would be: rdi = signal. Returns to the restorer. */
__asm__(
	".globl test_handler\n"
	"test_handler:\n"
	"	mov %rdi, handled_signo(%rip)\n"
	"	incl handled_count(%rip)\n"
	"	ret\n"
	".globl test_restorer\n"
	"test_restorer:\n"
	"	mov $15, %eax\n"
	"	syscall\n"
	"	ud2\n");
void test_handler(void);
void test_restorer(void);
volatile uint64_t handled_signo;
volatile uint32_t handled_count;

static volatile uint32_t futex_word;

static void spin_registers(struct thread *t)
{
	uint64_t a = 1, b = 2;

	while (!t->a[1]) {
		__asm__ volatile("" : "+r"(a), "+r"(b));
		if (a != 1 || b != 2)
			t->r[1] = 1;
		t->r[0]++;
		if (*(volatile int64_t *)&t->a[1])
			break;
	}
	t->r[2] = linux_call(14, 0, 0, (uint64_t)&t->r[3], 8, 0, 0);
}

static void restart_wait(struct thread *t)
{
	t->r[0] = linux_call(202, (uint64_t)&futex_word, 0, 0, 0, 0, 0);
}

static struct sigsend frame_of(int signo, uint32_t flags)
{
	return (struct sigsend){ .signo = signo, .flags = flags, .handler = (uint64_t)test_handler, .restorer = (uint64_t)test_restorer,
				 .mask = SIGBIT(signo) };
}

static void signal_routes(void)
{
	static const struct route_entry mask = { ROUTE_KERNEL, MECH_SIGPROCMASK }, ret = { ROUTE_KERNEL, MECH_SIGRETURN };

	sys_route(ROUTE_TABLE_USER, 14, 1, &mask);
	sys_route(ROUTE_TABLE_USER, 15, 1, &ret);
}

static void frame_on_running(void)
{
	struct thread *t = spawn(USER, spin_registers, 0, 0);
	struct sigsend s = frame_of(SIG_USR1, 0);
	endpoint_t waits = 0;

	sleep_ms(3);
	handled_count = 0;
	CHECK_EQ(sys_sigsend(EP_DS, &s, 0), -K_EINVAL, "a frame for a service");
	CHECK_EQ(sys_runctl(t->ep, RUNCTL_STOP, 0, 0), 0, "stop");
	CHECK_EQ(sys_sigsend(t->ep, &s, &waits), 0, "sigsend");
	CHECK_EQ(waits, EP_NONE, "it waits for nobody");
	CHECK_EQ(sys_runctl(t->ep, RUNCTL_RESUME, 0, 0), 0, "resume");
	for (int i = 0; i < 500 && !handled_count; i++)
		sleep_ms(1);
	CHECK(handled_count == 1 && handled_signo == SIG_USR1, "the handler ran");
	t->a[1] = 1;
	CHECK(wait_done(t), "the program goes on");
	CHECK(t->r[0] > 0 && t->r[1] == 0, "with its registers");
	CHECK_EQ(t->r[2], 0, "rt_sigprocmask");
	CHECK_EQ(t->r[3], 0, "the mask is back");
	reap(t);
}

static void frame_ends_wait(uint32_t flags, int64_t want_done, const char *what)
{
	struct thread *t = spawn(USER, restart_wait, 0, 0);
	struct sigsend s = frame_of(SIG_USR2, flags);

	sleep_ms(3);
	handled_count = 0;
	CHECK_EQ(sys_sigsend(t->ep, &s, 0), 0, "sigsend to a futex waiter");
	sleep_ms(5);
	CHECK_EQ(handled_count, 1, "the handler ran");
	CHECK_EQ(t->done, want_done, what);
	if (want_done)
		CHECK_EQ(t->r[0], -K_EINTR, "interrupted");
	reap(t);
}

static void masks(void)
{
	struct thread *t = spawn(USER, restart_wait, 0, 0);
	struct sigsend s = frame_of(SIG_USR1, 0);
	uint64_t old = 99;

	sleep_ms(3);
	sys_runctl(t->ep, RUNCTL_STOP, 0, 0);
	CHECK_EQ(sys_sigsend(t->ep, &s, 0), 0, "a frame for a stopped process");
	CHECK_EQ(sys_sigsend(t->ep, &s, 0), -K_EBUSY, "only one at a time");
	CHECK_EQ(sys_sigmask(t->ep, SIGMASK_SET, SIGBIT(SIG_USR1) | SIGBIT(9) | SIGBIT(19), &old), 0, "set the mask");
	CHECK_EQ(old, 0, "the old mask");
	CHECK_EQ(sys_sigmask(t->ep, SIGMASK_GET, 0, &old), 0, "get the mask");
	CHECK_EQ(old, SIGBIT(SIG_USR1), "KILL and STOP cannot be masked");
	CHECK_EQ(sys_sigmask(t->ep, SIGMASK_TEMP, SIGBIT(SIG_USR2), &old), 0, "temporary mask");
	CHECK_EQ(old, SIGBIT(SIG_USR1), "the old mask");
	reap(t);
}

void check_signals(void)
{
	signal_routes();
	faults();
	pending_and_end();
	other_manager();
	self_and_backup();
	exit_is_a_signal();
	frame_on_running();
	frame_ends_wait(0, 1, "a wait ends with EINTR");
	frame_ends_wait(SIGSEND_RESTART, 0, "a wait is restarted with SA_RESTART");
	masks();
}
