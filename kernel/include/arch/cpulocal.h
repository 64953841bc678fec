/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU-local variables: one instance per CPU of anything that describes "this CPU".
 *
 *	CPULOCAL unsigned ticks;		 definition, anywhere, static or not, initialised or not
 *	extern CPULOCAL unsigned ticks;		 declaration
 *	get_cpulocal_var(ticks)++;		 the executing CPU's, an lvalue
 *	get_cpu_var(cpu, ticks)			 the one of a given CPU (which must be online), an lvalue
 *	get_cpulocal_var_ptr(ticks), get_cpu_var_ptr(cpu, ticks)	addresses
 *
 * The variable's own name denotes the template that is copied for each CPU at its start; the template is
 * taken away after boot, so that an access without accessor faults. No other code knows the layout. Valid
 * from the first instruction of C on every CPU.
 */
#pragma once
#include <arch/impl/cpulocal.h>

/*
 * arch_cpu_id(): number of the executing CPU. 0 is the boot CPU, the others follow in the order of their
 * start.
 */
