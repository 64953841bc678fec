/* SPDX-License-Identifier: BSD-2-Clause */
/* The system-wide files, in the formats of Linux's proc(5). */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsef/ds.h>
#include <libsys/kcall.h>

#include "procfs.h"

enum { USER_HZ = 100, NS_PER_TICK = 1000000000 / USER_HZ, RELEASE_LEN = 65 };

static uint64_t ticks(uint64_t ns) { return ns / NS_PER_TICK; }

static void cpu_line(struct text *t, const char *name, const struct info_cpu *c)
{
	text_add(t, "%s %lu 0 %lu %lu 0 0 0 0 0 0\n", name, ticks(c->user_ns), ticks(c->system_ns), ticks(c->idle_ns));
}

void make_stat(struct text *t)
{
	struct info_kernel k;
	struct info_cpu cpu, sum = { 0 };
	struct pm_load_info load;
	facts_kernel(&k);
	facts_load(&load);
	for (uint32_t i = 0; i < k.nr_cpus && facts_cpu(i, &cpu); i++) {
		sum.user_ns += cpu.user_ns;
		sum.system_ns += cpu.system_ns;
		sum.idle_ns += cpu.idle_ns;
	}
	cpu_line(t, "cpu ", &sum);
	for (uint32_t i = 0; i < k.nr_cpus && facts_cpu(i, &cpu); i++) {
		char name[16];
		snprintf(name, sizeof name, "cpu%u", i);
		cpu_line(t, name, &cpu);
	}
	text_add(t, "intr %lu\nctxt %lu\nbtime %lu\nprocesses %lu\nprocs_running %lu\nprocs_blocked 0\n", k.interrupts,
		 k.context_switches, k.boot_realtime / 1000000000, k.forks, load.nr_running);
}

static void mem_line(struct text *t, const char *name, uint64_t bytes)
{
	text_add(t, "%-15s %8lu kB\n", name, bytes / 1024);
}

void make_meminfo(struct text *t)
{
	struct vm_stats s;
	facts_memory(&s);
	mem_line(t, "MemTotal:", s.total);
	mem_line(t, "MemFree:", s.free);
	mem_line(t, "MemAvailable:", s.free);
	mem_line(t, "Buffers:", 0);
	mem_line(t, "Cached:", s.cached);
	mem_line(t, "SwapCached:", 0);
	mem_line(t, "Active:", s.anonymous);
	mem_line(t, "Inactive:", 0);
	mem_line(t, "SwapTotal:", 0);
	mem_line(t, "SwapFree:", 0);
	mem_line(t, "Dirty:", 0);
	mem_line(t, "Writeback:", 0);
	mem_line(t, "AnonPages:", s.anonymous);
	mem_line(t, "Mapped:", s.shared);
	mem_line(t, "Shmem:", s.shared);
	mem_line(t, "Slab:", s.kernel);
	mem_line(t, "SReclaimable:", 0);
	mem_line(t, "PageTables:", s.page_tables);
}

void make_vmstat(struct text *t)
{
	struct vm_stats s;
	facts_memory(&s);
	text_add(t, "nr_free_pages %lu\nnr_page_table_pages %lu\npgfault %lu\npgmajfault %lu\ncow_breaks %lu\nmemory_requests %lu\n",
		 s.free / 4096, s.page_tables / 4096, s.faults_minor + s.faults_major, s.faults_major, s.cow_breaks, s.memreqs);
}

void make_uptime(struct text *t)
{
	struct info_kernel k;
	struct info_cpu cpu;
	uint64_t idle = 0;
	facts_kernel(&k);
	for (uint32_t i = 0; i < k.nr_cpus && facts_cpu(i, &cpu); i++)
		idle += cpu.idle_ns;
	text_add(t, "%lu.%02lu %lu.%02lu\n", k.now / 1000000000, k.now / 10000000 % 100, idle / 1000000000, idle / 10000000 % 100);
}

static void load_value(struct text *t, uint64_t fixed16)
{
	text_add(t, "%lu.%02lu ", fixed16 >> 16, (fixed16 & 0xffff) * 100 >> 16);
}

void make_loadavg(struct text *t)
{
	struct pm_load_info load;
	facts_load(&load);
	load_value(t, load.load1);
	load_value(t, load.load5);
	load_value(t, load.load15);
	text_add(t, "%lu/%lu %lu\n", load.nr_running, load.nr_procs, load.last_pid);
}

void make_cpuinfo(struct text *t)
{
	struct info_kernel k;
	facts_kernel(&k);
	for (uint32_t i = 0; i < k.nr_cpus; i++)
		text_add(t, "processor\t: %u\nmodel name\t: %.64s\ncpu MHz\t\t: %lu.%03lu\n"
			"siblings\t: %u\ncpu cores\t: %u\n\n", i, k.cpu_model,
			 k.tsc_khz / 1000, k.tsc_khz % 1000, k.nr_cpus, k.nr_cpus);
}

/* The names are PM's, who also answers uname(2). */
void make_version(struct text *t)
{
	struct utsname u;
	facts_names(&u);
	text_add(t, "%s version %s %s\n", u.sysname, u.release, u.version);
}

static void name_line(struct text *t, size_t offset)
{
	struct utsname u;
	facts_names(&u);
	text_add(t, "%s\n", (const char *)&u + offset);
}

void make_osrelease(struct text *t) { name_line(t, offsetof(struct utsname, release)); }
void make_ostype(struct text *t) { name_line(t, offsetof(struct utsname, sysname)); }
void make_version_only(struct text *t) { name_line(t, offsetof(struct utsname, version)); }
void make_hostname(struct text *t) { name_line(t, offsetof(struct utsname, nodename)); }
void make_domainname(struct text *t) { name_line(t, offsetof(struct utsname, domainname)); }
void make_pid_max(struct text *t) { text_add(t, "32768\n"); }
void make_swaps(struct text *t) { text_add(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"); }
void make_interrupts(struct text *t)
{
	struct info_kernel k;
	facts_kernel(&k);
	text_add(t, "total: %lu\n", k.interrupts);
}

void make_cmdline(struct text *t)
{
	char line[1024] = "";
	sys_getinfo(GETINFO_CMDLINE, line, sizeof line - 1, 0, NULL);
	text_add(t, "%s\n", line);
}

static void vfs_text(struct text *t, uint32_t what)
{
	static char buf[16384];
	int64_t n = facts_vfs(what, EP_NONE, 0, buf, sizeof buf);
	if (n > 0)
		text_raw(t, buf, (size_t)n);
}

void make_filesystems(struct text *t) { vfs_text(t, VFS_INFO_FILESYSTEMS); }
void make_mounts(struct text *t) { vfs_text(t, VFS_INFO_MOUNTS); }
void make_mountinfo(struct text *t) { vfs_text(t, VFS_INFO_MOUNTINFO); }
void make_devices(struct text *t) { vfs_text(t, VFS_INFO_DEVICES); }

/* What lies in the data store: a line for each entry, key, type, owner and value. */
void make_ds(struct text *t)
{
	char buf[4096];
	uint64_t offset = 0;
	size_t len;

	do {
		len = sizeof buf;
		if (ds_list(buf, &len, &offset) != 0)
			return;
		text_raw(t, buf, len);
	} while (len);
}

/* Counts that a test compares before and after. */
void make_leaks(struct text *t)
{
	struct info_leaks l = { 0 };
	struct vm_stats s;
	struct vfs_stats v = { 0 };
	sys_getinfo(GETINFO_LEAKS, &l, sizeof l, 0, NULL);
	facts_memory(&s);
	facts_vfs(VFS_INFO_STATS, EP_NONE, 0, &v, sizeof v);
	text_add(t, "slots %lu\nprivileges %lu\nspaces %lu\npage_table_frames %lu\noutbox %lu\n"
		"irq_hooks %lu\nalarms %lu\nfutex_waiters %lu\n",
		 l.slots_used, l.priv_used, l.spaces, l.pt_frames_used, l.outbox_used, l.irq_hooks, l.alarms, l.futex_waiters);
	text_add(t, "free_frames %lu\nfiles %lu\npipes %lu\nsockets %lu\n", s.free / 4096, v.files_open, v.pipes, v.sockets);
}
