/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Takes over memory from the kernel: the free frames, and what the boot services have mapped. */
void vm_take_over(void);
