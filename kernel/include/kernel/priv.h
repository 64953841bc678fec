/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Privileges and what belongs to the identity of a service rather than to its memory: pending notifications, interrupts, kernel
 * signals, the alarm. Slot 0 is shared by all user processes and never holds anything pending.
 */
#pragma once
#include <abi/endpoint.h>
#include <abi/ipc.h>
#include <abi/priv.h>
#include <kernel/timer.h>

struct proc;

enum pending_special { PENDING_ALARM = 1, PENDING_ASYNC_FAILED = 2 };

/* What it wrote to the log, debug/limit.c. */
struct log_limit {
	nstime_t full_at;		/* when it may write a whole burst again */
	nstime_t first, last;		/* of what was left out since that was told; 0: nothing */
	uint32_t lines;
	struct timer timer;
};

struct priv {
	uint32_t id;
	struct proc *owner;		/* 0: slot free (and slot 0) */
	struct priv_spec spec;
	bool granted;			/* PRIVCTL_SET_* has been done */

	/* pending notifications */
	bool pending_any;		/* any of the following is not 0 */
	uint8_t pending_special;
	uint32_t pending_ksig;		/* KSIG_* */
	uint64_t pending_irqs;		/* notify ids */
	uint64_t pending_notify[PRIV_MASK_WORDS];	/* by privilege id of the sender */

	struct timer alarm;
	struct log_limit log;
	/* grant table; valid while grant_endpoint is the owner's endpoint */
	endpoint_t grant_endpoint;
	vaddr_t grant_table;
	uint64_t grant_entries;
};

extern struct priv priv_table[NR_SYS_PROCS];

void priv_init(void);
struct priv *priv_alloc(struct proc *owner, int id);	/* id -1: any dynamic one; 0 when none is left */
void priv_free(struct priv *v);		/* bits that name it vanish from all masks */
uint32_t priv_count(void);
/* Boot services' ids equal their slots; dynamic ones follow. */
enum { PRIV_ID_USER = 0, PRIV_ID_DYNAMIC = EP_BOOT_LAST + 1 };

static inline bool mask_test(const uint64_t *mask, uint32_t bit) { return mask[bit / 64] >> (bit % 64) & 1; }
static inline void mask_set(uint64_t *mask, uint32_t bit) { mask[bit / 64] |= 1ull << (bit % 64); }
static inline void mask_clear(uint64_t *mask, uint32_t bit) { mask[bit / 64] &= ~(1ull << (bit % 64)); }

/* May a send to b? Allowed when a's mask names b, or b's names a: whoever can be asked can answer. */
static inline bool priv_may_send(const struct priv *a, const struct priv *b)
{
	return mask_test(a->spec.send_mask, b->id) || (mask_test(b->spec.send_mask, a->id) && b->id != PRIV_ID_USER);
}

bool priv_io_allowed(const struct priv *v, uint32_t first, uint32_t last);
bool priv_mem_allowed(const struct priv *v, paddr_t first, paddr_t last);
bool priv_irq_allowed(const struct priv *v, uint32_t irq);
