/* SPDX-License-Identifier: BSD-2-Clause */
/* Client of the data store. Keys and values are lent to DS by grants that live as long as the call. */
#include <abi/limits.h>
#include <errno.h>
#include <libsef/ds.h>
#include <libsef/sef.h>
#include <libsys/grant.h>
#include <string.h>

struct ds_value { const void *p; size_t len; int access; };	/* memory lent for a value; len 0: none */

/* One request: lends key and value, asks, takes back. The reply is in *rep. */
static err_t ds_ask(uint32_t type, const char *key, struct ds_req *req, const struct ds_value *value, struct ds_rep *rep)
{
	struct message m;
	err_t r;

	req->key_len = (uint32_t)strlen(key);
	req->key_grant = grant_direct(EP_DS, key, req->key_len, GRANT_READ);
	req->value_grant = value ? grant_direct(EP_DS, value->p, value->len, value->access) : GRANT_INVALID;
	r = req->key_grant == GRANT_INVALID || (value && req->value_grant == GRANT_INVALID) ? -ENOMEM : 0;
	if (r == 0) {
		memset(&m, 0, sizeof(m));
		m.type = type;
		memcpy(m.w, req, sizeof(*req));
		r = sef_call(EP_DS, &m);
	}
	grant_revoke(req->key_grant);
	grant_revoke(req->value_grant);
	if (r != 0)
		return r;
	memcpy(rep, m.w, sizeof(*rep));
	return (err_t)rep->result;
}

static err_t ds_publish(const char *key, uint32_t flags, uint64_t word, const void *p, size_t len)
{
	struct ds_req req = { .flags = flags, .value = word };
	struct ds_value value = { p, len, GRANT_READ };
	struct ds_rep rep;

	return ds_ask(DS_PUBLISH, key, &req, p ? &value : 0, &rep);
}

err_t ds_publish_label(const char *label, endpoint_t ep, uint32_t flags)
{
	return ds_publish(label, flags | DSF_TYPE_LABEL, (uint64_t)(int64_t)ep, 0, 0);
}

err_t ds_publish_u64(const char *key, uint64_t value, uint32_t flags)
{
	return ds_publish(key, flags | DSF_TYPE_U64, value, 0, 0);
}

err_t ds_publish_str(const char *key, const char *value, uint32_t flags)
{
	size_t len = strlen(value) + 1;

	return ds_publish(key, flags | DSF_TYPE_STR, len, value, len);
}

err_t ds_publish_mem(const char *key, const void *p, size_t len, uint32_t flags)
{
	return ds_publish(key, flags | DSF_TYPE_MEM, len, p, len);
}

static err_t ds_retrieve(const char *key, uint32_t type, void *p, size_t room, uint64_t *word)
{
	struct ds_req req = { .flags = type, .value = room };
	struct ds_value value = { p, room, GRANT_WRITE };
	struct ds_rep rep;
	err_t r = ds_ask(DS_RETRIEVE, key, &req, p ? &value : 0, &rep);

	if (r == 0)
		*word = rep.value;
	return r;
}

err_t ds_retrieve_label_endpt(const char *label, endpoint_t *ep)
{
	uint64_t word;
	err_t r = ds_retrieve(label, DSF_TYPE_LABEL, 0, 0, &word);

	if (r == 0)
		*ep = (endpoint_t)word;
	return r;
}

err_t ds_retrieve_u64(const char *key, uint64_t *value)
{
	return ds_retrieve(key, DSF_TYPE_U64, 0, 0, value);
}

err_t ds_retrieve_str(const char *key, char *value, size_t len)
{
	uint64_t stored;
	err_t r = ds_retrieve(key, DSF_TYPE_STR, value, len, &stored);

	if (r == 0)
		value[stored < len ? stored : len] = 0;
	return r;
}

err_t ds_retrieve_mem(const char *key, void *p, size_t *len)
{
	uint64_t stored;
	err_t r = ds_retrieve(key, DSF_TYPE_MEM, p, *len, &stored);

	if (r == 0)
		*len = stored;
	return r;
}

static err_t ds_delete(const char *key, uint32_t type)
{
	struct ds_req req = { .flags = type };
	struct ds_rep rep;

	return ds_ask(DS_DELETE, key, &req, 0, &rep);
}

err_t ds_delete_label(const char *label)
{
	return ds_delete(label, DSF_TYPE_LABEL);
}

err_t ds_delete_u64(const char *key)
{
	return ds_delete(key, DSF_TYPE_U64);
}

err_t ds_delete_str(const char *key)
{
	return ds_delete(key, DSF_TYPE_STR);
}

err_t ds_delete_mem(const char *key)
{
	return ds_delete(key, DSF_TYPE_MEM);
}

err_t ds_subscribe(const char *regex, uint32_t flags)
{
	struct ds_req req = { .flags = flags };
	struct ds_rep rep;

	return ds_ask(DS_SUBSCRIBE, regex, &req, 0, &rep);
}

/* A request that names one piece of memory to write to. */
static err_t ds_ask_into(struct message *m, grant_t *grant_field, void *p, size_t len, struct ds_rep *rep)
{
	grant_t g = grant_direct(EP_DS, p, len, GRANT_WRITE);
	err_t r;

	if (g == GRANT_INVALID)
		return -ENOMEM;
	*grant_field = g;
	r = sef_call(EP_DS, m);
	grant_revoke(g);
	if (r != 0)
		return r;
	memcpy(rep, m->w, sizeof(*rep));
	return (err_t)rep->result;
}

err_t ds_retrieve_label_name(char *name, endpoint_t ep)
{
	struct message m = { .type = DS_LABEL_NAME };
	struct ds_label_name_req *req = MSG_BODY(struct ds_label_name_req, &m);
	struct ds_rep rep;
	err_t r;

	req->ep = ep;
	req->len = LABEL_LEN - 1;
	r = ds_ask_into(&m, &req->name_grant, name, LABEL_LEN - 1, &rep);
	if (r == 0)
		name[rep.key_len < LABEL_LEN ? rep.key_len : LABEL_LEN - 1] = 0;
	return r;
}

err_t ds_check(char *key, uint32_t *type, endpoint_t *owner)
{
	struct message m = { .type = DS_CHECK };
	struct ds_req *req = MSG_BODY(struct ds_req, &m);
	struct ds_rep rep;
	err_t r;

	req->key_len = DS_KEY_LEN;
	r = ds_ask_into(&m, &req->key_grant, key, DS_KEY_LEN, &rep);
	if (r != 0)
		return r;
	key[rep.key_len < DS_KEY_LEN ? rep.key_len : DS_KEY_LEN - 1] = 0;
	if (type)
		*type = rep.flags;
	if (owner)
		*owner = rep.owner;
	return 0;
}

err_t ds_list(char *p, size_t *len, uint64_t *offset)
{
	struct message m = { .type = DS_LIST };
	struct ds_req *req = MSG_BODY(struct ds_req, &m);
	struct ds_rep rep;
	err_t r;

	req->key_len = (uint32_t)*len;
	req->value = *offset;
	r = ds_ask_into(&m, &req->key_grant, p, *len, &rep);
	if (r != 0)
		return r;
	*len = rep.key_len;
	*offset += rep.key_len;
	return 0;
}
