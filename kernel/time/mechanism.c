/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls that the kernel answers itself: clocks, masks, thread pointers, small change. Each does what Linux does. */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/sigframe.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/mem.h>
#include <kernel/route.h>
#include <kernel/sched.h>
#include <kernel/signal.h>

enum { NS_PER_SECOND = 1000000000 };
struct linux_timespec { int64_t sec, nsec; };
struct linux_timeval { int64_t sec, usec; };

/* Linux's clock numbers. */
enum { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME, CLOCK_THREAD_CPUTIME, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
       CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM, CLOCK_TAI = 11 };

/* CPU time of all threads that share p's memory. */
static nstime_t process_cpu_time(const struct proc *p)
{
	nstime_t sum = 0;

	if (p->space && p->space->refs == 1)
		return sched_process_time(p);
	for (int slot = 1; slot < NR_PROCS; slot++) {
		const struct proc *q = proc_of_slot(slot);

		if (!(q->rts & RTS_SLOT_FREE) && q->space == p->space)
			sum += sched_process_time(q);
	}
	return sum;
}

/* CPU clock of another process as clock_getcpuclockid() encodes it: ~pid << 3 | 2 (thread: | 4). Answers hold the ids. */
static err_t clock_of_process(struct proc *p, int32_t id, nstime_t *out)
{
	bool thread = id & 4;
	uint64_t pid = (uint64_t)(uint32_t)~(id >> 3);

	if ((id & 3) != 2)
		return -EINVAL;
	if (pid == 0 || pid == p->answers[thread ? ANSWER_TID : ANSWER_PID]) {
		*out = thread ? sched_process_time(p) : process_cpu_time(p);
		return 0;
	}
	for (int slot = 1; slot < NR_PROCS; slot++) {
		struct proc *q = proc_of_slot(slot);

		if ((q->rts & RTS_SLOT_FREE) || q->answers[thread ? ANSWER_TID : ANSWER_PID] != pid)
			continue;
		*out = thread ? sched_process_time(q) : process_cpu_time(q);
		return 0;
	}
	return -EINVAL;
}

static err_t clock_read(struct proc *p, int32_t id, nstime_t *out)
{
	if (id < 0)
		return clock_of_process(p, id, out);
	switch (id) {
	case CLOCK_REALTIME: case CLOCK_REALTIME_COARSE: case CLOCK_REALTIME_ALARM: case CLOCK_TAI:
		*out = time_realtime();
		return 0;
	case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_RAW: case CLOCK_MONOTONIC_COARSE: case CLOCK_BOOTTIME: case CLOCK_BOOTTIME_ALARM:
		*out = arch_now_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME:
		*out = process_cpu_time(p);
		return 0;
	case CLOCK_THREAD_CPUTIME:
		*out = sched_process_time(p);
		return 0;
	default:
		return -EINVAL;
	}
}

int64_t mech_clock_gettime(struct proc *p, const uint64_t *a)
{
	struct linux_timespec ts;
	nstime_t t;
	err_t err = clock_read(p, (int32_t)a[0], &t);

	if (err)
		return err;
	ts = (struct linux_timespec){ (int64_t)(t / NS_PER_SECOND), (int64_t)(t % NS_PER_SECOND) };
	return mem_write(p, a[1], &ts, sizeof(ts));
}

int64_t mech_clock_getres(struct proc *p, const uint64_t *a)
{
	struct linux_timespec ts = { 0, 1 };
	int32_t id = (int32_t)a[0];
	nstime_t t;
	err_t err = clock_read(p, id, &t);

	if (err)
		return err;
	if (id == CLOCK_REALTIME_COARSE || id == CLOCK_MONOTONIC_COARSE)
		ts.nsec = 4000000;
	return a[1] ? mem_write(p, a[1], &ts, sizeof(ts)) : 0;
}

int64_t mech_gettimeofday(struct proc *p, const uint64_t *a)
{
	nstime_t t = time_realtime();
	struct linux_timeval tv = { (int64_t)(t / NS_PER_SECOND), (int64_t)(t % NS_PER_SECOND / 1000) };
	uint64_t zone = 0;
	err_t err = a[0] ? mem_write(p, a[0], &tv, sizeof(tv)) : 0;

	if (!err && a[1])
		err = mem_write(p, a[1], &zone, sizeof(zone));
	return err;
}

int64_t mech_time(struct proc *p, const uint64_t *a)
{
	int64_t seconds = (int64_t)(time_realtime() / NS_PER_SECOND);
	err_t err = a[0] ? mem_write(p, a[0], &seconds, sizeof(seconds)) : 0;

	return err ? err : seconds;
}

int64_t mech_getcpu(struct proc *p, const uint64_t *a)
{
	uint32_t cpu = arch_cpu_id(), node = 0;
	err_t err = a[0] ? mem_write(p, a[0], &cpu, sizeof(cpu)) : 0;

	if (!err && a[1])
		err = mem_write(p, a[1], &node, sizeof(node));
	return err;
}

int64_t mech_sched_yield(struct proc *p, const uint64_t *a)
{
	(void)a;
	sched_yield(p);
	return 0;
}

int64_t mech_arch_prctl(struct proc *p, const uint64_t *a)
{
	err_t err = arch_prctl(p, &p->frame, a[0], a[1]);

	return err == -EAGAIN ? -ESUSPEND : err;
}

enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

static err_t mask_change(struct proc *p, uint64_t how, uint64_t set, uint64_t *mask)
{
	switch (how) {
	case SIG_BLOCK: *mask = p->sig_mask | set; return 0;
	case SIG_UNBLOCK: *mask = p->sig_mask & ~set; return 0;
	case SIG_SETMASK: *mask = set; return 0;
	default: return -EINVAL;
	}
}

/* rt_sigprocmask(how, set, old, sigset bytes). */
int64_t mech_sigprocmask(struct proc *p, const uint64_t *a)
{
	uint64_t set, mask = p->sig_mask, old = p->sig_mask;
	err_t err = 0;

	if (a[3] != sizeof(set))
		return -EINVAL;
	if (a[1])
		err = mem_read(p, &set, a[1], sizeof(set));
	if (!err && a[1])
		err = mask_change(p, a[0], set, &mask);
	if (!err && a[2])
		err = mem_write(p, a[2], &old, sizeof(old));
	if (err)
		return err;
	if (a[1] && mask != old)
		signal_mask_set(p, mask);
	return 0;
}

int64_t mech_sigreturn(struct proc *p, const uint64_t *a)
{
	uint64_t mask;
	err_t err = arch_sigframe_restore(p, &p->frame, &p->fpu, &mask);

	(void)a;
	if (err == -EAGAIN)
		return -ESUSPEND;
	if (err) {
		struct sig_detail d = { .code = SI_KERNEL, .ip = arch_frame_pc(&p->frame) };

		signal_raise(p, SIG_SEGV, &d);
		return 0;
	}
	signal_mask_set(p, mask);
	return -ENORESULT;
}

enum { LOG_CHUNK = 256, LOG_WRITE_MAX = 4096 };

/* A part of a service's text to the log, marked with its name at the start of each write. */
static err_t log_user_text(struct proc *p, vaddr_t addr, uint64_t len)
{
	char text[LOG_CHUNK];

	for (uint64_t done = 0, n; done < len; done += n) {
		err_t err;

		n = min_u64(len - done, sizeof(text));
		err = mem_read(p, text, addr + done, n);
		if (err)
			return err;
		log_write(text, n);
	}
	return 0;
}

int64_t mech_log_write(struct proc *p, const uint64_t *a)
{
	uint64_t len = min_u64(a[2], LOG_WRITE_MAX);
	err_t err;

	if (a[0] != 1 && a[0] != 2)
		return -9;	/* EBADF */
	err = log_user_text(p, a[1], len);
	return err ? err : (int64_t)len;
}

int64_t mech_log_writev(struct proc *p, const uint64_t *a)
{
	enum { MAX_VECTORS = 16 };
	struct { vaddr_t base; uint64_t len; } iov[MAX_VECTORS];
	uint64_t total = 0;
	err_t err;

	if (a[0] != 1 && a[0] != 2)
		return -9;	/* EBADF */
	if (a[2] > MAX_VECTORS)
		return -EINVAL;
	err = mem_read(p, iov, a[1], a[2] * sizeof(iov[0]));
	for (uint64_t i = 0; !err && i < a[2]; i++) {
		uint64_t len = min_u64(iov[i].len, LOG_WRITE_MAX);

		err = log_user_text(p, iov[i].base, len);
		total += len;
	}
	return err ? err : (int64_t)total;
}

/* exit() of a service: a crash for its manager to judge. It never returns. */
int64_t mech_exit(struct proc *p, const uint64_t *a)
{
	struct sig_detail d = { .code = -6 /* SI_TKILL */, .addr = a[0], .ip = arch_frame_pc(&p->frame) };

	log_printf("%s(%d): exits with status %ld\n", p->name, p->endpoint, (long)a[0]);
	signal_raise(p, SIG_ABRT, &d);
	return 0;
}

int64_t mech_set_tid_address(struct proc *p, const uint64_t *a)
{
	p->clear_tid = a[0];
	return proc_is_user(p) ? (int64_t)p->answers[ANSWER_TID] : p->slot;
}

enum { ROBUST_HEAD_BYTES = 24 };

int64_t mech_set_robust_list(struct proc *p, const uint64_t *a)
{
	if (a[1] != ROBUST_HEAD_BYTES)
		return -EINVAL;
	p->robust_list = a[0];
	p->robust_len = a[1];
	return 0;
}

/* Only for the caller itself (thread id 0 or its own). */
int64_t mech_get_robust_list(struct proc *p, const uint64_t *a)
{
	uint64_t len = ROBUST_HEAD_BYTES;
	err_t err;

	if (a[0] && a[0] != p->answers[ANSWER_TID])
		return -EPERM;
	err = mem_write(p, a[1], &p->robust_list, sizeof(p->robust_list));
	return err ? err : mem_write(p, a[2], &len, sizeof(len));
}
