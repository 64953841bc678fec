/* SPDX-License-Identifier: BSD-2-Clause */
/* Files on character devices. */
#pragma once
#include "client.h"
#include "file.h"
#include "vfs.h"

struct driver;
struct sef_init_info;

void cdev_init(const struct sef_init_info *info);
void cdev_ready(const struct message *m);			/* CDEV_READY */
void cdev_progress(const struct message *m);			/* CDEV_PROGRESS */
/* Driver-up event; `old` is the endpoint of the instance before. And: there is no driver and none is coming. (device.c) */
void cdev_driver_up(struct driver *driver, endpoint_t old);
void cdev_driver_down(struct driver *driver);
/* Open the device v; the file takes a reference of v. */
int cdev_open(struct call *c, struct client *cl, struct vnode *v, unsigned flags, struct file **out);
void cdev_session_end(struct client *cl);			/* its leader ends: hang up the terminal */
/* For mmap: is this /dev/zero? */
bool cdev_is_zero(const struct file *f);
