/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Request handlers. A handler gets the space of the caller (system calls) or the message alone (requests of services) and returns the
 * result word, or CALL_LATER when the answer is sent by itself.
 */
#pragma once
#include "space.h"
#include <abi/message.h>

#define CALL_LATER INT64_MIN

/* System calls; arguments in m->w[0..5]. */
int64_t call_brk(struct space *s, const struct message *m);
int64_t call_mmap(struct space *s, const struct message *m);
int64_t call_munmap(struct space *s, const struct message *m);
int64_t call_mprotect(struct space *s, const struct message *m);
int64_t call_mremap(struct space *s, const struct message *m);
int64_t call_madvise(struct space *s, const struct message *m);
int64_t call_msync(struct space *s, const struct message *m);
int64_t call_mincore(struct space *s, const struct message *m);
int64_t call_mlock(struct space *s, const struct message *m);
int64_t call_munlock(struct space *s, const struct message *m);
int64_t call_mlockall(struct space *s, const struct message *m);
int64_t call_munlockall(struct space *s, const struct message *m);

/* Requests of services (proto/vm.h). */
int64_t rq_fork(const struct message *m);
int64_t rq_exit(const struct message *m);
int64_t rq_exec_new(const struct message *m);
int64_t rq_mmap_for(const struct message *m);
int64_t rq_protect_for(const struct message *m);
int64_t rq_prefault(const struct message *m);
int64_t rq_mmap_reply(const struct message *m);
int64_t rq_forget(const struct message *m);
int64_t rq_map_phys(const struct message *m);
int64_t rq_map_archive(const struct message *m);
int64_t rq_free_archive(const struct message *m);
int64_t rq_alloc_contig(const struct message *m);
int64_t rq_info(const struct message *m);
int64_t rq_set_priv(const struct message *m);
int64_t rq_release(const struct message *m);
int64_t rq_rlimit(const struct message *m);
int64_t rq_update(const struct message *m);

/* What others need of them. */
void mmaps_purge(endpoint_t dead);		/* its mmap calls that wait for VFS */
bool mmaps_pending(void);
/* Is [addr, addr + len) page-aligned user memory? len is rounded up; 0: no. */
bool range_check(vaddr_t addr, uint64_t *len);
/* Makes [first, last) present, then answers `m` with result. */
int64_t populate_later(const struct message *m, vaddr_t first, vaddr_t last, bool write, bool must, int64_t result);
void lock_account(struct space *s, struct region *r, bool lock);
bool space_may_lock(const struct space *s, uint64_t bytes);
void vdso_set(paddr_t vdso, uint64_t vdso_pages, paddr_t vvar, uint64_t vvar_pages);
void archive_set(paddr_t first, paddr_t last);
void info_set_memory(uint64_t total_bytes);
