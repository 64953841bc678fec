/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include "vfs.h"
struct file;
/* The last reference to f is gone: it leaves all epoll sets. */
void epoll_file_closed(struct file *f);
