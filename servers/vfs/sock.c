/* SPDX-License-Identifier: BSD-2-Clause */
/* AF_UNIX sockets as objects: life, queues, polling. They die with this process, and their users see the connection closed. */
#include "sock.h"

#include <stdlib.h>
#include <string.h>

#include "vnode.h"

static struct socks { unsigned count; } socks;
static const struct file_ops usock_ops;

unsigned sockets_count(void) { return socks.count; }

struct usock *file_usock(const struct file *f) { return f->ops == &usock_ops ? f->object : NULL; }
void usock_wake(struct usock *s, unsigned events) { waitq_wake(&s->q, events); }

struct usock *usock_new(int type)
{
	struct usock *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->refs = 1;
	s->type = type;
	s->sndbuf = s->rcvbuf = SOCK_BUFFER;
	list_init(&s->rx);
	list_init(&s->backlog);
	list_init(&s->backlog_link);
	list_init(&s->abstract_link);
	waitq_init(&s->q);
	fiber_lock_init(&s->rx_lock);
	list_init(&s->mark_link);
	sock_gc_add(s);
	socks.count++;
	return s;
}

void usock_put(struct usock *s)
{
	if (--s->refs > 0)
		return;
	sock_gc_remove(s);
	socks.count--;
	free(s);
}

void usock_set_cred(struct usock *s, const struct client *cl)
{
	s->cred = (struct sock_ucred){ .pid = cl->pid, .uid = cl->fsuid, .gid = cl->fsgid };
}

void usock_pair(struct usock *a, struct usock *b)
{
	a->peer = b;
	b->peer = a;
	a->state = b->state = SOCK_CONNECTED;
	a->peer_cred = b->cred;
	b->peer_cred = a->cred;
}

/* ---- packets ---------------------------------------------------------------------------------------------------- */

struct packet *packet_new(size_t len, unsigned nfiles)
{
	struct packet *p = malloc(sizeof *p + nfiles * sizeof(struct file *) + len);
	if (!p)
		return NULL;
	memset(p, 0, sizeof *p);
	list_init(&p->link);
	p->len = len;
	p->nfiles = nfiles;
	p->files = (struct file **)(void *)(p + 1);
	p->data = (uint8_t *)(p->files + nfiles);
	return p;
}

void packet_free(struct packet *p)
{
	if (p->nfiles)
		packet_bury(p);
	else
		free(p);
}

void usock_enqueue(struct usock *to, struct packet *p)
{
	list_append(&to->rx, &p->link);
	to->rx_bytes += p->len - p->used;
	to->rx_packets++;
	usock_wake(to, POLLIN | POLLRDNORM);
}

void usock_dequeue(struct usock *s, struct packet *p)
{
	list_remove(&p->link);
	s->rx_bytes -= p->len - p->used;
	s->rx_packets--;
	packet_free(p);
}

/* ---- closing ---------------------------------------------------------------------------------------------------- */

static void usock_disconnect(struct usock *s)
{
	struct usock *peer = s->peer;
	s->peer = NULL;
	if (!peer)
		return;
	if (s->type == SOCK_DGRAM) {
		usock_wake(peer, POLLOUT);
		usock_put(peer);
		return;
	}
	peer->peer = NULL;
	peer->state = SOCK_CLOSED;
	if (!list_empty(&s->rx))
		peer->error = ECONNRESET;	/* it sent what was never read */
	usock_wake(peer, POLLIN | POLLOUT | POLLHUP | POLLERR);
}

/* Nobody will use it any more: empty its queues. */
static void usock_shut_down(struct usock *s)
{
	sockaddr_unbind(s);
	usock_disconnect(s);
	s->state = SOCK_CLOSED;
	while (!list_empty(&s->rx))
		usock_dequeue(s, list_entry(s->rx.next, struct packet, link));
	while (!list_empty(&s->backlog)) {
		struct usock *waiting = list_entry(s->backlog.next, struct usock, backlog_link);
		list_remove(&waiting->backlog_link);
		if (waiting->peer)
			waiting->peer->error = ECONNRESET;
		usock_shut_down(waiting);
		usock_put(waiting);
	}
	usock_wake(s, POLLIN | POLLOUT | POLLHUP | POLLERR);
}

static void usock_close(struct file *f)
{
	struct usock *s = f->object;
	s->file = NULL;
	usock_shut_down(s);
	usock_put(s);
}

/* ---- as a file -------------------------------------------------------------------------------------------------- */

/* A message without address and files around the bytes of a read or write; NULL: no memory. */
static struct sock_msg *sock_msg_of(const struct uio *u)
{
	struct sock_msg *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	m->u = *u;
	if (u->iov == &u->one)
		m->u.iov = &m->u.one;
	return m;
}

static int64_t usock_read(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	struct sock_msg *m = sock_msg_of(u);
	(void)pos;
	if (!m)
		return -ENOMEM;
	int64_t n = usock_recv(c, f, m, flags & FILE_IO_NOWAIT ? MSG_DONTWAIT : 0);
	sock_msg_drop_files(m);
	free(m);
	return n;
}

static int64_t usock_write(struct call *c, struct file *f, struct uio *u, int64_t *pos, unsigned flags)
{
	struct sock_msg *m = sock_msg_of(u);
	(void)pos;
	if (!m)
		return -ENOMEM;
	int64_t n = usock_send(c, f, m, flags & FILE_IO_NOWAIT ? MSG_DONTWAIT : 0);
	free(m);
	return n;
}

static unsigned poll_stream(const struct usock *s)
{
	unsigned events = 0;
	if (!list_empty(&s->rx) || s->shut_rd)
		events |= POLLIN | POLLRDNORM;
	if (s->shut_rd)
		events |= POLLRDHUP;
	if (s->state == SOCK_CLOSED)
		events |= POLLIN | POLLRDNORM | POLLRDHUP | POLLHUP | POLLOUT | POLLWRNORM;
	if (s->state == SOCK_NEW)
		events |= POLLOUT | POLLWRNORM | POLLHUP;
	if (s->shut_rd && s->shut_wr)
		events |= POLLHUP;
	if (s->state == SOCK_CONNECTED && s->peer && s->peer->rx_bytes * 4 <= s->sndbuf * 3)
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static unsigned poll_datagram(const struct usock *s)
{
	unsigned events = 0;
	if (!list_empty(&s->rx) || s->shut_rd)
		events |= POLLIN | POLLRDNORM;
	if (!s->peer || s->peer->rx_packets < SOCK_DGRAM_QUEUE)
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static unsigned usock_poll(struct file *f, unsigned wanted)
{
	const struct usock *s = f->object;
	unsigned error = s->error ? POLLERR : 0;
	(void)wanted;
	if (s->state == SOCK_LISTENING)
		return list_empty(&s->backlog) ? 0 : POLLIN | POLLRDNORM;
	return error | (s->type == SOCK_DGRAM ? poll_datagram(s) : poll_stream(s));
}

static struct waitq *usock_queue(struct file *f) { return &((struct usock *)f->object)->q; }

static int64_t usock_ioctl(struct call *c, struct file *f, uint32_t request, uint64_t arg)
{
	enum { FIONREAD_NR = 0x541b, TIOCOUTQ_NR = 0x5411 };
	const struct usock *s = f->object;
	int32_t n;
	if (request == FIONREAD_NR) {
		if (s->state == SOCK_LISTENING)
			return -EINVAL;
		const struct packet *first = list_empty(&s->rx) ? NULL : list_entry(s->rx.next, struct packet, link);
		n = s->type == SOCK_DGRAM ? (first ? (int32_t)first->len : 0) : (int32_t)s->rx_bytes;
	} else if (request == TIOCOUTQ_NR) {
		n = s->peer ? (int32_t)s->peer->rx_bytes : 0;
	} else {
		return -ENOTTY;
	}
	return user_write(c->ep, arg, &n, sizeof n);
}

static const struct file_ops usock_ops = {
	.kind = "socket", .stream = true, .read = usock_read, .write = usock_write, .ioctl = usock_ioctl, .poll = usock_poll,
	.poll_queue = usock_queue, .close = usock_close,
};

struct file *usock_file(struct usock *s, unsigned flags)
{
	struct file *f = file_new(&usock_ops, O_RDWR | (flags & O_NONBLOCK));
	if (!f)
		return NULL;
	f->object = s;
	s->file = f;
	f->ino = anon_ino();
	return f;
}
