/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IPC primitives as functions (abi/ipc.h says what they mean and which errors they have). Messages travel in registers;
 * `struct message` is where they are put down. All return 0 or a negative error. `status` may be 0.
 *
 * A service that uses libsef receives by sef_receive() only and sends by sef_reply(), sef_send() and sef_call(), so that the
 * output of a request leaves when its handler is through. These here are for libraries and tests.
 */
#pragma once
#include <abi/endpoint.h>
#include <abi/errno.h>
#include <abi/ipc.h>
#include <abi/message.h>

err_t ipc_send(endpoint_t dst, const struct message *m);
err_t ipc_sendnb(endpoint_t dst, const struct message *m);
err_t ipc_senda(endpoint_t dst, const struct message *m, uint32_t flags);
err_t ipc_notify(endpoint_t dst);
err_t ipc_receive(endpoint_t src, struct message *m, uint32_t *status);
err_t ipc_sendrec(endpoint_t dst, struct message *m);

/* SENDA of `reply` to dst (EP_NONE: nothing to send), then RECEIVE from src; in one trap. reply and m may be the same. */
err_t ipc_replyrec(endpoint_t dst, const struct message *reply, uint32_t flags, endpoint_t src, struct message *m,
	uint32_t *status);

static inline int ipc_is_notify(uint32_t status) { return ipc_status_primitive(status) == IPC_NOTIFY; }
