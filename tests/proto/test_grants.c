/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants: what a copy through one may and may not do. Granter and grantee are this one service, which the kernel treats as any two. */
#include "service_check.h"
#include <libsys/grant.h>

static char from[10000], to[10000];

static void fill(void)
{
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (char)(i * 7);
	memset(to, 0, sizeof(to));
}

static void copy_in_both_directions(void)
{
	grant_t g = grant_direct(EP_ANY, from, sizeof(from), GRANT_READ | GRANT_WRITE);

	fill();
	CHECK_EQ(sys_safecopyfrom(sef_self(), g, 0, to, sizeof(to)), 0);
	CHECK(memcmp(from, to, sizeof(to)) == 0);
	memset(to, 'x', 100);
	CHECK_EQ(sys_safecopyto(sef_self(), g, 5000, to, 100), 0);
	CHECK(memcmp(from + 5000, to, 100) == 0 && from[5100] == (char)(5100 * 7));
	CHECK_EQ(sys_safememset(sef_self(), g, 9000, 'z', 1000), 0);
	CHECK(from[8999] == (char)(8999 * 7) && from[9000] == 'z' && from[9999] == 'z');
	CHECK_EQ(grant_revoke(g), 0);
}

static void access_is_a_subset(void)
{
	grant_t g = grant_direct(EP_ANY, from, 100, GRANT_READ);

	CHECK_EQ(sys_safecopyto(sef_self(), g, 0, to, 10), -EPERM);
	CHECK_EQ(sys_safememset(sef_self(), g, 0, 0, 10), -EPERM);
	grant_revoke(g);
	g = grant_direct(EP_ANY, from, 100, GRANT_WRITE);
	CHECK_EQ(sys_safecopyfrom(sef_self(), g, 0, to, 10), -EPERM);
	grant_revoke(g);
}

static void range_does_not_wrap(void)
{
	grant_t g = grant_direct(EP_ANY, from, 100, GRANT_READ);

	CHECK_EQ(sys_safecopyfrom(sef_self(), g, 0, to, 100), 0);
	CHECK_EQ(sys_safecopyfrom(sef_self(), g, 1, to, 100), -EPERM);
	CHECK_EQ(sys_safecopyfrom(sef_self(), g, 101, to, 0), -EPERM);
	CHECK_EQ(sys_safecopyfrom(sef_self(), g, ~0ull, to, 2), -EPERM);
	CHECK_EQ(sys_safecopyfrom(sef_self(), g, 2, to, ~0ull), -EPERM);
	grant_revoke(g);
}

static void only_the_grantee(void)
{
	grant_t g = grant_direct(EP_DS, from, 100, GRANT_READ);

	CHECK_EQ(sys_safecopyfrom(sef_self(), g, 0, to, 10), -EPERM);
	grant_revoke(g);
}

static void revoked_and_wrong_ids(void)
{
	grant_t g = grant_direct(EP_ANY, from, 100, GRANT_READ);

	grant_revoke(g);
	CHECK_EQ(sys_safecopyfrom(sef_self(), g, 0, to, 10), -EPERM);
	grant_t again = grant_direct(EP_ANY, from, 100, GRANT_READ);
	CHECK(again != g);
	CHECK_EQ(sys_safecopyfrom(sef_self(), g, 0, to, 10), -EPERM);
	CHECK_EQ(sys_safecopyfrom(sef_self(), again, 0, to, 10), 0);
	grant_revoke(again);
	CHECK_EQ(sys_safecopyfrom(sef_self(), GRANT_INVALID, 0, to, 10), -EINVAL);
	CHECK_EQ(sys_safecopyfrom(sef_self(), -12345, 0, to, 10), -EINVAL);
	CHECK_EQ(sys_safecopyfrom(sef_self(), grant_make(0, (1 << GRANT_INDEX_BITS) - 1), 0, to, 10), -EPERM);
	for EACH_DEAD_ENDPOINT(e)
		CHECK_EQ(sys_safecopyfrom(*e, again, 0, to, 10), -EDEADEPT);
	CHECK_EQ(grant_revoke(g), -EINVAL);
}

static void magic_needs_the_privilege(void)
{
	grant_t g = grant_magic(EP_ANY, EP_DS, 0x400000, 16, GRANT_READ);

	CHECK_EQ(sys_safecopyfrom(sef_self(), g, 0, to, 16), -EPERM);
	grant_revoke(g);
}

static void bad_memory_faults(void)
{
	for EACH_BAD_POINTER(p) {
		grant_t g = grant_direct(EP_ANY, (void *)(uintptr_t)*p, 64, GRANT_READ | GRANT_WRITE);

		CHECK_EQ(sys_safecopyfrom(sef_self(), g, 0, to, 64), -EFAULT);
		CHECK_EQ(sys_safecopyto(sef_self(), g, 0, from, 64), -EFAULT);
		grant_revoke(g);
		g = grant_direct(EP_ANY, from, 64, GRANT_READ | GRANT_WRITE);
		CHECK_EQ(sys_safecopyfrom(sef_self(), g, 0, (void *)(uintptr_t)*p, 64), -EFAULT);
		CHECK_EQ(sys_safecopyto(sef_self(), g, 0, (void *)(uintptr_t)*p, 64), -EFAULT);
		grant_revoke(g);
	}
}

static void vectors_stop_at_the_first_error(void)
{
	grant_t g = grant_direct(EP_ANY, from, 100, GRANT_READ);
	struct vsafecopy v[3] = {
		{ .src = sef_self(), .dst = EP_SELF, .grant = g, .addr = (uintptr_t)to, .len = 10 },
		{ .src = sef_self(), .dst = EP_SELF, .grant = g, .offset = 200, .addr = (uintptr_t)to, .len = 10 },
		{ .src = sef_self(), .dst = EP_SELF, .grant = g, .addr = (uintptr_t)to + 20, .len = 10 },
	};
	uint64_t done = 99;

	fill();
	CHECK_EQ(sys_vsafecopy(v, 3, &done), -EPERM);
	CHECK_EQ(done, 1);
	CHECK(memcmp(from, to, 10) == 0 && to[20] == 0);
	v[0].src = v[0].dst = EP_SELF;
	CHECK_EQ(sys_vsafecopy(v, 1, 0), -EINVAL);
	CHECK_EQ(sys_vsafecopy(v, VSAFECOPY_MAX + 1, 0), -EINVAL);
	CHECK_EQ(sys_vsafecopy(v, 0, &done), 0);
	for EACH_BAD_POINTER(p)
		CHECK_EQ(sys_vsafecopy((void *)(uintptr_t)*p, 1, 0), -EFAULT);
	grant_revoke(g);
}

/* A grant that passes on another: it ends after a bounded number of hops. */
static void indirect_grants_are_followed_and_bounded(void)
{
	enum { HOPS = 8 };
	grant_t chain[HOPS];

	fill();
	chain[0] = grant_direct(EP_ANY, from, 100, GRANT_READ);
	for (int i = 1; i < HOPS; i++)
		chain[i] = grant_indirect(EP_ANY, sef_self(), chain[i - 1]);
	CHECK_EQ(sys_safecopyfrom(sef_self(), chain[1], 0, to, 100), 0);
	CHECK(memcmp(from, to, 100) == 0);
	CHECK_EQ(sys_safecopyfrom(sef_self(), chain[GRANT_MAX_HOPS - 1], 0, to, 100), 0);
	CHECK_EQ(sys_safecopyfrom(sef_self(), chain[HOPS - 1], 0, to, 100), -ELOOP);
	grant_revoke(chain[0]);
	CHECK_EQ(sys_safecopyfrom(sef_self(), chain[1], 0, to, 100), -EPERM);
	for (int i = 1; i < HOPS; i++)
		grant_revoke(chain[i]);
}

static err_t run(const struct sef_init_info *info)
{
	(void)info;
	RUN(copy_in_both_directions);
	RUN(access_is_a_subset);
	RUN(range_does_not_wrap);
	RUN(only_the_grantee);
	RUN(revoked_and_wrong_ids);
	RUN(magic_needs_the_privilege);
	RUN(bad_memory_faults);
	RUN(vectors_stop_at_the_first_error);
	RUN(indirect_grants_are_followed_and_bounded);
	return check_end();
}

int main(void)
{
	check_service(run);
}
