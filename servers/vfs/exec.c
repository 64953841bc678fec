/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * execve, the part of VFS. PM asks; everything is found and checked first, then (after PM has ended the caller's other threads) the
 * old memory is replaced and the stack written.
 *
 *   VFS_EXEC -> checked -> [VFS_EXEC_READY -> VFS_EXEC_COMMIT] -> replaced -> VFS_EXEC_DONE      errors: FAILED before, LOST after
 *
 * If the process ends meanwhile (VFS_EXIT) the work stops at the next step and nothing is answered.
 */
#include "exec.h"

#include <elf.h>
#include <libfiber/fiber.h>
#include <librandom/random.h>
#include <libsef/sef.h>
#include <stdlib.h>
#include <string.h>

#include "execimage.h"
#include "file.h"
#include "mount.h"
#include "open.h"
#include "request.h"
#include "usermem.h"

enum { STACK_FIRST_BYTES = 136 * 1024, STACK_SPARE = 64 * 1024, MOUNT_NOSUID = 2, CLOCK_TICKS = 100 };
static const vaddr_t STACK_TOP = 0x7ffffffff000ull;

struct exec {
	struct client *client;
	struct fiber *fiber;
	bool committed, aborted, ready_sent;
	bool lost;			/* the old memory is gone */
	uint32_t flags;
	int dirfd;
	unsigned at_flags;
	endpoint_t ep, memory;		/* memory: whose pointers they are */
	vaddr_t argv, envp;
	struct args args;
	struct program program;
	vaddr_t sp, pc;
	uint32_t euid, egid;
	char path[USER_PATH_MAX];
};

/* ---- answers --------------------------------------------------------------------------------------------------- */

static void exec_tell(const struct exec *x, enum vfs_exec_phase phase, int result)
{
	struct message m = { .type = VFS_EXEC + 1 };
	struct vfs_exec_rep *r = MSG_BODY(struct vfs_exec_rep, &m);
	r->ep = x->ep;
	r->phase = phase;
	r->result = result;
	r->euid = x->euid;
	r->egid = x->egid;
	r->secure = x->euid != x->client->fsuid || x->egid != x->client->fsgid;
	r->pc = x->pc;
	r->sp = x->sp;
	const char *slash = strrchr(x->path, '/');
	const char *name = slash ? slash + 1 : x->path;
	memcpy(r->name, name, strnlen(name, PROC_NAME_LEN - 1));
	peer_send(EP_PM, &m);
}

/* ---- before the point of no return ------------------------------------------------------------------------------ */

/* init: root directory and console, which were not there when PM told us about it. */
static void first_files(struct client *cl)
{
	struct file *f;
	mount_root_wait();
	if (!cl->fs->root) {
		cl->fs->root = vnode_get(mount_root()->root);
		cl->fs->cwd = vnode_get(mount_root()->root);
	}
	if (!cl->wants_console)
		return;
	int r = open_path(NULL, cl, AT_FDCWD, "/dev/console", O_RDWR | O_NOCTTY, 0, 0, &f);
	if (r) {
		log_warn("no console for init: %s", err_text(r));
		return;
	}
	cl->wants_console = false;
	for (int fd = 0; fd < 3; fd++)
		if (!fdtable_lookup(cl->fds, fd))
			fdtable_install(cl->fds, fd, file_get(f), false);
	file_put(f);
}

static void exec_set_ids(struct exec *x)
{
	const struct vnode *v = x->program.exe;
	x->euid = x->client->fsuid;
	x->egid = x->client->fsgid;
	if ((v->mount->flags & MOUNT_NOSUID) || (x->flags & VFS_EXEC_NO_SETID))
		return;
	if (v->attr.mode & S_ISUID)
		x->euid = v->attr.uid;
	if ((v->attr.mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		x->egid = v->attr.gid;
}

static int exec_prepare(struct exec *x)
{
	struct client *cl = x->client;
	first_files(cl);
	int r = cl->gone ? -ESRCH : args_read(&x->args, x->memory, x->argv, x->envp, cl->limit_stack / 4);
	if (r == 0)
		r = program_find(cl, x->dirfd, x->at_flags, x->path, &x->args, &x->program);
	if (r == 0 && !cl->gone)
		r = client_unshare_files(cl);
	if (r == 0)
		exec_set_ids(x);
	return r;
}

static bool exec_wait_commit(struct exec *x)
{
	if (x->flags & VFS_EXEC_COMMIT_NOW)
		return !x->aborted;
	exec_tell(x, VFS_EXEC_READY, 0);
	x->fiber = fiber_self();
	while (!x->committed && !x->aborted)
		fiber_yield();
	return !x->aborted;
}

/* ---- behind it -------------------------------------------------------------------------------------------------- */

static uint64_t cpu_features(void)
{
	uint32_t a = 1, b, c = 0, d;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return d;
}

static void aux_add(struct stack_plan *p, uint64_t type, uint64_t value)
{
	p->aux[p->aux_count++] = (struct aux){ type, value };
}

static void aux_fill(const struct exec *x, const struct loaded *l, struct stack_plan *p)
{
	const struct client *cl = x->client;
	static uint64_t features;
	if (!features)
		features = cpu_features();
	if (l->vdso)
		aux_add(p, AT_SYSINFO_EHDR, l->vdso);
	aux_add(p, AT_HWCAP, features);
	aux_add(p, AT_PAGESZ, PAGE_BYTES);
	aux_add(p, AT_CLKTCK, CLOCK_TICKS);
	aux_add(p, AT_PHDR, l->phdr);
	aux_add(p, AT_PHENT, ELF_PHDR_BYTES);
	aux_add(p, AT_PHNUM, x->program.image.phdr_count);
	aux_add(p, AT_BASE, l->interp_base);
	aux_add(p, AT_FLAGS, 0);
	aux_add(p, AT_ENTRY, l->entry);
	aux_add(p, AT_UID, cl->uid);
	aux_add(p, AT_EUID, x->euid);
	aux_add(p, AT_GID, cl->gid);
	aux_add(p, AT_EGID, x->egid);
	aux_add(p, AT_SECURE, x->euid != cl->uid || x->egid != cl->gid);
	aux_add(p, AT_HWCAP2, 0);
	static struct random random;
	static bool seeded;
	if (!seeded)
		random_init(&random);
	seeded = true;
	random_bytes(&random, p->random, sizeof p->random);
}

static int exec_replace(struct exec *x)
{
	struct loaded l;
	struct stack_plan plan = { .args = &x->args, .execfn = x->path, .top = STACK_TOP };
	uint64_t stack = x->args.used + 8ull * (x->args.argc + x->args.envc) + STACK_SPARE;
	stack = stack < STACK_FIRST_BYTES ? STACK_FIRST_BYTES : (stack + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
	int r = program_load(x->ep, &x->program, STACK_TOP, stack, &l);
	if (r)
		return r;
	aux_fill(x, &l, &plan);
	uint8_t *image;
	size_t bytes;
	r = stack_build(&plan, &image, &bytes, &x->sp);
	if (r)
		return r;
	r = user_write(x->ep, x->sp, image, bytes);
	x->client->args = plan.where;
	free(image);
	x->pc = x->program.interp ? l.interp_base + x->program.interp_image.entry : l.entry;
	return r;
}

static void exec_take_over(struct exec *x)
{
	struct client *cl = x->client;
	client_set_exe(cl, x->program.exe);
	client_close_on_exec(cl);
}

static void exec_run(struct exec *x)
{
	int r = exec_prepare(x);
	if (r || !exec_wait_commit(x)) {
		if (!x->aborted)
			exec_tell(x, VFS_EXEC_FAILED, r);
		return;
	}
	r = exec_replace(x);
	if (x->aborted)
		return;
	if (r == 0)
		exec_take_over(x);
	exec_tell(x, r ? VFS_EXEC_LOST : VFS_EXEC_DONE, r);
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

static void refuse(endpoint_t ep, int error)
{
	struct message m = { .type = VFS_EXEC + 1 };
	struct vfs_exec_rep *r = MSG_BODY(struct vfs_exec_rep, &m);
	r->ep = ep;
	r->phase = VFS_EXEC_FAILED;
	r->result = error;
	peer_send(EP_PM, &m);
}

static struct exec *exec_new(struct client *cl, const struct vfs_exec_req *q)
{
	struct exec *x = calloc(1, sizeof *x);
	if (!x)
		return NULL;
	x->client = client_get(cl);
	x->ep = q->ep;
	x->memory = q->flags & VFS_EXEC_PM_POINTERS ? EP_PM : q->ep;
	x->flags = q->flags;
	x->dirfd = q->dirfd;
	x->at_flags = q->at_flags;
	x->argv = q->argv;
	x->envp = q->envp;
	cl->exec = x;
	return x;
}

static void exec_free(struct exec *x)
{
	if (x->client->exec == x)
		x->client->exec = NULL;
	args_free(&x->args);
	program_free(&x->program);
	client_put(x->client);
	free(x);
}

void exec_begin(const struct message *m)
{
	struct vfs_exec_req q = *(const struct vfs_exec_req *)(const void *)m->w;
	struct client *cl = client_find(q.ep);
	struct exec *x = cl && !cl->exec && fiber_reserve() ? exec_new(cl, &q) : NULL;
	if (!x) {
		refuse(q.ep, cl ? -ENOMEM : -ESRCH);
		return;
	}
	int r = user_read_string(x->memory, q.path, x->path, sizeof x->path, NULL);
	if (r == 0 && q.at_flags & ~0x1100u)
		r = -EINVAL;
	if (r == 0)
		exec_run(x);
	else if (!x->aborted)
		refuse(q.ep, r);
	exec_free(x);
}

void exec_commit(const struct message *m)
{
	const struct vfs_exec_commit_req *q = (const struct vfs_exec_commit_req *)(const void *)m->w;
	struct client *cl = client_find(q->ep);
	if (!cl || !cl->exec)
		return;
	cl->exec->committed = !q->abort;
	cl->exec->aborted |= q->abort != 0;
	if (cl->exec->fiber)
		fiber_wake(cl->exec->fiber);
}

void exec_abort(struct client *cl)
{
	struct exec *x = cl->exec;
	x->aborted = true;
	cl->exec = NULL;
	if (x->fiber)
		fiber_wake(x->fiber);
}
