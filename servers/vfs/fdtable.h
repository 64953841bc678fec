/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of descriptors, shared by threads. Pure: it knows only pointers; the owner takes and drops references of what it stores.
 * A slot may be reserved (taken but not yet usable) while the file for it is being opened.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct file;

struct fdtable {
	unsigned refs;
	int size;			/* slots allocated */
	int first_free;			/* no free slot below it */
	int used;			/* slots taken */
	struct file **files;		/* NULL: free or reserved */
	uint64_t *taken, *cloexec;	/* bitmaps */
};

struct fdtable *fdtable_new(void);
struct fdtable *fdtable_copy(const struct fdtable *t, struct file *(*get)(struct file *f));	/* reserved slots are free in the copy */
void fdtable_free(struct fdtable *t);		/* the slots must be empty */
/* Lowest free slot >= from and < limit: reserved. -EMFILE, -ENOMEM. */
int fdtable_reserve(struct fdtable *t, int from, uint64_t limit);
/* Reserve exactly fd (which must be free or hold a file, which stays). -EBADF beyond the limit, -ENOMEM, -EBUSY when reserved. */
int fdtable_reserve_at(struct fdtable *t, int fd, uint64_t limit);
void fdtable_release(struct fdtable *t, int fd);	/* a reserved slot becomes free */
void fdtable_install(struct fdtable *t, int fd, struct file *f, bool cloexec);
struct file *fdtable_remove(struct fdtable *t, int fd);	/* NULL: no file there */
bool fdtable_cloexec(const struct fdtable *t, int fd);
void fdtable_set_cloexec(struct fdtable *t, int fd, bool on);

static inline struct file *fdtable_lookup(const struct fdtable *t, int fd)
{
	return fd >= 0 && fd < t->size ? t->files[fd] : 0;
}
