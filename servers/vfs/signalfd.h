/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include "vfs.h"
void signalfd_ready(const struct message *m);	/* VFS_SIGNALS */
