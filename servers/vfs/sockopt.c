/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket options of SOL_SOCKET. Those that mean nothing between processes of one machine are accepted and kept where they can be read. */
#include <string.h>
#include <sys/time.h>

#include "calls.h"
#include "client.h"
#include "sock.h"

enum { SNDBUF_MIN = 4608, RCVBUF_MIN = 2304 };

static struct usock *sock_of(struct call *c, int64_t *error)
{
	struct file *f = call_file(c, c->a[0]);
	*error = !f || f->flags & O_PATH ? -EBADF : file_usock(f) ? 0 : -ENOTSOCK;
	return *error ? NULL : f->object;
}

/* ---- setting ---------------------------------------------------------------------------------------------------- */

static int timeout_set(struct call *c, uint64_t len, nstime_t *out)
{
	struct timeval tv;
	if (len < sizeof tv)
		return -EINVAL;
	if (user_read(c->ep, c->a[3], &tv, sizeof tv))
		return -EFAULT;
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	*out = tv.tv_sec < 0 ? 0 : tv.tv_sec > 1000000000 ? 0 : (nstime_t)tv.tv_sec * 1000000000u + (nstime_t)tv.tv_usec * 1000u;
	return 0;
}

static size_t buffer_size(int value, size_t min, size_t max)
{
	size_t n = value < 0 ? max : (size_t)value * 2;
	return n < min ? min : n > 2 * max ? 2 * max : n;
}

static int option_set(struct call *c, struct usock *s, int value)
{
	switch ((int)c->a[2]) {
	case SO_PASSCRED:
		s->passcred = value != 0;
		return 0;
	case SO_SNDBUF:
		s->sndbuf = buffer_size(value, SNDBUF_MIN, SOCK_BUFFER);
		return 0;
	case SO_RCVBUF:
		s->rcvbuf = buffer_size(value, RCVBUF_MIN, SOCK_BUFFER);
		return 0;
	case SO_SNDBUFFORCE:
	case SO_RCVBUFFORCE:
		if (!client_is_root(c->client))
			return -EPERM;
		*((int)c->a[2] == SO_SNDBUFFORCE ? &s->sndbuf : &s->rcvbuf) = buffer_size(value, SNDBUF_MIN, 1u << 28);
		return 0;
	case SO_REUSEADDR: case SO_KEEPALIVE: case SO_BROADCAST: case SO_OOBINLINE: case SO_DONTROUTE: case SO_LINGER: case SO_PRIORITY:
	case SO_TIMESTAMP: case SO_DEBUG: case SO_RCVLOWAT: case SO_REUSEPORT: case SO_PASSSEC: case SO_NO_CHECK: case SO_MARK:
		return 0;
	case SO_TYPE: case SO_DOMAIN: case SO_PROTOCOL: case SO_ERROR: case SO_ACCEPTCONN: case SO_PEERCRED:
	default:
		return -ENOPROTOOPT;
	}
}

int64_t rq_setsockopt(struct call *c)
{
	int64_t error;
	struct usock *s = sock_of(c, &error);
	uint64_t len = (uint32_t)c->a[4];
	int value;
	if (!s)
		return error;
	if ((int)len < 0)
		return -EINVAL;
	if ((int)c->a[1] != SOL_SOCKET)
		return -EOPNOTSUPP;
	if ((int)c->a[2] == SO_RCVTIMEO)
		return timeout_set(c, len, &s->rcv_timeout);
	if ((int)c->a[2] == SO_SNDTIMEO)
		return timeout_set(c, len, &s->snd_timeout);
	if (len < sizeof value)
		return -EINVAL;
	if (user_read(c->ep, c->a[3], &value, sizeof value))
		return -EFAULT;
	return option_set(c, s, value);
}

/* ---- getting ---------------------------------------------------------------------------------------------------- */

union option { int value; struct timeval tv; struct sock_ucred cred; int linger[2]; };

static struct timeval timeout_get(nstime_t t)
{
	return (struct timeval){ .tv_sec = (int64_t)(t / 1000000000u), .tv_usec = (long)(t % 1000000000u / 1000u) };
}

/* Fills *o; returns its size or an error. */
static int option_get(struct usock *s, int name, union option *o)
{
	o->value = 0;
	switch (name) {
	case SO_TYPE:       o->value = s->type; return sizeof(int);
	case SO_DOMAIN:     o->value = AF_UNIX; return sizeof(int);
	case SO_ACCEPTCONN: o->value = s->state == SOCK_LISTENING; return sizeof(int);
	case SO_SNDBUF:     o->value = (int)s->sndbuf; return sizeof(int);
	case SO_RCVBUF:     o->value = (int)s->rcvbuf; return sizeof(int);
	case SO_PASSCRED:   o->value = s->passcred; return sizeof(int);
	case SO_RCVLOWAT:   o->value = 1; return sizeof(int);
	case SO_ERROR:
		o->value = s->error;
		s->error = 0;
		return sizeof(int);
	case SO_PROTOCOL: case SO_REUSEADDR: case SO_KEEPALIVE: case SO_BROADCAST: case SO_OOBINLINE: case SO_DONTROUTE: case SO_PRIORITY:
	case SO_TIMESTAMP: case SO_DEBUG: case SO_REUSEPORT: case SO_NO_CHECK: case SO_MARK: case SO_PASSSEC:
		return sizeof(int);
	case SO_LINGER:
		o->linger[0] = o->linger[1] = 0;
		return sizeof o->linger;
	case SO_RCVTIMEO:
		o->tv = timeout_get(s->rcv_timeout);
		return sizeof o->tv;
	case SO_SNDTIMEO:
		o->tv = timeout_get(s->snd_timeout);
		return sizeof o->tv;
	case SO_PEERCRED:
		o->cred = s->peer_cred;
		if (s->state == SOCK_NEW)
			o->cred = (struct sock_ucred){ 0, UINT32_MAX, UINT32_MAX };
		return sizeof o->cred;
	default:
		return -ENOPROTOOPT;
	}
}

int64_t rq_getsockopt(struct call *c)
{
	int64_t error;
	struct usock *s = sock_of(c, &error);
	int32_t room;
	union option o;
	if (!s)
		return error;
	if ((int)c->a[1] != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (user_read(c->ep, c->a[4], &room, sizeof room))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	int n = option_get(s, (int)c->a[2], &o);
	if (n < 0)
		return n;
	if (n > room)
		n = room;
	if (user_write(c->ep, c->a[3], &o, (size_t)n) || user_write(c->ep, c->a[4], &n, sizeof n))
		return -EFAULT;
	return 0;
}
