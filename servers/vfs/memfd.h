/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include "file.h"
/* F_ADD_SEALS, F_GET_SEALS. */
int64_t memfd_seals(struct file *f, bool add, unsigned seals);
