/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Credentials. Immutable once a task has them and shared by reference: a fork counts one up, a change makes a new one. The rules of the
 * calls are pure functions from old to new, so that a refused call has changed nothing. Capabilities follow the effective user id:
 * 0 has all.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CRED_GROUPS_MAX = 65536, CRED_GROUPS_INLINE = 32 };

struct cred {
	uint32_t refs;
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
	uint32_t nr_groups;
	uint32_t *groups;		/* few or allocated */
	uint32_t few[CRED_GROUPS_INLINE];
};

static inline bool cred_is_root(const struct cred *c) { return c->euid == 0; }

/* Each takes a copy of the old and edits it: 0, -EPERM or -EINVAL with *c untouched. id -1: unchanged, where Linux has that. */
int cred_rule_setuid(struct cred *c, uint32_t uid);
int cred_rule_setgid(struct cred *c, uint32_t gid);
int cred_rule_setreuid(struct cred *c, uint32_t ruid, uint32_t euid);
int cred_rule_setregid(struct cred *c, uint32_t rgid, uint32_t egid);
int cred_rule_setresuid(struct cred *c, uint32_t ruid, uint32_t euid, uint32_t suid);
int cred_rule_setresgid(struct cred *c, uint32_t rgid, uint32_t egid, uint32_t sgid);
void cred_rule_setfsuid(struct cred *c, uint32_t uid);
void cred_rule_setfsgid(struct cred *c, uint32_t gid);
/* exec of a file with set-id bits: ids as VFS found them. True if anything changed. */
bool cred_rule_exec(struct cred *c, uint32_t euid, uint32_t egid);

/* May the sender signal the target (SIGCONT in one session is the caller's business)? */
bool cred_may_kill(const struct cred *sender, const struct cred *target);
/* May it change another's limits, priority and affinity? */
bool cred_may_limit(const struct cred *who, const struct cred *target);
bool cred_may_schedule(const struct cred *who, const struct cred *target);
