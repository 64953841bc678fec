/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of user processes: copies by the kernel that never suspend us (COPY_TRY), and VM's help where pages are missing. A wrong
 * pointer is found by VM, which refuses to make the page present. State is on the stacks of the fibers concerned only.
 */
#include "usermem.h"

#include <abi/kcall.h>
#include <libsys/kcall.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

enum { PREFAULT_TRIES = 8, PREFAULT_MAX = 1 << 20, STRING_STEP = 256 };

int64_t user_prefault(endpoint_t ep, vaddr_t addr, uint64_t len, bool write)
{
	uint64_t in_page = PAGE_BYTES - (addr & (PAGE_BYTES - 1));
	if (len > PREFAULT_MAX)
		len = PREFAULT_MAX;
	if (vm_prefault(ep, addr, len, write) == 0)
		return (int64_t)len;
	if (len <= in_page || vm_prefault(ep, addr, in_page, write) != 0)
		return -EFAULT;
	return (int64_t)in_page;
}

/* The page that is missing may be one of ours: a copy that is only tried does not bring it in. */
static void own_touch(uint8_t *p, size_t len, bool write)
{
	for (size_t at = 0; at < len; at += PAGE_BYTES) {
		volatile uint8_t *byte = p + at;
		if (write)
			*byte = 0;
		else
			(void)*byte;
	}
	volatile uint8_t *last = p + len - 1;
	if (write)
		*last = 0;
	else
		(void)*last;
}

static int copy_with_help(endpoint_t user, vaddr_t addr, void *own, size_t len, bool write)
{
	uint8_t *p = own;
	if (user != EP_SELF && !user_range_ok(addr, len))
		return -EFAULT;
	for (int tries = 0; len > 0; tries++) {
		uint64_t done = 0;
		vaddr_t mine = (vaddr_t)(uintptr_t)p;
		err_t r = write ? sys_vircopy(EP_SELF, mine, user, addr, len, COPY_TRY, &done)
				: sys_vircopy(user, addr, EP_SELF, mine, len, COPY_TRY, &done);
		if (r == 0)
			return 0;
		if (r != -ESOFTFAULT || done > len)
			return -EFAULT;
		if (done)
			tries = 0;
		p += done;
		addr += done;
		len -= done;
		own_touch(p, len, !write);
		if (tries > PREFAULT_TRIES || user_prefault(user, addr, len, write) < 0)
			return -EFAULT;
	}
	return 0;
}

int user_read(endpoint_t ep, vaddr_t from, void *to, size_t len)
{
	return copy_with_help(ep, from, to, len, false);
}

int user_write(endpoint_t ep, vaddr_t to, const void *from, size_t len)
{
	return copy_with_help(ep, to, (void *)(uintptr_t)from, len, true);
}

/* Fetch up to `max` bytes without crossing into a page that need not exist. Returns bytes fetched. */
static int64_t string_step(endpoint_t ep, vaddr_t from, char *to, size_t max)
{
	uint64_t done = 0;
	size_t in_page = PAGE_BYTES - (from & (PAGE_BYTES - 1));
	size_t n = max < STRING_STEP ? max : STRING_STEP;
	if (n > in_page && in_page >= 64)
		n = in_page;
	if (!user_range_ok(from, 1))
		return -EFAULT;
	err_t r = sys_vircopy(ep, from, EP_SELF, (vaddr_t)(uintptr_t)to, n, COPY_TRY, &done);
	if (r == 0)
		return (int64_t)n;
	if (done > 0 && done <= n)
		return (int64_t)done;
	n = n < in_page ? n : in_page;
	int e = user_read(ep, from, to, n);
	return e ? e : (int64_t)n;
}

int user_read_string(endpoint_t ep, vaddr_t from, char *to, size_t max, size_t *len)
{
	size_t have = 0;
	while (have < max) {
		int64_t n = string_step(ep, from + have, to + have, max - have);
		if (n < 0)
			return (int)n;
		char *end = memchr(to + have, 0, (size_t)n);
		if (end) {
			if (len)
				*len = (size_t)(end - to);
			return 0;
		}
		have += (size_t)n;
	}
	return -ENAMETOOLONG;
}

/* ---- pieces ---------------------------------------------------------------------------------------------------- */

void uio_single(struct uio *u, endpoint_t ep, vaddr_t addr, uint64_t len)
{
	u->ep = ep;
	u->one.iov_base = (void *)(uintptr_t)addr;
	u->one.iov_len = len;
	u->iov = &u->one;
	u->count = 1;
	u->offset = 0;
	u->left = len;
	u->allocated = NULL;
}

static int iov_check(struct uio *u)
{
	u->left = 0;
	for (unsigned i = 0; i < u->count; i++) {
		uint64_t n = u->iov[i].iov_len;
		if ((int64_t)n < 0)
			return -EINVAL;
		if (!user_range_ok((vaddr_t)(uintptr_t)u->iov[i].iov_base, n))
			return -EFAULT;
		if (n > USER_RW_MAX - u->left)
			u->iov[i].iov_len = n = USER_RW_MAX - u->left;
		u->left += n;
	}
	return 0;
}

int uio_vector(struct uio *u, endpoint_t ep, vaddr_t iov, uint64_t count)
{
	memset(u, 0, sizeof *u);
	u->ep = ep;
	if (count > USER_IOV_MAX)
		return -EINVAL;
	u->count = (unsigned)count;
	u->iov = &u->one;
	if (count > 1) {
		u->allocated = malloc(count * sizeof *u->iov);
		if (!u->allocated)
			return -ENOMEM;
		u->iov = u->allocated;
	}
	int r = count ? user_read(ep, iov, u->iov, count * sizeof *u->iov) : 0;
	if (r == 0)
		r = iov_check(u);
	if (r)
		uio_done(u);
	return r;
}

void uio_done(struct uio *u)
{
	free(u->allocated);
	u->allocated = NULL;
}

void uio_advance(struct uio *u, uint64_t n)
{
	u->left -= n;
	while (u->count > 0) {
		uint64_t here = u->iov->iov_len - u->offset;
		if (n < here) {
			u->offset += n;
			return;
		}
		n -= here;
		u->offset = 0;
		if (u->count == 1 && n == 0 && u->left == 0) {
			u->count = 0;
			return;
		}
		u->iov++;
		u->count--;
	}
}

uint64_t uio_piece(const struct uio *u, uint64_t max, vaddr_t *addr)
{
	const struct iovec *v = u->iov;
	size_t offset = u->offset;
	for (unsigned i = 0; i < u->count; i++, v++, offset = 0) {
		uint64_t n = v->iov_len - offset;
		if (n == 0)
			continue;
		*addr = (vaddr_t)(uintptr_t)v->iov_base + offset;
		return n < max ? n : max;
	}
	return 0;
}

/* Empty pieces in front would make the offset belong to the wrong one. */
static void uio_skip_empty(struct uio *u)
{
	while (u->count > 0 && u->iov->iov_len == u->offset) {
		u->iov++;
		u->count--;
		u->offset = 0;
	}
}

static int64_t uio_copy(struct uio *u, uint8_t *own, size_t len, bool out)
{
	size_t moved = 0;
	while (moved < len) {
		vaddr_t addr;
		uio_skip_empty(u);
		uint64_t n = uio_piece(u, len - moved, &addr);
		if (n == 0)
			break;
		int r = out ? user_write(u->ep, addr, own + moved, n) : user_read(u->ep, addr, own + moved, n);
		uint64_t in_page = PAGE_BYTES - (addr & (PAGE_BYTES - 1));
		if (r && n > in_page) {	/* what lies before the hole is moved */
			n = in_page;
			r = out ? user_write(u->ep, addr, own + moved, n) : user_read(u->ep, addr, own + moved, n);
		}
		if (r)
			return moved ? (int64_t)moved : r;
		uio_advance(u, n);
		moved += n;
	}
	return (int64_t)moved;
}

int64_t uio_copy_in(struct uio *u, void *to, size_t len) { return uio_copy(u, to, len, false); }
int64_t uio_copy_out(struct uio *u, const void *from, size_t len) { return uio_copy(u, (uint8_t *)(uintptr_t)from, len, true); }

int64_t uio_zero_out(struct uio *u, size_t len)
{
	static const uint8_t zeros[512];
	size_t moved = 0;
	while (moved < len) {
		size_t n = len - moved < sizeof zeros ? len - moved : sizeof zeros;
		int64_t r = uio_copy_out(u, zeros, n);
		if (r <= 0)
			return moved ? (int64_t)moved : r;
		moved += (size_t)r;
	}
	return (int64_t)moved;
}

uint64_t uio_copy_direct(struct uio *from, struct uio *to, uint64_t max)
{
	uint64_t moved = 0;
	while (moved < max) {
		vaddr_t src, dst;
		uint64_t done = 0;
		uio_skip_empty(from);
		uio_skip_empty(to);
		uint64_t n = uio_piece(from, max - moved, &src);
		n = n ? uio_piece(to, n, &dst) : 0;
		if (n == 0)
			break;
		err_t r = sys_vircopy(from->ep, src, to->ep, dst, n, COPY_TRY, &done);
		if (r == 0)
			done = n;
		if (done > n)
			done = 0;
		uio_advance(from, done);
		uio_advance(to, done);
		moved += done;
		if (r)
			break;
	}
	return moved;
}
