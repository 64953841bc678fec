/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of clients, indexed by kernel slot; the full endpoint is always compared. A call in progress holds a reference, so a
 * client whose process has ended lives on until its last call has unwound, while the slot may already have a new owner.
 *
 * If this process dies, who had which files open is lost with it.
 */
#include "client.h"

#include <proto/vfs.h>
#include <stdlib.h>
#include <string.h>

#include "cdev.h"
#include "exec.h"
#include "file.h"
#include "locks.h"
#include "mount.h"
#include "vnode.h"

static const uint64_t DEFAULT_NOFILE = 1024, DEFAULT_STACK = 8 << 20;

static struct clients {
	struct client *by_slot[NR_PROCS];
	struct list sessions;
	bool ready;
	unsigned count;
} clients;

struct client *client_at(unsigned slot) { return slot < NR_PROCS ? clients.by_slot[slot] : NULL; }
unsigned client_count(void) { return clients.count; }

struct client *client_find(endpoint_t ep)
{
	if (ep <= 0)
		return NULL;
	struct client *c = client_at((unsigned)endpoint_slot(ep));
	return c && c->ep == ep ? c : NULL;
}

bool client_in_group(const struct client *c, uint32_t gid)
{
	if (gid == c->fsgid)
		return true;
	for (uint32_t i = 0; c->groups && i < c->groups->count; i++)
		if (c->groups->ids[i] == gid)
			return true;
	return false;
}

/* ---- shared parts ---------------------------------------------------------------------------------------------- */

static void session_put(struct session *s)
{
	if (!s || --s->refs > 0)
		return;
	list_remove(&s->link);
	free(s);
}

static struct session *session_of(int32_t sid)
{
	if (!clients.ready) {
		list_init(&clients.sessions);
		clients.ready = true;
	}
	for (struct list *l = clients.sessions.next; l != &clients.sessions; l = l->next) {
		struct session *s = list_entry(l, struct session, link);
		if (s->sid == sid) {
			s->refs++;
			return s;
		}
	}
	struct session *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->refs = 1;
	s->sid = sid;
	list_append(&clients.sessions, &s->link);
	return s;
}

void sessions_each(void (*fn)(const struct session *s, void *arg), void *arg)
{
	for (struct list *l = clients.sessions.next; clients.ready && l != &clients.sessions; l = l->next)
		fn(list_entry(l, struct session, link), arg);
}

static void groups_put(struct groups *g)
{
	if (g && --g->refs == 0)
		free(g);
}

static void fsctx_put(struct fsctx *fs)
{
	if (!fs || --fs->refs > 0)
		return;
	vnode_put(fs->cwd);
	vnode_put(fs->root);
	free(fs);
}

static struct fsctx *fsctx_copy(const struct fsctx *from)
{
	struct fsctx *fs = calloc(1, sizeof *fs);
	if (!fs)
		return NULL;
	fs->refs = 1;
	fs->umask = from ? from->umask : 022;
	struct vnode *root = mount_root() ? mount_root()->root : NULL;
	fs->cwd = from ? from->cwd : root;
	fs->root = from ? from->root : root;
	if (fs->cwd)
		vnode_get(fs->cwd);
	if (fs->root)
		vnode_get(fs->root);
	return fs;
}

void fds_put(struct fdtable *t)
{
	if (!t || --t->refs > 0)
		return;
	for (int fd = 0; fd < t->size; fd++) {
		struct file *f = fdtable_remove(t, fd);
		if (!f)
			continue;
		if (f->vnode)
			locks_drop_owner(f->vnode, t);
		file_put(f);
	}
	fdtable_free(t);
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

void client_set_exe(struct client *c, struct vnode *v)
{
	struct vnode *old = c->exe;
	c->exe = v ? vnode_get(v) : NULL;
	if (v)
		v->running++;
	if (old) {
		old->running--;
		vnode_put(old);
	}
}

static void client_drop_files(struct client *c)
{
	struct fdtable *fds = c->fds;
	struct fsctx *fs = c->fs;
	c->fds = NULL;
	c->fs = NULL;
	client_set_exe(c, NULL);
	fds_put(fds);
	fsctx_put(fs);
}

void client_put(struct client *c)
{
	if (--c->refs > 0)
		return;
	client_drop_files(c);
	session_put(c->session);
	groups_put(c->groups);
	clients.count--;
	free(c);
}

static bool client_share(struct client *c, struct client *parent, uint32_t flags)
{
	if (flags & VFS_FORK_FILES) {
		c->fds = parent->fds;
		c->fds->refs++;
	} else {
		c->fds = fdtable_copy(parent->fds, file_get);
	}
	if (flags & VFS_FORK_FS) {
		c->fs = parent->fs;
		c->fs->refs++;
	} else {
		c->fs = fsctx_copy(parent->fs);
	}
	return c->fds && c->fs;
}

static bool client_inherit(struct client *c, struct client *parent, uint32_t flags)
{
	if (!parent->fds || !parent->fs)
		return false;
	c->uid = parent->uid;
	c->gid = parent->gid;
	c->fsuid = parent->fsuid;
	c->fsgid = parent->fsgid;
	c->limit_files = parent->limit_files;
	c->limit_fsize = parent->limit_fsize;
	c->limit_stack = parent->limit_stack;
	c->pgid = parent->pgid;
	c->session = parent->session;
	if (c->session)
		c->session->refs++;
	c->groups = parent->groups;
	if (c->groups)
		c->groups->refs++;
	client_set_exe(c, parent->exe);
	c->args = parent->args;
	return client_share(c, parent, flags);
}

/* Without a parent: init, with root's rights and the console still to be opened. */
static bool client_fresh(struct client *c)
{
	c->limit_files = DEFAULT_NOFILE;
	c->limit_fsize = UINT64_MAX;
	c->limit_stack = DEFAULT_STACK;
	c->pgid = c->pid;
	c->session = session_of(c->pid);
	c->wants_console = true;
	c->fds = fdtable_new();
	c->fs = fsctx_copy(NULL);
	return c->session && c->fds && c->fs;
}

int client_fork(endpoint_t parent_ep, endpoint_t child, int32_t pid, uint32_t flags)
{
	unsigned slot = (unsigned)endpoint_slot(child);
	struct client *parent = parent_ep == EP_NONE ? NULL : client_find(parent_ep);
	if (child <= 0 || slot >= NR_PROCS || (parent_ep != EP_NONE && !parent))
		return -EINVAL;
	if (clients.by_slot[slot])
		client_exit(clients.by_slot[slot]);
	struct client *c = calloc(1, sizeof *c);
	if (!c)
		return -ENOMEM;
	clients.count++;
	c->refs = 1;
	c->ep = child;
	c->pid = pid;
	if (!(parent ? client_inherit(c, parent, flags) : client_fresh(c))) {
		client_put(c);
		return -ENOMEM;
	}
	clients.by_slot[slot] = c;
	return 0;
}

static struct client *client_of_pid(int32_t pid)
{
	for (unsigned slot = 0; slot < NR_PROCS; slot++)
		if (clients.by_slot[slot] && clients.by_slot[slot]->pid == pid)
			return clients.by_slot[slot];
	return NULL;
}

void client_exit(struct client *c)
{
	unsigned slot = (unsigned)endpoint_slot(c->ep);
	c->gone = true;
	if (clients.by_slot[slot] == c)
		clients.by_slot[slot] = NULL;
	if (c->session && c->session->ctty && c->session->sid == c->pid && !client_of_pid(c->pid))
		cdev_session_end(c);
	if (c->call)
		call_cancel(c->call);
	if (c->exec)
		exec_abort(c);
	/* A call in progress may still use the tables; its reference lets them go when it is through. */
	if (!c->call)
		client_drop_files(c);
	client_put(c);
}

int client_setids(struct client *c, int32_t pid, int32_t pgid, int32_t sid)
{
	if (!c->session || c->session->sid != sid) {
		struct session *s = session_of(sid);
		if (!s)
			return -ENOMEM;
		session_put(c->session);
		c->session = s;
	}
	c->pid = pid;
	c->pgid = pgid;
	return 0;
}

void client_set_groups(struct client *c, struct groups *g)
{
	groups_put(c->groups);
	c->groups = g;
}

int client_unshare_files(struct client *c)
{
	if (c->fds->refs == 1)
		return 0;
	struct fdtable *own = fdtable_copy(c->fds, file_get);
	if (!own)
		return -ENOMEM;
	c->fds->refs--;
	c->fds = own;
	return 0;
}

void client_close_on_exec(struct client *c)
{
	for (int fd = 0; fd < c->fds->size; fd++) {
		if (!fdtable_lookup(c->fds, fd) || !fdtable_cloexec(c->fds, fd))
			continue;
		struct file *f = fdtable_remove(c->fds, fd);
		if (f->vnode)
			locks_drop_owner(f->vnode, c->fds);
		file_put(f);
	}
}
