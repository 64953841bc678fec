/* SPDX-License-Identifier: BSD-2-Clause */
/* Passing messages: abi/ipc.h says what each primitive means. All with the kernel lock held. */
#pragma once
#include <abi/ipc.h>
#include <kernel/proc.h>

/* An asynchronous message the kernel holds for its sender, in the inbox of the target. */
struct async_msg {
	struct async_msg *next;
	endpoint_t source;
	uint32_t flags;			/* IPC_NOREPLY, IPC_NOTIFY_ERR */
	uint64_t message[8];		/* type, w[0..6] */
};

void ipc_call(struct proc *p, uint64_t number);		/* IPC_* by p; sets its result unless it blocks */
err_t ipc_sendrec_routed(struct proc *p, endpoint_t server);	/* p's system call becomes a message; ok: p waits */
void ipc_routed_result(struct proc *p, int64_t result);	/* ends a routed or blocking system call of p */

/* Notifications from the kernel; dst must be a service, else nothing happens. */
void notify_ksig(struct proc *dst, uint32_t ksig);
void notify_irq(struct proc *dst, unsigned id);
void notify_special(struct proc *dst, uint8_t special);
/* If something is pending for p and p may take it from `from`, deliver it. */
bool notify_receive(struct proc *p, endpoint_t from);
err_t notify_send(struct proc *src, struct proc *dst);

err_t async_send(struct proc *src, struct proc *dst, uint32_t flags);	/* deliver now or keep */
bool async_receive(struct proc *p, endpoint_t from);
uint32_t async_cancel(struct proc *src, endpoint_t dst);	/* drop undelivered ones of src to dst or EP_ANY */
void async_drop_inbox(struct proc *dst);			/* all that wait for dst; senders learn it */
uint32_t async_used(void);

/* Whom p waits for: an endpoint, EP_ANY, or EP_NONE. */
endpoint_t ipc_waits_for(const struct proc *p);
/* p left: nobody may keep waiting for it. Senders and receivers of p get `error`; its notifications and messages vanish. */
void ipc_clear_refs(struct proc *p, err_t error);
void ipc_retry_receive(struct proc *p);		/* RECEIVING already: take what waits for it, if anything matches */
void ipc_unlink_sender(struct proc *p);		/* p no longer stands in the queue of whom it sends to */
void ipc_forget(struct proc *p);		/* p dies: its own queues and waits */

/* A service was exchanged for its successor in the middle of a SENDREC: the reply that may still come is for nobody. */
void ipc_expect_late_reply(struct proc *identity, endpoint_t from, uint32_t type);
bool ipc_is_late_reply(const struct proc *src, struct proc *dst);	/* src's message is that reply, which is used up by asking */

/* dst waits in RECEIVE for a message of `from` right now. */
static inline bool ipc_is_receiving(const struct proc *dst, endpoint_t from)
{
	return (dst->rts & RTS_RECEIVING) && (dst->recv_from == EP_ANY || dst->recv_from == from);
}

