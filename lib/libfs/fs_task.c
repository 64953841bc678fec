/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The main loop of a file-system server. Each request is taken apart here (length, authority, names, grants), handed to the server's
 * function and answered once. Nothing is kept between requests, so a crash in a handler has told VFS nothing: the request is simply
 * unanswered and VFS repeats it to the successor.
 */
#include <libfs/fs.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <abi/endpoint.h>
#include <abi/errno.h>
#include <libsef/ds.h>
#include <libsef/sef.h>
#include <libsys/ipc.h>
#include <libsys/kcall.h>
#include <proto/common.h>
#include <proto/vm.h>

enum { DIRLIST_MAX_BYTES = 32768, NAMES_MAX_BYTES = 2 * FS_NAME_MAX + 4096 };

/* A request in progress, on the stack of whoever serves it. */
struct in_progress { uint32_t id; struct in_progress *next; };

static struct fs_task {
	const struct fs_ops *ops;
	struct in_progress *working;	/* more than one only where requests wait */
	bool wrong_reply;		/* on request of a test: the next answer is to nothing that was asked */
	uint8_t *dirbuf;		/* DIRLIST_MAX_BYTES for readdir and readlink; NULL while a request that waits has it */
} task;

/* The names of one request, NUL-terminated. */
struct names_buf { char text[NAMES_MAX_BYTES + 2]; };

static uint8_t *dirbuf_take(void)
{
	uint8_t *buf = task.dirbuf;
	task.dirbuf = NULL;
	return buf ? buf : malloc(DIRLIST_MAX_BYTES);
}

static void dirbuf_give(uint8_t *buf)
{
	if (task.dirbuf)
		free(buf);
	else
		task.dirbuf = buf;
}

void fs_announce(void)
{
	char label[LABEL_LEN], key[DS_KEY_LEN];
	err_t r = ds_retrieve_label_name(label, sef_self());
	if (r == 0) {
		snprintf(key, sizeof key, "drv.blk.%s", label);
		r = ds_publish_u64(key, DS_DRIVER_UP, DSF_OVERWRITE);
	}
	if (r)
		fail_stop("cannot announce: %s", err_text(r));
}

/* ---- moving bytes ---------------------------------------------------------------------------------------------- */

/* A copy that is only tried does not bring in our own pages either: the missing one may be ours. */
static void own_touch(void *own, size_t len, bool write)
{
	volatile uint8_t *p = own;

	for (size_t at = 0; at < len; at += len - at > PAGE_BYTES ? PAGE_BYTES : len - at > 1 ? len - at - 1 : 1) {
		uint8_t byte = p[at];

		if (write)
			p[at] = byte;
	}
}

int64_t fs_data_out(const struct fs_data *data, uint64_t at, const void *from, size_t len)
{
	int64_t r = sys_safecopyto(EP_VFS, data->grant, at, from, len);

	if (r != -ESOFTFAULT)
		return r;
	own_touch((void *)from, len, false);
	return sys_safecopyto(EP_VFS, data->grant, at, from, len);
}

int64_t fs_data_in(const struct fs_data *data, uint64_t at, void *to, size_t len)
{
	int64_t r = sys_safecopyfrom(EP_VFS, data->grant, at, to, len);

	if (r != -ESOFTFAULT)
		return r;
	own_touch(to, len, true);
	return sys_safecopyfrom(EP_VFS, data->grant, at, to, len);
}

int64_t fs_data_zero(const struct fs_data *data, uint64_t at, size_t len)
{
	return sys_safememset(EP_VFS, data->grant, at, 0, len);
}

void fs_forget_pages(uint64_t node, uint64_t first_page)
{
	struct message m = { .type = VM_FORGET };
	*MSG_BODY(struct vm_forget_req, &m) = (struct vm_forget_req){ .node = node, .first_page = first_page };
	sef_send(EP_VM, &m, 0);
}

void fs_renew_pages(uint64_t node)
{
	struct message m = { .type = VM_FORGET };
	*MSG_BODY(struct vm_forget_req, &m) = (struct vm_forget_req){ .node = node, .keep_copies = true };
	sef_send(EP_VM, &m, 0);
}

int64_t fs_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* ---- requests on a node ---------------------------------------------------------------------------------------- */

static int64_t rq_setattr(const struct fs_node_req *q, struct fs_attr *attr)
{
	struct fs_attr in;
	int64_t r = sys_safecopyfrom(EP_VFS, q->grant, 0, &in, sizeof in);
	return r ? r : task.ops->setattr(q->node, q->flags, &in, attr);
}

static int64_t readdir_into(const struct fs_node_req *q, struct fs_dirlist *list, struct fs_rep *rep)
{
	int64_t r = task.ops->readdir(q->node, q->offset, (endpoint_t)q->flags, list);
	if (r < 0)
		return r;
	if (list->used && (r = sys_safecopyto(EP_VFS, q->grant, 0, list->buf, list->used)))
		return r;
	rep->count = list->used;
	rep->offset = list->next;
	return (int64_t)list->used;
}

static int64_t rq_readdir(const struct fs_node_req *q, struct fs_rep *rep)
{
	struct fs_dirlist list = { .buf = dirbuf_take(), .next = q->offset };
	if (!list.buf)
		return -ENOMEM;
	list.room = q->len < DIRLIST_MAX_BYTES ? q->len : DIRLIST_MAX_BYTES;
	int64_t r = readdir_into(q, &list, rep);
	dirbuf_give(list.buf);
	return r;
}

static int64_t readlink_into(const struct fs_node_req *q, char *buf)
{
	int64_t n = task.ops->readlink(q->node, (endpoint_t)q->flags, buf, DIRLIST_MAX_BYTES);
	if (n > (int64_t)q->len)
		n = (int64_t)q->len;
	if (n <= 0)
		return n;
	int64_t r = sys_safecopyto(EP_VFS, q->grant, 0, buf, (size_t)n);
	return r ? r : n;
}

static int64_t rq_readlink(const struct fs_node_req *q)
{
	uint8_t *buf = dirbuf_take();
	if (!buf)
		return -ENOMEM;
	int64_t r = readlink_into(q, (char *)buf);
	dirbuf_give(buf);
	return r;
}

static int64_t rq_statfs(const struct fs_node_req *q)
{
	struct statfs out;
	memset(&out, 0, sizeof out);
	int64_t r = task.ops->statfs(q->node, &out);
	return r ? r : sys_safecopyto(EP_VFS, q->grant, 0, &out, sizeof out);
}

static int64_t node_request(uint32_t type, const struct fs_node_req *q, struct fs_rep *rep, struct fs_attr *attr)
{
	const struct fs_ops *o = task.ops;
	struct fs_data data = { .grant = q->grant, .offset = q->offset, .len = q->len, .who = (endpoint_t)q->flags };

	switch (type) {
	case FS_READ:     return o->read ? o->read(q->node, &data) : -ENOSYS;
	case FS_WRITE:    return o->write ? o->write(q->node, &data, q->flags, rep) : -ENOSYS;
	case FS_GETATTR:  return o->getattr(q->node, attr);
	case FS_SETATTR:  return o->setattr ? rq_setattr(q, attr) : -EROFS;
	case FS_READDIR:  return o->readdir ? rq_readdir(q, rep) : -ENOTDIR;
	case FS_READLINK: return o->readlink ? rq_readlink(q) : -EINVAL;
	case FS_STATFS:   return o->statfs ? rq_statfs(q) : -ENOSYS;
	case FS_SYNC:     return o->sync ? o->sync(q->node, q->flags) : 0;
	case FS_SEEK:     return o->seek ? o->seek(q->node, q->offset, (int)q->flags, &rep->offset) : -EINVAL;
	case FS_FALLOCATE: return o->fallocate ? o->fallocate(q->node, q->flags, q->offset, q->len, attr) : -EOPNOTSUPP;
	case FS_REVIVE:   return o->revive ? o->revive(q->node, q->len, attr) : -ENOSYS;
	case FS_UNMOUNT:  return o->unmount ? o->unmount(q->node) : 0;
	default:          return -EBADREQUEST;
	}
}

/* ---- requests with names --------------------------------------------------------------------------------------- */

/* Fetch the one or two names behind the grant and end each with a NUL. */
static int64_t names_fetch(const struct fs_name_req *q, struct names_buf *buf, struct fs_name *a, struct fs_name *b)
{
	size_t n1 = q->name_len, n2 = q->name2_len;
	char *text = buf->text;
	if (n1 == 0)
		return -ENOENT;
	if (n1 > FS_NAME_MAX || n1 + n2 > NAMES_MAX_BYTES)
		return -ENAMETOOLONG;
	int64_t r = sys_safecopyfrom(EP_VFS, q->name_grant, 0, text, n1 + n2);
	if (r)
		return r;
	memmove(text + n1 + 1, text + n1, n2);
	text[n1] = '\0';
	text[n1 + 1 + n2] = '\0';
	*a = (struct fs_name){ text, n1 };
	*b = (struct fs_name){ text + n1 + 1, n2 };
	return 0;
}

static int64_t name_request(uint32_t type, const struct fs_name_req *q, struct fs_attr *attr)
{
	const struct fs_ops *o = task.ops;
	struct names_buf buf;
	struct fs_name a, b;
	int64_t r = names_fetch(q, &buf, &a, &b);
	if (r)
		return r;
	struct fs_new how = { .mode = q->mode_flags, .uid = q->uid, .gid = q->gid, .rdev = q->node2 };

	switch (type) {
	case FS_LOOKUP:  return o->lookup(q->node, &a, (endpoint_t)q->node2, attr);
	case FS_CREATE:  return o->create ? o->create(q->node, &a, &how, attr) : -EPERM;
	case FS_SYMLINK: return o->symlink ? o->symlink(q->node, &a, &b, &how, attr) : -EPERM;
	case FS_LINK:    return o->link ? o->link(q->node, &a, q->node2, attr) : -EPERM;
	case FS_UNLINK:  return o->unlink ? o->unlink(q->node, &a, q->mode_flags, attr) : -EPERM;
	case FS_RENAME:
		if (b.len == 0 || b.len > FS_NAME_MAX)
			return b.len ? -ENAMETOOLONG : -ENOENT;
		return o->rename ? o->rename(q->node, &a, q->node2, &b, q->mode_flags, attr) : -EPERM;
	default:         return -EBADREQUEST;
	}
}

static int64_t mount_request(const struct fs_mount_req *q, struct fs_attr *attr)
{
	char options[256];
	if (q->options_len >= sizeof options)
		return -EINVAL;
	int64_t r = q->options_len ? sys_safecopyfrom(EP_VFS, q->options_grant, 0, options, q->options_len) : 0;
	if (r)
		return r;
	options[q->options_len] = '\0';
	return task.ops->mount(q->dev, options, q->flags, attr);
}

/* ---- dispatch -------------------------------------------------------------------------------------------------- */

static int request_has_names(uint32_t type)
{
	return type == FS_LOOKUP || type == FS_CREATE || type == FS_SYMLINK || type == FS_LINK || type == FS_UNLINK || type == FS_RENAME;
}

/* An attribute is part of the result where the request brought a grant for it. */
static int64_t attr_deliver(grant_t grant, const struct fs_attr *attr, int64_t result)
{
	if (result < 0 || grant == GRANT_INVALID || grant == 0 || attr->node == 0)
		return result;
	int64_t r = sys_safecopyto(EP_VFS, grant, 0, attr, sizeof *attr);
	return r ? r : result;
}

static void working_add(struct in_progress *w, uint32_t id)
{
	*w = (struct in_progress){ .id = id, .next = task.working };
	task.working = w;
}

static void working_remove(struct in_progress *w)
{
	struct in_progress **at = &task.working;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
}

static int64_t rq_pending(uint32_t id)
{
	for (const struct in_progress *w = task.working; w; w = w->next)
		if (w->id == id)
			return 1;
	return 0;
}

void fs_fault(enum sef_fault_kind kind)
{
	task.wrong_reply = kind == SEF_FI_WRONG_REPLY;
}

static void vfs_answer(struct message *reply)
{
	struct fs_rep *rep = MSG_BODY(struct fs_rep, reply);
	if (task.wrong_reply)
		rep->id = ~rep->id;
	task.wrong_reply = false;
	sef_send(EP_VFS, reply, 0);
}

/* Answers with the attribute, if there is one. */
static int64_t request_serve(const struct message *m, struct fs_rep *rep)
{
	struct fs_attr attr = { 0 };
	const struct fs_node_req *nq = (const struct fs_node_req *)(const void *)m->w;
	const struct fs_name_req *mq = (const struct fs_name_req *)(const void *)m->w;
	const struct fs_mount_req *tq = (const struct fs_mount_req *)(const void *)m->w;

	if (m->type == FS_MOUNT)
		return attr_deliver(tq->attr_grant, &attr, mount_request(tq, &attr));
	if (request_has_names(m->type))
		return attr_deliver(mq->attr_grant, &attr, name_request(m->type, mq, &attr));
	return attr_deliver(nq->attr_grant, &attr, node_request(m->type, nq, rep, &attr));
}

static void vfs_request(const struct message *m)
{
	struct message reply = { .type = m->type + 1 };
	struct fs_rep *rep = MSG_BODY(struct fs_rep, &reply);
	const struct fs_node_req *q = (const struct fs_node_req *)(const void *)m->w;
	struct in_progress w;

	if (m->type == FS_FORGET) {
		if (task.ops->forget)
			task.ops->forget(q->node, q->len);
		return;
	}
	rep->id = q->id;
	if (m->type == FS_PENDING) {
		rep->result = rq_pending(q->id);
		sef_send(EP_VFS, &reply, 0);
		return;
	}
	working_add(&w, q->id);
	rep->result = request_serve(m, rep);
	if (m->type == FS_READ || m->type == FS_WRITE)
		rep->count = rep->result > 0 ? (uint64_t)rep->result : 0;
	vfs_answer(&reply);
	working_remove(&w);
}

static void vm_request(const struct message *m)
{
	struct message reply = { .type = FS_GETPAGE + 1 };
	const struct fs_getpage_req *q = (const struct fs_getpage_req *)(const void *)m->w;
	struct fs_getpage_rep *rep = MSG_BODY(struct fs_getpage_rep, &reply);
	void *addr = NULL;

	if (m->type != FS_GETPAGE)
		return;
	rep->id = q->id;
	rep->result = task.ops->getpage ? task.ops->getpage(q->node, q->page, (int)q->write, &addr, &rep->valid) : -ENODEV;
	rep->addr = (vaddr_t)(uintptr_t)addr;
	sef_send(EP_VM, &reply, 0);
}

void fs_refuse(const struct message *m, uint32_t status)
{
	struct message reply = { .type = m->type + 1 };
	if (!(status & IPC_STATUS_CALL))
		return;
	MSG_BODY(struct result_rep, &reply)->result = -EPERM;
	sef_reply(m->source, &reply);
}

bool fs_serve(const struct fs_ops *ops, const struct message *m)
{
	if (m->type < FS_MOUNT || m->type > FS_PENDING || (m->source != EP_VFS && m->source != EP_VM))
		return false;
	task.ops = ops;
	if (m->source == EP_VFS)
		vfs_request(m);
	else
		vm_request(m);
	return true;
}

_Noreturn void fs_task(const struct fs_ops *ops)
{
	for (;;) {
		struct message m;
		uint32_t status;
		if (sef_receive(EP_ANY, &m, &status))
			continue;
		if (m.type != MSG_NOTIFY && !fs_serve(ops, &m))
			fs_refuse(&m, status);
	}
}
