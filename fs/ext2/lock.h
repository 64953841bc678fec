/* SPDX-License-Identifier: BSD-2-Clause */
/* A lock between fibers: many readers or one writer, in the order in which they came. */
#pragma once
#include <stdbool.h>

struct lock_waiter;
struct lock { int holders; /* -1: a writer */ struct lock_waiter *first, *last; };

void lock_get(struct lock *l, bool write);	/* waits */
bool lock_try(struct lock *l, bool write);
void lock_put(struct lock *l);
