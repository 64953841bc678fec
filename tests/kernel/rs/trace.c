/* SPDX-License-Identifier: BSD-2-Clause */
/* The mechanism of ptrace, on a service whose signals come to the script. */
#include "ktest_rs.h"

static volatile uint64_t cell = 42;

static void tracee(struct thread *t)
{
	for (;;) {
		linux_call(39, 0, 0, 0, 0, 0, 0);	/* getpid: an answer */
		t->r[0]++;
	}
}

static struct ksig_info stopped(void)
{
	struct ksig_info k;
	struct message m;

	ipc_receive(EP_SYSTEM, &m, 0);
	sys_getksig(&k);
	return k;
}

void check_trace(void)
{
	struct thread *t = spawn(SERVICE, tracee, 0, 0);
	uint64_t regs[27], again[27], word = 0;
	struct ksig_info k;

	CHECK_EQ(sys_trace(EP_SELF, TRACE_CONT, 0, 0, 0), -K_EBUSY, "tracing oneself");
	while (!t->r[0])	/* it has left behind the call every thread begins with */
		sleep_ms(1);
	sys_kill(t->ep, 5, 0, 0);
	k = stopped();
	CHECK(k.endpoint == t->ep && k.signals == SIGBIT(5), "stopped");
	CHECK_EQ(sys_trace(t->ep, TRACE_GETREGS, (vaddr_t)regs, 0, 0), 0, "registers");
	CHECK(regs[16] > 0x400000 && regs[16] < 0x500000, "its pc");
	CHECK_EQ(sys_trace(t->ep, TRACE_PEEK, (vaddr_t)&cell, 0, &word), 0, "peek");
	CHECK_EQ(word, 42, "the word");
	CHECK_EQ(sys_trace(t->ep, TRACE_POKE, (vaddr_t)&cell, 43, 0), 0, "poke");
	CHECK_EQ(cell, 43, "the word changed");
	CHECK_EQ(sys_trace(t->ep, TRACE_PEEK, 0x10, 0, 0), -K_EFAULT, "peek at nothing");
	CHECK_EQ(sys_trace(t->ep, TRACE_STEP, 0, 0, 0), 0, "step");
	sys_endksig(t->ep);
	k = stopped();
	CHECK(k.endpoint == t->ep && k.signals == SIGBIT(5) && k.fault_code == 2, "stopped after the step");
	sys_trace(t->ep, TRACE_GETREGS, (vaddr_t)again, 0, 0);
	CHECK(again[16] != regs[16] && again[16] - regs[16] + 64 < 128, "one instruction on, or back to the start of the loop");
	CHECK_EQ(sys_trace(t->ep, TRACE_SYSCALL, 0, 0, 0), 0, "on to the next system call");
	sys_endksig(t->ep);
	k = stopped();
	CHECK_EQ(k.fault_code, 0x85, "stopped before it");
	sys_trace(t->ep, TRACE_GETREGS, (vaddr_t)regs, 0, 0);
	CHECK_EQ(regs[15], 39, "its number");
	CHECK_EQ(sys_trace(t->ep, TRACE_SYSCALL, 0, 0, 0), 0, "on");
	sys_endksig(t->ep);
	k = stopped();
	CHECK_EQ(k.fault_code, 0x85, "stopped after it");
	regs[16] = 0xffff800000000000ull;
	CHECK_EQ(sys_trace(t->ep, TRACE_SETREGS, (vaddr_t)regs, 0, 0), -K_EIO, "a pc in the kernel");
	CHECK_EQ(sys_trace(t->ep, 99, 0, 0, 0), -K_EINVAL, "unknown operation");
	CHECK_EQ(sys_trace(t->ep, TRACE_CONT, 0, 0, 0), 0, "let it run");
	word = (uint64_t)t->r[0];
	sys_endksig(t->ep);
	sleep_ms(5);
	CHECK(t->r[0] > (int64_t)word, "it runs");
	reap(t);
}
