/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hello: the smallest whole driver, as a model for others (docs/drivers.md explains it line by line). /dev/hello, major 17, minor 0,
 * reads as one line of text; each open is counted and told in the log, so that one can see from outside what became of the driver's state.
 *
 *   kind of start   what happens                                       the count goes on at
 *   fresh           the driver is announced                            0
 *   restart         a predecessor died: its state died with it         0
 *   live update     the old version leaves the count in DS, the new    where it was
 *                   one takes it from there; nobody notices
 *
 * If this process dies here: RS starts another, VFS tells it what is open and repeats what is unanswered. Programs notice nothing; only the
 * count is lost.
 */
#include <errno.h>

#include <libdriver/cdev.h>
#include <libsef/ds.h>

enum { HELLO_MINOR = 0 };

static const char hello_text[] = "Hello, World!\n";
static const char hello_key[] = "hello.open_counter";	/* in DS, between the two versions of an update */

static struct hello {
	uint32_t opens;		/* ever, never counted down [lost in a crash, saved in DS for an update] */
} hello;

/* ---- requests ---- */

/* RECOVERABLE: every request here may be made twice, and an open device needs nothing that only we know. */
static int64_t hello_open(const struct cdev_req *r, uint64_t *value)
{
	(void)value;
	if (cdev_minor(r->minor) != HELLO_MINOR)
		return -ENXIO;
	if (r->flags & CDEV_ACCESS_WRITE)
		return -EACCES;
	hello.opens++;
	log_info("open number %u", hello.opens);
	return CDEV_RECOVERABLE;
}

static int64_t hello_read(const struct cdev_req *r)
{
	uint64_t len = sizeof(hello_text) - 1, n;
	err_t e;

	if (r->pos >= len)
		return 0;
	n = r->len < len - r->pos ? r->len : len - r->pos;
	e = cdev_copyout(r, 0, hello_text + r->pos, n);
	return e ? e : (int64_t)n;
}

/* ---- life ---- */

static err_t hello_init_fresh(const struct sef_init_info *info)
{
	(void)info;
	log_info("here I am, fresh");
	return 0;
}

static err_t hello_init_restart(const struct sef_init_info *info)
{
	log_info("here I am again, after restart %u; the count begins anew", info->restarts);
	return 0;
}

/* Both halves of an update. The key is deleted at once: a crash later on must not find an old count. */
static err_t hello_state_save(uint32_t state, uint32_t flags)
{
	(void)state, (void)flags;
	return ds_publish_u64(hello_key, hello.opens, DSF_OVERWRITE);
}

static err_t hello_init_lu(const struct sef_init_info *info)
{
	uint64_t opens;
	err_t e = ds_retrieve_u64(hello_key, &opens);

	(void)info;
	if (e)
		return e;
	ds_delete_u64(hello_key);
	hello.opens = (uint32_t)opens;
	log_info("a new version of me; the count goes on at %u", hello.opens);
	return 0;
}

static const struct cdev_driver hello_driver = {
	.name = "hello",
	.sef = {
		.init_fresh = hello_init_fresh, .init_restart = hello_init_restart, .init_lu = hello_init_lu,
		.signal_handler = sef_signal_term,
		.lu_state_isvalid = sef_lu_valid_standard, .lu_state_save = hello_state_save,
	},
	.open = hello_open, .read = hello_read,
};

int main(void)
{
	cdev_task(&hello_driver);
}
