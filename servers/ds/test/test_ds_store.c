/* SPDX-License-Identifier: BSD-2-Clause */
/* The data store without messages: every call, every error, and that nothing is left behind. */
#include "ds_store.h"
#include <abi/endpoint.h>
#include <errno.h>
#include <expect.h>
#include <stdlib.h>
#include <string.h>

static struct { endpoint_t last; int count; } notified;

static void notify(endpoint_t subscriber)
{
	notified.last = subscriber;
	notified.count++;
}

static struct fixture { struct ds_store store; struct ds_entry *rs, *a, *b; } f;

enum { EP_A = 101, EP_B = 102 };

static void set_up(void)
{
	memset(&notified, 0, sizeof(notified));
	EXPECT_EQ(ds_store_init(&f.store, notify), 0);
	EXPECT_EQ(ds_store_publish_label(&f.store, 0, "rs", EP_RS, 0), 0);
	f.rs = ds_store_label_of(&f.store, EP_RS);
	EXPECT_EQ(ds_store_publish_label(&f.store, f.rs, "a", EP_A, 0), 0);
	EXPECT_EQ(ds_store_publish_label(&f.store, f.rs, "b", EP_B, 0), 0);
	f.a = ds_store_label_of(&f.store, EP_A);
	f.b = ds_store_label_of(&f.store, EP_B);
}

static void tear_down(void)
{
	ds_store_fini(&f.store);
}

static err_t put_u64(struct ds_entry *owner, const char *key, uint64_t value, uint32_t flags)
{
	return ds_store_publish(&f.store, owner, key, DSF_TYPE_U64 | flags, value, 0);
}

static err_t put_bytes(struct ds_entry *owner, const char *key, uint32_t type, const void *p, size_t len, uint32_t flags)
{
	void *copy = malloc(len ? len : 1);
	err_t r;

	memcpy(copy, p, len);
	r = ds_store_publish(&f.store, owner, key, type | flags, len, copy);
	if (r != 0)
		free(copy);
	return r;
}

static void numbers_keep_all_64_bits(void)
{
	const struct ds_entry *e;

	EXPECT_EQ(put_u64(f.a, "n", 0xfedcba9876543210ull, 0), 0);
	EXPECT_EQ(ds_store_retrieve(&f.store, f.b, "n", DSF_TYPE_U64, &e), 0);
	EXPECT(e->value == 0xfedcba9876543210ull);
	EXPECT_EQ(ds_entry_owner_endpoint(e), EP_A);
}

static void a_key_exists_once_for_each_type(void)
{
	const struct ds_entry *e;

	EXPECT_EQ(put_u64(f.a, "k", 1, 0), 0);
	EXPECT_EQ(put_bytes(f.a, "k", DSF_TYPE_STR, "text", 5, 0), 0);
	EXPECT_EQ(put_bytes(f.a, "k", DSF_TYPE_MEM, "\0\1\2", 3, 0), 0);
	EXPECT_EQ(put_u64(f.a, "k", 2, 0), -EEXIST);
	EXPECT_EQ(ds_store_retrieve(&f.store, 0, "k", DSF_TYPE_STR, &e), 0);
	EXPECT(strcmp((char *)e->data, "text") == 0);
	EXPECT_EQ(ds_store_retrieve(&f.store, 0, "k", DSF_TYPE_MEM, &e), 0);
	EXPECT_EQ(e->value, 3);
}

static void strings_always_end(void)
{
	const struct ds_entry *e;

	EXPECT_EQ(put_bytes(f.a, "s", DSF_TYPE_STR, "abcd", 4, 0), 0);
	EXPECT_EQ(ds_store_retrieve(&f.store, f.a, "s", DSF_TYPE_STR, &e), 0);
	EXPECT_EQ(e->data[3], 0);
	EXPECT_EQ(put_bytes(f.a, "t", DSF_TYPE_STR, "", 0, 0), -EINVAL);
}

static void bad_arguments_are_refused(void)
{
	char long_key[DS_KEY_LEN + 1], longest[DS_KEY_LEN];

	memset(long_key, 'x', sizeof(long_key));
	long_key[DS_KEY_LEN] = 0;
	memset(longest, 'y', sizeof(longest));
	longest[DS_KEY_LEN - 1] = 0;
	EXPECT_EQ(put_u64(f.a, "", 1, 0), -EINVAL);
	EXPECT_EQ(put_u64(f.a, long_key, 1, 0), -EINVAL);
	EXPECT_EQ(put_u64(f.a, longest, 1, 0), 0);
	EXPECT_EQ(put_u64(0, "k", 1, 0), -EPERM);
	EXPECT_EQ(ds_store_publish(&f.store, f.a, "k", 0, 1, 0), -EINVAL);
	EXPECT_EQ(ds_store_publish(&f.store, f.a, "k", DSF_TYPE_U64 | DSF_TYPE_STR, 1, 0), -EINVAL);
	EXPECT_EQ(ds_store_publish(&f.store, f.a, "k", DSF_TYPE_LABEL, 1, 0), -EINVAL);
	EXPECT_EQ(ds_store_publish_check(&f.store, f.a, "k", DSF_TYPE_MEM, DS_VALUE_MAX + 1ull), -EINVAL);
	EXPECT_EQ(ds_store_publish_check(&f.store, f.a, "k", DSF_TYPE_MEM, 1ull << 33), -EINVAL);
}

static void retrieve_and_delete_check_rights(void)
{
	const struct ds_entry *e;

	EXPECT_EQ(put_u64(f.a, "secret", 7, DSF_PRIV_RETRIEVE), 0);
	EXPECT_EQ(ds_store_retrieve(&f.store, f.b, "secret", DSF_TYPE_U64, &e), -EPERM);
	EXPECT_EQ(ds_store_retrieve(&f.store, 0, "secret", DSF_TYPE_U64, &e), -EPERM);
	EXPECT_EQ(ds_store_retrieve(&f.store, f.a, "secret", DSF_TYPE_U64, &e), 0);
	EXPECT_EQ(ds_store_retrieve(&f.store, f.a, "secret", DSF_TYPE_STR, &e), -ESRCH);
	EXPECT_EQ(ds_store_retrieve(&f.store, f.a, "none", DSF_TYPE_U64, &e), -ESRCH);
	EXPECT_EQ(ds_store_retrieve(&f.store, f.a, "secret", 3, &e), -EINVAL);
	EXPECT_EQ(ds_store_delete(&f.store, f.b, "secret", DSF_TYPE_U64), -EPERM);
	EXPECT_EQ(ds_store_delete(&f.store, 0, "secret", DSF_TYPE_U64), -EPERM);
	EXPECT_EQ(ds_store_delete(&f.store, f.a, "secret", DSF_TYPE_U64), 0);
	EXPECT_EQ(ds_store_delete(&f.store, f.a, "secret", DSF_TYPE_U64), -ESRCH);
}

static void overwriting_changes_value_and_owner(void)
{
	const struct ds_entry *e;

	EXPECT_EQ(put_u64(f.a, "k", 1, 0), 0);
	EXPECT_EQ(put_u64(f.b, "k", 2, DSF_OVERWRITE), 0);
	EXPECT_EQ(ds_store_retrieve(&f.store, 0, "k", DSF_TYPE_U64, &e), 0);
	EXPECT_EQ(e->value, 2);
	EXPECT_EQ(ds_entry_owner_endpoint(e), EP_B);
	EXPECT_EQ(f.a->owned_count, 0);
	EXPECT_EQ(put_u64(f.b, "k", 3, DSF_OVERWRITE | DSF_PRIV_OVERWRITE), 0);
	EXPECT_EQ(put_u64(f.a, "k", 4, DSF_OVERWRITE), -EPERM);
	EXPECT_EQ(put_u64(f.b, "k", 5, DSF_OVERWRITE), 0);
}

static void changes_are_told_until_checked(void)
{
	const struct ds_entry *e;

	EXPECT_EQ(ds_store_check(&f.store, f.b, &e), -EPERM);
	EXPECT_EQ(ds_store_subscribe(&f.store, f.b, "drv\\.chr\\..*", DSF_TYPE_U64), 0);
	EXPECT_EQ(ds_store_check(&f.store, f.b, &e), -ENOENT);
	EXPECT_EQ(put_u64(f.a, "drv.chr.x", 1, 0), 0);
	EXPECT_EQ(put_u64(f.a, "drv.chr.y", 1, 0), 0);
	EXPECT_EQ(put_u64(f.a, "drvXchr.z", 1, 0), 0);
	EXPECT_EQ(put_bytes(f.a, "drv.chr.x", DSF_TYPE_STR, "s", 2, 0), 0);
	EXPECT_EQ(notified.count, 2);
	EXPECT_EQ(notified.last, EP_B);
	EXPECT_EQ(put_u64(f.a, "drv.chr.x", 1, DSF_OVERWRITE), 0);
	EXPECT_EQ(ds_store_check(&f.store, f.b, &e), 0);
	EXPECT(strcmp(e->key, "drv.chr.x") == 0);
	EXPECT_EQ(ds_store_check(&f.store, f.b, &e), 0);
	EXPECT(strcmp(e->key, "drv.chr.y") == 0);
	EXPECT_EQ(ds_store_check(&f.store, f.b, &e), -ENOENT);
}

static void expressions_match_whole_keys_only(void)
{
	const struct ds_entry *e;

	EXPECT_EQ(ds_store_subscribe(&f.store, f.b, "a)|(b", 0), 0);
	EXPECT_EQ(put_u64(f.a, "a", 1, 0), 0);
	EXPECT_EQ(put_u64(f.a, "ax", 1, 0), 0);
	EXPECT_EQ(put_u64(f.a, "xb", 1, 0), 0);
	EXPECT_EQ(ds_store_check(&f.store, f.b, &e), 0);
	EXPECT(strcmp(e->key, "a") == 0);
	EXPECT_EQ(ds_store_check(&f.store, f.b, &e), -ENOENT);
}

static void one_subscription_for_each_label(void)
{
	const struct ds_entry *e;

	EXPECT_EQ(ds_store_subscribe(&f.store, f.b, "x.*", 0), 0);
	EXPECT_EQ(ds_store_subscribe(&f.store, f.b, "y.*", 0), -EEXIST);
	EXPECT_EQ(ds_store_subscribe(&f.store, f.b, "y[", DSF_OVERWRITE), -EINVAL);
	EXPECT_EQ(ds_store_subscribe(&f.store, f.b, "", DSF_OVERWRITE), -EINVAL);
	EXPECT_EQ(ds_store_subscribe(&f.store, 0, "y", 0), -EPERM);
	EXPECT_EQ(put_u64(f.a, "x1", 1, 0), 0);
	EXPECT_EQ(put_u64(f.a, "y1", 1, 0), 0);
	EXPECT_EQ(ds_store_subscribe(&f.store, f.b, "y.*", DSF_OVERWRITE | DSF_INITIAL), 0);
	EXPECT_EQ(ds_store_check(&f.store, f.b, &e), 0);
	EXPECT(strcmp(e->key, "y1") == 0);
	EXPECT_EQ(ds_store_check(&f.store, f.b, &e), -ENOENT);
}

static void initial_replay_notifies_at_once(void)
{
	EXPECT_EQ(put_u64(f.a, "one", 1, 0), 0);
	EXPECT_EQ(ds_store_subscribe(&f.store, f.b, "one", DSF_INITIAL), 0);
	EXPECT_EQ(notified.count, 1);
	EXPECT_EQ(ds_store_subscribe(&f.store, f.b, "two", DSF_INITIAL | DSF_OVERWRITE), 0);
	EXPECT_EQ(notified.count, 1);
}

static void private_entries_tell_only_their_owner(void)
{
	const struct ds_entry *e;

	EXPECT_EQ(ds_store_subscribe(&f.store, f.b, ".*", DSF_TYPE_U64), 0);
	EXPECT_EQ(ds_store_subscribe(&f.store, f.a, ".*", DSF_TYPE_U64), 0);
	EXPECT_EQ(put_u64(f.a, "p", 1, DSF_PRIV_SUBSCRIBE), 0);
	EXPECT_EQ(ds_store_check(&f.store, f.b, &e), -ENOENT);
	EXPECT_EQ(ds_store_check(&f.store, f.a, &e), 0);
}

static void deletion_notifies_and_clears(void)
{
	const struct ds_entry *e;

	EXPECT_EQ(ds_store_subscribe(&f.store, f.b, "k", 0), 0);
	EXPECT_EQ(put_u64(f.a, "k", 1, 0), 0);
	EXPECT_EQ(ds_store_delete(&f.store, f.a, "k", DSF_TYPE_U64), 0);
	EXPECT_EQ(notified.count, 2);
	EXPECT_EQ(ds_store_check(&f.store, f.b, &e), -ENOENT);
}

static void a_label_goes_with_all_it_owns(void)
{
	const struct ds_entry *e;

	EXPECT_EQ(ds_store_subscribe(&f.store, f.a, ".*", 0), 0);
	EXPECT_EQ(ds_store_subscribe(&f.store, f.b, "k.*", 0), 0);
	EXPECT_EQ(put_u64(f.a, "k1", 1, 0), 0);
	EXPECT_EQ(put_bytes(f.a, "k2", DSF_TYPE_MEM, "abc", 3, 0), 0);
	EXPECT_EQ(ds_store_delete(&f.store, f.b, "a", DSF_TYPE_LABEL), -EPERM);
	EXPECT_EQ(ds_store_delete(&f.store, f.rs, "a", DSF_TYPE_LABEL), 0);
	EXPECT_EQ(notified.last, EP_B);
	EXPECT(!ds_store_label_of(&f.store, EP_A));
	EXPECT_EQ(ds_store_retrieve(&f.store, 0, "k1", DSF_TYPE_U64, &e), -ESRCH);
	EXPECT_EQ(ds_store_retrieve(&f.store, 0, "k2", DSF_TYPE_MEM, &e), -ESRCH);
	EXPECT_EQ(ds_store_check(&f.store, f.b, &e), -ENOENT);
	EXPECT_EQ(f.store.count, 2);
	EXPECT_EQ(ds_store_delete(&f.store, f.rs, "rs", DSF_TYPE_LABEL), -EPERM);
}

static void data_stays_when_a_label_gets_a_new_endpoint(void)
{
	const struct ds_entry *e;

	EXPECT_EQ(put_u64(f.a, "k", 1, 0), 0);
	EXPECT_EQ(ds_store_publish_label(&f.store, f.rs, "a", 999, 0), -EEXIST);
	EXPECT_EQ(ds_store_publish_label(&f.store, f.rs, "a", 999, DSF_OVERWRITE), 0);
	EXPECT(!ds_store_label_of(&f.store, EP_A));
	EXPECT(ds_store_label_of(&f.store, 999) == f.a);
	EXPECT_EQ(ds_store_retrieve(&f.store, 0, "k", DSF_TYPE_U64, &e), 0);
	EXPECT_EQ(ds_entry_owner_endpoint(e), 999);
}

static void labels_are_one_for_each_endpoint(void)
{
	const struct ds_entry *e;

	EXPECT_EQ(ds_store_publish_label(&f.store, f.rs, "c", EP_A, 0), -EEXIST);
	EXPECT_EQ(ds_store_publish_label(&f.store, f.rs, "c", EP_A, DSF_OVERWRITE), 0);
	EXPECT_EQ(ds_store_retrieve(&f.store, 0, "a", DSF_TYPE_LABEL, &e), -ESRCH);
	EXPECT_EQ(ds_store_publish_label(&f.store, f.rs, "kernel", EP_SYSTEM, 0), 0);
	EXPECT_EQ(ds_store_retrieve(&f.store, 0, "kernel", DSF_TYPE_LABEL, &e), 0);
	EXPECT_EQ((endpoint_t)e->value, EP_SYSTEM);
	EXPECT_EQ(ds_store_publish_label(&f.store, f.rs, "a-label-that-has-too-many-letters-in-it", 5000, 0), -EINVAL);
}

static void one_owner_cannot_fill_the_store(void)
{
	static uint8_t megabyte[DS_VALUE_MAX];
	char key[16];

	for (int i = 0; i < DS_OWNER_ENTRIES_MAX; i++) {
		snprintf(key, sizeof(key), "e%d", i);
		EXPECT_EQ(put_u64(f.a, key, (uint64_t)i, 0), 0);
	}
	EXPECT_EQ(put_u64(f.a, "more", 1, 0), -ENOMEM);
	EXPECT_EQ(put_u64(f.a, "e0", 1, DSF_OVERWRITE), 0);
	EXPECT_EQ(put_u64(f.b, "more", 1, 0), 0);
	for (int i = 0; i < DS_OWNER_BYTES_MAX / DS_VALUE_MAX; i++) {
		snprintf(key, sizeof(key), "m%d", i);
		EXPECT_EQ(put_bytes(f.b, key, DSF_TYPE_MEM, megabyte, sizeof(megabyte), 0), 0);
	}
	EXPECT_EQ(put_bytes(f.b, "one byte", DSF_TYPE_MEM, "x", 1, 0), -ENOMEM);
	EXPECT_EQ(put_bytes(f.b, "m0", DSF_TYPE_MEM, "x", 1, DSF_OVERWRITE), 0);
	EXPECT_EQ(put_bytes(f.b, "one byte", DSF_TYPE_MEM, "x", 1, 0), 0);
}

static void random_use_keeps_the_counts(void)
{
	unsigned int seed = 4711;

	EXPECT_EQ(ds_store_subscribe(&f.store, f.a, "r[0-4].*", DSF_TYPE_U64), 0);
	for (int i = 0; i < 20000; i++) {
		struct ds_entry *who = rand_r(&seed) % 2 ? f.a : f.b;
		const struct ds_entry *e;
		char key[8];

		snprintf(key, sizeof(key), "r%d", rand_r(&seed) % 50);
		if (rand_r(&seed) % 3)
			put_u64(who, key, 1, DSF_OVERWRITE);
		else
			ds_store_delete(&f.store, who, key, DSF_TYPE_U64);
		if (rand_r(&seed) % 7 == 0)
			ds_store_check(&f.store, f.a, &e);
	}
	EXPECT_EQ(f.a->owned_count + f.b->owned_count + 3, f.store.count);
}

static void (*const tests[])(void) = {
	numbers_keep_all_64_bits, a_key_exists_once_for_each_type, strings_always_end, bad_arguments_are_refused,
	retrieve_and_delete_check_rights, overwriting_changes_value_and_owner, changes_are_told_until_checked,
	expressions_match_whole_keys_only, one_subscription_for_each_label, initial_replay_notifies_at_once,
	private_entries_tell_only_their_owner, deletion_notifies_and_clears, a_label_goes_with_all_it_owns,
	data_stays_when_a_label_gets_a_new_endpoint, labels_are_one_for_each_endpoint, one_owner_cannot_fill_the_store,
	random_use_keeps_the_counts,
};

int main(void)
{
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		set_up();
		tests[i]();
		tear_down();
	}
	return expect_end();
}
