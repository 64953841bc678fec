/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start of the boot CPU, in the order things depend on each other: CPU-local data (everything uses it),
 * memory map, page tables, traps, ACPI, interrupt controllers, clock, then the generic kernel. Nothing here
 * waits longer than the clock calibration (a few ms).
 */
#include <arch/console.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <x86/cpu.h>
#include <x86/layout.h>
#include <x86/port.h>
#include <x86/trap.h>
#include <kernel/entry.h>
#include <kernel/lib.h>

struct x86_features x86_features;
HOT_DATA bool x86_pcid;

static void model_read(char model[64])
{
	uint32_t *word = (uint32_t *)(void *)model;

	if (x86_cpuid(0x80000000, 0).a < 0x80000004)
		return;
	for (unsigned i = 0; i < 3; i++) {
		struct x86_cpuid r = x86_cpuid(0x80000002 + i, 0);
		*word++ = r.a, *word++ = r.b, *word++ = r.c, *word++ = r.d;
	}
}

void x86_features_read(void)
{
	struct x86_features *f = &x86_features;
	struct x86_cpuid one = x86_cpuid(1, 0), seven = { 0 }, ext = x86_cpuid(0x80000001, 0);

	if (x86_cpuid(0, 0).a >= 7)
		seven = x86_cpuid(7, 0);
	f->pge = one.d & 1 << 13;
	x86_pcid = one.c & 1 << 17;
	f->x2apic = one.c & 1 << 21;
	f->rdrand = one.c & 1 << 30;
	f->fsgsbase = seven.b & 1;
	f->smep = seven.b & 1 << 7;
	x86_fast_strings = seven.b & 1 << 9;
	f->smap = seven.b & 1 << 20;
	f->umip = seven.c & 1 << 2;
	model_read(f->model);
	if (!f->fsgsbase || !(ext.d & 1 << 20))
		panic("this processor lacks FSGSBASE or NX, which the kernel needs"
		      " (QEMU: -cpu qemu64,+fsgsbase)");
}

/* PCIDE may be set only while the tag in CR3 is 0, which holds for the kernel's own root. */
void x86_cpu_setup(void)
{
	const struct x86_features *f = &x86_features;

	x86_cr4_set(CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE | (f->pge ? CR4_PGE : 0)
		    | (f->smep ? CR4_SMEP : 0) | (f->smap ? CR4_SMAP : 0) | (f->umip ? CR4_UMIP : 0)
		    | (x86_pcid ? CR4_PCIDE : 0));
	x86_wrmsr(MSR_EFER, x86_rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
	x86_fpu_cpu_init();
}

_Noreturn void x86_start(uint32_t loader, uint32_t info)
{
	uint64_t entry = x86_rdtsc();

	x86_cpulocal_init(0, (uint64_t)x86_cpulocal_boot);
	x86_wrmsr(MSR_GS_BASE, x86_cpulocal_distance[0]);
	x86_boot_info_read(loader, info);
	x86_features_read();
	x86_smap_patch();
	x86_kernel_map_init();
	x86_cpulocal_init(0, x86_main_stack_top(0));
	x86_wrmsr(MSR_GS_BASE, x86_cpulocal_distance[0]);
	x86_descriptors_init(0);
	x86_cpu_setup();
	x86_acpi_init();
	x86_lapic_init_boot();
	x86_ioapic_init();
	x86_clock_init();
	boot_info.entry_to_main_ns = (x86_rdtsc() - entry) * 1000000 / arch_tsc_khz();
	x86_call_on(kernel_main, x86_main_stack_top(0));
}

const char *arch_cpu_model(void)
{
	return x86_features.model;
}
