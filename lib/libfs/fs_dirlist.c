/* SPDX-License-Identifier: BSD-2-Clause */
/* Directory records as getdents64 gives them. Pure, so that tests of file systems on the host use the same code. */
#include <libfs/fs.h>

#include <stddef.h>
#include <string.h>

int fs_dirlist_add(struct fs_dirlist *list, uint64_t node, uint32_t mode, const char *name, size_t len, uint64_t next_cookie)
{
	size_t bytes = (offsetof(struct dirent, d_name) + len + 1 + 7) & ~7ul;
	if (list->room - list->used < bytes)
		return 0;
	struct dirent *d = (struct dirent *)(void *)(list->buf + list->used);
	memset(d, 0, bytes);
	d->d_ino = node;
	d->d_off = (int64_t)next_cookie;
	d->d_reclen = (uint16_t)bytes;
	d->d_type = (uint8_t)(mode >> 12 & 017);
	memcpy(d->d_name, name, len);
	list->used += bytes;
	list->next = next_cookie;
	return 1;
}
