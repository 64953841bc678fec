/* SPDX-License-Identifier: BSD-2-Clause */
/* eventfd: a counter that can be read, written and polled. It dies with its last descriptor. */
#include <stdlib.h>
#include <sys/eventfd.h>

#include "calls.h"
#include "client.h"
#include "file.h"
#include "open.h"

static const uint64_t COUNT_MAX = UINT64_MAX - 1;

struct eventfd { uint64_t count; bool semaphore; struct waitq q; };

static int64_t counter_read(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	struct eventfd *e = f->object;
	(void)pos;
	if (u->left < 8)
		return -EINVAL;
	while (e->count == 0) {
		if (file_nonblock(f) || flags & FILE_IO_NOWAIT)
			return -EAGAIN;
		if (call_wait(c, &e->q, NO_DEADLINE))
			return -EINTR;
	}
	uint64_t value = e->semaphore ? 1 : e->count;
	e->count -= value;
	waitq_wake(&e->q, POLLOUT | POLLWRNORM);
	return uio_copy_out(u, &value, sizeof value);
}

static int64_t counter_write(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	struct eventfd *e = f->object;
	uint64_t value;
	(void)pos;
	if (u->left < 8)
		return -EINVAL;
	int64_t r = uio_copy_in(u, &value, sizeof value);
	if (r != sizeof value)
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	while (value > COUNT_MAX - e->count) {
		if (file_nonblock(f) || flags & FILE_IO_NOWAIT)
			return -EAGAIN;
		if (call_wait(c, &e->q, NO_DEADLINE))
			return -EINTR;
	}
	e->count += value;
	if (e->count)
		waitq_wake(&e->q, POLLIN | POLLRDNORM);
	return sizeof value;
}

static unsigned eventfd_poll(struct file *f, unsigned wanted)
{
	const struct eventfd *e = f->object;
	(void)wanted;
	return (e->count ? POLLIN | POLLRDNORM : 0u) | (e->count < COUNT_MAX ? POLLOUT | POLLWRNORM : 0u);
}

static struct waitq *eventfd_queue(struct file *f) { return &((struct eventfd *)f->object)->q; }
static void eventfd_close(struct file *f) { free(f->object); }

static const struct file_ops eventfd_ops = {
	.kind = "anon_inode:[eventfd]", .stream = true, .read = counter_read, .write = counter_write, .poll = eventfd_poll,
	.poll_queue = eventfd_queue, .close = eventfd_close,
};

static int64_t eventfd_create(struct call *c, uint32_t count, unsigned flags)
{
	if (flags & ~(unsigned)(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK))
		return -EINVAL;
	struct eventfd *e = calloc(1, sizeof *e);
	struct file *f = e ? file_new(&eventfd_ops, O_RDWR | (flags & O_NONBLOCK)) : NULL;
	if (!f) {
		free(e);
		return -ENOMEM;
	}
	e->count = count;
	e->semaphore = flags & EFD_SEMAPHORE;
	waitq_init(&e->q);
	f->object = e;
	f->ino = anon_ino();
	return fd_install_new(c, f, flags & EFD_CLOEXEC);
}

int64_t rq_eventfd(struct call *c) { return eventfd_create(c, (uint32_t)c->a[0], 0); }
int64_t rq_eventfd2(struct call *c) { return eventfd_create(c, (uint32_t)c->a[0], (unsigned)c->a[1]); }
