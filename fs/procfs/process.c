/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of one process, in the formats of Linux's proc(5). */
#include <stdlib.h>
#include <string.h>

#include <libsef/sef.h>

#include "procfs.h"

enum { NS_PER_TICK = 10000000, PAGE = 4096, REGIONS_MAX = 512 };

static uint64_t ticks(uint64_t ns) { return ns / NS_PER_TICK; }

static bool is_zombie(const struct pm_proc_info *p) { return p->state == 'Z'; }

/* PM knows stopped and dead, the kernel whether the others run or wait. */
static char state_of(const struct text *t, const struct pm_proc_info *p, const struct info_proc *k)
{
	if (p->state == 'Z' || p->state == 'T')
		return (char)p->state;
	return k->state == PROC_STATE_RUN || p->ep == t->reader ? 'R' : 'S';
}

void make_p_stat(struct text *t, const struct pm_proc_info *p)
{
	struct info_proc k;
	struct vm_proc_info m = { 0 };
	facts_kernel_proc(p->ep, &k);
	if (!is_zombie(p))
		facts_process_memory(p->ep, &m);
	int32_t tty[2] = { 0, -1 };	/* device of the controlling terminal, its foreground group */
	facts_vfs(VFS_INFO_CTTY, p->ep, 0, tty, sizeof tty);
	text_add(t, "%d (%.15s) %c %d %d %d %d %d %u %lu 0 %lu 0 %lu %lu %lu %lu %d %d %u 0 %lu %lu %lu %lu ",
			p->pid, p->name, state_of(t, p, &k),
		 p->ppid, p->pgid, p->sid, tty[0], tty[1], 0, m.faults_minor, m.faults_major, ticks(k.user_ns), ticks(k.system_ns),
		 ticks(p->child_user_ns), ticks(p->child_system_ns), 20 + p->nice, p->nice, p->nr_threads, ticks(p->start_ns), m.vsize,
		 m.rss / PAGE, ~0ul);
	text_add(t, "0 0 0 %lu %lu %lu %lu %lu %lu 0 0 0 17 %u 0 0 0 0 0 0 0 %lu 0 0 0 0 %d\n", k.sp, k.pc, p->sig_pending & 0x7fffffff,
		 k.sig_mask & 0x7fffffff, p->sig_ignored & 0x7fffffff, p->sig_caught & 0x7fffffff, k.cpu, m.brk_start, p->exit_code);
}

void make_p_statm(struct text *t, const struct pm_proc_info *p)
{
	struct vm_proc_info m = { 0 };
	if (!is_zombie(p))
		facts_process_memory(p->ep, &m);
	text_add(t, "%lu %lu %lu %lu 0 %lu 0\n", m.vsize / PAGE, m.rss / PAGE, m.shared / PAGE, m.text / PAGE, (m.data + m.stack) / PAGE);
}

static const char *state_words(char state)
{
	switch (state) {
	case 'R': return "R (running)";
	case 'T': return "T (stopped)";
	case 'Z': return "Z (zombie)";
	default:  return "S (sleeping)";
	}
}

static void size_line(struct text *t, const char *name, uint64_t bytes)
{
	text_add(t, "%s:\t%8lu kB\n", name, bytes / 1024);
}

void make_p_status(struct text *t, const struct pm_proc_info *p)
{
	struct info_proc k;
	struct vm_proc_info m = { 0 };
	facts_kernel_proc(p->ep, &k);
	text_add(t, "Name:\t%.15s\nState:\t%s\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", p->name,
			state_words(state_of(t, p, &k)), p->tgid,
		 p->pid, p->ppid);
	text_add(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", p->uid, p->euid, p->suid, p->euid, p->gid, p->egid, p->sgid, p->egid);
	if (!is_zombie(p) && facts_process_memory(p->ep, &m)) {
		size_line(t, "VmPeak", m.peak_vsize);
		size_line(t, "VmSize", m.vsize);
		size_line(t, "VmLck", m.locked);
		size_line(t, "VmHWM", m.peak_rss);
		size_line(t, "VmRSS", m.rss);
		size_line(t, "VmData", m.data);
		size_line(t, "VmStk", m.stack);
		size_line(t, "VmExe", m.text);
	}
	text_add(t, "Threads:\t%u\nSigPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
			p->nr_threads, p->sig_pending, k.sig_mask,
		 p->sig_ignored, p->sig_caught);
	text_add(t, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t0\n", k.switches);
}

void make_p_comm(struct text *t, const struct pm_proc_info *p) { text_add(t, "%.15s\n", p->name); }

/* Bytes between two addresses of the process; what is not in memory now ends it. */
static void memory_range(struct text *t, const struct pm_proc_info *p, vaddr_t first, vaddr_t last)
{
	char piece[PAGE];
	while (first < last) {
		size_t n = PAGE - first % PAGE < last - first ? PAGE - first % PAGE : last - first;
		if (facts_peek(p->ep, first, piece, n) != (int64_t)n)
			return;
		text_raw(t, piece, n);
		first += n;
	}
}

static bool arguments_where(const struct pm_proc_info *p, struct vfs_args_info *where)
{
	return !is_zombie(p) && !p->is_service && facts_vfs(VFS_INFO_ARGS, p->ep, 0, where, sizeof *where) == sizeof *where;
}

void make_p_cmdline(struct text *t, const struct pm_proc_info *p)
{
	struct vfs_args_info where;
	if (arguments_where(p, &where))
		memory_range(t, p, where.arg_start, where.arg_end);
}

void make_p_environ(struct text *t, const struct pm_proc_info *p)
{
	struct vfs_args_info where;
	if (arguments_where(p, &where))
		memory_range(t, p, where.env_start, where.env_end);
}

static void region_line(struct text *t, const struct vm_region_info *r)
{
	enum { R = 1, W = 2, X = 4, SHARED = 4 };
	char name[256];
	text_add(t, "%012lx-%012lx %c%c%c%c %08lx 00:%02x %lu ", r->first, r->last, r->prot & R ? 'r' : '-', r->prot & W ? 'w' : '-',
		 r->prot & X ? 'x' : '-', r->flags & SHARED ? 's' : 'p', r->offset, r->fs == EP_NONE ? 0 : (unsigned)r->fs, r->node);
	int64_t n = r->fs == EP_NONE ? 0 : facts_map_name(r, name, sizeof name);
	if (n > 0)
		text_add(t, "                    %.*s", (int)n, name);
	text_add(t, "\n");
}

static void regions_each(struct text *t, const struct pm_proc_info *p, bool sizes)
{
	static struct vm_region_info regions[REGIONS_MAX];
	uint32_t n = is_zombie(p) ? 0 : facts_regions(p->ep, regions, REGIONS_MAX);
	for (uint32_t i = 0; i < n; i++) {
		region_line(t, &regions[i]);
		if (sizes)
			text_add(t, "Size: %8lu kB\n", (regions[i].last - regions[i].first) / 1024);
	}
}

void make_p_maps(struct text *t, const struct pm_proc_info *p) { regions_each(t, p, false); }
void make_p_smaps(struct text *t, const struct pm_proc_info *p) { regions_each(t, p, true); }
void make_p_mounts(struct text *t, const struct pm_proc_info *p) { (void)p; make_mounts(t); }
void make_p_mountinfo(struct text *t, const struct pm_proc_info *p) { (void)p; make_mountinfo(t); }

void make_p_fdinfo(struct text *t, const struct pm_proc_info *p, uint32_t fd)
{
	struct vfs_fd_info info;
	if (facts_fd(p->ep, fd, &info))
		text_add(t, "pos:\t%lu\nflags:\t0%o\nino:\t%lu\n", info.pos, info.flags, info.node);
}

void make_p_wchan(struct text *t, const struct pm_proc_info *p)
{
	struct info_proc k;
	if (facts_kernel_proc(p->ep, &k) && k.state == PROC_STATE_RECEIVING && k.waits_for != EP_ANY)
		text_add(t, "%d", k.waits_for);
	else
		text_add(t, "0");
}
