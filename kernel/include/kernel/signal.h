/* SPDX-License-Identifier: BSD-2-Clause */
/* Raising signals and handing them to managers; building frames when a process runs. abi/ksig.h is the contract. */
#pragma once
#include <abi/ksig.h>
#include <kernel/proc.h>

enum { SIG_ILL = 4, SIG_TRAP = 5, SIG_ABRT = 6, SIG_BUS = 7, SIG_FPE = 8, SIG_KILL = 9, SIG_SEGV = 11, SIG_PIPE = 13, SIG_VTALRM = 26,
       SIG_PROF = 27, SIG_MAX = 64 };
enum { SEGV_MAPERR = 1, SEGV_ACCERR = 2, SI_KERNEL = 0x80, TRAP_BRKPT = 1, TRAP_TRACE = 2 };

struct sig_detail { int32_t code; uint64_t addr, trapno, error, ip; };
void signal_raise(struct proc *p, int signo, const struct sig_detail *detail);	/* detail: fault signals only, else 0 */
endpoint_t signal_manager(const struct proc *p);
void signal_recheck(struct proc *p);		/* tell its manager KSIG_F_RECHECK */
bool signal_is_managed_by(const struct proc *p, const struct proc *manager);
bool signal_fetch(struct proc *manager, struct ksig_info *out);		/* look, do not take */
void signal_fetched(struct proc *p);		/* taken */
err_t signal_end(struct proc *manager, struct proc *p);
void signal_attach(struct proc *p);		/* its slot changed: list it again */
void signal_forget(struct proc *p);		/* p dies */
void signal_trace_stop(struct proc *p);		/* SIGTRAP at a system call, for its tracer */

/* Work before user mode: restart codes, temporary masks, frames. False when p cannot run after all. */
bool signal_exit_work(struct proc *p);
void syscall_resume(struct proc *p);
void signal_mask_set(struct proc *p, uint64_t mask);
