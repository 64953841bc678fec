/* SPDX-License-Identifier: BSD-2-Clause */
/* User and group ids: the rules of each set*id call for root and for a user, supplementary groups, and their effect. */
#include "check.h"
#include <grp.h>

/* The C libraries change all threads by signals; the raw calls change the one thread there is. */
static long set3(long nr, long a, long b, long c)
{
	return syscall(nr, a, b, c);
}

#define UIDS(r, e, s)                                                          \
	({                                                                     \
		uid_t r_, e_, s_;                                              \
		CHECK_EQ(getresuid(&r_, &e_, &s_), 0);                         \
		CHECK_EQ(r_, r), CHECK_EQ(e_, e), CHECK_EQ(s_, s);             \
		CHECK_EQ(getuid(), r), CHECK_EQ(geteuid(), e);                 \
	})
#define GIDS(r, e, s)                                                          \
	({                                                                     \
		gid_t r_, e_, s_;                                              \
		CHECK_EQ(getresgid(&r_, &e_, &s_), 0);                         \
		CHECK_EQ(r_, r), CHECK_EQ(e_, e), CHECK_EQ(s_, s);             \
		CHECK_EQ(getgid(), r), CHECK_EQ(getegid(), e);                 \
	})

static void root_sets_all(void)
{
	UIDS(0, 0, 0);
	CHECK_EQ(set3(SYS_setgid, 50, 0, 0), 0);
	GIDS(50, 50, 50);
	CHECK_EQ(set3(SYS_setuid, 100, 0, 0), 0);
	UIDS(100, 100, 100);
	CHECK_ERR(set3(SYS_setuid, 0, 0, 0), EPERM);
	CHECK_ERR(set3(SYS_setgid, 0, 0, 0), EPERM);
	CHECK_EQ(set3(SYS_setuid, 100, 0, 0), 0);
}

static void setresuid_rules(void)
{
	CHECK_EQ(set3(SYS_setresuid, 1, 2, 3), 0);
	UIDS(1, 2, 3);
	CHECK_EQ(set3(SYS_setresuid, -1, 3, -1), 0); /* any of the three may take any of the three */
	UIDS(1, 3, 3);
	CHECK_ERR(set3(SYS_setresuid, 2, -1, -1), EPERM); /* 2 is gone */
	CHECK_EQ(set3(SYS_setresuid, 3, 1, 1), 0);
	UIDS(3, 1, 1);
	CHECK_EQ(set3(SYS_setresuid, -1, -1, -1), 0);
	UIDS(3, 1, 1);
	CHECK_ERR(set3(SYS_setresuid, 0, 0, 0), EPERM);
	UIDS(3, 1, 1); /* a refused call changes nothing */
}

static void setresgid_rules(void)
{
	CHECK_EQ(set3(SYS_setresgid, 1, 2, 3), 0);
	CHECK_EQ(set3(SYS_setresuid, 9, 9, 9), 0);
	GIDS(1, 2, 3);
	CHECK_EQ(set3(SYS_setresgid, -1, 1, -1), 0);
	GIDS(1, 1, 3);
	CHECK_ERR(set3(SYS_setresgid, -1, 2, -1), EPERM);
	CHECK_EQ(set3(SYS_setgid, 3, 0, 0), 0); /* without privilege: the effective id only */
	GIDS(1, 3, 3);
	CHECK_ERR(set3(SYS_setgid, 77, 0, 0), EPERM);
}

static void setreuid_rules(void)
{
	CHECK_EQ(set3(SYS_setreuid, 10, 20, 0), 0);
	UIDS(10, 20, 20); /* the saved id follows when the real one is set */
	CHECK_EQ(set3(SYS_setreuid, 20, 10, 0), 0); /* the old swap */
	UIDS(20, 10, 10);
	CHECK_EQ(set3(SYS_setreuid, -1, 20, 0), 0);
	UIDS(20, 20, 10); /* effective equals real: saved stays */
	CHECK_ERR(set3(SYS_setreuid, 10, -1, 0), EPERM); /* real may not take saved */
	CHECK_EQ(set3(SYS_setreuid, -1, 10, 0), 0); /* effective may */
	CHECK_ERR(set3(SYS_setreuid, 5, 5, 0), EPERM);
}

static void setregid_rules(void)
{
	CHECK_EQ(set3(SYS_setregid, 10, 20, 0), 0);
	GIDS(10, 20, 20);
	CHECK_EQ(set3(SYS_setresuid, 9, 9, 9), 0);
	CHECK_EQ(set3(SYS_setregid, 20, 10, 0), 0);
	GIDS(20, 10, 10);
	CHECK_ERR(set3(SYS_setregid, 5, -1, 0), EPERM);
}

static void root_drops_and_returns(void)
{
	CHECK_EQ(set3(SYS_setresuid, -1, 100, -1), 0); /* as a daemon does */
	UIDS(0, 100, 0);
	file_put("by100", "");
	struct stat st;
	CHECK_EQ(stat("by100", &st), 0);
	CHECK_EQ(st.st_uid, 100);
	CHECK_ERR(chown("by100", 0, 0), EPERM);
	CHECK_ERR(set3(SYS_setresuid, 55, 55, 55), EPERM);
	CHECK_EQ(set3(SYS_setuid, 0, 0, 0), 0); /* saved id 0 allows it; unprivileged: only effective changes */
	UIDS(0, 0, 0);
	CHECK_EQ(unlink("by100"), 0);
}

static void setuid_of_a_user(void)
{
	CHECK_EQ(set3(SYS_setresuid, 1, 2, 3), 0);
	CHECK_EQ(set3(SYS_setuid, 3, 0, 0), 0);
	UIDS(1, 3, 3);
	CHECK_EQ(set3(SYS_setuid, 1, 0, 0), 0);
	UIDS(1, 1, 3);
	CHECK_ERR(set3(SYS_setuid, 2, 0, 0), EPERM);
	CHECK_ERR(set3(SYS_setuid, -1, 0, 0), EINVAL);
}

static void supplementary_groups(void)
{
	gid_t many[40], got[40];
	for (gid_t i = 0; i < 40; i++)
		many[i] = 1000 + i;
	CHECK_EQ(syscall(SYS_setgroups, 0, NULL), 0);
	CHECK_EQ(getgroups(0, NULL), 0);
	CHECK_EQ(syscall(SYS_setgroups, 40, many), 0);
	CHECK_EQ(getgroups(0, NULL), 40);
	CHECK_EQ(getgroups(40, got), 40);
	CHECK(memcmp(many, got, sizeof got) == 0);
	CHECK_ERR(getgroups(39, got), EINVAL);
	CHECK_ERR(syscall(SYS_getgroups, -1, got), EINVAL);
	CHECK_ERR(syscall(SYS_getgroups, 40, bad_unmapped()), EFAULT);
	CHECK_ERR(syscall(SYS_getgroups, 40, bad_readonly()), EFAULT);
	CHECK_ERR(syscall(SYS_setgroups, 2, bad_unmapped()), EFAULT);
	CHECK_ERR(syscall(SYS_setgroups, 65537, many), EINVAL);
	CHECK_ERR(syscall(SYS_setgroups, -1, many), EINVAL);
	IN_CHILD
	{
		CHECK_EQ(getgroups(40, got), 40); /* inherited */
		CHECK_EQ(set3(SYS_setuid, 5, 0, 0), 0);
		CHECK_EQ(getgroups(40, got), 40);
		CHECK_ERR(syscall(SYS_setgroups, 0, NULL), EPERM);
	}
}

static void groups_decide_about_access(void)
{
	gid_t one = 4242;
	file_put("g", "text");
	NEED(chown("g", 0, 4242) == 0);
	NEED(chmod("g", 0040) == 0);
	NEED(chmod(".", 0755) == 0);
	IN_CHILD
	{
		become_user(1000);
		CHECK_ERR(open("g", O_RDONLY), EACCES);
	}
	IN_CHILD
	{
		NEED(syscall(SYS_setgroups, 1, &one) == 0);
		NEED(set3(SYS_setuid, 1000, 0, 0) == 0);
		CHECK_OK(open("g", O_RDONLY));
		CHECK_ERR(open("g", O_WRONLY), EACCES);
	}
	IN_CHILD
	{
		NEED(set3(SYS_setresgid, 4242, 4242, 4242) == 0);
		NEED(set3(SYS_setuid, 1000, 0, 0) == 0);
		CHECK_OK(open("g", O_RDONLY));
	}
	unlink("g");
}

static void fs_ids(void)
{
	NEED(chmod(".", 0777) == 0);
	CHECK_EQ(set3(SYS_setfsuid, 500, 0, 0), 0); /* answers the old one */
	CHECK_EQ(set3(SYS_setfsuid, -1, 0, 0), 500);
	CHECK_EQ(set3(SYS_setfsgid, 600, 0, 0), 0);
	file_put("fs", "");
	struct stat st;
	CHECK_EQ(stat("fs", &st), 0);
	CHECK_EQ(st.st_uid, 500);
	CHECK_EQ(st.st_gid, 600);
	CHECK_EQ(geteuid(), 0);
	CHECK_EQ(set3(SYS_setresuid, -1, 0, -1), 0); /* the fs id follows the effective id */
	CHECK_EQ(set3(SYS_setfsuid, -1, 0, 0), 0);
	unlink("fs");
}

static void bad_pointers(void)
{
	uid_t u;
	for (int i = 0; i < 3; i++) {
		void *p[3] = { &u, &u, &u };
		p[i] = bad_unmapped();
		CHECK_ERR(set3(SYS_getresuid, (long)p[0], (long)p[1], (long)p[2]), EFAULT);
		CHECK_ERR(set3(SYS_getresgid, (long)p[0], (long)p[1], (long)p[2]), EFAULT);
		p[i] = bad_readonly();
		CHECK_ERR(set3(SYS_getresuid, (long)p[0], (long)p[1], (long)p[2]), EFAULT);
	}
}

static void ids_across_fork_exec(void)
{
	CHECK_EQ(set3(SYS_setresgid, 7, 8, 9), 0);
	CHECK_EQ(set3(SYS_setresuid, 4, 5, 6), 0);
	IN_CHILD
	{
		UIDS(4, 5, 6);
		GIDS(7, 8, 9);
	}
}

int main(void)
{
	RUN(root_sets_all);
	RUN(setresuid_rules);
	RUN(setresgid_rules);
	RUN(setreuid_rules);
	RUN(setregid_rules);
	NEED(chmod(".", 0777) == 0);
	RUN(root_drops_and_returns);
	RUN(setuid_of_a_user);
	RUN(supplementary_groups);
	RUN(groups_decide_about_access);
	RUN(fs_ids);
	RUN(bad_pointers);
	RUN(ids_across_fork_exec);
	return check_end();
}
