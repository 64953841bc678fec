/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data from descriptor to descriptor: sendfile, copy_file_range, splice, tee, vmsplice. All go through a buffer of ours, a piece at a
 * time: what has been read but cannot be written is put back by moving the input's position only over what was written.
 */
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "client.h"
#include "file.h"
#include "fsreq.h"
#include "pipe.h"

enum { PIECE = 65536, SPLICE_NONBLOCK = 2, SPLICE_VALID = 15 };

struct side { struct file *f; int64_t pos; bool at; vaddr_t user_pos; };	/* at: an own position, not the file's */

static int side_open(struct call *c, struct side *s, struct file *f, vaddr_t user_pos)
{
	s->f = f;
	s->user_pos = user_pos;
	s->at = user_pos != 0;
	s->pos = f->pos;
	if (s->at && user_read(c->ep, user_pos, &s->pos, sizeof s->pos))
		return -EFAULT;
	return s->at && s->pos < 0 ? -EINVAL : 0;
}

static int side_close(struct call *c, struct side *s)
{
	if (s->at)
		return user_write(c->ep, s->user_pos, &s->pos, sizeof s->pos);
	if (!s->f->ops->stream)
		s->f->pos = s->pos;
	return 0;
}

static int64_t piece_read(struct call *c, struct side *in, uint8_t *buf, size_t len, unsigned flags)
{
	struct uio u;
	int64_t pos = in->pos;
	uio_single(&u, EP_SELF, (vaddr_t)(uintptr_t)buf, len);
	return file_read(c, in->f, &u, &pos, flags);
}

/* Write all that can be written; at least one byte or an error. */
static int64_t piece_write(struct call *c, struct side *out, const uint8_t *buf, size_t len, unsigned flags)
{
	int64_t total = 0;
	while ((size_t)total < len) {
		struct uio u;
		uio_single(&u, EP_SELF, (vaddr_t)(uintptr_t)(buf + total), len - (size_t)total);
		int64_t n = file_write(c, out->f, &u, &out->pos, flags);
		if (n <= 0)
			return total ? total : n;
		total += n;
	}
	return total;
}

/* Data that a stream has given up already must not be lost: read no more from it than the other side takes at once. */
static size_t piece_limit(const struct side *in, const struct side *out, uint64_t left)
{
	size_t n = left < PIECE ? (size_t)left : PIECE;
	if (in->f->ops->stream && file_nonblock(out->f) && n > 4096)
		n = 4096;
	return n;
}

static int64_t move_bytes(struct call *c, struct side *in, struct side *out, uint64_t len, unsigned flags)
{
	uint8_t *buf = malloc(PIECE);
	int64_t total = 0, n = 0;
	if (!buf)
		return -ENOMEM;
	while ((uint64_t)total < len) {
		unsigned how = total && in->f->ops->stream ? flags | FILE_IO_NOWAIT : flags;
		n = piece_read(c, in, buf, piece_limit(in, out, len - (uint64_t)total), how);
		if (n <= 0)
			break;
		n = piece_write(c, out, buf, (size_t)n, flags);
		if (n <= 0)
			break;
		if (!in->f->ops->stream)
			in->pos += n;
		total += n;
	}
	free(buf);
	return total ? total : n == -EINTR ? -ERESTARTSYS : n;
}

static int64_t move(struct call *c, struct file *fin, vaddr_t in_pos, struct file *fout, vaddr_t out_pos, uint64_t len, unsigned flags)
{
	struct side in, out;
	if (len > USER_RW_MAX)
		len = USER_RW_MAX;
	int r = side_open(c, &in, fin, in_pos);
	if (r == 0)
		r = side_open(c, &out, fout, out_pos);
	if (r)
		return r;
	file_get(fin);
	file_get(fout);
	int64_t n = move_bytes(c, &in, &out, len, flags);
	r = side_close(c, &in);
	if (r == 0)
		r = side_close(c, &out);
	file_put(fin);
	file_put(fout);
	return r ? r : n;
}

static bool is_plain(const struct file *f)
{
	return f->vnode && S_ISREG(f->vnode->attr.mode);
}

int64_t rq_sendfile(struct call *c)
{
	struct file *out = call_file(c, c->a[0]), *in = call_file(c, c->a[1]);
	if (!in || !in->can_read || !out || !out->can_write)
		return -EBADF;
	if (c->a[2] && in->ops->stream)
		return -ESPIPE;
	if ((in->ops->stream && !file_is_pipe(in)) || (in->vnode && vnode_is_dir(in->vnode)) || out->flags & O_APPEND)
		return -EINVAL;
	return move(c, in, c->a[2], out, 0, c->a[3], 0);
}

static int copy_range_check(struct file *in, struct file *out, uint64_t flags)
{
	if (!in || !in->can_read || !out || !out->can_write || out->flags & O_APPEND)
		return -EBADF;
	if (flags)
		return -EINVAL;
	if ((in->vnode && vnode_is_dir(in->vnode)) || (out->vnode && vnode_is_dir(out->vnode)))
		return -EISDIR;
	return is_plain(in) && is_plain(out) ? 0 : -EINVAL;
}

int64_t rq_copy_file_range(struct call *c)
{
	struct file *in = call_file(c, c->a[0]), *out = call_file(c, c->a[2]);
	int r = copy_range_check(in, out, c->a[5]);
	if (r)
		return r;
	struct side a, b;
	r = side_open(c, &a, in, c->a[1]);
	if (r == 0)
		r = side_open(c, &b, out, c->a[3]);
	if (r)
		return r;
	uint64_t len = c->a[4] < USER_RW_MAX ? c->a[4] : USER_RW_MAX;
	if (in->vnode == out->vnode && (uint64_t)a.pos < (uint64_t)b.pos + len && (uint64_t)b.pos < (uint64_t)a.pos + len)
		return -EINVAL;
	return len ? move(c, in, c->a[1], out, c->a[3], len, 0) : 0;
}

/* ---- splice, tee, vmsplice -------------------------------------------------------------------------------------- */

int64_t rq_splice(struct call *c)
{
	struct file *in = call_file(c, c->a[0]), *out = call_file(c, c->a[2]);
	uint64_t flags = c->a[5];
	if (flags & ~(uint64_t)SPLICE_VALID)
		return -EINVAL;
	if (c->a[4] == 0)
		return 0;
	if (!in || !in->can_read || !out || !out->can_write)
		return -EBADF;
	if (!file_is_pipe(in) && !file_is_pipe(out))
		return -EINVAL;
	if ((c->a[1] && in->ops->stream) || (c->a[3] && out->ops->stream))
		return -ESPIPE;
	if (in->object && in->object == out->object && file_is_pipe(in) && file_is_pipe(out))
		return -EINVAL;
	if (out->flags & O_APPEND || (in->vnode && vnode_is_dir(in->vnode)))
		return -EINVAL;
	return move(c, in, c->a[1], out, c->a[3], c->a[4], flags & SPLICE_NONBLOCK ? FILE_IO_NOWAIT : 0);
}

static int64_t tee_copy(struct call *c, struct file *in, struct file *out, size_t len, bool nonblock)
{
	int r = pipe_wait_data(c, in, nonblock || file_nonblock(in));
	if (r <= 0)
		return r == -EINTR ? -ERESTARTSYS : r;
	uint8_t *buf = malloc(PIECE);
	if (!buf)
		return -ENOMEM;
	struct side to = { .f = out };
	size_t n = pipe_peek(in, buf, len < PIECE ? len : PIECE);
	int64_t done = piece_write(c, &to, buf, n, nonblock ? FILE_IO_NOWAIT : 0);
	free(buf);
	return done == -EINTR ? -ERESTARTSYS : done;
}

int64_t rq_tee(struct call *c)
{
	struct file *in = call_file(c, c->a[0]), *out = call_file(c, c->a[1]);
	if (c->a[3] & ~(uint64_t)SPLICE_VALID)
		return -EINVAL;
	if (c->a[2] == 0)
		return 0;
	if (!in || !in->can_read || !out || !out->can_write)
		return -EBADF;
	if (!file_is_pipe(in) || !file_is_pipe(out) || in->object == out->object)
		return -EINVAL;
	file_get(in);
	file_get(out);
	int64_t r = tee_copy(c, in, out, c->a[2], c->a[3] & SPLICE_NONBLOCK);
	file_put(in);
	file_put(out);
	return r;
}

int64_t rq_vmsplice(struct call *c)
{
	struct uio u;
	struct file *f = call_file(c, c->a[0]);
	if (c->a[3] & ~(uint64_t)SPLICE_VALID)
		return -EINVAL;
	if (!f || !file_is_pipe(f))
		return -EBADF;
	file_get(f);
	int64_t r = uio_vector(&u, c->ep, c->a[1], c->a[2]);
	if (r == 0) {
		unsigned how = c->a[3] & SPLICE_NONBLOCK ? FILE_IO_NOWAIT : 0;
		r = f->can_write ? file_write(c, f, &u, &f->pos, how) : file_read(c, f, &u, &f->pos, how);
		uio_done(&u);
	}
	file_put(f);
	return r == -EINTR ? -ERESTARTSYS : r;
}
