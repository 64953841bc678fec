/* SPDX-License-Identifier: BSD-2-Clause */
/* Talking to RS by its system call, and words for what it answers. */
#include "service.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

long rs_call(enum rs_op op, void *argument, size_t len, void *more, size_t more_len)
{
	long r = more ? syscall(RS_CALL_NR, op, argument, more, more_len) : syscall(RS_CALL_NR, op, argument, len);

	return r < 0 ? -errno : r;
}

static const char *reason(int error)
{
	switch (error) {
	case ESRCH: return "there is no service of that name";
	case EPERM: return geteuid() == 0 ? "that is not allowed for this service" : "only root may do that";
	case EEXIST: return "a service of that name exists already";
	case EBUSY: return "another operation on it is in progress, or its major number is taken";
	case EINVAL: return "a name or number is not valid";
	case ENOEXEC: return "the file is not a static program for services";
	case E2BIG: return "the program or its arguments are too large";
	case ENOSYS: return "the service or this system does not know how to do that";
	case EOPNOTSUPP: return "no image of this boot service is kept, so it could not be started again";
	case ECHILD: return "it died while initialising (see service why, dmesg)";
	case ETIMEDOUT: return "it did not finish its initialisation in time";
	default: return strerror(error);
	}
}

static int exit_code(int error)
{
	switch (error) {
	case ESRCH: return EXIT_UNKNOWN;
	case EPERM: return geteuid() == 0 ? EXIT_REFUSED : EXIT_NOT_ROOT;
	case ECHILD: case ETIMEDOUT: return EXIT_INIT_FAILED;
	default: return EXIT_REFUSED;
	}
}

int report(const char *what, const char *name, long result)
{
	if (result >= 0)
		return EXIT_DONE;
	fprintf(stderr, "service: %s %s: %s\n", what, name, reason((int)-result));
	return exit_code((int)-result);
}
