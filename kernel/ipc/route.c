/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system-call route table: where a `syscall` goes by its number. PM fills the table of user processes; the table of services is
 * filled here, so that musl's malloc and printf work inside them.
 *
 * If the server of a route dies during a call the caller gets EIO (ipc_clear_refs).
 */
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/ipc.h>
#include <kernel/route.h>
#include <kernel/sched.h>
#include <kernel/signal.h>

struct route_entry route_tables[2][ROUTE_NR];

static mechanism_fn *const mechanisms[MECH_NR] = {
	[MECH_ARCH_PRCTL] = mech_arch_prctl, [MECH_SCHED_YIELD] = mech_sched_yield, [MECH_FUTEX] = mech_futex,
	[MECH_SIGPROCMASK] = mech_sigprocmask, [MECH_SIGRETURN] = mech_sigreturn, [MECH_CLOCK_GETTIME] = mech_clock_gettime,
	[MECH_GETTIMEOFDAY] = mech_gettimeofday, [MECH_TIME] = mech_time, [MECH_GETCPU] = mech_getcpu,
	[MECH_LOG_WRITE] = mech_log_write, [MECH_LOG_WRITEV] = mech_log_writev, [MECH_EXIT] = mech_exit,
	[MECH_SET_TID_ADDRESS] = mech_set_tid_address, [MECH_CLOCK_GETRES] = mech_clock_getres,
	[MECH_SET_ROBUST_LIST] = mech_set_robust_list, [MECH_GET_ROBUST_LIST] = mech_get_robust_list,
};

/* Linux numbers of what services use. */
static const struct { uint16_t number; struct route_entry entry; } service_routes[] = {
	{ 1, { ROUTE_KERNEL, MECH_LOG_WRITE } },	/* write */
	{ 9, { ROUTE_SERVER, EP_VM } },			/* mmap */
	{ 10, { ROUTE_SERVER, EP_VM } },		/* mprotect */
	{ 11, { ROUTE_SERVER, EP_VM } },		/* munmap */
	{ 12, { ROUTE_SERVER, EP_VM } },		/* brk */
	{ 14, { ROUTE_KERNEL, MECH_SIGPROCMASK } },	/* rt_sigprocmask */
	{ 20, { ROUTE_KERNEL, MECH_LOG_WRITEV } },	/* writev */
	{ 24, { ROUTE_KERNEL, MECH_SCHED_YIELD } },
	{ 25, { ROUTE_SERVER, EP_VM } },		/* mremap */
	{ 28, { ROUTE_SERVER, EP_VM } },		/* madvise */
	{ 39, { ROUTE_ANSWER, ANSWER_PID } },		/* getpid */
	{ 60, { ROUTE_KERNEL, MECH_EXIT } },		/* exit */
	{ 96, { ROUTE_KERNEL, MECH_GETTIMEOFDAY } },
	{ 158, { ROUTE_KERNEL, MECH_ARCH_PRCTL } },
	{ 186, { ROUTE_ANSWER, ANSWER_TID } },		/* gettid */
	{ 202, { ROUTE_KERNEL, MECH_FUTEX } },
	{ 218, { ROUTE_KERNEL, MECH_SET_TID_ADDRESS } },
	{ 228, { ROUTE_KERNEL, MECH_CLOCK_GETTIME } },
	{ 231, { ROUTE_KERNEL, MECH_EXIT } },		/* exit_group */
};

/* Index of a call number in a table, ROUTE_NR if it has none. */
static uint64_t route_index(uint64_t number)
{
	if (number < ROUTE_NR_LINUX)
		return number;
	if (number - ROUTE_OWN_BASE < ROUTE_NR_OWN)
		return ROUTE_NR_LINUX + number - ROUTE_OWN_BASE;
	return ROUTE_NR;
}

bool route_entry_valid(const struct route_entry *e)
{
	switch (e->kind) {
	case ROUTE_NOWHERE:
		return true;
	case ROUTE_SERVER:
		return e->target > 0;
	case ROUTE_KERNEL:
		return e->target >= 0 && e->target < MECH_NR;
	case ROUTE_ANSWER:
		return e->target >= 0 && e->target < NR_ANSWERS;
	default:
		return false;
	}
}

void route_init(void)
{
	for (size_t i = 0; i < array_count(service_routes); i++)
		route_tables[ROUTE_TABLE_SERVICE][service_routes[i].number] = service_routes[i].entry;
}

static void route_mechanism(struct proc *p, int32_t mechanism)
{
	uint64_t args[6];
	int64_t result;

	arch_frame_args(&p->frame, args);
	result = mechanisms[mechanism](p, args);
	if (result == -ESUSPEND)
		p->misc |= MF_CALL_RESUME;
	else if (result != -ENORESULT)
		arch_frame_result_set(&p->frame, result);
}

static void route_nowhere(struct proc *p, uint64_t number, uint64_t index)
{
	arch_frame_result_set(&p->frame, -ENOSYS);
	if (index == ROUTE_NR) {
		log_debug("%s(%d): no system call %lx\n", p->name, p->endpoint, number);
		return;
	}
	if (p->enosys_logged[index / 64] >> (index % 64) & 1)
		return;
	p->enosys_logged[index / 64] |= 1ull << (index % 64);
	/* No news at the default level: calls that musl tries and a service has no use for, and those marked as well known. */
	if (proc_is_user(p) && route_tables[ROUTE_TABLE_USER][index].target != ROUTE_QUIET)
		log_printf("%s(%d): system call %lu is not implemented\n", p->name, p->endpoint, number);
	else
		log_debug("%s(%d): system call %lu is not implemented\n", p->name, p->endpoint, number);
}

/* The stops of a traced process around a call; true: stopped before it, the call will be made when the process is resumed. */
static bool route_trace_stop(struct proc *p)
{
	if (p->misc & MF_TRACE_EXIT)
		return false;		/* a parked call that is run again */
	if (!(p->flags & PROC_TRACE_ENTERED)) {
		p->flags |= PROC_TRACE_ENTERED;
		arch_frame_restart(&p->frame);
		signal_trace_stop(p);
		return true;
	}
	p->flags &= ~(uint32_t)(PROC_TRACE_ENTERED | PROC_TRACE_CALLS);
	p->misc |= MF_TRACE_EXIT;
	return false;
}

void route_call(struct proc *p, uint64_t number)
{
	uint64_t index = route_index(number);
	const struct route_entry *e;
	err_t err;

	if (unlikely(index == ROUTE_NR)) {
		route_nowhere(p, number, index);
		return;
	}
	if (unlikely(p->flags & PROC_TRACE_CALLS) && route_trace_stop(p))
		return;
	e = &route_tables[proc_is_user(p) ? ROUTE_TABLE_USER : ROUTE_TABLE_SERVICE][index];
	switch (e->kind) {
	case ROUTE_SERVER:
		err = ipc_sendrec_routed(p, e->target);
		if (err != -ENORESULT)
			arch_frame_result_set(&p->frame, -EIO);
		return;
	case ROUTE_KERNEL:
		route_mechanism(p, e->target);
		return;
	case ROUTE_ANSWER:
		arch_frame_result_set(&p->frame, (int64_t)p->answers[e->target]);
		return;
	default:
		route_nowhere(p, number, index);
	}
}
