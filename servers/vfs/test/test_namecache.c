/* SPDX-License-Identifier: BSD-2-Clause */
/* The name cache: found, known to be absent, unknown; nothing is left of a vnode that goes. */
#include "expect.h"
#include "namecache.h"
#include <string.h>

static char marks[64];
static struct vnode *fake(int n) { return (struct vnode *)(void *)&marks[n]; }

static enum namecache_result look(int dir, const char *name, struct vnode **v)
{
	return namecache_lookup(fake(dir), name, strlen(name), v);
}

static void enter(int dir, const char *name, struct vnode *v) { namecache_enter(fake(dir), name, strlen(name), v); }

static void three_answers(void)
{
	struct vnode *v;
	EXPECT(look(0, "a", &v) == NAMECACHE_UNKNOWN);
	enter(0, "a", fake(1));
	enter(0, "b", NULL);
	EXPECT(look(0, "a", &v) == NAMECACHE_FOUND && v == fake(1));
	EXPECT(look(0, "b", &v) == NAMECACHE_ABSENT);
	EXPECT(look(2, "a", &v) == NAMECACHE_UNKNOWN);
	enter(0, "a", NULL);	/* the later knowledge counts */
	EXPECT(look(0, "a", &v) == NAMECACHE_ABSENT);
	namecache_drop(fake(0), "a", 1);
	EXPECT(look(0, "a", &v) == NAMECACHE_UNKNOWN);
}

static void nothing_is_left_of_a_vnode(void)
{
	struct vnode *v;
	enter(3, "x", fake(4));
	enter(4, "y", fake(5));
	enter(4, "z", NULL);
	enter(5, "x", fake(4));
	namecache_drop_vnode(fake(4));
	EXPECT(look(3, "x", &v) == NAMECACHE_UNKNOWN && look(4, "y", &v) == NAMECACHE_UNKNOWN);
	EXPECT(look(4, "z", &v) == NAMECACHE_UNKNOWN && look(5, "x", &v) == NAMECACHE_UNKNOWN);
}

static void old_entries_make_room(void)
{
	struct vnode *v;
	char name[32];
	enter(6, "kept", fake(7));
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof name, "file%d", i);
		enter(6, name, fake(8));
		EXPECT(look(6, name, &v) == NAMECACHE_FOUND);
		EXPECT(look(6, "kept", &v) == NAMECACHE_FOUND);	/* in use, so it stays */
	}
	EXPECT(look(6, "file0", &v) == NAMECACHE_UNKNOWN);
	EXPECT(namecache_count() <= 4096);
	namecache_drop_vnode(fake(6));
	EXPECT(look(6, "kept", &v) == NAMECACHE_UNKNOWN);
}

static void long_names_are_not_cached(void)
{
	struct vnode *v;
	char name[256];
	memset(name, 'n', sizeof name - 1);
	name[255] = 0;
	enter(9, name, fake(10));
	EXPECT(look(9, name, &v) == NAMECACHE_UNKNOWN);
	namecache_drop(fake(9), name, 255);
}

int main(void)
{
	three_answers();
	nothing_is_left_of_a_vnode();
	old_entries_make_room();
	long_names_are_not_cached();
	printf("ok namecache\n");
}
