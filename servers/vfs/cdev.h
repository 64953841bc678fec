/* SPDX-License-Identifier: BSD-2-Clause */
/* Character devices: the device map and files on devices. */
#pragma once
#include "client.h"
#include "file.h"
#include "vfs.h"

struct sef_init_info;

void cdev_init(const struct sef_init_info *info);
void cdev_map(int32_t major, endpoint_t ep, const char *label);	/* VFS_MAPDRIVER */
void cdev_ready(const struct message *m);			/* CDEV_READY */
void cdev_driver_dead(endpoint_t ep);
/* Open the device v; the file takes a reference of v. */
int cdev_open(struct call *c, struct client *cl, struct vnode *v, unsigned flags, struct file **out);
size_t cdev_text(char *buf, size_t room);			/* /proc/devices */
void cdev_session_end(struct client *cl);			/* its leader ends: hang up the terminal */
/* For mmap: is this /dev/zero? */
bool cdev_is_zero(const struct file *f);
