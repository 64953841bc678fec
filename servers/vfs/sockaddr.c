/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of sockets: paths (a node in a file system, found by its vnode) and abstract names (a list here). */
#include <stddef.h>
#include <string.h>

#include "fsreq.h"
#include "open.h"
#include "path.h"
#include "perm.h"
#include "sock.h"

enum { PATH_AT = offsetof(struct sockaddr_un, sun_path) };

static struct sock_names { struct list abstract; bool ready; } names;

static struct list *abstract_list(void)
{
	if (!names.ready)
		list_init(&names.abstract);
	names.ready = true;
	return &names.abstract;
}

int sockaddr_read(struct call *c, vaddr_t from, socklen_t len, struct sockaddr_un *a)
{
	memset(a, 0, sizeof *a);
	if ((int)len < 0 || len > sizeof(struct sockaddr_storage))
		return -EINVAL;
	if (len > sizeof *a || len < sizeof a->sun_family)
		return -EINVAL;
	if (user_read(c->ep, from, a, len))
		return -EFAULT;
	return (int)len;
}

int sockaddr_write(struct call *c, vaddr_t to, vaddr_t lenp, const struct sockaddr_un *a, socklen_t len)
{
	int32_t room;
	if (user_read(c->ep, lenp, &room, sizeof room))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	struct sockaddr_un none = { .sun_family = AF_UNIX };
	if (len == 0) {
		a = &none;
		len = sizeof none.sun_family;
	}
	socklen_t n = (socklen_t)room < len ? (socklen_t)room : len;
	if (n && user_write(c->ep, to, a, n))
		return -EFAULT;
	return user_write(c->ep, lenp, &len, sizeof len);
}

/* ---- abstract --------------------------------------------------------------------------------------------------- */

static struct usock *abstract_find(const struct sockaddr_un *a, socklen_t len)
{
	struct list *head = abstract_list();
	for (struct list *l = head->next; l != head; l = l->next) {
		struct usock *s = list_entry(l, struct usock, abstract_link);
		if (s->addr_len == len && memcmp(&s->addr, a, len) == 0)
			return s;
	}
	return NULL;
}

static int bind_abstract(struct usock *s, const struct sockaddr_un *a, socklen_t len)
{
	if (abstract_find(a, len))
		return -EADDRINUSE;
	s->addr = *a;
	s->addr_len = len;
	list_append(abstract_list(), &s->abstract_link);
	return 0;
}

/* bind with no name: the system chooses five hexadecimal digits. */
static int bind_auto(struct usock *s)
{
	static uint32_t next;
	for (uint32_t tries = 0; tries < 0x100000; tries++) {
		struct sockaddr_un a = { .sun_family = AF_UNIX };
		uint32_t n = next++ & 0xfffff;
		for (int i = 0; i < 5; i++)
			a.sun_path[1 + i] = "0123456789abcdef"[n >> (16 - 4 * i) & 15];
		if (bind_abstract(s, &a, PATH_AT + 6) == 0)
			return 0;
	}
	return -ENOSPC;
}

/* ---- paths ------------------------------------------------------------------------------------------------------ */

static int bind_walked(struct call *c, struct usock *s, const struct walk *w)
{
	struct fs_made made;
	struct vnode *v;
	if (w->magic || w->vnode || w->last != LAST_NORMAL)
		return -EADDRINUSE;
	if (w->trailing_slash)
		return -ENOENT;
	made_fill(c->client, w->dir, S_IFSOCK | 0777, &made);
	int r = node_make(c->client, w->dir, w->name, w->len, &made, &v);
	if (r)
		return r == -EEXIST ? -EADDRINUSE : r;
	s->vnode = v;
	v->sock = s;
	return 0;
}

static int bind_path(struct call *c, struct usock *s, const struct sockaddr_un *a, socklen_t len)
{
	char text[sizeof a->sun_path + 1];
	struct walk w;
	size_t n = strnlen(a->sun_path, len - PATH_AT);
	memcpy(text, a->sun_path, n);
	text[n] = 0;
	int r = path_walk(&(struct path){ c, c->client, AT_FDCWD, text, PATH_NOFOLLOW }, true, &w);
	if (r)
		return r;
	r = bind_walked(c, s, &w);
	walk_done(&w);
	if (r)
		return r;
	s->addr = *a;
	s->addr.sun_path[n < sizeof a->sun_path ? n : n - 1] = 0;
	s->addr_len = (socklen_t)(PATH_AT + n + 1);
	if (s->addr_len > sizeof s->addr)
		s->addr_len = sizeof s->addr;
	return 0;
}

int sockaddr_bind(struct call *c, struct usock *s, const struct sockaddr_un *a, socklen_t len)
{
	if (a->sun_family != AF_UNIX)
		return -EINVAL;
	if (s->addr_len)
		return -EINVAL;
	if (len == sizeof a->sun_family)
		return bind_auto(s);
	return a->sun_path[0] ? bind_path(c, s, a, len) : bind_abstract(s, a, len);
}

void sockaddr_unbind(struct usock *s)
{
	list_remove(&s->abstract_link);
	if (s->vnode) {
		struct vnode *v = s->vnode;
		s->vnode = NULL;
		v->sock = NULL;
		vnode_put(v);
	}
}

/* ---- finding ---------------------------------------------------------------------------------------------------- */

static int find_path(struct call *c, const struct sockaddr_un *a, socklen_t len, struct usock **out)
{
	char text[sizeof a->sun_path + 1];
	struct vnode *v;
	size_t n = strnlen(a->sun_path, len - PATH_AT);
	memcpy(text, a->sun_path, n);
	text[n] = 0;
	int r = path_lookup(&(struct path){ c, c->client, AT_FDCWD, text, 0 }, &v);
	if (r)
		return r;
	r = perm_check(c->client, v, MAY_WRITE);
	if (r == 0 && (!S_ISSOCK(v->attr.mode) || !v->sock))
		r = -ECONNREFUSED;
	if (r == 0)
		*out = usock_get(v->sock);
	vnode_put(v);
	return r;
}

int sockaddr_find(struct call *c, const struct sockaddr_un *a, socklen_t len, int type, struct usock **out)
{
	if (a->sun_family != AF_UNIX)
		return -EINVAL;
	if (len <= PATH_AT)
		return -EINVAL;
	if (a->sun_path[0]) {
		int r = find_path(c, a, len, out);
		if (r)
			return r;
	} else {
		struct usock *s = abstract_find(a, len);
		if (!s)
			return -ECONNREFUSED;
		*out = usock_get(s);
	}
	if ((*out)->type == type)
		return 0;
	usock_put(*out);
	return -EPROTOTYPE;
}
