/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of dead processes that a device may still write to. */
#pragma once
#include "space.h"

enum { REST_TICKS = 8 };	/* of half a second: twice what a driver may let its device work on one request */

void rest_begin(struct space *s);	/* its last process is gone; takes it over */
bool rest_tick(void);			/* more to come */
