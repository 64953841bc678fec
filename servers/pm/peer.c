/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What PM asks of VM and VFS. All of it is answered at once by the receiver (proto/vm.h, proto/vfs.h), so waiting here is bounded by
 * their present step. If one of them is dead the call fails like a want of memory; what had to be told to it is lost with its state.
 */
#include "pm.h"

#include <errno.h>
#include <libsef/sef.h>
#include <proto/common.h>
#include <proto/vfs.h>
#include <proto/vm.h>
#include <string.h>

static err_t peer_call(endpoint_t server, struct message *m)
{
	err_t r = sef_call(server, m);

	if (r != 0) {
		log_warn("request %#x to %d failed: %s", m->type, server, err_text(r));
		return -EAGAIN;
	}
	return (err_t)(int64_t)m->w[0];
}

err_t peer_vm_fork(endpoint_t parent, endpoint_t child, bool share)
{
	struct message m = { .type = VM_FORK };

	*MSG_BODY(struct vm_fork_req, &m) = (struct vm_fork_req){ parent, child, share ? VM_FORK_SHARE : 0 };
	return peer_call(EP_VM, &m);
}

void peer_vm_exit(endpoint_t ep)
{
	struct message m = { .type = VM_EXIT };

	MSG_BODY(struct vm_exit_req, &m)->ep = ep;
	peer_call(EP_VM, &m);
}

err_t peer_vfs_fork(endpoint_t parent, endpoint_t child, int32_t pid, uint32_t flags)
{
	struct message m = { .type = VFS_FORK };

	*MSG_BODY(struct vfs_fork_req, &m) = (struct vfs_fork_req){ parent, child, pid, flags };
	return peer_call(EP_VFS, &m);
}

void peer_vfs_exit(endpoint_t ep)
{
	struct message m = { .type = VFS_EXIT };

	MSG_BODY(struct vfs_exit_req, &m)->ep = ep;
	peer_call(EP_VFS, &m);
}

err_t peer_vfs_setcred(struct task *t)
{
	struct message m = { .type = VFS_SETCRED };
	const struct cred *c = t->cred;

	*MSG_BODY(struct vfs_setcred_req, &m) = (struct vfs_setcred_req){ .ep = t->ep, .fsuid = c->fsuid, .fsgid = c->fsgid,
		.uid = c->uid, .gid = c->gid, .nr_groups = c->nr_groups, .groups = (vaddr_t)(uintptr_t)c->groups };
	return peer_call(EP_VFS, &m);
}

void peer_vfs_setids(struct group *g)
{
	for (struct task *t = g->tasks; t; t = t->next) {
		struct message m = { .type = VFS_SETIDS };
		if (t->state != TASK_LIVE)
			continue;
		*MSG_BODY(struct vfs_setids_req, &m) = (struct vfs_setids_req){ t->ep, g->pid, g->pgid, g->sid };
		peer_call(EP_VFS, &m);
	}
}

static void peer_rlimit_vfs(struct task *t, uint32_t resource, const struct rlimit *l)
{
	struct message m = { .type = VFS_RLIMIT };

	*MSG_BODY(struct vfs_rlimit_req, &m) = (struct vfs_rlimit_req){ t->ep, resource, l->rlim_cur, l->rlim_max };
	peer_call(EP_VFS, &m);
}

static void peer_rlimit_vm(struct task *t, uint32_t resource, const struct rlimit *l)
{
	struct message m = { .type = VM_RLIMIT };

	*MSG_BODY(struct vm_rlimit_req, &m) = (struct vm_rlimit_req){ t->ep, resource, l->rlim_cur, l->rlim_max };
	peer_call(EP_VM, &m);
}

void peer_rlimit(struct group *g, uint32_t resource)
{
	const struct rlimit *l = &g->limits[resource];
	bool vfs = resource == RLIMIT_NOFILE || resource == RLIMIT_FSIZE || resource == RLIMIT_STACK;
	bool vm = resource == RLIMIT_AS || resource == RLIMIT_DATA || resource == RLIMIT_STACK || resource == RLIMIT_MEMLOCK;

	for (struct task *t = g->tasks; t; t = t->next) {
		if (t->state != TASK_LIVE)
			continue;
		if (vfs)
			peer_rlimit_vfs(t, resource, l);
		if (vm)
			peer_rlimit_vm(t, resource, l);
	}
}

void peer_cancel(endpoint_t server, endpoint_t ep)
{
	struct message m = { .type = COMMON_CANCEL };

	MSG_BODY(struct common_cancel_req, &m)->ep = ep;
	sef_send(server, &m, IPC_NOREPLY);
}

err_t user_read(struct task *t, vaddr_t addr, void *p, size_t len)
{
	return sys_datacopy_from(t->ep, addr, p, len) ? -EFAULT : 0;
}

err_t user_write(struct task *t, vaddr_t addr, const void *p, size_t len)
{
	return sys_datacopy_to(t->ep, addr, p, len) ? -EFAULT : 0;
}
