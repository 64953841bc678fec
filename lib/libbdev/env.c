/* SPDX-License-Identifier: BSD-2-Clause */
/* libbdev's world in a service: libsef, DS, the clock. */
#include "bdev_private.h"
#include <errno.h>
#include <libsef/ds.h>
#include <libsef/sef.h>
#include <libsys/grant.h>
#include <stdio.h>
#include <string.h>

static struct bdev_hooks hooks;

static const char blk[] = "drv.blk.", failed[] = "drv.failed.";

static void env_send(endpoint_t dst, const struct message *m)
{
	sef_send(dst, m, IPC_NOREPLY);
}

static void env_set_alarm(nstime_t deadline)
{
	if (hooks.set_alarm)
		hooks.set_alarm(deadline);
	else
		sys_setalarm(deadline, 0);
}

/* Anybody may publish anything: only what a driver says of itself and what RS says of drivers counts. */
static bool key_is_genuine(const char *key, endpoint_t owner)
{
	char label[LABEL_LEN];

	if (strncmp(key, failed, sizeof(failed) - 1) == 0)
		return owner == EP_RS;
	return owner == EP_NONE || (ds_retrieve_label_name(label, owner) == 0 && strcmp(label, key + sizeof(blk) - 1) == 0);
}

static bool key_is_ours(const char *key, uint32_t type)
{
	return type == DSF_TYPE_U64 && (!strncmp(key, blk, sizeof(blk) - 1) || !strncmp(key, failed, sizeof(failed) - 1));
}

static bool env_next_key(char *key, endpoint_t *owner)
{
	uint32_t type;

	while (ds_check(key, &type, owner) == 0) {
		if (!key_is_ours(key, type)) {
			if (hooks.on_key)
				hooks.on_key(key, type, *owner);
		} else if (key_is_genuine(key, *owner)) {
			return true;
		} else {
			log_warn("%s was published by %d, which is not the one to say so", key, *owner);
		}
	}
	return false;
}

static bool env_has_failed(const char *label)
{
	char key[DS_KEY_LEN];
	uint64_t value;

	snprintf(key, sizeof(key), "%s%s", failed, label);
	return ds_retrieve_u64(key, &value) == 0;
}

static bool env_is_gone(const char *label)
{
	char key[DS_KEY_LEN];
	uint64_t value;

	snprintf(key, sizeof(key), "%s%s", blk, label);
	return ds_retrieve_u64(key, &value) == -ESRCH;
}

static void env_revoke(grant_t g) { grant_revoke(g); }

static const struct bdev_env env = {
	.now = sys_uptime, .send = env_send, .set_alarm = env_set_alarm, .next_key = env_next_key, .has_failed = env_has_failed,
	.is_gone = env_is_gone, .grant = grant_direct, .regrant = grant_reuse_direct, .revoke = env_revoke,
};

/* All block drivers, whoever opens them when: a later subscription for one more would tell old news again as if it were new. */
err_t bdev_startup(const struct bdev_hooks *h)
{
	char regex[DS_KEY_LEN];
	int n;

	if (h)
		hooks = *h;
	bdev_core_init(&env);
	n = snprintf(regex, sizeof(regex), "drv\\.(blk|failed)\\..*%s%s", hooks.other_keys ? "|" : "",
		hooks.other_keys ? hooks.other_keys : "");
	if (n >= (int)sizeof(regex))
		return -EINVAL;
	return ds_subscribe(regex, DSF_INITIAL | DSF_OVERWRITE);
}

bool bdev_notify(endpoint_t source)
{
	if (source != EP_DS)
		return false;
	bdev_core_keys();
	return true;
}

bool bdev_message(const struct message *m, uint32_t status)
{
	if (!ipc_is_notify(status))
		return bdev_core_message(m);
	if (m->source == EP_CLOCK && !hooks.set_alarm) {
		bdev_alarm(MSG_BODY(const struct notify_body, m)->when);
		return true;
	}
	return bdev_notify(m->source);
}
