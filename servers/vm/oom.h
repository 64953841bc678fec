/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory is exhausted: who gives some up. */
#pragma once
#include "space.h"

/* True: memory was freed and s may try again. False: s itself has to go, or there is nothing to free. */
bool oom_relieve(struct space *s);
/* Checked before anything that costs VM's own memory on behalf of a user: -ENOMEM when little is left. */
err_t memory_for_request(const struct space *s);
