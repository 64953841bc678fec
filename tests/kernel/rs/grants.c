/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants, in the order of checks that abi/grant.h gives. The script grants, threads use. */
#include "ktest_rs.h"
#include <string.h>

static struct grant_entry table[16];
static uint8_t memory[3 * PAGE_BYTES], buffer[3 * PAGE_BYTES];

static struct grant_entry direct(endpoint_t to, uint32_t flags, uint64_t len)
{
	return (struct grant_entry){ .flags = GRANT_USED | GRANT_VALID | GRANT_DIRECT | flags, .seq = 3, .grantee = to,
				     .addr = (vaddr_t)memory, .len = len };
}

/* copy(grant, offset, len) in the name of the thread. */
static void copier(struct thread *t)
{
	struct message m;

	for (;;) {
		ipc_receive(EP_RS, &m, 0);
		if (m.type == MSG_TEST)
			m.w[0] = (uint64_t)(int64_t)sys_safecopyfrom((endpoint_t)m.w[4], (grant_t)m.w[0], m.w[1], buffer, m.w[2]);
		else if (m.type == MSG_TEST + 2)
			m.w[0] = (uint64_t)(int64_t)sys_safecopyto((endpoint_t)m.w[4], (grant_t)m.w[0], m.w[1], buffer, m.w[2]);
		else
			m.w[0] = (uint64_t)(int64_t)sys_safememset((endpoint_t)m.w[4], (grant_t)m.w[0], m.w[1], 0x5a, m.w[2]);
		ipc_send(EP_RS, &m);
	}
	(void)t;
}

enum { FROM = MSG_TEST, TO = MSG_TEST + 2, FILL = MSG_TEST + 4 };

static int64_t use(struct thread *t, uint32_t how, endpoint_t granter, grant_t g, uint64_t offset, uint64_t len)
{
	struct message m = { .type = how, .w = { (uint64_t)(int64_t)g, offset, len, 0, (uint64_t)(int64_t)granter } };

	return ipc_sendrec(t->ep, &m) ? -9999 : (int64_t)m.w[0];
}

static void direct_grants(struct thread *t)
{
	grant_t g = grant_make(3, 1);

	table[1] = direct(t->ep, GRANT_READ, 8000);
	memset(memory, 0xab, sizeof(memory));
	memset(buffer, 0, sizeof(buffer));
	CHECK_EQ(use(t, FROM, EP_RS, g, 0, 8000), 0, "read what is granted");
	CHECK(buffer[0] == 0xab && buffer[7999] == 0xab && buffer[8000] == 0, "the data");
	CHECK_EQ(use(t, FROM, EP_RS, g, 8000, 0), 0, "nothing at the end");
	CHECK_EQ(use(t, FROM, EP_RS, g, 1, 8000), -K_EPERM, "beyond the end");
	CHECK_EQ(use(t, FROM, EP_RS, g, ~0ull, 2), -K_EPERM, "offset that wraps");
	CHECK_EQ(use(t, TO, EP_RS, g, 0, 1), -K_EPERM, "write to what may be read");
	CHECK_EQ(use(t, FILL, EP_RS, g, 0, 1), -K_EPERM, "fill what may be read");
	CHECK_EQ(use(t, FROM, EP_RS, GRANT_INVALID, 0, 1), -K_EINVAL, "the invalid grant");
	CHECK_EQ(use(t, FROM, EP_RS, grant_make(4, 1), 0, 1), -K_EPERM, "another sequence number");
	CHECK_EQ(use(t, FROM, EP_RS, grant_make(3, 15), 0, 1), -K_EPERM, "an unused entry");
	CHECK_EQ(use(t, FROM, EP_RS, grant_make(3, 16), 0, 1), -K_EPERM, "an index out of range");
	CHECK_EQ(use(t, FROM, endpoint_make(9, 60), g, 0, 1), -EDEADEPT, "a dead granter");
	CHECK_EQ(use(t, FROM, EP_DS, g, 0, 1), -K_EPERM, "a granter without table");
	table[1].grantee = EP_VM;
	CHECK_EQ(use(t, FROM, EP_RS, g, 0, 1), -K_EPERM, "granted to somebody else");
	table[1].grantee = EP_ANY;
	CHECK_EQ(use(t, FROM, EP_RS, g, 0, 1), 0, "granted to anybody");
	table[1].flags |= GRANT_WRITE;
	CHECK_EQ(use(t, FILL, EP_RS, g, 100, 5000), 0, "fill");
	CHECK(memory[99] == 0xab && memory[100] == 0x5a && memory[5099] == 0x5a && memory[5100] == 0xab, "what was filled");
	CHECK_EQ(use(t, TO, EP_RS, g, 0, 10), 0, "write");
	table[1].flags &= ~(uint32_t)GRANT_VALID;
	CHECK_EQ(use(t, FROM, EP_RS, g, 0, 1), -K_EPERM, "an entry that is not valid");
}

static void indirect_and_magic(struct thread *t)
{
	table[2] = direct(EP_RS, GRANT_READ, 100);
	table[3] = (struct grant_entry){ .flags = GRANT_USED | GRANT_VALID | GRANT_INDIRECT | GRANT_READ | GRANT_WRITE, .seq = 3,
					 .grantee = t->ep, .owner = EP_RS, .from = grant_make(3, 2) };
	CHECK_EQ(use(t, FROM, EP_RS, grant_make(3, 3), 0, 100), 0, "passed on");
	CHECK_EQ(use(t, TO, EP_RS, grant_make(3, 3), 0, 100), -K_EPERM, "rights shrink on the way");
	CHECK_EQ(use(t, FROM, EP_RS, grant_make(3, 3), 0, 101), -K_EPERM, "the last entry's length counts");
	table[2].grantee = EP_VM;
	CHECK_EQ(use(t, FROM, EP_RS, grant_make(3, 3), 0, 1), -K_EPERM, "passed on by who had no right");
	table[4] = (struct grant_entry){ .flags = GRANT_USED | GRANT_VALID | GRANT_INDIRECT | GRANT_READ, .seq = 3,
					 .grantee = EP_ANY, .owner = EP_RS, .from = grant_make(3, 4) };
	CHECK_EQ(use(t, FROM, EP_RS, grant_make(3, 4), 0, 1), -K_ELOOP, "a circle");
	table[5] = (struct grant_entry){ .flags = GRANT_USED | GRANT_VALID | GRANT_MAGIC | GRANT_READ, .seq = 3, .grantee = EP_ANY,
					 .owner = EP_DS, .addr = LAZY_FIRST + 0x10000000, .len = 100 };
	CHECK_EQ(use(t, FROM, EP_RS, grant_make(3, 5), 0, 1), -K_EPERM, "magic without the right to it");
}

static void magic_grants(struct thread *t)
{
	struct priv_spec s = spec_all();
	grant_t g = grant_make(3, 5);

	s.flags |= PRIV_MAGIC_GRANTS;
	s.priority = 0;
	s.sig_mgr = EP_SELF;
	CHECK_EQ(sys_privctl(EP_SELF, PRIVCTL_UPDATE_SYS, &s, sizeof(s), 0), 0, "take the right");
	table[5].addr = LAZY_FIRST + 0x18000000;
	table[5].flags |= GRANT_TRY;
	CHECK_EQ(use(t, FROM, EP_RS, g, 0, 8), -ESOFTFAULT, "missing memory of a third process, TRY");
	CHECK(table[5].flags & GRANT_FAULTED, "which the granter can see");
	table[5].flags &= ~(uint32_t)GRANT_TRY;
	CHECK_EQ(use(t, FROM, EP_RS, g, 0, 8), 0, "missing memory of a third process");
	table[5].owner = endpoint_make(9, 60);
	CHECK_EQ(use(t, FROM, EP_RS, g, 0, 8), -EDEADEPT, "dead owner");
	s.flags &= ~(uint32_t)PRIV_MAGIC_GRANTS;
	sys_privctl(EP_SELF, PRIVCTL_UPDATE_SYS, &s, sizeof(s), 0);
}

static void vectors(void)
{
	uint64_t done = 0;
	struct vsafecopy v[3] = {
		{ .src = EP_RS, .dst = EP_SELF, .grant = grant_make(3, 6), .offset = 0, .addr = (vaddr_t)buffer, .len = 10 },
		{ .src = EP_SELF, .dst = EP_RS, .grant = grant_make(3, 6), .offset = 20, .addr = (vaddr_t)buffer, .len = 10 },
		{ .src = EP_RS, .dst = EP_SELF, .grant = grant_make(3, 14), .addr = (vaddr_t)buffer, .len = 10 },
	};

	table[6] = direct(EP_ANY, GRANT_READ | GRANT_WRITE, 100);
	memset(memory, 1, 10);
	memset(memory + 10, 2, 90);
	CHECK_EQ(sys_vsafecopy(v, 2, &done), 0, "a vector of copies");
	CHECK(done == 2 && memory[20] == 1 && memory[30] == 2, "both done, in order");
	CHECK_EQ(sys_vsafecopy(v, 3, &done), -K_EPERM, "a vector with a bad element");
	CHECK_EQ(done, 2, "stops there");
	v[0].src = EP_SELF;
	CHECK_EQ(sys_vsafecopy(v, 1, &done), -K_EINVAL, "both sides ourselves");
	CHECK_EQ(sys_vsafecopy(v, 65, &done), -K_EINVAL, "too many elements");
}

static struct vsafecopy element(bool from, int index, uint64_t offset, uint64_t len)
{
	return (struct vsafecopy){ .src = from ? EP_RS : EP_SELF, .dst = from ? EP_SELF : EP_RS, .grant = grant_make(3, index),
				   .offset = offset, .addr = (vaddr_t)buffer + offset, .len = len };
}

/* Elements behind each other that name one grant are checked one by one all the same. */
static void vectors_of_one_grant(void)
{
	uint64_t done = 0;
	struct vsafecopy v[4];

	table[7] = direct(EP_ANY, GRANT_READ, 8192);
	table[8] = direct(EP_VM, GRANT_READ, 8192);
	for (size_t i = 0; i < sizeof(memory); i++)
		memory[i] = (uint8_t)(i / 16);
	memset(buffer, 0, sizeof(buffer));
	for (unsigned i = 0; i < 4; i++)
		v[i] = element(true, 7, i * 2000, 2000);
	CHECK_EQ(sys_vsafecopy(v, 4, &done), 0, "four parts of one grant");
	CHECK(done == 4 && memcmp(buffer, memory, 8000) == 0 && buffer[8000] == 0, "all parts, and no more");
	v[2].offset = 8000;
	CHECK_EQ(sys_vsafecopy(v, 4, &done), -K_EPERM, "a part beyond the end");
	CHECK_EQ(done, 2, "the parts before it");
	v[2].offset = ~0ull;
	CHECK_EQ(sys_vsafecopy(v, 4, &done), -K_EPERM, "a part whose offset wraps");
	v[2] = element(true, 7, 4000, ~0ull);
	CHECK_EQ(sys_vsafecopy(v, 4, &done), -K_EPERM, "a part whose length wraps");
	v[2] = element(false, 7, 4000, 8);
	CHECK_EQ(sys_vsafecopy(v, 4, &done), -K_EPERM, "the other direction needs its own right");
	v[2] = element(true, 8, 4000, 8);
	CHECK_EQ(sys_vsafecopy(v, 4, &done), -K_EPERM, "another grant is looked up");
	v[2] = element(true, 7, 4000, 8);
	v[2].addr = 0xffff800000000000ull;
	CHECK_EQ(sys_vsafecopy(v, 4, &done), -K_EFAULT, "into kernel memory");
	CHECK_EQ(done, 2, "the parts before it");
}

void check_grants(void)
{
	struct thread *t = spawn(SERVICE, copier, 0, 0);

	CHECK_EQ(sys_setgrant((void *)0xffff800000000000ull, 4), -K_EINVAL, "table in kernel memory");
	CHECK_EQ(sys_setgrant(table, 1 << 30), -K_EINVAL, "table too long");
	CHECK_EQ(sys_setgrant(table, 16), 0, "register the table");
	direct_grants(t);
	indirect_and_magic(t);
	magic_grants(t);
	vectors();
	vectors_of_one_grant();
	reap(t);
}
