/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory was promised beyond what is there, and is now needed. First file pages that nobody maps are dropped. Then the biggest
 * user process is killed (SIGKILL through its manager), and its pages are taken at once: it never runs its program again, so
 * nobody waits for the slow ways of its death. Services are never chosen.
 */
#include "oom.h"
#include "mapper.h"
#include "object.h"

#include <errno.h>
#include <libsys/kcall.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static uint64_t space_weight(const struct space *s)
{
	return s->pages.pages + (s->regions.room * sizeof(struct region) >> PAGE_SHIFT);
}

static struct space *biggest_user_space(void)
{
	struct space *best = NULL;

	for (int slot = 1; slot < NR_PROCS; slot++) {
		struct process *p = process_at(slot);
		struct space *s = p ? p->space : NULL;

		if (s && s->user && !s->killed && s->ep == p->ep && (!best || space_weight(s) > space_weight(best)))
			best = s;
	}
	return best;
}

static const char *process_name(endpoint_t ep, struct info_proc *info)
{
	memset(info, 0, sizeof *info);
	if (sys_getinfo(GETINFO_PROC, info, sizeof *info, endpoint_slot(ep), NULL) != 0 || info->endpoint != ep)
		return "?";
	info->name[PROC_NAME_LEN - 1] = 0;
	return info->name;
}

static void kill_processes_of(const struct space *s)
{
	for (int slot = 1; slot < NR_PROCS; slot++) {
		struct process *p = process_at(slot);

		if (p && p->space == s)
			sys_kill(p->ep, SIGKILL, 0, 0);
	}
}

static void space_reap(struct space *s)
{
	const struct region *r;

	map_flush();
	kill_processes_of(s);
	s->killed = true;
	REGIONS_EACH(&s->regions, r)
		if (r->kind != REGION_PHYS)
			space_evict(s, r->first, r->last);
}

bool oom_relieve(struct space *s)
{
	struct space *victim;
	struct info_proc info;

	map_flush();
	if (objects_reclaim())
		return true;
	if (s->killed)
		return false;
	victim = biggest_user_space();
	if (!victim || victim->pages.pages == 0)
		return false;
	printf("vm: out of memory (%u of %u frames free): killing %s (%d), the biggest process, %llu KiB resident\n",
		frame_free_count(), frame_total(), process_name(victim->ep, &info), victim->ep,
		(unsigned long long)victim->pages.pages * (PAGE_BYTES / 1024));
	space_reap(victim);
	return victim != s;
}

err_t memory_for_request(const struct space *s)
{
	if (!s->user || frame_available(FRAME_FOR_USER, 1))
		return 0;
	objects_reclaim();
	return frame_available(FRAME_FOR_USER, 1) ? 0 : -ENOMEM;
}
