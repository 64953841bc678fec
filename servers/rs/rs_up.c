/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `service up`: the tool has read program and description, RS fetches both from its memory. Order: who asks, then what, then the
 * arguments, then resources; nothing has happened before all of it is good.
 */
#include "rs.h"

/* A copy of [address, +len) of the caller, with a NUL behind it. */
static err_t rs_fetch(endpoint_t from, uint64_t address, uint64_t len, uint64_t max, void **out)
{
	char *p;
	err_t r;

	if (len > max)
		return -E2BIG;
	p = malloc(len + 1);
	if (!p)
		return -ENOMEM;
	r = len ? sys_datacopy_from(from, address, p, len) : 0;
	p[len] = 0;
	if (r != 0)
		free(p);
	else
		*out = p;
	return r;
}

static err_t rs_program_fetch(endpoint_t from, const struct rs_call *call, struct rs_image *image)
{
	if (call->image_len > RS_IMAGE_MAX)
		return -E2BIG;
	if (!rs_image_alloc(image, call->image_len))
		return -ENOMEM;
	return call->image_len ? sys_datacopy_from(from, call->image, image->bytes, call->image_len) : -ENOEXEC;
}

static err_t rs_image_fetch(endpoint_t from, const struct rs_call *call, struct rs_image *image)
{
	err_t r = rs_program_fetch(from, call, image);

	if (r == 0)
		r = rs_fetch(from, call->args, call->args_len, RS_ARGS_MAX, (void **)&image->args);
	if (r == 0)
		r = rs_fetch(from, call->send_names, call->send_names_len, RS_NAMES_MAX, (void **)&image->send_names);
	if (r == 0)
		r = rs_fetch(from, call->control, call->control_len, RS_NAMES_MAX, (void **)&image->control);
	if (r == 0)
		r = rs_fetch(from, call->classes, call->classes_len, RS_NAMES_MAX, (void **)&image->classes);
	if (r != 0)
		return r;
	image->args_len = call->args_len;
	image->send_names_len = call->send_names_len;
	image->control_len = call->control_len;
	image->classes_len = call->classes_len;
	return rs_image_parse(image);
}

static bool rs_has_end(const char *text, size_t len)
{
	return strnlen(text, len) < len;
}

static bool rs_up_is_valid(const struct rs_call *call)
{
	const struct priv_spec *p = &call->priv;

	if (!rs_label_is_valid(call->label) || !rs_has_end(call->name, PROC_NAME_LEN) || !call->name[0])
		return false;
	if (!rs_has_end(call->script, sizeof(call->script)) || !rs_has_end(call->config_where, sizeof(call->config_where)))
		return false;
	if (p->nr_io > NR_IO_RANGES || p->nr_mem > NR_MEM_RANGES || p->nr_irq > NR_IRQS_PER_SERVICE)
		return false;
	if (call->pci.nr_ids > RS_PCI_MAX || call->pci.nr_classes > RS_PCI_MAX || call->budget_failures >= RS_BUDGET_MAX)
		return false;
	return call->period_ns == 0 || call->period_ns >= RS_PERIOD_MIN_NS;
}

static err_t rs_up_check(const struct rs_call *call)
{
	if (!rs_up_is_valid(call))
		return -EINVAL;
	if (rs_slot_of_label(call->label))
		return -EEXIST;
	for (int i = 0; i < RS_NR_MAJORS; i++)
		if (call->majors[i] >= 0 && rs_slot_of_major(call->majors[i]))
			return -EBUSY;
	return rs_place_check(call);
}

static struct rs_slot *rs_up_slot(const struct rs_call *call, struct rs_image *image)
{
	struct rs_slot *s = rs_slot_alloc(call->label, call->name);

	if (!s)
		return 0;
	s->image = image;
	s->priv = call->priv;
	rs_priv_complete(&s->priv);
	s->pci = call->pci;
	s->up_flags = call->flags;
	s->init_flags = call->init_flags;
	s->backoff_max_ms = call->backoff_max_ms ? call->backoff_max_ms : RS_BACKOFF_MAX_MS;
	s->budget_failures = call->budget_failures;
	s->budget_ns = call->budget_ns;
	s->quantum_us = call->quantum_us;
	s->contig_max = call->contig_max;
	s->cpu_mask = call->cpu_mask;
	memcpy(s->script, call->script, sizeof(s->script));
	memcpy(s->config_where, call->config_where, sizeof(s->config_where));
	s->pub->flags = RS_PUB_COPY;
	s->pub->uid = call->uid;
	s->pub->policy = call->flags & RS_UP_NO_RESTART ? RS_POLICY_NONE : call->script[0] ? RS_POLICY_SCRIPT : RS_POLICY_RESTART;
	s->pub->vm_call_mask = call->vm_call_mask;
	s->pub->period_ns = call->period_ns ? call->period_ns : RS_SECOND;
	memcpy(s->pub->majors, call->majors, sizeof(s->pub->majors));
	return s;
}

static err_t rs_up_fetch(const struct rs_args *a, struct rs_call *call)
{
	err_t r = a->a[2] == sizeof(*call) ? sys_datacopy_from(a->from, a->a[1], call, sizeof(*call)) : -EINVAL;

	return r ? r : rs_up_check(call);
}

/* 0 and a slot with image and description, or why not. */
static err_t rs_up_make(const struct rs_args *a, const struct rs_call *call, struct rs_slot **out)
{
	struct rs_image *image = calloc(1, sizeof(*image));
	err_t r;

	if (!image)
		return -ENOMEM;
	image->refs = 1;
	r = rs_image_fetch(a->from, call, image);
	*out = r == 0 ? rs_up_slot(call, image) : 0;
	if (*out)
		return 0;
	rs_image_put(image);
	return r ? r : -ENOMEM;
}

int64_t rq_up(const struct rs_args *a)
{
	struct rs_call call;
	struct rs_slot *s;
	err_t r = rs_up_fetch(a, &call);

	if (r == 0)
		r = rs_up_make(a, &call, &s);
	if (r != 0)
		return r;
	if (call.flags & RS_UP_TEMPLATE) {
		s->pub->flags |= RS_PUB_TEMPLATE;
		rs_state_set(s, RS_TEMPLATE);
		return 0;
	}
	r = rs_start(s);
	if (r != 0) {
		rs_event(s, RS_EVENT_FAULT, "could not be started: %s", err_text(r));
		rs_retire(s);
		return r;
	}
	return call.flags & RS_UP_NOWAIT ? 0 : rs_wait_for(s, a);
}
