/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process's grant table (abi/grant.h). It starts with room for GRANT_STATIC entries and grows by malloc; an id carries the
 * entry's sequence number, so a revoked id never names a later grant. All return GRANT_INVALID when memory is short.
 * Not for use by several threads.
 */
#pragma once
#include <abi/grant.h>

enum { GRANT_STATIC = 128 };

/* flags: GRANT_READ, GRANT_WRITE, GRANT_TRY. */
grant_t grant_direct(endpoint_t grantee, const void *p, size_t len, int flags);
grant_t grant_magic(endpoint_t grantee, endpoint_t owner, vaddr_t addr, size_t len, int flags);
grant_t grant_indirect(endpoint_t grantee, endpoint_t granter, grant_t from);

/* 0, GRANT_FAULTED when a TRY copy through it met missing memory, or -EINVAL for an id that is not ours. */
int grant_revoke(grant_t g);

/* Change what a grant offers without a new id: for a grant that is used over and over. -EINVAL for a bad id. */
err_t grant_reuse_direct(grant_t g, endpoint_t grantee, const void *p, size_t len, int flags);

/* Tell the kernel (again) where the table lies: after start-up and after a live update. */
err_t grant_register(void);

/* Grants in use: for leak checks. */
uint32_t grant_count(void);
