/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork, vfork, clone, clone3: one path for all.
 *
 * The child's records are made first, then the kernel makes the process (stopped), VM its memory, VFS its descriptors; each failure
 * undoes what is done and nothing has been seen by anybody. Then the child runs and the parent is answered, at once or, after
 * a vfork, when the child has given the memory back by exec or exit.
 */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <libsef/sef.h>
#include <proto/vfs.h>
#include <sched.h>
#include <string.h>

struct clone_params {
	uint64_t flags, stack, tls;
	vaddr_t parent_tid, child_tid;
	int exit_signal;
};

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
static const uint64_t CLONE_INTO_CGROUP_FLAG = 0x200000000ull;
static const uint64_t CLONE_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID
	| CLONE_NEWNET;

static err_t clone_check_flags(struct task *t, uint64_t f)
{
	if ((f & (CLONE_NEWNS | CLONE_FS)) == (CLONE_NEWNS | CLONE_FS))
		return -EINVAL;
	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
		return -EINVAL;
	if ((f & CLONE_PARENT) && (t->group->flags & GROUP_IS_INIT))
		return -EINVAL;
	if (f & CLONE_NAMESPACES)
		return cred_is_root(t->cred) ? -EINVAL : -EPERM;
	if (f & (CLONE_PIDFD | CLONE_INTO_CGROUP_FLAG))
		return -EINVAL;
	return 0;
}

static err_t clone_check_limits(struct task *t)
{
	rlim_t limit = t->group->limits[RLIMIT_NPROC].rlim_cur;

	if (t->cred->uid == 0 || limit == RLIM_INFINITY)
		return 0;
	return group_count_of_uid(t->cred->uid) >= limit ? -EAGAIN : 0;
}

static void group_inherit(struct group *g, const struct group *from)
{
	memcpy(g->limits, from->limits, sizeof g->limits);
	g->nice = from->nice;
	g->flags = from->flags & (GROUP_NO_NEW_PRIVS | GROUP_NOT_DUMPABLE | GROUP_KEEPCAPS);
	group_set_pgid(g, from->pgid);
	group_set_sid(g, from->sid);
}

static struct group *clone_group(struct task *t, const struct clone_params *p, int32_t pid)
{
	struct group *g = group_create(pid);

	if (!g)
		return 0;
	g->actions = p->flags & CLONE_SIGHAND ? actions_share(t->group->actions) : actions_copy(t->group->actions);
	if (!g->actions) {
		group_destroy(g);
		return 0;
	}
	group_inherit(g, t->group);
	bool brother = (p->flags & CLONE_PARENT) && t->group->parent;
	g->exit_signal = brother ? t->group->exit_signal : p->exit_signal;
	group_set_parent(g, brother ? t->group->parent : t->group);
	return g;
}

static err_t clone_process(struct task *t, const struct clone_params *p, endpoint_t *child)
{
	uint32_t flags = 0;

	if (p->flags & CLONE_VM)
		flags |= KFORK_THREAD;
	if (p->flags & CLONE_SETTLS)
		flags |= KFORK_SETTLS;
	if (p->stack)
		flags |= KFORK_STACK;
	return sys_fork(t->ep, flags, p->stack, p->tls, child) ? -EAGAIN : 0;
}

static err_t clone_at_peers(struct task *t, const struct clone_params *p, endpoint_t child, int32_t pid)
{
	uint32_t flags = 0;
	err_t r = peer_vm_fork(t->ep, child, p->flags & CLONE_VM);

	if (r != 0)
		return r;
	if (p->flags & CLONE_FILES)
		flags |= VFS_FORK_FILES;
	if (p->flags & CLONE_FS)
		flags |= VFS_FORK_FS;
	if (p->flags & CLONE_THREAD)
		flags |= VFS_FORK_THREAD;
	r = peer_vfs_fork(t->ep, child, pid, flags);
	if (r != 0)
		peer_vm_exit(child);
	return r;
}

/* What a new task takes over from its maker. */
static void task_inherit(struct task *c, const struct task *t, const struct clone_params *p)
{
	c->cred = cred_get(t->cred);
	if (!(p->flags & CLONE_VM) || (p->flags & CLONE_VFORK))
		c->altstack = t->altstack;
	c->cpu_mask = t->cpu_mask;
	c->policy = t->policy;
	c->rt_priority = t->rt_priority;
	c->ioprio = t->ioprio;
	c->timer_slack_ns = t->timer_slack_ns;
	memcpy(c->name, t->name, sizeof c->name);
	if (p->flags & CLONE_VM)
		c->flags |= TASK_SHARES_SPACE;
	if (p->flags & CLONE_CHILD_CLEARTID)
		c->clear_tid = p->child_tid;
}

static void clone_store_tid(struct task *t, struct task *c, const struct clone_params *p)
{
	if (p->flags & CLONE_PARENT_SETTID)
		user_write(t, p->parent_tid, &c->tid, sizeof c->tid);
	if (p->flags & CLONE_CHILD_SETTID)
		user_write(c, p->child_tid, &c->tid, sizeof c->tid);
}

static void clone_start(struct task *t, struct task *c, const struct clone_params *p)
{
	clone_store_tid(t, c, p);
	task_set_answers(c);
	pm.forks++;
	if ((p->flags & CLONE_VFORK) && !(p->flags & CLONE_THREAD)) {
		c->group->vfork_parent = t;
		t->vfork_child = c->group;
		t->wait = TASK_WAIT_VFORK;
	}
	sys_runctl(c->ep, RUNCTL_RESUME, 0, 0);
}

static int64_t clone_do(struct task *t, const struct clone_params *p)
{
	endpoint_t child;
	err_t r = clone_check_flags(t, p->flags);

	if (r == 0)
		r = clone_check_limits(t);
	if (r != 0)
		return r;
	int32_t tid = pid_alloc(&pm.pids);
	bool thread = p->flags & CLONE_THREAD;
	struct group *g = !tid ? 0 : thread ? t->group : clone_group(t, p, tid);
	if (!g)
		return -EAGAIN;
	r = clone_process(t, p, &child);
	if (r == 0) {
		r = clone_at_peers(t, p, child, g->pid);
		if (r != 0)
			sys_clear(child);
	}
	if (r != 0) {
		if (!thread)
			group_destroy(g);
		return r;
	}
	struct task *c = &pm.tasks[endpoint_slot(child)];
	task_join(c, child, tid, g);
	task_inherit(c, t, p);
	clone_start(t, c, p);
	return tid;
}

int64_t call_fork(struct task *t, const uint64_t a[6])
{
	(void)a;
	return clone_do(t, &(struct clone_params){ .exit_signal = SIGCHLD });
}

int64_t call_vfork(struct task *t, const uint64_t a[6])
{
	(void)a;
	return clone_do(t, &(struct clone_params){ .flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD });
}

int64_t call_clone(struct task *t, const uint64_t a[6])
{
	return clone_do(t, &(struct clone_params){ .flags = (uint32_t)a[0] & ~(uint64_t)CSIGNAL, .stack = a[1],
		.parent_tid = a[2], .child_tid = a[3], .tls = a[4], .exit_signal = (int)(a[0] & CSIGNAL) });
}

struct clone_args_v2 {	/* Linux's struct clone_args, 88 bytes; version 0 ends after tls */
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
enum { CLONE_ARGS_V0 = 64 };

static err_t clone3_read(struct task *t, vaddr_t addr, uint64_t size, struct clone_args_v2 *args)
{
	uint8_t rest[PAGE_BYTES];

	memset(args, 0, sizeof *args);
	if (size > PAGE_BYTES)
		return -E2BIG;
	if (size < CLONE_ARGS_V0)
		return -EINVAL;
	if (user_read(t, addr, args, size < sizeof *args ? size : sizeof *args) != 0)
		return -EFAULT;
	if (size <= sizeof *args)
		return 0;
	size -= sizeof *args;
	if (user_read(t, addr + sizeof *args, rest, size) != 0)
		return -EFAULT;
	for (uint64_t i = 0; i < size; i++)
		if (rest[i])
			return -E2BIG;
	return 0;
}

int64_t call_clone3(struct task *t, const uint64_t a[6])
{
	struct clone_args_v2 args;
	err_t r = clone3_read(t, a[0], a[1], &args);

	if (r != 0)
		return r;
	if ((args.flags & CSIGNAL) || (args.flags >> 34) || args.exit_signal > SIG_COUNT || args.set_tid || args.set_tid_size)
		return -EINVAL;
	if ((args.flags & (CLONE_THREAD | CLONE_PARENT)) && args.exit_signal)
		return -EINVAL;
	if ((args.stack == 0) != (args.stack_size == 0))
		return -EINVAL;
	return clone_do(t, &(struct clone_params){ .flags = args.flags, .stack = args.stack ? args.stack + args.stack_size : 0,
		.parent_tid = args.parent_tid, .child_tid = args.child_tid, .tls = args.tls,
		.exit_signal = (int)args.exit_signal });
}
