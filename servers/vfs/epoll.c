/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll. An item is a waiter on the queue of the file that it watches. When that queue is woken the item goes to its set's ready list, and
 * who waits for the set is woken; epoll_wait asks only the files on the ready list. Level-triggered items go back to its end while they
 * remain ready, so a wake-up costs no scan of all that is watched.
 *
 * An item belongs to (file, descriptor) and goes when the last reference of the file does; items hold no references. Asking a file may
 * wait (devices), so an item in use is pinned.
 */
#include "epoll.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "calls.h"
#include "client.h"
#include "file.h"
#include "open.h"
#include "pollwait.h"

enum { EPOLL_DEPTH = 5, EPOLL_BATCH = 64, EPOLL_SEARCH = 65536, EPOLL_EVENTS_MAX = INT32_MAX / 12 };
enum { EPOLL_MODE = (int)(EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP) };

struct epoll {
	struct list items, ready;
	struct waitq q;
};

struct epitem {
	struct waiter w;		/* on the watched file's queue */
	struct list link, ready_link, file_link;
	struct epoll *set;
	struct file *f;			/* NULL: gone, kept only while pinned */
	int fd;
	unsigned pins;
	bool disabled;			/* one-shot and fired */
	struct epoll_event ev;
};

static const struct file_ops epoll_ops;

static unsigned item_mask(const struct epitem *i)
{
	return (i->ev.events & ~(unsigned)EPOLL_MODE) | POLLERR | POLLHUP;
}

static void item_make_ready(struct epitem *i)
{
	if (i->disabled || !list_empty(&i->ready_link))
		return;
	list_append(&i->set->ready, &i->ready_link);
	waitq_wake(&i->set->q, POLLIN | POLLRDNORM);
}

static void item_wake(struct waiter *w, unsigned events)
{
	struct epitem *i = list_entry(w, struct epitem, w);
	if (!events || events & item_mask(i))
		item_make_ready(i);
}

static void item_unpin(struct epitem *i)
{
	if (--i->pins == 0 && !i->f)
		free(i);
}

static void item_remove(struct epitem *i)
{
	list_remove(&i->w.link);
	list_remove(&i->link);
	list_remove(&i->ready_link);
	list_remove(&i->file_link);
	i->f = NULL;
	i->pins++;
	item_unpin(i);
}

/* What is true of the file now. May wait; the item may be gone afterwards (i->f == NULL), but not freed. */
static unsigned item_ask(struct epitem *i)
{
	struct file *f = file_get(i->f);
	i->pins++;
	unsigned events = file_poll(f, item_mask(i)) & item_mask(i);
	i->pins--;
	file_put(f);
	return i->f && !i->disabled ? events : 0;
}

static void item_check(struct epitem *i)
{
	i->pins++;
	if (item_ask(i))
		item_make_ready(i);
	item_unpin(i);
}

void epoll_file_closed(struct file *f)
{
	while (!list_empty(&f->watches))
		item_remove(list_entry(f->watches.next, struct epitem, file_link));
}

/* ---- epoll_ctl -------------------------------------------------------------------------------------------------- */

static struct epitem *item_find(struct epoll *set, struct file *f, int fd)
{
	for (struct list *l = f->watches.next; l != &f->watches; l = l->next) {
		struct epitem *i = list_entry(l, struct epitem, file_link);
		if (i->set == set && i->fd == fd)
			return i;
	}
	return NULL;
}

/* Does `set` (directly or through others) watch `target`? depth counts sets in sets; a search beyond *steps counts as yes. */
static bool set_reaches(struct epoll *set, const struct epoll *target, int depth, int *steps)
{
	if (set == target || depth > EPOLL_DEPTH)
		return true;
	for (struct list *l = set->items.next; l != &set->items; l = l->next) {
		struct file *f = list_entry(l, struct epitem, link)->f;
		if (--*steps < 0 || (f->ops == &epoll_ops && set_reaches(f->object, target, depth + 1, steps)))
			return true;
	}
	return false;
}

static int item_add(struct epoll *set, struct file *f, int fd, const struct epoll_event *ev)
{
	if (item_find(set, f, fd))
		return -EEXIST;
	int steps = EPOLL_SEARCH;
	if (f->ops == &epoll_ops && set_reaches(f->object, set, 0, &steps))
		return -ELOOP;
	struct epitem *i = calloc(1, sizeof *i);
	if (!i)
		return -ENOMEM;
	i->set = set;
	i->f = f;
	i->fd = fd;
	i->ev = *ev;
	i->w.wake = item_wake;
	list_init(&i->w.link);
	list_init(&i->ready_link);
	list_append(&set->items, &i->link);
	list_append(&f->watches, &i->file_link);
	if (f->ops->poll_queue)
		waitq_add(f->ops->poll_queue(f), &i->w);
	item_check(i);
	return 0;
}

static int item_change(struct epitem *i, const struct epoll_event *ev)
{
	if (i->ev.events & EPOLLEXCLUSIVE || ev->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	i->ev = *ev;
	i->disabled = false;
	list_remove(&i->ready_link);
	item_check(i);
	return 0;
}

static int epoll_ctl_check(struct file *ef, struct file *f, int op, const struct epoll_event *ev)
{
	unsigned exclusive_ok = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;
	if (!f->ops->poll)
		return -EPERM;
	if (f == ef || ef->ops != &epoll_ops)
		return -EINVAL;
	if (op != EPOLL_CTL_DEL && ev->events & EPOLLEXCLUSIVE
	    && (op == EPOLL_CTL_MOD || f->ops == &epoll_ops || ev->events & ~exclusive_ok))
		return -EINVAL;
	return 0;
}

int64_t rq_epoll_ctl(struct call *c)
{
	struct epoll_event ev = { .events = 0 };
	int op = (int)c->a[1], fd = (int)c->a[2];
	if (op != EPOLL_CTL_DEL && user_read(c->ep, c->a[3], &ev, sizeof ev))
		return -EFAULT;
	struct file *ef = call_file(c, c->a[0]), *f = call_file(c, c->a[2]);
	if (!ef || !f || ef->flags & O_PATH || f->flags & O_PATH)
		return -EBADF;
	int r = epoll_ctl_check(ef, f, op, &ev);
	if (r)
		return r;
	struct epoll *set = ef->object;
	struct epitem *i = item_find(set, f, fd);
	switch (op) {
	case EPOLL_CTL_ADD:
		return item_add(set, f, fd, &ev);
	case EPOLL_CTL_MOD:
		return i ? item_change(i, &ev) : -ENOENT;
	case EPOLL_CTL_DEL:
		if (!i)
			return -ENOENT;
		item_remove(i);
		return 0;
	default:
		return -EINVAL;
	}
}

/* ---- epoll_wait ------------------------------------------------------------------------------------------------- */

/* Take items off the ready list and ask them; what still is ready and level-triggered goes back. */
static unsigned collect(struct epoll *set, struct epoll_event *out, unsigned max)
{
	struct list again;
	unsigned n = 0;
	list_init(&again);
	while (n < max && !list_empty(&set->ready)) {
		struct epitem *i = list_entry(set->ready.next, struct epitem, ready_link);
		list_remove(&i->ready_link);
		i->pins++;
		unsigned events = item_ask(i);
		if (events) {
			out[n].events = events;
			out[n++].data = i->ev.data;
			if (i->ev.events & EPOLLONESHOT)
				i->disabled = true;
			else if (!(i->ev.events & EPOLLET) && list_empty(&i->ready_link))
				list_append(&again, &i->ready_link);
		}
		item_unpin(i);
	}
	while (!list_empty(&again)) {
		struct list *l = again.next;
		list_remove(l);
		list_append(&set->ready, l);
	}
	return n;
}

static int64_t epoll_collect(struct call *c, struct epoll *set, vaddr_t to, unsigned max)
{
	struct epoll_event batch[EPOLL_BATCH];
	unsigned n = collect(set, batch, max < EPOLL_BATCH ? max : EPOLL_BATCH);
	return n && user_write(c->ep, to, batch, n * sizeof *batch) ? -EFAULT : (int64_t)n;
}

static int64_t epoll_run(struct call *c, struct file *ef, vaddr_t to, unsigned max, bool wait, nstime_t deadline)
{
	struct epoll *set = ef->object;
	for (;;) {
		int64_t n = epoll_collect(c, set, to, max);
		if (n || !wait)
			return n;
		if (!list_empty(&set->ready))
			continue;
		int r = call_wait(c, &set->q, deadline);
		if (r == -ETIMEDOUT)
			return epoll_collect(c, set, to, max);
		if (r)
			return -EINTR;
	}
}

static int64_t epoll_wait_call(struct call *c, bool wait, nstime_t deadline)
{
	int max = (int)c->a[2];
	if (max <= 0 || max > EPOLL_EVENTS_MAX)
		return -EINVAL;
	if (!user_range_ok(c->a[1], (uint64_t)max * sizeof(struct epoll_event)))
		return -EFAULT;
	struct file *ef = call_file(c, c->a[0]);
	if (!ef)
		return -EBADF;
	if (ef->ops != &epoll_ops)
		return -EINVAL;
	file_get(ef);
	int64_t r = epoll_run(c, ef, c->a[1], (unsigned)max, wait, deadline);
	file_put(ef);
	return r;
}

static nstime_t ms_deadline(int timeout)
{
	return timeout > 0 ? time_now() + (nstime_t)timeout * 1000000 : NO_DEADLINE;
}

int64_t rq_epoll_wait(struct call *c)
{
	int timeout = (int)c->a[3];
	return epoll_wait_call(c, timeout != 0, ms_deadline(timeout));
}

int64_t rq_epoll_pwait(struct call *c)
{
	int timeout = (int)c->a[3];
	int r = temp_sigmask(c, c->a[4], c->a[5]);
	return r ? r : epoll_wait_call(c, timeout != 0, ms_deadline(timeout));
}

int64_t rq_epoll_pwait2(struct call *c)
{
	int64_t t[2];
	nstime_t deadline = NO_DEADLINE;
	bool wait = true;
	if (c->a[3]) {
		if (user_read(c->ep, c->a[3], t, sizeof t))
			return -EFAULT;
		int r = deadline_from_ns(t[0], t[1], &deadline);
		if (r)
			return r;
		wait = t[0] || t[1];
	}
	int r = temp_sigmask(c, c->a[4], c->a[5]);
	return r ? r : epoll_wait_call(c, wait, deadline);
}

/* ---- sets as files ---------------------------------------------------------------------------------------------- */

static unsigned epoll_poll(struct file *f, unsigned wanted)
{
	struct epoll *set = f->object;
	(void)wanted;
	for (struct list *l = set->ready.next, *next = l->next; l != &set->ready; l = next, next = l->next) {
		struct epitem *i = list_entry(l, struct epitem, ready_link);
		if (item_ask(i))
			return POLLIN | POLLRDNORM;
		next = l->next;
		list_remove(l);
	}
	return 0;
}

static struct waitq *epoll_queue(struct file *f) { return &((struct epoll *)f->object)->q; }

static void epoll_close(struct file *f)
{
	struct epoll *set = f->object;
	while (!list_empty(&set->items))
		item_remove(list_entry(set->items.next, struct epitem, link));
	free(set);
}

static const struct file_ops epoll_ops = {
	.kind = "anon_inode:[eventpoll]", .stream = true, .poll = epoll_poll, .poll_queue = epoll_queue, .close = epoll_close,
};

static int64_t epoll_create_call(struct call *c, unsigned flags)
{
	if (flags & ~(unsigned)EPOLL_CLOEXEC)
		return -EINVAL;
	struct epoll *set = calloc(1, sizeof *set);
	struct file *f = set ? file_new(&epoll_ops, O_RDWR) : NULL;
	if (!f) {
		free(set);
		return -ENOMEM;
	}
	list_init(&set->items);
	list_init(&set->ready);
	waitq_init(&set->q);
	f->object = set;
	f->ino = anon_ino();
	return fd_install_new(c, f, flags & EPOLL_CLOEXEC);
}

int64_t rq_epoll_create(struct call *c) { return (int)c->a[0] <= 0 ? -EINVAL : epoll_create_call(c, 0); }
int64_t rq_epoll_create1(struct call *c) { return epoll_create_call(c, (unsigned)c->a[0]); }
