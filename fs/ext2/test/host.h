/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2 on the host: image files made by mke2fs, mounted through libcache's host backend, checked by e2fsck. What libfs supplies in the
 * service is here: the "asking process" is a plain buffer.
 */
#pragma once
#include <assert.h>
#include <errno.h>
#include <libcache/cache_host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../ext2.h"

/* A buffer of its own for each of several requests at the same time. Grant 0 is host_user. */
grant_t host_grant(void *buf);
void host_ungrant(grant_t grant);
extern uint8_t *host_user;		/* memory of the asking process */
extern uint64_t host_user_limit;	/* bytes of it that are present; beyond: -ESOFTFAULT */
extern struct cache_host host_disk;
extern struct cache_dev *host_dev;
extern const struct cache_backend *host_backend;	/* cache_host_backend, or one around it */

#define CHECK(x) do { if (!(x)) { fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #x); abort(); } } while (0)

void host_start(uint64_t arena);				/* bytes of cache */
void host_end(void);					/* from a fiber: leaves at once */
const char *host_path(const char *name);		/* in a folder that disappears at the end */
void host_run(const char *format, ...) __attribute__((format(printf, 1, 2)));	/* a command that must succeed */
int host_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern bool host_again;			/* mounts are those of a successor, after a death */
int host_mount(const char *image, bool readonly);	/* result of ext2_mount */
void host_unmount(void);
void host_crash(void);					/* forget all without writing */
void host_fsck(const char *image);			/* e2fsck -fn must find nothing */

uint32_t host_random(uint32_t below);
void host_seed(uint64_t seed);
unsigned host_seeds(unsigned usual);			/* number of rounds: EXT2_SEEDS or the usual one */

struct fs_name host_name(const char *text);
int64_t host_lookup(uint64_t dir, const char *name, struct fs_attr *attr);
int64_t host_create(uint64_t dir, const char *name, uint32_t mode, struct fs_attr *attr);
int64_t host_write(uint64_t node, uint64_t offset, const void *from, uint64_t len);
int64_t host_read(uint64_t node, uint64_t offset, void *to, uint64_t len);
/* All names of a directory but "." and ".."; each is passed with its inode number. Number of names or an error. */
int64_t host_list(uint64_t dir, void (*each)(void *ctx, const char *name, uint64_t ino), void *ctx);
