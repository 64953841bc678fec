/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of the set*id calls, as Linux has them. */
#include <cred.h>
#include <errno.h>
#include <expect.h>

static struct cred user(unsigned r, unsigned e, unsigned s)
{
	return (struct cred){ .uid = r, .euid = e, .suid = s, .fsuid = e, .gid = r, .egid = e, .sgid = s, .fsgid = e };
}

#define EXPECT_UIDS(c, r, e, s) (EXPECT_EQ((c).uid, r), EXPECT_EQ((c).euid, e), EXPECT_EQ((c).suid, s), EXPECT_EQ((c).fsuid, e))

static void setuid_of_root_is_for_ever(void)
{
	struct cred c = user(0, 0, 0);

	EXPECT_EQ(cred_rule_setuid(&c, 1000), 0);
	EXPECT_UIDS(c, 1000, 1000, 1000);
	EXPECT_EQ(cred_rule_setuid(&c, 0), -EPERM);
	EXPECT_EQ(cred_rule_setuid(&c, (uint32_t)-1), -EINVAL);
}

static void setuid_of_others_moves_the_effective_id(void)
{
	struct cred c = user(1000, 2000, 2000);

	EXPECT_EQ(cred_rule_setuid(&c, 1000), 0);
	EXPECT_UIDS(c, 1000, 1000, 2000);
	EXPECT_EQ(cred_rule_setuid(&c, 2000), 0);
	EXPECT_UIDS(c, 1000, 2000, 2000);
}

static void setreuid_saves_the_new_effective_id(void)
{
	struct cred c = user(1000, 2000, 2000);

	EXPECT_EQ(cred_rule_setreuid(&c, 2000, 1000), 0);
	EXPECT_UIDS(c, 2000, 1000, 1000);
	EXPECT_EQ(cred_rule_setreuid(&c, 3000, (uint32_t)-1), -EPERM);
	c = user(1000, 1000, 2000);
	EXPECT_EQ(cred_rule_setreuid(&c, (uint32_t)-1, 2000), 0);
	EXPECT_UIDS(c, 1000, 2000, 2000);
}

static void setresuid_takes_any_of_three(void)
{
	struct cred c = user(1, 2, 3);

	EXPECT_EQ(cred_rule_setresuid(&c, 3, 1, 2), 0);
	EXPECT_UIDS(c, 3, 1, 2);
	EXPECT_EQ(cred_rule_setresuid(&c, 4, 1, 2), -EPERM);
	EXPECT_UIDS(c, 3, 1, 2);
	EXPECT_EQ(cred_rule_setresgid(&c, 3, 1, 2), 0);
	EXPECT_EQ(cred_rule_setresgid(&c, (uint32_t)-1, (uint32_t)-1, 9), -EPERM);
}

static void group_rules_follow_the_effective_user(void)
{
	struct cred c = user(0, 0, 0);

	EXPECT_EQ(cred_rule_setgid(&c, 50), 0);
	EXPECT_EQ(c.sgid, 50);
	EXPECT_EQ(cred_rule_setregid(&c, 60, 70), 0);
	EXPECT_EQ(c.fsgid, 70);
	c.euid = 5;
	EXPECT_EQ(cred_rule_setgid(&c, 0), -EPERM);
	EXPECT_EQ(cred_rule_setregid(&c, 1, 1), -EPERM);
}

static void fsuid_changes_silently_or_not_at_all(void)
{
	struct cred c = user(1, 2, 3);

	cred_rule_setfsuid(&c, 9);
	EXPECT_EQ(c.fsuid, 2);
	cred_rule_setfsuid(&c, 3);
	EXPECT_EQ(c.fsuid, 3);
	cred_rule_setfsgid(&c, 1);
	EXPECT_EQ(c.fsgid, 1);
}

static void exec_saves_the_effective_ids(void)
{
	struct cred c = user(1, 1, 1);

	EXPECT(!cred_rule_exec(&c, 1, 1));
	EXPECT(cred_rule_exec(&c, 0, 1));
	EXPECT_UIDS(c, 1, 0, 0);
}

static void who_may_signal_whom(void)
{
	struct cred root = user(0, 0, 0), a = user(1, 1, 1), b = user(2, 2, 2), set_id = user(1, 0, 0);

	EXPECT(cred_may_kill(&root, &b));
	EXPECT(!cred_may_kill(&a, &b));
	EXPECT(cred_may_kill(&a, &set_id));
	EXPECT(!cred_may_kill(&a, &root));
	EXPECT(!cred_may_limit(&a, &set_id));
	EXPECT(cred_may_limit(&a, &a));
	EXPECT(cred_may_schedule(&a, &set_id));
	EXPECT(!cred_may_schedule(&a, &b));
}

int main(void)
{
	setuid_of_root_is_for_ever();
	setuid_of_others_moves_the_effective_id();
	setreuid_saves_the_new_effective_id();
	setresuid_takes_any_of_three();
	group_rules_follow_the_effective_user();
	fsuid_changes_silently_or_not_at_all();
	exec_saves_the_effective_ids();
	who_may_signal_whom();
	return expect_end();
}
