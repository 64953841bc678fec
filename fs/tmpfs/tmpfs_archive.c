/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unpacking of the first file system from the boot archive: cpio's "newc" format, a header of thirteen 8-digit hexadecimal fields
 * behind the magic "070701", the name, and the contents, each padded to 4 bytes. Archives may follow one another. Only members
 * below root/ are
 * of interest. The archive is not trusted: every length is checked against what is left.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tmpfs.h"

enum { HEADER_BYTES = 110, FIELDS = 13 };
enum field { F_INO, F_MODE, F_UID, F_GID, F_NLINK, F_MTIME, F_FILESIZE, F_DEVMAJOR, F_DEVMINOR, F_RDEVMAJOR, F_RDEVMINOR, F_NAMESIZE };

struct member {
	uint64_t field[FIELDS];
	const char *name;
	const uint8_t *contents;
};

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool field_parse(const uint8_t *text, uint64_t *out)
{
	*out = 0;
	for (int i = 0; i < 8; i++) {
		if (hex_digit(text[i]) < 0)
			return false;
		*out = *out << 4 | (uint64_t)hex_digit(text[i]);
	}
	return true;
}

/* Parse the member at `at`; returns the offset behind it, or 0 if it is damaged. */
static size_t member_parse(const uint8_t *archive, size_t len, size_t at, struct member *m)
{
	if (len - at < HEADER_BYTES || memcmp(archive + at, "070701", 6))
		return 0;
	for (int i = 0; i < FIELDS; i++)
		if (!field_parse(archive + at + 6 + 8 * i, &m->field[i]))
			return 0;
	size_t name_at = at + HEADER_BYTES, name_len = m->field[F_NAMESIZE];
	if (name_len == 0 || name_len > len - name_at || archive[name_at + name_len - 1] != '\0')
		return 0;
	size_t data_at = (name_at + name_len + 3) & ~3ul;
	if (data_at > len || m->field[F_FILESIZE] > len - data_at)
		return 0;
	m->name = (const char *)archive + name_at;
	m->contents = archive + data_at;
	size_t end = (data_at + m->field[F_FILESIZE] + 3) & ~3ul;
	return end < len ? end : len;
}

/* Walk to the directory that is to hold the last part of the path; missing directories are made. */
static struct node *path_parent(struct instance *inst, const char *path, struct fs_name *last)
{
	struct node *dir = inst->root;
	for (;;) {
		const char *slash = strchr(path, '/');
		*last = (struct fs_name){ path, slash ? (size_t)(slash - path) : strlen(path) };
		if (!slash)
			return dir;
		if (last->len) {
			struct dirent_entry *e = dir_find(dir, last);
			struct fs_new how = { .mode = 0040755 };
			struct node *next = e ? e->node : node_new(inst, &how);
			if (!next || !node_is_dir(next) || (!e && dir_add(dir, last, next)))
				return NULL;
			dir = next;
		}
		path = slash + 1;
	}
}

static int64_t contents_store(struct node *n, const struct member *m)
{
	size_t len = m->field[F_FILESIZE];
	if (node_is_link(n)) {
		n->target = strndup((const char *)m->contents, len);
		n->size = len;
		return n->target ? 0 : -ENOSPC;
	}
	if (!node_is_reg(n) || len == 0)
		return 0;
	return file_write_own(n, 0, m->contents, len) == (int64_t)len ? 0 : -ENOSPC;
}

/* The last word on a path wins: an earlier node that is no directory is replaced, a directory takes the new mode and owner. */
static int64_t member_unpack(struct instance *inst, const struct member *m, const char *path)
{
	struct fs_name last;
	struct node *dir = path_parent(inst, path, &last);
	if (!dir)
		return -ENOTDIR;
	struct fs_new how = { .mode = (uint32_t)m->field[F_MODE], .uid = (uint32_t)m->field[F_UID], .gid = (uint32_t)m->field[F_GID],
		.rdev = m->field[F_RDEVMAJOR] << 8 | (m->field[F_RDEVMINOR] & 0xff) | (m->field[F_RDEVMINOR] & ~0xffull) << 12 };
	struct dirent_entry *e = last.len ? dir_find(dir, &last) : NULL;
	struct node *n = last.len ? (e ? e->node : NULL) : inst->root;
	if (n && !(node_is_dir(n) && (how.mode & 0170000) == 0040000)) {
		if (node_is_dir(n))
			return -EISDIR;
		dir_remove(e);
		node_release(n);
		n = NULL;
	}
	if (n) {
		n->mode = how.mode, n->uid = how.uid, n->gid = how.gid;
	} else {
		int64_t r;
		if (!(n = node_new(inst, &how)))
			return -ENOSPC;
		if ((r = contents_store(n, m)) || (r = dir_add(dir, &last, n))) {
			node_release(n);
			return r;
		}
	}
	n->atime_ns = n->mtime_ns = n->ctime_ns = (int64_t)m->field[F_MTIME] * 1000000000ll;
	return 0;
}

int64_t archive_unpack(struct instance *inst, const uint8_t *archive, size_t len)
{
	size_t at = 0;
	while (at < len) {
		struct member m;
		if (archive[at] == 0) {		/* padding between archives */
			at++;
			continue;
		}
		size_t next = member_parse(archive, len, at, &m);
		if (next <= at) {
			printf("tmpfs: boot archive: byte %zu: no valid member here; the rest is left out\n", at);
			return -EINVAL;
		}
		if (!strncmp(m.name, "root/", 5) || !strcmp(m.name, "root")) {
			int64_t r = member_unpack(inst, &m, m.name[4] ? m.name + 5 : "");
			if (r)
				printf("tmpfs: boot archive: %s: cannot be unpacked: %s\n", m.name, strerror((int)-r));
			if (r == -ENOSPC)
				return r;
		}
		at = next;
	}
	return 0;
}
