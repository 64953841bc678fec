/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors: dup, fcntl, the part of ioctl that is common to all files. */
#include <string.h>
#include <sys/ioctl.h>

#include "calls.h"
#include "client.h"
#include "file.h"
#include "locks.h"
#include "memfd.h"
#include "pipe.h"

enum { SETFL_MASK = O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME };

/* ---- dup ------------------------------------------------------------------------------------------------------- */

static int64_t dup_from(struct call *c, struct file *f, int from, bool cloexec)
{
	int fd = fdtable_reserve(c->client->fds, from, c->client->limit_files);
	if (fd < 0)
		return fd;
	fdtable_install(c->client->fds, fd, file_get(f), cloexec);
	return fd;
}

int64_t rq_dup(struct call *c)
{
	struct file *f = call_file(c, c->a[0]);
	return f ? dup_from(c, f, 0, false) : -EBADF;
}

static int64_t dup_to(struct call *c, int from, int to, bool cloexec)
{
	struct fdtable *t = c->client->fds;
	if (to < 0 || (uint64_t)(uint32_t)to >= c->client->limit_files)
		return -EBADF;
	struct file *f = fdtable_lookup(t, from);
	if (!f)
		return -EBADF;
	int r = fdtable_reserve_at(t, to, c->client->limit_files);
	if (r < 0)
		return r;
	struct file *old = fdtable_lookup(t, to);
	fdtable_install(t, to, file_get(f), cloexec);
	if (old) {
		if (old->vnode)
			locks_drop_owner(old->vnode, t);
		file_put(old);
	}
	return to;
}

int64_t rq_dup2(struct call *c)
{
	int from = (int)c->a[0], to = (int)c->a[1];
	if (from == to)
		return call_file(c, c->a[0]) ? to : -EBADF;
	return dup_to(c, from, to, false);
}

int64_t rq_dup3(struct call *c)
{
	if (c->a[2] & ~(uint64_t)O_CLOEXEC || (int)c->a[0] == (int)c->a[1])
		return -EINVAL;
	return dup_to(c, (int)c->a[0], (int)c->a[1], c->a[2] & O_CLOEXEC);
}

/* ---- fcntl ----------------------------------------------------------------------------------------------------- */

static int64_t fcntl_dup(struct call *c, struct file *f, uint64_t from, bool cloexec)
{
	if (from >= c->client->limit_files)
		return -EINVAL;
	return dup_from(c, f, (int)from, cloexec);
}

static int64_t fcntl_setfl(struct file *f, uint64_t flags)
{
	if (flags & O_DIRECT && !(f->flags & O_DIRECT) && f->ops->kind && strcmp(f->ops->kind, "pipe") != 0)
		return -EINVAL;
	f->flags = (f->flags & ~(unsigned)SETFL_MASK) | ((unsigned)flags & SETFL_MASK);
	return 0;
}

/* pid > 0: a process, < 0: a group, 0: nobody. */
static int64_t fcntl_set_owner(struct file *f, int32_t pid)
{
	bool found = pid == 0;
	for (unsigned slot = 0; slot < NR_PROCS && !found; slot++) {
		const struct client *cl = client_at(slot);
		found = cl && (pid > 0 ? cl->pid == pid : cl->pgid == -pid);
	}
	if (found)
		f->owner_pid = pid;
	return found ? 0 : -ESRCH;
}

struct owner_ex { int32_t type, pid; };

static int64_t fcntl_owner_ex(struct call *c, struct file *f, vaddr_t arg, bool set)
{
	struct owner_ex o = { .type = f->owner_pid < 0 ? 2 : 1, .pid = f->owner_pid < 0 ? -f->owner_pid : f->owner_pid };
	if (!set)
		return user_write(c->ep, arg, &o, sizeof o);
	if (user_read(c->ep, arg, &o, sizeof o))
		return -EFAULT;
	if (o.type < 0 || o.type > 2)
		return -EINVAL;
	return fcntl_set_owner(f, o.type == 2 ? -o.pid : o.pid);
}

static bool fcntl_path_ok(unsigned cmd)
{
	return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC || cmd == F_GETFD || cmd == F_SETFD || cmd == F_GETFL;
}

static int64_t fcntl_simple(struct call *c, struct file *f, unsigned cmd, uint64_t arg)
{
	struct fdtable *t = c->client->fds;
	int fd = (int)c->a[0];
	switch (cmd) {
	case F_DUPFD:
		return fcntl_dup(c, f, arg, false);
	case F_DUPFD_CLOEXEC:
		return fcntl_dup(c, f, arg, true);
	case F_GETFD:
		return fdtable_cloexec(t, fd) ? FD_CLOEXEC : 0;
	case F_SETFD:
		fdtable_set_cloexec(t, fd, arg & FD_CLOEXEC);
		return 0;
	case F_GETFL:
		return f->flags;
	case F_SETFL:
		return fcntl_setfl(f, arg);
	case F_GETOWN:
		return f->owner_pid;
	case F_SETOWN:
		if ((int)arg == INT32_MIN)
			return -EINVAL;
		return fcntl_set_owner(f, (int32_t)arg);
	case F_GETSIG:
		return f->owner_signo;
	case F_SETSIG:
		if (arg > 64)
			return -EINVAL;
		f->owner_signo = (int32_t)arg;
		return 0;
	case F_GETOWN_EX:
	case F_SETOWN_EX:
		return fcntl_owner_ex(c, f, arg, cmd == F_SETOWN_EX);
	case F_GETPIPE_SZ:
	case F_SETPIPE_SZ:
		return pipe_resize(c, f, cmd == F_SETPIPE_SZ, arg);
	case F_ADD_SEALS:
	case F_GET_SEALS:
		return memfd_seals(f, cmd == F_ADD_SEALS, (unsigned)arg);
	case F_GETLEASE:
		return F_UNLCK;
	case F_SETLEASE:
	case F_NOTIFY:
		return -EINVAL;
	default:
		return -EINVAL;
	}
}

int64_t rq_fcntl(struct call *c)
{
	unsigned cmd = (unsigned)c->a[1];
	struct file *f = call_file(c, c->a[0]);
	if (!f || (f->flags & O_PATH && !fcntl_path_ok(cmd)))
		return -EBADF;
	switch (cmd) {
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return fcntl_lock(c, (int)c->a[0], cmd, c->a[2]);
	default:
		return fcntl_simple(c, f, cmd, c->a[2]);
	}
}

/* ---- ioctl ----------------------------------------------------------------------------------------------------- */

static int64_t ioctl_flag(struct call *c, struct file *f, unsigned flag, vaddr_t arg)
{
	int on;
	if (user_read(c->ep, arg, &on, sizeof on))
		return -EFAULT;
	f->flags = on ? f->flags | flag : f->flags & ~flag;
	return 0;
}

int64_t rq_ioctl(struct call *c)
{
	uint32_t request = (uint32_t)c->a[1];
	struct file *f = call_file(c, c->a[0]);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	switch (request) {
	case FIOCLEX:
	case FIONCLEX:
		fdtable_set_cloexec(c->client->fds, (int)c->a[0], request == FIOCLEX);
		return 0;
	case FIONBIO:
		return ioctl_flag(c, f, O_NONBLOCK, c->a[2]);
	case FIOASYNC:
		return ioctl_flag(c, f, O_ASYNC, c->a[2]);
	default:
		break;
	}
	if (!f->ops->ioctl)
		return -ENOTTY;
	file_get(f);
	int64_t r = f->ops->ioctl(c, f, request, c->a[2]);
	file_put(f);
	return r == -EINTR ? -ERESTARTSYS : r;
}
