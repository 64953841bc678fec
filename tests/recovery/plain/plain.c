/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A character driver that cannot recover its device, as most cannot: it does not say CDEV_RECOVERABLE. Minor 0 reads as text, minor 1 never
 * answers a read. Before each request it must have seen an open of this instance: else it stops, and the test with it.
 */
#include <errno.h>
#include <libdriver/cdev.h>
#include <libsys/log.h>

enum { MINOR_TEXT = 0, MINOR_SILENT = 1, MINORS = 2 };

static struct { uint32_t opens[MINORS]; uint32_t waits; } plain;

static uint32_t minor_checked(const struct cdev_req *r)
{
	uint32_t minor = cdev_minor(r->minor);

	if (minor >= MINORS || plain.opens[minor] == 0)
		fail_stop("a request on minor %u, which this instance was not asked to open", minor);
	return minor;
}

static int64_t plain_open(const struct cdev_req *r, uint64_t *value)
{
	(void)value;
	if (cdev_minor(r->minor) >= MINORS)
		return -ENXIO;
	plain.opens[cdev_minor(r->minor)]++;
	return 0;
}

static int64_t plain_close(const struct cdev_req *r)
{
	plain.opens[minor_checked(r)]--;
	return 0;
}

static int64_t plain_read(const struct cdev_req *r)
{
	if (minor_checked(r) == MINOR_TEXT) {
		err_t e = r->len < 5 ? -EINVAL : cdev_copyout(r, 0, "text\n", 5);
		return e ? e : 5;
	}
	plain.waits = r->id;
	return CDEV_LATER;
}

static bool plain_cancel(uint32_t id)
{
	bool here = plain.waits == id;

	plain.waits = here ? 0 : plain.waits;
	return here;
}

static uint32_t plain_select(uint32_t dev, uint32_t events, bool want_ready)
{
	(void)want_ready;
	return cdev_minor(dev) == MINOR_TEXT ? events : 0;
}

int main(void)
{
	static const struct cdev_driver driver = {
		.name = "plain", .sef = { .init_restart = sef_init_null },
		.open = plain_open, .close = plain_close, .read = plain_read, .cancel = plain_cancel, .select = plain_select,
	};
	cdev_task(&driver);
}
