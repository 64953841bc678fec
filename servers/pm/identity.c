/* SPDX-License-Identifier: BSD-2-Clause */
/* What a thread says about itself: prctl, personality, the words in its memory that count at its end; and two calls that need no state. */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <libsys/kcall.h>
#include <string.h>
#include <sys/prctl.h>

/* ---- words in user memory ---- */

int64_t call_set_tid_address(struct task *t, const uint64_t a[6])
{
	t->clear_tid = a[0];
	return t->tid;
}

/* Joiners of this thread wait on that word. Nobody can wait if no other thread has the memory. */
void task_clear_tid(struct task *t)
{
	static const int32_t zero;

	if (!t->clear_tid || !((t->flags & TASK_SHARES_SPACE) || t->group->nr_live > 1))
		return;
	if (user_write(t, t->clear_tid, &zero, sizeof zero) == 0)
		sys_futexwake(t->ep, t->clear_tid, 1);
	t->clear_tid = 0;
}

enum { ROBUST_HEAD_BYTES = 24, ROBUST_MAX = 2048 };
#define FUTEX_WAITERS_BIT 0x80000000u
#define FUTEX_OWNER_DIED_BIT 0x40000000u
#define FUTEX_TID_BITS 0x3fffffffu

int64_t call_set_robust_list(struct task *t, const uint64_t a[6])
{
	if (a[1] != ROBUST_HEAD_BYTES)
		return -EINVAL;
	t->robust_list = a[0];
	return 0;
}

int64_t call_get_robust_list(struct task *t, const uint64_t a[6])
{
	struct task *other = (int32_t)a[0] ? task_of_tid((int32_t)a[0]) : t;
	uint64_t len = ROBUST_HEAD_BYTES;

	if (!other)
		return -ESRCH;
	if (!cred_may_kill(t->cred, other->cred))
		return -EPERM;
	if (user_write(t, a[2], &len, sizeof len) || user_write(t, a[1], &other->robust_list, sizeof other->robust_list))
		return -EFAULT;
	return 0;
}

/* The holder of this futex is gone: say so in the word and wake one who waits. */
static void robust_release(struct task *t, vaddr_t futex)
{
	uint32_t word;

	if ((futex & 3) || user_read(t, futex, &word, sizeof word) != 0 || (word & FUTEX_TID_BITS) != (uint32_t)t->tid)
		return;
	uint32_t left = (word & FUTEX_WAITERS_BIT) | FUTEX_OWNER_DIED_BIT;
	if (user_write(t, futex, &left, sizeof left) == 0 && (word & FUTEX_WAITERS_BIT))
		sys_futexwake(t->ep, futex, 1);
}

/* The list is the program's: any address in it may be wrong and it may be a circle, so its length is bounded. */
void robust_list_walk(struct task *t)
{
	uint64_t head[3], next;		/* first entry, offset of the futex, entry being added or removed */

	if (!t->robust_list || user_read(t, t->robust_list, head, sizeof head) != 0)
		return;
	vaddr_t list = t->robust_list, entry = head[0] & ~1ull, pending = head[2] & ~1ull;
	t->robust_list = 0;
	for (int i = 0; entry != list && i < ROBUST_MAX; i++) {
		if (user_read(t, entry, &next, sizeof next) != 0)
			break;
		if (entry != pending)
			robust_release(t, entry + head[1]);
		entry = next & ~1ull;
	}
	if (pending)
		robust_release(t, pending + head[1]);
}

/* ---- prctl ---- */

enum { TASK_SLACK_DEFAULT_NS = 50000, CAP_LAST_LINUX = 40, PR_SET_VMA_LINUX = 0x53564d41 };

static int64_t prctl_name(struct task *t, vaddr_t addr, bool set)
{
	char name[PROC_NAME_LEN] = { 0 };

	if (!set)
		return user_write(t, addr, t->name, sizeof t->name);
	for (size_t i = 0; i < sizeof name - 1; i++) {
		if (user_read(t, addr + i, &name[i], 1) != 0)
			return -EFAULT;
		if (!name[i])
			break;
	}
	memcpy(t->name, name, sizeof name);
	return 0;
}

static int64_t prctl_set_flag(struct group *g, uint32_t flag, uint64_t value)
{
	if (value > 1)
		return -EINVAL;
	g->flags = value ? g->flags | flag : g->flags & ~flag;
	return 0;
}

static int64_t prctl_store(struct task *t, vaddr_t addr, int32_t value)
{
	return user_write(t, addr, &value, sizeof value);
}

static int64_t prctl_set_pdeathsig(struct task *t, uint64_t signo)
{
	if (signo > SIG_COUNT)
		return -EINVAL;
	t->pdeathsig = (int32_t)signo;
	return 0;
}

int64_t call_prctl(struct task *t, const uint64_t a[6])
{
	struct group *g = t->group;

	switch ((int)a[0]) {
	case PR_SET_NAME:
		return prctl_name(t, a[1], true);
	case PR_GET_NAME:
		return prctl_name(t, a[1], false);
	case PR_SET_PDEATHSIG:
		return prctl_set_pdeathsig(t, a[1]);
	case PR_GET_PDEATHSIG:
		return prctl_store(t, a[1], t->pdeathsig);
	case PR_SET_DUMPABLE:
		return a[1] > 1 ? -EINVAL : prctl_set_flag(g, GROUP_NOT_DUMPABLE, !a[1]);
	case PR_GET_DUMPABLE:
		return !(g->flags & GROUP_NOT_DUMPABLE);
	case PR_SET_KEEPCAPS:
		return prctl_set_flag(g, GROUP_KEEPCAPS, a[1]);
	case PR_GET_KEEPCAPS:
		return (g->flags & GROUP_KEEPCAPS) != 0;
	case PR_SET_NO_NEW_PRIVS:
		return a[1] != 1 || a[2] || a[3] || a[4] ? -EINVAL : prctl_set_flag(g, GROUP_NO_NEW_PRIVS, 1);
	case PR_GET_NO_NEW_PRIVS:
		return a[1] || a[2] || a[3] || a[4] ? -EINVAL : (g->flags & GROUP_NO_NEW_PRIVS) != 0;
	case PR_SET_CHILD_SUBREAPER:
		return prctl_set_flag(g, GROUP_SUBREAPER, a[1] != 0);
	case PR_GET_CHILD_SUBREAPER:
		return prctl_store(t, a[1], (g->flags & GROUP_SUBREAPER) != 0);
	case PR_SET_TIMERSLACK:
		t->timer_slack_ns = a[1] && a[1] < 0xffffffff ? (uint32_t)a[1] : 0;
		return 0;
	case PR_GET_TIMERSLACK:
		return t->timer_slack_ns ? t->timer_slack_ns : TASK_SLACK_DEFAULT_NS;
	case PR_CAPBSET_READ:
		return a[1] > CAP_LAST_LINUX ? -EINVAL : 1;
	case PR_CAPBSET_DROP:
		return a[1] > CAP_LAST_LINUX ? -EINVAL : cred_is_root(t->cred) ? 0 : -EPERM;
	case PR_GET_SECUREBITS: case PR_GET_SECCOMP:
		return 0;
	}
	return -EINVAL;
}

int64_t call_personality(struct task *t, const uint64_t a[6])
{
	(void)t, (void)a;
	return 0;	/* PER_LINUX before and after, whatever is asked for */
}

/* ---- random bytes ---- */

enum { GRND_FLAGS = 7, RANDOM_CHUNK = 256 };

int64_t call_getrandom(struct task *t, const uint64_t a[6])
{
	uint64_t len = a[1] > 0x7fffffff ? 0x7fffffff : a[1], done = 0;
	uint8_t bytes[RANDOM_CHUNK];

	if (a[2] & ~(uint64_t)GRND_FLAGS || (a[2] & 6) == 6)
		return -EINVAL;
	if (!pm.random_ready) {
		random_init(&pm.random);
		pm.random_ready = true;
	}
	/* A long request is cut short, as by a signal on Linux, so that it does not keep PM from others. */
	if (len > 1 << 16)
		len = 1 << 16;
	while (done < len) {
		size_t n = len - done < sizeof bytes ? (size_t)(len - done) : sizeof bytes;
		random_bytes(&pm.random, bytes, n);
		if (user_write(t, a[0] + done, bytes, n) != 0)
			return done ? (int64_t)done : -EFAULT;
		done += n;
	}
	return (int64_t)done;
}

/* ---- membarrier: whoever runs is stopped for a moment, which is a barrier ---- */

enum { MB_QUERY = 0, MB_GLOBAL = 1, MB_GLOBAL_EXPEDITED = 2, MB_REGISTER_GLOBAL = 4, MB_PRIVATE = 8, MB_REGISTER_PRIVATE = 16 };

static void barrier_on(struct task *self, struct group *g)
{
	for (struct task *t = g->tasks; t; t = t->next) {
		if (t == self || t->state != TASK_LIVE || (t->flags & TASK_HALTED))
			continue;
		sys_runctl(t->ep, RUNCTL_STOP, 0, 0);
		sys_runctl(t->ep, RUNCTL_RESUME, 0, 0);
	}
}

int64_t call_membarrier(struct task *t, const uint64_t a[6])
{
	if (a[1])
		return -EINVAL;
	switch ((int)a[0]) {
	case MB_QUERY:
		return MB_GLOBAL | MB_GLOBAL_EXPEDITED | MB_REGISTER_GLOBAL | MB_PRIVATE | MB_REGISTER_PRIVATE;
	case MB_REGISTER_GLOBAL: case MB_REGISTER_PRIVATE:
		return 0;
	case MB_PRIVATE:
		barrier_on(t, t->group);
		return 0;
	case MB_GLOBAL: case MB_GLOBAL_EXPEDITED:
		for (struct group *g = group_first(); g; g = g->all_next)
			barrier_on(t, g);
		return 0;
	}
	return -EINVAL;
}
