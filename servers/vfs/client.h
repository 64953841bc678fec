/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients: the user processes (and threads) that PM has told us about, by kernel slot.
 */
#pragma once
#include "fdtable.h"
#include "vfs.h"
#include <proto/vfs.h>
#include <abi/limits.h>

struct vnode;

struct fsctx { unsigned refs; struct vnode *cwd, *root; uint32_t umask; };	/* shared with CLONE_FS */
struct session { unsigned refs; int32_t sid; uint32_t ctty; struct list link; };	/* ctty: device number, 0 = none */
struct groups { unsigned refs; uint32_t count; uint32_t ids[]; };
struct exec;

struct client {
	unsigned refs;
	endpoint_t ep;
	int32_t pid, pgid;
	struct session *session;
	uint32_t uid, gid, fsuid, fsgid;
	struct groups *groups;
	struct fdtable *fds;
	struct fsctx *fs;
	struct vnode *exe;
	struct vfs_args_info args;	/* where exe's arguments and environment lie */
	struct call *call;		/* in progress, or NULL */
	struct exec *exec;		/* being loaded, or NULL */
	uint64_t limit_files, limit_fsize, limit_stack;
	bool gone;			/* PM has said EXIT */
	bool wants_console;		/* init: descriptors 0..2 are still to be opened */
};

void sessions_each(void (*fn)(const struct session *s, void *arg), void *arg);
struct client *client_find(endpoint_t ep);	/* NULL: unknown or gone */
struct client *client_at(unsigned slot);	/* whoever has the slot, or NULL */
static inline struct client *client_get(struct client *c) { c->refs++; return c; }
void client_put(struct client *c);
bool client_in_group(const struct client *c, uint32_t gid);
static inline bool client_is_root(const struct client *c) { return c->fsuid == 0; }
unsigned client_count(void);
/* The program it runs; that file cannot be written meanwhile. NULL: none. */
void client_set_exe(struct client *c, struct vnode *v);

/* ---- requests of PM (pmcalls.c uses them) ---- */
int client_fork(endpoint_t parent, endpoint_t child, int32_t pid, uint32_t flags);
void client_exit(struct client *c);
int client_setids(struct client *c, int32_t pid, int32_t pgid, int32_t sid);
void client_set_groups(struct client *c, struct groups *g);	/* takes g over */
int client_unshare_files(struct client *c);
void client_close_on_exec(struct client *c);

/* Close everything in a table that nobody uses any more; also drops the process's record locks. */
void fds_put(struct fdtable *t);
