/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries lie in a hash table by (key, type) that doubles when it is full, in a list by age, and in their owner's list. Labels lie
 * in a second hash table by endpoint, because every request starts with "which label is this caller".
 *
 * Subscriptions: entry->changed has a bit for each subscription that has not seen the entry's present value, and a subscription
 * counts its bits in `pending`, so that "nothing changed" is answered without a search. The subscriber is notified at each
 * change, also at a deletion (which leaves nothing to check: who cares for a key looks it up).
 */
#include "ds_store.h"
#include <abi/endpoint.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DS_BUCKETS_FIRST = 64 };

/* ---- hash tables ---- */

static uint32_t ds_hash(const char *key, uint32_t type)
{
	uint32_t h = 2166136261u ^ type;

	for (; *key; key++)
		h = (h ^ (uint8_t)*key) * 16777619u;
	return h ^ h >> 15;
}

static struct ds_entry **ds_bucket(const struct ds_store *s, const char *key, uint32_t type)
{
	return &s->buckets[ds_hash(key, type) & (s->nr_buckets - 1)];
}

struct ds_entry *ds_store_find(const struct ds_store *s, const char *key, uint32_t type)
{
	struct ds_entry *e = *ds_bucket(s, key, type);

	while (e && (e->type != type || strcmp(e->key, key) != 0))
		e = e->next_in_bucket;
	return e;
}

/* Staying small only costs time, so a failure is none. */
static void ds_buckets_grow(struct ds_store *s)
{
	uint32_t n = s->nr_buckets * 2;
	struct ds_entry **bigger = calloc(n, sizeof(*bigger));

	if (!bigger)
		return;
	free(s->buckets);
	s->buckets = bigger;
	s->nr_buckets = n;
	for (struct ds_entry *e = s->first; e; e = e->next) {
		struct ds_entry **b = ds_bucket(s, e->key, e->type);

		e->next_in_bucket = *b;
		*b = e;
	}
}

static struct ds_entry **ds_endpoint_bucket(struct ds_store *s, endpoint_t ep)
{
	return &s->by_endpoint[(uint32_t)ep % DS_ENDPOINT_BUCKETS];
}

struct ds_entry *ds_store_label_of(const struct ds_store *s, endpoint_t ep)
{
	struct ds_entry *e = s->by_endpoint[(uint32_t)ep % DS_ENDPOINT_BUCKETS];

	while (e && (endpoint_t)e->value != ep)
		e = e->next_endpoint;
	return e;
}

static void ds_endpoint_link(struct ds_store *s, struct ds_entry *label, endpoint_t ep)
{
	struct ds_entry **b = ds_endpoint_bucket(s, ep);

	label->value = (uint64_t)(int64_t)ep;
	label->next_endpoint = *b;
	*b = label;
}

static void ds_endpoint_unlink(struct ds_store *s, struct ds_entry *label)
{
	struct ds_entry **p = ds_endpoint_bucket(s, (endpoint_t)label->value);

	while (*p != label)
		p = &(*p)->next_endpoint;
	*p = label->next_endpoint;
}

/* ---- owners ---- */

static uint64_t ds_entry_bytes(const struct ds_entry *e)
{
	return e->data ? e->value : 0;
}

static void ds_owner_link(struct ds_entry *owner, struct ds_entry *e)
{
	e->owner = owner;
	if (!owner)
		return;
	e->owned_prev = 0;
	e->owned_next = owner->owned;
	if (owner->owned)
		owner->owned->owned_prev = e;
	owner->owned = e;
	owner->owned_count++;
	owner->owned_bytes += ds_entry_bytes(e);
}

static void ds_owner_unlink(struct ds_entry *e)
{
	struct ds_entry *owner = e->owner;

	if (!owner)
		return;
	if (e->owned_prev)
		e->owned_prev->owned_next = e->owned_next;
	else
		owner->owned = e->owned_next;
	if (e->owned_next)
		e->owned_next->owned_prev = e->owned_prev;
	owner->owned_count--;
	owner->owned_bytes -= ds_entry_bytes(e);
	e->owner = 0;
}

endpoint_t ds_entry_owner_endpoint(const struct ds_entry *e)
{
	return e->owner ? (endpoint_t)e->owner->value : EP_NONE;
}

/* ---- subscriptions ---- */

static unsigned int ds_subscription_index(const struct ds_store *s, const struct ds_subscription *sub)
{
	return (unsigned int)(sub - s->subscriptions);
}

static bool ds_changed(const struct ds_entry *e, unsigned int i)
{
	return e->changed[i / 64] >> i % 64 & 1;
}

static void ds_changed_set(struct ds_store *s, struct ds_entry *e, unsigned int i)
{
	if (ds_changed(e, i))
		return;
	e->changed[i / 64] |= 1ull << i % 64;
	s->subscriptions[i].pending++;
}

static void ds_changed_clear(struct ds_store *s, struct ds_entry *e, unsigned int i)
{
	if (!ds_changed(e, i))
		return;
	e->changed[i / 64] &= ~(1ull << i % 64);
	s->subscriptions[i].pending--;
}

/* The whole key must match, also for an expression that closes our brackets itself ("a)|(b"). */
static bool ds_expression_matches(const regex_t *expression, const char *key)
{
	regmatch_t match;

	return regexec(expression, key, 1, &match, 0) == 0 && match.rm_so == 0 && key[match.rm_eo] == 0;
}

static bool ds_subscription_matches(const struct ds_subscription *sub, const struct ds_entry *e)
{
	if (!sub->owner || !(sub->types & e->type))
		return false;
	if ((e->flags & DSF_PRIV_SUBSCRIBE) && e->owner != sub->owner)
		return false;
	return ds_expression_matches(&sub->expression, e->key);
}

static void ds_subscriber_notify(struct ds_store *s, const struct ds_subscription *sub)
{
	s->notify((endpoint_t)sub->owner->value);
}

static void ds_entry_changed(struct ds_store *s, struct ds_entry *e)
{
	for (unsigned int i = 0; i < DS_SUBSCRIPTIONS_MAX; i++) {
		if (!ds_subscription_matches(&s->subscriptions[i], e))
			continue;
		ds_changed_set(s, e, i);
		ds_subscriber_notify(s, &s->subscriptions[i]);
	}
}

static void ds_entry_vanishes(struct ds_store *s, struct ds_entry *e)
{
	for (unsigned int i = 0; i < DS_SUBSCRIPTIONS_MAX; i++) {
		ds_changed_clear(s, e, i);
		if (ds_subscription_matches(&s->subscriptions[i], e))
			ds_subscriber_notify(s, &s->subscriptions[i]);
	}
}

static void ds_subscription_free(struct ds_store *s, struct ds_subscription *sub)
{
	unsigned int index = ds_subscription_index(s, sub);

	for (struct ds_entry *e = s->first; e; e = e->next)
		ds_changed_clear(s, e, index);
	regfree(&sub->expression);
	sub->owner->subscription = 0;
	memset(sub, 0, sizeof(*sub));
}

static struct ds_subscription *ds_subscription_alloc(struct ds_store *s)
{
	for (unsigned int i = 0; i < DS_SUBSCRIPTIONS_MAX; i++)
		if (!s->subscriptions[i].owner)
			return &s->subscriptions[i];
	return 0;
}

static err_t ds_expression_compile(const char *regex, regex_t *expression)
{
	char anchored[DS_KEY_LEN + 8];
	int r;

	if (strlen(regex) == 0 || strlen(regex) >= DS_KEY_LEN)
		return -EINVAL;
	snprintf(anchored, sizeof(anchored), "^(%s)$", regex);
	r = regcomp(expression, anchored, REG_EXTENDED);
	return r == 0 ? 0 : r == REG_ESPACE ? -ENOMEM : -EINVAL;
}

static void ds_subscription_replay(struct ds_store *s, struct ds_subscription *sub)
{
	unsigned int index = ds_subscription_index(s, sub);

	for (struct ds_entry *e = s->first; e; e = e->next)
		if (ds_subscription_matches(sub, e))
			ds_changed_set(s, e, index);
	if (sub->pending)
		ds_subscriber_notify(s, sub);
}

err_t ds_store_subscribe(struct ds_store *s, struct ds_entry *owner, const char *regex, uint32_t flags)
{
	struct ds_subscription *sub;
	regex_t expression;
	err_t r;

	if (!owner)
		return -EPERM;
	if (owner->subscription && !(flags & DSF_OVERWRITE))
		return -EEXIST;
	r = ds_expression_compile(regex, &expression);
	if (r != 0)
		return r;
	if (owner->subscription)
		ds_subscription_free(s, owner->subscription);
	sub = ds_subscription_alloc(s);
	if (!sub) {
		regfree(&expression);
		return -EAGAIN;
	}
	sub->owner = owner;
	sub->expression = expression;
	sub->types = flags & DSF_TYPE_MASK ? flags & DSF_TYPE_MASK : DSF_TYPE_MASK;
	snprintf(sub->text, sizeof(sub->text), "%s", regex);
	owner->subscription = sub;
	if (flags & DSF_INITIAL)
		ds_subscription_replay(s, sub);
	return 0;
}

err_t ds_store_check(struct ds_store *s, struct ds_entry *owner, const struct ds_entry **out)
{
	unsigned int index;

	if (!owner || !owner->subscription)
		return -EPERM;
	if (!owner->subscription->pending)
		return -ENOENT;
	index = ds_subscription_index(s, owner->subscription);
	for (struct ds_entry *e = s->first; e; e = e->next) {
		if (!ds_changed(e, index))
			continue;
		ds_changed_clear(s, e, index);
		*out = e;
		return 0;
	}
	return -ENOENT;
}

/* ---- entries ---- */

static struct ds_entry *ds_entry_create(struct ds_store *s, const char *key, uint32_t type)
{
	struct ds_entry *e = calloc(1, sizeof(*e));
	struct ds_entry **b;

	if (!e)
		return 0;
	if (s->count >= s->nr_buckets)
		ds_buckets_grow(s);
	snprintf(e->key, sizeof(e->key), "%s", key);
	e->type = type;
	b = ds_bucket(s, key, type);
	e->next_in_bucket = *b;
	*b = e;
	e->prev = s->last;
	*(s->last ? &s->last->next : &s->first) = e;
	s->last = e;
	s->count++;
	return e;
}

static void ds_entry_destroy(struct ds_store *s, struct ds_entry *e)
{
	struct ds_entry **b = ds_bucket(s, e->key, e->type);

	ds_entry_vanishes(s, e);
	ds_owner_unlink(e);
	while (*b != e)
		b = &(*b)->next_in_bucket;
	*b = e->next_in_bucket;
	*(e->prev ? &e->prev->next : &s->first) = e->next;
	*(e->next ? &e->next->prev : &s->last) = e->prev;
	s->count--;
	free(e->data);
	free(e);
}

/* A label goes with all that its owner published (itself last, also when it is its own owner). */
static void ds_label_destroy(struct ds_store *s, struct ds_entry *label)
{
	if (label->subscription)
		ds_subscription_free(s, label->subscription);
	while (label->owned) {
		struct ds_entry *e = label->owned;

		if (e->type == DSF_TYPE_LABEL)
			ds_owner_unlink(e);
		else
			ds_entry_destroy(s, e);
	}
	ds_endpoint_unlink(s, label);
	ds_entry_destroy(s, label);
}

static bool ds_type_is_single(uint32_t type)
{
	return type == DSF_TYPE_U64 || type == DSF_TYPE_STR || type == DSF_TYPE_MEM || type == DSF_TYPE_LABEL;
}

static bool ds_key_is_valid(const char *key)
{
	size_t n = strlen(key);

	return n >= 1 && n < DS_KEY_LEN;
}

/* ---- publish ---- */

static err_t ds_overwrite_check(const struct ds_entry *e, const struct ds_entry *owner, uint32_t flags)
{
	if (!e)
		return 0;
	if (!(flags & DSF_OVERWRITE))
		return -EEXIST;
	return (e->flags & DSF_PRIV_OVERWRITE) && e->owner != owner ? -EPERM : 0;
}

static err_t ds_quota_check(const struct ds_entry *owner, const struct ds_entry *old, uint32_t type, uint64_t len)
{
	uint64_t bytes = type == DSF_TYPE_STR || type == DSF_TYPE_MEM ? len : 0;
	bool own = old && old->owner == owner;

	if (owner->owned_count - own >= DS_OWNER_ENTRIES_MAX)
		return -ENOMEM;
	return owner->owned_bytes - (own ? ds_entry_bytes(old) : 0) + bytes > DS_OWNER_BYTES_MAX ? -ENOMEM : 0;
}

err_t ds_store_publish_check(const struct ds_store *s, const struct ds_entry *owner, const char *key, uint32_t flags,
	uint64_t value)
{
	uint32_t type = flags & DSF_TYPE_MASK;
	const struct ds_entry *old;
	err_t r;

	if (!owner)
		return -EPERM;
	if (!ds_key_is_valid(key) || !ds_type_is_single(type) || type == DSF_TYPE_LABEL)
		return -EINVAL;
	if (type != DSF_TYPE_U64 && (value > DS_VALUE_MAX || (type == DSF_TYPE_STR && value == 0)))
		return -EINVAL;
	old = ds_store_find(s, key, type);
	r = ds_overwrite_check(old, owner, flags);
	return r ? r : ds_quota_check(owner, old, type, value);
}

err_t ds_store_publish(struct ds_store *s, struct ds_entry *owner, const char *key, uint32_t flags, uint64_t value, void *data)
{
	uint32_t type = flags & DSF_TYPE_MASK;
	err_t r = ds_store_publish_check(s, owner, key, flags, value);
	struct ds_entry *e;

	if (r != 0)
		return r;
	if (type != DSF_TYPE_U64 && !data)
		return -EINVAL;
	e = ds_store_find(s, key, type);
	if (!e)
		e = ds_entry_create(s, key, type);
	if (!e)
		return -ENOMEM;
	ds_owner_unlink(e);
	free(e->data);
	e->data = type == DSF_TYPE_U64 ? 0 : data;
	if (type == DSF_TYPE_STR)
		e->data[value - 1] = 0;
	e->value = value;
	e->flags = flags & (DSF_PRIV_RETRIEVE | DSF_PRIV_OVERWRITE | DSF_PRIV_SUBSCRIBE);
	ds_owner_link(owner, e);
	ds_entry_changed(s, e);
	return 0;
}

err_t ds_store_publish_label(struct ds_store *s, struct ds_entry *owner, const char *label, endpoint_t ep, uint32_t flags)
{
	struct ds_entry *e, *other;

	if (!ds_key_is_valid(label) || strlen(label) >= LABEL_LEN)
		return -EINVAL;
	e = ds_store_find(s, label, DSF_TYPE_LABEL);
	other = ds_store_label_of(s, ep);
	if ((e || other) && !(flags & DSF_OVERWRITE))
		return -EEXIST;
	if (!e) {
		e = ds_entry_create(s, label, DSF_TYPE_LABEL);
		if (!e)
			return -ENOMEM;
		ds_endpoint_link(s, e, EP_NONE);
		ds_owner_link(owner, e);
	}
	/* One label for each endpoint: the new name replaces the old one and all that was published under it. */
	if (other && other != e)
		ds_label_destroy(s, other);
	ds_endpoint_unlink(s, e);
	ds_endpoint_link(s, e, ep);
	e->flags = flags & DSF_PRIV_SUBSCRIBE;
	ds_entry_changed(s, e);
	return 0;
}

/* ---- retrieve, delete ---- */

err_t ds_store_retrieve(const struct ds_store *s, const struct ds_entry *owner, const char *key, uint32_t type,
	const struct ds_entry **out)
{
	const struct ds_entry *e;

	if (!ds_key_is_valid(key) || !ds_type_is_single(type))
		return -EINVAL;
	e = ds_store_find(s, key, type);
	if (!e)
		return -ESRCH;
	if ((e->flags & DSF_PRIV_RETRIEVE) && e->owner != owner)
		return -EPERM;
	*out = e;
	return 0;
}

err_t ds_store_delete(struct ds_store *s, struct ds_entry *owner, const char *key, uint32_t type)
{
	struct ds_entry *e;

	if (!owner)
		return -EPERM;
	if (!ds_key_is_valid(key) || !ds_type_is_single(type))
		return -EINVAL;
	e = ds_store_find(s, key, type);
	if (!e)
		return -ESRCH;
	if (e->owner != owner)
		return -EPERM;
	if (type == DSF_TYPE_LABEL)
		ds_label_destroy(s, e);
	else
		ds_entry_destroy(s, e);
	return 0;
}

/* ---- the whole ---- */

err_t ds_store_init(struct ds_store *s, void (*notify)(endpoint_t subscriber))
{
	memset(s, 0, sizeof(*s));
	s->notify = notify;
	s->nr_buckets = DS_BUCKETS_FIRST;
	s->buckets = calloc(s->nr_buckets, sizeof(*s->buckets));
	return s->buckets ? 0 : -ENOMEM;
}

static void ds_notify_nobody(endpoint_t subscriber)
{
	(void)subscriber;
}

void ds_store_fini(struct ds_store *s)
{
	s->notify = ds_notify_nobody;
	for (unsigned int i = 0; i < DS_SUBSCRIPTIONS_MAX; i++)
		if (s->subscriptions[i].owner)
			ds_subscription_free(s, &s->subscriptions[i]);
	while (s->first) {
		struct ds_entry *e = s->first;

		s->first = e->next;
		free(e->data);
		free(e);
	}
	free(s->buckets);
}

const char *ds_type_name(uint32_t type)
{
	switch (type) {
	case DSF_TYPE_U64: return "u64";
	case DSF_TYPE_STR: return "str";
	case DSF_TYPE_MEM: return "mem";
	case DSF_TYPE_LABEL: return "label";
	default: return "?";
	}
}

int ds_entry_format(const struct ds_entry *e, char *p, size_t len)
{
	const char *owner = e->owner ? e->owner->key : "-", *type = ds_type_name(e->type);

	if (e->flags & DSF_PRIV_RETRIEVE)
		return snprintf(p, len, "%s\t%s\t%s\t(private)\n", e->key, type, owner);
	switch (e->type) {
	case DSF_TYPE_U64: return snprintf(p, len, "%s\t%s\t%s\t%" PRIu64 "\n", e->key, type, owner, e->value);
	case DSF_TYPE_STR: return snprintf(p, len, "%s\t%s\t%s\t%.128s\n", e->key, type, owner, (char *)e->data);
	case DSF_TYPE_MEM: return snprintf(p, len, "%s\t%s\t%s\t%" PRIu64 " bytes\n", e->key, type, owner, e->value);
	default: return snprintf(p, len, "%s\t%s\t%s\t%d\n", e->key, type, owner, (int)e->value);
	}
}
