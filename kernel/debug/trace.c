/* SPDX-License-Identifier: BSD-2-Clause */
/* The last messages, kept in a ring for panics and GETINFO_IPCTRACE, and the report of refused requests. */
#include <abi/ipc.h>
#include <abi/kcall.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/proc.h>

HOT_DATA struct message_trace message_trace;

static const char *const primitive_names[] = { "send", "receive", "sendrec", "notify", "sendnb", "senda", "replyrec", "kcall" };

static const char *endpoint_name(endpoint_t e)
{
	struct proc *p = proc_of_endpoint(e);

	switch (e) {
	case EP_HARDWARE: return "HARDWARE";
	case EP_SYSTEM: return "SYSTEM";
	case EP_CLOCK: return "CLOCK";
	case EP_ASYNCM: return "ASYNCM";
	default: return p ? p->name : "?";
	}
}

static size_t trace_line(uint64_t i, char *out, size_t size)
{
	const struct trace_entry *e = &message_trace.entry[i % TRACE_ENTRIES];

	return format_string(out, size, "%-8s %s(%d) -> %s(%d) type %x\n", primitive_names[e->primitive & 7],
			endpoint_name(e->from), e->from,
		endpoint_name(e->to), e->to, e->type);
}

size_t trace_text(char *out, size_t size)
{
	uint64_t first = message_trace.next > TRACE_ENTRIES ? message_trace.next - TRACE_ENTRIES : 0;
	size_t n = 0;

	for (uint64_t i = first; i != message_trace.next && n + 100 < size; i++)
		n += trace_line(i, out + n, size - n);
	return n;
}

void trace_dump(void)
{
	enum { LINES = 32 };
	uint64_t first = message_trace.next > LINES ? message_trace.next - LINES : 0;
	char line[128];

	for (uint64_t i = first; i != message_trace.next; i++)
		log_write(line, trace_line(i, line, sizeof(line)));
}

/* PRIVCTL's EPERM is an answer: VM asks whether a driver may. */
static bool refused_for_want_of_rights(const struct proc *caller, unsigned kind, err_t why)
{
	return !proc_is_user(caller) && (why == -ECALLDENIED || why == -ETRAPDENIED || (why == -EPERM && kind != KC_INDEX_PRIVCTL));
}

_Static_assert((int)KC_COUNT <= (int)REFUSED_PRIMITIVE, "one bit of refusals_told for each kind");

void trace_refused(struct proc *caller, unsigned kind, const char *what, int64_t detail, err_t why)
{
	if (refused_for_want_of_rights(caller, kind, why) && !(caller->refusals_told >> kind & 1)) {
		caller->refusals_told |= 1ull << kind;
		log_printf("kernel: refused %s (%ld) of %s(%d): error %d; more of these are not told\n", what, (long)detail,
			caller->name, caller->endpoint, -why);
	} else {
		log_debug("kernel: refused %s (%ld) of %s(%d): error %d\n", what, (long)detail, caller->name, caller->endpoint, -why);
	}
}
