/* SPDX-License-Identifier: BSD-2-Clause */
/* The other side of ipcbench: answers every request, through the same main loop as any service. Keeps no state. */
#include <libsef/sef.h>

int main(void)
{
	struct message m;
	uint32_t status;

	sef_startup(&(struct sef_callbacks){ 0 });
	for (;;)
		if (sef_receive(EP_ANY, &m, &status) == 0 && (status & IPC_STATUS_CALL))
			sef_reply_result(m.source, m.type, 0);
}
