/* SPDX-License-Identifier: BSD-2-Clause */
/* AF_UNIX sockets. */
#pragma once
#include "file.h"

unsigned sockets_count(void);
