/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel calls: one typed stub each (abi/kcall.h says what they do). All return 0 or a negative error; results are stored
 * through pointers, which may be 0, and only on success unless a stub says otherwise.
 */
#pragma once
#include <abi/endpoint.h>
#include <abi/grant.h>
#include <abi/info.h>
#include <abi/kcall.h>
#include <abi/ksig.h>
#include <abi/priv.h>
#include <abi/route.h>
#include <abi/vmmap.h>

/* The trap itself: arguments in w[0..6], results come back in w[1..6]. */
err_t kcall(uint32_t number, uint64_t w[MSG_WORDS]);

static inline uint64_t kcall_ep(endpoint_t e) { return (uint64_t)(int64_t)e; }
static inline uint64_t kcall_ptr(const volatile void *p) { return (uint64_t)(uintptr_t)p; }
static inline void kcall_out(uint64_t *out, uint64_t value) { if (out) *out = value; }

/* ---- processes ---- */

static inline err_t sys_fork(endpoint_t parent, uint32_t flags, vaddr_t stack, vaddr_t tls, endpoint_t *child)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(parent), flags, stack, tls };
	err_t r = kcall(KC_FORK, w);

	if (r == 0)
		*child = (endpoint_t)w[1];
	return r;
}

static inline err_t sys_exec(endpoint_t ep, vaddr_t pc, vaddr_t sp, const char *name)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep), pc, sp, kcall_ptr(name) };

	return kcall(KC_EXEC, w);
}

static inline err_t sys_clear(endpoint_t ep)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep) };

	return kcall(KC_CLEAR, w);
}

static inline __attribute__((noreturn)) void sys_exit(int status)
{
	uint64_t w[MSG_WORDS] = { (uint64_t)(int64_t)status };

	for (;;)
		kcall(KC_EXIT, w);
}

/* w[1] of the answer (privilege id, ...) goes to *out. */
static inline err_t sys_privctl(endpoint_t ep, enum privctl_op op, const void *p, size_t len, uint64_t *out)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep), op, kcall_ptr(p), len };
	err_t r = kcall(KC_PRIVCTL, w);

	if (r == 0)
		kcall_out(out, w[1]);
	return r;
}

static inline err_t sys_runctl(endpoint_t ep, uint32_t op, endpoint_t *waits_for, uint32_t *flags)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep), op };
	err_t r = kcall(KC_RUNCTL, w);

	if (r == 0 && waits_for)
		*waits_for = (endpoint_t)w[1];
	if (r == 0 && flags)
		*flags = (uint32_t)w[2];
	return r;
}

static inline err_t sys_setanswer(endpoint_t ep, uint32_t mask, const uint64_t answers[NR_ANSWERS])
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep), mask, kcall_ptr(answers) };

	return kcall(KC_SETANSWER, w);
}

static inline err_t sys_route(uint32_t table, uint32_t first, uint32_t count, const struct route_entry *entries)
{
	uint64_t w[MSG_WORDS] = { table, first, count, kcall_ptr(entries) };

	return kcall(KC_ROUTE, w);
}

static inline err_t sys_schedule(endpoint_t ep, uint32_t priority, uint64_t quantum_us, uint64_t cpu_mask)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep), priority, quantum_us, cpu_mask };

	return kcall(KC_SCHEDULE, w);
}

/* ---- signals ---- */

static inline err_t sys_kill(endpoint_t ep, int signo, int code, vaddr_t fault_addr)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep), (uint64_t)signo, (uint64_t)(int64_t)code, fault_addr };

	return kcall(KC_KILL, w);
}

static inline err_t sys_getksig(struct ksig_info *info)
{
	uint64_t w[MSG_WORDS] = { kcall_ptr(info) };

	return kcall(KC_GETKSIG, w);
}

static inline err_t sys_endksig(endpoint_t ep)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep) };

	return kcall(KC_ENDKSIG, w);
}

static inline err_t sys_sigsend(endpoint_t ep, const struct sigsend *s, endpoint_t *waits_for)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep), kcall_ptr(s) };
	err_t r = kcall(KC_SIGSEND, w);

	if (r == 0 && waits_for)
		*waits_for = (endpoint_t)w[1];
	return r;
}

static inline err_t sys_sigmask(endpoint_t ep, uint32_t op, uint64_t mask, uint64_t *old)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep), op, mask };
	err_t r = kcall(KC_SIGMASK, w);

	if (r == 0)
		kcall_out(old, w[1]);
	return r;
}

/* ---- copies and grants ---- */

/* *done (may be 0): bytes copied, stored on failure too. */
static inline err_t sys_vircopy(endpoint_t src_ep, vaddr_t src, endpoint_t dst_ep, vaddr_t dst, size_t len, uint32_t flags,
	uint64_t *done)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(src_ep), src, kcall_ep(dst_ep), dst, len, flags };
	err_t r = kcall(KC_VIRCOPY, w);

	kcall_out(done, w[1]);
	return r;
}

/* Out of / into the memory of another process, with the caller's as the other side. */
static inline err_t sys_datacopy_from(endpoint_t ep, vaddr_t src, void *dst, size_t len)
{
	return sys_vircopy(ep, src, EP_SELF, kcall_ptr(dst), len, 0, 0);
}

static inline err_t sys_datacopy_to(endpoint_t ep, vaddr_t dst, const void *src, size_t len)
{
	return sys_vircopy(EP_SELF, kcall_ptr(src), ep, dst, len, 0, 0);
}

static inline err_t sys_safecopyfrom(endpoint_t granter, grant_t grant, uint64_t offset, void *p, size_t len)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(granter), (uint64_t)(int64_t)grant, offset, kcall_ptr(p), len };

	return kcall(KC_SAFECOPYFROM, w);
}

static inline err_t sys_safecopyto(endpoint_t granter, grant_t grant, uint64_t offset, const void *p, size_t len)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(granter), (uint64_t)(int64_t)grant, offset, kcall_ptr(p), len };

	return kcall(KC_SAFECOPYTO, w);
}

static inline err_t sys_vsafecopy(const struct vsafecopy *v, uint32_t n, uint64_t *done)
{
	uint64_t w[MSG_WORDS] = { kcall_ptr(v), n };
	err_t r = kcall(KC_VSAFECOPY, w);

	kcall_out(done, w[1]);
	return r;
}

static inline err_t sys_safememset(endpoint_t granter, grant_t grant, uint64_t offset, uint8_t byte, size_t len)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(granter), (uint64_t)(int64_t)grant, offset, byte, len };

	return kcall(KC_SAFEMEMSET, w);
}

static inline err_t sys_setgrant(const struct grant_entry *table, uint32_t entries)
{
	uint64_t w[MSG_WORDS] = { kcall_ptr(table), entries };

	return kcall(KC_SETGRANT, w);
}

/* ---- memory: for VM ---- */

static inline err_t sys_space(endpoint_t ep, uint32_t op, uint64_t argument, uint64_t *out)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep), op, argument };
	err_t r = kcall(KC_SPACE, w);

	if (r == 0)
		kcall_out(out, w[1]);
	return r;
}

/* *done: operations carried out, stored on failure too. */
static inline err_t sys_map(const struct map_op *ops, uint32_t n, uint64_t *done)
{
	uint64_t w[MSG_WORDS] = { kcall_ptr(ops), n };
	err_t r = kcall(KC_MAP, w);

	kcall_out(done, w[1]);
	return r;
}

static inline err_t sys_mapread(endpoint_t ep, vaddr_t addr, struct map_page *pages, uint32_t n, uint64_t *filled,
	vaddr_t *next)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep), addr, kcall_ptr(pages), n };
	err_t r = kcall(KC_MAPREAD, w);

	if (r == 0) {
		kcall_out(filled, w[1]);
		kcall_out(next, w[2]);
	}
	return r;
}

static inline err_t sys_ptframes(uint32_t op, paddr_t *frames, uint32_t n, uint64_t *done, uint64_t *pool)
{
	uint64_t w[MSG_WORDS] = { op, kcall_ptr(frames), n };
	err_t r = kcall(KC_PTFRAMES, w);

	kcall_out(done, w[1]);
	kcall_out(pool, w[2]);
	return r;
}

/* The operations and their arguments: abi/vmmap.h. *out gets w[1], on failure too. */
static inline err_t sys_vmctl(uint32_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t *out)
{
	uint64_t w[MSG_WORDS] = { op, a1, a2, a3, a4 };
	err_t r = kcall(KC_VMCTL, w);

	kcall_out(out, w[1]);
	return r;
}

static inline err_t sys_physcopy(paddr_t src, paddr_t dst, uint64_t len)
{
	uint64_t w[MSG_WORDS] = { src, dst, len };

	return kcall(KC_PHYSCOPY, w);
}

static inline err_t sys_memset(paddr_t paddr, uint64_t len, uint8_t byte)
{
	uint64_t w[MSG_WORDS] = { paddr, len, byte };

	return kcall(KC_MEMSET, w);
}

static inline err_t sys_umap(endpoint_t ep, vaddr_t addr, uint64_t len, paddr_t *paddr, uint64_t *contiguous)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep), addr, len };
	err_t r = kcall(KC_UMAP, w);

	if (r == 0) {
		kcall_out(paddr, w[1]);
		kcall_out(contiguous, w[2]);
	}
	return r;
}

/* *runs: in, room; out, how many there are. granter EP_SELF: own memory, at the segments' offsets. */
static inline err_t sys_vumap(endpoint_t granter, const struct vumap_seg *segs, uint32_t n, uint32_t access, struct phys_run *runs,
	uint32_t *nr_runs)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(granter), kcall_ptr(segs), n, access, kcall_ptr(runs), *nr_runs };
	err_t r = kcall(KC_VUMAP, w);

	if (r == 0)
		*nr_runs = (uint32_t)w[1];
	return r;
}

/* ---- devices ---- */

/* A message (MSI) that notifies with notify_id: what the device must write where. */
static inline err_t sys_irqctl_msi(uint32_t notify_id, uint64_t *hook, uint64_t *address, uint32_t *data)
{
	uint64_t w[MSG_WORDS] = { IRQCTL_MSI, 0, notify_id };
	err_t r = kcall(KC_IRQCTL, w);

	if (r == 0) {
		kcall_out(hook, w[1]);
		*address = w[2];
		*data = (uint32_t)w[3];
	}
	return r;
}

static inline err_t sys_irqctl(uint32_t op, uint32_t irq, uint32_t notify_id, uint32_t flags, uint64_t *hook)
{
	uint64_t w[MSG_WORDS] = { op, irq, notify_id, flags };
	err_t r = kcall(KC_IRQCTL, w);

	if (r == 0)
		kcall_out(hook, w[1]);
	return r;
}

static inline err_t sys_devio(uint16_t port, uint32_t width, int write, uint32_t value, uint32_t *in)
{
	uint64_t w[MSG_WORDS] = { port, width, (uint64_t)(write != 0), value };
	err_t r = kcall(KC_DEVIO, w);

	if (r == 0 && in)
		*in = (uint32_t)w[1];
	return r;
}

static inline err_t sys_sdevio(uint16_t port, uint32_t width, int write, void *p, uint64_t count)
{
	uint64_t w[MSG_WORDS] = { port, width, (uint64_t)(write != 0), kcall_ptr(p), count };

	return kcall(KC_SDEVIO, w);
}

static inline err_t sys_vdevio(struct devio *v, uint32_t n)
{
	uint64_t w[MSG_WORDS] = { kcall_ptr(v), n };

	return kcall(KC_VDEVIO, w);
}

/* ---- time ---- */

/* Deadline in ns since boot, 0 = off. A notification from EP_CLOCK arrives then. */
static inline err_t sys_setalarm(nstime_t deadline, nstime_t *left)
{
	uint64_t w[MSG_WORDS] = { deadline };
	err_t r = kcall(KC_SETALARM, w);

	if (r == 0)
		kcall_out(left, w[1]);
	return r;
}

static inline err_t sys_vtimer(endpoint_t ep, uint32_t which, nstime_t ns, nstime_t *left)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep), which, ns };
	err_t r = kcall(KC_VTIMER, w);

	if (r == 0)
		kcall_out(left, w[1]);
	return r;
}

static inline err_t sys_times(endpoint_t ep, nstime_t *user, nstime_t *system, nstime_t *uptime)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep) };
	err_t r = kcall(KC_TIMES, w);

	if (r == 0) {
		kcall_out(user, w[1]);
		kcall_out(system, w[2]);
		kcall_out(uptime, w[3]);
	}
	return r;
}

/* Nanoseconds since boot. */
static inline nstime_t sys_uptime(void)
{
	nstime_t now = 0;

	sys_times(EP_SELF, 0, 0, &now);
	return now;
}

static inline err_t sys_settime(nstime_t realtime)
{
	uint64_t w[MSG_WORDS] = { realtime };

	return kcall(KC_SETTIME, w);
}

/* ---- the rest ---- */

static inline err_t sys_getinfo(enum getinfo_what what, void *p, size_t len, uint64_t index, uint64_t *bytes)
{
	uint64_t w[MSG_WORDS] = { what, kcall_ptr(p), len, index };
	err_t r = kcall(KC_GETINFO, w);

	if (r == 0)
		kcall_out(bytes, w[1]);
	return r;
}

static inline err_t sys_futexwake(endpoint_t ep, vaddr_t addr, uint32_t count)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep), addr, count };

	return kcall(KC_FUTEXWAKE, w);
}

static inline err_t sys_sendacancel(endpoint_t dst, uint64_t *dropped)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(dst) };
	err_t r = kcall(KC_SENDACANCEL, w);

	if (r == 0)
		kcall_out(dropped, w[1]);
	return r;
}

static inline err_t sys_update(endpoint_t src, endpoint_t dst)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(src), kcall_ep(dst) };

	return kcall(KC_UPDATE, w);
}

static inline err_t sys_statectl(uint32_t op)
{
	uint64_t w[MSG_WORDS] = { op };

	return kcall(KC_STATECTL, w);
}

static inline err_t sys_abort(uint32_t how, int status)
{
	uint64_t w[MSG_WORDS] = { how, (uint64_t)(int64_t)status };

	return kcall(KC_ABORT, w);
}

static inline err_t sys_diag_write(const char *text, size_t len)
{
	uint64_t w[MSG_WORDS] = { DIAG_WRITE, kcall_ptr(text), len };

	return kcall(KC_DIAGCTL, w);
}

/* Text of the kernel's ring log from *position on, which is moved. */
static inline err_t sys_diag_read(char *p, size_t len, uint64_t *position, uint64_t *bytes)
{
	uint64_t w[MSG_WORDS] = { DIAG_READ, kcall_ptr(p), len, *position };
	err_t r = kcall(KC_DIAGCTL, w);

	if (r == 0) {
		*bytes = w[1];
		*position = w[2];
	}
	return r;
}

static inline err_t sys_diag_stacktrace(endpoint_t ep)
{
	uint64_t w[MSG_WORDS] = { DIAG_STACKTRACE, kcall_ep(ep) };

	return kcall(KC_DIAGCTL, w);
}

/* From now on KSIG_LOG tells the caller about new text in the kernel's log. */
static inline err_t sys_diag_register(void)
{
	uint64_t w[MSG_WORDS] = { DIAG_REGISTER };

	return kcall(KC_DIAGCTL, w);
}

static inline err_t sys_trace(endpoint_t ep, uint32_t op, vaddr_t addr, uint64_t data, uint64_t *out)
{
	uint64_t w[MSG_WORDS] = { kcall_ep(ep), op, addr, data };
	err_t r = kcall(KC_TRACE, w);

	if (r == 0)
		kcall_out(out, w[1]);
	return r;
}
