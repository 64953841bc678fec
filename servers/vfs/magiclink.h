/* SPDX-License-Identifier: BSD-2-Clause */
/* Magic links of /proc: cwd, root, exe and fd/N of a process. */
#pragma once
#include "client.h"

struct file;

/* Where it leads: *v or, for an open file without a vnode, *f (a reference each). */
int magiclink_follow(struct client *who, int64_t magic, struct vnode **v, struct file **f);
/* 0 or -EACCES, -ENOENT: may `who` know where it leads? */
int magiclink_check(struct client *who, int64_t magic);
/* May `who` look into the files of `target`? */
bool magiclink_allowed(const struct client *who, const struct client *target);
