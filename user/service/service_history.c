/* SPDX-License-Identifier: BSD-2-Clause */
/* What happened to services: RS's events, the kernel's log, and what RS keeps of the dead. */
#include "service.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WHY_BYTES = 16384, EVENTS_MAX = 4096, LOG_RECORD_BYTES = 2048, CORE_PIECE = 1 << 16 };

/* ---- why ---- */

int service_why(const char *name)
{
	static char text[WHY_BYTES];
	char label[LABEL_LEN];
	long n;

	label_fill(label, name);
	n = rs_call(RS_OP_WHY, label, (uintptr_t)text, (const void *)(sizeof(text) - 1), 0);
	if (n < 0)
		return report("cannot tell about", name, n);
	text[n] = 0;
	if (output_is_json()) {
		json_open(0, '{');
		json_text("name", name);
		json_text("why", text);
		json_close('}');
		return EXIT_DONE;
	}
	if (n == 0)
		printf("%s: nothing has happened to it\n", name);
	fputs(text, stdout);
	return EXIT_DONE;
}

/* ---- history ---- */

static const char *event_name(uint32_t kind)
{
	static const char *const names[] = {
		[RS_EVENT_STARTED] = "started", [RS_EVENT_FAULT] = "fault", [RS_EVENT_RECOVERED] = "recovered",
		[RS_EVENT_FAILED] = "failed", [RS_EVENT_REQUEST] = "request", [RS_EVENT_DOWN] = "down", [RS_EVENT_NOTE] = "note",
	};

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}

static void event_json(const struct rs_event *e)
{
	json_open(0, '{');
	json_number("seq", (long long)e->seq);
	json_number("when_ms", (long long)(e->when_ns / 1000000));
	json_text("name", e->label);
	json_text("event", event_name(e->kind));
	if (e->kind == RS_EVENT_FAULT)
		json_text("fault", service_fault_name(e->fault));
	json_number("restarts", e->restarts);
	json_text("text", e->text);
	json_close('}');
}

static void event_text(const struct rs_event *e)
{
	printf("%6llu.%03llu  %-9s  %s %s\n", (unsigned long long)(e->when_ns / 1000000000),
		(unsigned long long)(e->when_ns / 1000000 % 1000), event_name(e->kind), e->label, e->text);
}

static void event_show(const struct rs_event *e)
{
	(output_is_json() ? event_json : event_text)(e);
}

int service_history(const char *name)
{
	struct rs_event *events = calloc(EVENTS_MAX, sizeof(*events));
	char label[LABEL_LEN];
	long n = -ENOMEM;

	label_fill(label, name ? name : "");
	if (events)
		n = rs_call(RS_OP_HISTORY, label, (uintptr_t)events, (const void *)(EVENTS_MAX * sizeof(*events)), 0);
	if (n < 0) {
		free(events);
		return report("cannot tell about", name ? name : "services", n);
	}
	if (output_is_json())
		json_open(0, '[');
	for (long i = 0; i < n && i < EVENTS_MAX; i++)
		event_show(&events[i]);
	if (output_is_json())
		json_close(']');
	free(events);
	return EXIT_DONE;
}

/* ---- watch ---- */

enum { SCRIPT_SECONDS = 60 };

/* The word a policy script gets: why the service needs it. */
static const char *script_reason(const struct rs_event *e)
{
	if (e->kind != RS_EVENT_FAULT)
		return "restart";
	return e->fault == RS_FAULT_HANG ? "no-heartbeat" : e->fault == RS_FAULT_SIGNAL ? "terminated" : "crashed";
}

static void script_exec(const struct rs_watch *w)
{
	char incarnation[16];
	const char *const argv[] = { w->script, w->event.label, script_reason(&w->event), incarnation, 0 };
	const char *const environment[] = { "PATH=/sbin:/bin:/usr/sbin:/usr/bin", 0 };

	snprintf(incarnation, sizeof(incarnation), "%u", w->event.restarts);
	setpgid(0, 0);
	execve(w->script, (char *const *)argv, (char *const *)environment);
	fprintf(stderr, "service: script %s: %s\n", w->script, strerror(errno));
	_exit(127);
}

static volatile pid_t script_group;

static void script_overdue(int signo)
{
	(void)signo;
	kill(-script_group, SIGKILL);
}

/* What a script has not decided because it failed is decided here: a restart. */
static void script_ended(const struct rs_watch *w, int status)
{
	char label[LABEL_LEN];
	struct rs_pub p;

	if (status == 0)
		return;
	fprintf(stderr, "service: script %s for %s ended with status %d\n", w->script, w->event.label,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	label_fill(label, w->event.label);
	memset(&p, 0, sizeof(p));
	memcpy(p.label, label, sizeof(p.label));
	if (rs_call(RS_OP_STATUS, &p, sizeof(p), 0, 0) == 0 && p.state == RS_BACKOFF && p.restarts == w->event.restarts)
		rs_call(RS_OP_RESTART, label, sizeof(label), 0, 0);
}

/* Each script has a process that waits for it, so one that hangs or takes its time holds up nobody else's. */
static void script_run(const struct rs_watch *w)
{
	pid_t child;
	int status = 1;

	fflush(stdout);
	child = fork();
	if (child < 0)
		complain(EXIT_REFUSED, "cannot run script", w->script, strerror(errno));
	if (child != 0)
		return;
	signal(SIGCHLD, SIG_DFL);
	child = fork();
	if (child == 0)
		script_exec(w);
	script_group = child;
	signal(SIGALRM, script_overdue);
	alarm(SCRIPT_SECONDS);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	script_ended(w, status);
	_exit(0);
}

int service_watch(bool run_scripts, bool quiet)
{
	struct rs_watch w;
	uint64_t seq = 0;

	signal(SIGCHLD, SIG_IGN);	/* scripts: nobody waits for them here */
	for (;;) {
		long r = rs_call(RS_OP_WATCH, &w, sizeof(w), (const void *)seq, run_scripts);

		if (r == -EINTR)
			continue;
		if (r < 0)
			return report("cannot watch", "services", r);
		seq = w.event.seq;
		if (!quiet) {
			event_show(&w.event);
			fflush(stdout);
		}
		if (run_scripts && w.script[0])
			script_run(&w);
	}
}

/* ---- log ---- */

struct log_names { char label[LABEL_LEN], name[LABEL_LEN]; };

static void log_names_find(const char *name, struct log_names *names)
{
	struct rs_pub p;

	memset(&p, 0, sizeof(p));
	label_fill(p.label, name);
	label_fill(names->label, name);
	label_fill(names->name, rs_call(RS_OP_STATUS, &p, sizeof(p), 0, 0) == 0 ? p.name : name);
}

static bool log_begins(const char *text, const char *name, char after)
{
	size_t n = strlen(name);

	return strncmp(text, name, n) == 0 && text[n] == after;
}

/* Its own lines, and what RS says about it. */
static bool log_is_about(const char *text, const struct log_names *names)
{
	return log_begins(text, names->name, ':') || log_begins(text, names->label, ':')
		|| (strncmp(text, "rs: ", 4) == 0 && log_begins(text + 4, names->label, ' '));
}

/* A record of /dev/kmsg is "priority,sequence,microseconds,flags;text". */
static void log_record(char *record, const struct log_names *names)
{
	char *text = strchr(record, ';');
	unsigned long long us;

	if (!text || sscanf(record, "%*u,%*u,%llu", &us) != 1 || !log_is_about(text + 1, names))
		return;
	text++;
	text[strcspn(text, "\n")] = 0;
	if (output_is_json()) {
		json_open(0, '{');
		json_number("when_us", (long long)us);
		json_text("text", text);
		json_close('}');
	} else {
		printf("[%llu.%06llu] %s\n", us / 1000000, us % 1000000, text);
	}
	fflush(stdout);
}

int service_log(const char *name, bool follow)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_CLOEXEC | (follow ? 0 : O_NONBLOCK));
	static char record[LOG_RECORD_BYTES];
	struct log_names names;
	ssize_t n;

	if (fd < 0)
		return complain(EXIT_REFUSED, "cannot read", "/dev/kmsg", strerror(errno));
	log_names_find(name, &names);
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 || (n < 0 && (errno == EPIPE || errno == EINTR))) {
		record[n > 0 ? n : 0] = 0;
		log_record(record, &names);
	}
	close(fd);
	return EXIT_DONE;
}

/* ---- core ---- */

static long core_copy(const char *name, int fd)
{
	static char piece[CORE_PIECE];
	char label[LABEL_LEN];
	long total = 0, n;

	label_fill(label, name);
	while ((n = rs_call(RS_OP_CORE, label, (uintptr_t)piece, (const void *)sizeof(piece), (uint64_t)total)) > 0) {
		if (write(fd, piece, (size_t)n) != n)
			return -errno;
		total += n;
	}
	return n < 0 ? n : total;
}

int service_core(const char *name, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	long r;

	if (fd < 0)
		return complain(EXIT_REFUSED, "cannot write", path, strerror(errno));
	r = core_copy(name, fd);
	close(fd);
	if (r < 0)
		unlink(path);
	return report("cannot save a core of", name, r);
}
