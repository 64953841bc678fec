/* SPDX-License-Identifier: BSD-2-Clause */
/* Block special files, and who has which block device in use. */
#pragma once
#include "client.h"
#include "file.h"
#include "vfs.h"

void blkdevs_init(void);
/* Open the block special file v; the file takes a reference of v. */
int blkdev_open(struct call *c, struct vnode *v, unsigned flags, struct file **out);

/*
 * A file system is to be mounted on the device: nobody else mounts it or writes to it meanwhile, and what files wrote to it is there.
 * label (LABEL_LEN bytes): of its driver. May wait. -EBUSY, -ENXIO, -EIO.
 */
int blkdev_claim(uint64_t rdev, char *label);
void blkdev_release(uint64_t rdev);
/* Write what files wrote. May wait. */
int blkdevs_sync(void);
/* fsync of a file on a device. May wait. */
int blkdev_file_sync(struct file *f);
/* fallocate on one: zeros, or contents that are not needed any more. May wait. */
int blkdev_fallocate(struct file *f, uint64_t mode, uint64_t offset, uint64_t len);
bool blkdev_is_file(const struct file *f);
