/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other side of ipcbench. MSG_TEST is answered through the same main loop as in any service; MSG_TEST + 2 begins a run of bare
 * receives and replies, which MSG_TEST + 4 ends. Keeps no state.
 */
#include <libsef/sef.h>

static void answer_barely(endpoint_t client)
{
	struct message m = { .type = MSG_TEST + 3 };

	while (ipc_replyrec(client, &m, 0, EP_ANY, &m, 0) == 0 && m.type == MSG_TEST)
		m.type = MSG_TEST + 1;
}

int main(void)
{
	struct message m;
	uint32_t status;

	sef_startup(&(struct sef_callbacks){ 0 });
	for (;;) {
		if (sef_receive(EP_ANY, &m, &status) != 0 || !(status & IPC_STATUS_CALL))
			continue;
		if (m.type == MSG_TEST + 2)
			answer_barely(m.source);
		sef_reply_result(m.source, m.type, 0);
	}
}
