/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of services to PM beside the routed Linux calls.
 *
 * request            who      kind     answered   meaning
 * PM_TTY_SIGNAL      tty      SENDA    later, PM_TTY_SIGNAL + 1 by SENDA when id != 0   signal a process group from a terminal
 * PM_KILL            VFS      SENDA    never      raise a signal on a process (SIGPIPE, SIGXFSZ, SIGIO)
 * PM_INFO            procfs, VFS SENDREC at once  copy a struct pm_info_* by grant
 * PM_SERVICE         RS       SENDA    never      a service has started or is gone: keep pid <-> endpoint
 * PM_SIGNALFD        VFS      SENDA    at once, PM_SIGNALFD + 1 by SENDA   look for, or take, a pending signal of a process; when there is
 *                                                 none, VFS_SIGNALS is sent (once) when one of the set comes
 * PM_TIMER           -        -        -          reserved
 */
#pragma once
#include <abi/endpoint.h>
#include <abi/limits.h>
#include <abi/message.h>

enum { PM_TTY_SIGNAL = MSG_PM, PM_KILL = MSG_PM + 2, PM_INFO = MSG_PM + 4, PM_SERVICE = MSG_PM + 6,
	PM_SIGNALFD = MSG_PM + 8 };

/* VFS's answers to PM (see vfs.h) arrive as VFS_EXEC + 1 etc. */

struct pm_tty_signal_req {
	int32_t pgid, signo;
	endpoint_t ep;		/* job control: the process whose access is judged, else EP_NONE */
	uint32_t id;		/* job control: answer wanted with this id */
};
enum pm_tty_verdict { PM_TTY_SENT, PM_TTY_PROCEED /* SIGTTOU ignored or blocked: go on */,
	PM_TTY_EIO /* orphaned, ignored or blocked SIGTTIN */ };
struct pm_tty_signal_rep { uint32_t id, verdict; };
struct pm_kill_req { endpoint_t ep; int32_t signo; int32_t code; int32_t pad; uint64_t value; };
struct pm_signalfd_req { uint32_t id; endpoint_t ep; uint64_t set; grant_t info_grant /* siginfo_t, WRITE */; uint32_t take; };
struct pm_signalfd_rep { uint32_t id; int32_t signo; };	/* 0: none */
struct pm_service_req { endpoint_t ep; int32_t started; char name[PROC_NAME_LEN]; uint32_t uid; };

enum { PM_INFO_PROC /* struct pm_proc_info[] from slot `first` on, only those in use */ , PM_INFO_LOAD /* struct pm_load_info */,
	PM_INFO_NAMES /* struct utsname, as uname(2) gives it */ };
struct pm_info_req { uint32_t what; grant_t grant; uint32_t len, first; };
struct pm_info_rep { int64_t result; uint32_t count, next; };	/* next: slot to go on with, NR_PROCS = end */
struct pm_proc_info {
	endpoint_t ep; int32_t pid, tgid, ppid, pgid, sid;
	uint32_t uid, euid, suid, gid, egid, sgid;
	uint32_t state;		/* 'R' 'S' 'T' 'Z' */
	int32_t exit_code, nice; uint32_t nr_threads, is_service;
	uint64_t sig_pending, sig_ignored, sig_caught;
	uint64_t start_ns, child_user_ns, child_system_ns;
	char name[PROC_NAME_LEN];
};
struct pm_load_info { uint64_t load1, load5, load15 /* fixed point, 16 fraction bits */, nr_running, nr_procs, last_pid; };

/* Services have process ids of their own, which everybody can compute: 2 .. NR_PROCS + 1. User processes are 1 (init) and above those. */
static inline int32_t pm_service_pid(endpoint_t ep) { return endpoint_slot(ep) + 1; }
