/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of descriptors. Grows by doubling; bitmaps find the lowest free slot. It dies with the process that owns it. */
#include "fdtable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FDTABLE_MIN = 64, FDTABLE_MAX = 1 << 20, WORD_BITS = 64 };

static bool bit_test(const uint64_t *map, int i) { return map[i / WORD_BITS] >> (i % WORD_BITS) & 1; }
static void bit_set(uint64_t *map, int i) { map[i / WORD_BITS] |= 1ull << (i % WORD_BITS); }
static void bit_clear(uint64_t *map, int i) { map[i / WORD_BITS] &= ~(1ull << (i % WORD_BITS)); }

/* One block holds the three arrays. */
static bool fdtable_resize(struct fdtable *t, int size)
{
	size_t words = (size_t)size / WORD_BITS;
	struct file **files = calloc(1, (size_t)size * sizeof *files + 2 * words * sizeof(uint64_t));
	if (!files)
		return false;
	uint64_t *taken = (uint64_t *)(void *)(files + size), *cloexec = taken + words;
	if (t->files) {
		size_t old_words = (size_t)t->size / WORD_BITS;
		memcpy(files, t->files, (size_t)t->size * sizeof *files);
		memcpy(taken, t->taken, old_words * sizeof *taken);
		memcpy(cloexec, t->cloexec, old_words * sizeof *cloexec);
		free(t->files);
	}
	t->files = files;
	t->taken = taken;
	t->cloexec = cloexec;
	t->size = size;
	return true;
}

static bool fdtable_grow(struct fdtable *t, int fd)
{
	int size = t->size;
	while (size <= fd)
		size *= 2;
	return size == t->size || fdtable_resize(t, size);
}

struct fdtable *fdtable_new(void)
{
	struct fdtable *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->refs = 1;
	if (!fdtable_resize(t, FDTABLE_MIN)) {
		free(t);
		return NULL;
	}
	return t;
}

void fdtable_free(struct fdtable *t)
{
	free(t->files);
	free(t);
}

static int highest_file(const struct fdtable *t)
{
	int fd = t->size - 1;
	while (fd >= 0 && !t->files[fd])
		fd--;
	return fd;
}

struct fdtable *fdtable_copy(const struct fdtable *t, struct file *(*get)(struct file *f))
{
	struct fdtable *copy = fdtable_new();
	int top = highest_file(t);
	if (!copy)
		return NULL;
	if (!fdtable_grow(copy, top < 0 ? 0 : top)) {
		fdtable_free(copy);
		return NULL;
	}
	for (int fd = 0; fd <= top; fd++)
		if (t->files[fd])
			fdtable_install(copy, fd, get(t->files[fd]), bit_test(t->cloexec, fd));
	return copy;
}

static int first_zero(const struct fdtable *t, int from)
{
	for (int w = from / WORD_BITS; w < t->size / WORD_BITS; w++) {
		uint64_t free = ~t->taken[w];
		if (w == from / WORD_BITS)
			free &= ~0ull << (from % WORD_BITS);
		if (free)
			return w * WORD_BITS + __builtin_ctzll(free);
	}
	return t->size;
}

int fdtable_reserve(struct fdtable *t, int from, uint64_t limit)
{
	int fd = first_zero(t, from > t->first_free ? from : t->first_free);
	if (from > fd)
		fd = from;
	if ((uint64_t)fd >= limit || fd >= FDTABLE_MAX)
		return -EMFILE;
	if (!fdtable_grow(t, fd))
		return -ENOMEM;
	bit_set(t->taken, fd);
	t->used++;
	if (from <= t->first_free)
		t->first_free = fd + 1;
	return fd;
}

int fdtable_reserve_at(struct fdtable *t, int fd, uint64_t limit)
{
	if (fd < 0 || (uint64_t)fd >= limit || fd >= FDTABLE_MAX)
		return -EBADF;
	if (!fdtable_grow(t, fd))
		return -ENOMEM;
	if (bit_test(t->taken, fd))
		return t->files[fd] ? fd : -EBUSY;
	bit_set(t->taken, fd);
	t->used++;
	return fd;
}

void fdtable_release(struct fdtable *t, int fd)
{
	bit_clear(t->taken, fd);
	bit_clear(t->cloexec, fd);
	t->used--;
	if (fd < t->first_free)
		t->first_free = fd;
}

void fdtable_install(struct fdtable *t, int fd, struct file *f, bool cloexec)
{
	if (!bit_test(t->taken, fd)) {
		bit_set(t->taken, fd);
		t->used++;
	}
	t->files[fd] = f;
	fdtable_set_cloexec(t, fd, cloexec);
}

struct file *fdtable_remove(struct fdtable *t, int fd)
{
	struct file *f = fdtable_lookup(t, fd);
	if (!f)
		return NULL;
	t->files[fd] = NULL;
	fdtable_release(t, fd);
	return f;
}

bool fdtable_cloexec(const struct fdtable *t, int fd) { return bit_test(t->cloexec, fd); }

void fdtable_set_cloexec(struct fdtable *t, int fd, bool on)
{
	if (on)
		bit_set(t->cloexec, fd);
	else
		bit_clear(t->cloexec, fd);
}
