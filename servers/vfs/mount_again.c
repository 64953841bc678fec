/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file system on a disk whose process died and that is there again, under the same endpoint. Node numbers are what they were, so all
 * that is open stays open: the new process mounts again, and hears of each vnode that is in use how many references we count. Requests wait
 * meanwhile (fsreq.c), and what was not answered is made again.
 *
 * If it dies once more in the middle of this, the next driver-up event ends our requests, and all is done from the start.
 */
#include "mount.h"

#include <libsef/sef.h>
#include <sys/sysmacros.h>

#include "dmap.h"
#include "fsreq.h"
#include "namecache.h"

static struct mount *mount_of(const struct driver *d)
{
	return d->mount && d->mount->fs == d->ep && !d->mount->failed ? d->mount : NULL;
}

/* -ESTALE: what happened to it was lost with the dead one. It stays, and errors tell. */
static int vnode_revive_at_fs(struct vnode *v)
{
	struct fs_attr attr;
	int r = fs_revive(v, v->fs_refs, &attr);
	v->attr_stale = true;
	if (r == 0)
		vnode_set_attr(v, &attr);
	return r == -ESTALE ? 0 : r;
}

static int vnodes_revive(struct mount *m, uint32_t round)
{
	struct vnode *v;
	int r = 0;
	while (!r && (v = vnode_next_to_revive(m, round))) {
		v->revived = round;
		vnode_get(v);
		r = vnode_revive_at_fs(v);
		vnode_put(v);
	}
	return r;
}

static int mount_again(struct mount *m, uint32_t round)
{
	const struct driver *disk = dmap_block(major(m->device));
	char options[256];
	struct fs_attr attr;
	if (!disk)
		return -ENXIO;
	m->quiet = true;	/* unused vnodes go without a word: the new process does not know them */
	vnodes_purge(m, 1);
	m->quiet = false;
	int r = mount_options(m, disk->label, options, sizeof options);
	if (r == 0)
		r = fs_mount_again(m->fs, m->device, options, m->flags, &attr);
	return r ? r : vnodes_revive(m, round);
}

static void mount_again_job(struct job *job)
{
	struct driver *d = list_entry(job, struct driver, job);
	struct mount *m;
	int r;
	do {
		d->again = false;
		m = mount_of(d);
		r = m ? mount_again(m, d->instance) : 0;
	} while (d->again);
	m = mount_of(d);	/* it may have been given up while we waited */
	if (m && r) {
		log_warn("the file system of %s cannot be mounted again: %s", m->source, err_text(r));
		m->failed = true;
	}
	d->remounting = d->reopening = false;
	waitq_wake(&d->changed, 0);
}

bool mount_service_back(struct driver *d)
{
	if (!mount_of(d))
		return false;
	d->again = true;
	if (d->reopening)
		return true;
	d->remounting = d->reopening = true;
	d->job.fn = mount_again_job;
	job_start(&d->job);
	return true;
}
