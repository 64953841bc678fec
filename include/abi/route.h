/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system-call route table: where the kernel sends a `syscall` by its number. There are two tables, one for user processes and
 * one for services (so that musl's malloc and printf work inside a service). PM fills the user table, the kernel's boot code the
 * services' one. Numbers: 0..511 Linux, 0x1000..0x103f our own.
 */
#pragma once
#include <abi/types.h>

enum { ROUTE_NR_LINUX = 512, ROUTE_OWN_BASE = 0x1000, ROUTE_NR_OWN = 64, ROUTE_NR = ROUTE_NR_LINUX + ROUTE_NR_OWN };
enum { ROUTE_TABLE_USER = 0, ROUTE_TABLE_SERVICE = 1 };

enum route_kind {
	ROUTE_NOWHERE = 0,	/* -ENOSYS; logged once for each program and call, unless target = ROUTE_QUIET */
	ROUTE_SERVER,		/* target = endpoint: message MSG_LINUX + number, w[0..5] = arguments, sendrec; rax = reply's w[0] */
	ROUTE_KERNEL,		/* target = enum route_mechanism */
	ROUTE_ANSWER,		/* target = index into the caller's answers (KC_SETANSWER) */
	ROUTE_OBJECT,		/* reserved: a granted object the kernel reads without waking its server */
};

enum { ROUTE_QUIET = 1 };	/* every C library tries this call and goes on without */

enum route_mechanism {
	MECH_ARCH_PRCTL, MECH_SCHED_YIELD, MECH_FUTEX, MECH_SIGPROCMASK, MECH_SIGRETURN, MECH_CLOCK_GETTIME, MECH_GETTIMEOFDAY,
	MECH_TIME, MECH_GETCPU, MECH_LOG_WRITE /* services: write/writev to 1 and 2 */, MECH_LOG_WRITEV, MECH_EXIT /* services */,
	MECH_SET_TID_ADDRESS /* services: returns slot */, MECH_CLOCK_GETRES, MECH_SET_ROBUST_LIST, MECH_GET_ROBUST_LIST,
	MECH_NR,
};

enum { ANSWER_PID, ANSWER_PPID, ANSWER_TID, ANSWER_UID, ANSWER_EUID, ANSWER_GID, ANSWER_EGID, ANSWER_PGRP, NR_ANSWERS };

struct route_entry { uint32_t kind; int32_t target; };
