/* SPDX-License-Identifier: BSD-2-Clause */
#define HOST_REAL_OBJECTS
#include "fake_kernel.h"
#include "../host_backend.h"
#include "../../fault.h"
#include "../../frame.h"
#include "../../pagein.h"
#include "../../tick.h"

#include <abi/errno.h>
#include <abi/kcall.h>
#include <abi/ksig.h>
#include <errno.h>
#include <libsef/sef.h>
#include <stdlib.h>
#include <string.h>

enum { PTES = 1 << 16, SENT_MAX = 256 };

struct pte { int space; uint64_t page; paddr_t paddr; uint32_t prot; };	/* space 0: free, -1: deleted */

static struct fake {
	struct pte pt[PTES];
	uint64_t contents[FAKE_FRAMES];
	struct page_fault fault;
	bool fault_listed, fault_given, fault_cleared;
	int killed[FAKE_PROCS];
	int space[FAKE_PROCS], next_space;	/* which page tables a process has; 0: none */
	bool answered[FAKE_PROCS];
	int64_t reply[FAKE_PROCS];
	struct { endpoint_t dst; struct message m; } sent[SENT_MAX];
	uint32_t nr_sent;
	uint64_t pool;
	paddr_t pool_frames[FAKE_FRAMES];
	int map_fails;		/* KC_MAP fails with ENOMEM after so many operations; -1: never */
} fake;

static uint32_t pte_hash(int space, uint64_t page)
{
	return (page * 0x9e3779b97f4a7c15ull ^ (uint64_t)space * 0xc2b2ae3d27d4eb4full) >> 48;
}

static struct pte *pte_find(endpoint_t ep, uint64_t page)
{
	int space = fake.space[ep];

	for (uint32_t i = pte_hash(space, page);; i = (i + 1) % PTES) {
		struct pte *p = &fake.pt[i % PTES];

		if (p->space == 0)
			return NULL;
		if (p->space == space && p->page == page)
			return p;
	}
}

static void pte_set(endpoint_t ep, uint64_t page, paddr_t paddr, uint32_t prot)
{
	struct pte *p = pte_find(ep, page);
	uint32_t i = pte_hash(fake.space[ep], page);

	for (; !p; i = (i + 1) % PTES)
		if (fake.pt[i % PTES].space <= 0)
			p = &fake.pt[i % PTES];
	*p = (struct pte){ fake.space[ep], page, paddr, prot };
}

static void pte_remove(struct pte *p) { p->space = -1; }

uint64_t fake_mapped_pages(endpoint_t ep)
{
	uint64_t n = 0;

	for (int i = 0; i < PTES; i++)
		n += fake.space[ep] && fake.pt[i].space == fake.space[ep];
	return n;
}

/* ---- kernel calls ---- */

static void op_frames(const struct map_op *o)
{
	for (uint64_t i = 0; i < o->npages; i++) {
		frame_t f = frame_of(o->paddr) + i;

		CHECK(f > 0 && f < FAKE_FRAMES && frame_refs(f) > 0);
		if (o->kind == MAP_ZERO)
			fake.contents[f] = 0;
		if (o->kind == MAP_COPY) {
			CHECK(frame_refs(frame_of(o->src_paddr)) > 0);
			fake.contents[f] = fake.contents[frame_of(o->src_paddr)];
		}
		pte_set(o->ep, (o->addr >> PAGE_SHIFT) + i, o->paddr + (i << PAGE_SHIFT), o->prot);
	}
}

static bool op_covers(const struct map_op *o, endpoint_t ep, const struct pte *p)
{
	return p->space == fake.space[ep] && p->page >= o->addr >> PAGE_SHIFT && p->page - (o->addr >> PAGE_SHIFT) < o->npages;
}

static void op_share(const struct map_op *o)
{
	static struct pte found[PTES];
	uint32_t n = 0;

	for (int i = 0; i < PTES; i++)
		if (op_covers(o, (endpoint_t)o->src_ep, &fake.pt[i])) {
			if (o->kind == MAP_SHARE_COW)
				fake.pt[i].prot &= ~(uint32_t)MAP_WRITE;
			found[n++] = fake.pt[i];
		}
	while (n--)
		pte_set(o->ep, found[n].page, found[n].paddr, found[n].prot);
}

static void op_apply(const struct map_op *o)
{
	CHECK((o->addr & (PAGE_BYTES - 1)) == 0 && o->ep > 0 && o->ep < FAKE_PROCS && fake.space[o->ep]);
	switch (o->kind) {
	case MAP_FRAMES: case MAP_ZERO: case MAP_COPY:
		op_frames(o);
		return;
	case MAP_SHARE: case MAP_SHARE_COW:
		op_share(o);
		return;
	}
	for (int i = 0; i < PTES; i++) {
		if (!op_covers(o, o->ep, &fake.pt[i]))
			continue;
		if (o->kind == MAP_UNMAP)
			pte_remove(&fake.pt[i]);
		else
			fake.pt[i].prot = o->prot;
	}
}

static err_t fake_map(const struct map_op *ops, uint64_t n, uint64_t *done)
{
	for (*done = 0; *done < n; ++*done) {
		if (fake.map_fails == 0) {
			fake.map_fails = 5;
			return -ENOMEM;
		}
		if (fake.map_fails > 0)
			fake.map_fails--;
		op_apply(&ops[*done]);
	}
	return 0;
}

static err_t fake_fault_get(struct page_fault *out)
{
	if (!fake.fault_listed || fake.fault_given)
		return -ESRCH;
	*out = fake.fault;
	fake.fault_given = true;
	return 0;
}

static err_t fake_vmctl(uint64_t w[MSG_WORDS])
{
	uint64_t done;
	err_t err;

	switch (w[0]) {
	case VMCTL_GET_PAGEFAULT:
		return fake_fault_get((struct page_fault *)w[1]);
	case VMCTL_RESOLVE:
		err = fake_map((const struct map_op *)w[1], w[2], &done);
		w[1] = w[3];
		if (err) {
			w[1] = 0;
			return err;
		}
		/* fall through */
	case VMCTL_CLEAR_PAGEFAULT:
		CHECK(fake.fault_listed && fake.fault.ep == (endpoint_t)w[1]);
		fake.fault_cleared = true;
		w[1] = 0;
		return 0;
	default:
		return -ESRCH;
	}
}

static void fake_space_leave(endpoint_t ep)
{
	int old = fake.space[ep];

	fake.space[ep] = 0;
	for (int i = 0; i < FAKE_PROCS; i++)
		if (fake.space[i] == old)
			return;
	for (int i = 0; i < PTES; i++)
		if (fake.pt[i].space == old)
			pte_remove(&fake.pt[i]);
}

bool fake_dma;

static err_t fake_space(uint64_t w[MSG_WORDS])
{
	endpoint_t ep = (endpoint_t)w[0];

	CHECK(ep > 0 && ep < FAKE_PROCS);
	if (fake.space[ep])
		fake_space_leave(ep);
	if (w[1] == SPACE_NEW)
		fake.space[ep] = ++fake.next_space;
	if (w[1] == SPACE_SHARE)
		fake.space[ep] = fake.space[w[2]];
	if (w[1] == SPACE_DESTROY)
		w[1] = fake_dma;
	return 0;
}

static err_t fake_ptframes(uint64_t w[MSG_WORDS])
{
	paddr_t *frames = (paddr_t *)w[1];
	uint64_t n = w[2], done = 0;

	if (w[0] == PTFRAMES_GIVE)
		while (done < n && fake.pool < FAKE_FRAMES)
			fake.pool_frames[fake.pool++] = frames[done++];
	else
		while (done < n && fake.pool)
			frames[done++] = fake.pool_frames[--fake.pool];
	w[1] = done;
	w[2] = fake.pool;
	return 0;
}

static void fake_kill(endpoint_t ep, int signo)
{
	if (ep > 0 && ep < FAKE_PROCS)
		fake.killed[ep] = signo;
}

err_t kcall(uint32_t number, uint64_t w[MSG_WORDS])
{
	switch (number) {
	case KC_MAP:
		return fake_map((const struct map_op *)w[0], w[1], &w[1]);
	case KC_VMCTL:
		return fake_vmctl(w);
	case KC_SPACE:
		return fake_space(w);
	case KC_PTFRAMES:
		return fake_ptframes(w);
	case KC_KILL:
		fake_kill((endpoint_t)w[0], (int)w[1]);
		return 0;
	case KC_PHYSCOPY:
		fake.contents[frame_of(w[1])] = fake.contents[frame_of(w[0])];
		return 0;
	case KC_MEMSET: case KC_SETALARM: case KC_TIMES:
		return 0;
	default:
		return -EBADREQUEST;
	}
}

/* ---- what libsef would do ---- */

void sef_send(endpoint_t dst, const struct message *m, uint32_t flags)
{
	(void)flags;
	CHECK(fake.nr_sent < SENT_MAX);
	fake.sent[fake.nr_sent].dst = dst;
	fake.sent[fake.nr_sent++].m = *m;
}

void sef_reply(endpoint_t dst, const struct message *m)
{
	CHECK(dst > 0 && dst < FAKE_PROCS && !fake.answered[dst]);
	fake.answered[dst] = true;
	fake.reply[dst] = (int64_t)m->w[0];
}

void sef_reply_result(endpoint_t dst, uint32_t type, int64_t result)
{
	struct message m = { .type = type + 1, .w[0] = (uint64_t)result };

	sef_reply(dst, &m);
}

void tick_needed(void) {}
void log_info(const char *f, ...) { (void)f; }

bool fake_sent(struct message *m, endpoint_t *dst)
{
	if (!fake.nr_sent)
		return false;
	*m = fake.sent[0].m;
	*dst = fake.sent[0].dst;
	memmove(&fake.sent[0], &fake.sent[1], --fake.nr_sent * sizeof fake.sent[0]);
	return true;
}

bool fake_answered(endpoint_t ep) { return fake.answered[ep]; }

int64_t fake_reply(endpoint_t ep)
{
	CHECK(fake.answered[ep]);
	fake.answered[ep] = false;
	return fake.reply[ep];
}

/* ---- processes touching memory ---- */

static bool permitted(const struct pte *p, bool write) { return p && (!write || (p->prot & MAP_WRITE)); }

/* The word's place, after VM has seen to faults; NULL: killed. */
static uint64_t *fake_touch(endpoint_t ep, vaddr_t addr, bool write)
{
	struct pte *p = pte_find(ep, addr >> PAGE_SHIFT);

	for (int tries = 0; !permitted(p, write); tries++) {
		struct message m;
		endpoint_t dst;

		CHECK(tries < 3);
		fake.fault = (struct page_fault){ .ep = ep, .addr = addr,
				.flags = PF_USER | (write ? PF_WRITE : 0) | (p ? PF_PRESENT : 0) };
		fake.fault_listed = true;
		fake.fault_given = fake.fault_cleared = false;
		on_kernel_signals(KSIG_PAGEFAULT);
		while (!fake.fault_cleared) {
			/* Nothing left to deliver: somebody does not answer, and time passes until VM gives up. */
			if (fake_sent(&m, &dst))
				fake_deliver(dst, &m);
			else
				CHECK(pageins_tick() || fake.fault_cleared);
		}
		fake.fault_listed = false;
		if (fake.killed[ep])
			return NULL;
		p = pte_find(ep, addr >> PAGE_SHIFT);
	}
	return &fake.contents[frame_of(p->paddr)];
}

bool fake_read(endpoint_t ep, vaddr_t addr, uint64_t *value)
{
	uint64_t *word = fake_touch(ep, addr, false);

	if (word)
		*value = *word;
	return word != NULL;
}

bool fake_write(endpoint_t ep, vaddr_t addr, uint64_t value)
{
	uint64_t *word = fake_touch(ep, addr, true);

	if (word)
		*word = value;
	return word != NULL;
}

int fake_killed(endpoint_t ep) { return fake.killed[ep]; }
void fake_revive(endpoint_t ep) { fake.killed[ep] = 0; }
uint64_t fake_pool(void) { return fake.pool; }
void fake_fail_maps(int after) { fake.map_fails = after; }

void fake_start(uint32_t free_frames)
{
	memset(&fake, 0, sizeof fake);
	fake.map_fails = -1;
	host_start(free_frames + 1);
	frame_set_reserve(FRAME_FOR_SERVICE, 20);
	frame_set_reserve(FRAME_FOR_USER, 40);
}
