/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls.h"
int64_t rq_signalfd(struct call *c) { (void)c; return -ENOSYS; }
int64_t rq_signalfd4(struct call *c) { (void)c; return -ENOSYS; }
