/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading of programs: the conversation with PM (exec.c), the image (execimage.c), arguments (execargs.c). */
#pragma once
#include "client.h"
#include "vfs.h"
#include <proto/vfs.h>

void exec_begin(const struct message *m);	/* VFS_EXEC */
void exec_commit(const struct message *m);	/* VFS_EXEC_COMMIT */
void exec_abort(struct client *c);		/* the process is gone */
