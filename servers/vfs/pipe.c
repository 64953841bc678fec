/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pipes and FIFOs.
 *
 *   writer --copy--> ring of pages --copy--> reader         one wait queue for both ends and for poll
 *      \------------- direct copy ------------/              when a reader already waits and the ring is empty
 *
 * Writes of at most PIPE_BUF bytes go in whole or wait. A reader that finds the ring empty leaves a note of where its bytes are to go;
 * a writer then copies straight from its process into the reader's and the bytes never pass through us. Where that fails for want
 * of memory the ring is used. What is buffered is lost if this process dies.
 */
#include "pipe.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "client.h"
#include "open.h"
#include "signals.h"
#include "vnode.h"

enum { PIPE_BYTES = 65536, PIPE_MAX = 1 << 20, PIPE_FIFO_BUF = PIPE_BUF };

/* A reader asleep on the empty pipe. */
struct pipe_reader { struct list link; struct uio *u; uint64_t got; struct call *call; };

struct pipe {
	unsigned refs;
	struct ring ring;
	unsigned readers, writers;	/* open files of each kind */
	unsigned reader_opens, writer_opens;	/* counts for the waiting of FIFO opens */
	struct list waiting_readers;
	struct waitq q;
	struct vnode *fifo;		/* a FIFO's vnode: no reference, the files have it */
	struct fiber_lock write_lock;	/* pieces of a large write stay in order */
	struct fiber_lock read_lock;	/* held while bytes are copied out, which may wait for memory */
};

static struct pipes { unsigned count; } pipes;
static const struct file_ops pipe_ops, fifo_ops;

unsigned pipes_count(void) { return pipes.count; }

static struct pipe *pipe_new(void)
{
	struct pipe *p = calloc(1, sizeof *p);
	if (!p || !ring_init(&p->ring, PIPE_BYTES)) {
		free(p);
		return NULL;
	}
	list_init(&p->waiting_readers);
	waitq_init(&p->q);
	fiber_lock_init(&p->write_lock);
	fiber_lock_init(&p->read_lock);
	pipes.count++;
	return p;
}

static void pipe_put(struct pipe *p)
{
	if (--p->refs > 0)
		return;
	if (p->fifo)
		p->fifo->fifo = NULL;
	ring_fini(&p->ring);
	pipes.count--;
	free(p);
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

static int64_t ring_to_user(struct ring *r, struct uio *u)
{
	int64_t total = 0;
	while (u->left && r->used) {
		size_t len = u->left;
		const uint8_t *from = ring_read_at(r, &len);
		int64_t n = uio_copy_out(u, from, len);
		if (n <= 0)
			return total ? total : n;
		ring_took(r, (size_t)n);
		total += n;
	}
	return total;
}

static int pipe_sleep_for_data(struct call *c, struct pipe *p, struct uio *u, uint64_t *direct)
{
	struct pipe_reader me = { .u = u, .call = c };
	list_append(&p->waiting_readers, &me.link);
	int r = call_wait(c, &p->q, NO_DEADLINE);
	list_remove(&me.link);
	*direct = me.got;
	return r;
}

static int64_t pipe_read(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	struct pipe *p = f->object;
	(void)pos;
	if (u->left == 0)
		return 0;
	for (;;) {
		if (p->ring.used) {
			fiber_lock_get(&p->read_lock);
			int64_t n = ring_to_user(&p->ring, u);
			fiber_lock_put(&p->read_lock);
			if (n == 0)
				continue;	/* another reader was faster */
			waitq_wake(&p->q, POLLOUT | POLLWRNORM);
			return n;
		}
		if (p->writers == 0)
			return 0;
		if (file_nonblock(f) || flags & FILE_IO_NOWAIT)
			return -EAGAIN;
		uint64_t direct;
		int r = pipe_sleep_for_data(c, p, u, &direct);
		if (direct)
			return (int64_t)direct;
		if (r)
			return -EINTR;
	}
}

int pipe_wait_data(struct call *c, struct file *f, bool nonblock)
{
	struct pipe *p = f->object;
	while (!p->ring.used) {
		if (p->writers == 0)
			return 0;
		if (nonblock)
			return -EAGAIN;
		int r = call_wait(c, &p->q, NO_DEADLINE);
		if (r)
			return r;
	}
	return 1;
}

size_t pipe_peek(struct file *f, void *buf, size_t len)
{
	struct pipe *p = f->object;
	size_t done = 0;
	while (done < len) {
		size_t n = len - done;
		const uint8_t *from = ring_peek_at(&p->ring, done, &n);
		if (!from)
			break;
		memcpy((uint8_t *)buf + done, from, n);
		done += n;
	}
	return done;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

/* Hand bytes to readers that wait on the empty pipe. */
static uint64_t pipe_give(struct pipe *p, struct uio *u)
{
	uint64_t total = 0;
	while (u->left && p->ring.used == 0 && !list_empty(&p->waiting_readers)) {
		struct pipe_reader *r = list_entry(p->waiting_readers.next, struct pipe_reader, link);
		uint64_t want = u->left < r->u->left ? u->left : r->u->left;
		if (r->call->cancelled)
			break;
		uint64_t n = uio_copy_direct(u, r->u, want);
		if (n == 0)
			break;
		r->got += n;
		total += n;
		list_remove(&r->link);
		call_wake(r->call);
	}
	return total;
}

static int64_t user_to_ring(struct ring *r, struct uio *u)
{
	int64_t total = 0;
	while (u->left && ring_room(r)) {
		size_t len = u->left;
		uint8_t *to = ring_write_at(r, &len);
		if (!to)
			return total ? total : -ENOMEM;
		r->pinned = true;
		int64_t n = uio_copy_in(u, to, len);
		r->pinned = false;
		if (n <= 0)
			return total ? total : n;
		ring_wrote(r, (size_t)n);
		total += n;
	}
	return total;
}

static int64_t pipe_broken(struct call *c)
{
	signal_send(c->ep, SIGPIPE);
	return -EPIPE;
}

/* Room to go on? A small write needs room for all of it. */
static bool pipe_has_room(const struct pipe *p, uint64_t left)
{
	size_t room = ring_room(&p->ring);
	return left <= PIPE_BUF ? room >= left : room > 0;
}

static int64_t pipe_write_some(struct pipe *p, struct uio *u)
{
	uint64_t given = pipe_give(p, u);
	if (u->left == 0)
		return (int64_t)given;
	int64_t n = user_to_ring(&p->ring, u);
	if (n > 0)
		waitq_wake(&p->q, POLLIN | POLLRDNORM);
	return n < 0 && given ? (int64_t)given : n + (n < 0 ? 0 : (int64_t)given);
}

static int64_t pipe_write_locked(struct call *c, struct file *f, struct uio *u, unsigned flags)
{
	struct pipe *p = f->object;
	int64_t total = 0;
	bool small = u->left <= PIPE_BUF;
	while (u->left) {
		if (p->readers == 0) {
			int64_t broken = pipe_broken(c);
			return total ? total : broken;
		}
		if (pipe_has_room(p, small ? u->left : PIPE_BUF + 1)) {
			int64_t n = pipe_write_some(p, u);
			if (n < 0)
				return total ? total : n;
			total += n;
			continue;
		}
		if (file_nonblock(f) || flags & FILE_IO_NOWAIT)
			return total ? total : -EAGAIN;
		if (call_wait(c, &p->q, NO_DEADLINE))
			return total ? total : -EINTR;
	}
	return total;
}

static int64_t pipe_write(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	struct pipe *p = f->object;
	(void)pos;
	if (p->readers == 0)
		return pipe_broken(c);
	if (u->left == 0)
		return 0;
	if (p->write_lock.held && (file_nonblock(f) || flags & FILE_IO_NOWAIT))
		return -EAGAIN;
	while (p->write_lock.held)
		if (call_wait(c, &p->write_lock.q, NO_DEADLINE))
			return -EINTR;
	p->write_lock.held = true;
	int64_t n = pipe_write_locked(c, f, u, flags);
	fiber_lock_put(&p->write_lock);
	return n;
}

/* ---- the rest of a pipe's life ---------------------------------------------------------------------------------- */

static unsigned pipe_poll(struct file *f, unsigned wanted)
{
	struct pipe *p = f->object;
	unsigned events = 0;
	(void)wanted;
	if (f->can_read) {
		events |= p->ring.used ? POLLIN | POLLRDNORM : 0u;
		events |= p->writers == 0 && p->writer_opens ? POLLHUP : 0u;
	}
	if (f->can_write) {
		events |= ring_room(&p->ring) >= PIPE_FIFO_BUF ? POLLOUT | POLLWRNORM : 0u;
		events |= p->readers == 0 ? POLLERR : 0u;
	}
	return events;
}

static struct waitq *pipe_queue(struct file *f) { return &((struct pipe *)f->object)->q; }

static void pipe_close(struct file *f)
{
	struct pipe *p = f->object;
	p->readers -= f->can_read;
	p->writers -= f->can_write;
	waitq_wake(&p->q, POLLIN | POLLOUT | POLLHUP | POLLERR);
	pipe_put(p);
}

static int64_t pipe_ioctl(struct call *c, struct file *f, uint32_t request, uint64_t arg)
{
	enum { FIONREAD_NR = 0x541b };
	struct pipe *p = f->object;
	int32_t n = (int32_t)p->ring.used;
	return request == FIONREAD_NR ? user_write(c->ep, arg, &n, sizeof n) : -ENOTTY;
}

bool file_is_pipe(const struct file *f) { return f->ops == &pipe_ops || f->ops == &fifo_ops; }

int64_t pipe_resize(struct call *c, struct file *f, bool set, uint64_t bytes)
{
	if (!file_is_pipe(f))
		return -EBADF;
	struct pipe *p = f->object;
	if (!set)
		return (int64_t)ring_size(&p->ring);
	if (bytes > INT32_MAX)
		return -EINVAL;
	size_t size = RING_PAGE;
	while (size < bytes)
		size *= 2;
	if (size > PIPE_MAX && size > ring_size(&p->ring) && !client_is_root(c->client))
		return -EPERM;
	if (size > (1u << 26))
		return -EPERM;
	if (size < p->ring.used || p->read_lock.held || p->write_lock.held)
		return -EBUSY;
	if (!ring_resize(&p->ring, size))
		return -ENOMEM;
	waitq_wake(&p->q, POLLOUT);
	return (int64_t)size;
}

static struct file *pipe_file(struct pipe *p, const struct file_ops *ops, unsigned flags)
{
	struct file *f = file_new(ops, flags);
	if (!f)
		return NULL;
	f->object = p;
	p->refs++;
	p->readers += f->can_read;
	p->writers += f->can_write;
	p->reader_opens += f->can_read;
	p->writer_opens += f->can_write;
	return f;
}

int pipe_reopen(struct file *old, unsigned flags, struct file **out)
{
	if (old->ops != &pipe_ops)
		return -ENXIO;
	*out = pipe_file(old->object, &pipe_ops, flags & (O_ACCMODE | O_NONBLOCK | O_APPEND));
	if (!*out)
		return -ENFILE;
	(*out)->ino = old->ino;
	return 0;
}

static const struct file_ops pipe_ops = {
	.kind = "pipe", .stream = true, .read = pipe_read, .write = pipe_write, .ioctl = pipe_ioctl, .poll = pipe_poll,
	.poll_queue = pipe_queue, .close = pipe_close,
};
static const struct file_ops fifo_ops = {
	.stream = true, .read = pipe_read, .write = pipe_write, .ioctl = pipe_ioctl, .poll = pipe_poll, .poll_queue = pipe_queue,
	.close = pipe_close,
};

/* ---- making them ----------------------------------------------------------------------------------------------- */

static int pipe_files(unsigned flags, struct file *f[2])
{
	struct pipe *p = pipe_new();
	if (!p)
		return -ENFILE;
	p->refs = 1;
	f[0] = pipe_file(p, &pipe_ops, O_RDONLY | (flags & (O_NONBLOCK | O_DIRECT)));
	f[1] = f[0] ? pipe_file(p, &pipe_ops, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT))) : NULL;
	if (f[0])
		f[0]->ino = anon_ino();
	if (f[0] && !f[1])
		file_put(f[0]);
	else if (f[1])
		f[1]->ino = f[0]->ino;
	pipe_put(p);
	return f[1] ? 0 : -ENFILE;
}

static int64_t pipe_call(struct call *c, vaddr_t to, unsigned flags)
{
	struct file *f[2];
	int fds[2];
	struct fdtable *t = c->client->fds;
	if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	int r = pipe_files(flags, f);
	if (r)
		return r;
	fds[0] = fdtable_reserve(t, 0, c->client->limit_files);
	fds[1] = fds[0] >= 0 ? fdtable_reserve(t, 0, c->client->limit_files) : -1;
	r = fds[0] < 0 ? fds[0] : fds[1] < 0 ? fds[1] : user_write(c->ep, to, fds, sizeof fds);
	if (r == 0) {
		fdtable_install(t, fds[0], f[0], flags & O_CLOEXEC);
		fdtable_install(t, fds[1], f[1], flags & O_CLOEXEC);
		return 0;
	}
	if (fds[0] >= 0)
		fdtable_release(t, fds[0]);
	if (fds[0] >= 0 && fds[1] >= 0)
		fdtable_release(t, fds[1]);
	file_put(f[0]);
	file_put(f[1]);
	return r;
}

int64_t rq_pipe(struct call *c) { return pipe_call(c, c->a[0], 0); }
int64_t rq_pipe2(struct call *c) { return pipe_call(c, c->a[0], (unsigned)c->a[1]); }

/* Wait until the other side has been opened at least once since we began. */
static int fifo_wait(struct call *c, struct pipe *p, const unsigned *opens, const unsigned *present)
{
	unsigned before = *opens;
	while (*present == 0 && *opens == before) {
		int r = c ? call_wait(c, &p->q, NO_DEADLINE) : -EINTR;
		if (r)
			return r;
	}
	return 0;
}

static int fifo_open_wait(struct call *c, struct pipe *p, unsigned flags)
{
	unsigned mode = flags & O_ACCMODE;
	if (mode == O_RDONLY && !(flags & O_NONBLOCK))
		return fifo_wait(c, p, &p->writer_opens, &p->writers);
	if (mode == O_WRONLY && !(flags & O_NONBLOCK))
		return fifo_wait(c, p, &p->reader_opens, &p->readers);
	return 0;
}

int fifo_open(struct call *c, struct vnode *v, unsigned flags, struct file **out)
{
	if (!v->fifo) {
		v->fifo = pipe_new();
		if (!v->fifo)
			return -ENOMEM;
		v->fifo->fifo = v;
	}
	struct pipe *p = v->fifo;
	unsigned mode = flags & O_ACCMODE;
	if (mode == O_WRONLY && flags & O_NONBLOCK && p->readers == 0) {
		p->refs++;
		pipe_put(p);
		return -ENXIO;
	}
	struct file *f = pipe_file(p, &fifo_ops, flags & ~(unsigned)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC));
	if (!f) {
		p->refs++;
		pipe_put(p);
		return -ENFILE;
	}
	f->vnode = vnode_get(v);
	waitq_wake(&p->q, 0);
	int r = fifo_open_wait(c, p, flags);
	if (r) {
		file_put(f);
		return r;
	}
	*out = f;
	return 0;
}
