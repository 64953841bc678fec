/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of procfs: node numbers, text that is being made, and where the facts come from. */
#pragma once
#include <abi/info.h>
#include <libfs/fs.h>
#include <libsef/sef.h>
#include <proto/pm.h>
#include <proto/rs.h>
#include <proto/vfs.h>
#include <proto/vm.h>
#include <stdbool.h>
#include <sys/utsname.h>

/*
 * A node number says everything about a node, so procfs keeps no nodes:
 *   63..52 file (enum file)   51..32 sub number (descriptor, index of a service)   31..0 pid (0: system-wide)
 */
struct node_id { uint32_t file, sub, pid; };
static inline uint64_t node_pack(uint32_t file, uint32_t sub, uint32_t pid) { return (uint64_t)file << 52 | (uint64_t)sub << 32 | pid; }
static inline struct node_id node_unpack(uint64_t n)
{
	return (struct node_id){ (uint32_t)(n >> 52), (uint32_t)(n >> 32) & 0xfffff, (uint32_t)n };
}

/* Text being made; it grows, and remembers if memory ran out. */
struct text {
	char *buf;
	size_t len, room;
	bool failed;
	endpoint_t reader;	/* who asks: it runs, though it waits for this very answer */
};
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_raw(struct text *t, const void *bytes, size_t len);

/* ---- facts from other services (facts.c); false or -1: not available ---- */
const struct pm_proc_info *facts_processes(uint32_t *count);	/* all, valid until the next call */
bool facts_process(uint32_t pid, struct pm_proc_info *out);
bool facts_process_of(endpoint_t ep, struct pm_proc_info *out);
bool facts_load(struct pm_load_info *out);
void facts_names(struct utsname *out);	/* as uname(2) */
bool facts_kernel(struct info_kernel *out);
bool facts_cpu(uint32_t cpu, struct info_cpu *out);
bool facts_kernel_proc(endpoint_t ep, struct info_proc *out);
bool facts_memory(struct vm_stats *out);
bool facts_process_memory(endpoint_t ep, struct vm_proc_info *out);
uint32_t facts_regions(endpoint_t ep, struct vm_region_info *out, uint32_t room);
int64_t facts_vfs(uint32_t what, endpoint_t ep, int32_t fd, void *buf, size_t len);	/* bytes or negative error */
bool facts_fd(endpoint_t ep, uint32_t fd, struct vfs_fd_info *out);
int64_t facts_map_name(const struct vm_region_info *r, char *buf, size_t len);
int64_t facts_peek(endpoint_t ep, vaddr_t addr, void *buf, size_t len);	/* another process's memory */

/* RS's table of services, read through the grant that every service gets in its initialisation: RS is not asked and need not answer. */
void facts_services_init(const struct sef_init_info *info);
const struct rs_pub *facts_services(void);	/* NR_SYS_PROCS entries, in_use or not; valid until the next call */
const struct rs_pub *facts_service(uint32_t index, uint32_t hash);	/* 0: not there any more */
uint32_t service_hash(const char *label);	/* of the node number: tells a service from another that has its place now */

/* ---- contents ---- */
typedef void (*system_file)(struct text *t);
typedef void (*process_file)(struct text *t, const struct pm_proc_info *p);

/* system.c */
void make_stat(struct text *t);
void make_meminfo(struct text *t);
void make_uptime(struct text *t);
void make_loadavg(struct text *t);
void make_cpuinfo(struct text *t);
void make_version(struct text *t);
void make_cmdline(struct text *t);
void make_filesystems(struct text *t);
void make_mounts(struct text *t);
void make_devices(struct text *t);
void make_mountinfo(struct text *t);
void make_interrupts(struct text *t);
void make_leaks(struct text *t);
void make_ds(struct text *t);
void make_osrelease(struct text *t);
void make_ostype(struct text *t);
void make_hostname(struct text *t);
void make_pid_max(struct text *t);
void make_domainname(struct text *t);
void make_version_only(struct text *t);
void make_swaps(struct text *t);
void make_vmstat(struct text *t);

/* service.c */
void make_service(struct text *t, const struct rs_pub *s);

/* process.c */
void make_p_stat(struct text *t, const struct pm_proc_info *p);
void make_p_status(struct text *t, const struct pm_proc_info *p);
void make_p_statm(struct text *t, const struct pm_proc_info *p);
void make_p_cmdline(struct text *t, const struct pm_proc_info *p);
void make_p_environ(struct text *t, const struct pm_proc_info *p);
void make_p_comm(struct text *t, const struct pm_proc_info *p);
void make_p_maps(struct text *t, const struct pm_proc_info *p);
void make_p_smaps(struct text *t, const struct pm_proc_info *p);
void make_p_mounts(struct text *t, const struct pm_proc_info *p);
void make_p_wchan(struct text *t, const struct pm_proc_info *p);
void make_p_mountinfo(struct text *t, const struct pm_proc_info *p);
void make_p_fdinfo(struct text *t, const struct pm_proc_info *p, uint32_t fd);
