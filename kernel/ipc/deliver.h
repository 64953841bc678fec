/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include <kernel/ipc.h>

#define IPC_STATUS_OF(primitive) ((uint32_t)((primitive) - IPC_SEND + 1))

/* dst's registers hold a message: set source and status, end its wait (without waking it). */
void ipc_finish_receive(struct proc *dst, endpoint_t source, uint32_t status);
