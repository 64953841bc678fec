/* SPDX-License-Identifier: BSD-2-Clause */
#include "host_backend.h"
#include "../region.h"

void object_get(struct object *o) { o->refs++; }
void object_put(struct object *o) { o->refs--; }
