/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to file systems: fill in a message, grant what it needs, wait, take the grants back. Everything a file system answers is
 * checked before use: counts against what was asked, attributes against the node meant. Data of user processes goes directly between
 * them and the file system by magic grants that are only tried; missing memory is brought in by VM and the request made again.
 *
 * A file system that dies ends the request with EIO (request.c), unless it is part of a driver (/dev/pts) or comes back to its mount.
 */
#include "fsreq.h"

#include <libsys/grant.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "mount.h"
#include "report.h"
#include "request.h"

enum { FS_IO_MAX = 1 << 20, SOFT_TRIES = 8 };

/* The answer is none: whoever gave it is reported. */
static int broken(endpoint_t fs, enum rs_broken how)
{
	report_broken(fs, "", how);
	return -EIO;
}

static int reply_check(const struct message *m, uint32_t type)
{
	return m->type == type + 1 ? 0 : broken(m->source, RS_BROKEN_TYPE);
}

/* *answered: there was an answer, be it an error. */
static int fs_exchange_once(endpoint_t fs, struct message *m, struct fs_rep *rep, bool *answered)
{
	struct request *rq = request_new(fs);
	*answered = true;
	if (!rq)
		return -ENOMEM;
	m->w[0] = rq->id;
	rq->may_be_lost = true;
	request_send(rq, m);
	int r = request_wait(rq);
	*answered = r == 0;
	if (r == 0)
		r = reply_check(&rq->reply, m->type);
	if (r == 0) {
		memcpy(rep, rq->reply.w, sizeof *rep);
		if (rep->result < 0)
			r = (int)rep->result;
	}
	request_free(rq);
	return r;
}

/*
 * One exchange, repeated where the file system is part of a driver that was restarted in its place (its names are made up), or came back to
 * its mount (mount_again.c). *repeats: so many earlier tries may have been carried out. NULL: it must not be made again, -ERESTARTSYS says
 * that it would have been.
 */
static int fs_exchange_counted(endpoint_t fs, struct message *m, struct fs_rep *rep, unsigned *repeats)
{
	for (;;) {
		bool answered;
		int r = driver_remounted_wait(fs);
		if (r)
			return r;
		uint32_t instance = driver_instance(fs);
		r = fs_exchange_once(fs, m, rep, &answered);
		if (answered)
			return r;
		if (!driver_came_back(fs, instance)) {
			report_failed(fs, "");
			return r;
		}
		if (!repeats)
			return -ERESTARTSYS;
		report_repeated(fs, "");
		++*repeats;
	}
}

static int fs_exchange(endpoint_t fs, struct message *m, struct fs_rep *rep)
{
	unsigned repeats = 0;
	return fs_exchange_counted(fs, m, rep, &repeats);
}

static int fs_exchange_plain(endpoint_t fs, struct message *m)
{
	struct fs_rep rep;
	return fs_exchange(fs, m, &rep);
}

/* For a file system that is being mounted again (mount_again.c): all others wait for the end of that. */
static int fs_exchange_revived(endpoint_t fs, struct message *m)
{
	struct fs_rep rep;
	bool answered;
	return fs_exchange_once(fs, m, &rep, &answered);
}

typedef int exchange_fn(endpoint_t fs, struct message *m);

static void revoke(grant_t g)
{
	if (g != GRANT_INVALID)
		grant_revoke(g);
}

/* ---- attributes ------------------------------------------------------------------------------------------------ */

/* A request on a node that is answered with its attributes. */
static int fs_ask_attr(struct vnode *v, uint32_t type, uint64_t len, struct fs_attr *attr, exchange_fn *exchange)
{
	endpoint_t fs = v->mount->fs;
	grant_t g = grant_direct(fs, attr, sizeof *attr, GRANT_WRITE);
	struct message m = { .type = type };
	*MSG_BODY(struct fs_node_req, &m) = (struct fs_node_req){ .node = v->node, .attr_grant = g, .grant = GRANT_INVALID, .len = len };
	int r = g == GRANT_INVALID ? -ENOMEM : exchange(fs, &m);
	revoke(g);
	return r;
}

int fs_getattr(struct vnode *v, struct fs_attr *attr) { return fs_ask_attr(v, FS_GETATTR, 0, attr, fs_exchange_plain); }

int fs_setattr(struct vnode *v, uint64_t mask, const struct fs_attr *in)
{
	endpoint_t fs = v->mount->fs;
	struct fs_attr out = { .node = 0 };
	grant_t gout = grant_direct(fs, &out, sizeof out, GRANT_WRITE);
	grant_t gin = grant_direct(fs, in, sizeof *in, GRANT_READ);
	struct message m = { .type = FS_SETATTR };
	*MSG_BODY(struct fs_node_req, &m) = (struct fs_node_req){ .node = v->node, .attr_grant = gout, .grant = gin, .flags = mask };
	int r = gin == GRANT_INVALID || gout == GRANT_INVALID ? -ENOMEM : fs_exchange_plain(fs, &m);
	revoke(gin);
	revoke(gout);
	if (r == 0)
		vnode_set_attr(v, &out);
	return r;
}

/* ---- names ----------------------------------------------------------------------------------------------------- */

struct names { const char *a; size_t alen; const char *b; size_t blen; };

/* Send a request with one or two names; the attributes come back in *attr. */
static int fs_names_counted(struct vnode *dir, uint32_t type, const struct names *n, struct fs_name_req *q, struct fs_attr *attr,
			    unsigned *repeats)
{
	endpoint_t fs = dir->mount->fs;
	char *both = NULL;
	const char *text = n->a;
	if (n->blen) {
		both = malloc(n->alen + n->blen);
		if (!both)
			return -ENOMEM;
		memcpy(both, n->a, n->alen);
		memcpy(both + n->alen, n->b, n->blen);
		text = both;
	}
	q->node = dir->node;
	q->attr_grant = grant_direct(fs, attr, sizeof *attr, GRANT_WRITE);
	q->name_grant = grant_direct(fs, text, n->alen + n->blen, GRANT_READ);
	q->name_len = (uint16_t)n->alen;
	q->name2_len = (uint16_t)n->blen;
	struct message m = { .type = type };
	*MSG_BODY(struct fs_name_req, &m) = *q;
	memset(attr, 0, sizeof *attr);
	bool ready = q->attr_grant != GRANT_INVALID && q->name_grant != GRANT_INVALID;
	struct fs_rep rep;
	int r = ready ? fs_exchange_counted(fs, &m, &rep, repeats) : -ENOMEM;
	revoke(q->attr_grant);
	revoke(q->name_grant);
	free(both);
	return r;
}

static int fs_names(struct vnode *dir, uint32_t type, const struct names *n, struct fs_name_req *q, struct fs_attr *attr)
{
	unsigned repeats = 0;
	return fs_names_counted(dir, type, n, q, attr, &repeats);
}

/*
 * Something that makes the name n->a. If the first try was carried out and its answer lost, the second says that the name is there: then
 * it is ours, for it was not there before.
 */
static int fs_names_make(struct vnode *dir, uint32_t type, const struct names *n, struct fs_name_req *q, struct fs_attr *attr)
{
	unsigned repeats = 0;
	int r = fs_names_counted(dir, type, n, q, attr, &repeats);
	if (r != -EEXIST || !repeats)
		return r;
	r = fs_lookup(dir, n->a, n->alen, EP_NONE, attr);
	if (r == 0 && type == FS_LINK)
		fs_forget(dir->mount, attr->node, 1);
	return r;
}

int fs_lookup(struct vnode *dir, const char *name, size_t len, endpoint_t who, struct fs_attr *attr)
{
	struct fs_name_req q = { .node2 = (uint64_t)(int64_t)who };
	return fs_names(dir, FS_LOOKUP, &(struct names){ .a = name, .alen = len }, &q, attr);
}

int fs_create(struct vnode *dir, const char *name, size_t len, const struct fs_made *how, struct fs_attr *attr)
{
	struct fs_name_req q = { .mode_flags = how->mode, .node2 = how->rdev, .uid = how->uid, .gid = how->gid };
	return fs_names_make(dir, FS_CREATE, &(struct names){ .a = name, .alen = len }, &q, attr);
}

int fs_symlink(struct vnode *dir, const char *name, size_t len, const char *target, size_t tlen, const struct fs_made *how,
	       struct fs_attr *attr)
{
	struct fs_name_req q = { .uid = how->uid, .gid = how->gid };
	return fs_names_make(dir, FS_SYMLINK, &(struct names){ name, len, target, tlen }, &q, attr);
}

int fs_link(struct vnode *dir, const char *name, size_t len, struct vnode *v)
{
	struct fs_attr attr;
	struct fs_name_req q = { .node2 = v->node };
	int r = fs_names_make(dir, FS_LINK, &(struct names){ .a = name, .alen = len }, &q, &attr);
	if (r == 0)
		vnode_set_attr(v, &attr);
	return r;
}

int fs_unlink(struct vnode *dir, const char *name, size_t len, uint32_t flags, struct fs_attr *attr)
{
	struct fs_name_req q = { .mode_flags = flags };
	unsigned repeats = 0;
	int r = fs_names_counted(dir, FS_UNLINK, &(struct names){ .a = name, .alen = len }, &q, attr, &repeats);
	return r == -ENOENT && repeats ? 0 : r;	/* it was done; attr->node is 0 */
}

int fs_rename(struct vnode *dir, const char *name, size_t len, struct vnode *dir2, const char *name2, size_t len2, uint32_t flags,
	      struct fs_attr *attr)
{
	struct fs_name_req q = { .node2 = dir2->node, .mode_flags = flags };
	unsigned repeats = 0;
	int r = fs_names_counted(dir, FS_RENAME, &(struct names){ name, len, name2, len2 }, &q, attr,
				 flags & FS_RENAME_EXCHANGE ? NULL : &repeats);
	if (r == -ERESTARTSYS)
		return -EIO;	/* who can tell which of the two it is? */
	if (!repeats || r != -ENOENT)
		return r;
	/* Done before, it seems: then the new name is there, and the old one is not. */
	int r2 = fs_lookup(dir2, name2, len2, EP_NONE, attr);
	if (r2 == 0)
		fs_forget(dir2->mount, attr->node, 1);
	return r2 ? r : 0;
}

void fs_forget(struct mount *mnt, uint64_t node, uint64_t n)
{
	if (n == 0 || mnt->failed || mnt->quiet)
		return;
	struct message m = { .type = FS_FORGET };
	*MSG_BODY(struct fs_node_req, &m) = (struct fs_node_req){
		.node = node, .len = n, .attr_grant = GRANT_INVALID, .grant = GRANT_INVALID };
	peer_send(mnt->fs, &m);
}

/* ---- data ------------------------------------------------------------------------------------------------------ */

static grant_t grant_piece(endpoint_t fs, const struct uio *u, vaddr_t addr, uint64_t len, bool to_user)
{
	int access = to_user ? GRANT_WRITE : GRANT_READ;
	if (u->ep == EP_SELF)
		return grant_direct(fs, (void *)(uintptr_t)addr, len, access);
	return grant_magic(fs, u->ep, addr, len, access | GRANT_TRY);
}

struct transfer { uint32_t type; uint64_t offset, flags, end; struct fs_rep rep; };	/* end: of the file, for appending */

/* Move one contiguous piece; *got = bytes. */
static int transfer_piece(struct vnode *v, const struct uio *u, struct transfer *t, vaddr_t addr, uint64_t len, uint64_t *got)
{
	endpoint_t fs = v->mount->fs;
	bool to_user = t->type == FS_READ;
	*got = 0;
	for (int tries = 0; tries < SOFT_TRIES; tries++) {
		grant_t g = grant_piece(fs, u, addr, len, to_user);
		if (g == GRANT_INVALID)
			return -ENOMEM;
		struct message m = { .type = t->type };
		*MSG_BODY(struct fs_node_req, &m) = (struct fs_node_req){ .node = v->node, .attr_grant = GRANT_INVALID, .grant = g,
			.offset = t->offset, .len = len, .flags = t->flags };
		unsigned repeats = 0;
		int r = fs_exchange_counted(fs, &m, &t->rep, t->flags & FS_WRITE_APPEND && t->type == FS_WRITE ? NULL : &repeats);
		revoke(g);
		if (r == -ERESTARTSYS) {	/* it may have been appended: the same again, to the same place */
			t->flags &= ~(uint64_t)FS_WRITE_APPEND;
			t->offset = t->end;
			continue;
		}
		if (r == 0 && t->rep.count > len)
			return broken(fs, RS_BROKEN_LENGTH);
		*got = r == 0 ? t->rep.count : 0;
		if (r == 0)
			return 0;
		if (r != -ESOFTFAULT)
			return r;
		int64_t present = user_prefault(u->ep, addr, len, to_user);
		if (present < 0)
			return (int)present;
		len = (uint64_t)present;
	}
	return -EFAULT;
}

/* Shared by read and write: piece after piece until a short one. */
static int64_t transfer(struct vnode *v, struct uio *u, struct transfer *t)
{
	int64_t total = 0;
	while (u->left > 0) {
		vaddr_t addr;
		uint64_t got, len = uio_piece(u, FS_IO_MAX, &addr);
		if (len == 0)
			break;
		int r = transfer_piece(v, u, t, addr, len, &got);
		if (r)
			return total ? total : r;
		uio_advance(u, got);
		total += (int64_t)got;
		t->offset = (t->type == FS_WRITE && t->flags & FS_WRITE_APPEND ? t->rep.offset : t->offset) + got;
		t->end = t->offset;
		if (got == 0 || (got < len && t->type == FS_READ && (t->offset >= v->attr.size || vnode_nocache(v))))
			break;
	}
	return total;
}

int64_t fs_read(struct vnode *v, struct uio *u, uint64_t offset)
{
	struct transfer t = { .type = FS_READ, .offset = offset, .flags = (uint32_t)u->ep };
	return transfer(v, u, &t);
}

int64_t fs_write(struct vnode *v, struct uio *u, uint64_t *offset, bool append, uint64_t *size)
{
	struct transfer t = { .type = FS_WRITE, .offset = *offset, .flags = append ? FS_WRITE_APPEND : 0, .end = v->attr.size };
	int64_t n = transfer(v, u, &t);
	if (n > 0) {
		*offset = t.offset - (uint64_t)n;
		*size = t.rep.size;
	}
	return n;
}

int64_t fs_read_own(struct vnode *v, void *buf, size_t len, uint64_t offset)
{
	struct uio u;
	uio_single(&u, EP_SELF, (vaddr_t)(uintptr_t)buf, len);
	int64_t total = 0;
	while (u.left > 0) {
		int64_t n = fs_read(v, &u, offset + (uint64_t)total);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		total += n;
	}
	return total;
}

/* ---- the rest -------------------------------------------------------------------------------------------------- */

/* A request on a node with a buffer of ours that the file system fills. */
static int fs_fill(struct vnode *v, uint32_t type, struct fs_node_req *q, void *buf, size_t len, struct fs_rep *rep)
{
	endpoint_t fs = v->mount->fs;
	q->grant = grant_direct(fs, buf, len, GRANT_WRITE);
	q->attr_grant = GRANT_INVALID;
	q->node = v->node;
	q->len = len;
	struct message m = { .type = type };
	*MSG_BODY(struct fs_node_req, &m) = *q;
	int r = q->grant == GRANT_INVALID ? -ENOMEM : fs_exchange(fs, &m, rep);
	revoke(q->grant);
	return r;
}

int64_t fs_readdir(struct vnode *v, uint64_t *cookie, void *buf, size_t len, endpoint_t who)
{
	struct fs_rep rep;
	struct fs_node_req q = { .offset = *cookie, .flags = (uint64_t)(int64_t)who };
	int r = fs_fill(v, FS_READDIR, &q, buf, len, &rep);
	if (r)
		return r;
	if (rep.count > len)
		return broken(v->mount->fs, RS_BROKEN_LENGTH);
	*cookie = rep.offset;
	return (int64_t)rep.count;
}

int64_t fs_readlink(struct vnode *v, char *buf, size_t len, endpoint_t who)
{
	struct fs_rep rep;
	struct fs_node_req q = { .flags = (uint64_t)(int64_t)who };
	int r = fs_fill(v, FS_READLINK, &q, buf, len, &rep);
	if (r)
		return r;
	uint64_t n = rep.count ? rep.count : (uint64_t)rep.result;
	return n > len ? broken(v->mount->fs, RS_BROKEN_LENGTH) : (int64_t)n;
}

int fs_statfs(struct vnode *v, struct statfs *out)
{
	struct fs_rep rep;
	struct fs_node_req q = { .offset = 0 };
	memset(out, 0, sizeof *out);
	return fs_fill(v, FS_STATFS, &q, out, sizeof *out, &rep);
}

int fs_sync_all(struct mount *m)
{
	struct fs_rep rep;
	struct message msg = { .type = FS_SYNC };
	*MSG_BODY(struct fs_node_req, &msg) = (struct fs_node_req){ .attr_grant = GRANT_INVALID, .grant = GRANT_INVALID };
	return fs_exchange(m->fs, &msg, &rep);
}

static int fs_simple(struct vnode *v, uint32_t type, struct fs_node_req q, struct fs_rep *rep)
{
	q.node = v->node;
	q.grant = GRANT_INVALID;
	struct message m = { .type = type };
	*MSG_BODY(struct fs_node_req, &m) = q;
	return fs_exchange(v->mount->fs, &m, rep);
}

int fs_sync_flags(struct vnode *v, uint64_t flags)
{
	struct fs_rep rep;
	return fs_simple(v, FS_SYNC, (struct fs_node_req){ .attr_grant = GRANT_INVALID, .flags = flags }, &rep);
}

int fs_sync(struct vnode *v) { return fs_sync_flags(v, 0); }

int64_t fs_seek(struct vnode *v, uint64_t offset, int whence)
{
	struct fs_rep rep;
	struct fs_node_req q = { .attr_grant = GRANT_INVALID, .offset = offset, .flags = (uint64_t)whence };
	int r = fs_simple(v, FS_SEEK, q, &rep);
	return r ? r : (int64_t)rep.offset;
}

int fs_fallocate(struct vnode *v, uint64_t mode, uint64_t offset, uint64_t len)
{
	struct fs_attr attr = { .node = 0 };
	struct fs_rep rep;
	grant_t g = grant_direct(v->mount->fs, &attr, sizeof attr, GRANT_WRITE);
	if (g == GRANT_INVALID)
		return -ENOMEM;
	int r = fs_simple(v, FS_FALLOCATE, (struct fs_node_req){ .attr_grant = g, .offset = offset, .len = len, .flags = mode }, &rep);
	revoke(g);
	if (r == 0)
		vnode_set_attr(v, &attr);
	return r;
}

static int fs_mount_by(endpoint_t fs, uint64_t dev, const char *options, unsigned flags, struct fs_attr *root,
		       exchange_fn *exchange)
{
	size_t n = strlen(options);
	grant_t ga = grant_direct(fs, root, sizeof *root, GRANT_WRITE);
	grant_t go = grant_direct(fs, options, n + 1, GRANT_READ);
	struct message m = { .type = FS_MOUNT };
	*MSG_BODY(struct fs_mount_req, &m) = (struct fs_mount_req){
		.attr_grant = ga, .options_grant = go, .options_len = (uint32_t)n, .flags = flags, .dev = dev };
	int r = ga == GRANT_INVALID || go == GRANT_INVALID ? -ENOMEM : exchange(fs, &m);
	revoke(ga);
	revoke(go);
	return r;
}

int fs_mount(endpoint_t fs, uint64_t dev, const char *options, unsigned flags, struct fs_attr *root)
{
	return fs_mount_by(fs, dev, options, flags, root, fs_exchange_plain);
}

int fs_mount_again(endpoint_t fs, uint64_t dev, const char *options, unsigned flags, struct fs_attr *root)
{
	return fs_mount_by(fs, dev, options, flags | FS_MOUNT_AGAIN, root, fs_exchange_revived);
}

int fs_revive(struct vnode *v, uint64_t n, struct fs_attr *attr)
{
	return fs_ask_attr(v, FS_REVIVE, n, attr, fs_exchange_revived);
}

int fs_unmount(endpoint_t fs, uint64_t dev, uint64_t root)
{
	struct message m = { .type = FS_UNMOUNT };
	*MSG_BODY(struct fs_node_req, &m) = (struct fs_node_req){
		.node = root, .offset = dev, .attr_grant = GRANT_INVALID, .grant = GRANT_INVALID };
	return fs_exchange_plain(fs, &m);
}
