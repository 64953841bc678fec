/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket calls. Families other than AF_UNIX: EAFNOSUPPORT. */
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "open.h"
#include "sock.h"
#include "sockmsg.h"

enum { TYPE_MASK = 0xf };

/* The socket behind a descriptor, or an error. */
static struct file *sock_file(struct call *c, uint64_t fd, int64_t *error)
{
	struct file *f = call_file(c, fd);
	*error = !f || f->flags & O_PATH ? -EBADF : file_usock(f) ? 0 : -ENOTSOCK;
	return *error ? NULL : f;
}

/* ---- making ----------------------------------------------------------------------------------------------------- */

static int socket_check(int family, int type, int protocol)
{
	if (type & ~(TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	if (family < 0 || family > 45)
		return -EAFNOSUPPORT;
	if (family != AF_UNIX)
		return -EAFNOSUPPORT;
	if (protocol != 0 && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	type &= TYPE_MASK;
	return type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_SEQPACKET || type == SOCK_RAW ? 0 : -ESOCKTNOSUPPORT;
}

static struct file *socket_new(struct call *c, int type)
{
	int kind = type & TYPE_MASK;
	struct usock *s = usock_new(kind == SOCK_RAW ? SOCK_DGRAM : kind);
	if (!s)
		return NULL;
	usock_set_cred(s, c->client);
	struct file *f = usock_file(s, type & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	if (!f)
		usock_put(s);
	return f;
}

int64_t rq_socket(struct call *c)
{
	int type = (int)c->a[1];
	int r = socket_check((int)c->a[0], type, (int)c->a[2]);
	if (r)
		return r;
	struct file *f = socket_new(c, type);
	return f ? fd_install_new(c, f, type & SOCK_CLOEXEC) : -ENOBUFS;
}

static int socketpair_files(struct call *c, int type, struct file *f[2])
{
	f[0] = socket_new(c, type);
	f[1] = f[0] ? socket_new(c, type) : NULL;
	if (!f[1]) {
		if (f[0])
			file_put(f[0]);
		return -ENFILE;
	}
	struct usock *a = f[0]->object, *b = f[1]->object;
	usock_pair(a, b);
	if (a->type == SOCK_DGRAM) {
		usock_get(a);
		usock_get(b);
	}
	return 0;
}

int64_t rq_socketpair(struct call *c)
{
	int type = (int)c->a[1], fds[2];
	struct file *f[2];
	struct fdtable *t = c->client->fds;
	int r = socket_check((int)c->a[0], type, (int)c->a[2]);
	if (r == 0)
		r = socketpair_files(c, type, f);
	if (r)
		return r;
	fds[0] = fdtable_reserve(t, 0, c->client->limit_files);
	fds[1] = fds[0] >= 0 ? fdtable_reserve(t, 0, c->client->limit_files) : -1;
	r = fds[0] < 0 ? fds[0] : fds[1] < 0 ? fds[1] : user_write(c->ep, c->a[3], fds, sizeof fds);
	for (int i = 0; i < 2; i++) {
		if (r == 0)
			fdtable_install(t, fds[i], f[i], type & SOCK_CLOEXEC);
		else if (fds[0] >= 0 && fds[i] >= 0)
			fdtable_release(t, fds[i]);
		if (r)
			file_put(f[i]);
	}
	return r;
}

/* ---- names and connections -------------------------------------------------------------------------------------- */

typedef int address_fn(struct call *c, struct file *f, const struct sockaddr_un *a, socklen_t len);

/* `act` for the socket and the address that the call names. */
static int64_t with_address(struct call *c, address_fn *act)
{
	struct sockaddr_un a;
	int64_t error;
	struct file *f = sock_file(c, c->a[0], &error);
	if (!f)
		return error;
	int len = sockaddr_read(c, c->a[1], (socklen_t)c->a[2], &a);
	if (len < 0)
		return len;
	file_get(f);
	int r = act(c, f, &a, (socklen_t)len);
	file_put(f);
	return r;
}

static int bind_to(struct call *c, struct file *f, const struct sockaddr_un *a, socklen_t len)
{
	return sockaddr_bind(c, f->object, a, len);
}

int64_t rq_bind(struct call *c)
{
	return with_address(c, bind_to);
}

int64_t rq_listen(struct call *c)
{
	enum { SOMAXCONN_LINUX = 4096 };
	int64_t error;
	struct file *f = sock_file(c, c->a[0], &error);
	if (!f)
		return error;
	struct usock *s = f->object;
	unsigned backlog = (unsigned)c->a[1];
	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (!s->addr_len || (s->state != SOCK_NEW && s->state != SOCK_LISTENING))
		return -EINVAL;
	s->backlog_max = backlog < SOMAXCONN_LINUX ? backlog : SOMAXCONN_LINUX;
	s->state = SOCK_LISTENING;
	usock_set_cred(s, c->client);
	usock_wake(s, POLLOUT);
	return 0;
}

/* Make the far end of a connection and put it into the listener's queue. */
static int connect_listener(struct call *c, struct usock *s, struct usock *l)
{
	struct usock *far = usock_new(s->type);
	if (!far)
		return -ENOBUFS;
	far->cred = l->cred;
	far->addr = l->addr;
	far->addr_len = l->addr_len;
	far->passcred = l->passcred;
	usock_set_cred(s, c->client);
	usock_pair(s, far);
	list_append(&l->backlog, &far->backlog_link);
	l->backlog_used++;
	usock_wake(l, POLLIN | POLLRDNORM);
	usock_wake(s, POLLOUT);
	return 0;
}

static int connect_stream(struct call *c, struct file *f, struct usock *s, struct usock *to)
{
	for (;;) {
		if (s->state != SOCK_NEW)
			return s->state == SOCK_LISTENING ? -EINVAL : -EISCONN;
		if (to->state != SOCK_LISTENING || to->shut_rd)
			return -ECONNREFUSED;
		if (to->backlog_used <= to->backlog_max)
			return connect_listener(c, s, to);
		if (file_nonblock(f))
			return -EAGAIN;
		int w = call_wait(c, &to->q, s->snd_timeout ? time_now() + s->snd_timeout : NO_DEADLINE);
		if (w)
			return w == -ETIMEDOUT ? -EAGAIN : s->snd_timeout ? -EINTR : -ERESTARTSYS;
	}
}

static int connect_datagram(struct usock *s, struct usock *to)
{
	struct usock *old = s->peer;
	if (to && to->peer && to->peer != s)
		return -EPERM;
	s->peer = to ? usock_get(to) : NULL;
	s->state = to ? SOCK_CONNECTED : SOCK_NEW;
	if (old)
		usock_put(old);
	return 0;
}

static int connect_to(struct call *c, struct file *f, const struct sockaddr_un *a, socklen_t len)
{
	struct usock *s = f->object, *to;
	if (a->sun_family == AF_UNSPEC && s->type == SOCK_DGRAM)
		return connect_datagram(s, NULL);
	int r = sockaddr_find(c, a, len, s->type, &to);
	if (r)
		return r;
	r = s->type == SOCK_DGRAM ? connect_datagram(s, to) : connect_stream(c, f, s, to);
	usock_put(to);
	return r;
}

int64_t rq_connect(struct call *c)
{
	return with_address(c, connect_to);
}

/* The next connection in the queue: its reference passes to the caller. */
static int64_t accept_wait(struct call *c, struct file *f, struct usock **out)
{
	struct usock *s = f->object;
	for (;;) {
		if (s->state != SOCK_LISTENING || s->shut_rd)
			return -EINVAL;
		if (!list_empty(&s->backlog))
			break;
		if (file_nonblock(f))
			return -EAGAIN;
		int w = call_wait(c, &s->q, s->rcv_timeout ? time_now() + s->rcv_timeout : NO_DEADLINE);
		if (w)
			return w == -ETIMEDOUT ? -EAGAIN : s->rcv_timeout ? -EINTR : -ERESTARTSYS;
	}
	*out = list_entry(s->backlog.next, struct usock, backlog_link);
	list_remove(&(*out)->backlog_link);
	s->backlog_used--;
	usock_wake(s, POLLOUT);
	return 0;
}

static int64_t accept_finish(struct call *c, struct usock *s, unsigned flags)
{
	struct file *f = usock_file(s, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	if (!f) {
		usock_put(s);
		return -ENFILE;
	}
	static const struct sockaddr_un unnamed = { .sun_family = AF_UNIX };
	const struct usock *peer = s->peer;
	if (c->a[1]) {
		int r = sockaddr_write(c, c->a[1], c->a[2], peer ? &peer->addr : &unnamed, peer ? peer->addr_len : 0);
		if (r) {
			file_put(f);
			return r;
		}
	}
	return fd_install_new(c, f, flags & SOCK_CLOEXEC);
}

static int64_t accept_call(struct call *c, unsigned flags)
{
	int64_t error;
	struct usock *s;
	if (flags & ~(unsigned)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	struct file *f = sock_file(c, c->a[0], &error);
	if (!f)
		return error;
	if (((struct usock *)f->object)->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	file_get(f);
	error = accept_wait(c, f, &s);
	file_put(f);
	return error ? error : accept_finish(c, s, flags);
}

int64_t rq_accept(struct call *c) { return accept_call(c, 0); }
int64_t rq_accept4(struct call *c) { return accept_call(c, (unsigned)c->a[3]); }

int64_t rq_getsockname(struct call *c)
{
	int64_t error;
	struct file *f = sock_file(c, c->a[0], &error);
	if (!f)
		return error;
	const struct usock *s = f->object;
	return sockaddr_write(c, c->a[1], c->a[2], &s->addr, s->addr_len);
}

int64_t rq_getpeername(struct call *c)
{
	int64_t error;
	struct file *f = sock_file(c, c->a[0], &error);
	if (!f)
		return error;
	const struct usock *s = f->object;
	if (!s->peer)
		return -ENOTCONN;
	struct sockaddr_un a = s->peer->addr;
	return sockaddr_write(c, c->a[1], c->a[2], &a, s->peer->addr_len);
}

int64_t rq_shutdown(struct call *c)
{
	int64_t error;
	unsigned how = (unsigned)c->a[1];
	struct file *f = sock_file(c, c->a[0], &error);
	if (!f)
		return error;
	struct usock *s = f->object;
	if (how > SHUT_RDWR)
		return -EINVAL;
	s->shut_rd |= how != SHUT_WR;
	s->shut_wr |= how != SHUT_RD;
	usock_wake(s, POLLIN | POLLOUT | POLLHUP);
	if (s->peer && s->type != SOCK_DGRAM) {
		s->peer->shut_rd |= s->shut_wr;
		s->peer->shut_wr |= s->shut_rd;
		usock_wake(s->peer, POLLIN | POLLOUT | POLLHUP);
	}
	return 0;
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

static struct sock_msg *msg_new(void) { return calloc(1, sizeof(struct sock_msg)); }

int64_t rq_sendto(struct call *c)
{
	int64_t r;
	struct file *f = sock_file(c, c->a[0], &r);
	if (!f)
		return r;
	if (!user_range_ok(c->a[1], c->a[2]))
		return -EFAULT;
	struct sock_msg *m = msg_new();
	if (!m)
		return -ENOMEM;
	uio_single(&m->u, c->ep, c->a[1], c->a[2] < USER_RW_MAX ? c->a[2] : USER_RW_MAX);
	int len = c->a[4] ? sockaddr_read(c, c->a[4], (socklen_t)c->a[5], &m->addr) : 0;
	r = len;
	if (len >= 0) {
		m->addr_len = (socklen_t)len;
		file_get(f);
		r = usock_send(c, f, m, (unsigned)c->a[3]);
		file_put(f);
	}
	free(m);
	return r;
}

int64_t rq_recvfrom(struct call *c)
{
	int64_t r;
	struct file *f = sock_file(c, c->a[0], &r);
	if (!f)
		return r;
	if (!user_range_ok(c->a[1], c->a[2]))
		return -EFAULT;
	struct sock_msg *m = msg_new();
	if (!m)
		return -ENOMEM;
	uio_single(&m->u, c->ep, c->a[1], c->a[2] < USER_RW_MAX ? c->a[2] : USER_RW_MAX);
	file_get(f);
	r = usock_recv(c, f, m, (unsigned)c->a[3]);
	file_put(f);
	if (r >= 0 && c->a[4] && m->addr_len) {
		int e = sockaddr_write(c, c->a[4], c->a[5], &m->addr, m->addr_len);
		r = e ? e : r;
	} else if (r >= 0 && c->a[4]) {
		socklen_t zero = 0;
		r = user_write(c->ep, c->a[5], &zero, sizeof zero) ? -EFAULT : r;
	}
	sock_msg_drop_files(m);
	free(m);
	return r;
}

typedef int64_t msg_fn(struct call *c, struct file *f, vaddr_t hdr, unsigned flags);

static int64_t msg_call(struct call *c, msg_fn *fn, unsigned flags)
{
	int64_t r;
	struct file *f = sock_file(c, c->a[0], &r);
	if (!f)
		return r;
	file_get(f);
	r = fn(c, f, c->a[1], flags);
	file_put(f);
	return r;
}

int64_t rq_sendmsg(struct call *c) { return msg_call(c, sock_sendmsg, (unsigned)c->a[2]); }
int64_t rq_recvmsg(struct call *c) { return msg_call(c, sock_recvmsg, (unsigned)c->a[2]); }

/* Several messages; the length of each goes behind its header. */
static int64_t mmsg_loop(struct call *c, struct file *f, msg_fn *fn, unsigned flags, nstime_t deadline)
{
	enum { MMSG_BYTES = 64, MMSG_LEN_AT = 56, MMSG_MAX = 1024 };
	unsigned n = (unsigned)c->a[2] < MMSG_MAX ? (unsigned)c->a[2] : MMSG_MAX, done = 0;
	int64_t r = 0;
	while (done < n) {
		vaddr_t at = c->a[1] + (uint64_t)done * MMSG_BYTES;
		r = fn(c, f, at, done && flags & MSG_WAITFORONE ? flags | MSG_DONTWAIT : flags);
		if (r < 0)
			break;
		uint32_t len = (uint32_t)r;
		if (user_write(c->ep, at + MMSG_LEN_AT, &len, sizeof len)) {
			r = -EFAULT;
			break;
		}
		done++;
		if (deadline && time_now() >= deadline)
			break;
	}
	return done ? (int64_t)done : r;
}

static int64_t mmsg_call(struct call *c, msg_fn *fn, nstime_t deadline)
{
	int64_t r;
	struct file *f = sock_file(c, c->a[0], &r);
	if (!f)
		return r;
	file_get(f);
	r = mmsg_loop(c, f, fn, (unsigned)c->a[3], deadline);
	file_put(f);
	return r;
}

int64_t rq_sendmmsg(struct call *c) { return mmsg_call(c, sock_sendmsg, NO_DEADLINE); }

int64_t rq_recvmmsg(struct call *c)
{
	int64_t t[2];
	if (c->a[4] == 0)
		return mmsg_call(c, sock_recvmsg, NO_DEADLINE);
	if (user_read(c->ep, c->a[4], t, sizeof t))
		return -EFAULT;
	if (t[0] < 0 || t[1] < 0 || t[1] >= 1000000000)
		return -EINVAL;
	uint64_t s = t[0] < 1000000 ? (uint64_t)t[0] : 1000000;
	return mmsg_call(c, sock_recvmsg, time_now() + s * 1000000000ull + (nstime_t)t[1]);
}
