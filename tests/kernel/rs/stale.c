/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stale translations. A reader runs on one CPU; VM, on another, exchanges the page under it for another frame with another pattern. From
 * the moment VM's call has returned, the reader and copies from its memory must see the new pattern. A kernel built with
 * CONFIG_IGNORE_STALE_TLB=1 fails this.
 */
#include "ktest_rs.h"

enum { ROUNDS = 2000, RW = MAP_READ | MAP_WRITE };
#define PLACE 0x380000000ull
#define ALIAS 0x390000000ull		/* both frames, to write the pattern before the exchange */

static volatile uint64_t round_nr, stop;

/* Reads the page all the time; at each round reports what it saw after it knew of the round. */
static void reader(struct thread *t)
{
	volatile uint64_t *page = (volatile uint64_t *)PLACE;

	while (!stop) {
		uint64_t r = round_nr;

		__asm__ volatile("" ::: "memory");
		if (*page < r)
			t->r[1]++;
		t->r[0] = (int64_t)r;
	}
}

static void exchange_under_reader(unsigned cpus)
{
	paddr_t f[2] = { frames_from_vm(1), frames_from_vm(1) };
	struct info_proc before, after;
	struct thread *t;
	uint64_t wrong = 0, seen;

	stop = round_nr = 0;
	for (int i = 0; i < 2; i++)
		vm_map(MAP_ZERO, EP_RS, ALIAS + (vaddr_t)i * PAGE_BYTES, 1, f[i], 0, RW);
	vm_map(MAP_FRAMES, EP_RS, PLACE, 1, f[0], 0, RW);
	t = spawn(SERVICE, reader, 0, 0);
	sys_schedule(t->ep, 4, 0, cpus > 1 ? 2 : 1);
	sys_getinfo(GETINFO_PROC, &before, sizeof(before), EP_RS, 0);
	for (uint64_t r = 1; r <= ROUNDS; r++) {
		*(volatile uint64_t *)(ALIAS + (r & 1) * PAGE_BYTES) = r;
		vm_map(MAP_FRAMES, EP_RS, PLACE, 1, f[r & 1], 0, RW);
		round_nr = r;
		sys_vircopy(EP_SELF, PLACE, EP_SELF, (vaddr_t)&seen, 8, 0, 0);
		wrong += seen != r;
		if (cpus > 1)
			while (t->r[0] < (int64_t)r)
				__asm__ volatile("pause");
	}
	stop = 1;
	CHECK(wait_done(t), "the reader ends");
	sys_getinfo(GETINFO_PROC, &after, sizeof(after), EP_RS, 0);
	CHECK_EQ(t->r[1], 0, "the reader never sees an old frame");
	CHECK_EQ(wrong, 0, "nor does a copy");
	check(after.stale_set - before.stale_set >= ROUNDS, "each edit is counted", (int64_t)(after.stale_set - before.stale_set));
	reap(t);
	vm_map(MAP_UNMAP, EP_RS, PLACE, 1, 0, 0, 0);
	vm_map(MAP_UNMAP, EP_RS, ALIAS, 2, 0, 0, 0);
}

/* Copies without edits cost no refresh. */
static void no_edit_no_refresh(void)
{
	struct info_cpu before, after;
	uint64_t a, b = 1;

	sys_getinfo(GETINFO_CPU, &before, sizeof(before), 0, 0);
	for (int i = 0; i < 1000; i++)
		sys_vircopy(EP_SELF, (vaddr_t)&b, EP_SELF, (vaddr_t)&a, 8, 0, 0);
	sys_getinfo(GETINFO_CPU, &after, sizeof(after), 0, 0);
	check(after.stale_refresh - before.stale_refresh <= 2, "refreshes without edits",
			(int64_t)(after.stale_refresh - before.stale_refresh));
}

void check_stale_tlb(void)
{
	struct info_kernel k;

	sys_schedule(EP_SELF, 0, 0, 1);		/* not where the reader runs, for which the script waits without sleeping */
	sys_getinfo(GETINFO_KERNEL, &k, sizeof(k), 0, 0);
	exchange_under_reader(k.nr_cpus);
	no_edit_no_refresh();
}
