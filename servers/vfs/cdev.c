/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files on character devices. The device map says which driver serves a major number (dmap.c); requests go to it asynchronously
 * (proto/cdev.h) and are ended by signals with CDEV_CANCEL. Data goes directly between user and driver by magic grants that are only tried.
 *
 * When the driver dies: a request on a device that can be recovered is made again to the next instance (device.c), with grants for that
 * one; on others it ends with EIO. Programs never see which process serves them.
 */
#include "cdev.h"

#include <libfiber/fiber.h>
#include <libsef/sef.h>
#include <libsys/grant.h>
#include <proto/cdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "calls.h"
#include "device.h"
#include "fsreq.h"
#include "report.h"
#include "request.h"

enum { IOCTL_LEGACY_BYTES = 256, CDEV_IO_MAX = 1 << 20, SOFT_TRIES = 8, MINOR_ZERO = 5, DRIVER_GONE = -ERESTARTSYS };

static const struct file_ops device_ops, memory_device_ops;

/* ---- start ----------------------------------------------------------------------------------------------------- */

static void map_boot(uint32_t major, endpoint_t ep, const char *label)
{
	if (!dmap_char(major))
		dmap_map((int32_t)major, ep, label);
}

static void map_services(const struct sef_init_info *info)
{
	struct rs_pub pub;
	for (uint32_t i = 0; i < info->proctab_count; i++) {
		if (sef_proctab_read(info, i, &pub, 1) != 0)
			return;
		for (int m = 0; pub.in_use && m < RS_NR_MAJORS; m++)
			if (pub.majors[m] > 0)
				dmap_map(pub.majors[m], pub.endpoint, pub.label);
	}
}

void cdev_init(const struct sef_init_info *info)
{
	devices_init();
	map_services(info);
	map_boot(MAJOR_MEM, EP_MEMORY, "memory");
	map_boot(MAJOR_TTYS, EP_TTY, "tty");
	map_boot(MAJOR_TTYAUX, EP_TTY, "tty");
	map_boot(MAJOR_PTS, EP_TTY, "tty");
	dmap_init();
}

void cdev_ready(const struct message *m)
{
	const struct cdev_ready *r = (const struct cdev_ready *)(const void *)m->w;
	device_ready(m->source, r->minor, r->events);
}

void cdev_progress(const struct message *m)
{
	const struct cdev_progress *p = (const struct cdev_progress *)(const void *)m->w;
	request_progress(p->id, m->source, p->bytes);
}

static void fill_who(struct cdev_req *q, const struct client *cl)
{
	q->ep = cl->ep;
	q->pid = cl->pid;
	q->pgid = cl->pgid;
	q->sid = cl->session ? cl->session->sid : 0;
	if (q->pid == q->sid)
		q->flags |= CDEV_SESSION_LEADER;
}

/* ---- one request ----------------------------------------------------------------------------------------------- */

static void cancel_request(const struct request *rq, uint32_t dev)
{
	struct message m = { .type = CDEV_CANCEL };
	MSG_BODY(struct cdev_req, &m)->id = rq->id;
	MSG_BODY(struct cdev_req, &m)->minor = dev;
	MSG_BODY(struct cdev_req, &m)->grant = GRANT_INVALID;
	peer_send(rq->to, &m);
}

/* Wait; a signal sends CDEV_CANCEL once, and the driver's answer is awaited all the same. */
static int request_wait_cancellable(struct call *c, struct request *rq, uint32_t dev)
{
	if (!c)
		return request_wait(rq);
	bool told = false;
	c->sleeper = fiber_self();
	while (!rq->done) {
		if (c->cancelled && !told) {
			cancel_request(rq, dev);
			told = true;
		}
		request_step(rq);
	}
	c->sleeper = NULL;
	return rq->error;
}

/*
 * One request and its answer: the driver's result, and *rep. DRIVER_GONE: the instance has died or another is up, and it is not known what
 * became of the request; rep->value is what CDEV_PROGRESS has told about it.
 */
static int64_t exchange(struct call *c, struct driver *driver, uint32_t type, struct cdev_req *q, struct cdev_rep *rep)
{
	uint32_t instance = driver->instance;
	struct request *rq = request_new(driver->ep);
	if (!rq)
		return -ENOMEM;
	struct message m = { .type = type };
	q->id = rq->id;
	*MSG_BODY(struct cdev_req, &m) = *q;
	request_send(rq, &m);
	driver->uses++;		/* its entry stays while we wait */
	int64_t r = request_wait_cancellable(c, rq, q->minor);
	driver->uses--;
	if (r) {
		driver_lost(driver, instance);
		rep->value = rq->progress;
		r = DRIVER_GONE;
	} else {
		memcpy(rep, rq->reply.w, sizeof *rep);
		r = rq->reply.type == CDEV_REPLY && rep->result != DRIVER_GONE ? rep->result : -EIO;
		if (rq->reply.type != CDEV_REPLY)
			report_broken(driver->ep, driver->label, RS_BROKEN_TYPE);
	}
	request_free(rq);
	return r;
}

/* After DRIVER_GONE: 0 when the request may be made again. */
static int again(struct call *c, struct device *d, struct cdev_req *q)
{
	q->flags |= CDEV_REPEATED;
	int r = d->recoverable ? device_wait(c, d) : -EIO;
	if (r == 0)
		report_repeated(d->driver->ep, d->driver->label);
	else if (r == -EIO)
		report_failed(d->driver->ep, d->driver->label);
	return r;
}

/* ---- open and close -------------------------------------------------------------------------------------------- */

static unsigned access_flags(unsigned flags)
{
	unsigned mode = flags & O_ACCMODE;
	return (flags & O_NONBLOCK ? CDEV_NONBLOCK : 0u) | (flags & O_NOCTTY ? CDEV_NOCTTY : 0u)
	     | (mode != O_WRONLY ? CDEV_ACCESS_READ : 0u) | (mode != O_RDONLY ? CDEV_ACCESS_WRITE : 0u);
}

/* A request whose answer nobody waits for. */
static void send_alone(endpoint_t driver, uint32_t type, struct cdev_req *q)
{
	struct request *rq = request_new(driver);
	if (!rq)
		return;
	struct message m = { .type = type };
	q->id = rq->id;
	q->grant = GRANT_INVALID;
	*MSG_BODY(struct cdev_req, &m) = *q;
	request_send(rq, &m);
	request_abandon(rq);
}

/* Only an instance that knows it as open is told; the next one is told how often it is open then. */
static void device_send_close(const struct device *d)
{
	if (!d->dead && d->driver->state == DRIVER_UP && d->instance == d->driver->instance)
		send_alone(d->driver->ep, CDEV_CLOSE, &(struct cdev_req){ .minor = d->dev });
}

void cdev_session_end(struct client *cl)
{
	uint32_t ctty = cl->session->ctty;
	const struct driver *driver = ctty ? dmap_char(major(ctty)) : NULL;
	struct cdev_req q = { .minor = CDEV_DEV(major(ctty), minor(ctty)), .pos = TIOCNOTTY };
	cl->session->ctty = 0;
	if (!driver || driver->state != DRIVER_UP)
		return;		/* the next instance hears that no session is there */
	fill_who(&q, cl);
	send_alone(driver->ep, CDEV_IOCTL, &q);
}

static int device_file(struct vnode *v, unsigned flags, struct device *d, struct file **out)
{
	const struct file_ops *ops = cdev_major(d->dev) == MAJOR_MEM ? &memory_device_ops : &device_ops;
	struct file *f = file_new(ops, flags & ~(unsigned)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC));
	if (!f) {
		device_send_close(d);
		device_put(d);
		return -ENFILE;
	}
	f->vnode = vnode_get(v);
	f->object = d;
	*out = f;
	return 0;
}

/* Open it in whichever instance is there; `q` gets who asks. The driver's result, and in *out the device with a reference. */
static int64_t driver_open(struct call *c, struct client *cl, struct cdev_req *q, struct device **out)
{
	for (;;) {
		struct driver *driver;
		struct cdev_rep rep;
		int64_t r = driver_wait(c, cdev_major(q->minor), &driver);
		if (r)
			return r;
		uint32_t instance = driver->instance;
		fill_who(q, cl);
		r = exchange(c, driver, CDEV_OPEN, q, &rep);
		if (r == DRIVER_GONE || (r >= 0 && instance != driver->instance))
			continue;
		if (r < 0)
			return r;
		*out = device_get(driver, r & CDEV_CLONED ? (uint32_t)rep.value : q->minor, r & CDEV_RECOVERABLE);
		return *out ? r : -ENOMEM;
	}
}

int cdev_open(struct call *c, struct client *cl, struct vnode *v, unsigned flags, struct file **out)
{
	uint32_t rdev = (uint32_t)v->attr.rdev;
	bool is_ctty = major(rdev) == MAJOR_TTYAUX && minor(rdev) == 0;
	struct device *d = NULL;
	if (cl->session && cl->session->ctty)
		flags |= O_NOCTTY;	/* a session has one */
	if (is_ctty && !(rdev = cl->session ? cl->session->ctty : 0))	/* /dev/tty */
		return -ENXIO;
	struct cdev_req q = { .minor = CDEV_DEV(major(rdev), minor(rdev)), .grant = GRANT_INVALID, .flags = access_flags(flags),
		.arg = cl->fsuid | (uint64_t)cl->fsgid << 32 };
	int64_t r = driver_open(c, cl, &q, &d);
	if (r == -EIO && is_ctty) {	/* it hung up: the session has none any more */
		cl->session->ctty = 0;
		return -ENXIO;
	}
	if (r < 0)
		return (int)r;
	if (r & CDEV_CTTY && cl->session)
		cl->session->ctty = (uint32_t)makedev(cdev_major(d->dev), cdev_minor(d->dev));
	return device_file(v, flags, d, out);
}

static void device_close(struct file *f)
{
	struct device *d = f->object;
	device_send_close(d);
	device_put(d);
}

/* ---- data ------------------------------------------------------------------------------------------------------ */

struct cdev_io { struct file *f; struct uio *u; uint32_t type; unsigned flags; uint64_t pos; };
struct piece { vaddr_t addr; uint64_t len, done; };	/* done: by instances that died */

/* One request: a grant for this instance, the exchange, the grant taken back. */
static int64_t io_request(struct call *c, struct cdev_io *io, struct cdev_req *q, const struct piece *p, struct cdev_rep *rep)
{
	struct device *d = io->f->object;
	endpoint_t driver = d->driver->ep;
	int access = io->type == CDEV_READ ? GRANT_WRITE : GRANT_READ;
	vaddr_t addr = p->addr + p->done;
	q->len = p->len - p->done;
	q->pos = io->pos + p->done;
	q->grant = io->u->ep == EP_SELF ? grant_direct(driver, (void *)(uintptr_t)addr, q->len, access)
		: grant_magic(driver, io->u->ep, addr, q->len, access | GRANT_TRY);
	if (q->grant == GRANT_INVALID)
		return -ENOMEM;
	fill_who(q, c->client);
	int64_t r = exchange(c, d->driver, io->type, q, rep);
	grant_revoke(q->grant);
	if (r <= (int64_t)q->len)
		return r;
	report_broken(driver, d->driver->label, RS_BROKEN_LENGTH);
	return -EIO;
}

/* What a write has moved when something ends it. */
static int64_t io_partial(const struct piece *p, int64_t r)
{
	return p->done ? (int64_t)p->done : r;
}

static int64_t io_piece(struct call *c, struct cdev_io *io, vaddr_t addr, uint64_t len)
{
	struct device *d = io->f->object;
	struct piece p = { .addr = addr, .len = len };
	struct cdev_req q = { .minor = d->dev, .flags = io->flags };
	int soft = 0;
	int64_t r = device_wait(c, d);
	while (r == 0) {
		struct cdev_rep rep;
		r = io_request(c, io, &q, &p, &rep);
		if (r >= 0)
			return r + (int64_t)p.done;
		if (r == DRIVER_GONE) {
			if (io->type == CDEV_WRITE && rep.value <= q.len)
				p.done += rep.value;
			if (p.done == p.len && p.done)
				break;
			r = again(c, d, &q);
		} else if (r == -ESOFTFAULT && soft++ < SOFT_TRIES) {
			int64_t present = user_prefault(io->u->ep, addr + p.done, p.len - p.done, io->type == CDEV_READ);
			p.len = present < 0 ? p.len : p.done + (uint64_t)present;
			r = present < 0 ? present : 0;
		}
	}
	return io_partial(&p, r == -ESOFTFAULT ? -EFAULT : r);
}

/* Piece after piece; only the first may wait when reading, so that what has come is returned. A signal ends it between two pieces. */
static int64_t device_io(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags, uint32_t type)
{
	struct cdev_io io = { .f = f, .u = u, .type = type, .flags = access_flags(f->flags), .pos = (uint64_t)*pos };
	int64_t total = 0;
	if (flags & FILE_IO_NOWAIT)
		io.flags |= CDEV_NONBLOCK;
	do {
		vaddr_t addr = 0;
		uint64_t len = uio_piece(u, CDEV_IO_MAX, &addr);
		int64_t n = io_piece(c, &io, addr, len);
		if (n < 0)
			return total ? total : n;
		uio_advance(u, (uint64_t)n);
		total += n;
		io.pos += (uint64_t)n;
		if ((uint64_t)n < len || n == 0)
			break;
		if (type == CDEV_READ)
			io.flags |= CDEV_NONBLOCK;
	} while (u->left && !(c && c->cancelled));
	*pos = (int64_t)io.pos;
	return total;
}

static int64_t device_read(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	return device_io(c, f, u, pos, flags, CDEV_READ);
}

static int64_t device_write(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	return device_io(c, f, u, pos, flags, CDEV_WRITE);
}

/* Memory devices have no place: seeking succeeds and means nothing. */
static int64_t memory_seek(struct call *c, struct file *f, int64_t offset, int whence)
{
	(void)c; (void)offset; (void)whence;
	f->pos = 0;
	return 0;
}

/* ---- ioctl ----------------------------------------------------------------------------------------------------- */

static uint64_t ioctl_bytes(uint32_t request, uint64_t arg)
{
	uint32_t size = request >> 16 & 0x3fff;	/* as asm-generic/ioctl.h packs it; 0 in the old numbers of terminals */
	uint64_t n = size ? size : IOCTL_LEGACY_BYTES;
	if (arg >= USER_TOP)
		return 0;
	return n < USER_TOP - arg ? n : USER_TOP - arg;
}

/* The driver touches only what the request needs; bring in the page of the first byte and, where there is one, of the last. */
static int ioctl_prefault(endpoint_t ep, vaddr_t arg, uint64_t len)
{
	if (user_prefault(ep, arg, 1, true) < 0 && user_prefault(ep, arg, 1, false) < 0)
		return -EFAULT;
	vaddr_t last = arg + len - 1;
	if (arg / PAGE_BYTES != last / PAGE_BYTES && user_prefault(ep, last, 1, true) < 0)
		user_prefault(ep, last, 1, false);
	return 0;
}

static uint32_t device_number(const struct device *d) { return (uint32_t)makedev(cdev_major(d->dev), cdev_minor(d->dev)); }

static void ioctl_note_ctty(struct call *c, const struct device *d, uint32_t request)
{
	struct session *s = c->client->session;
	if (s && request == TIOCSCTTY)
		s->ctty = device_number(d);
	else if (s && request == TIOCNOTTY)
		s->ctty = 0;
}

/* The foreground group must be one of the caller's session: terminals do not know which groups exist. */
static int64_t check_foreground(struct call *c, const struct device *d, uint64_t arg)
{
	const struct session *s = c->client->session;
	int32_t pgid;
	if (!s || s->ctty != device_number(d))
		return 0;	/* the driver refuses it */
	if (user_read(c->ep, arg, &pgid, sizeof pgid))
		return -EFAULT;
	if (pgid < 0)
		return -EINVAL;
	for (unsigned slot = 0; slot < NR_PROCS; slot++) {
		const struct client *cl = client_at(slot);
		if (cl && cl->pgid == pgid)
			return cl->session == s ? 0 : -EPERM;
	}
	return -ESRCH;
}

/* What terminals cannot judge, for they know neither users nor what else a session has. *arg may be changed. */
static int64_t check_terminal(struct call *c, const struct device *d, uint32_t request, uint64_t *arg)
{
	const struct session *s = c->client->session;
	uint32_t ctty = s ? s->ctty : 0;
	switch (request) {
	case TIOCSPGRP:
		return check_foreground(c, d, *arg);
	case TIOCSTI:
		return ctty == device_number(d) || client_is_root(c->client) ? 0 : -EPERM;
	case TIOCSCTTY:
		if (*arg == 1 && !client_is_root(c->client))
			*arg = 0;	/* nobody else takes a terminal from a session */
		return ctty && ctty != device_number(d) ? -EPERM : 0;
	}
	return 0;
}

static int64_t ioctl_request(struct call *c, struct device *d, struct cdev_req *q)
{
	struct cdev_rep rep;
	q->grant = grant_magic(d->driver->ep, c->ep, q->arg, q->len, GRANT_READ | GRANT_WRITE | GRANT_TRY);
	if (q->grant == GRANT_INVALID)
		return -ENOMEM;
	fill_who(q, c->client);
	int64_t r = exchange(c, d->driver, CDEV_IOCTL, q, &rep);
	grant_revoke(q->grant);
	if (r >= 0)
		ioctl_note_ctty(c, d, (uint32_t)q->pos);
	return r;
}

static int64_t device_ioctl(struct call *c, struct file *f, uint32_t request, uint64_t arg)
{
	struct device *d = f->object;
	struct cdev_req q = { .minor = d->dev, .flags = access_flags(f->flags), .len = ioctl_bytes(request, arg), .pos = request,
		.arg = arg };
	int soft = 0;
	int64_t r = check_terminal(c, d, request, &q.arg);
	if (r == 0)
		r = device_wait(c, d);
	while (r == 0) {
		r = ioctl_request(c, d, &q);
		if (r == DRIVER_GONE)
			r = again(c, d, &q);
		else if (r == -ESOFTFAULT && soft++ < SOFT_TRIES)
			r = q.len == 0 ? -EFAULT : ioctl_prefault(c->ep, arg, q.len);
		else
			return r == -ESOFTFAULT ? -EFAULT : r;
	}
	return r;
}

/* ---- poll ------------------------------------------------------------------------------------------------------ */

static int64_t poll_request(struct device *d, unsigned wanted)
{
	uint32_t instance = d->driver->instance;
	struct request *rq = request_new(d->driver->ep);
	if (!rq)
		return POLLERR | POLLHUP;
	struct message m = { .type = CDEV_SELECT };
	*MSG_BODY(struct cdev_select_req, &m) = (struct cdev_select_req){
		.id = rq->id, .minor = d->dev, .events = wanted, .want_ready = 1 };
	request_send(rq, &m);
	int r = request_wait(rq);
	int64_t events = r ? DRIVER_GONE : ((struct cdev_rep *)(void *)rq->reply.w)->result;
	request_free(rq);
	if (r)
		driver_lost(d->driver, instance);
	return events;
}

/* Nothing is known to be ready while a driver comes back; whoever polls is woken when it is there (device.c). */
static unsigned device_poll(struct file *f, unsigned wanted)
{
	struct device *d = f->object;
	int64_t events = device_usable(d) ? poll_request(d, wanted) : DRIVER_GONE;
	if (events == DRIVER_GONE)
		return d->dead || !d->recoverable || d->driver->state == DRIVER_DOWN ? POLLERR | POLLHUP : 0;
	if (events < 0)
		return POLLERR;
	if (events & POLLIN)
		events |= POLLRDNORM;
	if (events & POLLOUT)
		events |= POLLWRNORM;
	return (unsigned)events;
}

static struct waitq *device_queue(struct file *f) { return &((struct device *)f->object)->q; }

bool cdev_is_zero(const struct file *f)
{
	const struct device *d = f->object;
	return f->ops == &memory_device_ops && cdev_minor(d->dev) == MINOR_ZERO;
}

static const struct file_ops device_ops = {
	.stream = true, .read = device_read, .write = device_write, .ioctl = device_ioctl, .poll = device_poll,
	.poll_queue = device_queue, .close = device_close,
};
static const struct file_ops memory_device_ops = {
	.read = device_read, .write = device_write, .ioctl = device_ioctl, .seek = memory_seek, .close = device_close,
};
