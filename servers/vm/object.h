/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects: memory that regions of several spaces show. Shared anonymous memory, whose pages live here alone; and files, whose pages
 * belong to a file system. For a file the object is also the cache: a page once asked for is known as long as somebody maps the file
 * and for a short time after, so that a program started again and again is not asked for again and again.
 *
 *   region --ref--> object --pages--> frame            each entry of `pages` holds a reference on its frame
 *
 * A file object keeps VFS's references on the node (one for each mapping VFS made or allowed) and gives them back together when
 * the object goes (VFS_VM_UNREF), so a node number cannot be used again while something of it is remembered here.
 */
#pragma once
#include "pagemap.h"
#include "region.h"

enum object_kind { OBJECT_SHM, OBJECT_FILE };

/* Pages that earlier runs of a program wrote in their first moments, counted from its lowest page. The next run gets them at once. */
enum { PROFILE_MAX = 48, PROFILE_RUNS = 64 };
struct profile {
	uint32_t runs, n;		/* forgotten every PROFILE_RUNS runs */
	uint32_t page[PROFILE_MAX];
};

struct object {
	struct object *next;		/* FILE: in its hash chain */
	enum object_kind kind;
	uint32_t refs;			/* regions, and whoever is at work on it */
	struct pagemap pages;
	endpoint_t fs;
	uint32_t vfs_refs;		/* references VFS holds for us */
	uint64_t node;
	uint32_t idle;			/* ticks without references */
	bool dead;			/* its file system is gone: no new pages */
	struct profile *profile;	/* of the program in this file; may be NULL */
	bool writable;			/* mapped shared and writable by somebody: pages are asked for as such */
};

struct object *object_shm(void);			/* one reference; NULL: no memory */
struct object *object_file(endpoint_t fs, uint64_t node);	/* one reference (for the caller); NULL: no memory */
struct object *object_find(endpoint_t fs, uint64_t node);	/* no reference; NULL: unknown */
void object_count_vfs_ref(struct object *o);		/* VFS took one more reference for us */
void object_set_writable(struct object *o);
void object_profile_run(struct object *o);		/* one more run of this program begins */
void object_profile_add(struct object *o, uint64_t page);
bool object_profile_has(const struct object *o, uint64_t page);

/* The file lost its pages from `first` on: nobody maps them any more. copies: private ones neither. */
void object_forget(struct object *o, uint64_t first, bool copies);
void objects_fs_died(endpoint_t fs);
bool objects_tick(void);	/* time passes: true while there is something to wait for */
bool objects_reclaim(void);	/* memory is short: give up what nobody maps; true if something was freed */
void objects_release(endpoint_t fs);	/* the idle ones of a file system that is to be unmounted */
uint64_t objects_cached_pages(void);
uint64_t objects_shm_pages(void);
void vfs_unref(endpoint_t fs, uint64_t node, uint32_t count);
