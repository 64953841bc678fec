/* SPDX-License-Identifier: BSD-2-Clause */
/* What RS knows, for people and as JSON. */
#include "service.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *state_name(uint32_t state)
{
	static const char *const names[] = {
		[RS_FREE] = "free", [RS_STARTING] = "starting", [RS_RUNNING] = "running", [RS_STOPPING] = "stopping",
		[RS_DEAD] = "dead", [RS_BACKOFF] = "waiting", [RS_FAILED] = "failed", [RS_UPDATING] = "updating",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t uptime_ms(const struct rs_pub *p)
{
	uint64_t now = now_ns();

	return p->state == RS_RUNNING && now > p->started_ns ? (now - p->started_ns) / 1000000 : 0;
}

static const char *fault_words(const struct rs_pub *p)
{
	return p->last_signal ? strsignal(p->last_signal) : "none";
}

static const char *kind(const struct rs_pub *p)
{
	return p->flags & RS_PUB_CORE ? "core" : p->flags & RS_PUB_BOOT ? "boot" : "service";
}

static void json_string(const char *name, const char *text, const char *after)
{
	printf("\"%s\": \"", name);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		if ((unsigned char)*text < 0x20)
			printf("\\u%04x", (unsigned)*text);
		else
			putchar(*text);
	}
	printf("\"%s", after);
}

static void json_majors(const struct rs_pub *p)
{
	const char *separator = "";

	printf("\"majors\": [");
	for (int i = 0; i < RS_NR_MAJORS; i++) {
		if (p->majors[i] < 0)
			continue;
		printf("%s%d", separator, p->majors[i]);
		separator = ", ";
	}
	printf("], ");
}

static void json_service(const struct rs_pub *p)
{
	printf("{");
	json_string("name", p->label, ", ");
	json_string("program", p->name, ", ");
	json_string("state", state_name(p->state), ", ");
	json_string("kind", kind(p), ", ");
	printf("\"pid\": %d, \"endpoint\": %d, \"uptime_ms\": %llu, \"restarts\": %u, \"period_ms\": %llu, ", p->pid, p->endpoint,
		(unsigned long long)uptime_ms(p), p->restarts, (unsigned long long)(p->period_ns / 1000000));
	json_majors(p);
	json_string("last_fault", fault_words(p), "}");
}

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

static void text_line(const struct rs_pub *p)
{
	char uptime[24];

	text_uptime(uptime, sizeof(uptime), p);
	printf("%-16s %-10s %-8s %6d %9d %8s %8u  %s\n", p->label, state_name(p->state), kind(p), p->pid, p->endpoint, uptime,
		p->restarts, fault_words(p));
}

static struct rs_pub *fetch_list(long *count)
{
	size_t bytes = NR_SYS_PROCS * sizeof(struct rs_pub);
	struct rs_pub *list = calloc(1, bytes);

	*count = list ? rs_call(RS_OP_LIST, list, bytes, 0, 0) : -1;
	return list;
}

int service_list(bool json)
{
	long n;
	struct rs_pub *list = fetch_list(&n);

	if (n < 0) {
		free(list);
		return report("cannot list", "services", n);
	}
	if (json)
		printf("[");
	else
		printf("%-16s %-10s %-8s %6s %9s %8s %8s  %s\n", "NAME", "STATE", "KIND", "PID", "ENDPOINT", "UPTIME", "RESTARTS",
			"LAST FAULT");
	for (long i = 0; i < n; i++) {
		if (!json) {
			text_line(&list[i]);
			continue;
		}
		printf(i ? ",\n " : "\n ");
		json_service(&list[i]);
	}
	if (json)
		printf("\n]\n");
	free(list);
	return EXIT_DONE;
}

static void text_service(const struct rs_pub *p)
{
	char uptime[24];

	text_uptime(uptime, sizeof(uptime), p);
	printf("name       %s\nprogram    %s\nstate      %s\nkind       %s\npid        %d\nendpoint   %d\n", p->label, p->name,
		state_name(p->state), kind(p), p->pid, p->endpoint);
	printf("uptime     %s\nrestarts   %u\nlast fault %s\nheartbeat  %llu ms\n", uptime, p->restarts, fault_words(p),
		(unsigned long long)(p->period_ns / 1000000));
	for (int i = 0; i < RS_NR_MAJORS; i++)
		if (p->majors[i] >= 0)
			printf("major      %d\n", p->majors[i]);
}

int service_status(const char *label, bool json)
{
	struct rs_pub p;
	long r;

	memset(&p, 0, sizeof(p));
	snprintf(p.label, sizeof(p.label), "%s", label);
	r = rs_call(RS_OP_STATUS, &p, sizeof(p), 0, 0);
	if (r < 0)
		return report("cannot tell about", label, r);
	if (json) {
		json_service(&p);
		putchar('\n');
	} else {
		text_service(&p);
	}
	return EXIT_DONE;
}

int service_why(const char *label)
{
	char name[LABEL_LEN] = "", text[4096];
	long n;

	snprintf(name, sizeof(name), "%s", label);
	n = rs_call(RS_OP_WHY, name, sizeof(name), text, sizeof(text));
	if (n < 0)
		return report("cannot tell about", label, n);
	if (n == 0)
		printf("%s: nothing has happened to it\n", label);
	fwrite(text, 1, (size_t)n, stdout);
	return EXIT_DONE;
}
