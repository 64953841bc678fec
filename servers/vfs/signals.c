/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals that VFS causes: SIGPIPE, SIGXFSZ. PM raises them. No state. */
#include "signals.h"

#include <proto/pm.h>

#include "request.h"

void signal_send(endpoint_t ep, int signo)
{
	enum { SI_FROM_KERNEL = 0x80 };
	struct message m = { .type = PM_KILL };
	*MSG_BODY(struct pm_kill_req, &m) = (struct pm_kill_req){ .ep = ep, .signo = signo, .code = SI_FROM_KERNEL };
	peer_send(EP_PM, &m);
}
