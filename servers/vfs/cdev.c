/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Character devices. The device map says which driver serves a major number; requests go to it asynchronously (proto/cdev.h) and are
 * ended by signals with CDEV_CANCEL. Data goes directly between user and driver by magic grants that are only tried.
 *
 * A file on a device belongs to the driver process that opened it: when the driver dies or is replaced, what waits ends with EIO, and so
 * does every later use but close; a new open reaches the successor.
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
#include "fsreq.h"
#include "request.h"

enum { MAJORS = 512, IOCTL_LEGACY_BYTES = 256, CDEV_IO_MAX = 1 << 20, SOFT_TRIES = 8, MINOR_ZERO = 5 };

/* One device in use, shared by all files on it; polling waits here. */
struct device {
	struct list link;
	unsigned refs;
	endpoint_t driver;
	uint32_t major, minor;		/* minor: as the driver counts it */
	uint32_t dev;			/* CDEV_DEV: what the protocol calls minor */
	bool dead;			/* its driver is gone */
	struct waitq q;
};

static struct cdev {
	struct { endpoint_t driver; char label[LABEL_LEN]; } map[MAJORS];
	struct list devices;
} cdev;

static const struct file_ops device_ops, memory_device_ops;

/* ---- the device map -------------------------------------------------------------------------------------------- */

void cdev_map(int32_t major, endpoint_t ep, const char *label)
{
	if (major < 0 || major >= MAJORS)
		return;
	if (cdev.map[major].driver > 0)
		cdev_driver_dead(cdev.map[major].driver);
	cdev.map[major].driver = ep > 0 ? ep : 0;
	snprintf(cdev.map[major].label, LABEL_LEN, "%.*s", LABEL_LEN - 1, label);
}

static void cdev_map_boot(int32_t major, endpoint_t ep, const char *label)
{
	if (!cdev.map[major].driver)
		cdev_map(major, ep, label);
}

static void cdev_map_services(const struct sef_init_info *info)
{
	struct rs_pub pub;
	for (uint32_t i = 0; i < info->proctab_count; i++) {
		if (sef_proctab_read(info, i, &pub, 1) != 0)
			return;
		for (int m = 0; pub.in_use && m < RS_NR_MAJORS; m++)
			if (pub.majors[m] > 0)
				cdev_map(pub.majors[m], pub.endpoint, pub.label);
	}
}

void cdev_init(const struct sef_init_info *info)
{
	list_init(&cdev.devices);
	cdev_map_services(info);
	cdev_map_boot(MAJOR_MEM, EP_MEMORY, "memory");
	cdev_map_boot(MAJOR_TTYS, EP_TTY, "tty");
	cdev_map_boot(MAJOR_TTYAUX, EP_TTY, "tty");
	cdev_map_boot(MAJOR_PTS, EP_TTY, "tty");
}

void cdev_driver_dead(endpoint_t ep)
{
	requests_fail(ep);
	for (struct list *l = cdev.devices.next; l != &cdev.devices; l = l->next) {
		struct device *d = list_entry(l, struct device, link);
		if (d->driver != ep)
			continue;
		d->dead = true;
		waitq_wake(&d->q, POLLERR | POLLHUP);
	}
}

size_t cdev_text(char *buf, size_t room)
{
	size_t used = (size_t)snprintf(buf, room, "Character devices:\n");
	for (int i = 0; i < MAJORS && used < room; i++)
		if (cdev.map[i].driver)
			used += (size_t)snprintf(buf + used, room - used, "%3d %s\n", i, cdev.map[i].label);
	return used < room ? used : room - 1;
}

/* ---- devices --------------------------------------------------------------------------------------------------- */

static struct device *device_get(endpoint_t driver, uint32_t major, uint32_t minor)
{
	for (struct list *l = cdev.devices.next; l != &cdev.devices; l = l->next) {
		struct device *d = list_entry(l, struct device, link);
		if (d->driver == driver && d->major == major && d->minor == minor && !d->dead) {
			d->refs++;
			return d;
		}
	}
	struct device *d = calloc(1, sizeof *d);
	if (!d)
		return NULL;
	d->refs = 1;
	d->driver = driver;
	d->major = major;
	d->minor = minor;
	d->dev = CDEV_DEV(major, minor);
	waitq_init(&d->q);
	list_append(&cdev.devices, &d->link);
	return d;
}

static void device_put(struct device *d)
{
	if (--d->refs > 0)
		return;
	list_remove(&d->link);
	free(d);
}

void cdev_ready(const struct message *m)
{
	const struct cdev_ready *r = (const struct cdev_ready *)(const void *)m->w;
	for (struct list *l = cdev.devices.next; l != &cdev.devices; l = l->next) {
		struct device *d = list_entry(l, struct device, link);
		if (d->driver == m->source && d->dev == r->minor)
			waitq_wake(&d->q, r->events);
	}
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

/* Exchange; *rep is the driver's answer. */
static int64_t exchange(struct call *c, endpoint_t driver, uint32_t type, struct cdev_req *q, struct cdev_rep *rep)
{
	struct request *rq = request_new(driver);
	if (!rq)
		return -ENOMEM;
	struct message m = { .type = type };
	q->id = rq->id;
	*MSG_BODY(struct cdev_req, &m) = *q;
	request_send(rq, &m);
	int64_t r = request_wait_cancellable(c, rq, q->minor);
	if (r == 0 && rq->reply.type != CDEV_REPLY)
		r = -EIO;
	if (r == 0) {
		memcpy(rep, rq->reply.w, sizeof *rep);
		r = rep->result;
	}
	request_free(rq);
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

static void device_send_close(const struct device *d)
{
	if (!d->dead)
		send_alone(d->driver, CDEV_CLOSE, &(struct cdev_req){ .minor = d->dev });
}

void cdev_session_end(struct client *cl)
{
	uint32_t ctty = cl->session->ctty;
	endpoint_t driver = major(ctty) < MAJORS ? cdev.map[major(ctty)].driver : 0;
	struct cdev_req q = { .minor = CDEV_DEV(major(ctty), minor(ctty)), .pos = TIOCNOTTY };
	if (!ctty || !driver)
		return;
	fill_who(&q, cl);
	cl->session->ctty = 0;
	send_alone(driver, CDEV_IOCTL, &q);
}

static int device_file(struct vnode *v, unsigned flags, endpoint_t driver, uint32_t major, uint32_t minor, struct file **out)
{
	struct device *d = device_get(driver, major, minor);
	const struct file_ops *ops = major == MAJOR_MEM ? &memory_device_ops : &device_ops;
	struct file *f = d ? file_new(ops, flags & ~(unsigned)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)) : NULL;
	if (!f) {
		if (d) {
			device_send_close(d);
			device_put(d);
		}
		return -ENFILE;
	}
	f->vnode = vnode_get(v);
	f->object = d;
	*out = f;
	return 0;
}

int cdev_open(struct call *c, struct client *cl, struct vnode *v, unsigned flags, struct file **out)
{
	uint32_t major_nr = major(v->attr.rdev), minor_nr = minor(v->attr.rdev);
	bool is_ctty = major_nr == MAJOR_TTYAUX && minor_nr == 0;
	if (cl->session && cl->session->ctty)
		flags |= O_NOCTTY;	/* a session has one */
	if (is_ctty) {	/* /dev/tty */
		uint32_t ctty = cl->session ? cl->session->ctty : 0;
		if (!ctty)
			return -ENXIO;
		major_nr = major(ctty);
		minor_nr = minor(ctty);
	}
	endpoint_t driver = major_nr < MAJORS ? cdev.map[major_nr].driver : 0;
	if (!driver)
		return -ENXIO;
	struct cdev_req q = { .minor = CDEV_DEV(major_nr, minor_nr), .grant = GRANT_INVALID, .flags = access_flags(flags),
		.arg = cl->fsuid | (uint64_t)cl->fsgid << 32 };
	struct cdev_rep rep;
	fill_who(&q, cl);
	int64_t r = exchange(c, driver, CDEV_OPEN, &q, &rep);
	if (r == -EIO && is_ctty) {	/* it hung up: the session has none any more */
		cl->session->ctty = 0;
		return -ENXIO;
	}
	if (r < 0)
		return (int)r;
	if (r & CDEV_CLONED) {
		major_nr = cdev_major((uint32_t)rep.value);
		minor_nr = cdev_minor((uint32_t)rep.value);
	}
	if (r & CDEV_CTTY && cl->session)
		cl->session->ctty = (uint32_t)makedev(major_nr, minor_nr);
	return device_file(v, flags, driver, major_nr, minor_nr, out);
}

static void device_close(struct file *f)
{
	struct device *d = f->object;
	device_send_close(d);
	device_put(d);
}

/* ---- data ------------------------------------------------------------------------------------------------------ */

struct cdev_io { struct file *f; struct uio *u; uint32_t type; unsigned flags; uint64_t pos; };

static int64_t io_piece(struct call *c, struct cdev_io *io, vaddr_t addr, uint64_t len)
{
	struct device *d = io->f->object;
	bool read = io->type == CDEV_READ;
	int access = read ? GRANT_WRITE : GRANT_READ;
	for (int tries = 0; tries < SOFT_TRIES; tries++) {
		if (d->dead)
			return -EIO;
		grant_t g = io->u->ep == EP_SELF ? grant_direct(d->driver, (void *)(uintptr_t)addr, len, access)
			: grant_magic(d->driver, io->u->ep, addr, len, access | GRANT_TRY);
		if (g == GRANT_INVALID)
			return -ENOMEM;
		struct cdev_req q = { .minor = d->dev, .grant = g, .flags = io->flags, .len = len, .pos = io->pos };
		struct cdev_rep rep;
		fill_who(&q, c->client);
		int64_t r = exchange(c, d->driver, io->type, &q, &rep);
		grant_revoke(g);
		if (r != -ESOFTFAULT)
			return r > (int64_t)len ? -EIO : r;
		int64_t present = user_prefault(io->u->ep, addr, len, read);
		if (present < 0)
			return present;
		len = (uint64_t)present;
	}
	return -EFAULT;
}

/* Piece after piece; only the first may wait when reading, so that what has come is returned. */
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
	} while (u->left);
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

static void ioctl_note_ctty(struct call *c, const struct device *d, uint32_t request)
{
	struct session *s = c->client->session;
	if (s && request == TIOCSCTTY)
		s->ctty = (uint32_t)makedev(d->major, d->minor);
	else if (s && request == TIOCNOTTY)
		s->ctty = 0;
}

/* The foreground group must be one of the caller's session: terminals do not know which groups exist. */
static int64_t check_foreground(struct call *c, const struct device *d, uint64_t arg)
{
	const struct session *s = c->client->session;
	int32_t pgid;
	if (!s || s->ctty != makedev(d->major, d->minor))
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

static int64_t device_ioctl(struct call *c, struct file *f, uint32_t request, uint64_t arg)
{
	struct device *d = f->object;
	uint64_t len = ioctl_bytes(request, arg);
	int64_t refused = request == TIOCSPGRP ? check_foreground(c, d, arg) : 0;
	if (refused)
		return refused;
	for (int tries = 0; tries < SOFT_TRIES; tries++) {
		if (d->dead)
			return -EIO;
		grant_t g = grant_magic(d->driver, c->ep, arg, len, GRANT_READ | GRANT_WRITE | GRANT_TRY);
		if (g == GRANT_INVALID)
			return -ENOMEM;
		struct cdev_req q = { .minor = d->dev, .grant = g, .flags = access_flags(f->flags), .len = len, .pos = request,
			.arg = arg };
		struct cdev_rep rep;
		fill_who(&q, c->client);
		int64_t r = exchange(c, d->driver, CDEV_IOCTL, &q, &rep);
		grant_revoke(g);
		if (r >= 0)
			ioctl_note_ctty(c, d, request);
		if (r != -ESOFTFAULT)
			return r;
		if (len == 0 || ioctl_prefault(c->ep, arg, len))
			return -EFAULT;
	}
	return -EFAULT;
}

/* ---- poll ------------------------------------------------------------------------------------------------------ */

static unsigned device_poll(struct file *f, unsigned wanted)
{
	struct device *d = f->object;
	struct request *rq = d->dead ? NULL : request_new(d->driver);
	if (!rq)
		return POLLERR | POLLHUP;
	struct message m = { .type = CDEV_SELECT };
	*MSG_BODY(struct cdev_select_req, &m) = (struct cdev_select_req){
		.id = rq->id, .minor = d->dev, .events = wanted, .want_ready = 1 };
	request_send(rq, &m);
	int r = request_wait(rq);
	int64_t events = r ? POLLERR | POLLHUP : ((struct cdev_rep *)(void *)rq->reply.w)->result;
	request_free(rq);
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
	return f->ops == &memory_device_ops && d->minor == MINOR_ZERO;
}

static const struct file_ops device_ops = {
	.stream = true, .read = device_read, .write = device_write, .ioctl = device_ioctl, .poll = device_poll,
	.poll_queue = device_queue, .close = device_close,
};
static const struct file_ops memory_device_ops = {
	.read = device_read, .write = device_write, .ioctl = device_ioctl, .seek = memory_seek, .close = device_close,
};
