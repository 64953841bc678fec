/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Process ids. An id is taken while a thread has it, and also while it names a process group or session whose founder is gone: it
 * must not name anything else meanwhile. Each use is one reference. 2 .. NR_PROCS + 1 belong to services (proto/pm.h).
 */
#pragma once
#include <abi/limits.h>
#include <stdint.h>

enum { PID_MAX = NR_PROCS < 16384 ? 32768 : 4194304, PID_INIT = 1, PID_FIRST_USER = NR_PROCS + 2 };

struct pidmap {
	int32_t last;			/* handed out last */
	uint16_t slot[PID_MAX];		/* slot of the thread with this id, 0 = none */
	uint16_t refs[PID_MAX];		/* as thread, group and session */
};

int32_t pid_alloc(struct pidmap *m);	/* next free id, not yet referenced; 0 when none is left */
void pid_ref(struct pidmap *m, int32_t pid);
void pid_unref(struct pidmap *m, int32_t pid);
void pid_bind(struct pidmap *m, int32_t pid, int slot);	/* slot 0: unbind */
int pid_slot(const struct pidmap *m, int32_t pid);	/* 0: no thread has this id */
