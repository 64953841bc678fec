/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to VM beside the routed Linux calls (brk, mmap, munmap, mprotect, mremap, madvise, msync, mincore, mlock family, of users and,
 * the first six, of services; sizes and errors as Linux). VM waits for nobody but the kernel. Besides those named,
 * whoever's privileges list a request (`vm` in system.conf) may make it; everybody else gets EPERM.
 *
 * request         who        answered    meaning and errors
 * VM_FORK         PM         at once     child gets a copy-on-write copy or, with VM_FORK_SHARE, the same space. ENOMEM
 * VM_EXIT         PM, RS     at once     drop the process's memory; unknown ep is fine
 * VM_EXEC_NEW     VFS, RS    at once     fresh empty space with the vdso mapped -> its address. ENOMEM
 * VM_MMAP_FOR     VFS, RS    at once     map anonymous or file pages at a given address of another process. EINVAL, ENOMEM, EEXIST
 * VM_PREFAULT     VFS        when done   make [addr, +len) of ep present (and writable); reply VM_PREFAULT + 1 carries the id. EFAULT
 * VM_MMAP_REPLY   VFS        never       answer to VFS_VM_MMAP
 * VM_FORGET       fs         never       unmap pages of node from page `first` everywhere (truncation); later use is SIGBUS
 * VM_MAP_PHYS     drivers    at once     map physical memory (device, boot archive) allowed by the privileges -> address. EPERM
 * VM_MAP_ARCHIVE  tmpfs,RS    at once     map the boot archive read-only -> address and length. ENOENT when it is gone
 * VM_FREE_ARCHIVE tmpfs      at once     the boot archive is unpacked: its frames are free memory now
 * VM_ALLOC_CONTIG drivers    at once     contiguous zeroed memory for DMA -> address and physical address. EDQUOT: more than it may have
 * VM_INFO         procfs ... at once     what VM_INFO_*, by grant (memory must be present: clear the buffer before). ESRCH
 * VM_UPDATE       RS         at once     src, dead, and dst, its successor, exchange memory. EINVAL, EBUSY: one runs
 * VM_SET_PRIV     RS         at once     permitted requests of a service, and how much contiguous memory it may have at a time
 * VM_PROTECT_FOR  RS         at once     mprotect for another process: a loader writes text through RW and then makes it RX. EINVAL, ENOMEM
 * VM_RELEASE      VFS        at once     give back, before the answer, the references to files of fs that nobody maps any more
 * VM_RLIMIT       PM         at once     RLIMIT_AS/DATA/STACK/MEMLOCK of a process
 */
#pragma once
#include <abi/message.h>

enum {
	VM_FORK = MSG_VM, VM_EXIT = MSG_VM + 2, VM_EXEC_NEW = MSG_VM + 4, VM_MMAP_FOR = MSG_VM + 6, VM_PREFAULT = MSG_VM + 8,
	VM_MMAP_REPLY = MSG_VM + 10, VM_FORGET = MSG_VM + 12, VM_MAP_PHYS = MSG_VM + 14, VM_FREE_ARCHIVE = MSG_VM + 16,
	VM_ALLOC_CONTIG = MSG_VM + 18, VM_INFO = MSG_VM + 20, VM_UPDATE = MSG_VM + 22, VM_SET_PRIV = MSG_VM + 24, VM_RLIMIT = MSG_VM + 26,
	VM_MAP_ARCHIVE = MSG_VM + 28, VM_PROTECT_FOR = MSG_VM + 30, VM_RELEASE = MSG_VM + 32,
};

struct vm_fork_req { endpoint_t parent, child; uint32_t flags; };
enum { VM_FORK_SHARE = 1 };
struct vm_exit_req { endpoint_t ep; };
struct vm_exec_new_req { endpoint_t ep; };
struct vm_exec_new_rep { int64_t result; vaddr_t vdso; };

/* VM_MMAP_FOR: addr and length page-aligned; always MAP_FIXED. File pages when fs != EP_NONE (VFS holds the node's reference and is told
 * by VFS_VM_UNREF when the last region is gone). Each successful request with an fs counts one reference of VFS, as each successful
 * VM_MMAP_REPLY does; VM gives them back together, some time after the last mapping is gone (vfs_vm_unref_req.count). */
struct vm_mmap_for_req {
	endpoint_t ep; uint32_t prot;	/* PROT_* of Linux */
	vaddr_t addr; uint64_t len;
	endpoint_t fs; uint32_t flags;	/* VM_MF_* */
	uint64_t node, offset;		/* offset: bytes, page-aligned; VM_MF_LEND: address in the caller's memory */
	/* bytes of the file's part that are valid in the mapping; the rest of its last page reads as zeros */
	uint64_t file_end;
};
MSG_BODY_FITS(struct vm_mmap_for_req);
enum { VM_MF_STACK = 1 /* grows down; len = room now */, VM_MF_HEAP = 2 /* brk starts at its end */, VM_MF_SHARED = 4, VM_MF_BRK_BASE = 8,
	VM_MF_LEND = 16 /* RS, read-only: the caller's own pages, which must be there and not be written any more. EFAULT */ };

struct vm_protect_for_req { endpoint_t ep; uint32_t prot; vaddr_t addr; uint64_t len; };

struct vm_prefault_req { endpoint_t ep; uint32_t write; vaddr_t addr; uint64_t len, id; };
struct vm_prefault_rep { int64_t result; uint64_t id; };

struct vm_mmap_reply_req {	/* answer of VFS to VFS_VM_MMAP */
	uint64_t id; int64_t result;	/* 0, or the error for the caller of mmap */
	endpoint_t fs; uint32_t flags;	/* VM_MR_* */
	uint64_t node, size;
};
enum { VM_MR_WRITABLE = 1 /* shared writing allowed */, VM_MR_ANON = 2 /* /dev/zero: map anonymous memory */, VM_MR_NOEXEC = 4 };
struct vm_forget_req { uint64_t node, first_page, keep_copies; };	/* keep_copies: the file has them still; private copies stay */
struct vm_map_phys_req { paddr_t paddr; uint64_t len; uint32_t write, uncached; };
struct vm_map_phys_rep { int64_t result; vaddr_t addr; };
struct vm_map_archive_rep { int64_t result; vaddr_t addr; uint64_t len; };
struct vm_alloc_contig_req { uint64_t len, align, below; };
struct vm_alloc_contig_rep { int64_t result; vaddr_t addr; paddr_t paddr; };

enum { VM_INFO_STATS /* struct vm_stats */, VM_INFO_PROC /* struct vm_proc_info of ep */,
	VM_INFO_REGIONS /* struct vm_region_info[] of ep */ };
struct vm_info_req { uint32_t what; endpoint_t ep; grant_t grant; uint32_t len; uint64_t first; };
struct vm_info_rep { int64_t result; uint64_t bytes; };
struct vm_stats { uint64_t total, free, kernel, page_tables, cached, shared, anonymous, faults_minor, faults_major, cow_breaks, memreqs; };
struct vm_proc_info { uint64_t vsize, rss, shared, text, data, stack, locked, faults_minor, faults_major,
	peak_vsize, peak_rss, brk_start, brk; };
enum { VM_RI_STACK = 1, VM_RI_HEAP = 2, VM_RI_SHARED = 4, VM_RI_SPECIAL = 8 /* vdso, vvar */ };	/* vm_region_info.flags */
struct vm_region_info { vaddr_t first, last /* exclusive */; uint32_t prot, flags; endpoint_t fs; uint32_t pad; uint64_t node, offset; };
struct vm_set_priv_req { endpoint_t ep; uint32_t pad; uint64_t mask, contig_max; };	/* contig_max: bytes */
struct vm_release_req { endpoint_t fs; };
struct vm_rlimit_req { endpoint_t ep; uint32_t resource; uint64_t cur, max; };
struct vm_update_req { endpoint_t src, dst; uint32_t flags; };
