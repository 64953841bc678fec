/* SPDX-License-Identifier: BSD-2-Clause */
/* How region.c keeps its regions: nodes of a pool, in a list by address and in a balanced tree that knows the holes. */
#pragma once
#include "region.h"

/* Takes a node of the pool for *r and puts it in behind node prev (0: in front of all). The pool must have room. */
uint16_t tree_add(struct regions *rs, uint16_t prev, const struct region *r);
void tree_remove(struct regions *rs, uint16_t n);
/* The hole below node n has changed, its place among the others has not. */
void tree_hole_changed(struct regions *rs, uint16_t n);
err_t tree_reserve(struct regions *rs, uint32_t extra);	/* room for that many more nodes. -ENOMEM */
