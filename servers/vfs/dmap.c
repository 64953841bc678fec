/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device map and driver-up events. RS names a driver and its majors before it may run (VFS_MAPDRIVER); that is only written down. What
 * has to be done when a driver has come up anew (cdev_driver_up) is done on its own announcement, which comes from DS as the key
 * drv.chr.LABEL or drv.blk.LABEL; drv.failed.LABEL says that RS has given it up. DS's notifications carry nothing and run together:
 * DS is asked until it has no more.
 *
 * The event and RS's message may come in either order, so entries are found by label. An event may belong to an instance that is dead by
 * now and its owner's endpoint to one that has not announced itself yet: then there is one event more to come, and everything is
 * done again.
 */
#include "dmap.h"

#include <libsef/ds.h>
#include <libsef/sef.h>
#include <libsys/kcall.h>
#include <proto/rs.h>
#include <stdio.h>
#include <string.h>

#include "cdev.h"
#include "mount.h"
#include "request.h"

enum { CHAR_MAJORS = 512, BLOCK_MAJORS = 512 };

static struct dmap {
	struct driver drivers[NR_SYS_PROCS];	/* taken from the front: behind the first without a label there is none */
	struct driver *chr[CHAR_MAJORS], *blk[BLOCK_MAJORS];
} dmap;

/* ---- entries --------------------------------------------------------------------------------------------------- */

static struct driver *driver_find(const char *label)
{
	for (struct driver *d = dmap.drivers; d < dmap.drivers + NR_SYS_PROCS && d->label[0]; d++)
		if (!strcmp(d->label, label))
			return d;
	return NULL;
}

/* Nobody points to it, and the service that it names is gone: one without device numbers (blockfs) is found by its label alone. */
static bool driver_is_over(const struct driver *d)
{
	return !d->uses && !d->reopening && list_empty(&d->changed.waiters)
	    && (d->state == DRIVER_DOWN || sys_times(d->ep, NULL, NULL, NULL) != 0);
}

/* An entry that nobody ever used, or else one that is over. */
static struct driver *driver_unused(void)
{
	for (struct driver *d = dmap.drivers; d < dmap.drivers + NR_SYS_PROCS; d++)
		if (!d->label[0])
			return d;
	for (struct driver *d = dmap.drivers; d < dmap.drivers + NR_SYS_PROCS; d++)
		if (driver_is_over(d))
			return d;
	return NULL;
}

static struct driver *driver_alloc(const char *label)
{
	struct driver *d = driver_unused();
	if (!d)
		return NULL;
	memset(d, 0, sizeof *d);
	snprintf(d->label, sizeof d->label, "%s", label);
	waitq_init(&d->changed);
	return d;
}

static struct driver *driver_get(const char *label)
{
	struct driver *d = driver_find(label);
	return d ? d : driver_alloc(label);
}

static struct driver **slot_of(int32_t major)
{
	if (major >= RS_MAJOR_BLOCK && major < RS_MAJOR_BLOCK + BLOCK_MAJORS)
		return &dmap.blk[major - RS_MAJOR_BLOCK];
	return major >= 0 && major < CHAR_MAJORS ? &dmap.chr[major] : NULL;
}

struct driver *dmap_driver(const char *label) { return driver_find(label); }
struct driver *dmap_char(uint32_t major) { return major < CHAR_MAJORS ? dmap.chr[major] : NULL; }
struct driver *dmap_block(uint32_t major) { return major < BLOCK_MAJORS ? dmap.blk[major] : NULL; }

struct driver *dmap_of_endpoint(endpoint_t ep)
{
	for (struct driver *d = dmap.drivers; d < dmap.drivers + NR_SYS_PROCS && d->label[0]; d++)
		if (d->uses && d->ep == ep)
			return d;
	return NULL;
}

struct driver *dmap_service(endpoint_t ep)
{
	for (struct driver *d = dmap.drivers; d < dmap.drivers + NR_SYS_PROCS && d->label[0]; d++)
		if (d->ep == ep)
			return d;
	return NULL;
}

/* ---- changes --------------------------------------------------------------------------------------------------- */

static void driver_state_set(struct driver *d, enum driver_state state)
{
	d->state = state;
	waitq_wake(&d->changed, 0);
}

void driver_lost(struct driver *d, uint32_t instance)
{
	if (d->instance == instance && d->state == DRIVER_UP)
		driver_state_set(d, DRIVER_STARTING);
}

static void driver_down(struct driver *d)
{
	driver_state_set(d, DRIVER_DOWN);
	cdev_driver_down(d);
	mounts_service_dead(d->ep);
}

/* The predecessor, if it had another endpoint, answers no more; what waits for it is told when the successor is up. */
static void driver_named(struct driver *d, endpoint_t ep)
{
	if (d->ep == ep && d->state == DRIVER_UP)
		return;
	d->ep = ep;
	driver_state_set(d, DRIVER_STARTING);
}

static void slot_set(struct driver **slot, struct driver *d)
{
	struct driver *old = *slot;
	if (old == d)
		return;
	if (d)
		d->uses++;
	*slot = d;
	if (!old)
		return;
	driver_down(old);
	old->uses--;
}

void dmap_map(int32_t major, endpoint_t ep, const char *label)
{
	char name[LABEL_LEN];
	struct driver **slot = slot_of(major);
	snprintf(name, sizeof name, "%.*s", LABEL_LEN - 1, label);
	if (!slot || !name[0])
		return;
	struct driver *d = ep > 0 ? driver_get(name) : NULL;
	if (ep > 0 && !d)
		log_warn("the device map is full, %s is not in it", name);
	slot_set(slot, d);
	if (d)
		driver_named(d, ep);
}

/* ---- events ---------------------------------------------------------------------------------------------------- */

/* A file system: the requests that its predecessor has not answered will not be. Under the old endpoint it is one that goes on where that
 * one was, if it was started for a mount or all its files are made up. */
static void service_gone(struct driver *d, endpoint_t old)
{
	requests_fail(old);
	if (d->ep != old || (!mount_service_back(d) && !mounts_made_up(old)))
		mounts_service_dead(old);
}

static void driver_announced(const char *label, endpoint_t owner, bool chr)
{
	struct driver *d = owner > 0 ? driver_get(label) : NULL;
	if (!d)
		return;
	endpoint_t old = d->ep > 0 ? d->ep : owner;
	d->ep = owner;
	d->instance++;
	d->state = DRIVER_UP;
	log_debug("driver %s is up, instance %u", label, d->instance);
	if (chr)
		cdev_driver_up(d, old);
	else if (d->instance > 1)
		service_gone(d, old);
	waitq_wake(&d->changed, 0);
}

static void driver_failed(const char *label, const char *key)
{
	struct driver *d = driver_find(label);
	uint64_t value = 0;
	if (ds_retrieve_u64(key, &value) != 0 || !value)
		return;
	if (d)
		driver_down(d);
	requests_check_soon();	/* a file system that is no driver: RS removes it next */
}

static const char *after(const char *key, const char *prefix)
{
	size_t n = strlen(prefix);
	return strncmp(key, prefix, n) ? NULL : key + n;
}

static void on_event(const char *key, endpoint_t owner)
{
	const char *label;
	if ((label = after(key, "drv.chr.")))
		driver_announced(label, owner, true);
	else if ((label = after(key, "drv.blk.")))
		driver_announced(label, owner, false);
	else if ((label = after(key, "drv.failed.")))
		driver_failed(label, key);
}

void dmap_notified(void)
{
	char key[DS_KEY_LEN];
	endpoint_t owner;
	while (ds_check(key, NULL, &owner) == 0)
		on_event(key, owner);
}

void dmap_init(void)
{
	int r = ds_subscribe("drv\\.(chr|blk|failed)\\..*", DSF_TYPE_U64 | DSF_INITIAL | DSF_OVERWRITE);
	if (r)
		fail_stop("no driver-up events: %s", err_text(r));
}

/* ---- words ----------------------------------------------------------------------------------------------------- */

static size_t table_text(struct driver *const *table, int majors, const char *title, char *buf, size_t room)
{
	size_t used = (size_t)snprintf(buf, room, "%s devices:\n", title);
	for (int i = 0; i < majors && used < room; i++)
		if (table[i])
			used += (size_t)snprintf(buf + used, room - used, "%3d %s\n", i, table[i]->label);
	return used < room ? used : room - 1;
}

size_t dmap_text(char *buf, size_t room)
{
	size_t used = table_text(dmap.chr, CHAR_MAJORS, "Character", buf, room);
	if (used + 2 >= room)
		return used;
	buf[used++] = '\n';
	return used + table_text(dmap.blk, BLOCK_MAJORS, "Block", buf + used, room - used);
}
