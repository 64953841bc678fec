/* SPDX-License-Identifier: BSD-2-Clause */
/* VM's own memory: objects never overlap, everything comes back, refusals are clean. */
#include "../kmem.h"
#include "host_backend.h"

#include <stdio.h>
#include <string.h>

enum { OBJECTS = 3000, STEPS = 200000 };
static struct { unsigned char *p; size_t size; unsigned char fill; } objects[OBJECTS];

static size_t random_size(void)
{
	return host_random(20) ? 1 + host_random(2300) : 1 + host_random(40000);
}

static void object_check(int i)
{
	for (size_t k = 0; k < objects[i].size; k += 13)
		CHECK(objects[i].p[k] == objects[i].fill);
	CHECK(objects[i].p[objects[i].size - 1] == objects[i].fill);
}

static void step(void)
{
	int i = host_random(OBJECTS);

	if (objects[i].p) {
		object_check(i);
		kmem_free(objects[i].p, objects[i].size);
		objects[i].p = NULL;
		return;
	}
	objects[i].size = random_size();
	objects[i].fill = host_random(256);
	objects[i].p = kmem_alloc(objects[i].size);
	if (objects[i].p)
		memset(objects[i].p, objects[i].fill, objects[i].size);
}

int main(void)
{
	host_start(2);
	for (int n = 0; n < STEPS; n++) {
		if (n % 1000 == 0)
			host_fail_after(n % 3000 ? -1 : (int)host_random(30));
		step();
	}
	host_fail_after(-1);
	for (int i = 0; i < OBJECTS; i++)
		if (objects[i].p)
			kmem_free(objects[i].p, objects[i].size);
	CHECK(kmem_pages_used() == 0);
	CHECK(kmem_alloc((size_t)2 << 30) == NULL);
	puts("ok");
	return 0;
}
