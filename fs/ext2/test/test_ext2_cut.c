/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power cuts. A history of operations is run once, with every write to the disk recorded; then the disk is made again as it was after
 * the first N writes (the last one perhaps torn), for many N. e2fsck -fy has to repair each, and every file whose fsync had
 * returned before, and which nothing changed since, has to be there with its contents; a file being renamed, under one of its names.
 */
#include "host.h"

#include <fcntl.h>

enum { IMAGE_BYTES = 3 << 20, FILES = 24, HISTORY = 500, CUTS = 50, FILE_MAX = 60000, EVENTS_MAX = 20000 };

struct write { uint64_t pos, len; uint8_t *data; };

/* What is known of a file from a write of the history on. */
enum { UNSURE, SYNCED, RENAMING };
struct event { unsigned at, file; int kind; uint32_t version, size; char name[40], name2[40]; };

static struct history {
	struct write *writes;
	unsigned count, room;
	struct event events[EVENTS_MAX];
	unsigned nr_events;
} history;

static struct file { uint64_t ino, dir; uint32_t version, size; char name[40]; bool exists; } files[FILES];
static uint64_t dirs[3];

/* ---- recording --------------------------------------------------------------------------------------------------- */

static void record(const struct cache_io *io)
{
	struct write w = { io->pos, io->len, malloc(io->len) };
	uint64_t at = 0;
	for (uint32_t i = 0; i < io->nsegs; i++) {
		memcpy(w.data + at, io->seg[i].addr, io->seg[i].len);
		at += io->seg[i].len;
	}
	if (history.count == history.room)
		history.writes = realloc(history.writes, (history.room = history.room * 2 + 64) * sizeof w);
	history.writes[history.count++] = w;
}

static void recording_start(void *ctx, struct cache_io *io)
{
	if (io->op == CACHE_OP_WRITE)
		record(io);
	cache_host_backend.start(ctx, io);
}

static const struct cache_backend recording = { .start = recording_start };

static void event(unsigned i, int kind, const char *name2)
{
	CHECK(history.nr_events < EVENTS_MAX);
	struct event *e = &history.events[history.nr_events++];
	*e = (struct event){ .at = history.count, .file = i, .kind = kind, .version = files[i].version, .size = files[i].size };
	snprintf(e->name, sizeof e->name, "%s", files[i].name);
	snprintf(e->name2, sizeof e->name2, "%s", name2);
}

/* The last event that said something sure, if nothing unsure came after it. */
static const struct event *event_last(unsigned i)
{
	for (unsigned e = history.nr_events; e-- > 0; )
		if (history.events[e].file == i)
			return &history.events[e];
	return NULL;
}

static void contents(uint8_t *to, uint32_t file, uint32_t version, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		to[i] = (uint8_t)(file * 31 + version * 7 + i / 3 + (i >> 10));
}

/* ---- the history ------------------------------------------------------------------------------------------------- */

static uint8_t buf[FILE_MAX];

static void file_write(unsigned i)
{
	struct file *f = &files[i];
	struct fs_attr a = { 0 }, in = { .size = 0 };
	event(i, UNSURE, "");
	if (!f->exists) {
		f->dir = dirs[host_random(3)];
		snprintf(f->name, sizeof f->name, "%lu/file%u", f->dir, i);
		CHECK(host_create(f->dir, strchr(f->name, '/') + 1, MODE_REG | 0644, &a) == 0);
		f->ino = a.node;
		f->exists = true;
	} else if (host_random(2)) {
		CHECK(ext2_setattr(f->ino, FS_SET_SIZE, &in, &a) == 0);
	}
	f->version++;
	f->size = host_random(host_random(2) ? 5000 : FILE_MAX);
	contents(buf, i, f->version, f->size);
	in.size = f->size;
	CHECK(host_write(f->ino, 0, buf, f->size) == (int64_t)f->size && ext2_setattr(f->ino, FS_SET_SIZE, &in, &a) == 0);
}

static void file_sync(unsigned i)
{
	if (!files[i].exists)
		return;
	CHECK(ext2_sync(files[i].ino, 0) == 0);
	event(i, SYNCED, "");
}

static void file_unlink(unsigned i)
{
	struct file *f = &files[i];
	struct fs_attr a;
	if (!f->exists)
		return;
	struct fs_name nm = host_name(strchr(f->name, '/') + 1);
	event(i, UNSURE, "");
	CHECK(ext2_unlink(f->dir, &nm, 0, &a) == 0);
	ext2_forget(f->ino, 1);
	f->exists = false;
}

static void file_rename(unsigned i)
{
	struct file *f = &files[i];
	struct fs_attr a;
	char name[40], text[24];
	uint64_t dir = dirs[host_random(3)];
	if (!f->exists)
		return;
	snprintf(text, sizeof text, "moved%u-%u", i, host_random(1000));
	snprintf(name, sizeof name, "%lu/%s", dir, text);
	struct fs_name from = host_name(strchr(f->name, '/') + 1), to = host_name(text);
	const struct event *last = event_last(i);
	bool sure = last && last->kind == SYNCED;
	event(i, sure ? RENAMING : UNSURE, name);
	CHECK(ext2_rename(f->dir, &from, dir, &to, 0, &a) == 0);
	snprintf(f->name, sizeof f->name, "%s", name);
	f->dir = dir;
}

/* Age and want of memory write what they like, when they like. */
static void something_written(void)
{
	if (host_random(3))
		cache_sync_range(cache_dev_meta(host_dev), host_random(IMAGE_BYTES / 4096) * 4096ull, 4096ull * (1 + host_random(30)));
	else
		cache_sync(cache_dev_meta(host_dev));
}

static void history_run(void)
{
	static const char *const names[] = { "one", "two", "three" };
	struct fs_attr a;
	for (int i = 0; i < 3; i++) {
		CHECK(host_create(EXT2_ROOT_INO, names[i], MODE_DIR | 0755, &a) == 0);
		dirs[i] = a.node;
	}
	CHECK(ext2_sync(0, 0) == 0);
	for (int i = 0; i < HISTORY; i++) {
		unsigned f = host_random(FILES);
		switch (host_random(10)) {
		case 0: case 1: case 2: file_write(f); break;
		case 3: case 4: case 5: file_sync(f); break;
		case 6: file_unlink(f); break;
		case 7: file_rename(f); break;
		default: something_written(); break;
		}
	}
}

/* ---- cutting ----------------------------------------------------------------------------------------------------- */

static void disk_make(const char *image, const uint8_t *base, unsigned count)
{
	int fd = open(image, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(pwrite(fd, base, IMAGE_BYTES, 0) == IMAGE_BYTES);
	for (unsigned i = 0; i < count; i++) {
		const struct write *w = &history.writes[i];
		bool torn = i + 1 == count && host_random(2);
		uint64_t len = torn ? w->len / 1024 * host_random(4) / 4 * 1024 : w->len;
		CHECK(pwrite(fd, w->data, len, (off_t)w->pos) == (ssize_t)len);
	}
	close(fd);
}

static bool is_there(const char *name, const struct event *e)
{
	struct fs_attr a;
	static uint8_t want[FILE_MAX], got[FILE_MAX + 1];
	if (host_lookup(strtoul(name, NULL, 10), strchr(name, '/') + 1, &a))
		return false;
	contents(want, e->file, e->version, e->size);
	bool same = host_read(a.node, 0, got, sizeof got) == (int64_t)e->size && !memcmp(want, got, e->size);
	ext2_forget(a.node, 1);
	return same;
}

static unsigned synced_check(unsigned cut)
{
	unsigned checked = 0;
	for (unsigned i = 0; i < FILES; i++) {
		const struct event *last = NULL;
		for (unsigned e = 0; e < history.nr_events; e++)
			if (history.events[e].file == i && history.events[e].at <= cut)
				last = &history.events[e];
		/* A torn last write may be the fsync's own: only what came before it is sure. */
		if (!last || last->kind == UNSURE || last->at == cut)
			continue;
		bool there = is_there(last->name, last) || (last->kind == RENAMING && is_there(last->name2, last));
		if (!there)
			fprintf(stderr, "after %u of %u writes: %s %s (version %u, %u bytes, synced at %u) is lost\n", cut, history.count,
				last->name, last->name2, last->version, last->size, last->at);
		CHECK(there);
		checked++;
	}
	return checked;
}

static unsigned cut_check(const char *image, const uint8_t *base, unsigned cut)
{
	disk_make(image, base, cut);
	int r = host_status("e2fsck -fy %s >%s 2>&1", image, host_path("repair.log"));
	if (r > 1)
		host_status("cat %s >&2", host_path("repair.log"));
	CHECK(r <= 1);
	host_fsck(image);
	CHECK(host_mount(image, true) == 0);
	unsigned checked = synced_check(cut);
	host_unmount();
	return checked;
}

static void run_one(const char *shape, unsigned cuts)
{
	char *image = strdup(host_path("cut.img"));
	uint8_t *base = malloc(IMAGE_BYTES);
	unsigned checked = 0;
	unlink(image);
	host_run("mke2fs -q -F -t ext2 %s %s %dk >/dev/null 2>&1", shape, image, IMAGE_BYTES / 1024);
	int fd = open(image, O_RDONLY);
	CHECK(pread(fd, base, IMAGE_BYTES, 0) == IMAGE_BYTES);
	close(fd);
	host_backend = &recording;
	CHECK(host_mount(image, false) == 0);
	history_run();
	host_crash();
	host_backend = &cache_host_backend;
	for (unsigned i = 0; i < cuts; i++)
		checked += cut_check(image, base, host_random(history.count + 1));
	CHECK(checked > cuts);
	printf("ok %s: %u cuts in %u writes, %u synced files found\n", shape, cuts, history.count, checked);
	for (unsigned i = 0; i < history.count; i++)
		free(history.writes[i].data);
	free(history.writes);
	memset(&history, 0, sizeof history);
	memset(files, 0, sizeof files);
	free(base);
	free(image);
}

int main(void)
{
	host_start(96 << 20);
	for (unsigned seed = 0; seed < host_seeds(1); seed++) {
		host_seed(seed + 1);
		run_one("-b 1024 -I 128 -N 100", CUTS);
		run_one("-b 4096 -I 256 -N 100", CUTS);
	}
	return 0;
}
