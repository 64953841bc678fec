/* SPDX-License-Identifier: BSD-2-Clause */
/* What RS knows of services at this moment, for people and as JSON. */
#include "service.h"
#include <abi/endpoint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SHAKY_SECONDS = 60, TEXT_BYTES = 96 };

const char *service_state_name(uint32_t state)
{
	static const char *const names[] = {
		[RS_FREE] = "free", [RS_STARTING] = "starting", [RS_RUNNING] = "running", [RS_STOPPING] = "stopping",
		[RS_DEAD] = "dead", [RS_BACKOFF] = "waiting", [RS_FAILED] = "failed", [RS_UPDATING] = "updating",
		[RS_TEMPLATE] = "template",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

const char *service_fault_name(uint32_t fault)
{
	static const char *const names[] = RS_FAULT_NAMES;

	return fault < sizeof(names) / sizeof(names[0]) ? names[fault] : "unknown";
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t ms_since(uint64_t then_ns)
{
	uint64_t now = now_ns();

	return then_ns && now > then_ns ? (now - then_ns) / 1000000 : 0;
}

static uint64_t uptime_ms(const struct rs_pub *p)
{
	return p->state == RS_RUNNING ? ms_since(p->started_ns) : 0;
}

/* How it is, in one word: what a person wants to know before all numbers. */
static const char *health(const struct rs_pub *p)
{
	switch ((enum rs_state)p->state) {
	case RS_RUNNING: return p->last_fault_ns && ms_since(p->last_fault_ns) < SHAKY_SECONDS * 1000 ? "shaky" : "good";
	case RS_STARTING: case RS_BACKOFF: case RS_UPDATING: return p->last_fault ? "recovering" : "starting";
	case RS_DEAD: case RS_FAILED: return "lost";
	case RS_STOPPING: return "ending";
	case RS_FREE: case RS_TEMPLATE: break;
	}
	return "-";
}

static const char *kind(const struct rs_pub *p)
{
	return p->flags & RS_PUB_CORE ? "core" : p->flags & RS_PUB_BOOT ? "boot" : p->flags & RS_PUB_TEMPLATE ? "template"
		: p->flags & RS_PUB_INSTANCE ? "instance" : "service";
}

static void fault_words(char *out, size_t size, const struct rs_pub *p)
{
	bool signalled = (p->last_fault == RS_FAULT_CRASH || p->last_fault == RS_FAULT_SIGNAL) && p->last_signal;

	if (signalled)
		snprintf(out, size, "%s (%s)", service_fault_name(p->last_fault), strsignal(p->last_signal));
	else
		snprintf(out, size, "%s", service_fault_name(p->last_fault));
}

/* ---- JSON ---- */

static void json_majors(const char *key, const struct rs_pub *p, int32_t block)
{
	json_open(key, '[');
	for (int i = 0; i < RS_NR_MAJORS; i++)
		if (p->majors[i] >= 0 && (p->majors[i] & RS_MAJOR_BLOCK) == block)
			json_number(0, p->majors[i] & ~RS_MAJOR_BLOCK);
	json_close(']');
}

static void json_faults(const struct rs_pub *p)
{
	json_open("faults", '{');
	for (uint32_t i = RS_FAULT_NONE + 1; i < RS_NR_FAULTS; i++)
		if (p->faults[i])
			json_number(service_fault_name(i), p->faults[i]);
	json_close('}');
}

static void json_service(const struct rs_pub *p)
{
	char fault[TEXT_BYTES];

	fault_words(fault, sizeof(fault), p);
	json_open(0, '{');
	json_text("name", p->label);
	json_text("program", p->name);
	json_text("state", service_state_name(p->state));
	json_text("health", health(p));
	json_text("kind", kind(p));
	json_number("pid", p->pid);
	json_number("endpoint", p->endpoint);
	json_number("uptime_ms", (long long)uptime_ms(p));
	json_number("restarts", p->restarts);
	json_number("period_ms", (long long)(p->period_ns / 1000000));
	json_majors("majors", p, 0);
	json_majors("block_majors", p, RS_MAJOR_BLOCK);
	json_text("last_fault", fault);
	json_number("since_last_fault_ms", p->last_fault_ns ? (long long)ms_since(p->last_fault_ns) : -1);
	json_faults(p);
	json_number("requests_repeated", (long long)p->requests_repeated);
	json_number("requests_failed", (long long)p->requests_failed);
	json_number("answers_refused", (long long)p->answers_refused);
	json_number("recovery_us", (long long)(p->recovery_ns / 1000));
	json_number("recovery_max_us", (long long)(p->recovery_max_ns / 1000));
	json_close('}');
}

/* ---- text ---- */

static void text_uptime(char *out, size_t len, const struct rs_pub *p)
{
	uint64_t seconds = uptime_ms(p) / 1000;

	if (p->state != RS_RUNNING)
		snprintf(out, len, "-");
	else if (seconds >= 3600)
		snprintf(out, len, "%lluh%02llum", (unsigned long long)seconds / 3600, (unsigned long long)seconds / 60 % 60);
	else if (seconds >= 60)
		snprintf(out, len, "%llum%02llus", (unsigned long long)seconds / 60, (unsigned long long)seconds % 60);
	else
		snprintf(out, len, "%llus", (unsigned long long)seconds);
}

/* A service without a process has neither. */
static void text_numbers(const struct rs_pub *p, char pid[12], char endpoint[12])
{
	bool process = p->endpoint != EP_NONE && p->state != RS_TEMPLATE && p->state != RS_FAILED && p->state != RS_DEAD;

	snprintf(pid, 12, process ? "%d" : "-", p->pid);
	snprintf(endpoint, 12, process ? "%d" : "-", p->endpoint);
}

static void text_line(const struct rs_pub *p)
{
	char uptime[24], fault[TEXT_BYTES], pid[12], endpoint[12];

	text_uptime(uptime, sizeof(uptime), p);
	text_numbers(p, pid, endpoint);
	fault_words(fault, sizeof(fault), p);
	printf("%-16s %-9s %-10s %6s %9s %8s %8u  %s\n", p->label, service_state_name(p->state), health(p), pid, endpoint, uptime,
		p->restarts, fault);
}

static void text_faults(const struct rs_pub *p)
{
	for (uint32_t i = RS_FAULT_NONE + 1; i < RS_NR_FAULTS; i++)
		if (p->faults[i])
			printf("faults     %u of %s\n", p->faults[i], service_fault_name(i));
}

static void text_service(const struct rs_pub *p)
{
	char uptime[24], fault[TEXT_BYTES], pid[12], endpoint[12];

	text_uptime(uptime, sizeof(uptime), p);
	text_numbers(p, pid, endpoint);
	fault_words(fault, sizeof(fault), p);
	printf("name       %s\nprogram    %s\nstate      %s\nhealth     %s\n", p->label, p->name, service_state_name(p->state), health(p));
	printf("kind       %s\npid        %s\nendpoint   %s\n", kind(p), pid, endpoint);
	printf("uptime     %s\nrestarts   %u\nlast fault %s\nheartbeat  %llu ms\n", uptime, p->restarts, fault,
		(unsigned long long)(p->period_ns / 1000000));
	text_faults(p);
	if (p->recovery_max_ns)
		printf("recovery   %llu us the last time, %llu us at most\n", (unsigned long long)(p->recovery_ns / 1000),
			(unsigned long long)(p->recovery_max_ns / 1000));
	if (p->requests_repeated || p->requests_failed)
		printf("requests   %llu repeated, %llu failed, as clients report\n", (unsigned long long)p->requests_repeated,
			(unsigned long long)p->requests_failed);
	if (p->answers_refused)
		printf("answers    %llu refused as nonsense\n", (unsigned long long)p->answers_refused);
	for (int i = 0; i < RS_NR_MAJORS; i++)
		if (p->majors[i] >= 0)
			printf("major      %s%d\n", p->majors[i] & RS_MAJOR_BLOCK ? "block " : "", p->majors[i] & ~RS_MAJOR_BLOCK);
}

/* ---- verbs ---- */

static struct rs_pub *fetch_list(long *count)
{
	struct rs_pub *list = calloc(NR_SYS_PROCS, sizeof(*list));

	*count = list ? rs_call(RS_OP_LIST, list, NR_SYS_PROCS * sizeof(*list), 0, 0) : -1;
	return list;
}

int service_list(void)
{
	long n;
	struct rs_pub *list = fetch_list(&n);

	if (n < 0) {
		free(list);
		return report("cannot list", "services", n);
	}
	if (output_is_json())
		json_open(0, '[');
	else
		printf("%-16s %-9s %-10s %6s %9s %8s %8s  %s\n", "NAME", "STATE", "HEALTH", "PID", "ENDPOINT", "UPTIME", "RESTARTS",
			"LAST FAULT");
	for (long i = 0; i < n; i++)
		(output_is_json() ? json_service : text_line)(&list[i]);
	if (output_is_json())
		json_close(']');
	free(list);
	return EXIT_DONE;
}

int service_status(const char *name)
{
	struct rs_pub p;
	long r;

	memset(&p, 0, sizeof(p));
	label_fill(p.label, name);
	r = rs_call(RS_OP_STATUS, &p, sizeof(p), 0, 0);
	if (r < 0)
		return report("cannot tell about", name, r);
	(output_is_json() ? json_service : text_service)(&p);
	return EXIT_DONE;
}
