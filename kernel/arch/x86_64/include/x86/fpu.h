/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include <arch/fpu.h>
#include <stdbool.h>

void x86_fpu_image_get(struct arch_fpu *fpu, uint8_t area[512]);
int x86_fpu_fault_code(bool x87);
void x86_fpu_image_set(struct arch_fpu *fpu, const uint8_t area[512]);
