/* SPDX-License-Identifier: BSD-2-Clause */
/* Setting the wall clock. Reading it is the kernel's and the vDSO's business. */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <libsys/kcall.h>
#include <string.h>
#include <time.h>

static err_t clock_set(nstime_t realtime)
{
	nstime_t now = time_now();
	err_t r = sys_settime(realtime);

	if (r != 0)
		return -EINVAL;
	pm.realtime_offset = realtime > now ? realtime - now : 0;
	sleepers_clock_changed();
	return 0;
}

int64_t call_clock_settime(struct task *t, const uint64_t a[6])
{
	int clock = (int)a[0];
	nstime_t ns;

	if (clock != CLOCK_REALTIME)
		return -EINVAL;
	err_t r = timespec_read(t, a[1], &ns);
	if (r != 0)
		return r;
	return cred_is_root(t->cred) ? clock_set(ns) : -EPERM;
}

int64_t call_settimeofday(struct task *t, const uint64_t a[6])
{
	struct timeval tv;
	nstime_t ns = 0;

	if (a[0] && user_read(t, a[0], &tv, sizeof tv) != 0)
		return -EFAULT;
	if (a[0] && timeval_to_ns(&tv, &ns) != 0)
		return -EINVAL;
	int32_t zone[2];
	if (a[1] && user_read(t, a[1], zone, sizeof zone) != 0)
		return -EFAULT;
	if (!cred_is_root(t->cred))
		return -EPERM;
	return a[0] ? clock_set(ns) : 0;	/* the time zone is of no use to anybody */
}

struct timex_linux {
	uint32_t modes, pad0;
	int64_t offset, freq, maxerror, esterror;
	int32_t status, pad1;
	int64_t constant, precision, tolerance, time[2], tick, ppsfreq, jitter;
	int32_t shift, pad2;
	int64_t stabil, jitcnt, calcnt, errcnt, stbcnt;
	int32_t tai, pad3[11];
};
_Static_assert(sizeof(struct timex_linux) == 208, "Linux's struct timex");
enum { ADJ_SETOFFSET_LINUX = 0x100, ADJ_NANO_LINUX = 0x2000, STA_UNSYNC_LINUX = 0x40, TIME_ERROR_LINUX = 5 };

static err_t timex_set_offset(const struct timex_linux *x)
{
	int64_t fraction = x->time[1] * (x->modes & ADJ_NANO_LINUX ? 1 : 1000);

	if (fraction < 0 || fraction >= 1000000000)
		return -EINVAL;
	return clock_set(pm.realtime_offset + time_now() + (nstime_t)(x->time[0] * 1000000000 + fraction));
}

static int64_t timex_call(struct task *t, vaddr_t addr)
{
	struct timex_linux x;

	if (user_read(t, addr, &x, sizeof x) != 0)
		return -EFAULT;
	if (x.modes && !cred_is_root(t->cred))
		return -EPERM;
	err_t r = x.modes & ADJ_SETOFFSET_LINUX ? timex_set_offset(&x) : 0;
	if (r != 0)
		return r;
	nstime_t now = pm.realtime_offset + time_now();
	x = (struct timex_linux){ .modes = x.modes, .maxerror = 16000000, .esterror = 16000000, .status = STA_UNSYNC_LINUX,
		.constant = 2, .precision = 1, .tolerance = 32768000, .tick = 10000,
		.time = { (int64_t)(now / 1000000000), (int64_t)(now % 1000000000 / 1000) } };
	return user_write(t, addr, &x, sizeof x) ? -EFAULT : TIME_ERROR_LINUX;
}

int64_t call_adjtimex(struct task *t, const uint64_t a[6]) { return timex_call(t, a[0]); }

int64_t call_clock_adjtime(struct task *t, const uint64_t a[6])
{
	return (int)a[0] == CLOCK_REALTIME ? timex_call(t, a[1]) : -EINVAL;
}
