/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many pages by one kernel call. Where memory is missing on the way the kernel says only how many pieces it has copied: the rest of that
 * piece is copied again page by page, so that the count is exact as far as whole pages go. No state.
 */
#include <libfs/fs.h>

#include <abi/endpoint.h>
#include <abi/errno.h>
#include <abi/grant.h>
#include <libsys/kcall.h>

_Static_assert((int)FS_PIECES_MAX <= (int)VSAFECOPY_MAX, "pieces fit into one call");

static int64_t all_out(const struct fs_data *data, uint64_t at, const struct fs_pieces *s, uint64_t *done)
{
	struct vsafecopy c[FS_PIECES_MAX];

	*done = 0;
	if (s->n == 1)
		return sys_safecopyto(EP_VFS, data->grant, at, s->v[0].p, s->v[0].len);
	for (unsigned i = 0; i < s->n; i++) {
		c[i] = (struct vsafecopy){ EP_SELF, EP_VFS, data->grant, 0, at, (vaddr_t)s->v[i].p, s->v[i].len };
		at += s->v[i].len;
	}
	return sys_vsafecopy(c, s->n, done);
}

int64_t fs_pieces_out(const struct fs_data *data, uint64_t at, const struct fs_pieces *s)
{
	uint64_t done, moved = 0;
	int64_t r = all_out(data, at, s, &done);

	if (!r)
		return (int64_t)s->bytes;
	for (uint64_t i = 0; i < done && i < s->n; i++)
		moved += s->v[i].len;
	if (r != -ESOFTFAULT || done >= s->n)
		return moved ? (int64_t)moved : r;
	const uint8_t *p = s->v[done].p, *end = p + s->v[done].len;
	while (p < end) {
		size_t page = PAGE_BYTES - ((uintptr_t)p & (PAGE_BYTES - 1)), part = (size_t)(end - p) < page ? (size_t)(end - p) : page;
		r = fs_data_out(data, at + moved, p, part);
		if (r)
			break;
		p += part;
		moved += part;
	}
	return moved ? (int64_t)moved : r;
}
