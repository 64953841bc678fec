/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests that every server understands. */
#pragma once
#include <abi/message.h>

/*
 * request        who may send  may wait  repeatable  meaning
 * COMMON_CANCEL  PM (SENDA)    no        yes         the process has a signal: end its interruptible call in progress here, if any, with
 *                                                    -EINTR or -ERESTART*. Never answered; nothing in progress is fine.
 */
enum { COMMON_CANCEL = MSG_COMMON };
struct common_cancel_req { endpoint_t ep; };

/* The result word of every plain reply. */
struct result_rep { int64_t result; };
MSG_BODY_FITS(struct result_rep);
