/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Futexes: waiting for a word of memory to change, as Linux's futex(2).
 *
 * A waiter is found by a key. For private words it is (space, address). Words in pages mapped with MAP_SHARED_FRAME are shared between
 * processes and keyed by (0, physical address); that holds for the private operations too, which do no harm there. The page is made
 * present (and the word read) before the key is computed, so a shared page has its frame.
 *
 * If a waiter dies proc_clear() unlinks it; there is nothing else to undo.
 */
#include <arch/clock.h>
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/mem.h>
#include <kernel/route.h>
#include <kernel/sched.h>

enum futex_op { FUTEX_WAIT, FUTEX_WAKE, FUTEX_FD, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_LOCK_PI, FUTEX_UNLOCK_PI,
		FUTEX_TRYLOCK_PI, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET, FUTEX_PRIVATE = 128, FUTEX_CLOCK_REALTIME = 256 };
enum { HASH_BUCKETS = 64, BITSET_ANY = -1 };

struct futex_key { uint64_t space, addr; };
static struct list_node buckets[HASH_BUCKETS];

void futex_init(void)
{
	for (int i = 0; i < HASH_BUCKETS; i++)
		list_init(&buckets[i]);
}

uint32_t futex_waiters(void)
{
	uint32_t n = 0;

	for (int i = 0; i < HASH_BUCKETS; i++)
		for (struct list_node *at = buckets[i].next; at != &buckets[i]; at = at->next)
			n++;
	return n;
}

static struct list_node *futex_bucket(struct futex_key k)
{
	uint64_t h = (k.addr >> 2) * 0x9e3779b97f4a7c15ull ^ k.space;

	return &buckets[h >> 32 & (HASH_BUCKETS - 1)];
}

static struct futex_key futex_key_present(struct proc *p, vaddr_t addr)
{
	struct arch_mapping m;

	if (arch_space_query(p->space, addr, addr, false, &m) && (m.prot & MAP_SHARED_FRAME))
		return (struct futex_key){ 0, m.frame + (addr & (PAGE_BYTES - 1)) };
	return (struct futex_key){ p->space->id, addr };
}

/* Key of a word, which is made present first. */
static err_t futex_key(struct proc *p, vaddr_t addr, struct futex_key *k)
{
	uint32_t word;
	err_t err;

	if (addr & 3)
		return -EINVAL;
	err = mem_read(p, &word, addr, sizeof(word));
	if (!err)
		*k = futex_key_present(p, addr);
	return err;
}

/* ---- waiting ---- */

static void futex_end_wait(struct proc *p, int64_t result)
{
	list_unlink(&p->futex_node);
	timer_cancel(&p->futex_timer);
	arch_frame_result_set(&p->frame, result);
	if (result <= -ERESTARTSYS && result >= -ERESTARTNOHAND)
		p->misc |= MF_RESTART;
	rts_unset(p, RTS_FUTEX);
}

void futex_cancel(struct proc *p, int64_t result)
{
	if (p->rts & RTS_FUTEX)
		futex_end_wait(p, result);
}

static void futex_timeout(struct timer *t)
{
	futex_end_wait(list_entry(t, struct proc, futex_timer), -ETIMEDOUT);
}

static void futex_block(struct proc *p, struct futex_key k, uint32_t bitset)
{
	p->futex_key[0] = k.space;
	p->futex_key[1] = k.addr;
	p->futex_bitset = bitset;
	list_add_tail(futex_bucket(k), &p->futex_node);
	rts_set(p, RTS_FUTEX);
}

/* Deadline in ns since boot; 0 = for ever. WAIT counts from now, WAIT_BITSET is absolute. */
static err_t futex_deadline(struct proc *p, vaddr_t timeout, bool absolute, bool realtime, nstime_t *out)
{
	struct { int64_t sec, nsec; } ts;
	nstime_t t;
	err_t err;

	*out = 0;
	if (!timeout)
		return 0;
	err = mem_read(p, &ts, timeout, sizeof(ts));
	if (err)
		return err;
	if (ts.sec < 0 || ts.nsec < 0 || ts.nsec >= 1000000000)
		return -EINVAL;
	t = ts.sec > 9000000000ll ? ~0ull >> 1 : (nstime_t)ts.sec * 1000000000ull + (nstime_t)ts.nsec;
	if (!absolute)
		t += arch_now_ns();
	else if (realtime)
		t = t > arch_boot_realtime() ? t - arch_boot_realtime() : 1;
	*out = t ? t : 1;
	return 0;
}

static int64_t futex_wait(struct proc *p, const uint64_t *a, uint32_t op, uint32_t bitset)
{
	bool absolute = (op & 0x7f) == FUTEX_WAIT_BITSET;
	struct futex_key k;
	nstime_t deadline;
	uint32_t word;
	err_t err;

	if (!bitset)
		return -EINVAL;
	err = futex_deadline(p, a[3], absolute, op & FUTEX_CLOCK_REALTIME, &deadline);
	if (!err)
		err = futex_key(p, a[0], &k);
	if (!err)
		err = mem_read(p, &word, a[0], sizeof(word));
	if (err)
		return err;
	if (word != (uint32_t)a[2])
		return -EAGAIN;
	if (deadline && deadline <= arch_now_ns())
		return -ETIMEDOUT;
	futex_block(p, k, bitset);
	if (deadline)
		timer_set(&p->futex_timer, deadline, futex_timeout);
	return -ENORESULT;
}

/* ---- waking ---- */

static bool futex_matches(const struct proc *p, struct futex_key k, uint32_t bitset)
{
	return p->futex_key[0] == k.space && p->futex_key[1] == k.addr && (p->futex_bitset & bitset);
}

static int64_t futex_wake_key(struct futex_key k, uint32_t count, uint32_t bitset)
{
	struct list_node *bucket = futex_bucket(k), *n, *next;
	uint32_t woken = 0;

	for (n = bucket->next; n != bucket && woken < count; n = next) {
		struct proc *p = list_entry(n, struct proc, futex_node);

		next = n->next;
		if (!futex_matches(p, k, bitset))
			continue;
		futex_end_wait(p, 0);
		woken++;
	}
	return woken;
}

static int64_t futex_wake(struct proc *p, const uint64_t *a, uint32_t bitset)
{
	struct futex_key k;
	err_t err;

	if (!bitset)
		return -EINVAL;
	err = futex_key(p, a[0], &k);
	return err ? err : futex_wake_key(k, (uint32_t)a[2], bitset);
}

uint64_t futex_wake_address(struct proc *p, vaddr_t addr, uint32_t count)
{
	if (!p->space || (addr & 3))
		return 0;
	return (uint64_t)futex_wake_key(futex_key_present(p, addr), count, (uint32_t)BITSET_ANY);
}

static uint32_t futex_move(struct futex_key from, struct futex_key to, uint32_t count)
{
	struct list_node *bucket = futex_bucket(from), *n, *next;
	uint32_t moved = 0;

	if (from.space == to.space && from.addr == to.addr)
		return 0;
	for (n = bucket->next; n != bucket && moved < count; n = next) {
		struct proc *p = list_entry(n, struct proc, futex_node);

		next = n->next;
		if (!futex_matches(p, from, (uint32_t)BITSET_ANY))
			continue;
		list_remove(n);
		p->futex_key[0] = to.space;
		p->futex_key[1] = to.addr;
		list_add_tail(futex_bucket(to), n);
		moved++;
	}
	return moved;
}

/* futex(addr, op, wake, move, addr2, expected) */
static int64_t futex_requeue(struct proc *p, const uint64_t *a, bool compare)
{
	struct futex_key from, to;
	int64_t woken;
	uint32_t word;
	err_t err = futex_key(p, a[0], &from);

	if (!err)
		err = futex_key(p, a[4], &to);
	if (!err)
		err = mem_read(p, &word, a[0], sizeof(word));
	if (err)
		return err;
	if ((int32_t)a[2] < 0 || (int32_t)a[3] < 0)
		return -EINVAL;
	if (compare && word != (uint32_t)a[5])
		return -EAGAIN;
	woken = futex_wake_key(from, (uint32_t)a[2], (uint32_t)BITSET_ANY);
	return woken + futex_move(from, to, (uint32_t)a[3]);
}

/* The encoded operation of WAKE_OP: op << 28 | cmp << 24 | oparg << 12 | cmparg. */
struct wake_op { uint32_t op, cmp; int32_t oparg, cmparg; };

static struct wake_op wake_op_decode(uint32_t v)
{
	struct wake_op w = { v >> 28 & 7, v >> 24 & 15, (int32_t)(v << 8) >> 20, (int32_t)(v << 20) >> 20 };

	if (v >> 31)
		w.oparg = 1 << (w.oparg & 31);
	return w;
}

static bool wake_op_apply(const struct wake_op *w, uint32_t old, uint32_t *new)
{
	switch (w->op) {
	case 0: *new = (uint32_t)w->oparg; return true;
	case 1: *new = old + (uint32_t)w->oparg; return true;
	case 2: *new = old | (uint32_t)w->oparg; return true;
	case 3: *new = old & ~(uint32_t)w->oparg; return true;
	case 4: *new = old ^ (uint32_t)w->oparg; return true;
	default: return false;
	}
}

static int wake_op_compare(const struct wake_op *w, int32_t old)
{
	switch (w->cmp) {
	case 0: return old == w->cmparg;
	case 1: return old != w->cmparg;
	case 2: return old < w->cmparg;
	case 3: return old <= w->cmparg;
	case 4: return old > w->cmparg;
	case 5: return old >= w->cmparg;
	default: return -1;
	}
}

/* Atomic against the program's other threads: compare and exchange on the word itself. */
static err_t wake_op_exchange(struct proc *p, vaddr_t addr, const struct wake_op *w, uint32_t *old)
{
	uint32_t *word, new;
	err_t err = mem_read(p, old, addr, sizeof(*old));

	if (!err)
		err = mem_write(p, addr, old, 0);
	if (err)
		return err;
	word = arch_space_walk(p->space, addr, true);
	if (!word)
		return vm_request(p, p, addr, sizeof(*word), true);
	do {
		*old = __atomic_load_n(word, __ATOMIC_SEQ_CST);
		if (!wake_op_apply(w, *old, &new))
			return -ENOSYS;
	} while (!__atomic_compare_exchange_n(word, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return 0;
}

/* futex(addr, op, wake, wake2, addr2, operation) */
static int64_t futex_wake_op(struct proc *p, const uint64_t *a)
{
	struct wake_op w = wake_op_decode((uint32_t)a[5]);
	struct futex_key k1, k2;
	uint32_t old;
	int64_t woken;
	err_t err = futex_key(p, a[0], &k1);

	if (!err)
		err = futex_key(p, a[4], &k2);
	if (!err && wake_op_compare(&w, 0) < 0)
		err = -ENOSYS;
	if (!err)
		err = wake_op_exchange(p, a[4], &w, &old);
	if (err)
		return err;
	woken = futex_wake_key(k1, (uint32_t)a[2], (uint32_t)BITSET_ANY);
	if (wake_op_compare(&w, (int32_t)old))
		woken += futex_wake_key(k2, (uint32_t)a[3], (uint32_t)BITSET_ANY);
	return woken;
}

int64_t mech_futex(struct proc *p, const uint64_t *a)
{
	uint32_t op = (uint32_t)a[1];

	if ((op & FUTEX_CLOCK_REALTIME) && (op & 0x7f) != FUTEX_WAIT_BITSET)
		return -ENOSYS;		/* as Linux: the other waits are on the monotonic clock */
	switch (op & 0x7f) {
	case FUTEX_WAIT: return futex_wait(p, a, op, (uint32_t)BITSET_ANY);
	case FUTEX_WAIT_BITSET: return futex_wait(p, a, op, (uint32_t)a[5]);
	case FUTEX_WAKE: return futex_wake(p, a, (uint32_t)BITSET_ANY);
	case FUTEX_WAKE_BITSET: return futex_wake(p, a, (uint32_t)a[5]);
	case FUTEX_REQUEUE: return futex_requeue(p, a, false);
	case FUTEX_CMP_REQUEUE: return futex_requeue(p, a, true);
	case FUTEX_WAKE_OP: return futex_wake_op(p, a);
	default: return -ENOSYS;
	}
}
