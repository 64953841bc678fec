/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HOT marks the functions that every page fault runs through. The linker puts them side by side, on few pages: after a switch of address
 * spaces each page touched costs a refill of the TLB.
 */
#pragma once

#define HOT __attribute__((hot))
