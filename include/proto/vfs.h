/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of services to VFS beside the routed Linux calls.
 *
 * request         who   kind     answered                meaning
 * VFS_FORK        PM    SENDREC  at once                 child inherits descriptors, cwd, root, umask; flags share the tables (clone)
 * VFS_EXIT        PM    SENDREC  at once                 cancel its call, close everything; slow work goes on in the background
 * VFS_SETCRED     PM    SENDREC  at once                 credentials used for permission checks; groups by address in PM's memory
 * VFS_SETIDS      PM    SENDREC  at once                 pid, pgid, sid; a new session loses its controlling terminal
 * VFS_EXEC        PM    SENDA    later, VFS_EXEC + 1     load a program: see struct; VFS_EXEC_COMMIT when VFS said READY
 * VFS_RLIMIT      PM    SENDREC  at once                 RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_STACK of a process
 * VFS_VM_MMAP     VM    SENDA    later, VM_MMAP_REPLY    the file behind a descriptor is to be mapped; takes a reference
 * VFS_VM_UNREF    VM    SENDA    never                   a mapping of (fs, node) is gone: drop one reference
 * VFS_VM_NAME     procfs SENDREC at once                 path of a mapped node, by grant
 * VFS_INFO        procfs SENDREC at once                 mounts, descriptors, cwd, root, exe as text or structs by grant
 * VFS_MAPDRIVER   RS    SENDA    never                   record label, endpoint and major in the device map
 * VFS_SIGNALS     PM    SENDA    never                   a signal of a set that PM_SIGNALFD asked for is pending now
 * VFS_MOUNTED     fs    -        -                       reserved
 */
#pragma once
#include <abi/limits.h>
#include <abi/message.h>

enum { VFS_FORK = MSG_VFS, VFS_EXIT = MSG_VFS + 2, VFS_SETCRED = MSG_VFS + 4, VFS_SETIDS = MSG_VFS + 6, VFS_EXEC = MSG_VFS + 8,
	VFS_EXEC_COMMIT = MSG_VFS + 10, VFS_RLIMIT = MSG_VFS + 12, VFS_VM_MMAP = MSG_VFS + 14, VFS_VM_UNREF = MSG_VFS + 16,
	VFS_VM_NAME = MSG_VFS + 18, VFS_INFO = MSG_VFS + 20, VFS_MAPDRIVER = MSG_VFS + 22, VFS_SIGNALS = MSG_VFS + 24 };

/* parent EP_NONE: a fresh process with root's defaults and /dev/console (init) */
struct vfs_fork_req { endpoint_t parent, child; int32_t pid; uint32_t flags; };
enum { VFS_FORK_FILES = 1, VFS_FORK_FS = 2, VFS_FORK_THREAD = 4 /* same pid-level identity (cwd etc. by flags) */ };
struct vfs_signals_req { int32_t pid; };
struct vfs_exit_req { endpoint_t ep; };
struct vfs_setcred_req { endpoint_t ep; uint32_t fsuid, fsgid, uid, gid; uint32_t nr_groups; vaddr_t groups /* uint32_t[] in PM */; };
struct vfs_setids_req { endpoint_t ep; int32_t pid, pgid, sid; };
struct vfs_rlimit_req { endpoint_t ep; uint32_t resource; uint64_t cur, max; };

struct vfs_exec_req {	/* pointers are in ep's memory; for init's first exec ep has none: then they are in PM's (flags) */
	endpoint_t ep; uint32_t flags;
	int32_t dirfd; uint32_t at_flags;	/* execveat */
	vaddr_t path, argv, envp;
};
MSG_BODY_FITS(struct vfs_exec_req);
enum { VFS_EXEC_COMMIT_NOW = 1 /* single-threaded: do not stop at READY */, VFS_EXEC_PM_POINTERS = 2,
	VFS_EXEC_NO_SETID = 4 /* PR_SET_NO_NEW_PRIVS: set-id bits mean nothing */ };
enum vfs_exec_phase { VFS_EXEC_FAILED /* caller lives on, result = error */, VFS_EXEC_READY, VFS_EXEC_DONE,
	VFS_EXEC_LOST /* old image gone: kill it */ };
struct vfs_exec_rep {
	endpoint_t ep; uint32_t phase; int32_t result;
	uint32_t euid, egid;	/* after set-id bits; equal to the old ones otherwise */
	uint32_t secure;	/* set-id happened */
	vaddr_t pc, sp;
	char name[PROC_NAME_LEN];
};
MSG_BODY_FITS(struct vfs_exec_rep);
struct vfs_exec_commit_req { endpoint_t ep; uint32_t abort; };

struct vfs_vm_mmap_req { uint64_t id; endpoint_t ep; int32_t fd; uint32_t prot, flags; uint64_t offset, len; };
struct vfs_vm_unref_req { endpoint_t fs; uint32_t count; uint64_t node; };

enum { VFS_INFO_MOUNTS /* text of /proc/mounts */, VFS_INFO_FDS /* struct vfs_fd_info[] of ep, from fd on */,
	VFS_INFO_LINK /* path of cwd, root, exe, fd n */,
	VFS_INFO_STATS /* struct vfs_stats */, VFS_INFO_DEVICES /* text of /proc/devices */, VFS_INFO_LOCKS, VFS_INFO_FILESYSTEMS,
	VFS_INFO_ARGS /* struct vfs_args_info of ep */, VFS_INFO_CTTY /* int32_t[2]: device as in struct stat, foreground group or -1 */,
	VFS_INFO_MOUNTINFO /* text of /proc/PID/mountinfo */ };
enum { VFS_LINK_CWD = -1, VFS_LINK_ROOT = -2, VFS_LINK_EXE = -3 };
struct vfs_info_req { uint32_t what; endpoint_t ep; int32_t fd; grant_t grant; uint32_t len; uint64_t offset; };
struct vfs_info_rep { int64_t result; uint64_t bytes; };
struct vfs_fd_info { int32_t fd; uint32_t flags, mode; uint32_t pad; uint64_t pos, node, dev; };
struct vfs_args_info { vaddr_t arg_start, arg_end, env_start, env_end; };	/* in ep's memory, as its exec left them */
struct vfs_stats { uint64_t files_open, vnodes, names_cached, fibers, pipes, sockets; };
struct vfs_mapdriver_req { int32_t major; endpoint_t ep; char label[LABEL_LEN]; };	/* ep NONE: unmap */
MSG_BODY_FITS(struct vfs_mapdriver_req);
struct vfs_vm_name_req { endpoint_t fs; grant_t grant; uint32_t len; uint64_t node; };
