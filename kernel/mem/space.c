/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces: life, loading, stale translations (the rules are in kernel/space.h).
 *
 * A CPU keeps the last space loaded while it idles or runs kernel code. So a space whose last process is gone may still be loaded
 * somewhere: space_put() makes those CPUs load the kernel's own space before the tables are freed. Idle CPUs do it in the interrupt,
 * CPUs that wait for the kernel lock in their waiting loop.
 */
#include <arch/cpu.h>
#include <arch/space.h>
#include <kernel/debug.h>
#include <kernel/space.h>

CPULOCAL struct space *loaded_space;
CPULOCAL struct space *volatile user_space;
CPULOCAL struct space_counters space_counters;
static HOT_DATA_LARGE struct space spaces[NR_SPACES + 1];	/* 0 is not used */
static uint32_t nr_spaces;

uint32_t space_count(void)
{
	return nr_spaces;
}

struct space *space_new(void)
{
	static uint32_t search = 1;

	for (uint32_t tries = 0; tries < NR_SPACES; tries++) {
		struct space *s = &spaces[search];
		uint32_t id = search;

		search = search == NR_SPACES ? 1 : search + 1;
		if (s->refs)
			continue;
		*s = (struct space){ .id = id, .p_stale_tlb = ~0ull };
		if (arch_space_create(s))
			return 0;
		s->refs = 1;
		nr_spaces++;
		return s;
	}
	return 0;
}

void space_get(struct space *s)
{
	s->refs++;
}

void space_put(struct space *s)
{
	__atomic_store_n(&s->refs, s->refs - 1, __ATOMIC_SEQ_CST);
	if (s->refs)
		return;
	nr_spaces--;
	space_on_shootdown();
	for (unsigned cpu = 0, n = arch_cpu_count(); cpu < n; cpu++) {
		if (__atomic_load_n(get_cpu_var_ptr(cpu, loaded_space), __ATOMIC_SEQ_CST) != s)
			continue;
		arch_cpu_shootdown(cpu);
		while (__atomic_load_n(get_cpu_var_ptr(cpu, loaded_space), __ATOMIC_SEQ_CST) == s)
			arch_spin_wait();
	}
	arch_space_destroy(s);
}

/* Tests and clears our bit: true if there was a change this CPU has not seen. Cleared first, flushed second. */
static bool space_take_stale(struct space *s)
{
	uint64_t bit = 1ull << arch_cpu_id();

	if (likely(!(__atomic_load_n(&s->p_stale_tlb, __ATOMIC_RELAXED) & bit)))
		return false;
	__atomic_fetch_and(&s->p_stale_tlb, ~bit, __ATOMIC_SEQ_CST);
#if CONFIG_IGNORE_STALE_TLB
	return false;		/* negative control of the test: must be caught */
#else
	__atomic_fetch_add(&s->stale_refresh, 1, __ATOMIC_RELAXED);
	get_cpulocal_var(space_counters).refreshes++;
	return true;
#endif
}

void space_load(struct space *s)
{
	bool stale = space_take_stale(s);

	if (get_cpulocal_var(loaded_space) == s) {
		if (likely(!stale)) {
			get_cpulocal_var(space_counters).skips++;
			return;
		}
	} else {
		get_cpulocal_var(space_counters).loads++;
	}
	get_cpulocal_var(loaded_space) = s;
	arch_space_load(s, !stale);
}

void space_refresh(struct space *s)
{
	if (space_take_stale(s) && get_cpulocal_var(loaded_space) == s)
		arch_space_load(s, false);
}

void space_mark_stale(struct space *s)
{
	unsigned here = arch_cpu_id();

	s->stale_set++;
	__atomic_store_n(&s->p_stale_tlb, ~0ull, __ATOMIC_SEQ_CST);
	for (unsigned cpu = 0, n = arch_cpu_count(); cpu < n; cpu++) {
		if (cpu == here || get_cpu_var(cpu, user_space) != s)
			continue;
		arch_cpu_shootdown(cpu);
		while ((__atomic_load_n(&s->p_stale_tlb, __ATOMIC_SEQ_CST) >> cpu & 1) && get_cpu_var(cpu, user_space) == s)
			arch_spin_wait();
	}
}

/* Takes no lock: on another CPU while its holder waits for us, or in our own loop waiting for the lock. */
void space_on_shootdown(void)
{
	struct space *s = get_cpulocal_var(loaded_space);

	if (!s)
		return;
	if (__atomic_load_n(&s->refs, __ATOMIC_SEQ_CST) == 0) {
		arch_space_load(0, true);
		__atomic_store_n(get_cpulocal_var_ptr(loaded_space), 0, __ATOMIC_SEQ_CST);
	} else if (space_take_stale(s)) {
		arch_space_load(s, false);
	}
}
