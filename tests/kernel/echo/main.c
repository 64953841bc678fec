/* SPDX-License-Identifier: BSD-2-Clause */
/* A server in an address space of its own that answers every call with the words it got, the first one more by one. */
#include "ktest.h"
#include <libsys/ipc.h>

int main(void)
{
	struct message m;
	uint32_t status;
	endpoint_t reply_to = EP_NONE;

	for (;;) {
		if (ipc_replyrec(reply_to, &m, 0, EP_ANY, &m, &status))
			return 1;
		reply_to = status & IPC_STATUS_CALL ? m.source : EP_NONE;
		m.w[0]++;
	}
}
