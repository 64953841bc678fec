/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes and FIFOs. */
#pragma once
#include "file.h"
#include "ring.h"

struct pipe;

/* Open a FIFO's vnode; waits for the other side as Linux does. */
int fifo_open(struct call *c, struct vnode *v, unsigned flags, struct file **out);
/* A new open file on the pipe behind f (through /proc/self/fd). -ENXIO if f is no pipe. */
int pipe_reopen(struct file *f, unsigned flags, struct file **out);
/* F_SETPIPE_SZ, F_GETPIPE_SZ. */
int64_t pipe_resize(struct call *c, struct file *f, bool set, uint64_t bytes);
unsigned pipes_count(void);
/* Is it a pipe, and which end? For splice. */
bool file_is_pipe(const struct file *f);
/* Copy (without consuming) up to len bytes of the pipe's contents; for tee. */
size_t pipe_peek(struct file *f, void *buf, size_t len);
/* Wait until f (a pipe's read end) has something. 1 data, 0 end, or an error. */
int pipe_wait_data(struct call *c, struct file *f, bool nonblock);
