/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPC primitives: the register convention of the `syscall` instruction.
 *
 *   rax in   number: 0..0x0fff Linux calls, 0x1000..0x10ff calls of our own (both through the route table, abi/route.h),
 *            IPC_* below (processes with the trap-mask bit of the primitive only; others get -ENOSYS)
 *   rdi in   endpoint: whom to send to; for RECEIVE whom to receive from
 *   rbx in   second operand: REPLYREC: whom to receive from; SENDA, REPLYREC: flags in the upper 32 bits
 *   rsi, rdx, r10, r8, r9, r12, r13, r14   type and words w[0]..w[6] of the message, in and out
 *   rax out  0 or a negative error
 *   rdi out  source endpoint, rbx out status word (IPC_STATUS_*), for RECEIVE, SENDREC and REPLYREC
 *   rcx, r11 destroyed (by the instruction); rbp, r15, rsp preserved
 *
 *   primitive blocks           meaning
 *   SEND      until received   EDEADSRCDST if the target is or becomes dead
 *   RECEIVE   until a match    order: notifications, then asynchronous messages, then waiting senders (FIFO)
 *   SENDREC   both phases      only the partner's reply ends it, never a notification or a NOREPLY message
 *   NOTIFY    never            one pending bit for each sender; repeated ones coalesce
 *   SENDNB    never            ENOTREADY unless the target is receiving from us now
 *   SENDA     never            delivered now or kept in the sender's outbox in the kernel (EAGAIN when full). Order between two
 *                              processes is kept. An entry whose target dies is dropped and, with NOTIFY_ERR, the
 *                              sender gets a notification from EP_ASYNCM
 *   REPLYREC  in RECEIVE       SENDA to rdi (skipped for EP_NONE), then RECEIVE from rbx, in one trap; a failure of the first
 *                              half sets IPC_STATUS_SEND_FAILED in the status of the second
 *   KCALL     as the call says rsi = call number KC_* (abi/kcall.h); checked against the call mask
 *
 * Errors: EDEADSRCDST (target dead or endpoint stale), ECALLDENIED (send mask), ETRAPDENIED (trap mask), ELOCKED (would deadlock),
 * ENOTREADY, EAGAIN, EINVAL (bad operand), EBADREQUEST (unknown kernel call).
 */
#pragma once
#include <abi/message.h>

enum ipc_primitive {
	IPC_SEND = 0x2001, IPC_RECEIVE, IPC_SENDREC, IPC_NOTIFY, IPC_SENDNB, IPC_SENDA, IPC_REPLYREC, IPC_KCALL,
	IPC_LAST = IPC_KCALL,
};
#define IPC_TRAP_BIT(primitive) (1u << ((primitive) - IPC_SEND))
enum { IPC_TRAP_ALL = 0xff };

/* Flags of SENDA and of the first half of REPLYREC. */
enum {
	IPC_NOREPLY    = 1,	/* must not satisfy the receiver's SENDREC */
	IPC_NOTIFY_ERR = 2,	/* tell me by a notification from EP_ASYNCM when it could not be delivered */
};

/* Status word: low byte = primitive that brought the message (IPC_* minus IPC_SEND, plus 1), then flags. */
enum {
	IPC_STATUS_PRIMITIVE = 0xff,
	IPC_STATUS_FROM_KERNEL = 1 << 8,	/* the kernel made this message in the name of `source` (routed system calls too) */
	IPC_STATUS_SEND_FAILED = 1 << 9,	/* REPLYREC: the first half was not delivered (dead, masked, outbox full) */
	IPC_STATUS_CALL        = 1 << 10,	/* the sender waits for a reply (SENDREC or routed system call) */
	IPC_STATUS_USER        = 1 << 11,	/* the sender is a user process making a routed system call */
};
static inline enum ipc_primitive ipc_status_primitive(uint32_t status)
{
	return (enum ipc_primitive)((status & IPC_STATUS_PRIMITIVE) + IPC_SEND - 1);
}
