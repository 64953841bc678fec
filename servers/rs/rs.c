/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RS, the reincarnation server: starts all services, is their signal manager, asks them regularly whether they live, and starts a
 * new instance of one that crashed, hangs or ended.
 *
 *   rs_boot       the boot image: privileges (rs_boot_table), order, collecting the answers; rs_boot_image: programs kept from it
 *   rs_life       the state machine of a service, with its diagram; rs_signal: what an end was; rs_recover: what is done about it
 *   rs_process    making and removing processes; rs_stack: their initial stack; rs_priv: their privileges; rs_place: when and where
 *                 they run; rs_image: programs
 *   rs_time       heartbeats and deadlines
 *   rs_history    what happened, and `why` in words; rs_core: the memory of dead instances
 *   rs_tell       news for DS, VFS and PM
 *   rs_request    root's `service` tool, rs_up: `service up`; rs_service: requests of services; rs_template: file systems on demand;
 *                 rs_wait: who waits for a state or an event
 *
 * RS waits for nobody but VM and the kernel. DS, VFS and PM are told by asynchronous messages, because each of them may itself wait for
 * the service that is being recovered; and what is sent to DS before a service may run is received before anything of that service.
 *
 * If RS dies: its signals are its own, so the kernel stops the system with a report. Nothing of its state is saved yet.
 */
#include "rs.h"
#include <proto/common.h>
#include <proto/ds.h>

struct rs rs;

static err_t rs_init(const struct sef_init_info *info)
{
	(void)info;
	return rs_boot_start();
}

static void rs_on_init_done(const struct message *m)
{
	struct rs_slot *s = rs_slot_of_endpoint(m->source);

	if (s && s->pub->state == RS_STARTING)
		rs_init_done(s, MSG_BODY(const struct rs_init_done_req, m)->result);
	else
		sef_reply_result(m->source, m->type, -EINVAL);
}

static void rs_on_notify(const struct message *m)
{
	nstime_t due = rs.alarm;

	if (m->source == EP_CLOCK) {
		rs.alarm = 0;
		rs_time_check(due);
	} else {
		rs_pong(m->source);
	}
}

static void rs_dispatch(const struct message *m, uint32_t status)
{
	switch (m->type) {
	case RS_INIT_DONE:
		rs_on_init_done(m);
		return;
	case MSG_LINUX + RS_CALL_NR:
		rs_request(m, status);
		return;
	case DS_PUBLISH + 1:
	case DS_DELETE + 1:
		rs_ds_answered(m);
		return;
	case COMMON_CANCEL:
		if (m->source == EP_PM)
			rs_cancel(MSG_BODY(const struct common_cancel_req, m)->ep, true);
		return;
	default:
		if (!(status & IPC_STATUS_USER) && rs_on_service_message(m, status))
			return;
		if (status & IPC_STATUS_CALL)
			sef_reply_result(m->source, m->type, status & IPC_STATUS_USER ? -ENOSYS : -EBADREQUEST);
	}
}

int main(void)
{
	const struct sef_callbacks callbacks = { .init_fresh = rs_init, .signal_manager = rs_signalled };
	struct message m;
	uint32_t status;

	sef_startup(&callbacks);
	for (;;) {
		rs_wait_check();
		rs_time_arm();
		if (sef_receive(EP_ANY, &m, &status) != 0)
			continue;
		if (ipc_is_notify(status))
			rs_on_notify(&m);
		else
			rs_dispatch(&m, status);
	}
}
