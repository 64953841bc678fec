/* SPDX-License-Identifier: BSD-2-Clause */
/* Message headers of sendmsg and recvmsg, with SCM_RIGHTS and SCM_CREDENTIALS. Everything in them is checked; no state. */
#include "sockmsg.h"

#include <stdlib.h>
#include <string.h>

#include "calls.h"

/* Linux's struct msghdr and cmsghdr of x86-64 (musl's differ in padding). */
struct linux_msghdr {
	vaddr_t name; int32_t namelen, pad0;
	vaddr_t iov; uint64_t iovlen;
	vaddr_t control; uint64_t controllen;
	uint32_t flags, pad1;
};
struct linux_cmsghdr { uint64_t len; int32_t level, type; };
enum { CONTROL_MAX = 20480, HEADER = sizeof(struct linux_cmsghdr), SCM_RIGHTS_T = 1, SCM_CREDENTIALS_T = 2 };

static int header_read(struct call *c, vaddr_t at, struct linux_msghdr *h, struct sock_msg *m)
{
	if (user_read(c->ep, at, h, sizeof *h))
		return -EFAULT;
	if (h->namelen < 0)
		return -EINVAL;
	if (h->iovlen > USER_IOV_MAX)
		return -EMSGSIZE;
	return uio_vector(&m->u, c->ep, h->iov, h->iovlen);
}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

static int take_rights(struct call *c, const uint8_t *data, size_t len, struct sock_msg *m)
{
	size_t n = len / sizeof(int32_t);
	if (m->nfiles + n > SOCK_FDS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		int32_t fd;
		memcpy(&fd, data + i * sizeof fd, sizeof fd);
		struct file *f = fdtable_lookup(c->client->fds, fd);
		if (!f || f->flags & O_PATH)
			return -EBADF;
		m->files[m->nfiles++] = file_get(f);
	}
	return 0;
}

static int take_credentials(struct call *c, const uint8_t *data, size_t len, struct sock_msg *m)
{
	const struct client *cl = c->client;
	struct sock_ucred u;
	if (len != sizeof u)
		return -EINVAL;
	memcpy(&u, data, sizeof u);
	bool own = u.pid == cl->pid && (u.uid == cl->uid || u.uid == cl->fsuid) && (u.gid == cl->gid || u.gid == cl->fsgid);
	if (!own && !client_is_root(cl))
		return -EPERM;
	m->cred = u;
	m->has_cred = true;
	return 0;
}

static int take_control(struct call *c, const uint8_t *buf, size_t len, struct sock_msg *m)
{
	for (size_t at = 0; len - at >= HEADER;) {
		struct linux_cmsghdr h;
		memcpy(&h, buf + at, sizeof h);
		if (h.len < HEADER || h.len > len - at)
			return -EINVAL;
		const uint8_t *data = buf + at + HEADER;
		int r = h.level != SOL_SOCKET ? 0 : h.type == SCM_RIGHTS_T ? take_rights(c, data, h.len - HEADER, m)
			: h.type == SCM_CREDENTIALS_T ? take_credentials(c, data, h.len - HEADER, m) : -EINVAL;
		if (r)
			return r;
		size_t step = (h.len + 7) & ~7ull;
		if (step > len - at)
			break;
		at += step;
	}
	return 0;
}

static int control_read(struct call *c, const struct linux_msghdr *h, struct sock_msg *m)
{
	if (!h->control || h->controllen < HEADER)
		return 0;
	if (h->controllen > CONTROL_MAX)
		return -ENOBUFS;
	uint8_t *buf = malloc(h->controllen);
	if (!buf)
		return -ENOBUFS;
	int r = user_read(c->ep, h->control, buf, h->controllen);
	if (r == 0)
		r = take_control(c, buf, h->controllen, m);
	free(buf);
	return r;
}

int64_t sock_sendmsg(struct call *c, struct file *f, vaddr_t at, unsigned flags)
{
	struct linux_msghdr h;
	struct sock_msg *m = calloc(1, sizeof *m);
	if (!m)
		return -ENOMEM;
	int64_t r = header_read(c, at, &h, m);
	if (r) {
		free(m);
		return r;
	}
	if (h.name && h.namelen) {
		int len = sockaddr_read(c, h.name, (socklen_t)h.namelen, &m->addr);
		m->addr_len = len > 0 ? (socklen_t)len : 0;
		r = len < 0 ? len : 0;
	}
	if (r == 0)
		r = control_read(c, &h, m);
	if (r == 0)
		r = usock_send(c, f, m, flags);
	sock_msg_drop_files(m);
	uio_done(&m->u);
	free(m);
	return r;
}

/* ---- receiving -------------------------------------------------------------------------------------------------- */

struct control { struct call *c; vaddr_t at; uint64_t room, used; bool cut; };

static void put_control(struct control *k, int type, const void *data, size_t len)
{
	struct linux_cmsghdr h = { .len = HEADER + len, .level = SOL_SOCKET, .type = type };
	if (k->room - k->used < HEADER) {
		k->cut = true;
		return;
	}
	if (h.len > k->room - k->used) {
		k->cut = true;
		h.len = k->room - k->used;
		len = h.len - HEADER;
	}
	if (user_write(k->c->ep, k->at + k->used, &h, HEADER) || (len && user_write(k->c->ep, k->at + k->used + HEADER, data, len)))
		return;
	uint64_t step = (h.len + 7) & ~7ull;
	k->used = step < k->room - k->used ? k->used + step : k->room;
}

/* Descriptors that fit; the others are dropped and MSG_CTRUNC tells so. */
static void put_rights(struct control *k, struct sock_msg *m, bool cloexec)
{
	int32_t fds[SOCK_FDS_MAX];
	unsigned n = 0;
	uint64_t room = k->room - k->used > HEADER ? (k->room - k->used - HEADER) / sizeof *fds : 0;
	struct client *cl = k->c->client;
	while (n < m->nfiles && n < room) {
		int fd = fdtable_reserve(cl->fds, 0, cl->limit_files);
		if (fd < 0)
			break;
		fdtable_install(cl->fds, fd, file_get(m->files[n]), cloexec);
		fds[n++] = fd;
	}
	if (n < m->nfiles)
		k->cut = true;
	if (n)
		put_control(k, SCM_RIGHTS_T, fds, n * sizeof *fds);
}

static int header_write(struct call *c, vaddr_t at, const struct linux_msghdr *h, const struct sock_msg *m, const struct control *k)
{
	uint32_t flags = m->out_flags | (k->cut ? MSG_CTRUNC : 0u);
	int32_t namelen = h->name ? (int32_t)m->addr_len : h->namelen;
	if (h->name && m->addr_len) {
		socklen_t n = (socklen_t)h->namelen < m->addr_len ? (socklen_t)h->namelen : m->addr_len;
		if (user_write(c->ep, h->name, &m->addr, n))
			return -EFAULT;
	}
	if (user_write(c->ep, at + offsetof(struct linux_msghdr, namelen), &namelen, sizeof namelen)
	    || user_write(c->ep, at + offsetof(struct linux_msghdr, controllen), &k->used, sizeof k->used)
	    || user_write(c->ep, at + offsetof(struct linux_msghdr, flags), &flags, sizeof flags))
		return -EFAULT;
	return 0;
}

int64_t sock_recvmsg(struct call *c, struct file *f, vaddr_t at, unsigned flags)
{
	struct linux_msghdr h;
	struct usock *s = f->object;
	struct sock_msg *m = calloc(1, sizeof *m);
	if (!m)
		return -ENOMEM;
	int64_t r = header_read(c, at, &h, m);
	if (r) {
		free(m);
		return r;
	}
	r = usock_recv(c, f, m, flags);
	if (r >= 0) {
		struct control k = { .c = c, .at = h.control, .room = h.control ? h.controllen : 0 };
		if (s->passcred && m->has_cred)
			put_control(&k, SCM_CREDENTIALS_T, &m->cred, sizeof m->cred);
		put_rights(&k, m, flags & MSG_CMSG_CLOEXEC);
		m->out_flags |= flags & MSG_CMSG_CLOEXEC;
		int e = header_write(c, at, &h, m, &k);
		r = e ? e : r;
	}
	sock_msg_drop_files(m);
	uio_done(&m->u);
	free(m);
	return r;
}
