/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Linux calls that PM serves: prototypes and dispatch table come from this list. A handler gets the caller and its six arguments
 * and returns the result; if it leaves the task waiting, or gone, nothing is answered now.
 */
#pragma once
#include "task.h"

#define PM_CALLS(X) \
	X(fork) X(vfork) X(clone) X(clone3) X(execve) X(execveat) X(exit) X(exit_group) X(wait4) X(waitid) \
	X(getpgid) X(setpgid) X(getsid) X(setsid) X(vhangup) \
	X(setuid) X(setgid) X(setreuid) X(setregid) X(setresuid) X(getresuid) X(setresgid) X(getresgid) X(setfsuid) \
	X(setfsgid) X(getgroups) X(setgroups) X(capget) X(capset) \
	X(getrlimit) X(setrlimit) X(prlimit64) X(getrusage) X(times) \
	X(prctl) X(personality) X(set_tid_address) X(set_robust_list) X(get_robust_list) X(getrandom) X(membarrier) \
	X(rt_sigaction) X(rt_sigpending) X(rt_sigqueueinfo) X(rt_tgsigqueueinfo) X(rt_sigtimedwait) X(rt_sigsuspend) \
	X(sigaltstack) X(kill) X(tkill) X(tgkill) X(pause) \
	X(alarm) X(getitimer) X(setitimer) X(timer_create) X(timer_settime) X(timer_gettime) X(timer_getoverrun) \
	X(timer_delete) X(nanosleep) X(clock_nanosleep) X(clock_settime) X(settimeofday) X(adjtimex) X(clock_adjtime) \
	X(uname) X(sethostname) X(setdomainname) X(sysinfo) X(reboot) X(syslog) \
	X(sched_setaffinity) X(sched_getaffinity) X(sched_setscheduler) X(sched_getscheduler) X(sched_setparam) \
	X(sched_getparam) X(sched_setattr) X(sched_getattr) X(sched_get_priority_max) X(sched_get_priority_min) \
	X(sched_rr_get_interval) X(getpriority) X(setpriority) X(ioprio_set) X(ioprio_get)

#define X(name) int64_t call_##name(struct task *t, const uint64_t a[6]);
PM_CALLS(X)
#undef X
