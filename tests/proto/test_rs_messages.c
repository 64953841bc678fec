/* SPDX-License-Identifier: BSD-2-Clause */
/* RS under messages that it should not get: orders from services without the right, forged answers and reports. */
#include "service_check.h"
#include <libsef/ds.h>
#include <proto/common.h>

static int64_t ask_rs(uint32_t type, uint64_t first, uint64_t second)
{
	struct message m = { .type = type, .w = { first, second, LABEL_LEN } };
	err_t r = ipc_sendrec(EP_RS, &m);

	return r ? r : (int64_t)m.w[0];
}

static void services_may_not_give_orders(void)
{
	char label[LABEL_LEN] = "tty";

	for (uint64_t op = 0; op < 20; op++)
		CHECK_EQ(ask_rs(RS_REQUEST, op, (uintptr_t)label), -EPERM);
	CHECK_EQ(ask_rs(RS_REQUEST, ~0ull, 0), -EPERM);
	CHECK_EQ(ask_rs(MSG_LINUX + RS_CALL_NR, RS_OP_DOWN, (uintptr_t)label), -EPERM);
}

/* Refused until the real initialisation is over; this runs inside it, so an early report would count. */
static void unknown_requests_are_answered(void)
{
	CHECK_EQ(ask_rs(RS_LU_READY, 1, 0), -EBADREQUEST);
	CHECK_EQ(ask_rs(MSG_RS + 2, 0, 0), -EBADREQUEST);
	CHECK_EQ(ask_rs(MSG_RS + 40, 0, 0), -EBADREQUEST);
	CHECK_EQ(ask_rs(MSG_TEST, 0, 0), -EBADREQUEST);
	CHECK_EQ(ask_rs(0, 0, 0), -EBADREQUEST);
	CHECK_EQ(ask_rs(0xffffffff, 0, 0), -EBADREQUEST);
}

static void forged_answers_are_ignored(void)
{
	struct message m = { .type = DS_PUBLISH + 1, .w = { (uint64_t)-EPERM } };
	endpoint_t ep = 0;

	for (int i = 0; i < 100; i++)
		CHECK_EQ(ipc_senda(EP_RS, &m, 0), 0);
	m = (struct message){ .type = COMMON_CANCEL, .w = { (uint64_t)EP_PM } };
	CHECK_EQ(ipc_senda(EP_RS, &m, 0), 0);
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(ipc_notify(EP_RS), 0);
	CHECK_EQ(ask_rs(MSG_TEST, 0, 0), -EBADREQUEST);
	CHECK_EQ(ds_retrieve_label_endpt("rs", &ep), 0);
	CHECK_EQ(ep, EP_RS);
}

static err_t run(const struct sef_init_info *info)
{
	(void)info;
	RUN(services_may_not_give_orders);
	RUN(unknown_requests_are_answered);
	RUN(forged_answers_are_ignored);
	return check_end();
}

int main(void)
{
	check_service(run);
}
