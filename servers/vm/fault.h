/* SPDX-License-Identifier: BSD-2-Clause */
/* Page faults and the kernel's requests for memory: announced by signal, fetched from lists until these are empty. */
#pragma once
#include <stdint.h>

void on_kernel_signals(uint64_t signals);

struct fault_counts { uint64_t minor, major, cow_breaks, memreqs; };
const struct fault_counts *fault_counts(void);
