/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * poll and select. The caller's fiber puts one waiter on each file's queue, asks each file once, and sleeps until one of the queues is
 * woken; then it asks again. Nothing scans processes. State is on the fiber's stack or in memory freed at the end of the call.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

#include "calls.h"
#include "client.h"
#include "file.h"
#include "pollwait.h"
#include <libsys/kcall.h>

enum { POLL_INLINE = 8, NS_PER_MS = 1000000, NS_PER_S = 1000000000, SELECT_MAX = 65536 };

struct poll_entry { struct waiter w; struct poll_set *set; struct file *f; int fd; unsigned wanted, ready; };

struct poll_set {
	struct call *call;
	struct poll_entry *entries;
	unsigned count;
	bool woken;
	struct poll_entry inline_entries[POLL_INLINE];
};

/* ---- shared with epoll: masks and times ------------------------------------------------------------------------ */

int temp_sigmask(struct call *c, vaddr_t mask, uint64_t size)
{
	uint64_t set;
	if (!mask)
		return 0;
	if (size != sizeof set)
		return -EINVAL;
	if (user_read(c->ep, mask, &set, sizeof set))
		return -EFAULT;
	sys_sigmask(c->ep, SIGMASK_TEMP, set, NULL);
	return 0;
}

int deadline_from_ns(int64_t s, int64_t ns, nstime_t *deadline)
{
	int64_t total;
	if (s < 0 || ns < 0 || ns >= NS_PER_S)
		return -EINVAL;
	if (__builtin_mul_overflow(s, (int64_t)NS_PER_S, &total) || __builtin_add_overflow(total, ns, &total)
	    || total > INT64_MAX / 2)
		total = INT64_MAX / 2;
	*deadline = time_now() + (nstime_t)total;
	return 0;
}

/* ---- the set --------------------------------------------------------------------------------------------------- */

static void poll_wake(struct waiter *w, unsigned events)
{
	struct poll_entry *e = list_entry(w, struct poll_entry, w);
	if (events && !(events & (e->wanted | POLLERR | POLLHUP | POLLNVAL)))
		return;
	e->set->woken = true;
	call_wake(e->set->call);
}

static int set_init(struct poll_set *s, struct call *c, unsigned count)
{
	s->call = c;
	s->count = count;
	s->woken = false;
	s->entries = s->inline_entries;
	if (count > POLL_INLINE)
		s->entries = malloc(count * sizeof *s->entries);
	if (!s->entries)
		return -ENOMEM;
	memset(s->entries, 0, count * sizeof *s->entries);
	for (unsigned i = 0; i < count; i++) {
		list_init(&s->entries[i].w.link);
		s->entries[i].set = s;
		s->entries[i].fd = -1;
	}
	return 0;
}

static void set_fini(struct poll_set *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		list_remove(&s->entries[i].w.link);
		if (s->entries[i].f)
			file_put(s->entries[i].f);
	}
	if (s->entries != s->inline_entries)
		free(s->entries);
}

static void entry_attach(struct poll_set *s, struct poll_entry *e, bool listen)
{
	struct file *f = e->fd >= 0 ? fdtable_lookup(s->call->client->fds, e->fd) : NULL;
	if (f && f->flags & O_PATH)
		f = NULL;
	if (!f)
		return;
	e->f = file_get(f);
	e->w.wake = poll_wake;
	if (listen && f->ops->poll_queue)
		waitq_add(f->ops->poll_queue(f), &e->w);
}

static unsigned entry_ask(struct poll_entry *e)
{
	if (e->fd < 0)
		return 0;
	if (!e->f)
		return POLLNVAL;
	return file_poll(e->f, e->wanted) & (e->wanted | POLLERR | POLLHUP);
}

static unsigned set_ask(struct poll_set *s)
{
	unsigned ready = 0;
	s->woken = false;
	for (unsigned i = 0; i < s->count; i++) {
		s->entries[i].ready = entry_ask(&s->entries[i]);
		ready += s->entries[i].ready != 0;
	}
	return ready;
}

/* The number of ready entries, or an error. deadline: ns since boot, 0 = none; wait = false: just look. */
static int64_t set_run(struct poll_set *s, bool wait, nstime_t deadline)
{
	for (unsigned i = 0; i < s->count; i++)
		entry_attach(s, &s->entries[i], wait);
	for (;;) {
		unsigned ready = set_ask(s);
		if (ready || !wait)
			return ready;
		if (s->woken)
			continue;
		int r = call_pause(s->call, deadline);
		if (r == 0)
			continue;
		ready = set_ask(s);
		return ready || r == -ETIMEDOUT ? (int64_t)ready : -ERESTARTNOHAND;
	}
}

/* ---- poll ------------------------------------------------------------------------------------------------------ */

static int64_t poll_run(struct call *c, struct pollfd *fds, unsigned n, bool wait, nstime_t deadline)
{
	struct poll_set s;
	if (set_init(&s, c, n))
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		s.entries[i].fd = fds[i].fd;
		s.entries[i].wanted = (unsigned short)fds[i].events;
	}
	int64_t r = set_run(&s, wait, deadline);
	for (unsigned i = 0; i < n; i++)
		fds[i].revents = (short)s.entries[i].ready;
	set_fini(&s);
	return r;
}

static int64_t poll_call(struct call *c, vaddr_t addr, uint64_t n, bool wait, nstime_t deadline)
{
	struct pollfd few[POLL_INLINE], *fds = few;
	if (n > c->client->limit_files || n > UINT32_MAX)
		return -EINVAL;
	if (n > POLL_INLINE && !(fds = malloc(n * sizeof *fds)))
		return -ENOMEM;
	int64_t r = n ? user_read(c->ep, addr, fds, n * sizeof *fds) : 0;
	if (r == 0)
		r = poll_run(c, fds, (unsigned)n, wait, deadline);
	/* All at once: one copy costs less than one for each answer, and the rest is what was there before. */
	if (n && r >= 0 && user_write(c->ep, addr, fds, n * sizeof *fds))
		r = -EFAULT;
	if (fds != few)
		free(fds);
	return r;
}

int64_t rq_poll(struct call *c)
{
	int timeout = (int)c->a[2];
	nstime_t deadline = timeout > 0 ? time_now() + (nstime_t)timeout * NS_PER_MS : NO_DEADLINE;
	return poll_call(c, c->a[0], (uint32_t)c->a[1], timeout != 0, deadline);
}

/* How long is left of a timespec, written back as Linux does; a fault there is not an error. */
static void write_left(struct call *c, vaddr_t to, nstime_t deadline, unsigned unit)
{
	nstime_t now = time_now(), left = deadline > now ? deadline - now : 0;
	int64_t t[2] = { (int64_t)(left / NS_PER_S), (int64_t)(left % NS_PER_S / unit) };
	user_write(c->ep, to, t, sizeof t);
}

static int read_timespec(struct call *c, vaddr_t from, bool *wait, nstime_t *deadline)
{
	int64_t t[2];
	*wait = true;
	*deadline = NO_DEADLINE;
	if (!from)
		return 0;
	if (user_read(c->ep, from, t, sizeof t))
		return -EFAULT;
	*wait = t[0] || t[1];
	return deadline_from_ns(t[0], t[1], deadline);
}

int64_t rq_ppoll(struct call *c)
{
	bool wait;
	nstime_t deadline;
	int r = read_timespec(c, c->a[2], &wait, &deadline);
	if (r == 0)
		r = temp_sigmask(c, c->a[3], c->a[4]);
	if (r)
		return r;
	int64_t n = poll_call(c, c->a[0], (uint32_t)c->a[1], wait, deadline);
	if (c->a[2] && n != -ERESTARTNOHAND)
		write_left(c, c->a[2], deadline, 1);
	return n;
}

/* ---- select ---------------------------------------------------------------------------------------------------- */

enum { SEL_IN = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR, SEL_OUT = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR,
	SEL_EX = POLLPRI };

struct select_sets { size_t bytes; uint64_t *in, *out, *ex; vaddr_t user[3]; };

static bool set_bit_test(const uint64_t *set, unsigned i) { return set[i / 64] >> (i % 64) & 1; }

static int sets_read(struct call *c, struct select_sets *s, unsigned n)
{
	size_t words = (n + 63) / 64;
	s->bytes = words * 8;
	s->in = calloc(3 * words + 1, 8);
	if (!s->in)
		return -ENOMEM;
	s->out = s->in + words;
	s->ex = s->out + words;
	for (int i = 0; i < 3; i++)
		if (s->user[i] && user_read(c->ep, s->user[i], s->in + (size_t)i * words, s->bytes))
			return -EFAULT;
	return 0;
}

static int64_t sets_write(struct call *c, const struct select_sets *s)
{
	for (int i = 0; i < 3; i++)
		if (s->user[i] && user_write(c->ep, s->user[i], s->in + (size_t)i * (s->bytes / 8), s->bytes))
			return -EFAULT;
	return 0;
}

static unsigned sets_wanted(const struct select_sets *s, unsigned fd)
{
	return (set_bit_test(s->in, fd) ? (unsigned)SEL_IN : 0u) | (set_bit_test(s->out, fd) ? (unsigned)SEL_OUT : 0u)
	     | (set_bit_test(s->ex, fd) ? (unsigned)SEL_EX : 0u);
}

/* Which of the three questions about this descriptor are answered yes? Sets the result bits, returns their number. */
static unsigned sets_answer(struct select_sets *res, const struct select_sets *asked, unsigned fd, unsigned ready)
{
	uint64_t bit = 1ull << (fd % 64);
	bool in = ready & SEL_IN && set_bit_test(asked->in, fd), out = ready & SEL_OUT && set_bit_test(asked->out, fd),
	     ex = ready & SEL_EX && set_bit_test(asked->ex, fd);
	res->in[fd / 64] |= in ? bit : 0;
	res->out[fd / 64] |= out ? bit : 0;
	res->ex[fd / 64] |= ex ? bit : 0;
	return (unsigned)in + out + ex;
}

static int64_t select_run(struct call *c, struct select_sets *asked, unsigned n, bool wait, nstime_t deadline)
{
	struct poll_set s;
	unsigned count = 0, at = 0;
	for (unsigned fd = 0; fd < n; fd++)
		count += sets_wanted(asked, fd) != 0;
	if (set_init(&s, c, count))
		return -ENOMEM;
	int64_t r = 0;
	for (unsigned fd = 0; fd < n; fd++) {
		unsigned wanted = sets_wanted(asked, fd);
		if (!wanted)
			continue;
		if (!fdtable_lookup(c->client->fds, (int)fd))
			r = -EBADF;
		s.entries[at].fd = (int)fd;
		s.entries[at++].wanted = wanted;
	}
	if (r == 0)
		r = set_run(&s, wait, deadline);
	if (r >= 0) {
		size_t words = asked->bytes / 8;
		struct select_sets res = *asked;
		res.in = calloc(3 * words + 1, 8);
		res.out = res.in + words;
		res.ex = res.out + words;
		r = res.in ? 0 : -ENOMEM;
		for (unsigned i = 0; res.in && i < count; i++)
			r += sets_answer(&res, asked, (unsigned)s.entries[i].fd, s.entries[i].ready);
		if (r >= 0 && sets_write(c, &res))
			r = -EFAULT;
		free(res.in);
	}
	set_fini(&s);
	return r;
}

static int64_t select_call(struct call *c, bool wait, nstime_t deadline)
{
	struct select_sets asked = { .user = { c->a[1], c->a[2], c->a[3] } };
	int n = (int)c->a[0];
	if (n < 0)
		return -EINVAL;
	if (n > c->client->fds->size)
		n = c->client->fds->size;
	int64_t r = sets_read(c, &asked, (unsigned)n);
	if (r == 0)
		r = select_run(c, &asked, (unsigned)n, wait, deadline);
	free(asked.in);
	return r;
}

int64_t rq_select(struct call *c)
{
	bool wait = true;
	nstime_t deadline = NO_DEADLINE;
	int64_t t[2];
	if (c->a[4]) {
		if (user_read(c->ep, c->a[4], t, sizeof t))
			return -EFAULT;
		if (t[0] < 0 || t[1] < 0)
			return -EINVAL;
		wait = t[0] || t[1];
		int64_t s;
		if (__builtin_add_overflow(t[0], t[1] / 1000000, &s))
			s = INT64_MAX;
		deadline_from_ns(s, t[1] % 1000000 * 1000, &deadline);
	}
	int64_t n = select_call(c, wait, deadline);
	if (c->a[4] && n != -ERESTARTNOHAND)
		write_left(c, c->a[4], deadline, 1000);
	return n;
}

int64_t rq_pselect6(struct call *c)
{
	bool wait;
	nstime_t deadline;
	uint64_t sig[2] = { 0, 0 };
	if (c->a[5] && user_read(c->ep, c->a[5], sig, sizeof sig))
		return -EFAULT;
	int r = read_timespec(c, c->a[4], &wait, &deadline);
	if (r == 0)
		r = temp_sigmask(c, sig[0], sig[1]);
	if (r)
		return r;
	int64_t n = select_call(c, wait, deadline);
	if (c->a[4] && n != -ERESTARTNOHAND)
		write_left(c, c->a[4], deadline, 1);
	return n;
}
