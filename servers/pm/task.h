/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks (threads) and groups (processes in POSIX's words).
 *
 * A task is a slot of the kernel's process table that PM manages; `tasks` is indexed by slot and checked by full endpoint. A group is
 * what getpid() names: the tasks that share it, its place in the family tree, its signal actions, limits and timers. Group, actions and
 * credentials come from pools (pool.h).
 *
 *	task	FREE -> LIVE            fork.c, boot.c
 *		LIVE -> DEAD            exit.c: its memory and files are gone; kept while it is a leader with threads left, or a zombie
 *		LIVE, DEAD -> FREE      exit.c: KC_CLEAR done
 *	group	LIVE -> ZOMBIE -> gone  exit.c: the last task died; the parent has waited (or does not want to)
 *
 * A task waits in at most one call here: `wait` says in which, and wait_end() (task.c) is the only way out. The hot fields come first.
 */
#pragma once
#include "cred.h"
#include "sigqueue.h"
#include "timer_heap.h"
#include "wait_match.h"

#include <abi/endpoint.h>
#include <abi/limits.h>
#include <abi/route.h>
#include <stdbool.h>
#include <sys/resource.h>

enum task_state { TASK_FREE, TASK_LIVE, TASK_DEAD, TASK_SERVICE /* known for kill and ps only */ };

enum task_wait {
	TASK_WAIT_NONE,
	TASK_WAIT_CHILD,	/* wait4, waitid */
	TASK_WAIT_PAUSE,	/* pause, rt_sigsuspend */
	TASK_WAIT_SIGNAL,	/* rt_sigtimedwait */
	TASK_WAIT_SLEEP,	/* nanosleep, clock_nanosleep */
	TASK_WAIT_VFORK,	/* parent of a vfork child: ends at its exec or exit */
	TASK_WAIT_EXEC,		/* VFS loads the program */
};

enum task_flag {
	TASK_SHARES_SPACE = 2,	/* clone with CLONE_VM: clear_tid counts */
	TASK_HALTED = 4,	/* RUNCTL_STOP is in force (group stopped) */
	TASK_IN_CALL = 8,	/* a request of it is being handled or waits: an answer is owed */
	TASK_FAULTED = 16,	/* between KC_GETKSIG and KC_ENDKSIG */
};

struct altstack { vaddr_t sp; uint64_t size; uint32_t flags; };

struct child_wait {		/* TASK_WAIT_CHILD */
	struct wait_query query;
	vaddr_t status, rusage, siginfo;
	bool is_waitid;
};
struct sleep_wait { int clock; bool absolute; vaddr_t remaining; };
struct signal_wait { uint64_t set; vaddr_t siginfo; };

struct task {
	/* --- hot --- */
	endpoint_t ep;
	int32_t tid;
	uint8_t state, wait, last_frame /* signal of the last frame posted */, policy;
	uint32_t flags;			/* enum task_flag */
	struct group *group;
	struct cred *cred;
	struct sig_queue pending;	/* sent to this task alone */
	uint64_t hint;			/* last SIGMASK_HINT told to the kernel */
	struct task *next;		/* of the group */

	/* --- waiting --- */
	struct timer timer;
	union { struct child_wait child; struct sleep_wait sleep; struct signal_wait signal; } w;
	struct group *vfork_child;	/* TASK_WAIT_VFORK */

	/* --- cold --- */
	struct altstack altstack;
	vaddr_t clear_tid, robust_list;
	uint64_t robust_len;
	uint64_t cpu_mask;
	int32_t rt_priority, ioprio, pdeathsig;
	uint32_t timer_slack_ns;
	uint32_t service_uid;		/* TASK_SERVICE: the user it counts as */
	nstime_t start;
	char name[PROC_NAME_LEN];
};

struct sig_action { uint64_t handler, flags, restorer, mask; };	/* as Linux's kernel_sigaction */

struct sig_actions {
	uint32_t refs;
	uint64_t ignored, caught;	/* sets: handler is SIG_IGN, a function */
	struct sig_action of[SIG_COUNT + 1];
};

struct posix_timer;

enum group_flag {
	GROUP_STOPPED = 1,
	GROUP_STOP_UNTOLD = 2,	/* parent has not been told by a wait */
	GROUP_CONT_UNTOLD = 4,
	GROUP_ZOMBIE = 8,
	GROUP_EXECED = 16,	/* since fork: setpgid by the parent is refused */
	GROUP_SUBREAPER = 32,
	GROUP_NO_NEW_PRIVS = 64,
	GROUP_NOT_DUMPABLE = 128,
	GROUP_KEEPCAPS = 256,
	GROUP_EXITING = 512,	/* group_exit() is at work */
	GROUP_IS_INIT = 1024,
};

struct group {
	/* --- hot --- */
	int32_t pid, pgid, sid;
	uint32_t flags;			/* enum group_flag */
	struct task *leader;		/* whose tid is pid */
	struct task *tasks;		/* all, the leader among them */
	uint32_t nr_tasks, nr_live;
	struct group *parent;
	struct sig_actions *actions;
	struct sig_queue pending;	/* sent to the group */
	uint64_t signalfd_set;		/* VFS wants to know when one of these comes */

	/* --- family --- */
	struct group *children, *children_last;	/* oldest first */
	struct group *sibling_next, *sibling_prev;
	struct group *all_next, *all_prev;
	struct group *exit_next;	/* in the queue of groups about to end */
	struct task *vfork_parent;	/* waits for our exec or exit */
	struct task *exec_task;		/* does an exec that has passed its point of no return for the others */
	int32_t exit_signal;		/* sent to the parent */
	int32_t exit_status;		/* wait status */
	int32_t stop_signo;
	int32_t nice;

	/* --- accounts, ns --- */
	nstime_t dead_user, dead_system;	/* of ended threads */
	nstime_t children_user, children_system;

	/* --- timers --- */
	struct timer itimer;
	nstime_t itimer_interval, vtimer_interval[2];
	struct task *vtimer_task[2];
	struct posix_timer *posix_timers;
	struct timer cpu_limit;
	int32_t next_timer_id;

	struct rlimit limits[RLIM_NLIMITS];
	uint64_t answers_sent;
};

enum timer_kind { TIMER_TASK, TIMER_ITIMER, TIMER_POSIX, TIMER_CPU_LIMIT, TIMER_BOOT, TIMER_LOAD, TIMER_REBOOT };

/* ---- table ---- */
struct task *task_of(endpoint_t ep);		/* live or dead task with exactly this endpoint, or 0 */
struct task *task_of_slot(int slot);
struct task *task_of_tid(int32_t tid);		/* 0: no such thread */
struct group *group_of_pid(int32_t pid);	/* live or zombie */
struct group *group_first(void);		/* all groups, by all_next */
bool pgrp_exists(int32_t pgid, int32_t sid);	/* sid 0: in any session */

/* ---- making and ending ---- */
/* A new group with its actions, referencing nothing else yet; 0 when memory is short. */
struct group *group_create(int32_t pid);
void group_set_pgid(struct group *g, int32_t pgid);	/* keeps the pid map's references */
void group_set_sid(struct group *g, int32_t sid);
void group_set_parent(struct group *g, struct group *parent);
void group_destroy(struct group *g);		/* no tasks are left */
void task_join(struct task *t, endpoint_t ep, int32_t tid, struct group *g);
void task_leave(struct task *t);		/* out of its group; its slot is FREE afterwards */
void task_take_tid(struct task *t, int32_t tid);
uint32_t group_count_of_uid(uint32_t uid);
uint32_t task_count(void);

/* ---- answering ---- */
void task_answer(struct task *t, int64_t result);
/* End what the task waits for here, if anything, with this result. */
void wait_end(struct task *t, int64_t result);
void task_set_answers(struct task *t);		/* pid, uid, ... in the kernel's slot are true again */
void group_set_answers(struct group *g);

/* ---- credentials ---- */
struct cred *cred_create_root(void);
struct cred *cred_copy(const struct cred *c);	/* refs 1; 0: no memory */
static inline struct cred *cred_get(struct cred *c) { c->refs++; return c; }
void cred_put(struct cred *c);
