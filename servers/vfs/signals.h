/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include "vfs.h"
#include <signal.h>
/* Ask PM to raise a signal on a process; nothing comes back. */
void signal_send(endpoint_t ep, int signo);
