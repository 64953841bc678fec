/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of credentials: see cred.h. Pure, tested on the host. */
#include "cred.h"

#include <errno.h>

static const uint32_t KEEP = (uint32_t)-1;

int cred_rule_setuid(struct cred *c, uint32_t uid)
{
	if (uid == KEEP)
		return -EINVAL;
	if (cred_is_root(c))
		c->uid = c->suid = uid;
	else if (uid != c->uid && uid != c->suid)
		return -EPERM;
	c->euid = c->fsuid = uid;
	return 0;
}

int cred_rule_setgid(struct cred *c, uint32_t gid)
{
	if (gid == KEEP)
		return -EINVAL;
	if (cred_is_root(c))
		c->gid = c->sgid = gid;
	else if (gid != c->gid && gid != c->sgid)
		return -EPERM;
	c->egid = c->fsgid = gid;
	return 0;
}

int cred_rule_setreuid(struct cred *c, uint32_t ruid, uint32_t euid)
{
	uint32_t old = c->uid;

	if (!cred_is_root(c)) {
		if (ruid != KEEP && ruid != c->uid && ruid != c->euid)
			return -EPERM;
		if (euid != KEEP && euid != c->uid && euid != c->euid && euid != c->suid)
			return -EPERM;
	}
	if (ruid != KEEP)
		c->uid = ruid;
	if (euid != KEEP)
		c->euid = euid;
	if (ruid != KEEP || (euid != KEEP && euid != old))
		c->suid = c->euid;
	c->fsuid = c->euid;
	return 0;
}

int cred_rule_setregid(struct cred *c, uint32_t rgid, uint32_t egid)
{
	uint32_t old = c->gid;

	if (!cred_is_root(c)) {
		if (rgid != KEEP && rgid != c->gid && rgid != c->egid)
			return -EPERM;
		if (egid != KEEP && egid != c->gid && egid != c->egid && egid != c->sgid)
			return -EPERM;
	}
	if (rgid != KEEP)
		c->gid = rgid;
	if (egid != KEEP)
		c->egid = egid;
	if (rgid != KEEP || (egid != KEEP && egid != old))
		c->sgid = c->egid;
	c->fsgid = c->egid;
	return 0;
}

static bool id_is_one_of(uint32_t id, uint32_t a, uint32_t b, uint32_t c)
{
	return id == KEEP || id == a || id == b || id == c;
}

int cred_rule_setresuid(struct cred *c, uint32_t ruid, uint32_t euid, uint32_t suid)
{
	if (!cred_is_root(c) && !(id_is_one_of(ruid, c->uid, c->euid, c->suid) && id_is_one_of(euid, c->uid, c->euid, c->suid)
	    && id_is_one_of(suid, c->uid, c->euid, c->suid)))
		return -EPERM;
	if (ruid != KEEP)
		c->uid = ruid;
	if (euid != KEEP)
		c->euid = euid;
	if (suid != KEEP)
		c->suid = suid;
	c->fsuid = c->euid;
	return 0;
}

int cred_rule_setresgid(struct cred *c, uint32_t rgid, uint32_t egid, uint32_t sgid)
{
	if (!cred_is_root(c) && !(id_is_one_of(rgid, c->gid, c->egid, c->sgid) && id_is_one_of(egid, c->gid, c->egid, c->sgid)
	    && id_is_one_of(sgid, c->gid, c->egid, c->sgid)))
		return -EPERM;
	if (rgid != KEEP)
		c->gid = rgid;
	if (egid != KEEP)
		c->egid = egid;
	if (sgid != KEEP)
		c->sgid = sgid;
	c->fsgid = c->egid;
	return 0;
}

void cred_rule_setfsuid(struct cred *c, uint32_t uid)
{
	if (uid != KEEP && (cred_is_root(c) || uid == c->uid || uid == c->euid || uid == c->suid || uid == c->fsuid))
		c->fsuid = uid;
}

void cred_rule_setfsgid(struct cred *c, uint32_t gid)
{
	if (gid != KEEP && (cred_is_root(c) || gid == c->gid || gid == c->egid || gid == c->sgid || gid == c->fsgid))
		c->fsgid = gid;
}

bool cred_rule_exec(struct cred *c, uint32_t euid, uint32_t egid)
{
	bool changed = euid != c->euid || egid != c->egid || c->suid != euid || c->sgid != egid || c->fsuid != euid
		|| c->fsgid != egid;

	c->euid = c->suid = c->fsuid = euid;
	c->egid = c->sgid = c->fsgid = egid;
	return changed;
}

bool cred_may_kill(const struct cred *s, const struct cred *t)
{
	return cred_is_root(s) || s->euid == t->suid || s->euid == t->uid || s->uid == t->suid || s->uid == t->uid;
}

bool cred_may_limit(const struct cred *w, const struct cred *t)
{
	return cred_is_root(w) || (w->uid == t->euid && w->uid == t->suid && w->uid == t->uid && w->gid == t->egid
		&& w->gid == t->sgid && w->gid == t->gid);
}

bool cred_may_schedule(const struct cred *w, const struct cred *t)
{
	return cred_is_root(w) || w->euid == t->uid || w->euid == t->euid;
}
