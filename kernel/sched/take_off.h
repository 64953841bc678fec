/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Called while waiting for the lock: lets go of this CPU's process when the holder asked for it. */
void sched_serve_take_off(void);
