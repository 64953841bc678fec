/* SPDX-License-Identifier: BSD-2-Clause */
/* tmpfs on the host: file contents against a flat model, sparse trees, names, and the boot archive with damage of every kind. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tmpfs.h"

/* What libfs supplies in the service: here the "asking process" is a plain buffer. */
static uint8_t *user;
int64_t fs_pieces_out(const struct fs_data *d, uint64_t at, const struct fs_pieces *s)
{
	(void)d;
	for (unsigned i = 0; i < s->n; at += s->v[i++].len)
		memcpy(user + at, s->v[i].p, s->v[i].len);
	return (int64_t)s->bytes;
}
int64_t fs_data_in(const struct fs_data *d, uint64_t at, void *to, size_t len) { (void)d; memcpy(to, user + at, len); return 0; }
int64_t fs_data_zero(const struct fs_data *d, uint64_t at, size_t len) { (void)d; memset(user + at, 0, len); return 0; }
void fs_forget_pages(uint64_t node, uint64_t first_page) { (void)node, (void)first_page; }
int64_t fs_now(void) { return 1; }

static struct instance inst = { .max_nodes = 100000, .max_pages = UINT64_MAX };

static struct node *make(uint32_t mode)
{
	struct fs_new how = { .mode = mode };
	struct node *n = node_new(&inst, &how);
	assert(n);
	n->refs = 1;
	return n;
}

static void drop(struct node *n)
{
	n->refs = 0;
	node_release(n);
}

static uint64_t random_offset(uint64_t max) { return ((uint64_t)rand() << 16 ^ (uint64_t)rand()) % max; }

static void contents_follow_a_flat_model(void)
{
	enum { MAX = 300000 };
	static uint8_t model[MAX], buf[MAX];
	uint64_t size = 0, before = page_count();
	struct node *n = make(0100644);
	struct fs_rep rep;
	user = buf;
	for (int i = 0; i < 4000; i++) {
		uint64_t offset = random_offset(MAX), len = random_offset(MAX - offset < 9000 ? MAX - offset : 9000);
		struct fs_data d = { .offset = offset, .len = len };
		if (rand() % 3 == 0) {
			for (uint64_t k = 0; k < len; k++)
				buf[k] = model[offset + k] = (uint8_t)rand();
			assert(file_write(n->id, &d, 0, &rep) == (int64_t)len);
			size = len && offset + len > size ? offset + len : size;
			assert(rep.size == size || len == 0);
		} else if (rand() % 10 == 0) {
			if (offset < size)
				memset(model + offset, 0, size - offset);
			size = offset;
			assert(file_resize(n, offset) == 0);
		} else {
			int64_t want = offset >= size ? 0 : (int64_t)(len < size - offset ? len : size - offset);
			assert(file_read(n->id, &d) == want);
			assert(!memcmp(buf, model + offset, (size_t)want));
		}
	}
	drop(n);
	assert(page_count() == before);
}

static void sparse_files_reach_far(void)
{
	struct node *n = make(0100644);
	struct fs_rep rep;
	uint64_t found, far = 5ull << 40;
	uint8_t byte = 7;
	user = &byte;
	assert(file_write(n->id, &(struct fs_data){ .offset = far, .len = 1 }, 0, &rep) == 1 && n->size == far + 1 && n->pages.count == 1);
	assert(file_seek(n->id, 0, 3 /* SEEK_DATA */, &found) == 0 && found == far);
	assert(file_seek(n->id, 5, 4 /* SEEK_HOLE */, &found) == 0 && found == 5);
	assert(file_seek(n->id, far + 1, 3, &found) == -ENXIO);
	assert(file_write(n->id, &(struct fs_data){ .offset = INT64_MAX, .len = 1 }, 0, &rep) == -EFBIG);
	assert(file_resize(n, 0) == 0 && n->pages.count == 0);
	drop(n);
}

static void full_memory_is_an_error_and_loses_nothing(void)
{
	enum { LEN = 64 * TMPFS_BLOCK };
	static uint8_t buf[LEN];
	struct node *n = make(0100644);
	struct fs_rep rep;
	user = buf;
	struct fs_attr attr;
	page_limit_set(page_count() + 10);
	assert(file_fallocate(n->id, 0, 0, LEN, &attr) == -ENOSPC && n->pages.count == 0);
	assert(file_write(n->id, &(struct fs_data){ .len = LEN }, 0, &rep) == 10 * TMPFS_BLOCK);
	assert(file_fallocate(n->id, 0, 0, 10 * TMPFS_BLOCK, &attr) == 0);
	assert(file_write(n->id, &(struct fs_data){ .offset = LEN, .len = 1 }, 0, &rep) == -ENOSPC && n->size == 10 * TMPFS_BLOCK);
	page_limit_set(UINT64_MAX);
	drop(n);
}

static void names_are_found_until_removed(void)
{
	struct node *dir = make(0040755);
	char name[16];
	for (int i = 0; i < 3000; i++) {
		struct fs_name fn = { name, (size_t)snprintf(name, sizeof name, "f%d", i) };
		assert(dir_add(dir, &fn, make(0100644)) == 0);
	}
	for (int i = 0; i < 3000; i++) {
		struct fs_name fn = { name, (size_t)snprintf(name, sizeof name, "f%d", i) };
		struct dirent_entry *e = dir_find(dir, &fn);
		assert(e && e->node->nlink == 1);
		struct node *n = e->node;
		dir_remove(e);
		drop(n);
		assert(!dir_find(dir, &fn));
	}
	assert(dir->entries == 0 && !dir->first && !dir->last);
	drop(dir);
}

/* ---- the archive ---- */

static size_t member(char *at, const char *name, uint32_t mode, const char *contents)
{
	size_t n = (size_t)sprintf(at, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s", 1, mode,
			0, 0, 1, 99, (unsigned)strlen(contents),
		0, 0, 4, 65, (unsigned)strlen(name) + 1, 0, name) + 1;
	while (n % 4)
		at[n++] = 0;
	n += (size_t)sprintf(at + n, "%s", contents);
	while (n % 4)
		at[n++] = 0;
	return n;
}

static size_t archive_make(char *buf)
{
	size_t n = member(buf, "boot/vm", 0100755, "not for us");
	n += member(buf + n, "root/etc/motd", 0100644, "hello");
	n += member(buf + n, "root/etc", 0040700, "");
	n += member(buf + n, "root/dev/tty", 0020666, "");
	n += member(buf + n, "root/bin/sh", 0120777, "busybox");
	n += member(buf + n, "TRAILER!!!", 0, "");
	memset(buf + n, 0, 8);
	n += 8;
	n += member(buf + n, "root/etc/motd", 0100600, "later");
	return n;
}

static struct node *walk(const char *a, const char *b)
{
	struct dirent_entry *e = dir_find(inst.root, &(struct fs_name){ a, strlen(a) });
	e = e ? dir_find(e->node, &(struct fs_name){ b, strlen(b) }) : NULL;
	return e ? e->node : NULL;
}

static void archive_is_unpacked_last_word_wins(void)
{
	static char buf[4096];
	size_t n = archive_make(buf);
	inst.root = make(0040755);
	inst.root->parent = inst.root;
	inst.root->nlink = 2;
	assert(archive_unpack(&inst, (uint8_t *)buf, n) == 0);
	struct node *motd = walk("etc", "motd"), *tty = walk("dev", "tty"), *sh = walk("bin", "sh");
	uint8_t text[8];
	user = text;
	assert(motd && motd->mode == 0100600 && motd->mtime_ns == 99000000000ll);
	assert(file_read(motd->id, &(struct fs_data){ .len = 8 }) == 5 && !memcmp(text, "later", 5));
	assert(tty && tty->mode == 0020666 && tty->rdev == (4 << 8 | 65));
	assert(sh && sh->size == 7 && !memcmp(sh->target, "busybox", 7));
	assert(dir_find(inst.root, &(struct fs_name){ "etc", 3 })->node->mode == 0040700);
}

static void damaged_archives_are_refused_quietly(void)
{
	static char good[4096], bad[4096];
	size_t n = archive_make(good);
	if (!freopen("/dev/null", "w", stdout))
		exit(1);
	for (int i = 0; i < 20000; i++) {
		memcpy(bad, good, n);
		for (int k = 0; k < 1 + rand() % 4; k++)
			bad[(size_t)rand() % n] = (char)rand();
		uint8_t *exact = malloc(n);	/* exact size, so that the sanitizer sees any step beyond it */
		size_t len = n - (size_t)(rand() % 3 ? 0 : rand() % (int)n);
		uint8_t *part = realloc(exact, len ? len : 1);
		memcpy(part, bad, len);
		archive_unpack(&inst, part, len);
		free(part);
	}
}

int main(void)
{
	srand(1);
	contents_follow_a_flat_model();
	sparse_files_reach_far();
	full_memory_is_an_error_and_loses_nothing();
	names_are_found_until_removed();
	archive_is_unpacked_last_word_wins();
	fputs("ok tmpfs\n", stderr);
	damaged_archives_are_refused_quietly();
	return 0;
}
