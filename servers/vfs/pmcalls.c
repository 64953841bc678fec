/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of PM, VM and RS (proto/vfs.h). All are answered at once; what takes time (loading a program, closing the last use of things)
 * goes on behind the answer. Only the service named in the protocol may ask.
 */
#include "pmcalls.h"

#include <libsef/sef.h>
#include <libsys/kcall.h>
#include <proto/common.h>
#include <proto/vfs.h>
#include <proto/vm.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "cdev.h"
#include "dmap.h"
#include "client.h"
#include "exec.h"
#include "fsreq.h"
#include "file.h"
#include "mount.h"
#include "perm.h"
#include "request.h"
#include "signalfd.h"

enum { RLIMIT_NR_FSIZE = 1, RLIMIT_NR_STACK = 3, RLIMIT_NR_NOFILE = 7, GROUPS_MAX = 65536 };

static const void *body(const struct message *m) { return m->w; }

/* ---- PM -------------------------------------------------------------------------------------------------------- */

static int64_t on_fork(const struct message *m)
{
	const struct vfs_fork_req *q = body(m);
	return client_fork(q->parent, q->child, q->pid, q->flags);
}

static int64_t on_exit(const struct message *m)
{
	const struct vfs_exit_req *q = body(m);
	struct client *c = client_find(q->ep);
	if (c)
		client_exit(c);
	return 0;
}

static int64_t on_setcred(const struct message *m)
{
	const struct vfs_setcred_req *q = body(m);
	struct client *c = client_find(q->ep);
	if (!c)
		return -ESRCH;
	if (q->nr_groups > GROUPS_MAX)
		return -EINVAL;
	struct groups *g = NULL;
	if (q->nr_groups) {
		g = malloc(sizeof *g + q->nr_groups * sizeof(uint32_t));
		if (!g)
			return -ENOMEM;
		g->refs = 1;
		g->count = q->nr_groups;
		if (sys_datacopy_from(EP_PM, q->groups, g->ids, q->nr_groups * sizeof(uint32_t)) != 0) {
			free(g);
			return -EFAULT;
		}
	}
	c->uid = q->uid;
	c->gid = q->gid;
	c->fsuid = q->fsuid;
	c->fsgid = q->fsgid;
	client_set_groups(c, g);
	return 0;
}

static int64_t on_setids(const struct message *m)
{
	const struct vfs_setids_req *q = body(m);
	struct client *c = client_find(q->ep);
	return c ? client_setids(c, q->pid, q->pgid, q->sid) : -ESRCH;
}

static int64_t on_rlimit(const struct message *m)
{
	const struct vfs_rlimit_req *q = body(m);
	struct client *c = client_find(q->ep);
	if (!c)
		return -ESRCH;
	if (q->resource == RLIMIT_NR_FSIZE)
		c->limit_fsize = q->cur;
	else if (q->resource == RLIMIT_NR_NOFILE)
		c->limit_files = q->cur;
	else if (q->resource == RLIMIT_NR_STACK)
		c->limit_stack = q->cur;
	return 0;
}

void on_cancel(const struct message *m)
{
	const struct common_cancel_req *q = body(m);
	struct client *c = client_find(q->ep);
	if (c && c->call)
		call_cancel(c->call);
}

/* ---- VM -------------------------------------------------------------------------------------------------------- */

static int64_t mmap_check(const struct vfs_vm_mmap_req *q, struct vm_mmap_reply_req *rep)
{
	enum { PROT_WRITE_F = 2, PROT_EXEC_F = 4, MAP_SHARED_F = 1, MAP_TYPE = 3, MOUNT_NOEXEC = 8 };
	struct client *cl = client_find(q->ep);
	struct file *f = cl && cl->fds ? fdtable_lookup(cl->fds, q->fd) : NULL;
	if (!f || f->flags & O_PATH)
		return -EBADF;
	bool shared = (q->flags & MAP_TYPE) == MAP_SHARED_F || (q->flags & MAP_TYPE) == 3;
	if (!f->can_read || (shared && q->prot & PROT_WRITE_F && !f->can_write))
		return -EACCES;
	if (cdev_is_zero(f)) {
		rep->flags = VM_MR_ANON | VM_MR_WRITABLE;
		return 0;
	}
	struct vnode *v = f->vnode;
	if (!v || !S_ISREG(v->attr.mode) || v->attr.flags & FS_ATTR_NOMAP)
		return -ENODEV;
	if (v->mount->flags & MOUNT_NOEXEC && q->prot & PROT_EXEC_F)
		return -EPERM;
	if (shared && q->prot & PROT_WRITE_F && v->seals & (8 | 0x10))
		return -EPERM;
	rep->fs = v->mount->fs;
	rep->node = v->node;
	rep->size = v->attr.size;
	rep->flags = (f->can_write ? VM_MR_WRITABLE : 0u) | (v->mount->flags & MOUNT_NOEXEC ? VM_MR_NOEXEC : 0u);
	vnode_get(v);
	v->vm_refs++;
	return 0;
}

void on_vm_mmap(const struct message *m)
{
	const struct vfs_vm_mmap_req *q = body(m);
	struct message rep = { .type = VM_MMAP_REPLY };
	struct vm_mmap_reply_req *r = MSG_BODY(struct vm_mmap_reply_req, &rep);
	r->id = q->id;
	r->fs = EP_NONE;
	r->result = mmap_check(q, r);
	peer_send(EP_VM, &rep);
}

void on_vm_unref(const struct message *m)
{
	const struct vfs_vm_unref_req *q = body(m);
	struct vnode *v = vnode_find(q->fs, q->node);
	for (uint32_t n = q->count ? q->count : 1; v && n > 0 && v->vm_refs > 0; n--) {
		bool last = v->vm_refs == 1;
		v->vm_refs--;
		v->attr_stale = true;	/* it may have been written through the mapping */
		vnode_put(v);
		if (last)
			break;
	}
}

/* ---- RS -------------------------------------------------------------------------------------------------------- */

static void on_mapdriver(const struct message *m)
{
	const struct vfs_mapdriver_req *q = body(m);
	dmap_map(q->major, q->ep, q->label);
}

/* ---- who may ask what ------------------------------------------------------------------------------------------ */

static int64_t pm_request(const struct message *m)
{
	switch (m->type) {
	case VFS_FORK:    return on_fork(m);
	case VFS_EXIT:    return on_exit(m);
	case VFS_SETCRED: return on_setcred(m);
	case VFS_SETIDS:  return on_setids(m);
	case VFS_RLIMIT:  return on_rlimit(m);
	default:          return -EBADREQUEST;
	}
}

static bool without_answer(const struct message *m)
{
	if (m->source == EP_PM && m->type == VFS_EXEC)
		exec_begin(m);
	else if (m->source == EP_PM && m->type == VFS_EXEC_COMMIT)
		exec_commit(m);
	else if (m->source == EP_PM && m->type == VFS_SIGNALS)
		signalfd_ready(m);
	else if (m->source == EP_VM && m->type == VFS_VM_MMAP)
		on_vm_mmap(m);
	else if (m->source == EP_VM && m->type == VFS_VM_UNREF)
		on_vm_unref(m);
	else if (m->source == EP_RS && m->type == VFS_MAPDRIVER)
		on_mapdriver(m);
	else
		return false;
	return true;
}

void on_vfs_request(const struct message *m, bool wants_reply)
{
	if (without_answer(m))
		return;
	if (m->type == VFS_INFO) {
		on_info(m);
		return;
	}
	if (m->type == VFS_VM_NAME) {
		on_vm_name(m);
		return;
	}
	int64_t r = m->source == EP_PM ? pm_request(m) : -EPERM;
	if (r == -EPERM && m->source != EP_PM)
		log_refused(m->source, "a request that is not for services", -EPERM);
	if (wants_reply)
		sef_reply_result(m->source, m->type, r);
}
