/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of PM share: see README.md for which file does what. */
#pragma once
#include "pidmap.h"
#include "task.h"

#include <abi/errno.h>
#include <abi/message.h>
#include <proto/pm.h>
#include <librandom/random.h>

/* All state of PM: one struct, so that a reborn PM can be given it as a whole. */
struct pm {
	struct task tasks[NR_PROCS];	/* by kernel slot */
	struct pidmap pids;
	struct group *groups;		/* all, newest first */
	struct group *exits, *exits_last;	/* about to end, see group_exit() */
	bool exits_running;
	struct pool group_pool, actions_pool, cred_pool, sigentry_pool, timer_pool;
	struct timer_heap timers;
	nstime_t alarm;			/* deadline the kernel knows, 0 = none */
	nstime_t realtime_offset;	/* realtime = uptime + this */
	struct task *current;		/* whose request is handled, for logs */
	uint32_t nr_tasks;
	uint32_t nr_cpus;
	uint64_t forks;
	uint64_t load[3];		/* 16 fraction bits */
	struct timer load_timer, boot_timer, reboot_timer;
	uint32_t boot_tries, reboot_how;
	struct random random;
	bool random_ready, cad_enabled;
	char hostname[65], domainname[65];
};
extern struct pm pm;

/* ---- peer.c: VM and VFS; all of them answered at once ---- */
err_t peer_vm_fork(endpoint_t parent, endpoint_t child, bool share);
void peer_vm_exit(endpoint_t ep);
err_t peer_vfs_fork(endpoint_t parent, endpoint_t child, int32_t pid, uint32_t flags);
void peer_vfs_exit(endpoint_t ep);
err_t peer_vfs_setcred(struct task *t);
void peer_vfs_setids(struct group *g);
void peer_rlimit(struct group *g, uint32_t resource);
void peer_cancel(endpoint_t server, endpoint_t ep);

/* ---- user memory ---- */
err_t user_read(struct task *t, vaddr_t addr, void *p, size_t len);	/* 0 or -EFAULT */
err_t user_write(struct task *t, vaddr_t addr, const void *p, size_t len);

/* ---- fork.c, exec.c, exit.c, wait.c ---- */
void exec_on_reply(const struct message *m);
void task_exit(struct task *t, int status);		/* one thread ends; status counts if it is the last */
void group_exit(struct group *g, int status);		/* wait status: code << 8 or signal */
void group_kill_others(struct group *g, struct task *keep);	/* exec: all other threads end */
void group_reap(struct group *g);
void vfork_release(struct group *child);
void wait_notify(struct group *child);			/* an event of the child: complete waits of its parent */
void wait_retry(struct group *parent);
void rusage_of_group(struct group *g, struct rusage *r, bool whole);
void group_times(struct group *g, nstime_t *user, nstime_t *system);

/* ---- signal.c ---- */
void sig_entry_user(struct sig_entry *e, int signo, int code, struct task *sender);
void sig_entry_kernel(struct sig_entry *e, int signo);
err_t signal_to_group(struct group *g, const struct sig_entry *e);
err_t signal_to_task(struct task *t, const struct sig_entry *e);
void signal_force(struct task *t, const struct sig_entry *e);	/* a fault: cannot be blocked or ignored */
bool signal_deliver(struct task *t);		/* act on what is pending and not blocked; false: the group has ended */
void signal_deliver_group(struct group *g);
bool signal_is_deaf(struct task *t, int signo);	/* blocked or ignored */
uint64_t task_sigmask(struct task *t);
void actions_reset(struct group *g);		/* exec */
struct sig_actions *actions_share(struct sig_actions *a);
struct sig_actions *actions_copy(const struct sig_actions *a);
void actions_put(struct sig_actions *a);
err_t signal_manager(endpoint_t target, int signo, const struct ksig_info *info);
err_t kill_group_checked(struct task *sender, struct group *g, const struct sig_entry *e);
bool signal_take_waited(struct task *t);	/* rt_sigtimedwait: complete it if one is pending */

/* ---- job.c ---- */
bool pgrp_is_orphaned(int32_t pgid, struct group *except);
/* `parent` of g is gone, or `gone` is: stopped members of g's process group that nobody can continue get SIGHUP, SIGCONT. */
void pgrp_check_orphaned(struct group *g, struct group *parent, struct group *gone);
void group_stop(struct group *g, int signo);
void group_continue(struct group *g);
void parent_notify(struct group *g, int code);		/* SIGCHLD with CLD_* */
void job_tty_signal(const struct message *m);
void job_kill_message(const struct message *m);
void signalfd_request(const struct message *m);
void signalfd_posted(struct group *g, int signo);

/* ---- timers ---- */
nstime_t time_now(void);
void timer_start(struct timer *t, nstime_t deadline);
void timer_stop(struct timer *t);
void timers_on_alarm(void);
void timers_rearm(void);
void itimer_expired(struct group *g);
void itimer_cpu_expired(struct task *t, int signo);
void itimers_stop(struct group *g);
void posix_timer_expired(struct posix_timer *p);
void posix_timers_delete(struct group *g);
void posix_timer_taken(struct group *g, siginfo_t *info);	/* its signal leaves the queue */
void sleep_expired(struct task *t);
void sleep_interrupted(struct task *t, nstime_t now);
void sleepers_clock_changed(void);
err_t timespec_read(struct task *t, vaddr_t addr, nstime_t *ns);	/* -EFAULT, -EINVAL */
err_t timespec_write(struct task *t, vaddr_t addr, nstime_t ns);
err_t timeval_to_ns(const struct timeval *tv, nstime_t *ns);
void cpu_limit_check(struct group *g);
void cpu_limit_set(struct group *g);

/* ---- the rest ---- */
void limits_default(struct rlimit limits[RLIM_NLIMITS]);
void priority_apply(struct task *t);
void robust_list_walk(struct task *t);
void task_clear_tid(struct task *t);
void routes_install(void);
void boot_start(void);
void boot_retry(void);
void boot_exec_failed(struct task *t, err_t error);
void reboot_now(void);
struct utsname;
void system_names(struct utsname *names);	/* system.c: what uname(2) says */
void info_request(const struct message *m);
void service_request(const struct message *m);
void service_known(endpoint_t ep, const char *name, uint32_t uid);
void load_tick(void);
