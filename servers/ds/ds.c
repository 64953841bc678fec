/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DS, the data store: labels of services, and numbers, strings and memory that outlive who published them. The protocol and its rule
 * table: proto/ds.h. The store: ds_store.c. This file unpacks requests: it learns the caller's label from its endpoint, fetches key
 * and value by the caller's grants, and answers once. It waits for nobody; notifications leave after the request is done.
 *
 * Labels of the boot image come from RS's table at the first start. If DS dies everything in it is lost, and what was published
 * has to be published again; RS reports it as the death of a core service.
 */
#include "ds_store.h"
#include <errno.h>
#include <libsef/sef.h>
#include <stdlib.h>
#include <string.h>

enum { DS_LIST_LINE_MAX = 512 };

static struct ds {
	struct ds_store store;	/* all state there is; [lost] */
} ds;

/* ---- unpacking ---- */

/* The key, a string of 1..79 bytes, from the caller's memory. */
static err_t ds_fetch_key(endpoint_t from, const struct ds_req *req, char key[DS_KEY_LEN])
{
	err_t r;

	if (req->key_len < 1 || req->key_len >= DS_KEY_LEN)
		return -EINVAL;
	r = sys_safecopyfrom(from, req->key_grant, 0, key, req->key_len);
	if (r != 0)
		return r;
	key[req->key_len] = 0;
	return strlen(key) == req->key_len ? 0 : -EINVAL;
}

static void ds_answer(const struct message *m, const struct ds_rep *rep)
{
	struct message reply;

	memset(&reply, 0, sizeof(reply));
	reply.type = m->type + 1;
	memcpy(reply.w, rep, sizeof(*rep));
	sef_reply(m->source, &reply);
}

/* ---- requests: each returns the result, and fills the rest of the reply ---- */

static err_t ds_fetch_value(endpoint_t from, const struct ds_req *req, void **out)
{
	void *p = malloc(req->value ? req->value : 1);
	err_t r;

	if (!p)
		return -ENOMEM;
	r = sys_safecopyfrom(from, req->value_grant, 0, p, req->value);
	if (r != 0)
		free(p);
	else
		*out = p;
	return r;
}

static err_t ds_publish_value(const struct message *m, struct ds_entry *owner, const char *key)
{
	const struct ds_req *req = MSG_BODY(const struct ds_req, m);
	void *data = 0;
	err_t r = ds_store_publish_check(&ds.store, owner, key, req->flags, req->value);

	if (r == 0 && !(req->flags & DSF_TYPE_U64))
		r = ds_fetch_value(m->source, req, &data);
	if (r == 0)
		r = ds_store_publish(&ds.store, owner, key, req->flags, req->value, data);
	if (r != 0)
		free(data);
	return r;
}

/* Who says that a driver is up or given up is believed, so only it itself and RS may: drv.CLASS.LABEL belongs to LABEL. */
static bool ds_key_is_anothers(const struct ds_entry *owner, const char *key)
{
	static const char drivers[] = "drv.", failed[] = "drv.failed.";
	const char *label;

	if (strncmp(key, drivers, sizeof(drivers) - 1) != 0 || (endpoint_t)owner->value == EP_RS)
		return false;
	label = strchr(key + sizeof(drivers) - 1, '.');
	return !label || strncmp(key, failed, sizeof(failed) - 1) == 0 || strcmp(label + 1, owner->key) != 0;
}

static err_t rq_publish(const struct message *m, struct ds_entry *owner, struct ds_rep *rep)
{
	const struct ds_req *req = MSG_BODY(const struct ds_req, m);
	char key[DS_KEY_LEN];
	err_t r;

	(void)rep;
	if (!owner)
		return -EPERM;
	r = ds_fetch_key(m->source, req, key);
	if (r != 0)
		return r;
	if ((req->flags & DSF_TYPE_MASK) != DSF_TYPE_LABEL)
		return ds_key_is_anothers(owner, key) ? -EPERM : ds_publish_value(m, owner, key);
	if (m->source != EP_RS)
		return -EPERM;
	return ds_store_publish_label(&ds.store, owner, key, (endpoint_t)req->value, req->flags);
}

static err_t rq_retrieve(const struct message *m, struct ds_entry *owner, struct ds_rep *rep)
{
	const struct ds_req *req = MSG_BODY(const struct ds_req, m);
	const struct ds_entry *e;
	char key[DS_KEY_LEN];
	err_t r = ds_fetch_key(m->source, req, key);

	if (r == 0)
		r = ds_store_retrieve(&ds.store, owner, key, req->flags & DSF_TYPE_MASK, &e);
	if (r != 0)
		return r;
	rep->value = e->value;
	rep->owner = ds_entry_owner_endpoint(e);
	rep->flags = e->flags | e->type;
	if (!e->data || req->value == 0)
		return 0;
	return sys_safecopyto(m->source, req->value_grant, 0, e->data, req->value < e->value ? req->value : e->value);
}

static err_t rq_label_name(const struct message *m, struct ds_entry *owner, struct ds_rep *rep)
{
	const struct ds_label_name_req *req = MSG_BODY(const struct ds_label_name_req, m);
	const struct ds_entry *label = ds_store_label_of(&ds.store, req->ep);
	size_t len;

	(void)owner;
	if (!label)
		return -ESRCH;
	len = strlen(label->key);
	rep->key_len = (uint32_t)(len < req->len ? len : req->len);
	return sys_safecopyto(m->source, req->name_grant, 0, label->key, rep->key_len);
}

static err_t rq_delete(const struct message *m, struct ds_entry *owner, struct ds_rep *rep)
{
	const struct ds_req *req = MSG_BODY(const struct ds_req, m);
	uint32_t type = req->flags & DSF_TYPE_MASK;
	char key[DS_KEY_LEN];
	err_t r;

	(void)rep;
	if (!owner || (type == DSF_TYPE_LABEL && m->source != EP_RS))
		return -EPERM;
	r = ds_fetch_key(m->source, req, key);
	return r ? r : ds_store_delete(&ds.store, owner, key, type);
}

static err_t rq_subscribe(const struct message *m, struct ds_entry *owner, struct ds_rep *rep)
{
	const struct ds_req *req = MSG_BODY(const struct ds_req, m);
	char regex[DS_KEY_LEN];
	err_t r = ds_fetch_key(m->source, req, regex);

	(void)rep;
	return r ? r : ds_store_subscribe(&ds.store, owner, regex, req->flags);
}

/* The change counts as seen even if the key cannot be copied: the caller's own mistake. */
static err_t rq_check(const struct message *m, struct ds_entry *owner, struct ds_rep *rep)
{
	const struct ds_req *req = MSG_BODY(const struct ds_req, m);
	const struct ds_entry *e;
	size_t len;
	err_t r = ds_store_check(&ds.store, owner, &e);

	if (r != 0)
		return r;
	len = strlen(e->key);
	rep->flags = e->type;
	rep->owner = ds_entry_owner_endpoint(e);
	rep->key_len = (uint32_t)(len < req->key_len ? len : req->key_len);
	return sys_safecopyto(m->source, req->key_grant, 0, e->key, rep->key_len);
}

/* The part [value, value + key_len) of the text of all entries. Private entries are named without their value. */
static err_t rq_list(const struct message *m, struct ds_entry *owner, struct ds_rep *rep)
{
	const struct ds_req *req = MSG_BODY(const struct ds_req, m);
	uint64_t first = req->value, end = first + req->key_len, at = 0;
	char line[DS_LIST_LINE_MAX];
	err_t r = 0;

	(void)owner;
	if (end < first)
		return -EINVAL;
	for (const struct ds_entry *e = ds.store.first; e && at < end && r == 0; e = e->next) {
		uint64_t n = (uint64_t)ds_entry_format(e, line, sizeof(line)), from, to;

		n = n < sizeof(line) ? n : sizeof(line) - 1;
		from = at > first ? at : first;
		to = at + n < end ? at + n : end;
		if (to > from)
			r = sys_safecopyto(m->source, req->key_grant, from - first, line + (from - at), to - from);
		if (to > from && r == 0)
			rep->key_len += (uint32_t)(to - from);
		at += n;
	}
	return r;
}

/* ---- main ---- */

static const struct {
	uint32_t type;
	err_t (*handler)(const struct message *m, struct ds_entry *owner, struct ds_rep *rep);
} ds_requests[] = {
	{ DS_PUBLISH, rq_publish }, { DS_RETRIEVE, rq_retrieve }, { DS_LABEL_NAME, rq_label_name }, { DS_DELETE, rq_delete },
	{ DS_SUBSCRIBE, rq_subscribe }, { DS_CHECK, rq_check }, { DS_LIST, rq_list },
};

/* A process that sends without waiting for the answer gets it all the same, as an asynchronous message. */
static void ds_dispatch(const struct message *m)
{
	struct ds_entry *owner = ds_store_label_of(&ds.store, m->source);
	struct ds_rep rep;

	memset(&rep, 0, sizeof(rep));
	rep.owner = EP_NONE;
	rep.result = -EBADREQUEST;
	for (size_t i = 0; i < sizeof(ds_requests) / sizeof(ds_requests[0]); i++)
		if (ds_requests[i].type == m->type)
			rep.result = ds_requests[i].handler(m, owner, &rep);
	if (rep.result < 0)
		log_debug("request %#x of %s (%d) refused: %s", m->type, owner ? owner->key : "?", m->source,
			err_text((int)rep.result));
	if (rep.result == -EPERM)
		log_refused(m->source, "a name or value", -EPERM);
	ds_answer(m, &rep);
}

static err_t ds_register_boot_labels(const struct sef_init_info *info, struct ds_entry *rs)
{
	struct rs_pub pub;

	for (uint32_t i = 0; i < info->proctab_count; i++) {
		err_t r = sef_proctab_read(info, i, &pub, 1);

		if (r == 0 && pub.in_use && pub.endpoint != EP_RS)
			r = ds_store_publish_label(&ds.store, rs, pub.label, pub.endpoint, 0);
		if (r != 0)
			return r;
	}
	return 0;
}

static err_t ds_init_fresh(const struct sef_init_info *info)
{
	err_t r = ds_store_init(&ds.store, sef_notify);

	if (r == 0)
		r = ds_store_publish_label(&ds.store, 0, "rs", EP_RS, 0);
	return r ? r : ds_register_boot_labels(info, ds_store_label_of(&ds.store, EP_RS));
}

int main(void)
{
	const struct sef_callbacks callbacks = { .init_fresh = ds_init_fresh, .signal_handler = sef_signal_null };
	struct message m;
	uint32_t status;

	sef_startup(&callbacks);
	for (;;)
		if (sef_receive(EP_ANY, &m, &status) == 0 && !ipc_is_notify(status))
			ds_dispatch(&m);
}
