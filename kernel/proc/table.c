/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process table. A free slot has endpoint 0 and keeps its generation in a table beside, so that the next owner gets another
 * endpoint. Slots are given out round robin, which keeps stale endpoints dead for long. Generation 0 is for boot services only.
 */
#include <arch/clock.h>
#include <arch/fpu.h>
#include <kernel/debug.h>
#include <kernel/ipc.h>
#include <kernel/irq.h>
#include <kernel/mem.h>
#include <kernel/priv.h>
#include <kernel/route.h>
#include <kernel/sched.h>
#include <kernel/signal.h>

_Static_assert((int)NR_PROCS <= (int)ENDPOINT_SLOT_MASK, "slots fit an endpoint");
_Static_assert(offsetof(struct proc, frame) == 0, "entry code stores into the frame");

struct proc proc_table[NR_PROCS];
static uint16_t generations[NR_PROCS];
static uint32_t nr_used;

enum { FIRST_DYNAMIC_SLOT = EP_BOOT_LAST + 1 };

void proc_init(void)
{
	for (int slot = 0; slot < NR_PROCS; slot++)
		proc_table[slot].rts = RTS_SLOT_FREE;
}

uint32_t proc_count(void)
{
	return nr_used;
}

static struct proc *proc_setup(int slot, endpoint_t e)
{
	struct proc *p = proc_of_slot(slot);

	memset(p, 0, offsetof(struct proc, fpu));
	arch_fpu_init(&p->fpu);
	p->slot = (uint16_t)slot;
	p->endpoint = e;
	p->priv = &priv_table[PRIV_ID_USER];
	p->flags = PROC_USER;
	p->rts = RTS_STOPPED | RTS_NO_SPACE;
	p->priority = PRIORITY_USER;
	p->quantum_ns = QUANTUM_DEFAULT_NS;
	p->quantum_left_ns = QUANTUM_DEFAULT_NS;
	p->cpu_mask = ~0ull;
	p->recv_from = p->send_to = EP_NONE;
	p->start_time = arch_now_ns();
	nr_used++;
	return p;
}

struct proc *proc_alloc_boot(int slot)
{
	return proc_setup(slot, endpoint_make(0, slot));
}

struct proc *proc_alloc(void)
{
	static int search = FIRST_DYNAMIC_SLOT;

	for (int tries = FIRST_DYNAMIC_SLOT; tries < NR_PROCS; tries++) {
		int slot = search;

		search = search == NR_PROCS - 1 ? FIRST_DYNAMIC_SLOT : search + 1;
		if (proc_of_slot(slot)->rts != RTS_SLOT_FREE)
			continue;
		generations[slot] = generations[slot] == ENDPOINT_GEN_MAX ? 1 : (uint16_t)(generations[slot] + 1);
		return proc_setup(slot, endpoint_make(generations[slot], slot));
	}
	return 0;
}

void proc_space_set(struct proc *p, struct space *s)
{
	struct space *old = p->space;

	p->space = s;
	if (s)
		rts_unset(p, RTS_NO_SPACE);
	else
		rts_set(p, RTS_NO_SPACE);
	if (old)
		space_put(old);
}

/* Order: off every CPU, out of all lists others look at, then what it owns; the endpoint goes last. */
void proc_clear(struct proc *p)
{
	rts_set(p, RTS_NO_ENDPOINT);
	sched_take_off(p);
	timer_cancel(&p->futex_timer);
	list_unlink(&p->futex_node);
	signal_forget(p);
	vm_forget(p);
	ipc_forget(p);
	irq_forget(p);
	log_forget(p);
	if (p->priv->id != PRIV_ID_USER)
		priv_free(p->priv);
	proc_space_set(p, 0);
	arch_fpu_drop(&p->fpu);
	p->endpoint = 0;
	p->rts = RTS_SLOT_FREE;
	p->flags = 0;
	p->misc = 0;
	nr_used--;
}

/* Another program: what was logged about the last one may be logged again. */
void proc_set_name(struct proc *p, const char *name)
{
	string_copy(p->name, name, sizeof(p->name));
	for (char *c = p->name; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	memset(p->enosys_logged, 0, sizeof(p->enosys_logged));
}
