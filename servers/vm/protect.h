/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include "space.h"

/* mprotect on a space: page-aligned addr, PROT_* of Linux, with its errors. */
int64_t space_protect(struct space *s, vaddr_t addr, uint64_t len, uint64_t prot);
