/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * procfs: what is going on, as files (proc(5)). Nothing is kept between requests: a node number says which file of which process is
 * meant, contents are made at each read from what kernel, PM, VM and VFS say at that moment.
 *
 * The tree is the table below: a row is a file or directory, its parent another row. Rows under F_PID exist once for each process.
 *
 * If this process dies here: nothing is lost; VFS repeats what was unanswered.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsef/sef.h>

#include "procfs.h"

enum file {
	F_NONE, F_ROOT, F_SELF, F_THREAD_SELF, F_STAT, F_MEMINFO, F_UPTIME, F_LOADAVG, F_CPUINFO, F_VERSION, F_CMDLINE, F_FILESYSTEMS,
	F_MOUNTS, F_DEVICES, F_INTERRUPTS, F_SWAPS, F_VMSTAT, F_SYS, F_SYS_KERNEL, F_OSRELEASE, F_OSTYPE, F_HOSTNAME, F_PID_MAX,
	F_DOMAINNAME, F_SYS_VERSION, F_AXOLOTL, F_LEAKS, F_DS, F_SERVICE, F_SERVICE_ENTRY,
	F_PID, F_P_STAT, F_P_STATUS, F_P_STATM, F_P_CMDLINE, F_P_ENVIRON, F_P_COMM, F_P_MAPS, F_P_SMAPS,
			F_P_MOUNTS, F_P_WCHAN, F_P_EXE, F_P_CWD,
	F_P_ROOT, F_P_FD, F_P_FD_ENTRY, F_P_TASK, F_P_MOUNTINFO, F_P_FDINFO, F_P_FDINFO_ENTRY,
	F_COUNT
};

enum { FOLDER = 0040555, FILE_ALL = 0100444, FILE_OWNER = 0100400, LINK = 0120777 };
enum { PROC_MAGIC = 0x9fa0, FDS_AT_ONCE = 256, COOKIE_PIDS = 1000 };

struct row {
	const char *name;
	enum file parent;
	uint32_t mode;
	system_file system;
	process_file process;
};

static const struct row rows[F_COUNT] = {
	[F_ROOT] = { "/", F_NONE, FOLDER, NULL, NULL },
	[F_SELF] = { "self", F_ROOT, LINK, NULL, NULL },
	[F_THREAD_SELF] = { "thread-self", F_ROOT, LINK, NULL, NULL },
	[F_STAT] = { "stat", F_ROOT, FILE_ALL, make_stat, NULL },
	[F_MEMINFO] = { "meminfo", F_ROOT, FILE_ALL, make_meminfo, NULL },
	[F_UPTIME] = { "uptime", F_ROOT, FILE_ALL, make_uptime, NULL },
	[F_LOADAVG] = { "loadavg", F_ROOT, FILE_ALL, make_loadavg, NULL },
	[F_CPUINFO] = { "cpuinfo", F_ROOT, FILE_ALL, make_cpuinfo, NULL },
	[F_VERSION] = { "version", F_ROOT, FILE_ALL, make_version, NULL },
	[F_CMDLINE] = { "cmdline", F_ROOT, FILE_ALL, make_cmdline, NULL },
	[F_FILESYSTEMS] = { "filesystems", F_ROOT, FILE_ALL, make_filesystems, NULL },
	[F_MOUNTS] = { "mounts", F_ROOT, FILE_ALL, make_mounts, NULL },
	[F_DEVICES] = { "devices", F_ROOT, FILE_ALL, make_devices, NULL },
	[F_INTERRUPTS] = { "interrupts", F_ROOT, FILE_ALL, make_interrupts, NULL },
	[F_SWAPS] = { "swaps", F_ROOT, FILE_ALL, make_swaps, NULL },
	[F_VMSTAT] = { "vmstat", F_ROOT, FILE_ALL, make_vmstat, NULL },
	[F_SYS] = { "sys", F_ROOT, FOLDER, NULL, NULL },
	[F_SYS_KERNEL] = { "kernel", F_SYS, FOLDER, NULL, NULL },
	[F_OSRELEASE] = { "osrelease", F_SYS_KERNEL, FILE_ALL, make_osrelease, NULL },
	[F_OSTYPE] = { "ostype", F_SYS_KERNEL, FILE_ALL, make_ostype, NULL },
	[F_HOSTNAME] = { "hostname", F_SYS_KERNEL, FILE_ALL, make_hostname, NULL },
	[F_PID_MAX] = { "pid_max", F_SYS_KERNEL, FILE_ALL, make_pid_max, NULL },
	[F_AXOLOTL] = { "axolotl", F_ROOT, FOLDER, NULL, NULL },
	[F_LEAKS] = { "leaks", F_AXOLOTL, FILE_ALL, make_leaks, NULL },
	[F_DS] = { "ds", F_AXOLOTL, FILE_OWNER, make_ds, NULL },
	[F_DOMAINNAME] = { "domainname", F_SYS_KERNEL, FILE_ALL, make_domainname, NULL },
	[F_SYS_VERSION] = { "version", F_SYS_KERNEL, FILE_ALL, make_version_only, NULL },
	[F_SERVICE] = { "service", F_ROOT, FOLDER, NULL, NULL },
	[F_SERVICE_ENTRY] = { "", F_SERVICE, FILE_ALL, NULL, NULL },
	[F_PID] = { "", F_ROOT, FOLDER, NULL, NULL },
	[F_P_STAT] = { "stat", F_PID, FILE_ALL, NULL, make_p_stat },
	[F_P_STATUS] = { "status", F_PID, FILE_ALL, NULL, make_p_status },
	[F_P_STATM] = { "statm", F_PID, FILE_ALL, NULL, make_p_statm },
	[F_P_CMDLINE] = { "cmdline", F_PID, FILE_ALL, NULL, make_p_cmdline },
	[F_P_ENVIRON] = { "environ", F_PID, FILE_OWNER, NULL, make_p_environ },
	[F_P_COMM] = { "comm", F_PID, FILE_ALL, NULL, make_p_comm },
	[F_P_MAPS] = { "maps", F_PID, FILE_ALL, NULL, make_p_maps },
	[F_P_SMAPS] = { "smaps", F_PID, FILE_ALL, NULL, make_p_smaps },
	[F_P_MOUNTS] = { "mounts", F_PID, FILE_ALL, NULL, make_p_mounts },
	[F_P_WCHAN] = { "wchan", F_PID, FILE_ALL, NULL, make_p_wchan },
	[F_P_EXE] = { "exe", F_PID, LINK, NULL, NULL },
	[F_P_CWD] = { "cwd", F_PID, LINK, NULL, NULL },
	[F_P_ROOT] = { "root", F_PID, LINK, NULL, NULL },
	[F_P_FD] = { "fd", F_PID, 0040500, NULL, NULL },
	[F_P_FD_ENTRY] = { "", F_P_FD, LINK, NULL, NULL },
	[F_P_TASK] = { "task", F_PID, FOLDER, NULL, NULL },
	[F_P_MOUNTINFO] = { "mountinfo", F_PID, FILE_ALL, NULL, make_p_mountinfo },
	[F_P_FDINFO] = { "fdinfo", F_PID, 0040500, NULL, NULL },
	[F_P_FDINFO_ENTRY] = { "", F_P_FDINFO, FILE_OWNER, NULL, NULL },
};

/* ---- nodes ----------------------------------------------------------------------------------------------------------- */

static int32_t link_number(const struct node_id *id)
{
	switch ((enum file)id->file) {
	case F_P_EXE:  return VFS_LINK_EXE;
	case F_P_CWD:  return VFS_LINK_CWD;
	case F_P_ROOT: return VFS_LINK_ROOT;
	default:       return (int32_t)id->sub;
	}
}

static bool is_magic(enum file f) { return f == F_P_EXE || f == F_P_CWD || f == F_P_ROOT || f == F_P_FD_ENTRY; }

/* Does the node exist now? *p is filled for files of a process. */
static int64_t node_check(uint64_t node, struct node_id *id, struct pm_proc_info *p)
{
	*id = node_unpack(node);
	if (id->file == F_NONE || id->file >= F_COUNT)
		return -ESTALE;
	if (id->file >= F_PID && !facts_process(id->pid, p))
		return -ESRCH;
	if (id->file == F_SERVICE_ENTRY && !facts_service(id->sub, id->pid))
		return -ESRCH;
	return 0;
}

static void attr_fill(const struct node_id *id, const struct pm_proc_info *p, struct fs_attr *attr)
{
	int64_t now = fs_now();
	const struct row *row = &rows[id->file];
	*attr = (struct fs_attr){ .node = node_pack(id->file, id->sub, id->pid), .mode = row->mode, .nlink = 1, .blksize = 1024,
		.atime_ns = now, .mtime_ns = now, .ctime_ns = now, .btime_ns = now, .flags = FS_ATTR_NOCACHE | FS_ATTR_NOMAP };
	if ((row->mode & 0170000) == 0040000)
		attr->nlink = 2;
	if (id->file < F_PID)
		return;
	attr->uid = p->euid;
	attr->gid = p->egid;
	if (is_magic((enum file)id->file)) {
		attr->flags |= FS_ATTR_MAGIC_LINK;
		attr->magic = (int64_t)((uint64_t)endpoint_slot(p->ep) << 32 | (uint32_t)link_number(id));
	}
	if (id->file == F_P_FD_ENTRY)
		attr->mode = 0120700;
}

static bool number_parse(const struct fs_name *name, uint32_t *out)
{
	*out = 0;
	if (name->len == 0 || name->len > 7 || (name->len > 1 && name->name[0] == '0'))
		return false;
	for (size_t i = 0; i < name->len; i++) {
		if (name->name[i] < '0' || name->name[i] > '9')
			return false;
		*out = *out * 10 + (uint32_t)(name->name[i] - '0');
	}
	return true;
}

static bool fd_is_open(const struct pm_proc_info *p, uint32_t fd)
{
	struct vfs_fd_info info[1];
	return facts_vfs(VFS_INFO_LINK, p->ep, (int32_t)fd, info, sizeof info) >= 0;
}

/* Names that are numbers: processes, threads, descriptors. */
static int64_t lookup_number(const struct node_id *dir, const struct pm_proc_info *p, uint32_t number, struct fs_attr *attr)
{
	struct pm_proc_info other;
	struct node_id id = { F_PID, 0, number };
	switch ((enum file)dir->file) {
	case F_ROOT:
		if (!facts_process(number, &other))
			return -ENOENT;
		break;
	case F_P_TASK:
		if (!facts_process(number, &other) || other.tgid != p->tgid)
			return -ENOENT;
		break;
	case F_P_FD:
	case F_P_FDINFO:
		if (!fd_is_open(p, number))
			return -ENOENT;
		id = (struct node_id){ dir->file == F_P_FD ? F_P_FD_ENTRY : F_P_FDINFO_ENTRY, number, dir->pid };
		other = *p;
		break;
	default:
		return -ENOENT;
	}
	attr_fill(&id, &other, attr);
	return 0;
}

static int64_t lookup_service(const char *label, struct fs_attr *attr)
{
	const struct rs_pub *all = facts_services();
	for (uint32_t i = 0; i < NR_SYS_PROCS; i++) {
		if (all[i].in_use && !strcmp(all[i].label, label)) {
			struct node_id id = { F_SERVICE_ENTRY, i, service_hash(label) };
			attr_fill(&id, NULL, attr);
			return 0;
		}
	}
	return -ENOENT;
}

static int64_t proc_lookup(uint64_t dir, const struct fs_name *name, endpoint_t who, struct fs_attr *attr)
{
	struct node_id d;
	struct pm_proc_info p = { 0 };
	uint32_t number;
	(void)who;
	int64_t r = node_check(dir, &d, &p);
	if (r)
		return r == -ESRCH ? -ENOENT : r;
	if ((rows[d.file].mode & 0170000) != 0040000)
		return -ENOTDIR;
	for (uint32_t f = F_ROOT + 1; f < F_COUNT; f++) {
		if (rows[f].parent == d.file && rows[f].name[0] && !strcmp(rows[f].name, name->name)) {
			struct node_id id = { f, 0, d.pid };
			attr_fill(&id, &p, attr);
			return 0;
		}
	}
	if (d.file == F_SERVICE)
		return lookup_service(name->name, attr);
	return number_parse(name, &number) ? lookup_number(&d, &p, number, attr) : -ENOENT;
}

static int64_t proc_getattr(uint64_t node, struct fs_attr *attr)
{
	struct node_id id;
	struct pm_proc_info p = { 0 };
	int64_t r = node_check(node, &id, &p);
	if (r)
		return r == -ESRCH ? -ENOENT : r;
	attr_fill(&id, &p, attr);
	return 0;
}

static int64_t proc_mount(uint64_t dev, const char *options, uint32_t flags, struct fs_attr *root)
{
	(void)dev, (void)options, (void)flags;
	struct node_id id = { F_ROOT, 0, 0 };
	attr_fill(&id, NULL, root);
	return 0;
}

/* ---- contents -------------------------------------------------------------------------------------------------------- */

static int64_t proc_read(uint64_t node, const struct fs_data *data)
{
	struct node_id id;
	struct pm_proc_info p = { 0 };
	struct text t = { .reader = data->who };
	int64_t r = node_check(node, &id, &p);
	if (r)
		return r;
	const struct row *row = &rows[id.file];
	if (row->system)
		row->system(&t);
	else if (row->process)
		row->process(&t, &p);
	else if (id.file == F_P_FDINFO_ENTRY)
		make_p_fdinfo(&t, &p, id.sub);
	else if (id.file == F_SERVICE_ENTRY)
		make_service(&t, facts_service(id.sub, id.pid));
	else
		return (row->mode & 0170000) == 0040000 ? -EISDIR : -EINVAL;
	if (t.failed) {
		r = -ENOMEM;
	} else if (data->offset < t.len) {
		size_t n = t.len - data->offset < data->len ? t.len - data->offset : data->len;
		r = fs_data_out(data, 0, t.buf + data->offset, n);
		r = r ? r : (int64_t)n;
	}
	free(t.buf);
	return r;
}

static int64_t proc_readlink(uint64_t node, endpoint_t who, char *buf, size_t room)
{
	struct node_id id;
	struct pm_proc_info p = { 0 };
	int64_t r = node_check(node, &id, &p);
	if (r)
		return r == -ESRCH ? -ENOENT : r;
	if (is_magic((enum file)id.file))
		return facts_vfs(VFS_INFO_LINK, p.ep, link_number(&id), buf, room);
	if (id.file != F_SELF && id.file != F_THREAD_SELF)
		return -EINVAL;
	if (!facts_process_of(who, &p))
		return -ENOENT;
	return id.file == F_SELF ? snprintf(buf, room, "%d", p.tgid) : snprintf(buf, room, "%d/task/%d", p.tgid, p.pid);
}

/* ---- directories ----------------------------------------------------------------------------------------------------- */

/* Cookies: 1, 2 for "." and "..", 3 + row for fixed entries, COOKIE_PIDS + number for the others. */
static bool list_rows(const struct node_id *d, uint64_t cookie, struct fs_dirlist *list)
{
	for (uint32_t f = F_ROOT + 1; f < F_COUNT; f++) {
		const struct row *row = &rows[f];
		if (row->parent != d->file || !row->name[0] || 3 + f <= cookie)
			continue;
		if (!fs_dirlist_add(list, node_pack(f, 0, d->pid), row->mode, row->name, strlen(row->name), 3 + f))
			return false;
	}
	return true;
}

static bool list_number(struct fs_dirlist *list, uint64_t node, uint32_t mode, uint32_t number)
{
	char name[16];
	int n = snprintf(name, sizeof name, "%u", number);
	return fs_dirlist_add(list, node, mode, name, (size_t)n, COOKIE_PIDS + number);
}

static int by_pid(const void *a, const void *b)
{
	return ((const struct pm_proc_info *)a)->pid - ((const struct pm_proc_info *)b)->pid;
}

/* Processes (pid == tgid) for the root, threads of one process for task/. In order of pid, so that a cookie is a place. */
static void list_processes(int32_t tgid, uint64_t cookie, struct fs_dirlist *list)
{
	uint32_t n;
	struct pm_proc_info *all = (struct pm_proc_info *)(uintptr_t)facts_processes(&n);
	qsort(all, n, sizeof *all, by_pid);
	for (uint32_t i = 0; i < n; i++) {
		bool wanted = tgid ? all[i].tgid == tgid : all[i].pid == all[i].tgid;
		if (!wanted || all[i].pid <= 0 || COOKIE_PIDS + (uint64_t)all[i].pid <= cookie)
			continue;
		if (!list_number(list, node_pack(F_PID, 0, (uint32_t)all[i].pid), FOLDER, (uint32_t)all[i].pid))
			return;
	}
}

/* VFS tells some at a time, from a number on; so the cookie is a place. */
static void list_descriptors(enum file entry, const struct pm_proc_info *p, uint64_t cookie, struct fs_dirlist *list)
{
	static struct vfs_fd_info fds[FDS_AT_ONCE];
	int32_t from = cookie < COOKIE_PIDS ? 0 : (int32_t)(cookie - COOKIE_PIDS + 1);
	int64_t bytes;
	if (cookie >= (uint64_t)COOKIE_PIDS + INT32_MAX)
		return;
	while ((bytes = facts_vfs(VFS_INFO_FDS, p->ep, from, fds, sizeof fds)) > 0) {
		for (int64_t i = 0; i < bytes / (int64_t)sizeof fds[0]; i++) {
			uint32_t fd = (uint32_t)fds[i].fd;
			if (!list_number(list, node_pack(entry, fd, (uint32_t)p->pid), rows[entry].mode, fd))
				return;
			from = fds[i].fd + 1;
		}
	}
}

static void list_services(uint64_t cookie, struct fs_dirlist *list)
{
	const struct rs_pub *all = facts_services();
	for (uint32_t i = 0; i < NR_SYS_PROCS; i++) {
		if (!all[i].in_use || COOKIE_PIDS + i + 1 <= cookie)
			continue;
		if (!fs_dirlist_add(list, node_pack(F_SERVICE_ENTRY, i, service_hash(all[i].label)), FILE_ALL, all[i].label,
				strlen(all[i].label), COOKIE_PIDS + i + 1))
			return;
	}
}

static int64_t proc_readdir(uint64_t dir, uint64_t cookie, endpoint_t who, struct fs_dirlist *list)
{
	struct node_id d;
	struct pm_proc_info p = { 0 };
	(void)who;
	int64_t r = node_check(dir, &d, &p);
	if (r)
		return r == -ESRCH ? -ENOENT : r;
	if ((rows[d.file].mode & 0170000) != 0040000)
		return -ENOTDIR;
	if (cookie < 1 && !fs_dirlist_add(list, dir, FOLDER, ".", 1, 1))
		return -EINVAL;
	if (cookie < 2 && !fs_dirlist_add(list, node_pack(rows[d.file].parent ? rows[d.file].parent : F_ROOT, 0,
			d.pid), FOLDER, "..", 2, 2))
		return list->used ? 0 : -EINVAL;
	if (!list_rows(&d, cookie, list))
		return 0;
	if (d.file == F_ROOT)
		list_processes(0, cookie, list);
	else if (d.file == F_P_TASK)
		list_processes(p.tgid, cookie, list);
	else if (d.file == F_P_FD)
		list_descriptors(F_P_FD_ENTRY, &p, cookie, list);
	else if (d.file == F_P_FDINFO)
		list_descriptors(F_P_FDINFO_ENTRY, &p, cookie, list);
	else if (d.file == F_SERVICE)
		list_services(cookie, list);
	return 0;
}

static int64_t proc_statfs(uint64_t node, struct statfs *out)
{
	(void)node;
	out->f_type = PROC_MAGIC;
	out->f_bsize = out->f_frsize = 4096;
	out->f_namelen = FS_NAME_MAX;
	return 0;
}

static int64_t proc_setattr(uint64_t node, uint64_t mask, const struct fs_attr *in, struct fs_attr *attr)
{
	(void)in;
	/* O_TRUNC on a file made on the fly means nothing; everything else may not be changed. */
	return mask == FS_SET_SIZE ? proc_getattr(node, attr) : -EPERM;
}

static const struct fs_ops proc_ops = {
	.mount = proc_mount, .lookup = proc_lookup, .getattr = proc_getattr, .setattr = proc_setattr, .read = proc_read,
	.readdir = proc_readdir, .readlink = proc_readlink, .statfs = proc_statfs,
};

static err_t proc_init(const struct sef_init_info *info)
{
	facts_services_init(info);
	fs_announce();
	return 0;
}

int main(void)
{
	static const struct sef_callbacks callbacks = { .fault = fs_fault, .init_fresh = proc_init, .init_restart = proc_init };
	sef_startup(&callbacks);
	fs_task(&proc_ops);
}
