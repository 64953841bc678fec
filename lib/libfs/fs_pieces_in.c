/* SPDX-License-Identifier: BSD-2-Clause */
/* The other way of fs_pieces.c: memory of the asking process to many pages by one kernel call. No state. */
#include <libfs/fs.h>

#include <abi/endpoint.h>
#include <abi/grant.h>
#include <libsys/kcall.h>

int64_t fs_pieces_in(const struct fs_data *data, uint64_t at, const struct fs_pieces *s)
{
	struct vsafecopy c[FS_PIECES_MAX];
	uint64_t done;

	if (s->n == 1)
		return sys_safecopyfrom(EP_VFS, data->grant, at, (void *)(uintptr_t)s->v[0].p, s->v[0].len);
	for (unsigned i = 0; i < s->n; i++) {
		c[i] = (struct vsafecopy){ EP_VFS, EP_SELF, data->grant, 0, at, (vaddr_t)s->v[i].p, s->v[i].len };
		at += s->v[i].len;
	}
	return sys_vsafecopy(c, s->n, &done);
}
