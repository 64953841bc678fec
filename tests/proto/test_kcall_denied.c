/* SPDX-License-Identifier: BSD-2-Clause */
/* A service with basic rights alone: each kernel call beyond them is refused, whatever its arguments, and nothing happens. */
#include "service_check.h"

/* basic = 1 in abi/kcall.h: what every service may. */
static const bool is_basic[KC_COUNT] = {
#define X(name, basic, what) [KC_INDEX_##name] = basic,
	KCALLS(X)
#undef X
};

static void others_are_denied(void)
{
	for (uint32_t i = 0; i < KC_COUNT; i++) {
		uint64_t zero[MSG_WORDS] = { 0 }, ones[MSG_WORDS];

		if (is_basic[i])
			continue;
		memset(ones, 0xff, sizeof(ones));
		if (kcall(MSG_KCALL + i, zero) != -ECALLDENIED || kcall(MSG_KCALL + i, ones) != -ECALLDENIED)
			check_eq(__FILE__, __LINE__, "number of the call that is not denied", i, -1);
	}
}

static void unknown_numbers_are_bad_requests(void)
{
	static const uint32_t numbers[] = { 0, MSG_KCALL - 1, MSG_KCALL + KC_COUNT, MSG_KCALL + 127, MSG_KCALL + 128,
					    MSG_KCALL + 4096, 0x7fffffff, 0x80000000u, 0xffffffffu };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint64_t w[MSG_WORDS] = { 0 };

		CHECK_EQ(kcall(numbers[i], w), -EBADREQUEST);
	}
}

static err_t run(const struct sef_init_info *info)
{
	(void)info;
	RUN(others_are_denied);
	RUN(unknown_numbers_are_bad_requests);
	return check_end();
}

int main(void)
{
	check_service(run);
}
