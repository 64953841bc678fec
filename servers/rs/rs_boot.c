/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot. The kernel has loaded the services of the boot image into their slots and started RS and VM. Each gets its privileges from
 * rs_boot_table, and they learn of each other from RS's table. VM is told first and awaited, because all others need memory; then
 * the rest are let go in their order, and their answers collected as they come. If one cannot initialise the system cannot start.
 *
 * That order is a habit, not a need: whoever asks a service that has not started yet waits in its queue. With rs.shuffle=SEED among the
 * kernel's words each of them is let go at a moment of its own, drawn from the seed, so the order and what overlaps is another one for each
 * seed; /etc/rc.disk shuffles the services it starts by the same word. Tests boot so, to show that the end is always the same.
 */
#include "rs.h"
#include <libsys/grant.h>
#include <stdio.h>

enum { SHUFFLE_SPREAD_MS = 60, CMDLINE_BYTES = 1024 };

static bool rs_boot_is_loaded(const struct rs_boot_entry *b)
{
	struct info_proc p;

	if (sys_getinfo(GETINFO_PROC, &p, sizeof(p), (uint64_t)endpoint_slot(b->ep), 0) != 0 || p.endpoint != b->ep)
		return false;
	if (strncmp(p.name, b->name, sizeof(p.name)) != 0)
		log_warn("slot %d of the boot image holds %.16s, not %s", endpoint_slot(b->ep), p.name, b->name);
	return true;
}

static struct priv_spec rs_boot_priv(const struct rs_boot_entry *b)
{
	struct priv_spec spec;

	memset(&spec, 0, sizeof(spec));
	spec.flags = PRIV_SYS_PROC | PRIV_CHECK_IO | PRIV_CHECK_MEM | PRIV_CHECK_IRQ | b->priv_flags;
	spec.trap_mask = IPC_TRAP_ALL & ~(IPC_TRAP_BIT(IPC_SEND) | IPC_TRAP_BIT(IPC_SENDNB));
	spec.sig_mgr = EP_RS;
	spec.bak_sig_mgr = EP_NONE;
	spec.send_mask[0] = b->sends;
	spec.call_mask[0] = rs_basic_calls() | b->calls;
	spec.priority = b->priority;
	spec.nr_io = b->nr_io;
	memcpy(spec.io, b->io, sizeof(b->io));
	spec.nr_irq = b->nr_irq;
	memcpy(spec.irq, b->irq, sizeof(b->irq));
	return spec;
}

static err_t rs_boot_register(const struct rs_boot_entry *b)
{
	struct rs_slot *s = rs_slot_alloc(b->name, b->name);
	/* RS and VM run already, with all the kernel's boot code could give; from here on they have what the table says. */
	bool runs = b->ep == EP_RS || b->ep == EP_VM;
	err_t r;

	s->priv = rs_boot_priv(b);
	s->backoff_max_ms = RS_BACKOFF_MAX_MS;
	s->pub->flags = RS_PUB_BOOT | b->flags;
	s->pub->endpoint = s->boot = b->ep;
	s->pub->pid = pm_service_pid(b->ep);
	s->pub->state = b->ep == EP_RS ? RS_RUNNING : RS_FREE;
	if (b->ep == EP_RS)
		s->pub->started_ns = s->pub->first_started_ns = sys_uptime();
	s->pub->vm_call_mask = b->vm_calls;
	s->pub->period_ns = b->ep == EP_RS ? 0 : b->period_ns;
	memcpy(s->pub->majors, b->majors, sizeof(s->pub->majors));
	s->priv_id = (uint32_t)endpoint_slot(b->ep);
	r = rs_priv_set(b->ep, &s->priv, runs ? PRIVCTL_UPDATE_SYS : PRIVCTL_SET_SYS, 0);
	if (r != 0)
		log_warn("cannot set the privileges of %s: %s", b->name, err_text(r));
	return r;
}

void rs_boot_run(struct rs_slot *s)
{
	err_t r;

	rs_vm_priv_set(s->pub->endpoint, s);
	rs_tell_up(s);
	r = sys_privctl(s->pub->endpoint, PRIVCTL_ALLOW, 0, 0, 0);
	if (r != 0)
		log_warn("cannot let %s run: %s", s->pub->label, err_text(r));
	rs_init_send(s, SEF_INIT_FRESH);
	s->deadline = sys_uptime() + RS_BOOT_SECONDS * RS_SECOND;
	sef_flush();
}

err_t rs_boot_start(void)
{
	for (uint32_t i = 0; i < rs_boot_count; i++) {
		err_t r = rs_boot_is_loaded(&rs_boot_table[i]) ? rs_boot_register(&rs_boot_table[i]) : 0;

		if (r != 0)
			return r;
	}
	rs.proctab_grant = grant_direct(EP_ANY, rs.table, sizeof(rs.table), GRANT_READ);
	rs.boot_left = rs.nr_slots - 1;
	rs_boot_images_load();
	for RS_EACH_SLOT(s)
		if (s->pub->endpoint == EP_VM)
			rs_init_send(s, SEF_INIT_FRESH);
	return 0;
}

/* ---- the order ---- */

/* True if the kernel was given rs.shuffle=SEED. */
static bool rs_shuffle_seed(uint64_t *seed)
{
	static const char word[] = "rs.shuffle=";
	char line[CMDLINE_BYTES + 1] = " ", *at;

	if (sys_getinfo(GETINFO_CMDLINE, line + 1, CMDLINE_BYTES - 1, 0, 0) != 0)
		return false;
	for (at = strstr(line, word); at; at = strstr(at + 1, word))
		if (at[-1] == ' ') {
			*seed = strtoull(at + sizeof(word) - 1, 0, 10);
			return true;
		}
	return false;
}

/* splitmix64 */
static uint64_t rs_shuffle_draw(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static void rs_boot_run_rest(void)
{
	nstime_t now = sys_uptime();
	uint64_t seed;
	bool shuffled = rs_shuffle_seed(&seed);

	if (shuffled)
		log_info("start order shuffled by %llu", (unsigned long long)seed);
	for RS_EACH_SLOT(s) {
		if (!s->pub->in_use || s->pub->state != RS_FREE)
			continue;
		if (shuffled)
			s->deadline = now + rs_shuffle_draw(&seed) % (SHUFFLE_SPREAD_MS * RS_MS);
		else
			rs_boot_run(s);
	}
}

void rs_boot_initialised(struct rs_slot *s)
{
	rs.boot_left--;
	if (s->pub->endpoint == EP_VM)
		rs_boot_run_rest();
	if (rs.boot_left == 0)
		log_info("all %u boot services run after %llu ms", rs.nr_slots, (unsigned long long)sys_uptime() / RS_MS);
}
