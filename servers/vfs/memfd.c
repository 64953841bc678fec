/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memfd_create: a nameless file on a tmpfs instance of our own that is mounted nowhere. Seals are kept with the vnode and looked at by
 * writing, truncating and mapping.
 */
#include "memfd.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "calls.h"
#include "client.h"
#include "fsreq.h"
#include "mount.h"
#include "open.h"

enum { MEMFD_NAME_MAX = 249, SEALS_ALL = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | 0x10 };

static struct memfd { struct mount *mount; } memfd;

static int hidden_mount(void)
{
	if (memfd.mount)
		return 0;
	struct mount *m;
	int r = mount_hidden(EP_TMPFS, &m);
	if (r == 0 && !memfd.mount)
		memfd.mount = m;
	return r;
}

int64_t rq_memfd_create(struct call *c)
{
	char name[MEMFD_NAME_MAX + 1], shown[MEMFD_NAME_MAX + 8] = "memfd:";
	unsigned flags = (unsigned)c->a[1];
	struct vnode *v;
	struct file *f;
	if (flags & ~(unsigned)(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return -EINVAL;
	int r = user_read_string(c->ep, c->a[0], name, sizeof name, NULL);
	if (r)
		return r == -ENAMETOOLONG ? -EINVAL : r;
	r = hidden_mount();
	if (r == 0)
		r = tmpfile_make(c->client, memfd.mount->root, 0777, &v);
	if (r)
		return r;
	v->seals = flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL;
	strcat(shown, name);
	vnode_set_place(v, memfd.mount->root, shown, strlen(shown));
	v->removed = true;
	r = open_vnode(c, c->client, v, O_RDWR | 0100000, &f);
	vnode_put(v);
	return r ? r : fd_install_new(c, f, flags & MFD_CLOEXEC);
}

int64_t memfd_seals(struct file *f, bool add, unsigned seals)
{
	struct vnode *v = f->vnode;
	if (!v || !memfd.mount || v->mount != memfd.mount)
		return -EINVAL;
	if (!add)
		return v->seals;
	if (!f->can_write || v->seals & F_SEAL_SEAL)
		return -EPERM;
	if (seals & ~(unsigned)SEALS_ALL)
		return -EINVAL;
	if (seals & F_SEAL_WRITE && v->vm_refs)
		return -EBUSY;
	v->seals |= seals;
	return 0;
}
