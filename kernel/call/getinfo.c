/* SPDX-License-Identifier: BSD-2-Clause */
/* KC_GETINFO: tables of the kernel, see abi/info.h. */
#include <abi/info.h>
#include <arch/boot.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/irq.h>
#include <kernel/kcall.h>
#include <kernel/mem.h>
#include <kernel/priv.h>
#include <kernel/route.h>
#include <kernel/sched.h>
#include <kernel/space.h>

static err_t give(struct proc *caller, struct kcall *c, const void *data, uint64_t bytes)
{
	uint64_t n = min_u64(bytes, c->w[2]);
	err_t err = mem_write(caller, c->w[1], data, n);

	if (!err)
		c->w[1] = n;
	return err;
}

static err_t info_whoami(struct proc *caller, struct kcall *c)
{
	struct info_whoami i = { .endpoint = caller->endpoint, .priv_flags = caller->priv->spec.flags, .priv_id = caller->priv->id };

	string_copy(i.name, caller->name, sizeof(i.name));
	return give(caller, c, &i, sizeof(i));
}

static err_t info_kernel(struct proc *caller, struct kcall *c)
{
	struct info_kernel i = { .nr_cpus = arch_cpu_count(), .nr_procs = NR_PROCS, .nr_sys_procs = NR_SYS_PROCS, .tick_hz = 100,
		.now = arch_now_ns(), .boot_realtime = arch_boot_realtime(), .tsc_khz = arch_tsc_khz(),
		.context_switches = sched_switch_count(), .ipc_messages = message_trace.next, .page_faults = vm_fault_count,
		.forks = kcall_fork_count() };

	for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++)
		i.interrupts += get_cpu_var(cpu, cpu_irqs);
	string_copy(i.cpu_model, arch_cpu_model(), sizeof(i.cpu_model));
	return give(caller, c, &i, sizeof(i));
}

static uint32_t proc_state(const struct proc *p)
{
	if (p->rts & RTS_SLOT_FREE)
		return PROC_STATE_FREE;
	if (p->rts & (RTS_STOPPED | RTS_NO_PRIV | RTS_TRACED | RTS_SIG_PENDING | RTS_NO_SPACE))
		return PROC_STATE_STOPPED;
	if (p->rts & RTS_SUSPENDED)
		return PROC_STATE_FAULT;
	if (p->rts & RTS_SENDING)
		return PROC_STATE_SENDING;
	return p->rts ? PROC_STATE_RECEIVING : PROC_STATE_RUN;
}

static void proc_describe(const struct proc *p, struct info_proc *i)
{
	*i = (struct info_proc){ .endpoint = p->endpoint, .waits_for = ipc_waits_for(p), .state = proc_state(p), .rts_flags = p->rts,
		.priority = p->priority, .cpu = p->cpu, .is_user = proc_is_user(p), .user_ns = p->user_ns, .system_ns = p->system_ns,
		.start_ns = p->start_time, .pc = arch_frame_pc(&p->frame), .sp = arch_frame_sp(&p->frame),
		.messages_sent = p->messages_sent, .switches = p->switches, .sig_mask = p->sig_mask, .outbox = p->outbox_count };
	if (i->state == PROC_STATE_FREE)
		return;
	i->priv_id = p->priv->id;
	i->stale_set = p->space ? p->space->stale_set : 0;
	i->stale_refresh = p->space ? p->space->stale_refresh : 0;
	string_copy(i->name, p->name, sizeof(i->name));
}

/* As many slots from index on as the buffer holds. */
static err_t info_proc(struct proc *caller, struct kcall *c)
{
	uint64_t slot = c->w[3], room = c->w[2] / sizeof(struct info_proc), n = 0;
	struct info_proc i;

	if (slot >= NR_PROCS)
		return -EINVAL;
	for (; n < room && slot + n < NR_PROCS; n++) {
		err_t err;

		proc_describe(proc_of_slot((int)(slot + n)), &i);
		err = mem_write(caller, c->w[1] + n * sizeof(i), &i, sizeof(i));
		if (err)
			return err;
	}
	c->w[1] = n * sizeof(i);
	return 0;
}

static err_t info_cpu(struct proc *caller, struct kcall *c)
{
	unsigned cpu = (unsigned)c->w[3];
	struct sched_cpu_stats s;
	struct info_cpu i;

	if (c->w[3] >= arch_cpu_count())
		return -EINVAL;
	sched_stats_get(cpu, &s);
	i = (struct info_cpu){ .id = s.number, .apic_id = arch_cpu_hw_id(cpu), .online = 1, .idle = sched_cpu_idle(cpu),
		.user_ns = s.user_ns, .system_ns = s.system_ns, .idle_ns = s.idle_ns, .irqs = s.irqs, .switches = s.switches,
		.stale_refresh = get_cpu_var(cpu, space_counters).refreshes, .space_loads = get_cpu_var(cpu, space_counters).loads,
		.space_skips = get_cpu_var(cpu, space_counters).skips, .ipis = get_cpu_var(cpu, cpu_kicks) };
	return give(caller, c, &i, sizeof(i));
}

static err_t info_leaks(struct proc *caller, struct kcall *c)
{
	struct info_leaks i = { .slots_used = proc_count(), .priv_used = priv_count(), .spaces = space_count(),
		.pt_frames_pool = ptframe_pool(), .pt_frames_used = ptframe_in_use(), .outbox_used = async_used(),
		.irq_hooks = irq_hook_count(), .alarms = timer_count(), .futex_waiters = futex_waiters() };

	return give(caller, c, &i, sizeof(i));
}

static err_t info_trace(struct proc *caller, struct kcall *c)
{
	static char text[8192];
	size_t n = trace_text(text, sizeof(text));

	return give(caller, c, text, n + 1);
}

/* What the process's answers are (its ids), for who must judge it without asking PM. */
static err_t info_answers(struct proc *caller, struct kcall *c)
{
	struct proc *p = proc_of_endpoint((endpoint_t)c->w[3]);

	return p ? give(caller, c, p->answers, sizeof(p->answers)) : -EDEADEPT;
}

err_t kcall_GETINFO(struct proc *caller, struct kcall *c)
{
	switch (c->w[0]) {
	case GETINFO_WHOAMI: return info_whoami(caller, c);
	case GETINFO_KERNEL: return info_kernel(caller, c);
	case GETINFO_PROC: return info_proc(caller, c);
	case GETINFO_CPU: return info_cpu(caller, c);
	case GETINFO_CMDLINE: return give(caller, c, boot_info.cmdline, strlen(boot_info.cmdline) + 1);
	case GETINFO_LEAKS: return info_leaks(caller, c);
	case GETINFO_IPCTRACE: return info_trace(caller, c);
	case GETINFO_MCFG: return give(caller, c, arch_pci_table, arch_pci_table_bytes);
	case GETINFO_ANSWERS: return info_answers(caller, c);
	default: return -EINVAL;
	}
}
