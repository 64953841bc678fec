/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/service/NAME: what RS knows of a service, `key: value` a line. Times in milliseconds since boot, recovery in microseconds. */
#include "procfs.h"

static const char *state_name(uint32_t state)
{
	static const char *const names[] = {
		[RS_FREE] = "free", [RS_STARTING] = "starting", [RS_RUNNING] = "running", [RS_STOPPING] = "stopping",
		[RS_DEAD] = "dead", [RS_BACKOFF] = "waiting", [RS_FAILED] = "failed", [RS_UPDATING] = "updating",
		[RS_TEMPLATE] = "template",
	};
	return state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}

static const char *const fault_names[] = RS_FAULT_NAMES;

static const char *policy_name(uint32_t policy)
{
	static const char *const names[] = {
		[RS_POLICY_RESTART] = "restart", [RS_POLICY_RESET] = "reset", [RS_POLICY_SCRIPT] = "script", [RS_POLICY_NONE] = "none",
	};
	return policy < sizeof names / sizeof names[0] ? names[policy] : "unknown";
}

static void add_flags(struct text *t, uint32_t flags)
{
	static const struct { uint32_t flag; const char *name; } names[] = {
		{ RS_PUB_CORE, "core" }, { RS_PUB_BOOT, "boot" }, { RS_PUB_COPY, "copy" }, { RS_PUB_TEMPLATE, "template" },
		{ RS_PUB_HAS_CORE, "has-core" }, { RS_PUB_INSTANCE, "instance" },
	};
	text_add(t, "flags:");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (flags & names[i].flag)
			text_add(t, " %s", names[i].name);
	text_add(t, "\n");
}

static void add_majors(struct text *t, const struct rs_pub *s)
{
	for (int i = 0; i < RS_NR_MAJORS; i++)
		if (s->majors[i] >= 0)
			text_add(t, "major: %s %d\n", s->majors[i] & RS_MAJOR_BLOCK ? "block" : "char", s->majors[i] & ~RS_MAJOR_BLOCK);
}

static void add_faults(struct text *t, const struct rs_pub *s)
{
	text_add(t, "last fault: %s\n", s->last_fault < RS_NR_FAULTS ? fault_names[s->last_fault] : "unknown");
	for (int i = RS_FAULT_NONE + 1; i < RS_NR_FAULTS; i++)
		if (s->faults[i])
			text_add(t, "faults: %u %s\n", s->faults[i], fault_names[i]);
}

/* It may have gone since its node was looked at: then there is nothing to tell. */
void make_service(struct text *t, const struct rs_pub *s)
{
	if (!s)
		return;
	text_add(t, "label: %s\nfilename: %s\nendpoint: %d\npid: %d\n", s->label, s->name, s->endpoint, s->pid);
	text_add(t, "state: %s\nrestarts: %u\npolicies: %s\nuid: %u\n", state_name(s->state), s->restarts, policy_name(s->policy), s->uid);
	add_flags(t, s->flags);
	text_add(t, "heartbeat: %lu ms\nstarted: %lu ms\n", s->period_ns / 1000000, s->started_ns / 1000000);
	add_majors(t, s);
	add_faults(t, s);
	text_add(t, "requests: %lu repeated, %lu failed\n", s->requests_repeated, s->requests_failed);
	text_add(t, "recovery: %lu us last, %lu us longest\n", s->recovery_ns / 1000, s->recovery_max_ns / 1000);
}
