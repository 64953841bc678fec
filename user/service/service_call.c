/* SPDX-License-Identifier: BSD-2-Clause */
/* Talking to RS by its system call, and words for what it answers. */
#include "service.h"
#include <abi/errno.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct { bool json; } output;

void output_json(bool on)
{
	output.json = on;
}

bool output_is_json(void)
{
	return output.json;
}

long rs_call(enum rs_op op, const void *a1, uint64_t a2, const void *a3, uint64_t a4)
{
	long r = syscall(RS_CALL_NR, op, a1, a2, a3, a4);

	return r < 0 ? -errno : r;
}

void label_fill(char label[LABEL_LEN], const char *name)
{
	memset(label, 0, LABEL_LEN);
	snprintf(label, LABEL_LEN, "%s", name);
}

static const char *reason(int error)
{
	switch (error) {
	case ESRCH: return "there is no service of that name";
	case EPERM: return geteuid() == 0 ? "that is not allowed for this service" : "only root may do that";
	case EEXIST: return "a service of that name exists already (service restart revives one that has failed)";
	case EBUSY: return "another operation on it is in progress, or its major number is taken";
	case EINVAL: return "a name or number is not valid";
	case ENOEXEC: return "the file is not a static program for services";
	case E2BIG: return "the program or its arguments are too large";
	case ENOSYS: return "the service or this system does not know how to do that";
	case EOPNOTSUPP: return "no image of this boot service is kept, so it could not be started again";
	case ECHILD: return "it died while initialising (service why, service log)";
	case ETIMEDOUT: return "it did not finish its initialisation in time";
	case EIO: return "it has failed and is not started again by itself (service why)";
	case EINTR: return "not finished when the waiting was ended";
	case EAGAIN: return "there is no place for another service or process";
	case EBADCPU: return "none of the processors it may run on is there (option cpu, service check)";
	case ENODATA: return "no memory of a dead instance is kept (option core KEEP)";
	default: return strerror(error);
	}
}

static int exit_code(int error)
{
	switch (error) {
	case ESRCH: return EXIT_UNKNOWN;
	case EPERM: return geteuid() == 0 ? EXIT_REFUSED : EXIT_NOT_ROOT;
	case ECHILD: case ETIMEDOUT: return EXIT_INIT_FAILED;
	case EINTR: return EXIT_TIMED_OUT;
	case EIO: return EXIT_GIVEN_UP;
	default: return EXIT_REFUSED;
	}
}

int complain(int code, const char *what, const char *name, const char *why)
{
	fprintf(stderr, "service: %s%s%s: %s\n", what, *what ? " " : "", name, why);
	if (!output.json)
		return code;
	json_open(0, '{');
	json_text("name", name);
	json_text("result", what);
	json_text("error", why);
	json_number("exit", code);
	json_close('}');
	return code;
}

int report(const char *what, const char *name, long result)
{
	if (result < 0)
		return complain(exit_code((int)-result), what, name, reason((int)-result));
	if (output.json) {
		json_open(0, '{');
		json_text("name", name);
		json_text("result", "done");
		json_number("exit", EXIT_DONE);
		json_close('}');
	}
	return EXIT_DONE;
}
