/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of descriptors: lowest free slot, limits, reserved slots, copies. */
#include "expect.h"
#include "fdtable.h"
#include <errno.h>

static struct file *fake(uintptr_t n) { return (struct file *)(n * 8); }
static int gets;
static struct file *count_get(struct file *f) { gets++; return f; }

static void empty(struct fdtable *t)
{
	for (int fd = 0; fd < t->size; fd++)
		fdtable_remove(t, fd);
	fdtable_free(t);
}

static void lowest_free_slot_is_taken(void)
{
	struct fdtable *t = fdtable_new();
	for (int i = 0; i < 200; i++) {
		int fd = fdtable_reserve(t, 0, 1024);
		EXPECT(fd == i);
		fdtable_install(t, fd, fake(i + 1), i & 1);
	}
	EXPECT(fdtable_remove(t, 70) == fake(71));
	EXPECT(fdtable_remove(t, 3) == fake(4));
	EXPECT(fdtable_remove(t, 3) == NULL);
	EXPECT(fdtable_reserve(t, 10, 1024) == 70);
	EXPECT(fdtable_reserve(t, 0, 1024) == 3);
	EXPECT(fdtable_reserve(t, 0, 1024) == 200);
	EXPECT(fdtable_reserve(t, 500, 1024) == 500);
	EXPECT(fdtable_reserve(t, 0, 202) == 201);
	EXPECT(fdtable_reserve(t, 0, 202) == -EMFILE);
	EXPECT(fdtable_cloexec(t, 5) && !fdtable_cloexec(t, 6));
	EXPECT(fdtable_lookup(t, -1) == NULL && fdtable_lookup(t, 1 << 30) == NULL && fdtable_lookup(t, 500) == NULL);
	fdtable_release(t, 3);
	fdtable_release(t, 70);
	fdtable_release(t, 200);
	fdtable_release(t, 201);
	fdtable_release(t, 500);
	empty(t);
}

static void exact_slots(void)
{
	struct fdtable *t = fdtable_new();
	EXPECT(fdtable_reserve_at(t, 100, 100) == -EBADF);
	EXPECT(fdtable_reserve_at(t, -1, 100) == -EBADF);
	EXPECT(fdtable_reserve_at(t, 99, 100) == 99);
	EXPECT(fdtable_reserve_at(t, 99, 100) == -EBUSY);
	fdtable_install(t, 99, fake(1), false);
	EXPECT(fdtable_reserve_at(t, 99, 100) == 99);	/* occupied: the file stays until it is replaced */
	EXPECT(fdtable_lookup(t, 99) == fake(1));
	empty(t);
}

static void copies_have_no_reserved_slots(void)
{
	struct fdtable *t = fdtable_new();
	EXPECT(fdtable_reserve(t, 0, 10) == 0);
	fdtable_install(t, fdtable_reserve(t, 0, 10), fake(2), true);
	fdtable_install(t, fdtable_reserve_at(t, 300, 1000), fake(3), false);
	struct fdtable *c = fdtable_copy(t, count_get);
	EXPECT(gets == 2 && fdtable_lookup(c, 1) == fake(2) && fdtable_cloexec(c, 1) && fdtable_lookup(c, 300) == fake(3));
	EXPECT(fdtable_reserve(c, 0, 10) == 0);
	fdtable_release(t, 0);
	fdtable_release(c, 0);
	empty(t);
	empty(c);
}

int main(void)
{
	lowest_free_slot_is_taken();
	exact_slots();
	copies_have_no_reserved_slots();
	printf("ok fdtable\n");
}
