/* SPDX-License-Identifier: BSD-2-Clause */
/* What an access to a page means: the one place that decides which frame a page gets. */
#pragma once
#include "mapper.h"
#include "space.h"

struct pagein;

/*
 * Makes the page at addr present for `access` (MAP_READ, MAP_WRITE, MAP_EXEC): an operation is added to the mapper unless nothing
 * has to change.
 *   0        will be present when the mapper is flushed
 *  -EFAULT   nothing there          -EACCES  not permitted          -EIO   the file has no such page
 *  -ENOMEM   no frame               -EAGAIN  the page is being fetched, *in says where to wait (in may be NULL: not started)
 */
err_t page_resolve(struct space *s, vaddr_t addr, uint32_t access, enum frame_level level, struct pagein **in);
/* After a fault at addr was resolved: also map what will probably be touched next. */
void page_resolve_around(struct space *s, vaddr_t addr, uint32_t access);
/* Before a fault at addr waits for a file system: ask for the pages behind it too, if they are read for the first time. */
void page_read_ahead(struct space *s, vaddr_t addr);
/* A new region of a program: what is known of its file, and what earlier runs wrote, is mapped at once. Adds operations. */
void region_preload(struct space *s, const struct region *r);
/* The page was written by fault: if this is the beginning of a program, the next run will have it from the start. */
void page_profile(struct space *s, vaddr_t addr);

/* Rights of a page of region r in the page tables. `own`: nobody else has the frame. */
uint32_t page_rights(const struct space *s, const struct region *r, bool own);
