/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start of the kernel after the machine layer has brought up the boot CPU. Loads the services of the boot archive, gives RS and VM what
 * they need to run the rest, starts the other CPUs, and leaves into user mode.
 */
#include <arch/boot.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <kernel/debug.h>
#include <kernel/init.h>
#include <kernel/ipc.h>
#include <kernel/irq.h>
#include <kernel/kcall.h>
#include <kernel/lock.h>
#include <kernel/mem.h>
#include <kernel/priv.h>
#include <kernel/route.h>
#include <kernel/sched.h>

/* ---- command line ---- */

/* Text behind "name=" in the command line, 0 if absent. */
static const char *cmdline_find(const char *name)
{
	size_t n = strlen(name);
	const char *at = boot_info.cmdline;

	while (*at) {
		if (!strncmp(at, name, n) && at[n] == '=')
			return at + n + 1;
		while (*at && *at != ' ')
			at++;
		while (*at == ' ')
			at++;
	}
	return 0;
}

long cmdline_number(const char *name, long otherwise)
{
	const char *at = cmdline_find(name);
	long v = 0;

	if (!at || *at < '0' || *at > '9')
		return otherwise;
	for (; *at >= '0' && *at <= '9' && v < 1000000; at++)
		v = v * 10 + (*at - '0');
	return v;
}

bool cmdline_is(const char *name, const char *value)
{
	const char *at = cmdline_find(name);
	size_t n = strlen(value);

	return at && !strncmp(at, value, n) && (!at[n] || at[n] == ' ');
}

/* ---- boot services ---- */

static const char *const boot_names[EP_BOOT_LAST + 1] = {
	[EP_RS] = "rs", [EP_VM] = "vm", [EP_DS] = "ds", [EP_PM] = "pm", [EP_VFS] = "vfs", [EP_TTY] = "tty", [EP_MEMORY] = "memory",
	[EP_TMPFS] = "tmpfs", [EP_PROCFS] = "procfs",
};
static const char boot_prefix[] = "boot/";

/* The slot a name is bound to, else the next one kept for further boot services; 0 when they are used up. */
static int boot_slot(const char *name)
{
	static int next = EP_PROCFS + 1;

	for (int slot = 1; slot <= EP_PROCFS; slot++)
		if (!strcmp(boot_names[slot], name))
			return slot;
	return next <= EP_BOOT_LAST ? next++ : 0;
}

/* A later member of the same name replaces this one. */
static bool boot_replaced(struct archive_cursor rest, const char *name)
{
	struct archive_member m;

	while (archive_next(&rest, &m))
		if (!strcmp(m.name, name))
			return true;
	return false;
}

static void mask_allow(uint64_t *mask, const uint32_t *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mask_set(mask, calls[i] - MSG_KCALL);
}

/* What RS and VM may do before RS has read its privilege files. */
static void boot_privileges(struct proc *p)
{
	static const uint32_t vm_calls[] = { KC_SPACE, KC_MAP, KC_MAPREAD, KC_PTFRAMES, KC_VMCTL, KC_PHYSCOPY, KC_MEMSET, KC_UMAP, KC_KILL,
		KC_VIRCOPY, KC_RUNCTL, KC_UPDATE, KC_PRIVCTL, KC_FUTEXWAKE };
	struct priv_spec *s = &p->priv->spec;

	s->flags = PRIV_SYS_PROC;
	s->trap_mask = IPC_TRAP_ALL;
	memset(s->send_mask, 0xff, sizeof(s->send_mask));
	if (p->endpoint == EP_RS)
		memset(s->call_mask, 0xff, sizeof(s->call_mask));
	else
		mask_allow(s->call_mask, vm_calls, array_count(vm_calls));
	s->sig_mgr = p->endpoint == EP_RS ? EP_SELF : EP_RS;
	p->priv->granted = true;
	p->priority = 0;
	rts_unset(p, RTS_STOPPED);
}

static void boot_service(const char *name, const struct archive_member *m)
{
	int slot = boot_slot(name);
	struct proc *p;
	struct space *s;

	if (!slot) {
		log_printf("kernel: no slot for boot service %s\n", name);
		return;
	}
	p = proc_alloc_boot(slot);
	p->priv = priv_alloc(p, slot);
	p->flags &= ~PROC_USER;
	p->priority = PRIORITY_SERVICE;
	p->answers[ANSWER_PID] = p->answers[ANSWER_TID] = (uint64_t)slot;
	proc_set_name(p, name);
	s = space_new();
	if (!s)
		panic("no memory for boot service %s", name);
	proc_space_set(p, s);
	if (boot_load(p, name, m->data, m->bytes))
		panic("boot service %s is no static ELF64 program", name);
	if (p->endpoint == EP_RS || p->endpoint == EP_VM) {
		boot_privileges(p);
	} else {
		rts_set(p, RTS_NO_PRIV);
		rts_unset(p, RTS_STOPPED);
	}
}

void boot_services(void)
{
	struct archive_cursor c;
	struct archive_member m;
	size_t prefix = sizeof(boot_prefix) - 1;

	if (boot_info.archive.first >= boot_info.archive.last)
		panic("no boot archive");
	c.at = arch_phys_ptr(boot_info.archive.first);
	c.end = c.at + (boot_info.archive.last - boot_info.archive.first + 1);
	while (archive_next(&c, &m))
		if (!strncmp(m.name, boot_prefix, prefix) && m.bytes && !boot_replaced(c, m.name))
			boot_service(m.name + prefix, &m);
	if (!proc_of_endpoint(EP_RS) || !proc_of_endpoint(EP_VM))
		panic("the boot archive has no boot/rs or no boot/vm");
}

/* ---- start ---- */

static void tables_init(void)
{
	proc_init();
	priv_init();
	futex_init();
	route_init();
	sched_init();
}

void kernel_main(void)
{
	unsigned cpus;

	log_set_level((int)cmdline_number("loglevel", LOG_INFO));
	log_set_console(!cmdline_is("console", "off"));
	log_printf("Axolotl: %lu MiB, loader %s, command line: %s\n", boot_info.memory_bytes >> 20, boot_info.loader, boot_info.cmdline);
	tables_init();
	frame_init();
	cpus = arch_cpu_start_others((unsigned)cmdline_number("smp", CONFIG_MAX_CPUS));
	kernel_lock();
	boot_services();
	frame_boot_done();
	log_printf("Axolotl: %u CPU%s, %u services, up after %lu ms\n", cpus, cpus == 1 ? "" : "s", proc_count(), arch_now_ns() / 1000000);
	arch_resume(kernel_leave());
}

void kernel_main_ap(void)
{
	kernel_lock();
	sched_init();
	arch_resume(kernel_leave());
}
