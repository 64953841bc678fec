/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fibers. The control block lies at the top of its own stack, so that a switch touches few pages. Idle fibers form a stack (the one that
 * ran last has its pages in the caches), ready ones a queue. Stacks are never given back: their number is the largest number of
 * requests that ever waited at the same time.
 *
 * If the process dies here all fibers die with it; nothing outside refers to them.
 */
#include <libfiber/fiber.h>

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { FIBER_PAGE = 4096 };
static const uint64_t FIBER_CANARY = 0x5afe57ac5afe57acull;

enum fiber_state { FIBER_RUNNING, FIBER_PARKED, FIBER_READY, FIBER_IDLE };

struct fiber {
	void *sp;		/* valid while it does not run */
	struct fiber *next;	/* in the idle stack or the ready queue */
	uint64_t *canary;	/* lowest word of the stack */
	enum fiber_state state;
	bool woken;		/* a wake-up came while it ran */
};

static struct fibers {
	size_t stack_bytes;
	void (*loop)(void);
	struct fiber *self, *idle, *ready_first, *ready_last;
	unsigned count, idle_count;
} fibers;

void fiber_switch(void **save_sp, void *new_sp);

static void fiber_entry(void)
{
	fibers.loop();
	abort();
}

static struct fiber *fiber_new(void)
{
	size_t bytes = fibers.stack_bytes + FIBER_PAGE;
	uint8_t *low = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (low == MAP_FAILED)
		return NULL;
	if (mprotect(low, FIBER_PAGE, PROT_NONE) != 0) {
		munmap(low, bytes);
		return NULL;
	}
	uint8_t *top = low + bytes - ((sizeof(struct fiber) + 63) & ~63ul);
	struct fiber *f = (struct fiber *)(void *)top;
	f->canary = (uint64_t *)(void *)(low + FIBER_PAGE);
	*f->canary = FIBER_CANARY;
	/* What fiber_switch pops: six registers and the entry; one word keeps the stack aligned as at a call. */
	uint64_t *sp = (uint64_t *)(void *)top - 2;
	sp[0] = (uint64_t)(uintptr_t)fiber_entry;
	sp -= 6;
	f->sp = sp;
	f->state = FIBER_IDLE;
	fibers.count++;
	return f;
}

static void idle_push(struct fiber *f)
{
	f->state = FIBER_IDLE;
	f->next = fibers.idle;
	fibers.idle = f;
	fibers.idle_count++;
}

static struct fiber *idle_pop(void)
{
	struct fiber *f = fibers.idle;
	fibers.idle = f->next;
	fibers.idle_count--;
	return f;
}

static void fiber_run(struct fiber *to)
{
	struct fiber *from = fibers.self;
	if (*from->canary != FIBER_CANARY)
		abort();
	to->state = FIBER_RUNNING;
	fibers.self = to;
	fiber_switch(&from->sp, to->sp);
}

bool fiber_reserve(void)
{
	if (fibers.idle)
		return true;
	struct fiber *f = fiber_new();
	if (f)
		idle_push(f);
	return f != NULL;
}

void fiber_yield(void)
{
	struct fiber *f = fibers.self;
	if (f->woken) {
		f->woken = false;
		return;
	}
	if (!fiber_reserve())
		abort();
	f->state = FIBER_PARKED;
	fiber_run(idle_pop());
	f->woken = false;
}

void fiber_wake(struct fiber *f)
{
	if (f->state == FIBER_RUNNING)
		f->woken = true;
	if (f->state != FIBER_PARKED)
		return;
	f->state = FIBER_READY;
	f->next = NULL;
	if (fibers.ready_first)
		fibers.ready_last->next = f;
	else
		fibers.ready_first = f;
	fibers.ready_last = f;
}

void fiber_run_ready(void)
{
	while (fibers.ready_first) {
		struct fiber *f = fibers.ready_first;
		fibers.ready_first = f->next;
		idle_push(fibers.self);
		fiber_run(f);
	}
}

struct fiber *fiber_self(void) { return fibers.self; }
unsigned fiber_count(void) { return fibers.count; }
unsigned fiber_idle_count(void) { return fibers.idle_count; }

void fibers_run(size_t stack_bytes, void (*loop)(void))
{
	fibers.stack_bytes = (stack_bytes + FIBER_PAGE - 1) & ~(size_t)(FIBER_PAGE - 1);
	fibers.loop = loop;
	struct fiber *f = fiber_new();
	if (!f)
		return;
	void *boot_sp;
	fibers.self = f;
	f->state = FIBER_RUNNING;
	fiber_switch(&boot_sp, f->sp);
}
