/* SPDX-License-Identifier: BSD-2-Clause */
/* The system calls about credentials: the rules are in cred.c. A change is told to VFS, which checks file permissions. */
#include "calls.h"
#include "pm.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The task gets the credentials `c` (owned by it from here on). */
static void cred_commit(struct task *t, struct cred *c)
{
	bool ids_changed = c->uid != t->cred->uid || c->euid != t->cred->euid || c->gid != t->cred->gid || c->egid != t->cred->egid;

	cred_put(t->cred);
	t->cred = c;
	if (ids_changed)
		task_set_answers(t);
	peer_vfs_setcred(t);
}

/* Commit if the rule allowed it, else forget the copy. */
static int64_t cred_finish(struct task *t, struct cred *c, int result)
{
	if (result == 0)
		cred_commit(t, c);
	else
		cred_put(c);
	return result;
}

#define CRED_CALL(name, ...) \
int64_t call_##name(struct task *t, const uint64_t a[6]) \
{ \
	struct cred *c = cred_copy(t->cred); \
	return c ? cred_finish(t, c, cred_rule_##name(c, __VA_ARGS__)) : -ENOMEM; \
}

CRED_CALL(setuid, (uint32_t)a[0])
CRED_CALL(setgid, (uint32_t)a[0])
CRED_CALL(setreuid, (uint32_t)a[0], (uint32_t)a[1])
CRED_CALL(setregid, (uint32_t)a[0], (uint32_t)a[1])
CRED_CALL(setresuid, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2])
CRED_CALL(setresgid, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2])

/* These two cannot fail: they return the id that was in force. */
int64_t call_setfsuid(struct task *t, const uint64_t a[6])
{
	uint32_t old = t->cred->fsuid;
	struct cred *c = cred_copy(t->cred);

	if (!c)
		return old;
	cred_rule_setfsuid(c, (uint32_t)a[0]);
	cred_finish(t, c, c->fsuid == old ? -EPERM : 0);
	return old;
}

int64_t call_setfsgid(struct task *t, const uint64_t a[6])
{
	uint32_t old = t->cred->fsgid;
	struct cred *c = cred_copy(t->cred);

	if (!c)
		return old;
	cred_rule_setfsgid(c, (uint32_t)a[0]);
	cred_finish(t, c, c->fsgid == old ? -EPERM : 0);
	return old;
}

static int64_t ids_store(struct task *t, const uint64_t a[6], uint32_t r, uint32_t e, uint32_t s)
{
	if (user_write(t, a[0], &r, sizeof r) || user_write(t, a[1], &e, sizeof e) || user_write(t, a[2], &s, sizeof s))
		return -EFAULT;
	return 0;
}

int64_t call_getresuid(struct task *t, const uint64_t a[6])
{
	return ids_store(t, a, t->cred->uid, t->cred->euid, t->cred->suid);
}

int64_t call_getresgid(struct task *t, const uint64_t a[6])
{
	return ids_store(t, a, t->cred->gid, t->cred->egid, t->cred->sgid);
}

int64_t call_getgroups(struct task *t, const uint64_t a[6])
{
	const struct cred *c = t->cred;
	int32_t room = (int32_t)a[0];

	if (room < 0)
		return -EINVAL;
	if (room == 0)
		return c->nr_groups;
	if ((uint32_t)room < c->nr_groups)
		return -EINVAL;
	if (c->nr_groups && user_write(t, a[1], c->groups, c->nr_groups * sizeof *c->groups) != 0)
		return -EFAULT;
	return c->nr_groups;
}

static int group_compare(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

/* Copies of credentials share nothing: the new list replaces the copy's own. */
static err_t groups_read(struct task *t, struct cred *c, vaddr_t addr, uint32_t n)
{
	uint32_t *list = n <= CRED_GROUPS_INLINE ? c->few : malloc(n * sizeof *list);

	if (!list)
		return -ENOMEM;
	if (n && user_read(t, addr, list, n * sizeof *list) != 0) {
		if (list != c->few)
			free(list);
		return -EFAULT;
	}
	if (c->groups != c->few)
		free(c->groups);
	qsort(list, n, sizeof *list, group_compare);
	c->groups = list;
	c->nr_groups = n;
	return 0;
}

int64_t call_setgroups(struct task *t, const uint64_t a[6])
{
	if (!cred_is_root(t->cred))
		return -EPERM;
	if (a[0] > CRED_GROUPS_MAX)
		return -EINVAL;
	struct cred *c = cred_copy(t->cred);
	return c ? cred_finish(t, c, groups_read(t, c, a[1], (uint32_t)a[0])) : -ENOMEM;
}

/* ---- capabilities: euid 0 has them all, others none ---- */

enum { CAP_VERSION_1 = 0x19980330, CAP_VERSION_2 = 0x20071026, CAP_VERSION_3 = 0x20080522, CAP_LAST = 40 };
struct cap_header { uint32_t version; int32_t pid; };
struct cap_data { uint32_t effective, permitted, inheritable; };

static int cap_words(uint32_t version)
{
	return version == CAP_VERSION_1 ? 1 : version == CAP_VERSION_2 || version == CAP_VERSION_3 ? 2 : 0;
}

static err_t cap_header_read(struct task *t, vaddr_t addr, struct cap_header *h)
{
	uint32_t version = CAP_VERSION_3;

	if (user_read(t, addr, h, sizeof *h) != 0)
		return -EFAULT;
	if (cap_words(h->version))
		return 0;
	return user_write(t, addr, &version, sizeof version) ? -EFAULT : -EINVAL;
}

int64_t call_capget(struct task *t, const uint64_t a[6])
{
	struct cap_data data[2];
	struct cap_header h;
	err_t r = cap_header_read(t, a[0], &h);

	if (r != 0)
		return a[1] || r != -EINVAL ? r : 0;
	if (h.pid < 0)
		return -EINVAL;
	struct task *other = h.pid ? task_of_tid(h.pid) : t;
	if (!other || !other->cred)
		return -ESRCH;
	uint64_t all = cred_is_root(other->cred) ? (1ull << (CAP_LAST + 1)) - 1 : 0;
	for (int i = 0; i < 2; i++)
		data[i] = (struct cap_data){ (uint32_t)(all >> 32 * i), (uint32_t)(all >> 32 * i), 0 };
	return a[1] ? user_write(t, a[1], data, (size_t)cap_words(h.version) * sizeof data[0]) : 0;
}

int64_t call_capset(struct task *t, const uint64_t a[6])
{
	struct cap_data data[2] = { { 0 } };
	struct cap_header h;
	err_t r = cap_header_read(t, a[0], &h);

	if (r != 0)
		return r;
	if (h.pid && h.pid != t->tid)
		return -EPERM;
	if (user_read(t, a[1], data, (size_t)cap_words(h.version) * sizeof data[0]) != 0)
		return -EFAULT;
	for (int i = 0; i < cap_words(h.version); i++) {
		if (data[i].effective & ~data[i].permitted)
			return -EPERM;
		if (!cred_is_root(t->cred) && data[i].permitted)
			return -EPERM;
	}
	return 0;
}
