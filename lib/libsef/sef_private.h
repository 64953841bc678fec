/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of libsef. */
#pragma once
#include <libsef/sef.h>

extern struct sef_callbacks sef_cb;	/* filled with defaults by sef_startup() */

/* sef_output.c: send what is queued and receive. */
err_t sef_output_receive(endpoint_t src, struct message *m, uint32_t *status);

/* sef_init.c: the initialisation that was asked for, test hooks first. */
err_t sef_init_run(const struct sef_init_info *info);
void sef_callbacks_complete(const struct sef_callbacks *given);

/* sef_signal.c */
void sef_kernel_notified(const struct notify_body *body);

/* sef_fault.c: fail in the way SEF_FI_*, if it is known here or to the service. */
void sef_fault_inject(const struct sef_fault_req *how);

/* sef_update.c */
void sef_update_requested(const struct message *m);
void sef_update_step(void);	/* before each receive: is the service ready now? */
