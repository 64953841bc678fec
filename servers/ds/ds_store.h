/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store itself: entries, their owners, subscriptions. No messages, no kernel: the host's unit tests link this file as it is.
 *
 * An owner is a label entry. What a service publishes hangs on its label, not on its endpoint, and so outlives its restarts; when
 * RS deletes the label, all of it goes. All functions return 0 or a negative error and change nothing when they fail.
 */
#pragma once
#include <abi/limits.h>
#include <proto/ds.h>
#include <regex.h>
#include <stdbool.h>

enum {
	DS_SUBSCRIPTIONS_MAX = NR_SYS_PROCS,	/* one bit each in every entry */
	DS_OWNER_ENTRIES_MAX = 1024,		/* published by one label */
	DS_OWNER_BYTES_MAX = 16 << 20,		/* values of one label */
};

struct ds_entry {
	struct ds_entry *next_in_bucket;	/* hash chain by key and type */
	struct ds_entry *prev, *next;		/* all entries, oldest first: the order of ds_store_check() */
	struct ds_entry *owner;			/* label entry of the publisher; 0 for a label nobody owns (rs itself) */
	struct ds_entry *owned_prev, *owned_next;	/* entries of the same owner */
	uint32_t type, flags;			/* one of DSF_TYPE_*; DSF_PRIV_* */
	uint64_t value;				/* U64: number; LABEL: endpoint; STR, MEM: length of data */
	uint8_t *data;				/* STR, MEM */
	uint64_t changed[DS_SUBSCRIPTIONS_MAX / 64];	/* subscriptions that have not yet seen the present value */
	/* Labels only: */
	struct ds_entry *next_endpoint;		/* hash chain by endpoint */
	struct ds_entry *owned;			/* first entry of this owner */
	struct ds_subscription *subscription;
	uint64_t owned_count, owned_bytes;
	char key[DS_KEY_LEN];
};

struct ds_subscription {
	struct ds_entry *owner;			/* 0 = slot free */
	regex_t expression;
	char text[DS_KEY_LEN];
	uint32_t types;				/* DSF_TYPE_* */
	uint64_t pending;			/* changed entries not yet checked */
};

enum { DS_ENDPOINT_BUCKETS = 64 };

struct ds_store {
	struct ds_entry **buckets;
	uint32_t nr_buckets;			/* power of two; grows with the entries */
	uint32_t count;
	struct ds_entry *first, *last;
	struct ds_entry *by_endpoint[DS_ENDPOINT_BUCKETS];
	struct ds_subscription subscriptions[DS_SUBSCRIPTIONS_MAX];
	void (*notify)(endpoint_t subscriber);	/* something changed for this service */
};

err_t ds_store_init(struct ds_store *s, void (*notify)(endpoint_t subscriber));
void ds_store_fini(struct ds_store *s);

/* Label of a live service, or 0. */
struct ds_entry *ds_store_label_of(const struct ds_store *s, endpoint_t ep);
struct ds_entry *ds_store_find(const struct ds_store *s, const char *key, uint32_t type);

/* `owner` below is the caller's label entry, 0 if it has none. */

/* data (STR, MEM): malloc'd, `value` bytes; belongs to the store after success. U64: value. EPERM, EEXIST, EINVAL, ENOMEM. */
err_t ds_store_publish(struct ds_store *s, struct ds_entry *owner, const char *key, uint32_t flags, uint64_t value, void *data);
/* May `owner` do that at all? The same answer before the data is fetched. */
err_t ds_store_publish_check(const struct ds_store *s, const struct ds_entry *owner, const char *key, uint32_t flags,
	uint64_t value);
/* A label for an endpoint; only RS may (the message layer knows who that is). owner 0: the label of RS itself. */
err_t ds_store_publish_label(struct ds_store *s, struct ds_entry *owner, const char *label, endpoint_t ep, uint32_t flags);
err_t ds_store_retrieve(const struct ds_store *s, const struct ds_entry *owner, const char *key, uint32_t type,
	const struct ds_entry **out);
err_t ds_store_delete(struct ds_store *s, struct ds_entry *owner, const char *key, uint32_t type);
err_t ds_store_subscribe(struct ds_store *s, struct ds_entry *owner, const char *regex, uint32_t flags);
/* The oldest entry that changed for this owner's subscription; it counts as seen now. EPERM, ENOENT. */
err_t ds_store_check(struct ds_store *s, struct ds_entry *owner, const struct ds_entry **out);

/* One line of text about an entry, as snprintf. */
int ds_entry_format(const struct ds_entry *e, char *p, size_t len);
const char *ds_type_name(uint32_t type);
endpoint_t ds_entry_owner_endpoint(const struct ds_entry *e);	/* EP_NONE if nobody */
