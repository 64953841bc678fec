/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies between address spaces. A side whose space is loaded on this CPU is reached by its user addresses (with fault recovery); the
 * other side through its page tables, page by page. Before memory of a space is touched, changes of it that this CPU has not seen
 * are taken notice of (space_refresh).
 *
 * A missing page parks the caller until VM has made the rest of the range present; then the whole kernel call runs again. So a
 * copy may be done partly more than once, which is harmless, and nothing else may have happened before.
 *
 * The kernel lock is held and interrupts are off meanwhile, so a long copy is done in turns: -EUNFINISHED, and the kernel call advances
 * its arguments. At the next turn everything is looked up anew: a process that died or a grant that was taken back ends it.
 */
#include <arch/sigframe.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/mem.h>

struct side {
	struct proc *p;			/* 0: kernel address */
	vaddr_t addr;
	bool direct;			/* reachable by its own address */
	bool write;
};

static struct side side_make(struct mem_range r, bool write)
{
	struct side s = { r.p, r.addr, true, write };

	if (!r.p)
		return s;
	space_refresh(r.p->space);
	s.direct = r.p->space == get_cpulocal_var(loaded_space);
	return s;
}

/* Where the next bytes of a side are, 0 if its page is missing; *n is reduced to what is contiguous there. */
static void *side_pointer(const struct side *s, uint64_t *n)
{
	if (s->direct)
		return (void *)s->addr;
	*n = min_u64(*n, PAGE_BYTES - (s->addr & (PAGE_BYTES - 1)));
	return arch_space_walk(s->p->space, s->addr, s->write);
}

static err_t side_missing(struct proc *caller, const struct side *s, uint64_t len, uint32_t flags)
{
	if (flags & MEM_TRY)
		return -ESOFTFAULT;
	return vm_request(caller, s->p, s->addr, len, s->write);
}

static bool range_valid(struct mem_range r, uint64_t len)
{
	return !r.p || (r.p->space && arch_user_range(r.addr, len));
}

err_t mem_copy(struct proc *caller, struct mem_range dst, struct mem_range src, uint64_t len, uint32_t flags, uint64_t *done)
{
	struct side d, s;
	bool walking = false;
	uint64_t copied = 0, turn = min_u64(len, MEM_TURN), n, left;

	*done = 0;
	if (!range_valid(dst, len) || !range_valid(src, len))
		return -EFAULT;
	d = side_make(dst, true);
	s = side_make(src, false);
	for (; copied < turn; *done = copied) {
		void *to, *from;

		n = turn - copied;
		from = side_pointer(&s, &n);
		if (!from)
			return side_missing(caller, &s, len - copied, flags);
		to = side_pointer(&d, &n);
		if (!to)
			return side_missing(caller, &d, len - copied, flags);
		left = arch_user_copy(to, from, n);
		copied += n - left;
		d.addr += n - left;
		s.addr += n - left;
		if (likely(!left))
			continue;
		if (walking)
			return -EFAULT;		/* memory the kernel cannot reach: a device */
		/* Find out through the page tables which side it was. */
		walking = true;
		d.direct = !d.p;
		s.direct = !s.p;
	}
	return likely(turn == len) ? 0 : -EUNFINISHED;
}

err_t mem_fill(struct proc *caller, struct mem_range dst, uint8_t byte, uint64_t len, uint32_t flags, uint64_t *done)
{
	enum { PATTERN_BYTES = 1024 };
	static uint8_t pattern[PATTERN_BYTES];
	uint64_t turn = min_u64(len, MEM_TURN), n;
	err_t err = 0;

	memset(pattern, byte, sizeof(pattern));
	for (*done = 0; *done < turn && !err; *done += n, dst.addr += n)
		err = mem_copy(caller, dst, (struct mem_range){ 0, (vaddr_t)pattern }, min_u64(turn - *done, sizeof(pattern)), flags, &n);
	return err || turn == len ? err : -EUNFINISHED;
}

/* The common case is small and present: p's space is loaded because p is current. */
static bool copy_at_once(struct proc *p, void *to, const void *from, vaddr_t user, uint64_t len)
{
	if (unlikely(p->space != get_cpulocal_var(loaded_space) || !arch_user_range(user, len)))
		return false;
	space_refresh(p->space);
	return !arch_user_copy(to, from, len);
}

err_t mem_read(struct proc *p, void *to, vaddr_t from, uint64_t len)
{
	uint64_t done;

	if (likely(copy_at_once(p, to, (const void *)from, from, len)))
		return 0;
	return mem_copy(p, (struct mem_range){ 0, (vaddr_t)to }, (struct mem_range){ p, from }, len, 0, &done);
}

err_t mem_write(struct proc *p, vaddr_t to, const void *from, uint64_t len)
{
	uint64_t done;

	if (likely(copy_at_once(p, (void *)to, from, to, len)))
		return 0;
	return mem_copy(p, (struct mem_range){ p, to }, (struct mem_range){ 0, (vaddr_t)from }, len, 0, &done);
}

/* ---- for the machine layer: signal frames and arch_prctl, which are simply called again ---- */

static err_t proc_copy_result(err_t err)
{
	return err == -ESUSPEND ? -EAGAIN : err;
}

err_t proc_copy_out(struct proc *p, vaddr_t dst, const void *src, uint64_t len)
{
	return proc_copy_result(mem_write(p, dst, src, len));
}

err_t proc_copy_in(struct proc *p, void *dst, vaddr_t src, uint64_t len)
{
	return proc_copy_result(mem_read(p, dst, src, len));
}
