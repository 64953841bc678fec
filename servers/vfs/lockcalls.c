/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fcntl's record locks and flock: arguments, waiting, deadlocks. Waiters look again after each release. A record-lock waiter is
 * remembered by the owner it waits for, so that a circle is found (EDEADLK) by following owners.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include "calls.h"
#include "client.h"
#include "file.h"
#include "locks.h"
#include "vnode.h"

struct lock_wait { struct list link; const void *owner, *waits_for; };
static struct lock_waits { struct list all; bool ready; } lock_waits;

static struct locklist *locks_of(struct vnode *v)
{
	if (!v->locks)
		v->locks = locklist_new();
	return v->locks;
}

void locks_drop_owner(struct vnode *v, const void *owner)
{
	if (v->locks && locklist_drop_owner(v->locks, owner))
		waitq_wake(&v->locks->q, 0);
}

/* ---- deadlock -------------------------------------------------------------------------------------------------- */

static const void *waits_for(const void *owner)
{
	if (!lock_waits.ready)
		return NULL;
	for (struct list *l = lock_waits.all.next; l != &lock_waits.all; l = l->next) {
		struct lock_wait *w = list_entry(l, struct lock_wait, link);
		if (w->owner == owner)
			return w->waits_for;
	}
	return NULL;
}

static bool would_deadlock(const void *owner, const void *blocker)
{
	enum { CHAIN_MAX = 64 };
	for (int i = 0; blocker && i < CHAIN_MAX; i++) {
		if (blocker == owner)
			return true;
		blocker = waits_for(blocker);
	}
	return false;
}

/* ---- taking a lock --------------------------------------------------------------------------------------------- */

static int lock_wait_once(struct call *c, struct vnode *v, const struct lock *want, const struct lock *blocker, bool detect)
{
	if (detect && would_deadlock(want->owner, blocker->owner))
		return -EDEADLK;
	if (!lock_waits.ready) {
		list_init(&lock_waits.all);
		lock_waits.ready = true;
	}
	struct lock_wait w = { .owner = want->owner, .waits_for = blocker->owner };
	list_init(&w.link);
	if (detect)
		list_append(&lock_waits.all, &w.link);
	int r = call_wait(c, &v->locks->q, NO_DEADLINE);
	list_remove(&w.link);
	return r == -EINTR ? -ERESTARTSYS : 0;
}

static int lock_take(struct call *c, struct vnode *v, const struct lock *want, bool wait, bool detect)
{
	if (!locks_of(v))
		return -ENOLCK;
	for (;;) {
		struct lock *blocker = locklist_conflict(v->locks, want);
		if (!blocker) {
			int r = locklist_set(v->locks, want, false);
			waitq_wake(&v->locks->q, 0);	/* a downgrade lets others in */
			return r;
		}
		if (!wait)
			return -EAGAIN;
		int r = lock_wait_once(c, v, want, blocker, detect);
		if (r)
			return r;
	}
}

static int lock_release(struct vnode *v, const struct lock *want)
{
	if (!v->locks)
		return 0;
	int r = locklist_set(v->locks, want, true);
	waitq_wake(&v->locks->q, 0);
	return r;
}

/* ---- fcntl ----------------------------------------------------------------------------------------------------- */

static int lock_range(const struct file *f, const struct flock *fl, struct lock *k)
{
	int64_t base = fl->l_whence == SEEK_CUR ? f->pos : fl->l_whence == SEEK_END ? (int64_t)f->vnode->attr.size : 0;
	int64_t start, end;
	if (fl->l_whence != SEEK_SET && fl->l_whence != SEEK_CUR && fl->l_whence != SEEK_END)
		return -EINVAL;
	if (__builtin_add_overflow(base, fl->l_start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	if (fl->l_len > 0) {
		if (__builtin_add_overflow(start, fl->l_len - 1, &end))
			return -EOVERFLOW;
	} else if (fl->l_len < 0) {
		end = start - 1;
		if (__builtin_add_overflow(start, fl->l_len, &start) || start < 0)
			return -EINVAL;
	} else {
		end = INT64_MAX;
	}
	k->first = (uint64_t)start;
	k->last = end == INT64_MAX ? UINT64_MAX : (uint64_t)end;
	return 0;
}

static int64_t lock_query(struct call *c, struct file *f, struct flock *fl, const struct lock *want, vaddr_t arg)
{
	struct lock *k = f->vnode->locks ? locklist_conflict(f->vnode->locks, want) : NULL;
	if (fl->l_type != F_RDLCK && fl->l_type != F_WRLCK)
		return -EINVAL;
	if (!k) {
		fl->l_type = F_UNLCK;
	} else {
		fl->l_type = k->exclusive ? F_WRLCK : F_RDLCK;
		fl->l_whence = SEEK_SET;
		fl->l_start = (int64_t)k->first;
		fl->l_len = k->last == UINT64_MAX ? 0 : (int64_t)(k->last - k->first + 1);
		fl->l_pid = k->pid;
	}
	return user_write(c->ep, arg, fl, sizeof *fl);
}

static int64_t lock_apply(struct call *c, int fd, struct file *f, const struct flock *fl, struct lock *want, bool wait, bool ofd)
{
	if (fl->l_type == F_UNLCK)
		return lock_release(f->vnode, want);
	if (fl->l_type != F_RDLCK && fl->l_type != F_WRLCK)
		return -EINVAL;
	if (fl->l_type == F_RDLCK ? !f->can_read : !f->can_write)
		return -EBADF;
	f->has_locks |= ofd;
	int r = lock_take(c, f->vnode, want, wait, !ofd);
	/* Closed by another thread while we waited: nobody would release it. */
	if (r == 0 && !ofd && c->client->fds && fdtable_lookup(c->client->fds, fd) != f)
		lock_release(f->vnode, want);
	return r;
}

int64_t fcntl_lock(struct call *c, int fd, unsigned cmd, vaddr_t arg)
{
	struct flock fl;
	struct file *f = fdtable_lookup(c->client->fds, fd);
	bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
	if (user_read(c->ep, arg, &fl, sizeof fl))
		return -EFAULT;
	if (ofd && fl.l_pid != 0)
		return -EINVAL;
	if (!f->vnode)
		return -EBADF;
	struct lock want = { .kind = LOCK_KIND_RECORD, .owner = ofd ? (const void *)f : c->client->fds,
		.pid = ofd ? -1 : c->client->pid, .exclusive = fl.l_type == F_WRLCK };
	int r = lock_range(f, &fl, &want);
	if (r)
		return r;
	file_get(f);
	int64_t result = cmd == F_GETLK || cmd == F_OFD_GETLK ? lock_query(c, f, &fl, &want, arg)
		: lock_apply(c, fd, f, &fl, &want, cmd == F_SETLKW || cmd == F_OFD_SETLKW, ofd);
	file_put(f);
	return result;
}

/* ---- flock ----------------------------------------------------------------------------------------------------- */

int64_t rq_flock(struct call *c)
{
	unsigned op = (unsigned)c->a[1] & ~(unsigned)LOCK_NB;
	struct file *f = call_file(c, c->a[0]);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (op != LOCK_SH && op != LOCK_EX && op != LOCK_UN)
		return -EINVAL;
	if (!f->vnode)
		return 0;
	struct lock want = { .kind = LOCK_KIND_FLOCK, .owner = f, .pid = c->client->pid, .exclusive = op == LOCK_EX, .last = UINT64_MAX };
	if (op == LOCK_UN)
		return lock_release(f->vnode, &want);
	file_get(f);
	f->has_locks = true;
	int64_t r = lock_take(c, f->vnode, &want, !(c->a[1] & LOCK_NB), false);
	file_put(f);
	return r;
}
