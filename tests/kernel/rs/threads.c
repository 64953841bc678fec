/* SPDX-License-Identifier: BSD-2-Clause */
/* Helper processes that share the script's memory, and small services of the script. */
#include "ktest_rs.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct thread threads[NR_THREADS];
static unsigned nr_failed, nr_checks;

void say(const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sys_diag_write(text, strlen(text));
}

void check(bool ok, const char *what, int64_t got)
{
	nr_checks++;
	if (ok)
		return;
	nr_failed++;
	say("FAIL %s (got %ld)\n", what, (long)got);
}

unsigned checks_failed(unsigned *all);
unsigned checks_failed(unsigned *all)
{
	*all = nr_checks;
	return nr_failed;
}

int64_t linux_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	int64_t result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		: "rcx", "r11", "memory");
	return result;
}

/* First instructions of a thread: thread pointer (for the stack protector), then C. The struct's address is on the stack. */
__asm__(
	".globl thread_entry\n"
	"thread_entry:\n"
	"	mov $158, %eax\n"
	"	mov $0x1002, %edi\n"
	"	mov 8(%rsp), %rsi\n"
	"	syscall\n"
	"	mov (%rsp), %rdi\n"
	"	and $-16, %rsp\n"
	"	call thread_main\n"
	"	ud2\n");
void thread_entry(void);

__attribute__((noreturn)) void thread_main(struct thread *t);
__attribute__((noreturn)) void thread_main(struct thread *t)
{
	struct message m;

	t->run(t);
	t->done = 1;
	for (;;)
		if (ipc_receive(EP_CLOCK, &m, 0))
			linux_call(202, (uint64_t)&t->done, 0, 1, 0, 0, 0);	/* a user process: wait for a futex */
}

struct priv_spec spec_all(void)
{
	struct priv_spec s = { .flags = PRIV_SYS_PROC, .trap_mask = IPC_TRAP_ALL, .sig_mgr = EP_RS, .bak_sig_mgr = EP_NONE, .priority = 4 };

	memset(s.send_mask, 0xff, sizeof(s.send_mask));
	memset(s.call_mask, 0xff, sizeof(s.call_mask));
	return s;
}

static struct thread *thread_create(void (*run)(struct thread *), int64_t a0, int64_t a1)
{
	struct thread *t = 0;
	uint64_t *sp;

	for (int i = 0; i < NR_THREADS && !t; i++)
		if (!threads[i].ep)
			t = &threads[i];
	if (!t || sys_fork(EP_NONE, 0, 0, 0, &t->ep)) {
		say("FAIL no thread\n");
		sys_abort(ABORT_POWEROFF, 1);
	}
	t->run = run;
	t->done = 0;
	t->a[0] = a0;
	t->a[1] = a1;
	memset((void *)t->r, 0, sizeof(t->r));
	sp = (uint64_t *)(t->stack + STACK_BYTES - 32);
	sp[0] = (uint64_t)t;
	sp[1] = (uint64_t)t->tls;
	sys_space(t->ep, SPACE_SHARE, (uint64_t)(int64_t)EP_SELF, 0);
	sys_exec(t->ep, (vaddr_t)thread_entry, (vaddr_t)sp, "thread");
	return t;
}

void spawn_start(struct thread *t)
{
	sys_privctl(t->ep, PRIVCTL_ALLOW, 0, 0, 0);
	sys_runctl(t->ep, RUNCTL_RESUME, 0, 0);
}

struct thread *spawn_service(const struct priv_spec *spec, void (*run)(struct thread *), int64_t a0, int64_t a1)
{
	struct thread *t = thread_create(run, a0, a1);

	if (sys_privctl(t->ep, PRIVCTL_SET_SYS, spec, sizeof(*spec), 0))
		say("FAIL privileges refused\n");
	return t;
}

struct thread *spawn(enum thread_kind kind, void (*run)(struct thread *), int64_t a0, int64_t a1)
{
	struct priv_spec spec = spec_all();
	struct thread *t;

	if (kind == USER) {
		t = thread_create(run, a0, a1);
		sys_privctl(t->ep, PRIVCTL_SET_USER, 0, 0, 0);
	} else {
		t = spawn_service(&spec, run, a0, a1);
	}
	spawn_start(t);
	return t;
}

void reap(struct thread *t)
{
	sys_clear(t->ep);
	t->ep = 0;
}

void sleep_ms(unsigned ms)
{
	struct message m;

	sys_setalarm(sys_uptime() + (uint64_t)ms * NS_PER_MS, 0);
	ipc_receive(EP_CLOCK, &m, 0);
}

bool wait_done(struct thread *t)
{
	for (int i = 0; i < 2000 && !t->done; i++)
		sleep_ms(1);
	return t->done;
}

static int64_t ask_vm(struct message *m)
{
	return ipc_sendrec(EP_VM, m) ? -1 : (int64_t)m->w[0];
}

paddr_t frames_from_vm(uint64_t n)
{
	struct message m = { .type = KTEST_VM_FRAMES, .w = { n } };

	return (paddr_t)ask_vm(&m);
}

int64_t vm_map(uint32_t kind, endpoint_t ep, vaddr_t addr, uint64_t npages, paddr_t paddr, paddr_t src, uint32_t prot)
{
	struct message m = { .type = KTEST_VM_MAP, .w = { kind, (uint64_t)ep, addr, npages, paddr, src, prot } };

	return ask_vm(&m);
}
