/* SPDX-License-Identifier: BSD-2-Clause */
/* arch_keep_in_register(x): the compiler forgets how the value came about, and keeps it instead of computing it again. */
#pragma once
#define arch_keep_in_register(x) __asm__("" : "+r"(x))
