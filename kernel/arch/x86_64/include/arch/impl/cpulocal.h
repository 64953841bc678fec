/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU-local data relative to %gs, whose base is the distance from the template to this CPU's copy. */
#pragma once
#include <abi/limits.h>
#include <stdint.h>

#define CPULOCAL __attribute__((section(".cpulocal")))

extern uint64_t x86_cpulocal_distance[CONFIG_MAX_CPUS];	/* copy minus template, per CPU */
extern CPULOCAL uint64_t x86_this_distance;		/* the same, of this CPU */
extern CPULOCAL unsigned x86_this_cpu;

#define get_cpulocal_var(name) (*(__seg_gs __typeof__(name) *)(uintptr_t)&(name))
#define get_cpulocal_var_ptr(name) \
	((__typeof__(name) *)((uintptr_t)&(name) + get_cpulocal_var(x86_this_distance)))
#define get_cpu_var_ptr(cpu, name) ((__typeof__(name) *)((uintptr_t)&(name) + x86_cpulocal_distance[cpu]))
#define get_cpu_var(cpu, name) (*get_cpu_var_ptr(cpu, name))

static inline unsigned arch_cpu_id(void) { return get_cpulocal_var(x86_this_cpu); }
