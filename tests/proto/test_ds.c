/* SPDX-License-Identifier: BSD-2-Clause */
/* The data store as a client sees it: every request, its results, its errors, and malformed messages. */
#include "service_check.h"
#include <libsef/ds.h>
#include <libsys/grant.h>

static char long_key[DS_KEY_LEN + 10];

static void numbers(void)
{
	uint64_t value = 0;

	CHECK_EQ(ds_publish_u64("t.number", 42, 0), 0);
	CHECK_EQ(ds_retrieve_u64("t.number", &value), 0);
	CHECK_EQ(value, 42);
	CHECK_EQ(ds_publish_u64("t.number", 43, 0), -EEXIST);
	CHECK_EQ(ds_publish_u64("t.number", ~0ull, DSF_OVERWRITE), 0);
	CHECK_EQ(ds_retrieve_u64("t.number", &value), 0);
	CHECK_EQ(value, ~0ull);
	CHECK_EQ(ds_delete_u64("t.number"), 0);
	CHECK_EQ(ds_delete_u64("t.number"), -ESRCH);
	CHECK_EQ(ds_retrieve_u64("t.number", &value), -ESRCH);
}

static void strings_and_memory(void)
{
	char text[32];
	size_t len = sizeof(text);

	CHECK_EQ(ds_publish_str("t.key", "some text", 0), 0);
	CHECK_EQ(ds_publish_mem("t.key", "\0\1\2\3", 4, 0), 0); /* the same key once for each type */
	CHECK_EQ(ds_retrieve_str("t.key", text, sizeof(text) - 1), 0);
	CHECK(strcmp(text, "some text") == 0);
	CHECK_EQ(ds_retrieve_str("t.key", text, 4), 0);
	CHECK(strcmp(text, "some") == 0);
	CHECK_EQ(ds_retrieve_mem("t.key", text, &len), 0);
	CHECK(len == 4 && memcmp(text, "\0\1\2\3", 4) == 0);
	len = 2;
	text[2] = 'x';
	CHECK_EQ(ds_retrieve_mem("t.key", text, &len), 0);
	CHECK(len == 4 && text[2] == 'x');
	CHECK_EQ(ds_retrieve_u64("t.key", &(uint64_t){ 0 }), -ESRCH);
	CHECK_EQ(ds_delete_str("t.key"), 0);
	CHECK_EQ(ds_delete_mem("t.key"), 0);
}

static void labels_belong_to_rs(void)
{
	endpoint_t ep = 0;
	char name[LABEL_LEN];

	CHECK_EQ(ds_publish_label("t.label", sef_self(), 0), -EPERM);
	CHECK(ds_delete_label("pm") < 0);
	CHECK_EQ(ds_retrieve_label_endpt("pm", &ep), 0);
	CHECK_EQ(ep, EP_PM);
	CHECK_EQ(ds_retrieve_label_endpt("ds", &ep), 0);
	CHECK_EQ(ep, EP_DS);
	CHECK_EQ(ds_retrieve_label_endpt("nobody", &ep), -ESRCH);
	CHECK_EQ(ds_retrieve_label_name(name, EP_PM), 0);
	CHECK(strcmp(name, "pm") == 0);
	CHECK_EQ(ds_retrieve_label_name(name, sef_self()), 0);
	CHECK_EQ(ds_retrieve_label_endpt(name, &ep), 0);
	CHECK_EQ(ep, sef_self());
	for EACH_DEAD_ENDPOINT(e)
		CHECK_EQ(ds_retrieve_label_name(name, *e), -ESRCH);
}

static void keys_have_bounds(void)
{
	memset(long_key, 'k', sizeof(long_key) - 1);
	CHECK_EQ(ds_publish_u64(long_key, 1, 0), -EINVAL);
	CHECK_EQ(ds_publish_u64("", 1, 0), -EINVAL);
	long_key[DS_KEY_LEN - 1] = 0; /* 79 bytes: the longest there is */
	CHECK_EQ(ds_publish_u64(long_key, 1, 0), 0);
	CHECK_EQ(ds_delete_u64(long_key), 0);
	CHECK(ds_publish_mem("t.big", 0, DS_VALUE_MAX + 1, 0) < 0);
}

/* What is private to its owner concerns others; the owner itself is not hindered. */
static void owner_reads_what_is_private(void)
{
	uint64_t value = 0;

	CHECK_EQ(ds_publish_u64("t.private", 7, DSF_PRIV_RETRIEVE | DSF_PRIV_OVERWRITE | DSF_PRIV_SUBSCRIBE), 0);
	CHECK_EQ(ds_retrieve_u64("t.private", &value), 0);
	CHECK_EQ(value, 7);
	CHECK_EQ(ds_publish_u64("t.private", 8, DSF_OVERWRITE), 0);
	CHECK_EQ(ds_delete_u64("t.private"), 0);
}

static int changes_pending(char *key)
{
	uint32_t type;
	int n = 0;

	while (ds_check(key, &type, 0) == 0)
		n++;
	return n;
}

static void subscriptions(void)
{
	char key[DS_KEY_LEN];
	uint32_t type = 0;
	endpoint_t owner = 0;

	CHECK(ds_check(key, &type, &owner) < 0);
	CHECK_EQ(ds_subscribe("t.sub[", 0), -EINVAL);
	CHECK_EQ(ds_subscribe("t\\.sub\\..*", 0), 0);
	CHECK_EQ(ds_subscribe("t\\.sub\\..*", 0), -EEXIST);
	CHECK_EQ(ds_check(key, &type, &owner), -ENOENT);
	CHECK_EQ(ds_publish_u64("t.sub.a", 1, 0), 0);
	CHECK_EQ(ds_publish_u64("txsub.a", 1, 0), 0);
	CHECK_EQ(ds_publish_u64("at.sub.a", 1, 0), 0); /* the expression matches whole keys */
	CHECK_EQ(ds_check(key, &type, &owner), 0);
	CHECK(strcmp(key, "t.sub.a") == 0);
	CHECK_EQ(type, DSF_TYPE_U64);
	CHECK_EQ(owner, sef_self());
	CHECK_EQ(ds_check(key, &type, &owner), -ENOENT);
	CHECK_EQ(ds_subscribe("t\\.sub\\..*", DSF_OVERWRITE | DSF_INITIAL), 0);
	CHECK_EQ(changes_pending(key), 1);
	CHECK_EQ(ds_subscribe("t\\.sub\\..*", DSF_OVERWRITE | DSF_TYPE_STR), 0);
	CHECK_EQ(ds_publish_u64("t.sub.b", 1, 0), 0);
	CHECK_EQ(ds_publish_str("t.sub.b", "text", 0), 0);
	CHECK_EQ(changes_pending(key), 1);
	CHECK_EQ(ds_delete_u64("t.sub.a"), 0);
	CHECK_EQ(ds_delete_u64("t.sub.b"), 0);
	CHECK_EQ(ds_delete_str("t.sub.b"), 0);
	CHECK_EQ(ds_delete_u64("txsub.a"), 0);
	CHECK_EQ(ds_delete_u64("at.sub.a"), 0);
	CHECK_EQ(changes_pending(key), 0);
}

/* Random bodies with every number of DS's range: an answer each time, and DS lives. */
static void malformed_messages(void)
{
	uint64_t seed = 12345;

	for (int i = 0; i < 2000; i++) {
		struct message m = { .type = MSG_DS + 2 * (i % 32) };

		for (int w = 0; w < MSG_WORDS; w++)
			m.w[w] = (seed = seed * 6364136223846793005ull + 1442695040888963407ull) >> (i % 60);
		CHECK_EQ(ipc_sendrec(EP_DS, &m), 0);
	}
	CHECK_EQ(ds_retrieve_u64("t.never", &(uint64_t){ 0 }), -ESRCH);
}

static err_t run(const struct sef_init_info *info)
{
	(void)info;
	RUN(numbers);
	RUN(strings_and_memory);
	RUN(labels_belong_to_rs);
	RUN(keys_have_bounds);
	RUN(owner_reads_what_is_private);
	RUN(subscriptions);
	RUN(malformed_messages);
	return check_end();
}

int main(void)
{
	check_service(run);
}
