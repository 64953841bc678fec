/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Panic: the kernel found an invariant of its own broken. Everything that helps to find out why goes to the serial line and the
 * machine stops; the exit status is that of a crash.
 */
#include <arch/cpu.h>
#include <kernel/debug.h>
#include <kernel/init.h>
#include <kernel/sched.h>

enum { PANIC_STATUS = 125, MAX_FRAMES = 24 };

void panic(const char *format, ...)
{
	static bool panicking;
	struct proc *p = get_cpulocal_var(current_proc);
	char text[200];
	va_list args;

	arch_cpu_halt_others();
	log_set_console(true);
	va_start(args, format);
	format_text(text, sizeof(text), format, args);
	va_end(args);
	log_printf("\nPANIC on cpu %u: %s\n", arch_cpu_id(), text);
	if (panicking)
		arch_poweroff(PANIC_STATUS);
	panicking = true;
	arch_backtrace();
	if (p) {
		log_printf("process %s(%d) slot %u rts %x flags %x\n", p->name, p->endpoint, p->slot, p->rts, p->flags);
		arch_frame_dump(&p->frame);
	}
	log_printf("last messages:\n");
	trace_dump();
	log_printf("PANIC: system halted\n");
	if (cmdline_is("panic", "reboot"))
		arch_reboot();
	arch_poweroff(PANIC_STATUS);
}

/* Frames of a process that keeps frame pointers, read through its page tables: its memory may be in any state. */
void debug_stack_trace(struct proc *p)
{
	vaddr_t bp = arch_frame_bp(&p->frame);

	log_printf("%s(%d): pc %lx sp %lx:", p->name, p->endpoint, arch_frame_pc(&p->frame), arch_frame_sp(&p->frame));
	for (int i = 0; i < MAX_FRAMES && p->space && !(bp & 7) && arch_user_range(bp, 16); i++) {
		const uint64_t *next = arch_space_walk(p->space, bp, false);
		const uint64_t *pc = next ? arch_space_walk(p->space, bp + 8, false) : 0;

		if (!pc || *next <= bp)
			break;
		log_printf(" %lx", *pc);
		bp = *next;
	}
	log_printf("\n");
}
