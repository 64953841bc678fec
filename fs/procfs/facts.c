/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts from the kernel, PM, VM and VFS. All these requests are answered at once by their servers, so waiting for them is safe. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libsef/sef.h>
#include <libsys/grant.h>
#include <libsys/kcall.h>
#include <proto/common.h>

#include "procfs.h"

static struct facts {
	struct pm_proc_info processes[NR_PROCS];	/* of the latest facts_processes() */
	struct rs_pub services[NR_SYS_PROCS];		/* of the latest facts_services() */
	grant_t services_grant;				/* of RS, for ever */
} facts;

/* One request whose result goes to a buffer of ours by grant. */
static err_t ask(endpoint_t server, struct message *m, grant_t *grant_field, void *buf, size_t len)
{
	*grant_field = grant_direct(server, buf, len, GRANT_WRITE);
	grant_t grant = *grant_field;	/* the reply overwrites the message */
	if (grant == GRANT_INVALID)
		return -ENOMEM;
	err_t e = sef_call(server, m);
	grant_revoke(grant);
	return e ? e : (err_t)MSG_BODY(struct result_rep, m)->result;
}

static err_t ask_pm(uint32_t what, uint32_t first, void *buf, size_t len, struct pm_info_rep *rep)
{
	struct message m = { .type = PM_INFO };
	struct pm_info_req *q = MSG_BODY(struct pm_info_req, &m);
	*q = (struct pm_info_req){ .what = what, .len = (uint32_t)len, .first = first };
	err_t e = ask(EP_PM, &m, &q->grant, buf, len);
	*rep = *MSG_BODY(struct pm_info_rep, &m);
	return e;
}

const struct pm_proc_info *facts_processes(uint32_t *count)
{
	struct pm_info_rep rep;
	uint32_t n = 0, first = 0;
	while (first < NR_PROCS && n < NR_PROCS) {
		err_t e = ask_pm(PM_INFO_PROC, first, facts.processes + n, (NR_PROCS - n) * sizeof facts.processes[0], &rep);
		if (e < 0 || rep.next <= first)
			break;
		n += rep.count;
		first = rep.next;
	}
	*count = n;
	return facts.processes;
}

static bool process_where(bool (*match)(const struct pm_proc_info *, int64_t), int64_t key, struct pm_proc_info *out)
{
	uint32_t n;
	const struct pm_proc_info *all = facts_processes(&n);
	for (uint32_t i = 0; i < n; i++) {
		if (match(&all[i], key)) {
			*out = all[i];
			return true;
		}
	}
	return false;
}

static bool has_pid(const struct pm_proc_info *p, int64_t pid) { return p->pid == pid; }
static bool has_ep(const struct pm_proc_info *p, int64_t ep) { return p->ep == ep; }

bool facts_process(uint32_t pid, struct pm_proc_info *out) { return process_where(has_pid, pid, out); }
bool facts_process_of(endpoint_t ep, struct pm_proc_info *out) { return process_where(has_ep, ep, out); }

bool facts_load(struct pm_load_info *out)
{
	struct pm_info_rep rep;
	memset(out, 0, sizeof *out);
	return ask_pm(PM_INFO_LOAD, 0, out, sizeof *out, &rep) >= 0;
}

/* Without PM's answer everything is empty, but a string. */
void facts_names(struct utsname *out)
{
	struct pm_info_rep rep;

	memset(out, 0, sizeof *out);
	ask_pm(PM_INFO_NAMES, 0, out, sizeof *out, &rep);
}

static bool kernel_info(enum getinfo_what what, void *out, size_t len, uint64_t index)
{
	memset(out, 0, len);
	return sys_getinfo(what, out, len, index, NULL) == 0;
}

bool facts_kernel(struct info_kernel *out) { return kernel_info(GETINFO_KERNEL, out, sizeof *out, 0); }
bool facts_cpu(uint32_t cpu, struct info_cpu *out) { return kernel_info(GETINFO_CPU, out, sizeof *out, cpu); }

bool facts_kernel_proc(endpoint_t ep, struct info_proc *out)
{
	return kernel_info(GETINFO_PROC, out, sizeof *out, (uint64_t)endpoint_slot(ep)) && out->endpoint == ep;
}

static err_t ask_vm(uint32_t what, endpoint_t ep, void *buf, size_t len, uint64_t *bytes)
{
	struct message m = { .type = VM_INFO };
	struct vm_info_req *q = MSG_BODY(struct vm_info_req, &m);
	memset(buf, 0, len);
	*q = (struct vm_info_req){ .what = what, .ep = ep, .len = (uint32_t)len };
	err_t e = ask(EP_VM, &m, &q->grant, buf, len);
	*bytes = MSG_BODY(struct vm_info_rep, &m)->bytes;
	return e;
}

bool facts_memory(struct vm_stats *out)
{
	uint64_t bytes;
	return ask_vm(VM_INFO_STATS, EP_NONE, out, sizeof *out, &bytes) == 0;
}

bool facts_process_memory(endpoint_t ep, struct vm_proc_info *out)
{
	uint64_t bytes;
	return ask_vm(VM_INFO_PROC, ep, out, sizeof *out, &bytes) == 0;
}

uint32_t facts_regions(endpoint_t ep, struct vm_region_info *out, uint32_t room)
{
	uint64_t bytes;
	return ask_vm(VM_INFO_REGIONS, ep, out, room * sizeof *out, &bytes) ? 0 : (uint32_t)(bytes / sizeof *out);
}

/* ---- services ---- */

void facts_services_init(const struct sef_init_info *info)
{
	facts.services_grant = info->proctab_grant;
}

/* RS may write a row while we read it: what we see is then partly old, as it might have been a moment ago. */
const struct rs_pub *facts_services(void)
{
	if (sys_safecopyfrom(EP_RS, facts.services_grant, 0, facts.services, sizeof facts.services) != 0)
		memset(facts.services, 0, sizeof facts.services);
	for (int i = 0; i < NR_SYS_PROCS; i++)
		facts.services[i].label[LABEL_LEN - 1] = facts.services[i].name[PROC_NAME_LEN - 1] = 0;
	return facts.services;
}

/* FNV-1a. */
uint32_t service_hash(const char *label)
{
	uint32_t h = 2166136261u;

	for (; *label; label++)
		h = (uint32_t)((h ^ (uint8_t)*label) * 16777619ull);
	return h;
}

const struct rs_pub *facts_service(uint32_t index, uint32_t hash)
{
	const struct rs_pub *s = index < NR_SYS_PROCS ? &facts_services()[index] : NULL;

	return s && s->in_use && service_hash(s->label) == hash ? s : NULL;
}

int64_t facts_vfs(uint32_t what, endpoint_t ep, int32_t fd, void *buf, size_t len)
{
	struct message m = { .type = VFS_INFO };
	struct vfs_info_req *q = MSG_BODY(struct vfs_info_req, &m);
	*q = (struct vfs_info_req){ .what = what, .ep = ep, .fd = fd, .len = (uint32_t)len };
	err_t e = ask(EP_VFS, &m, &q->grant, buf, len);
	return e < 0 ? e : (int64_t)MSG_BODY(struct vfs_info_rep, &m)->bytes;
}

bool facts_fd(endpoint_t ep, uint32_t fd, struct vfs_fd_info *out)
{
	return facts_vfs(VFS_INFO_FDS, ep, (int32_t)fd, out, sizeof *out) == sizeof *out && out->fd == (int32_t)fd;
}

int64_t facts_map_name(const struct vm_region_info *r, char *buf, size_t len)
{
	struct message m = { .type = VFS_VM_NAME };
	struct vfs_vm_name_req *q = MSG_BODY(struct vfs_vm_name_req, &m);
	*q = (struct vfs_vm_name_req){ .fs = r->fs, .len = (uint32_t)len, .node = r->node };
	return ask(EP_VFS, &m, &q->grant, buf, len) < 0 ? -1 : (int64_t)MSG_BODY(struct vfs_info_rep, &m)->bytes;
}

int64_t facts_peek(endpoint_t ep, vaddr_t addr, void *buf, size_t len)
{
	uint64_t copied = 0;
	err_t e = sys_vircopy(ep, addr, EP_SELF, (vaddr_t)(uintptr_t)buf, len, COPY_TRY, &copied);
	return e && !copied ? e : e ? (int64_t)copied : (int64_t)len;
}
