/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations against a model in memory, on images of many shapes: every result is compared, every file and directory is read
 * back, before and after unmounting; e2fsck must find nothing, and debugfs must see the same contents.
 */
#include "host.h"

#include <fcntl.h>
#include <sys/statfs.h>

#include <abi/errno.h>

enum { NAMES = 60, FILE_MAX = 700000, NODES_MAX = 4000, OPS = 1500, KEPT_MAX = 12 };

struct node;
struct entry { char *name; struct node *node; };
struct node {
	uint64_t ino;
	uint32_t mode, uid, gid, nlink, refs;
	uint64_t rdev, size;
	int64_t mtime;
	uint8_t *data;
	char *target;
	struct node *parent;
	struct entry *entries;
	unsigned count;
};

static struct model {
	struct node *root;
	struct node *all[NODES_MAX];		/* those with links */
	unsigned count;
	struct node *kept[KEPT_MAX];		/* those "open" */
	bool has_ns;
	uint64_t full;				/* times the disk was full */
} model;

static bool is_dir(const struct node *n) { return (n->mode & MODE_TYPE) == MODE_DIR; }
static bool is_reg(const struct node *n) { return (n->mode & MODE_TYPE) == MODE_REG; }

/* ---- the model --------------------------------------------------------------------------------------------------- */

static struct entry *entry_find(struct node *d, const char *name)
{
	for (unsigned i = 0; i < d->count; i++)
		if (!strcmp(d->entries[i].name, name))
			return &d->entries[i];
	return NULL;
}

static void entry_add(struct node *d, const char *name, struct node *n)
{
	d->entries = realloc(d->entries, (d->count + 1) * sizeof *d->entries);
	d->entries[d->count++] = (struct entry){ strdup(name), n };
	if (is_dir(n)) {
		n->parent = d;
		d->nlink++;
	}
}

static void node_free(struct node *n)
{
	free(n->data);
	free(n->target);
	free(n->entries);
	free(n);
}

static void node_drop(struct node *n)
{
	if (n->nlink)
		return;
	for (unsigned i = 0; i < model.count; i++)
		if (model.all[i] == n)
			model.all[i] = model.all[--model.count];
	if (!n->refs)
		node_free(n);
}

static void entry_remove(struct node *d, struct entry *e)
{
	if (is_dir(e->node))
		d->nlink--;
	free(e->name);
	*e = d->entries[--d->count];
}

static struct node *node_new(const struct fs_attr *a, struct node *d, const char *name)
{
	struct node *n = calloc(1, sizeof *n);
	*n = (struct node){ .ino = a->node, .mode = a->mode, .uid = a->uid, .gid = a->gid };
	n->nlink = is_dir(n) ? 2 : 1;
	entry_add(d, name, n);
	model.all[model.count++] = n;
	return n;
}

static struct node *any_node(void) { return model.all[host_random(model.count)]; }

static struct node *any_dir(void)
{
	for (;;) {
		struct node *n = any_node();
		if (is_dir(n))
			return n;
	}
}

static struct node *any_file(void)
{
	for (int i = 0; i < 100; i++) {
		struct node *n = host_random(4) || !model.kept[0] ? any_node() : model.kept[host_random(KEPT_MAX)];
		if (n && is_reg(n))
			return n;
	}
	return NULL;
}

static const char *any_name(void)
{
	static char text[4][260];
	static unsigned next;
	char *t = text[next++ % 4];
	uint32_t id = host_random(NAMES);
	int len = snprintf(t, 260, "n%u", id);
	int want = id % 7 == 0 ? 255 : id % 5 == 0 ? (int)id * 3 : len;
	for (; len < want; len++)
		t[len] = (char)('a' + (int)id % 26);
	t[len] = 0;
	return t;
}

/* A full disk is not an error of ours; the model stays as it was. */
static bool is_full(int64_t r)
{
	model.full += r == -ENOSPC;
	return r == -ENOSPC;
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

static void attrs_agree(const struct node *n, const struct fs_attr *a)
{
	CHECK(a->node == n->ino && a->mode == n->mode && a->nlink == n->nlink && a->uid == n->uid && a->gid == n->gid);
	CHECK(a->rdev == n->rdev);
	if (is_reg(n))
		CHECK(a->size == n->size);
	if (n->mtime)
		CHECK(a->mtime_ns == (model.has_ns ? n->mtime : n->mtime / 1000000000 * 1000000000) || a->mtime_ns == n->mtime);
}

static void op_create(void)
{
	static const uint32_t types[] = { MODE_REG, MODE_REG, MODE_REG, MODE_DIR, MODE_DIR, MODE_CHR, 0010000, 0140000, MODE_BLK };
	struct node *d = any_dir();
	const char *name = any_name();
	struct fs_name nm = host_name(name);
	struct fs_attr a = { 0 };
	uint32_t type = types[host_random(9)];
	struct fs_new how = { .mode = type | host_random(07777), .uid = host_random(2) ? 5 : 100000, .gid = host_random(1u << 31) };
	if (type == MODE_CHR || type == MODE_BLK)
		how.rdev = host_random(2) ? 0x0103 : 0x12345678;
	if (model.count >= NODES_MAX)
		return;
	int64_t r = ext2_create(d->ino, &nm, &how, &a);
	if (is_full(r))
		return;
	CHECK(r == (entry_find(d, name) ? -EEXIST : 0));
	if (r)
		return;
	CHECK(a.mode == how.mode && a.uid == how.uid && a.gid == how.gid);
	node_new(&a, d, name)->rdev = how.rdev;
	ext2_forget(a.node, 1);
}

static void op_symlink(void)
{
	struct node *d = any_dir();
	const char *name = any_name();
	char target[1000];
	uint32_t len = host_random(3) ? 1 + host_random(70) : 1 + host_random(990);
	memset(target, 'x', len);
	struct fs_name nm = host_name(name), tg = { target, len };
	struct fs_attr a = { 0 };
	struct fs_new how = { .uid = 7, .gid = 8 };
	if (model.count >= NODES_MAX)
		return;
	int64_t r = ext2_symlink(d->ino, &nm, &tg, &how, &a);
	if (is_full(r))
		return;
	CHECK(r == (entry_find(d, name) ? -EEXIST : 0));
	if (r)
		return;
	struct node *n = node_new(&a, d, name);
	n->target = strndup(target, len);
	ext2_forget(a.node, 1);
}

static void op_link(void)
{
	struct node *d = any_dir(), *n = any_node();
	const char *name = any_name();
	struct fs_name nm = host_name(name);
	struct fs_attr a = { 0 };
	int64_t r = ext2_link(d->ino, &nm, n->ino, &a);
	if (is_full(r))
		return;
	CHECK(r == (is_dir(n) ? -EPERM : entry_find(d, name) ? -EEXIST : 0));
	if (r)
		return;
	n->nlink++;
	entry_add(d, name, n);
	attrs_agree(n, &a);
}

static int64_t may_go(const struct node *n, bool dir)
{
	if (dir != is_dir(n))
		return dir ? -ENOTDIR : -EISDIR;
	return dir && n->count ? -ENOTEMPTY : 0;
}

static void name_gone(struct node *d, struct entry *e)
{
	struct node *n = e->node;
	entry_remove(d, e);
	n->nlink = is_dir(n) ? 0 : n->nlink - 1;
	node_drop(n);
}

static void op_unlink(void)
{
	struct node *d = any_dir();
	const char *name = any_name();
	struct fs_name nm = host_name(name);
	struct entry *e = entry_find(d, name);
	struct fs_attr a;
	bool dir = e && host_random(8) ? is_dir(e->node) : host_random(2);
	int64_t r = ext2_unlink(d->ino, &nm, dir ? FS_UNLINK_DIR : 0, &a);
	CHECK(r == (e ? may_go(e->node, dir) : -ENOENT));
	if (!r)
		name_gone(d, e);
}

static bool is_below(const struct node *n, const struct node *top)
{
	while (n != top && n != n->parent)
		n = n->parent;
	return n == top;
}

static int64_t rename_expected(struct node *d, struct entry *from, struct node *d2, struct entry *to, uint32_t flags)
{
	if (!from)
		return -ENOENT;
	if (to && flags & FS_RENAME_NOREPLACE)
		return -EEXIST;
	if (!to && flags & FS_RENAME_EXCHANGE)
		return -ENOENT;
	if (is_dir(from->node) && is_below(d2, from->node))
		return -EINVAL;
	if (to && is_dir(to->node) && is_below(d, to->node))
		return flags & FS_RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (!to || to->node == from->node || flags & FS_RENAME_EXCHANGE)
		return 0;
	return may_go(to->node, is_dir(from->node));
}

static void parent_set(struct node *n, struct node *from, struct node *to)
{
	if (!is_dir(n))
		return;
	from->nlink--;
	to->nlink++;
	n->parent = to;
}

static void rename_apply(struct node *d, struct entry *from, struct node *d2, struct entry *to, const char *name2, uint32_t flags)
{
	struct node *n = from->node;
	if (to && to->node == n)
		return;
	if (flags & FS_RENAME_EXCHANGE) {
		from->node = to->node;
		to->node = n;
		parent_set(n, d, d2);
		parent_set(from->node, d2, d);
		return;
	}
	char *name = strdup(from->name);
	if (to)
		name_gone(d2, to);
	entry_remove(d, entry_find(d, name));
	entry_add(d2, name2, n);
	free(name);
}

static void op_rename(void)
{
	struct node *d = any_dir(), *d2 = host_random(2) ? d : any_dir();
	const char *name = any_name(), *name2 = any_name();
	struct fs_name a = host_name(name), b = host_name(name2);
	uint32_t flags = host_random(4) ? 0 : host_random(2) ? FS_RENAME_NOREPLACE : FS_RENAME_EXCHANGE;
	struct entry *from = entry_find(d, name), *to = entry_find(d2, name2);
	struct fs_attr attr;
	int64_t r = ext2_rename(d->ino, &a, d2->ino, &b, flags, &attr);
	if (is_full(r))
		return;
	CHECK(r == rename_expected(d, from, d2, to, flags));
	if (!r)
		rename_apply(d, from, d2, to, name2, flags);
}

static void data_resize_model(struct node *n, uint64_t size)
{
	n->data = realloc(n->data, size ? size : 1);
	if (size > n->size)
		memset(n->data + n->size, 0, size - n->size);
	n->size = size;
}

static void op_write(void)
{
	static uint8_t buf[70000];
	struct node *n = any_file();
	uint64_t len = host_random(3) ? host_random(9000) : host_random(sizeof buf);
	if (!n)
		return;
	uint64_t offset = host_random(3) ? host_random((uint32_t)n->size + 1) : host_random(host_random(2) ? 20000 : FILE_MAX - 70000);
	if (host_random(4) == 0)
		offset &= ~4095ull, len &= ~4095ull;
	if (len > FILE_MAX - offset)
		len = FILE_MAX - offset;
	for (uint64_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(i * 7 + offset + host_random(3));
	if (host_random(20) == 0)
		host_user_limit = host_random((uint32_t)len + 1);
	int64_t r = host_write(n->ino, offset, buf, len);
	bool cut = host_user_limit != UINT64_MAX;
	host_user_limit = UINT64_MAX;
	if (is_full(r) || r == -ESOFTFAULT)
		return;
	CHECK(r >= 0 && (r == (int64_t)len || cut || ++model.full));
	if (r > 0 && offset + (uint64_t)r > n->size)
		data_resize_model(n, offset + (uint64_t)r);
	memcpy(n->data ? n->data + offset : buf, buf, (size_t)r);
	n->mtime = 0;
}

static void op_truncate(void)
{
	struct node *n = any_file();
	if (!n)
		return;
	struct fs_attr in = { .size = host_random(3) ? host_random((uint32_t)n->size + 1) : host_random(FILE_MAX) }, a;
	int64_t r = ext2_setattr(n->ino, FS_SET_SIZE, &in, &a);
	CHECK(r == 0 && a.size == in.size);
	data_resize_model(n, in.size);
	n->mtime = 0;
}

static void op_punch(void)
{
	struct node *n = any_file();
	struct fs_attr a;
	if (!n)
		return;
	uint32_t offset = host_random((uint32_t)n->size + 100), len = 1 + host_random(host_random(2) ? 9000 : 200000);
	uint64_t mode = host_random(2) ? 3 : host_random(2) ? 16 | 1 : 0;
	if (mode == 0 && offset + len > FILE_MAX)
		return;
	int64_t r = ext2_fallocate(n->ino, mode, offset, len, &a);
	if (is_full(r)) {
		if (a.size != n->size) {	/* it went some way */
			data_resize_model(n, a.size);
			n->mtime = 0;
		}
		return;
	}
	CHECK(r == 0);
	uint64_t end = offset + len < n->size ? offset + len : n->size;
	if (mode && offset < end)
		memset(n->data + offset, 0, end - offset);
	if (!mode && offset + len > n->size)
		data_resize_model(n, offset + len);
	n->mtime = 0;
}

static void contents_agree(const struct node *n)
{
	static uint8_t buf[FILE_MAX + 10];
	int64_t r = host_read(n->ino, 0, buf, sizeof buf);
	CHECK(r == (int64_t)n->size);
	for (uint64_t i = 0; i < n->size; i++)
		if (buf[i] != n->data[i]) {
			fprintf(stderr, "inode %lu byte %lu of %lu: %u, should be %u\n", n->ino, i, n->size, buf[i], n->data[i]);
			abort();
		}
}

static void page_agrees(const struct node *n)
{
	uint64_t page = host_random((uint32_t)(n->size / 4096) + 2), valid;
	bool write = host_random(2);
	void *addr;
	int64_t r = ext2_getpage(n->ino, page, write, &addr, &valid);
	if (is_full(r))
		return;
	CHECK(r == (page * 4096 >= n->size ? -ENXIO : 0));
	if (r)
		return;
	CHECK(valid == (n->size - page * 4096 < 4096 ? n->size - page * 4096 : 4096) && !memcmp(addr, n->data + page * 4096, valid));
	if (write)		/* a program writes through its mapping */
		((uint8_t *)addr)[valid / 2] = n->data[page * 4096 + valid / 2] = (uint8_t)host_random(256);
}

static void op_read(void)
{
	struct node *n = any_file();
	if (n && host_random(3) == 0 && n->refs)
		page_agrees(n);
	else if (n)
		contents_agree(n);
}

static void op_setattr(void)
{
	struct node *n = any_node();
	struct fs_attr in = { .mode = host_random(07777), .uid = host_random(1u << 31), .gid = 9, .atime_ns = 5,
		.mtime_ns = 1234567890ll * 1000000000 + 987654321 }, a;
	if (host_random(5) == 0)
		in.mtime_ns = 5000000000ll * 1000000000 + 1;
	if (!model.has_ns)
		in.mtime_ns = 1234567890ll * 1000000000;
	CHECK(ext2_setattr(n->ino, FS_SET_MODE | FS_SET_UID | FS_SET_GID | FS_SET_MTIME | FS_SET_ATIME, &in, &a) == 0);
	n->mode = (n->mode & MODE_TYPE) | in.mode;
	n->uid = in.uid;
	n->gid = in.gid;
	n->mtime = is_dir(n) ? 0 : in.mtime_ns;
}

/* Open a file for a while; it may be unlinked meanwhile. */
static void op_keep(void)
{
	struct node **k = &model.kept[host_random(KEPT_MAX)], *n = any_file();
	if (*k) {
		ext2_forget((*k)->ino, 1);
		(*k)->refs--;
		if (!(*k)->nlink && !(*k)->refs)
			node_free(*k);
		*k = NULL;
		return;
	}
	if (!n || !n->nlink)
		return;
	for (unsigned i = 0; i < model.count; i++) {
		struct node *d = model.all[i];
		for (unsigned e = 0; is_dir(d) && e < d->count; e++)
			if (d->entries[e].node == n) {
				struct fs_attr a;
				CHECK(host_lookup(d->ino, d->entries[e].name, &a) == 0);
				attrs_agree(n, &a);
				n->refs++;
				*k = n;
				return;
			}
	}
}

static void op_sync(void)
{
	struct node *n = any_node();
	CHECK(ext2_sync(host_random(2) ? n->ino : 0, 0) == 0);
}

static void op_seek(void)
{
	struct node *n = any_file();
	uint64_t found;
	if (!n)
		return;
	uint64_t offset = host_random((uint32_t)n->size + 10);
	int64_t r = ext2_seek(n->ino, offset, SEEK_DATA, &found);
	CHECK(r == 0 || r == -ENXIO);
	uint64_t end = r ? n->size : found;
	for (uint64_t i = offset; i < end && i < n->size; i++)
		CHECK(n->data[i] == 0);
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

struct listing { struct node *d; unsigned seen; };

static void listed(void *ctx, const char *name, uint64_t ino)
{
	struct listing *l = ctx;
	struct entry *e = entry_find(l->d, name);
	if (!e && !strcmp(name, "lost+found"))
		return;
	CHECK(e && e->node->ino == ino);
	l->seen++;
}

static void node_agrees(struct node *n)
{
	struct fs_attr a;
	CHECK(ext2_getattr(n->ino, &a) == 0);
	attrs_agree(n, &a);
	if (is_reg(n)) {
		contents_agree(n);
	} else if (is_dir(n)) {
		struct listing l = { n, 0 };
		CHECK(host_list(n->ino, listed, &l) >= 0);
		CHECK(l.seen == n->count);
	} else if (n->target) {
		char buf[1100];
		int64_t r = ext2_readlink(n->ino, 0, buf, sizeof buf);
		CHECK(r == (int64_t)strlen(n->target) && !memcmp(buf, n->target, (size_t)r));
	}
}

static void all_agree(void)
{
	for (unsigned i = 0; i < model.count; i++)
		node_agrees(model.all[i]);
	for (unsigned i = 0; i < KEPT_MAX; i++)
		if (model.kept[i])
			node_agrees(model.kept[i]);
}

static void kept_drop(void)
{
	for (unsigned i = 0; i < KEPT_MAX; i++) {
		struct node *n = model.kept[i];
		if (n && --n->refs == 0 && !n->nlink)
			node_free(n);
		model.kept[i] = NULL;
	}
}

/* Another reader of the format must see the same. */
static void debugfs_agrees(const char *image)
{
	unsigned done = 0;
	for (unsigned i = 0; i < model.count && done < 5; i++) {
		const struct node *n = model.all[i];
		if (!is_reg(n) || !n->size || host_random(3))
			continue;
		host_run("debugfs -R 'dump <%lu> %s' %s >/dev/null 2>&1", n->ino, host_path("dump"), image);
		FILE *f = fopen(host_path("dump"), "r");
		uint8_t *buf = malloc(n->size);
		CHECK(f && fread(buf, 1, n->size, f) == n->size && !memcmp(buf, n->data, n->size));
		free(buf);
		fclose(f);
		done++;
	}
}

static void operations(unsigned count)
{
	static void (*const ops[])(void) = { op_create, op_create, op_create, op_symlink, op_link, op_unlink, op_unlink,
		op_unlink, op_rename, op_rename, op_write, op_write, op_write, op_write, op_truncate, op_punch, op_read, op_setattr,
		op_keep, op_keep, op_seek };
	for (unsigned i = 0; i < count; i++) {
		ops[host_random(sizeof ops / sizeof *ops)]();
		if (host_random(60) == 0)
			op_sync();
	}
}

static void model_start(void)
{
	struct fs_attr a;
	model = (struct model){ .has_ns = model.has_ns };
	CHECK(ext2_getattr(EXT2_ROOT_INO, &a) == 0);
	struct node *r = model.root = calloc(1, sizeof *r);
	*r = (struct node){ .ino = a.node, .mode = a.mode, .uid = a.uid, .gid = a.gid, .nlink = a.nlink };
	r->parent = r;
	model.all[model.count++] = r;
}

static void model_end(void)
{
	kept_drop();
	for (unsigned i = 0; i < model.count; i++) {
		struct node *n = model.all[i];
		for (unsigned e = 0; is_dir(n) && e < n->count; e++)
			free(n->entries[e].name);
		node_free(n);
	}
}

static void free_counts_agree(void)
{
	struct statfs s = { 0 };
	CHECK(ext2_statfs(ext2_mounted(), &s) == 0 && s.f_bfree <= s.f_blocks && s.f_ffree <= s.f_files);
}

static void sequence(const char *shape, const char *size, bool has_ns, unsigned rounds)
{
	char *image = strdup(host_path("model.img"));
	unlink(image);
	model.has_ns = has_ns;
	host_run("mke2fs -q -F %s %s %s >%s 2>&1", shape, image, size, host_path("mke2fs.log"));
	CHECK(host_mount(image, false) == 0);
	model_start();
	for (unsigned i = 0; i < rounds; i++) {
		operations(OPS / rounds + host_random(100));
		all_agree();
		free_counts_agree();
		kept_drop();
		host_unmount();
		host_fsck(image);
		debugfs_agrees(image);
		CHECK(host_mount(image, i % 2) == 0);
		all_agree();
		if (i % 2)
			CHECK(ext2_remount(false) == 0);
	}
	host_unmount();
	host_fsck(image);
	printf("ok model: %s (disk full %lu times)\n", shape, (unsigned long)model.full);
	model_end();
	free(image);
}

/* ---- single cases ------------------------------------------------------------------------------------------------ */

static void large_file(uint32_t block, uint64_t offset)
{
	char *image = strdup(host_path("large.img"));
	struct fs_attr a;
	uint64_t found;
	char buf[10] = "";
	unlink(image);
	host_run("mke2fs -q -F -t ext2 -b %u %s 20M >/dev/null", block, image);
	CHECK(host_mount(image, false) == 0);
	CHECK(host_create(EXT2_ROOT_INO, "large", MODE_REG | 0644, &a) == 0);
	CHECK(host_write(a.node, 0, "begin", 5) == 5);
	CHECK(host_write(a.node, offset, "far", 3) == 3);
	CHECK(ext2_getattr(a.node, &a) == 0 && a.size == offset + 3 && a.blocks < 100);
	CHECK(ext2_seek(a.node, 4096, SEEK_DATA, &found) == 0 && found == offset / block * block);
	CHECK(ext2_seek(a.node, 0, SEEK_HOLE, &found) == 0 && found == block);
	ext2_forget(a.node, 1);
	host_unmount();
	host_fsck(image);
	CHECK(host_mount(image, false) == 0);
	CHECK(host_lookup(EXT2_ROOT_INO, "large", &a) == 0 && a.size == offset + 3);
	CHECK(host_read(a.node, offset - 2, buf, 10) == 5 && !memcmp(buf, "\0\0far", 5));
	struct fs_name nm = host_name("large");
	CHECK(ext2_unlink(EXT2_ROOT_INO, &nm, 0, &a) == 0 && a.nlink == 0);
	CHECK(host_read(a.node, 0, buf, 5) == 5 && !memcmp(buf, "begin", 5));	/* open still */
	ext2_forget(a.node, 1);
	CHECK(ext2_getattr(a.node, &a) == -ESTALE);
	host_unmount();
	host_fsck(image);
	printf("ok file of %lu bytes, blocks of %u\n", (unsigned long)offset, block);
	free(image);
}

/* Unlinked while open, then a crash: the disk's list has them, and the next mount frees them. */
static void orphans_after_crash(void)
{
	char *image = strdup(host_path("left.img"));
	struct fs_attr a[3];
	static uint8_t data[50000];
	unlink(image);
	host_run("mke2fs -q -F -t ext2 -b 1024 %s 8M >/dev/null", image);
	CHECK(host_mount(image, false) == 0);
	for (int i = 0; i < 3; i++) {
		char name[4] = { 'f', (char)('0' + i), 0 };
		struct fs_name nm = host_name(name);
		CHECK(host_create(EXT2_ROOT_INO, name, MODE_REG | 0644, &a[i]) == 0);
		CHECK(host_write(a[i].node, 0, data, sizeof data) == sizeof data);
		CHECK(ext2_unlink(EXT2_ROOT_INO, &nm, 0, &a[i]) == 0);
	}
	ext2_forget(a[1].node, 1);	/* the middle of the list goes */
	CHECK(ext2_sync(0, 0) == 0);
	host_crash();
	CHECK(host_mount(image, false) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(ext2_getattr(a[i].node, &a[i]) == -ESTALE);
	host_unmount();
	host_fsck(image);
	printf("ok orphans after a crash\n");
	free(image);
}

/* A directory that e2fsck has given an index is read, and changed, as a plain one. */
static void indexed_directory(void)
{
	char *image = strdup(host_path("index.img"));
	struct fs_attr a, d;
	unlink(image);
	host_run("mke2fs -q -F -t ext2 -O dir_index -b 1024 %s 16M >/dev/null", image);
	CHECK(host_mount(image, false) == 0);
	CHECK(host_create(EXT2_ROOT_INO, "dir", MODE_DIR | 0755, &d) == 0);
	for (int i = 0; i < 1500; i++) {
		char name[40];
		snprintf(name, sizeof name, "a-file-with-number-%d", i);
		CHECK(host_create(d.node, name, MODE_REG | 0644, &a) == 0);
		ext2_forget(a.node, 1);
	}
	host_unmount();
	host_run("e2fsck -fyD %s >/dev/null 2>&1 || [ $? = 1 ]", image);
	CHECK(host_status("debugfs -R 'htree_dump /dir' %s 2>/dev/null | grep -q 'Root node'", image) == 0);
	CHECK(host_mount(image, false) == 0);
	CHECK(host_lookup(EXT2_ROOT_INO, "dir", &d) == 0 && host_list(d.node, NULL, NULL) == 1500);
	CHECK(host_lookup(d.node, "a-file-with-number-777", &a) == 0);
	for (int i = 0; i < 300; i++) {
		char name[40];
		snprintf(name, sizeof name, "another-%d", i);
		CHECK(host_create(d.node, name, MODE_REG | 0644, &a) == 0);
	}
	CHECK(host_list(d.node, NULL, NULL) == 1800);
	host_unmount();
	host_fsck(image);
	printf("ok indexed directory\n");
	free(image);
}

static void refused_and_readonly(void)
{
	char *image = strdup(host_path("refuse.img"));
	struct fs_attr a;
	unlink(image);
	host_run("mke2fs -q -F -t ext4 %s 16M >/dev/null", image);
	CHECK(host_mount(image, false) == -EINVAL);
	unlink(image);
	host_run("mke2fs -q -F -t ext2 -O huge_file,dir_nlink %s 16M >/dev/null", image);
	CHECK(host_mount(image, false) == 0 && ext2_mounted()->readonly);
	CHECK(host_create(EXT2_ROOT_INO, "x", MODE_REG | 0644, &a) == -EROFS);
	host_unmount();
	host_fsck(image);
	host_run("truncate -s 4M %s", image);
	CHECK(host_mount(image, false) == -EINVAL);
	printf("ok refused, read-only\n");
	free(image);
}

int main(void)
{
	host_start(96 << 20);
	unsigned seeds = host_seeds(1);
	static const char *const options[] = {
		"-t ext2 -b 1024 -I 128 -N 800 -g 2048", "-t ext2 -b 1024 -I 256", "-t ext2 -b 2048 -I 256 -O ^dir_index",
		"-t ext2 -b 4096 -I 256", "-t ext2 -b 4096 -I 128 -N 400", "-r 0 -O none -I 128 -b 1024",
		"-t ext2 -b 1024 -I 256 -O ^filetype,^sparse_super,^resize_inode", "-t ext2 -b 4096 -I 512 -O ^resize_inode" };
	for (unsigned seed = 0; seed < seeds; seed++)
		for (unsigned i = 0; i < sizeof options / sizeof *options; i++) {
			host_seed(seed * 100 + i + 1);
			sequence(options[i], i % 3 ? "8M" : "2M", !strstr(options[i], "-I 128"), 3);
		}
	large_file(1024, 5ull << 30);
	large_file(4096, 5ull << 30);
	large_file(4096, 1000ull << 30);
	orphans_after_crash();
	indexed_directory();
	refused_and_readonly();
	return 0;
}
