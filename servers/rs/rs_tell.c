/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * News about services for DS (labels), VFS (device majors) and PM (pids): asynchronous messages, which none of them can hold us up
 * with. DS answers in order; until then its grant on the label stays. NOREPLY, because the receiver may at this moment wait
 * for our answer to something else.
 */
#include "rs.h"
#include <libsys/grant.h>
#include <proto/ds.h>
#include <stdio.h>

enum { TELL_MAX = 256 };

static struct {
	struct tell { grant_t grant; char key[DS_KEY_LEN]; } waiting[TELL_MAX];	/* ring of requests DS has not answered */
	uint32_t first, count;
} tell;

static void rs_ds_send(uint32_t type, const char *key, uint64_t value, uint32_t flags)
{
	struct message m;
	struct ds_req *req = MSG_BODY(struct ds_req, &m);
	struct tell *t = &tell.waiting[(tell.first + tell.count) % TELL_MAX];

	if (tell.count == TELL_MAX) {
		log_warn("DS does not answer, %s is not told to it", key);
		return;
	}
	snprintf(t->key, sizeof(t->key), "%s", key);
	t->grant = grant_direct(EP_DS, t->key, strlen(t->key), GRANT_READ);
	tell.count++;
	memset(&m, 0, sizeof(m));
	m.type = type;
	req->key_grant = t->grant;
	req->key_len = (uint32_t)strlen(t->key);
	req->value_grant = GRANT_INVALID;
	req->flags = flags;
	req->value = value;
	sef_send(EP_DS, &m, IPC_NOREPLY);
}

void rs_ds_answered(const struct message *m)
{
	const struct ds_rep *rep = MSG_BODY(const struct ds_rep, m);
	struct tell *t = &tell.waiting[tell.first];

	if (m->source != EP_DS || tell.count == 0)
		return;
	if (rep->result != 0)
		log_warn("DS refuses %s: %s", t->key, err_text((int)rep->result));
	grant_revoke(t->grant);
	tell.first = (tell.first + 1) % TELL_MAX;
	tell.count--;
}

static void rs_tell_majors(const struct rs_slot *s, endpoint_t ep)
{
	struct message m;
	struct vfs_mapdriver_req *req = MSG_BODY(struct vfs_mapdriver_req, &m);

	for (int i = 0; i < RS_NR_MAJORS; i++) {
		if (s->pub->majors[i] < 0)
			continue;
		memset(&m, 0, sizeof(m));
		m.type = VFS_MAPDRIVER;
		req->major = s->pub->majors[i];
		req->ep = ep;
		memcpy(req->label, s->pub->label, sizeof(req->label));
		sef_send(EP_VFS, &m, IPC_NOREPLY);
	}
}

void rs_tell_process(const struct rs_pub *pub, endpoint_t ep, bool started)
{
	struct message m;
	struct pm_service_req *req = MSG_BODY(struct pm_service_req, &m);

	memset(&m, 0, sizeof(m));
	m.type = PM_SERVICE;
	req->ep = ep;
	req->started = started;
	req->uid = pub->uid;
	memcpy(req->name, pub->name, sizeof(req->name));
	sef_send(EP_PM, &m, IPC_NOREPLY);
}

/* Before the new instance may run, so that nobody meets it before its name. */
void rs_tell_up(struct rs_slot *s)
{
	s->published = true;
	if (!(s->pub->flags & RS_PUB_BOOT) || s->ever_ran)
		rs_ds_send(DS_PUBLISH, s->pub->label, (uint64_t)(int64_t)s->pub->endpoint, DSF_TYPE_LABEL | DSF_OVERWRITE);
	rs_tell_majors(s, s->pub->endpoint);
	rs_tell_process(s->pub, s->pub->endpoint, true);
	sef_flush();
}

void rs_tell_down(struct rs_slot *s, bool majors)
{
	if (!s->published)
		return;
	s->published = false;
	rs_ds_send(DS_DELETE, s->pub->label, 0, DSF_TYPE_LABEL);
	if (majors)
		rs_tell_majors(s, EP_NONE);
}

/* drv.failed.LABEL: nobody need wait for it any more. */
void rs_tell_failed(struct rs_slot *s, bool failed)
{
	char key[DS_KEY_LEN];

	if (s->failure_told == failed)
		return;
	s->failure_told = failed;
	snprintf(key, sizeof(key), "drv.failed.%s", s->pub->label);
	rs_ds_send(failed ? DS_PUBLISH : DS_DELETE, key, failed, DSF_TYPE_U64 | (failed ? DSF_OVERWRITE : 0));
}
