/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When and where a service runs: its queue (`priority`), its turn (`quantum`), its processors (`cpu`). What is impossible on this machine
 * is refused when the service is brought up, in words, because it would never come true; what is possible is set at each start.
 */
#include "rs.h"
#include <stdio.h>

enum { PRIORITIES = 16, QUANTUM_MAX_US = 1000000, LIST_BYTES = 64 };

static void processors_list(uint64_t mask, char list[LIST_BYTES])
{
	size_t n = 0;

	list[0] = 0;
	for (unsigned cpu = 0; cpu < 64 && n + 4 < LIST_BYTES; cpu++)
		if (mask >> cpu & 1)
			n += (size_t)snprintf(list + n, LIST_BYTES - n, "%s%u", n ? " " : "", cpu);
}

static err_t processors_check(const struct rs_call *call)
{
	struct info_kernel kernel = { .nr_cpus = 1 };
	char list[LIST_BYTES];

	sys_getinfo(GETINFO_KERNEL, &kernel, sizeof(kernel), 0, 0);
	if (!call->cpu_mask || kernel.nr_cpus >= 64 || (call->cpu_mask & ((1ull << kernel.nr_cpus) - 1)))
		return 0;
	processors_list(call->cpu_mask, list);
	log_warn("%s: %s: cannot run on processors %s alone, expected one of 0 to %u", call->label, call->config_where, list,
		kernel.nr_cpus - 1);
	return -EBADCPU;
}

err_t rs_place_check(const struct rs_call *call)
{
	if (call->priv.priority >= PRIORITIES) {
		log_warn("%s: %s: priority %u is impossible, expected 0 to %d", call->label, call->config_where, call->priv.priority,
			PRIORITIES - 1);
		return -EINVAL;
	}
	if (call->quantum_us > QUANTUM_MAX_US) {
		log_warn("%s: %s: a quantum of %u us is impossible, expected 1 to %d", call->label, call->config_where, call->quantum_us,
			QUANTUM_MAX_US);
		return -EINVAL;
	}
	return processors_check(call);
}
