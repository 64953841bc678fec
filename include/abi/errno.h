/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error numbers. Linux's own come from <errno.h> (services include musl's, the kernel lists the few it uses in
 * kernel/errno.h with the same values). Those below exist between services only: the kernel turns any of them into -EIO before a user
 * process could see it.
 */
#pragma once

enum {
	/* Results that mean "interrupted": resolved by the kernel when the process runs again (Linux uses the same numbers
	 * internally). With a handler about to run: SYS -> restart if SA_RESTART else EINTR, NOINTR -> restart, NOHAND -> EINTR.
	 * Without a handler all of them restart the call. */
	ERESTARTSYS = 512, ERESTARTNOINTR = 513, ERESTARTNOHAND = 514,

	EDEADSRCDST = 600,	/* the other party of an IPC is dead, or died while we waited */
	EDEADEPT    = 601,	/* an endpoint named in a request is dead */
	ENOTREADY   = 602,	/* the receiver was not waiting; ask again later */
	ELOCKED     = 603,	/* the IPC would close a circle of waiting processes */
	ECALLDENIED = 604,	/* send mask or kernel-call mask forbids it */
	ETRAPDENIED = 605,	/* trap mask forbids the primitive */
	EBADREQUEST = 606,	/* no such kernel call, or request unknown to the service */
	EBADCPU     = 607,	/* that CPU does not run */
	ESOFTFAULT  = 608,	/* TRY copy: memory not present, VM was not asked */
	EDONTREPLY  = 609,	/* never sent: a handler's "no answer now" where a protocol library asks for one */
};
