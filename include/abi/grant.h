/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory grants. A process offers a piece of memory by an entry in a table in its own memory, registered with KC_SETGRANT; the kernel
 * reads the entry at each use. A grant id carries the entry's sequence number, so that reuse of an index is noticed.
 *
 * Order of checks for a copy: granter alive (EDEADEPT), id well formed (EINVAL), table present, index in range, USED|VALID, sequence
 * equal (EPERM), indirect grants followed with the grantee checked at each hop (ELOOP after 5), access a subset of the flags,
 * grantee is the caller or EP_ANY, offset + length inside without wrap (EPERM), then the copy (EFAULT, ESOFTFAULT).
 */
#pragma once
#include <abi/types.h>

enum { GRANT_INDEX_BITS = 20, GRANT_SEQ_MAX = 0x7ff, GRANT_INVALID = -1, GRANT_MAX_HOPS = 5 };
static inline int grant_index(grant_t g) { return g & ((1 << GRANT_INDEX_BITS) - 1); }
static inline int grant_seq(grant_t g) { return g >> GRANT_INDEX_BITS; }
static inline grant_t grant_make(int seq, int index) { return (grant_t)((uint32_t)seq << GRANT_INDEX_BITS | (uint32_t)index); }

enum {
	GRANT_READ = 1, GRANT_WRITE = 2,
	GRANT_TRY = 4,		/* memory not present: the copy fails with ESOFTFAULT and GRANT_FAULTED is set in the entry */
	GRANT_USED = 0x10, GRANT_VALID = 0x20, GRANT_DIRECT = 0x40, GRANT_INDIRECT = 0x80,
	GRANT_MAGIC = 0x100,	/* memory of a third process; only for holders of PRIV_MAGIC_GRANTS (VFS) */
	GRANT_FAULTED = 0x200,	/* set by the kernel, learnt at revocation */
};

struct grant_entry {		/* 40 bytes */
	uint32_t flags;
	int32_t seq;
	endpoint_t grantee;	/* who may use it, or EP_ANY */
	endpoint_t owner;	/* MAGIC: whose memory; INDIRECT: the granter we got it from */
	union { vaddr_t addr; grant_t from; };	/* DIRECT, MAGIC: start; INDIRECT: its grant */
	uint64_t len;		/* bytes */
	uint64_t unused;
};

/*
 * One element of KC_VSAFECOPY: exactly one of src and dst is EP_SELF, the other is the granter. At most VSAFECOPY_MAX. Elements that use
 * one grant for one direction cost less behind each other: its entry is read for the first of them.
 */
struct vsafecopy { endpoint_t src, dst; grant_t grant; int32_t pad; uint64_t offset; vaddr_t addr; uint64_t len; };
enum { VSAFECOPY_MAX = 64 };
