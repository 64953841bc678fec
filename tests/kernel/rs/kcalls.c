/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel calls: each with its errors; nothing a caller says may do more than fail. */
#include "ktest_rs.h"
#include <string.h>

#define DEAD endpoint_make(9, 60)
#define BAD_PTR ((void *)0x10)
#define KERNEL_PTR ((void *)0xffffffff80100000ull)

static void numbers(void)
{
	uint64_t w[MSG_WORDS] = { 0 };

	CHECK_EQ(kcall(MSG_KCALL + KC_COUNT, w), -EBADREQUEST, "kernel call behind the last");
	CHECK_EQ(kcall(0, w), -EBADREQUEST, "kernel call 0");
	CHECK_EQ(kcall(~0u, w), -EBADREQUEST, "kernel call ~0");
}

static void dead_endpoints(void)
{
	struct priv_spec s = spec_all();
	uint64_t answers[NR_ANSWERS] = { 0 };
	struct sigsend sig = { .signo = 1 };

	CHECK_EQ(sys_fork(DEAD, 0, 0, 0, 0), -EDEADEPT, "fork");
	CHECK_EQ(sys_exec(DEAD, 0x1000, 0x1000, "x"), -EDEADEPT, "exec");
	CHECK_EQ(sys_privctl(DEAD, PRIVCTL_SET_SYS, &s, sizeof(s), 0), -EDEADEPT, "privctl");
	CHECK_EQ(sys_kill(DEAD, 9, 0, 0), -EDEADEPT, "kill");
	CHECK_EQ(sys_endksig(DEAD), -EDEADEPT, "endksig");
	CHECK_EQ(sys_sigsend(DEAD, &sig, 0), -EDEADEPT, "sigsend");
	CHECK_EQ(sys_sigmask(DEAD, SIGMASK_GET, 0, 0), -EDEADEPT, "sigmask");
	CHECK_EQ(sys_runctl(DEAD, RUNCTL_QUERY, 0, 0), -EDEADEPT, "runctl");
	CHECK_EQ(sys_setanswer(DEAD, 1, answers), -EDEADEPT, "setanswer");
	CHECK_EQ(sys_schedule(DEAD, 4, 0, 0), -EDEADEPT, "schedule");
	CHECK_EQ(sys_vircopy(DEAD, 0, EP_SELF, 0, 1, 0, 0), -EDEADEPT, "vircopy");
	CHECK_EQ(sys_safecopyfrom(DEAD, 1, 0, answers, 1), -EDEADEPT, "safecopyfrom");
	CHECK_EQ(sys_space(DEAD, SPACE_NEW, 0, 0), -EDEADEPT, "space");
	CHECK_EQ(sys_mapread(DEAD, 0, 0, 0, 0, 0), -EDEADEPT, "mapread");
	CHECK_EQ(sys_umap(DEAD, 0, 1, 0, 0), -EDEADEPT, "umap");
	CHECK_EQ(sys_vtimer(DEAD, VTIMER_PROF, 0, 0), -EDEADEPT, "vtimer");
	CHECK_EQ(sys_times(DEAD, 0, 0, 0), -EDEADEPT, "times");
	CHECK_EQ(sys_futexwake(DEAD, 0, 1), -EDEADEPT, "futexwake");
}

static void bad_pointers(void)
{
	const uint64_t *volatile bad_words = BAD_PTR;
	uint64_t done;

	CHECK_EQ(sys_getksig(BAD_PTR), -K_EFAULT, "getksig to a bad pointer");
	CHECK_EQ(sys_getksig(KERNEL_PTR), -K_EFAULT, "getksig to kernel memory");
	CHECK_EQ(sys_getinfo(GETINFO_KERNEL, KERNEL_PTR, 4096, 0, 0), -K_EFAULT, "getinfo to kernel memory");
	CHECK_EQ(sys_getinfo(GETINFO_PROC, BAD_PTR, 4096, 0, 0), -K_EFAULT, "getinfo to a bad pointer");
	CHECK_EQ(sys_sigsend(EP_DS, BAD_PTR, 0), -K_EFAULT, "sigsend");
	CHECK_EQ(sys_setanswer(EP_DS, 1, bad_words), -K_EFAULT, "setanswer");
	CHECK_EQ(sys_route(0, 0, 1, BAD_PTR), -K_EFAULT, "route");
	CHECK_EQ(sys_map(BAD_PTR, 1, &done), -K_EFAULT, "map");
	CHECK_EQ(done, 0, "map did nothing");
	CHECK_EQ(sys_vsafecopy(BAD_PTR, 1, &done), -K_EFAULT, "vsafecopy");
	CHECK_EQ(sys_vdevio(BAD_PTR, 1), -K_EFAULT, "vdevio");
	CHECK_EQ(sys_diag_write(BAD_PTR, 4), -K_EFAULT, "diag write");
	CHECK_EQ(sys_vircopy(EP_SELF, 0xffff800000000000ull, EP_SELF, (vaddr_t)&done, 8, 0, 0), -K_EFAULT, "vircopy of kernel memory");
	CHECK_EQ(sys_vircopy(EP_SELF, (vaddr_t)&done, EP_SELF, ~0ull - 3, 8, 0, 0), -K_EFAULT, "vircopy that wraps");
	CHECK_EQ(sys_vircopy(EP_SELF, 0x7fffffffe000, EP_SELF, (vaddr_t)&done, ~0ull, 0, 0), -K_EFAULT, "vircopy of everything");
	CHECK_EQ(sys_privctl(EP_DS, PRIVCTL_ADD_IO, BAD_PTR, 4, 0), -K_EFAULT, "privctl");
}

static void bad_arguments(void)
{
	static const struct route_entry bad = { ROUTE_OBJECT, 0 }, far = { ROUTE_KERNEL, MECH_NR }, neg = { ROUTE_ANSWER, -1 };

	CHECK_EQ(sys_kill(EP_DS, 0, 0, 0), -K_EINVAL, "signal 0");
	CHECK_EQ(sys_kill(EP_DS, 65, 0, 0), -K_EINVAL, "signal 65");
	CHECK_EQ(sys_endksig(EP_DS), -K_EINVAL, "endksig with nothing pending");
	CHECK_EQ(sys_runctl(EP_DS, 99, 0, 0), -K_EINVAL, "runctl operation");
	CHECK_EQ(sys_runctl(EP_SELF, RUNCTL_STOP, 0, 0), -K_EINVAL, "stopping oneself");
	CHECK_EQ(sys_sigmask(EP_DS, 99, 0, 0), -K_EINVAL, "sigmask operation");
	CHECK_EQ(sys_schedule(EP_DS, 16, 0, 0), -K_EINVAL, "priority 16");
	CHECK_EQ(sys_schedule(EP_DS, 4, 0, 1ull << 63), -EBADCPU, "a CPU that is not there");
	CHECK_EQ(sys_route(2, 0, 1, &bad), -K_EINVAL, "route table 2");
	CHECK_EQ(sys_route(0, ROUTE_NR, 1, &bad), -K_EINVAL, "route behind the last");
	CHECK_EQ(sys_route(0, 500, 1, &bad), -K_EINVAL, "route kind");
	CHECK_EQ(sys_route(0, 500, 1, &far), -K_EINVAL, "route mechanism");
	CHECK_EQ(sys_route(0, 500, 1, &neg), -K_EINVAL, "route answer");
	CHECK_EQ(sys_getinfo((enum getinfo_what)99, 0, 0, 0, 0), -K_EINVAL, "getinfo table");
	CHECK_EQ(sys_exec(EP_DS, 0xffff800000000000ull, 0x1000, "x"), -K_EINVAL, "exec into the kernel");
	CHECK_EQ(sys_clear(EP_SELF), -K_EINVAL, "clearing oneself");
	CHECK_EQ(sys_privctl(EP_DS, (enum privctl_op)99, 0, 0, 0), -K_EINVAL, "privctl operation");
	CHECK_EQ(sys_settime(1), -K_EINVAL, "time before boot");
	CHECK_EQ(sys_abort(77, 0), -K_EINVAL, "abort how");
}

static void privileges(void)
{
	struct priv_spec s = spec_all();
	struct priv_io_range io = { 0x60, 0x64 };
	struct priv_mem_range mem = { 0xfd000000, 0xfdffffff };
	endpoint_t e = 0;
	uint64_t id = 0;

	sys_fork(EP_NONE, 0, 0, 0, &e);
	CHECK_EQ(sys_privctl(e, PRIVCTL_GET_ID, 0, 0, &id), 0, "privilege id");
	CHECK_EQ(id, 0, "of a fresh process: the user slot");
	CHECK_EQ(sys_privctl(e, PRIVCTL_ADD_IO, &io, sizeof(io), 0), -K_EPERM, "nothing can be added to the user slot");
	s.nr_io = NR_IO_RANGES + 1;
	CHECK_EQ(sys_privctl(e, PRIVCTL_SET_SYS, &s, sizeof(s), 0), -K_EINVAL, "too many ranges");
	s = spec_all();
	s.flags |= PRIV_CHECK_MEM;
	CHECK_EQ(sys_privctl(e, PRIVCTL_SET_SYS, &s, sizeof(s), &id), 0, "privileges set");
	CHECK(id > EP_BOOT_LAST && id < NR_SYS_PROCS, "dynamic id");
	for (int i = 0; i < NR_IO_RANGES; i++, io.first++)
		CHECK_EQ(sys_privctl(e, PRIVCTL_ADD_IO, &io, sizeof(io), 0), i <= 4 ? 0 : -K_EINVAL, "ports added");
	CHECK_EQ(sys_privctl(e, PRIVCTL_QUERY_MEM, &mem, sizeof(mem), 0), -K_EPERM, "memory not granted");
	CHECK_EQ(sys_privctl(e, PRIVCTL_ADD_MEM, &mem, sizeof(mem), 0), 0, "memory added");
	CHECK_EQ(sys_privctl(e, PRIVCTL_ADD_MEM, &mem, sizeof(mem), 0), 0, "twice");
	CHECK_EQ(sys_privctl(e, PRIVCTL_QUERY_MEM, &mem, sizeof(mem), 0), 0, "memory granted");
	CHECK_EQ(sys_privctl(e, PRIVCTL_ALLOW, 0, 0, 0), 0, "allowed");
	CHECK_EQ(sys_privctl(e, PRIVCTL_SET_SYS, &s, sizeof(s), 0), -K_EPERM, "set again while allowed");
	CHECK_EQ(sys_privctl(e, PRIVCTL_UPDATE_SYS, &s, sizeof(s), 0), 0, "update while allowed");
	CHECK_EQ(sys_privctl(e, PRIVCTL_DISALLOW, 0, 0, 0), 0, "disallowed");
	CHECK_EQ(sys_privctl(e, PRIVCTL_SET_USER, 0, 0, 0), 0, "made a user");
	sys_clear(e);
}

static void privileges_run_out(void)
{
	static endpoint_t all[NR_SYS_PROCS];
	struct priv_spec s = spec_all();
	int n = 0;
	err_t err = 0;

	for (; n < NR_SYS_PROCS && !err; n += !err) {
		sys_fork(EP_NONE, 0, 0, 0, &all[n]);
		err = sys_privctl(all[n], PRIVCTL_SET_SYS, &s, sizeof(s), 0);
	}
	CHECK_EQ(err, -28, "privilege slots run out with ENOSPC");
	for (; n >= 0; n--)
		sys_clear(all[n]);
}

/* ---- devices ---- */

static void try_ports(struct thread *t)
{
	struct devio v[2] = { { .port = 0x70, .width = 1, .write = 1, .value = 0 }, { .port = 0x71, .width = 1 } };
	uint8_t bytes[4];
	uint32_t in = 0;

	t->r[0] = sys_devio(0x70, 1, 1, 10, 0);
	t->r[1] = sys_devio(0x71, 1, 0, 0, &in);
	t->r[2] = sys_devio(0x72, 1, 0, 0, &in);
	t->r[3] = sys_devio(0x71, 2, 0, 0, &in);
	t->r[4] = sys_vdevio(v, 2);
	t->r[5] = sys_sdevio(0x71, 1, 0, bytes, 4);
	t->r[6] = sys_devio(0x71, 3, 0, 0, &in);
	t->r[7] = sys_devio(0xffff, 4, 0, 0, &in);
}

static void ports(void)
{
	struct priv_spec s = spec_all();
	struct thread *t;

	s.flags |= PRIV_CHECK_IO | PRIV_CHECK_IRQ;
	s.nr_io = 1;
	s.io[0] = (struct priv_io_range){ 0x70, 0x71 };
	t = spawn_service(&s, try_ports, 0, 0);
	spawn_start(t);
	CHECK(wait_done(t), "port thread");
	CHECK_EQ(t->r[0], 0, "port in range");
	CHECK_EQ(t->r[1], 0, "port in range, read");
	CHECK_EQ(t->r[2], -K_EPERM, "port out of range");
	CHECK_EQ(t->r[3], -K_EPERM, "access half out of range");
	CHECK_EQ(t->r[4], 0, "vector");
	CHECK_EQ(t->r[5], 0, "string");
	CHECK_EQ(t->r[6], -K_EINVAL, "width 3");
	CHECK_EQ(t->r[7], -K_EINVAL, "beyond the last port");
	reap(t);
}

/* The clock chip's periodic interrupt, line 8. */
static void rtc_interrupts(struct thread *t)
{
	uint64_t hook = 99;
	struct message m;
	uint32_t status, in = 0;

	t->r[0] = sys_irqctl(IRQCTL_SET, 9, 0, 0, &hook);
	t->r[1] = sys_irqctl(IRQCTL_SET, 8, 7, IRQ_REENABLE, &hook);
	sys_devio(0x70, 1, 1, 0x0b, 0);
	sys_devio(0x71, 1, 0, 0, &in);
	sys_devio(0x70, 1, 1, 0x0b, 0);
	sys_devio(0x71, 1, 1, in | 0x40, 0);
	for (int i = 0; i < 3; i++) {
		sys_devio(0x70, 1, 1, 0x0c, 0);
		sys_devio(0x71, 1, 0, 0, 0);
		ipc_receive(EP_HARDWARE, &m, &status);
		t->r[2] += ipc_is_notify(status) && m.w[2] == 1 << 7;
	}
	sys_devio(0x70, 1, 1, 0x0b, 0);
	sys_devio(0x71, 1, 1, in & ~0x40u, 0);
	t->r[3] = sys_irqctl(IRQCTL_DISABLE, (uint32_t)hook, 0, 0, 0);
	t->r[4] = sys_irqctl(IRQCTL_REMOVE, (uint32_t)hook, 0, 0, 0);
	t->r[5] = sys_irqctl(IRQCTL_REMOVE, (uint32_t)hook, 0, 0, 0);
	t->r[6] = sys_irqctl(IRQCTL_SET, 8, 7, IRQ_REENABLE, &hook);
}

static void interrupts(void)
{
	struct priv_spec s = spec_all();
	struct thread *t;

	s.flags |= PRIV_CHECK_IRQ;
	s.nr_irq = 1;
	s.irq[0] = 8;
	t = spawn_service(&s, rtc_interrupts, 0, 0);
	spawn_start(t);
	CHECK(wait_done(t), "interrupts arrive");
	CHECK_EQ(t->r[0], -K_EPERM, "line not granted");
	CHECK_EQ(t->r[1], 0, "line granted");
	CHECK_EQ(t->r[2], 3, "notifications carry the id");
	CHECK_EQ(t->r[3], 0, "disable");
	CHECK_EQ(t->r[4], 0, "remove");
	CHECK_EQ(t->r[5], -K_EINVAL, "remove twice");
	CHECK_EQ(t->r[6], 0, "hook left to the end of its owner");
	reap(t);
	CHECK_EQ(sys_irqctl(IRQCTL_SET, 200, 0, 0, 0), -K_EINVAL, "line 200");
	CHECK_EQ(sys_irqctl(77, 0, 0, 0, 0), -K_EINVAL, "irqctl operation");
}

void check_kcalls(void)
{
	numbers();
	dead_endpoints();
	bad_pointers();
	bad_arguments();
	privileges();
	privileges_run_out();
	ports();
	interrupts();
}
