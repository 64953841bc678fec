/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of PM, VM, RS and procfs (proto/vfs.h). Each handler answers by itself. */
#pragma once
#include "vfs.h"

void on_vfs_request(const struct message *m, bool wants_reply);
void on_cancel(const struct message *m);
void on_vm_mmap(const struct message *m);
void on_vm_unref(const struct message *m);
void on_vm_name(const struct message *m);
void on_info(const struct message *m);
