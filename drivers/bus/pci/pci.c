/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI server: who may use which device. RS tells, for each request, which devices the stanza of the caller names (RS_PCI_ACL); one
 * that is not among them does not exist for that caller. A reserved device belongs to a label, so the successor of a driver that died
 * gets it again. When it is reserved, its bus mastering is switched off: whatever a predecessor had left in progress in it cannot write
 * to memory any more when the new owner sees it.
 *
 * RS answers at once and never waits for us, so it may be asked synchronously; so does DS.
 *
 * If this process dies here: the table with the owners is in DS and a successor takes it over. Reserving has one effect after the other
 * (owner noted, bus mastering off, RS told), each of which may happen twice.
 */
#include "pci.h"
#include <errno.h>
#include <libdriver/driver.h>
#include <libsef/ds.h>
#include <libsys/grant.h>
#include <proto/common.h>
#include <proto/rs.h>
#include <string.h>

/* The caller of the last requests: what RS and DS said about it. */
struct pci_caller { endpoint_t ep; char label[LABEL_LEN]; struct rs_pci_acl acl; };

static struct {
	struct pci_table table;		/* [saved in DS] */
	struct pci_caller caller;	/* [rebuilt] */
	bool quiet;
	uint32_t nr_windows;		/* [rebuilt] */
	struct pci_window windows[PCI_WINDOWS_MAX];
} pci = { .caller.ep = EP_NONE };

static const char state_key[] = "pci.devices";

/* ---- rights ---- */

static err_t acl_get(endpoint_t ep, struct rs_pci_acl *acl)
{
	struct message m = { .type = RS_PCI_ACL };
	struct rs_pci_acl_req *req = MSG_BODY(struct rs_pci_acl_req, &m);
	grant_t g = grant_direct(EP_RS, acl, sizeof(*acl), GRANT_WRITE);
	err_t r;

	if (g == GRANT_INVALID)
		return -ENOMEM;
	memset(acl, 0, sizeof(*acl));
	req->ep = ep;
	req->grant = g;
	r = sef_call(EP_RS, &m);
	grant_revoke(g);
	return r ? r : (err_t)MSG_BODY(struct result_rep, &m)->result;
}

static bool id_matches(uint16_t wanted, uint16_t is) { return wanted == RS_PCI_ANY || wanted == is; }

static bool acl_allows(const struct rs_pci_acl *acl, const struct pci_device *d)
{
	for (uint32_t i = 0; i < acl->nr_ids && i < RS_PCI_MAX; i++) {
		const struct rs_pci_id *id = &acl->ids[i];

		if (id_matches(id->vendor, d->vendor) && id_matches(id->device, d->device)
		    && id_matches(id->sub_vendor, d->sub_vendor) && id_matches(id->sub_device, d->sub_device))
			return true;
	}
	for (uint32_t i = 0; i < acl->nr_classes && i < RS_PCI_MAX; i++)
		if ((d->class_code & acl->classes[i].mask) == acl->classes[i].class_code)
			return true;
	return false;
}

/* An endpoint is one life of a service, but a restarted one keeps it: it is asked about anew when it begins with PCI_NEXT. */
static const struct pci_caller *caller_get(endpoint_t ep, bool anew)
{
	struct pci_caller *c = &pci.caller;

	if (c->ep == ep && !anew)
		return c;
	c->ep = EP_NONE;
	if (acl_get(ep, &c->acl) != 0 || ds_retrieve_label_name(c->label, ep) != 0)
		return 0;
	c->ep = ep;
	return c;
}

static struct pci_device *device_find(uint32_t dev)
{
	for (uint32_t i = 0; i < pci.table.n; i++)
		if (pci.table.devices[i].dev == dev)
			return &pci.table.devices[i];
	return 0;
}

static bool device_is_owned_by(const struct pci_device *d, const struct pci_caller *c)
{
	return strcmp(c->label, d->owner) == 0;
}

/* ---- ownership ---- */

static err_t state_save(void)
{
	return ds_publish_mem(state_key, &pci.table, sizeof(pci.table), DSF_OVERWRITE | DSF_PRIV_RETRIEVE | DSF_PRIV_OVERWRITE);
}

static err_t resource_add(endpoint_t ep, uint32_t kind, uint64_t first, uint64_t last)
{
	struct message m = { .type = RS_ADD_RESOURCES };
	err_t r;

	*MSG_BODY(struct rs_add_resources_req, &m) = (struct rs_add_resources_req){ ep, kind, first, last };
	r = sef_call(EP_RS, &m);
	return r ? r : (err_t)MSG_BODY(struct result_rep, &m)->result;
}

static err_t resources_add(endpoint_t ep, const struct pci_device *d)
{
	err_t r = 0;

	for (int i = 0; i < PCI_BARS && r == 0; i++) {
		const struct pci_bar *b = &d->bars[i];

		if (b->len)
			r = resource_add(ep, b->flags & PCI_BAR_IO ? RS_RESOURCE_IO : RS_RESOURCE_MEM, b->base, b->base + b->len - 1);
	}
	return r;
}

/* It cannot write to memory any more, nor interrupt. */
static void device_quieten(const struct pci_device *d)
{
	uint32_t command = pci_config_read(d->dev, PCI_CFG_COMMAND, 2);

	pci_config_write(d->dev, PCI_CFG_COMMAND, 2, (command & ~(uint32_t)PCI_COMMAND_MASTER) | PCI_COMMAND_NO_LINE
		| PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	pci_messages_off(d->dev);
}

/* The bridges on the way pass on what the device does and is asked. Not before someone owns what lies behind them. */
static void bridges_open(const struct pci_device *d)
{
	const uint32_t pass = PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY | PCI_COMMAND_IO;
	uint32_t bus = d->dev >> 8 & 0xff;

	for (uint32_t i = 0; i < pci.table.n; i++) {
		const struct pci_device *b = &pci.table.devices[i];
		uint32_t command;

		if (!b->bridge || b->dev >> 16 != d->dev >> 16 || bus < b->secondary || bus > b->subordinate)
			continue;
		command = pci_config_read(b->dev, PCI_CFG_COMMAND, 2);
		if ((command & pass) != pass)
			pci_config_write(b->dev, PCI_CFG_COMMAND, 2, command | pass);
	}
}

static err_t op_reserve(const struct pci_caller *c, struct pci_device *d)
{
	char before[LABEL_LEN];
	endpoint_t other;
	err_t r = 0;

	if (d->owner[0] && !device_is_owned_by(d, c) && ds_retrieve_label_endpt(d->owner, &other) == 0)
		return -EBUSY;
	memcpy(before, d->owner, sizeof(before));
	memcpy(d->owner, c->label, sizeof(before));
	if (strcmp(before, d->owner) != 0)
		r = state_save();
	if (r == 0) {
		device_quieten(d);
		bridges_open(d);
		r = resources_add(c->ep, d);
	}
	if (r != 0)
		memcpy(d->owner, before, sizeof(before));
	return r;
}

static err_t op_release(const struct pci_caller *c, struct pci_device *d)
{
	if (!device_is_owned_by(d, c))
		return -EPERM;
	device_quieten(d);
	memset(d->owner, 0, sizeof(d->owner));
	return state_save();
}

/*
 * A driver that is given up, or taken down without having its way out, leaves its devices as they were: nobody but us can stop them. Its
 * label is no more then.
 */
static err_t owners_check(void)
{
	endpoint_t ep;
	bool changed = false;

	for (uint32_t i = 0; i < pci.table.n; i++) {
		struct pci_device *d = &pci.table.devices[i];

		if (!d->owner[0] || ds_retrieve_label_endpt(d->owner, &ep) != -ESRCH)
			continue;
		device_quieten(d);
		log_info("%02x:%02x.%u of %s is switched off", d->dev >> 8, d->dev >> 3 & 31, d->dev & 7, d->owner);
		memset(d->owner, 0, sizeof(d->owner));
		changed = true;
	}
	return changed ? state_save() : 0;
}

/* Which labels there are is news; a label that is no more is not named. */
static void pci_notified(endpoint_t source)
{
	char key[DS_KEY_LEN];

	if (source != EP_DS)
		return;
	while (ds_check(key, 0, 0) == 0)
		;
	if (owners_check() != 0)
		log_warn("the table of devices cannot be saved");
}

/* ---- requests ---- */

static bool access_is_valid(const struct pci_req *r)
{
	uint32_t bytes = pci_config_bytes(r->dev);

	return (r->width == 1 || r->width == 2 || r->width == 4) && r->offset % r->width == 0 && r->offset < bytes
		&& r->width <= bytes - r->offset;
}

static void rq_next(const struct message *m, struct message *reply)
{
	const struct pci_req *r = MSG_BODY(const struct pci_req, m);
	struct pci_next_rep *rep = MSG_BODY(struct pci_next_rep, reply);
	const struct pci_caller *c = caller_get(m->source, r->dev == PCI_DEV_NONE);

	rep->result = c ? -ENODEV : -EPERM;
	for (uint32_t i = 0; i < pci.table.n && rep->result == -ENODEV; i++) {
		const struct pci_device *d = &pci.table.devices[i];

		/* The table is in the order of the numbers. */
		if ((r->dev == PCI_DEV_NONE || d->dev > r->dev) && acl_allows(&c->acl, d))
			*rep = (struct pci_next_rep){ .dev = d->dev, .class_code = d->class_code, .vendor = d->vendor,
				.device = d->device, .sub_vendor = d->sub_vendor, .sub_device = d->sub_device, .line = d->line };
	}
}

static void rq_bar(const struct pci_device *d, const struct pci_req *r, struct message *reply)
{
	struct pci_bar_rep *rep = MSG_BODY(struct pci_bar_rep, reply);
	const struct pci_bar *b = r->n < PCI_BARS ? &d->bars[r->n] : 0;

	if (!b || b->len == 0)
		rep->result = -ENOENT;
	else
		*rep = (struct pci_bar_rep){ .base = b->base, .len = b->len, .flags = b->flags };
}

static void rq_read(const struct pci_device *d, const struct pci_req *r, struct message *reply)
{
	struct pci_value_rep *rep = MSG_BODY(struct pci_value_rep, reply);

	rep->result = access_is_valid(r) ? 0 : -EINVAL;
	if (rep->result == 0)
		rep->value = pci_config_read(d->dev, r->offset, r->width);
}

static void rq_capability(const struct pci_device *d, const struct pci_req *r, struct message *reply)
{
	struct pci_value_rep *rep = MSG_BODY(struct pci_value_rep, reply);

	rep->value = r->n & PCI_CAP_EXTENDED ? pci_config_extended(d->dev, r->n & 0xffff, r->offset)
		: pci_config_capability(d->dev, r->n, r->offset);
	rep->result = rep->value ? 0 : -ENOENT;
}

/* Only what concerns the device's own work: no address, no identity. */
static bool write_is_harmless(const struct pci_req *r)
{
	if (r->offset < PCI_CFG_END)
		return r->offset == PCI_CFG_COMMAND && r->width == 2;
	return r->offset < PCI_CFG_BYTES;
}

static err_t op_write(const struct pci_caller *c, const struct pci_device *d, const struct pci_req *r)
{
	uint32_t value = r->value;

	if (!access_is_valid(r))
		return -EINVAL;
	if (!device_is_owned_by(d, c) || !write_is_harmless(r))
		return -EPERM;
	if (r->offset == PCI_CFG_COMMAND)
		value = (value & (PCI_COMMAND_MASTER | PCI_COMMAND_NO_LINE)) | PCI_COMMAND_MEMORY | PCI_COMMAND_IO;
	pci_config_write(d->dev, r->offset, r->width, value);
	return 0;
}

static void pci_serve(const struct message *m, struct message *reply)
{
	const struct pci_req *r = MSG_BODY(const struct pci_req, m);
	struct result_rep *rep = MSG_BODY(struct result_rep, reply);
	const struct pci_caller *c = caller_get(m->source, false);
	struct pci_device *d = device_find(r->dev);

	if (!c || !d || !acl_allows(&c->acl, d)) {
		rep->result = -ENODEV;
		return;
	}
	switch (m->type) {
	case PCI_RESERVE: rep->result = op_reserve(c, d); break;
	case PCI_RELEASE: rep->result = op_release(c, d); break;
	case PCI_BAR: rq_bar(d, r, reply); break;
	case PCI_CAP: rq_capability(d, r, reply); break;
	case PCI_READ: rq_read(d, r, reply); break;
	case PCI_WRITE: rep->result = op_write(c, d, r); break;
	}
}

static bool pci_request(const struct message *m, uint32_t status)
{
	struct message reply = { .type = m->type + 1 };

	if ((status & IPC_STATUS_USER) || m->type < PCI_NEXT || m->type > PCI_WRITE || m->type % 2)
		return false;
	if (m->type == PCI_NEXT)
		rq_next(m, &reply);
	else
		pci_serve(m, &reply);
	sef_reply(m->source, &reply);
	return true;
}

/* ---- life ---- */

static void device_log(const struct pci_device *d)
{
	log_info("%02x:%02x.%u %04x:%04x class %06x", d->dev >> 8, d->dev >> 3 & 31, d->dev & 7, d->vendor, d->device, d->class_code);
	for (int i = 0; i < PCI_BARS; i++)
		if (d->bars[i].len)
			log_debug("  bar %d %s %#llx, %llu bytes", i, d->bars[i].flags & PCI_BAR_IO ? "ports" : "memory",
				(unsigned long long)d->bars[i].base, (unsigned long long)d->bars[i].len);
}

/* Ask for the windows of the firmware's table; without them all goes by ports. */
static void windows_take(void)
{
	uint8_t table[512];
	uint64_t len = 0;
	struct info_whoami me;
	uint32_t n = 0, found;

	if (sys_getinfo(GETINFO_MCFG, table, sizeof(table), 0, &len) != 0 || sys_getinfo(GETINFO_WHOAMI, &me, sizeof(me), 0, 0) != 0)
		return;
	found = pci_mcfg_parse(table, len, pci.windows);
	for (uint32_t i = 0; i < found; i++) {
		const struct pci_window *w = &pci.windows[i];
		err_t r = resource_add(me.endpoint, RS_RESOURCE_MEM, pci_window_first(w), pci_window_last(w));

		if (r == 0)
			pci.windows[n++] = *w;
		else
			log_warn("the configuration space at %#llx is out of reach: %s",
				(unsigned long long)pci_window_first(w), err_text(r));
	}
	pci.nr_windows = n;
	pci_config_windows(pci.windows, n);
}

static err_t owners_watch(void) { return ds_subscribe(".*", DSF_TYPE_LABEL | DSF_OVERWRITE); }

static err_t pci_init_fresh(const struct sef_init_info *info)
{
	err_t r = owners_watch();

	(void)info;
	if (r != 0)
		return r;
	windows_take();
	for (uint32_t i = 0; i < pci.nr_windows && !pci.quiet; i++)
		log_info("segment %u, buses %02x to %02x: configuration space at %#llx", pci.windows[i].segment, pci.windows[i].first,
			pci.windows[i].last, (unsigned long long)pci_window_first(&pci.windows[i]));
	pci_scan(&pci.table, pci.windows, pci.nr_windows);
	for (uint32_t i = 0; i < pci.table.n && !pci.quiet; i++)
		device_log(&pci.table.devices[i]);
	return state_save();
}

static err_t pci_init_restart(const struct sef_init_info *info)
{
	size_t len = sizeof(pci.table);

	if (ds_retrieve_mem(state_key, &pci.table, &len) == 0 && len == sizeof(pci.table) && pci.table.n <= PCI_DEVICES_MAX) {
		err_t r = owners_watch();

		windows_take();
		return r ? r : owners_check();
	}
	log_warn("the table of devices is not in DS; looking for devices again");
	return pci_init_fresh(info);
}

static const struct driver_class pci_class = { .request = pci_request };

static const struct driver pci_driver = {
	.class = &pci_class, .on_notify = pci_notified,
	.sef = { .init_fresh = pci_init_fresh, .init_restart = pci_init_restart, .signal_handler = sef_signal_term },
};

int main(int argc, char **argv)
{
	pci.quiet = argc > 1 && strcmp(argv[1], "quiet") == 0;
	driver_task(&pci_driver);
}
