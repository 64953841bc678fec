/* SPDX-License-Identifier: BSD-2-Clause */
/* Where unpredictability comes from on this machine. */
#pragma once
#include <stdint.h>

/* 64 bits from RDRAND mixed with the time-stamp counter; the counter alone where the instruction is missing or gives up. */
uint64_t entropy_word(void);
