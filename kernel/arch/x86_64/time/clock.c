/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One clock for all: the TSC, scaled to nanoseconds by a 64.32-bit multiplication. Its frequency comes from
 * the hypervisor or the processor if they tell, else it is measured against the PIT for a few milliseconds,
 * together with the local APIC's timer. The same numbers lie in the page that user processes read through
 * the vDSO (vdso.S).
 *
 * A measurement takes both counters at the moment a PIT count changes, and drops moments when the reading
 * itself took long (a host that did something else), so that a short interval is good to about 50 ppm.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/space.h>
#include <kernel/lib.h>
#include <x86/cpu.h>
#include <x86/layout.h>
#include <x86/port.h>
#include <x86/vvar.h>

enum {
	PIT_HZ = 1193182, PIT_CHANNEL2 = 0x42, PIT_COMMAND = 0x43, PIT_GATE = 0x61, MEASURE_COUNTS = PIT_HZ
	/ 200, MOMENT_TRIES = 200, NS_PER_MS = 1000000,
};

struct x86_vvar_page x86_vvar __attribute__((aligned(4096)));
uint32_t x86_lapic_khz;
HOT_DATA struct x86_tsc x86_tsc;
static uint64_t tsc_khz;
static CPULOCAL nstime_t armed;		/* deadline the timer is set to, 0: off */

struct moment { uint64_t tsc; uint32_t lapic; uint16_t pit; };

static uint16_t pit_read(void)
{
	uint8_t low;

	x86_out8(PIT_COMMAND, 0x80);	/* latch channel 2 */
	low = x86_in8(PIT_CHANNEL2);
	return (uint16_t)(low | x86_in8(PIT_CHANNEL2) << 8);
}

/*
 * Waits for the next change of the PIT's count. The best of a few tries: the one read in the shortest time.
 */
static struct moment moment_take(unsigned tries)
{
	struct moment best = { 0 };
	uint64_t before, after, shortest = ~0ull;
	uint16_t last = pit_read(), now;

	for (unsigned i = 0, changes = 0; i < MOMENT_TRIES && changes < tries; i++, last = now) {
		before = x86_rdtsc();
		now = pit_read();
		after = x86_rdtsc();
		if (now == last)
			continue;
		changes++;
		if (after - before < shortest) {
			shortest = after - before;
			best = (struct moment){ before + (after - before) / 2, x86_lapic_timer_now(), now };
		}
	}
	return best;
}

static void pit_start(void)
{
	x86_out8(PIT_GATE, (uint8_t)((x86_in8(PIT_GATE) & ~2) | 1));	/* gate on, speaker off */
	x86_out8(PIT_COMMAND, 0xb0);	/* channel 2, both bytes, count down once */
	x86_out8(PIT_CHANNEL2, 0xff);
	x86_out8(PIT_CHANNEL2, 0xff);
}

static void frequencies_measure(void)
{
	struct moment a, b;
	uint64_t counts;

	pit_start();
	x86_lapic_timer_set(~0u);
	a = moment_take(6);
	while ((uint16_t)(a.pit - pit_read()) < MEASURE_COUNTS)
		x86_pause();
	b = moment_take(6);
	x86_lapic_timer_set(0);
	counts = (uint16_t)(a.pit - b.pit);
	tsc_khz = (b.tsc - a.tsc) * PIT_HZ / counts / 1000;
	x86_lapic_khz = (uint32_t)((uint64_t)(a.lapic - b.lapic) * PIT_HZ / counts / 1000);
}

static uint32_t hypervisor_tsc_khz(void)
{
	if (!(x86_cpuid(1, 0).c >> 31) || x86_cpuid(0x40000000, 0).a < 0x40000010)
		return 0;
	return x86_cpuid(0x40000010, 0).a;
}

uint64_t arch_tsc_khz(void)
{
	return tsc_khz;
}

void x86_delay_us(uint64_t us)
{
	uint64_t end = x86_rdtsc() + us * tsc_khz / 1000;

	while ((int64_t)(end - x86_rdtsc()) > 0)
		x86_pause();
}

/* keeps the multiplication below in range; a later deadline fires early */
#define TIMER_MAX_NS 50000000000ull

void arch_timer_set(nstime_t deadline)
{
	nstime_t now, left;
	uint64_t count = 0;

	if (deadline == get_cpulocal_var(armed))
		return;
	get_cpulocal_var(armed) = deadline;
	if (deadline) {
		now = arch_now_ns();
		left = deadline > now ? deadline - now : 0;
		count = (left < TIMER_MAX_NS ? left : TIMER_MAX_NS) * x86_lapic_khz / NS_PER_MS + 1;
	}
	x86_lapic_timer_set(count > UINT32_MAX ? UINT32_MAX : (uint32_t)count);
}

void x86_timer_fired(void)
{
	get_cpulocal_var(armed) = 0;
}

/* ---- what user processes see ---- */

static void vvar_write(nstime_t boot_realtime)
{
	__atomic_store_n(&x86_vvar.clock.sequence, x86_vvar.clock.sequence + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	x86_vvar.clock.tsc_start = x86_tsc.start;
	x86_vvar.clock.multiplier = x86_tsc.multiplier;
	x86_vvar.clock.boot_realtime = boot_realtime;
	__atomic_store_n(&x86_vvar.clock.sequence, x86_vvar.clock.sequence + 1, __ATOMIC_RELEASE);
}

nstime_t arch_boot_realtime(void)
{
	return x86_vvar.clock.boot_realtime;
}

void arch_clock_set_boot_realtime(nstime_t boot_realtime)
{
	vvar_write(boot_realtime);
}

void arch_vdso_get(struct arch_vdso *out)
{
	out->code = (uint64_t)x86_vdso_start - X86_IMAGE;
	out->code_pages = (uint64_t)(x86_vdso_end - x86_vdso_start) >> PAGE_SHIFT;
	out->data = (uint64_t)&x86_vvar - X86_IMAGE;
	out->data_pages = 1;
}

void x86_clock_init(void)
{
	uint32_t told = hypervisor_tsc_khz();

	frequencies_measure();
	if (told)
		tsc_khz = told;
	x86_tsc.multiplier = ((uint64_t)NS_PER_MS << 32) / tsc_khz;
	x86_tsc.start = x86_rdtsc() - tsc_khz;
	vvar_write(x86_rtc_read());
}
