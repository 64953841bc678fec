/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lazy switching of FPU and SSE state. Per CPU: x86_fpu_owner is the process whose state is in the
 * registers, x86_fpu_open the one that may use them without a trap (CR0.TS clear), 0 or the owner. The exit
 * path (trap/entry.S) opens them for the owner and closes them for everybody else; the first use by another
 * process traps (#NM) and switches.
 *
 * A process that moves to another CPU while its state is still in the old one's registers traps there on
 * first use; then the old CPU is asked by an interrupt to store what it holds. The asked CPU is in user
 * mode, idle (it stored before it halted), or in the kernel with interrupts off; for the last case every
 * waiting loop in the kernel polls x86_fpu_wanted (arch_spin_wait). No lock is involved, so the request
 * works whoever holds the kernel lock.
 */
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/fpu.h>
#include <arch/space.h>
#include <kernel/proc.h>
#include <x86/cpu.h>
#include <x86/fpu.h>
#include <x86/layout.h>
#include <x86/port.h>
#include <x86/trap.h>

enum { FXSAVE_BYTES = 512, FCW_INITIAL = 0x37f, MXCSR_INITIAL = 0x1f80, MXCSR_OFFSET = 24,
	MXCSR_MASK_OFFSET = 28, MXCSR_MASK_DEFAULT = 0xffbf, NOBODY = 0 };

extern CPULOCAL struct proc *x86_fpu_owner, *x86_fpu_open;
CPULOCAL struct proc *x86_fpu_owner, *x86_fpu_open;
static CPULOCAL volatile bool x86_fpu_wanted;
static uint32_t mxcsr_mask;	/* bits of MXCSR that may be set */

void x86_fpu_cpu_init(void)
{
	static struct arch_fpu probe;

	x86_cr0_set((x86_cr0() & ~(uint64_t)(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP);
	__asm__ volatile("fninit; fxsave64 %0" : "=m"(probe.area));
	mxcsr_mask = *(const uint32_t *)(const void *)(probe.area + MXCSR_MASK_OFFSET);
	if (!mxcsr_mask)
		mxcsr_mask = MXCSR_MASK_DEFAULT;
	x86_cr0_set(x86_cr0() | CR0_TS);
}

static bool held_here(const struct arch_fpu *fpu)
{
	return fpu->holder == arch_cpu_id() + 1;
}

static void registers_close(void)
{
	get_cpulocal_var(x86_fpu_open) = 0;
	x86_cr0_set(x86_cr0() | CR0_TS);
}

static void registers_store(struct arch_fpu *fpu)
{
	__asm__ volatile("fxsave64 %0" : "=m"(fpu->area));
}

/* Stores the state held by this CPU, whoever's it is; the registers belong to nobody afterwards. */
static void give_up(void)
{
	struct proc *owner = get_cpulocal_var(x86_fpu_owner);

	get_cpulocal_var(x86_fpu_wanted) = false;
	if (!owner)
		return;
	x86_clts();
	registers_store(&owner->fpu);
	get_cpulocal_var(x86_fpu_owner) = 0;
	registers_close();
	__atomic_store_n(&owner->fpu.holder, NOBODY, __ATOMIC_RELEASE);
}

void x86_fpu_poll(void)
{
	if (get_cpulocal_var(x86_fpu_wanted))
		give_up();
}

void x86_fpu_idle(void)
{
	if (get_cpulocal_var(x86_fpu_owner))
		give_up();
}

void x86_fpu_request(void)
{
	x86_lapic_eoi();
	give_up();
}

void arch_fpu_flush(struct arch_fpu *fpu)
{
	uint32_t holder = __atomic_load_n(&fpu->holder, __ATOMIC_ACQUIRE);

	if (holder == NOBODY)
		return;
	if (held_here(fpu)) {
		give_up();
		return;
	}
	get_cpu_var(holder - 1, x86_fpu_wanted) = true;
	x86_lapic_send(x86_cpu_hw_ids[holder - 1], X86_IPI_FIXED | X86_VECTOR_FPU);
	while (__atomic_load_n(&fpu->holder, __ATOMIC_ACQUIRE) == holder)
		arch_spin_wait();
}

static void area_initial(uint8_t area[FXSAVE_BYTES])
{
	arch_fill(area, 0, FXSAVE_BYTES);
	*(uint16_t *)(void *)area = FCW_INITIAL;
	*(uint32_t *)(void *)(area + MXCSR_OFFSET) = MXCSR_INITIAL;
}

/*
 * #NM in user mode. The process stays in user mode for all others: neither lock nor user_space is touched.
 */
void x86_fpu_trap(void)
{
	struct proc *p = get_cpulocal_var(x86_current);

	give_up();
	arch_fpu_flush(&p->fpu);
	if (!p->fpu.used) {
		area_initial(p->fpu.area);
		p->fpu.used = 1;
	}
	x86_clts();
	__asm__ volatile("fxrstor64 %0" : : "m"(p->fpu.area));
	p->fpu.holder = arch_cpu_id() + 1;
	get_cpulocal_var(x86_fpu_owner) = p;
	get_cpulocal_var(x86_fpu_open) = p;
}

void arch_fpu_drop(struct arch_fpu *fpu)
{
	if (held_here(fpu)) {
		get_cpulocal_var(x86_fpu_owner) = 0;
		registers_close();
		fpu->holder = NOBODY;
	}
	arch_fpu_flush(fpu);
}

void arch_fpu_init(struct arch_fpu *fpu)
{
	arch_fpu_drop(fpu);
	fpu->used = 0;
}

/* The parent's registers stay in use when they are here: only a copy of them is taken. */
void arch_fpu_copy(struct arch_fpu *child, struct arch_fpu *parent)
{
	arch_fpu_init(child);
	if (!parent->used)
		return;
	if (held_here(parent)) {
		bool closed = !get_cpulocal_var(x86_fpu_open);
		x86_clts();
		registers_store(parent);
		if (closed)
			registers_close();
	} else {
		arch_fpu_flush(parent);
	}
	arch_copy(child->area, parent->area, FXSAVE_BYTES);
	child->used = 1;
}

/*
 * For signal frames: the state as an fxsave image, and back. The reserved bits of MXCSR would fault in the
 * kernel's fxrstor.
 */
void x86_fpu_image_get(struct arch_fpu *fpu, uint8_t area[FXSAVE_BYTES])
{
	if (!fpu->used) {
		area_initial(area);
		return;
	}
	arch_fpu_flush(fpu);
	arch_copy(area, fpu->area, FXSAVE_BYTES);
}

void x86_fpu_image_set(struct arch_fpu *fpu, const uint8_t area[FXSAVE_BYTES])
{
	arch_fpu_init(fpu);
	arch_copy(fpu->area, area, FXSAVE_BYTES);
	*(uint32_t *)(void *)(fpu->area + MXCSR_OFFSET) &= mxcsr_mask;
	fpu->used = 1;
}

/* si_code of a floating-point exception that the present process has just raised: its state is in the registers. */
int x86_fpu_fault_code(bool x87)
{
	enum { INVALID = 1, DENORMAL = 2, DIVIDE = 4, OVERFLOW = 8, UNDERFLOW = 16, PRECISION = 32 };
	enum { FPE_DIVIDE = 3, FPE_OVERFLOW, FPE_UNDERFLOW, FPE_INEXACT, FPE_INVALID };
	uint16_t control, status;
	uint32_t mxcsr, raised;

	__asm__ volatile("fnstcw %0; fnstsw %1; stmxcsr %2" : "=m"(control), "=m"(status), "=m"(mxcsr));
	raised = x87 ? status & ~(uint32_t)control : mxcsr & ~(mxcsr >> 7);
	if (raised & INVALID)
		return FPE_INVALID;
	if (raised & DIVIDE)
		return FPE_DIVIDE;
	if (raised & OVERFLOW)
		return FPE_OVERFLOW;
	if (raised & (UNDERFLOW | DENORMAL))
		return FPE_UNDERFLOW;
	return raised & PRECISION ? FPE_INEXACT : FPE_INVALID;
}
