/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of user processes. Copies are tried; where a page is missing VM is asked and the fiber waits, so every function here may
 * yield. All return 0 or -EFAULT (also when the process has died meanwhile).
 */
#pragma once
#include "vfs.h"
#include <sys/uio.h>

enum { USER_PATH_MAX = 4096, USER_IOV_MAX = 1024 };
static const uint64_t USER_TOP = 0x00007ffffffff000ull;	/* first address that no user process has */
static const uint64_t USER_RW_MAX = 0x7ffff000;			/* bytes one call moves at most, as Linux */

/* Inside the range that user processes can have at all? Linux checks this before anything else. */
static inline bool user_range_ok(vaddr_t addr, uint64_t len) { return len <= USER_TOP && addr <= USER_TOP - len; }

int user_read(endpoint_t ep, vaddr_t from, void *to, size_t len);
int user_write(endpoint_t ep, vaddr_t to, const void *from, size_t len);
/* Make [addr, +len) present, or as much of its beginning as can be: bytes, or -EFAULT. */
int64_t user_prefault(endpoint_t ep, vaddr_t addr, uint64_t len, bool write);
/* A NUL-terminated string of at most max bytes with its NUL; -ENAMETOOLONG. *len (may be NULL) without NUL. */
int user_read_string(endpoint_t ep, vaddr_t from, char *to, size_t max, size_t *len);

/*
 * Where the bytes of a read or write come from or go to: pieces of one process's memory, or of our own (ep = EP_SELF).
 */
struct uio {
	endpoint_t ep;
	struct iovec *iov;		/* pieces left */
	unsigned count;
	size_t offset;		/* bytes of iov[0] already used */
	uint64_t left;		/* bytes in all */
	struct iovec one;	/* for a single piece */
	struct iovec *allocated;
};

void uio_single(struct uio *u, endpoint_t ep, vaddr_t addr, uint64_t len);
/* From an iovec array of the caller: -EINVAL (count, lengths), -EFAULT, -ENOMEM. */
int uio_vector(struct uio *u, endpoint_t ep, vaddr_t iov, uint64_t count);
void uio_done(struct uio *u);
/* The next contiguous piece: at most max bytes; 0 at the end. */
uint64_t uio_piece(const struct uio *u, uint64_t max, vaddr_t *addr);
void uio_advance(struct uio *u, uint64_t n);
/* Move up to len bytes; returns the number moved, or -EFAULT when not one could be. */
int64_t uio_copy_in(struct uio *u, void *to, size_t len);
int64_t uio_copy_out(struct uio *u, const void *from, size_t len);
int64_t uio_zero_out(struct uio *u, size_t len);
/* From one process to another, without waiting: bytes moved, less when memory is missing. */
uint64_t uio_copy_direct(struct uio *from, struct uio *to, uint64_t max);
