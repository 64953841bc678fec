/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of services. A service may give orders about another only if its `control` list names it, the template it was made from or a
 * class it belongs to; the PCI server may ask which devices a driver may have and hand it their resources; VFS may have file systems
 * started. Everything else is refused. All of it is answered without waiting, or when the operation is over.
 */
#include "rs.h"
#include <signal.h>

static bool rs_name_covers(const char *name, const char *label)
{
	size_t n = strlen(name);

	return strncmp(name, label, n) == 0 && (label[n] == 0 || (label[n] == '.' && label[n + 1] >= '0' && label[n + 1] <= '9'));
}

static bool rs_controls(const struct rs_slot *caller, const char *label)
{
	const struct rs_slot *s = rs_slot_of_label(label);
	const char *p = caller && caller->image ? caller->image->control : 0, *end;

	if (!p)
		return false;
	for (end = p + caller->image->control_len; p < end; p += strlen(p) + 1)
		if (*p && (rs_name_covers(p, label) || (s && s != caller && rs_image_belongs(s->image, p))))
			return true;
	return false;
}

/* 0: the caller may, and *out is the service. */
static err_t rs_controlled(const struct message *m, const char label[LABEL_LEN], struct rs_slot **out)
{
	if (!rs_label_is_valid(label) || !rs_controls(rs_slot_of_endpoint(m->source), label))
		return -EPERM;
	*out = rs_slot_of_label(label);
	return *out ? 0 : -ESRCH;
}

/* Clients may order what brings a service back; that it has failed is for an administrator to change. */
static int64_t rs_order(const struct message *m, const struct rs_request_req *req)
{
	struct rs_args a = { .from = m->source, .type = m->type };
	struct rs_slot *s;
	int64_t later = 0;
	err_t r = rs_controlled(m, req->label, &s);

	if (r != 0)
		return r;
	if (req->op != RS_OP_RESTART && req->op != RS_OP_REFRESH && req->op != RS_OP_DOWN)
		return -EINVAL;
	if (s->pub->state == RS_FAILED || s->pub->state == RS_DEAD)
		return -EIO;
	r = rs_operation_begin(s, (enum rs_op)req->op, rs_slot_of_endpoint(m->source)->pub->label);
	if (r != 0)
		return r;
	if (!(req->flags & RS_REQ_NOWAIT))
		later = rs_wait_for(s, &a);
	rs_stop(s, (enum rs_op)req->op, req->op == RS_OP_REFRESH);
	return later;
}

static int64_t rs_on_request(const struct message *m)
{
	/* PM says itself when the system goes down. */
	if (m->source == EP_PM && m->w[0] == RS_OP_SHUTDOWN) {
		rs.shutdown = true;
		return 0;
	}
	return rs_order(m, MSG_BODY(const struct rs_request_req, m));
}

/* ---- PCI ---- */

static bool rs_is_bus(endpoint_t ep)
{
	const struct rs_slot *s = rs_slot_of_endpoint(ep);

	return s && (s->up_flags & RS_UP_BUS);
}

static int64_t rs_on_pci_acl(const struct message *m)
{
	const struct rs_pci_acl_req *req = MSG_BODY(const struct rs_pci_acl_req, m);
	const struct rs_slot *s = rs_slot_of_endpoint(req->ep);

	if (!rs_is_bus(m->source))
		return -EPERM;
	return s ? sys_safecopyto(m->source, req->grant, 0, &s->pci, sizeof(s->pci)) : -ESRCH;
}

/* In our copy of the privileges too, so that successors have it. */
static err_t rs_resource_add(struct priv_spec *p, const struct rs_add_resources_req *req)
{
	if (req->last < req->first)
		return -EINVAL;
	switch (req->kind) {
	case RS_RESOURCE_IO:
		for (uint32_t i = 0; i < p->nr_io; i++)
			if (p->io[i].first == req->first && p->io[i].last == req->last)
				return 0;
		if (p->nr_io == NR_IO_RANGES)
			return -ENOMEM;
		if (req->last > 0xffff)
			return -EINVAL;
		p->io[p->nr_io++] = (struct priv_io_range){ (uint16_t)req->first, (uint16_t)req->last };
		return 0;
	case RS_RESOURCE_MEM:
		for (uint32_t i = 0; i < p->nr_mem; i++)
			if (p->mem[i].first == req->first && p->mem[i].last == req->last)
				return 0;
		if (p->nr_mem == NR_MEM_RANGES)
			return -ENOMEM;
		p->mem[p->nr_mem++] = (struct priv_mem_range){ req->first, req->last };
		return 0;
	case RS_RESOURCE_IRQ:
		for (uint32_t i = 0; i < p->nr_irq; i++)
			if (p->irq[i] == req->first)
				return 0;
		if (p->nr_irq == NR_IRQS_PER_SERVICE)
			return -ENOMEM;
		if (req->first > 0xff)
			return -EINVAL;
		p->irq[p->nr_irq++] = (uint8_t)req->first;
		return 0;
	default:
		return -EINVAL;
	}
}

static int64_t rs_on_add_resources(const struct message *m)
{
	const struct rs_add_resources_req *req = MSG_BODY(const struct rs_add_resources_req, m);
	struct rs_slot *s = rs_slot_of_endpoint(req->ep);
	err_t r;

	if (!rs_is_bus(m->source))
		return -EPERM;
	if (!s || (s->pub->flags & RS_PUB_BOOT))
		return -ESRCH;
	r = rs_resource_add(&s->priv, req);
	return r ? r : rs_priv_set(req->ep, &s->priv, PRIVCTL_UPDATE_SYS, 0);
}

/* ---- what failures cost clients ---- */

/* VFS is everybody's client and names by endpoint whom it knows by that alone. 0: nobody it may report about. */
static struct rs_slot *rs_reported(const struct message *m, const struct rs_report_req *req)
{
	struct rs_slot *s = 0;

	if (m->source != EP_VFS)
		return rs_controlled(m, req->label, &s) == 0 ? s : 0;
	if (req->label[0])
		return rs_label_is_valid(req->label) ? rs_slot_of_label(req->label) : 0;
	return rs_slot_of_endpoint(req->ep);
}

/* One wrong answer may be an accident of its own; whoever goes on with them is killed and comes back. A request that was lost stays so. */
static void rs_on_broken(struct rs_slot *s, const struct rs_report_req *req)
{
	static const char *const names[] = RS_BROKEN_NAMES;
	const char *how = req->how < sizeof(names) / sizeof(names[0]) ? names[req->how] : "nonsense";
	nstime_t now = sys_uptime();

	if (!s->broken || now - s->broken_since > RS_BROKEN_SECONDS * RS_SECOND) {
		s->broken = 0;
		s->broken_since = now;
	}
	s->broken += req->broken;
	s->pub->answers_refused += req->broken;
	rs_event(s, RS_EVENT_NOTE, "gave an answer that no service may give: %s; refused, %u so far", how, s->broken);
	if ((s->broken < RS_BROKEN_MAX && req->how != RS_BROKEN_LOST) || s->pub->state != RS_RUNNING || !s->image)
		return;
	s->verdict = RS_VERDICT_BROKEN;
	sys_kill(s->pub->endpoint, SIGKILL, 0, 0);
}

static void rs_on_report(const struct message *m)
{
	const struct rs_report_req *req = MSG_BODY(const struct rs_report_req, m);
	struct rs_slot *s = rs_reported(m, req);

	if (!s)
		return;
	s->pub->requests_repeated += req->repeated;
	s->pub->requests_failed += req->failed;
	if (req->broken && m->source == EP_VFS)
		rs_on_broken(s, req);
}

/* ---- dispatch ---- */

static int64_t rs_answer_of(const struct message *m)
{
	switch (m->type) {
	case RS_REQUEST: return rs_on_request(m);
	case RS_PCI_ACL: return rs_on_pci_acl(m);
	case RS_ADD_RESOURCES: return rs_on_add_resources(m);
	default: return -EBADREQUEST;
	}
}

/* False: it is not one of these. */
bool rs_on_service_message(const struct message *m, uint32_t status)
{
	int64_t result;

	(void)status;
	switch (m->type) {
	case RS_FS_START:
		if (m->source == EP_VFS)
			rs_template_start(m);
		return m->source == EP_VFS;
	case RS_FS_STOP:
		if (m->source == EP_VFS)
			rs_template_stop(m);
		return m->source == EP_VFS;
	case RS_REPORT:
		rs_on_report(m);
		return true;
	case RS_REQUEST: case RS_PCI_ACL: case RS_ADD_RESOURCES:
		result = rs_answer_of(m);
		if (result == -EPERM)
			log_refused(m->source, "an order about another service", -EPERM);
		if (result != RS_LATER)
			sef_reply_result(m->source, m->type, result);
		return true;
	default:
		return false;
	}
}
