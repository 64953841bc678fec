/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes through AF_UNIX sockets. The sender copies into a packet and hangs it on the receiver's queue; the receiver copies out. A stream's
 * packets run together when read, except where descriptors or other credentials begin. Who waits for room waits on the queue of the
 * receiver.
 */
#include <stdlib.h>
#include <string.h>

#include "signals.h"
#include "sock.h"

enum { PACKET_MAX = 32768 };

void sock_msg_drop_files(struct sock_msg *m)
{
	while (m->nfiles > 0)
		file_put(m->files[--m->nfiles]);
}

static nstime_t timeout_deadline(nstime_t timeout)
{
	return timeout ? time_now() + timeout : NO_DEADLINE;
}

/* A wait that was interrupted is made again, unless there is a time limit. */
static int wait_result(int r, nstime_t timeout)
{
	if (r == -ETIMEDOUT)
		return -EAGAIN;
	return r == -EINTR && !timeout ? -ERESTARTSYS : r;
}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

static int64_t send_broken(struct call *c, unsigned flags)
{
	if (!(flags & MSG_NOSIGNAL))
		signal_send(c->ep, SIGPIPE);
	return -EPIPE;
}

static void packet_dress(struct packet *p, struct sock_msg *m, const struct usock *from, const struct client *cl)
{
	for (unsigned i = 0; i < p->nfiles; i++)
		p->files[i] = m->files[i];
	if (p->nfiles) {
		m->nfiles = 0;	/* passed on */
		packet_hold_files(p);
	}
	p->cred = m->has_cred ? m->cred : (struct sock_ucred){ cl->pid, cl->uid, cl->gid };
	p->has_cred = true;
	p->from = from->addr;
	p->from_len = from->addr_len;
}

/* Copy the bytes in; the packet is not yet queued. */
static int64_t packet_fill(struct call *c, struct usock *s, struct sock_msg *m, size_t len, struct packet **out)
{
	struct packet *p = packet_new(len, m->nfiles);
	if (!p)
		return -ENOBUFS;
	p->nfiles = 0;
	int64_t n = uio_copy_in(&m->u, p->data, len);
	if (n < 0 || (size_t)n < len) {
		packet_free(p);
		return -EFAULT;
	}
	p->nfiles = m->nfiles;
	packet_dress(p, m, s, c->client);
	*out = p;
	return n;
}

static int64_t stream_check(struct call *c, struct usock *s, unsigned flags)
{
	if (s->error) {
		int e = s->error;
		s->error = 0;
		return e == EPIPE || e == ECONNRESET ? send_broken(c, flags) : -e;
	}
	if (s->state == SOCK_NEW || s->state == SOCK_LISTENING)
		return -ENOTCONN;
	return s->shut_wr || !s->peer || s->peer->shut_rd ? send_broken(c, flags) : 0;
}

/* One sleep of a sender for room that `q` tells of; 0: look again. */
static int64_t wait_for_room(struct call *c, const struct usock *s, struct waitq *q, bool nonblock)
{
	if (nonblock)
		return -EAGAIN;
	int w = call_wait(c, q, timeout_deadline(s->snd_timeout));
	return w ? wait_result(w, s->snd_timeout) : 0;
}

static int64_t stream_wait_room(struct call *c, struct usock *s, unsigned flags, bool nonblock, size_t len)
{
	for (;;) {
		int64_t r = stream_check(c, s, flags);
		if (r)
			return r;
		if (s->peer->rx_bytes + (s->type == SOCK_STREAM ? 0 : len) < s->sndbuf || s->peer->rx_bytes == 0)
			return 0;
		r = wait_for_room(c, s, &s->q, nonblock);
		if (r)
			return r;
	}
}

static int64_t send_stream(struct call *c, struct usock *s, struct sock_msg *m, unsigned flags, bool nonblock)
{
	int64_t total = 0;
	bool whole = s->type == SOCK_SEQPACKET;
	if (whole && m->u.left > s->sndbuf)
		return -EMSGSIZE;
	do {
		size_t len = whole || m->u.left < PACKET_MAX ? m->u.left : PACKET_MAX;
		int64_t r = stream_wait_room(c, s, total ? flags | MSG_NOSIGNAL : flags, nonblock, len);
		if (r)
			return total ? total : r;
		if (len == 0 && !whole && m->nfiles == 0)
			return 0;
		struct packet *p;
		r = packet_fill(c, s, m, len, &p);
		if (r < 0)
			return total ? total : r;
		if (!s->peer) {	/* closed while the bytes were copied */
			packet_free(p);
			return total ? total : send_broken(c, flags);
		}
		usock_enqueue(s->peer, p);
		total += r;
	} while (m->u.left);
	return total;
}

/* To whom a datagram goes: a reference. */
static int64_t datagram_target(struct call *c, struct usock *s, const struct sock_msg *m, struct usock **to)
{
	if (!m->addr_len) {
		if (!s->peer)
			return -ENOTCONN;
		*to = usock_get(s->peer);
		return 0;
	}
	int r = sockaddr_find(c, &m->addr, m->addr_len, SOCK_DGRAM, to);
	if (r)
		return r;
	if ((*to)->peer && (*to)->peer != s) {
		usock_put(*to);
		return -EPERM;
	}
	return 0;
}

static int64_t datagram_wait_room(struct call *c, struct usock *s, struct usock *to, unsigned flags, bool nonblock)
{
	for (;;) {
		if (s->shut_wr || to->shut_rd)
			return send_broken(c, flags);
		if (to->state == SOCK_CLOSED) {
			if (s->peer == to) {
				s->peer = NULL;
				usock_put(to);
			}
			return -ECONNREFUSED;
		}
		if (to->rx_packets < SOCK_DGRAM_QUEUE)
			return 0;
		int64_t r = wait_for_room(c, s, &to->q, nonblock);
		if (r)
			return r;
	}
}

static int64_t send_datagram(struct call *c, struct usock *s, struct sock_msg *m, unsigned flags, bool nonblock)
{
	struct usock *to;
	struct packet *p;
	if (m->u.left > s->sndbuf - 32)
		return -EMSGSIZE;
	int64_t r = datagram_target(c, s, m, &to);
	if (r)
		return r;
	r = datagram_wait_room(c, s, to, flags, nonblock);
	if (r == 0)
		r = packet_fill(c, s, m, m->u.left, &p);
	if (r >= 0 && to->state == SOCK_CLOSED) {
		packet_free(p);
		r = -ECONNREFUSED;
	} else if (r >= 0) {
		usock_enqueue(to, p);
	}
	usock_put(to);
	return r;
}

int64_t usock_send(struct call *c, struct file *f, struct sock_msg *m, unsigned flags)
{
	struct usock *s = f->object;
	bool nonblock = file_nonblock(f) || flags & MSG_DONTWAIT;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	usock_get(s);
	int64_t r = s->type == SOCK_DGRAM ? send_datagram(c, s, m, flags, nonblock) : -1;
	if (s->type != SOCK_DGRAM && m->addr_len)
		r = s->state == SOCK_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	else if (s->type != SOCK_DGRAM)
		r = send_stream(c, s, m, flags, nonblock);
	usock_put(s);
	return r;
}

/* ---- receiving -------------------------------------------------------------------------------------------------- */

static void packet_undress(struct packet *p, struct sock_msg *m, bool peek)
{
	m->cred = p->cred;
	m->has_cred = p->has_cred;
	m->addr = p->from;
	m->addr_len = p->from_len;
	for (unsigned i = 0; i < p->nfiles; i++)
		m->files[i] = peek ? file_get(p->files[i]) : p->files[i];
	m->nfiles = p->nfiles;
	if (!peek)
		packet_release_files(p);
}

static bool same_cred(const struct sock_ucred *a, const struct sock_ucred *b)
{
	return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/* Nothing to read: the end, an error, or 1 = wait. */
static int64_t recv_nothing(struct usock *s)
{
	if (s->error) {
		int e = s->error;
		s->error = 0;
		return -e;
	}
	if (s->type != SOCK_DGRAM && (s->state == SOCK_NEW || s->state == SOCK_LISTENING))
		return s->type == SOCK_SEQPACKET ? -ENOTCONN : -EINVAL;
	if (s->shut_rd || s->state == SOCK_CLOSED || (s->type != SOCK_DGRAM && s->peer && s->peer->shut_wr))
		return 0;
	return 1;
}

/* 1: there is a packet. 0: the end. */
static int64_t recv_wait(struct call *c, struct usock *s, bool nonblock, nstime_t deadline)
{
	while (list_empty(&s->rx)) {
		int64_t r = recv_nothing(s);
		if (r <= 0)
			return r;
		if (nonblock)
			return -EAGAIN;
		int w = call_wait(c, &s->q, deadline);
		if (w)
			return wait_result(w, s->rcv_timeout);
	}
	return 1;
}

static void recv_made_room(struct usock *s)
{
	if (s->type == SOCK_DGRAM)
		usock_wake(s, POLLOUT);
	else if (s->peer)
		usock_wake(s->peer, POLLOUT | POLLWRNORM);
}

/* One packet, whole: datagrams and SEQPACKET. */
static int64_t recv_packet(struct usock *s, struct sock_msg *m, unsigned flags)
{
	struct packet *p = list_entry(s->rx.next, struct packet, link);
	bool peek = flags & MSG_PEEK;
	size_t want = m->u.left, len = p->len;
	if (!peek) {	/* ours from here on, whoever else reads while we copy */
		list_remove(&p->link);
		s->rx_bytes -= p->len;
		s->rx_packets--;
		recv_made_room(s);
	}
	packet_undress(p, m, peek);
	int64_t n = uio_copy_out(&m->u, p->data, len < want ? len : want);
	if (!peek)
		packet_free(p);
	if (n < 0)
		return n;
	if (len > want)
		m->out_flags |= MSG_TRUNC;
	return flags & MSG_TRUNC ? (int64_t)len : n;
}

static int64_t stream_take(struct usock *s, struct sock_msg *m, struct packet *p, bool peek)
{
	size_t len = p->len - p->used;
	if (len > m->u.left)
		len = m->u.left;
	int64_t n = uio_copy_out(&m->u, p->data + p->used, len);
	if (n < 0 || peek)
		return n;
	s->rx_bytes -= (size_t)n;
	p->used += (size_t)n;
	if (p->used == p->len)
		usock_dequeue(s, p);
	recv_made_room(s);
	return n;
}

/* The packets that can be read together, starting at the first. */
static int64_t recv_run(struct usock *s, struct sock_msg *m, bool peek, bool first, bool *boundary)
{
	int64_t total = 0;
	struct list *l = s->rx.next;
	while (l != &s->rx) {
		struct packet *p = list_entry(l, struct packet, link);
		bool starts = first && total == 0;
		*boundary = !starts && (p->nfiles || !same_cred(&p->cred, &m->cred));
		if (*boundary || (m->u.left == 0 && !starts))
			break;
		if (starts)
			packet_undress(p, m, peek);
		bool had_files = m->nfiles > 0;
		l = l->next;
		int64_t n = stream_take(s, m, p, peek);
		if (n < 0)
			return total ? total : n;
		total += n;
		first = false;
		*boundary = had_files;
		if (had_files)
			break;
		if (!peek)
			l = s->rx.next;
	}
	return total;
}

static int64_t recv_stream(struct call *c, struct usock *s, struct sock_msg *m, unsigned flags, bool nonblock)
{
	int64_t total = 0;
	nstime_t deadline = timeout_deadline(s->rcv_timeout);
	if (m->u.left == 0 && !m->u.count)
		return 0;
	for (;;) {
		bool boundary = false;
		int64_t r = recv_wait(c, s, nonblock, deadline);
		if (r <= 0)
			return total ? total : r;
		fiber_lock_get(&s->rx_lock);
		bool emptied = list_empty(&s->rx);
		r = recv_run(s, m, flags & MSG_PEEK, total == 0, &boundary);
		fiber_lock_put(&s->rx_lock);
		if (emptied)
			continue;
		if (r < 0)
			return total ? total : r;
		total += r;
		if (!(flags & MSG_WAITALL) || flags & MSG_PEEK || m->u.left == 0 || boundary || r == 0)
			return total;
	}
}

int64_t usock_recv(struct call *c, struct file *f, struct sock_msg *m, unsigned flags)
{
	struct usock *s = f->object;
	bool nonblock = file_nonblock(f) || flags & MSG_DONTWAIT;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	usock_get(s);
	int64_t r;
	if (s->type == SOCK_STREAM) {
		r = recv_stream(c, s, m, flags, nonblock);
		m->addr_len = 0;
		if (s->peer && s->peer->addr_len) {
			m->addr = s->peer->addr;
			m->addr_len = s->peer->addr_len;
		}
	} else {
		r = recv_wait(c, s, nonblock, timeout_deadline(s->rcv_timeout));
		r = r == 1 ? recv_packet(s, m, flags) : r;
	}
	usock_put(s);
	return r;
}
