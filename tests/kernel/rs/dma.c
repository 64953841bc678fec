/* SPDX-License-Identifier: BSD-2-Clause */
/* What a driver whose device copies by itself needs: physical addresses of granted memory, and interrupts by message. */
#include "ktest_rs.h"
#include <string.h>

static struct grant_entry table[4];
static uint8_t memory[4 * PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static struct vumap_seg segs[VUMAP_SEGS_MAX + 1];
static struct phys_run runs[8];

enum { K_E2BIG = 7, K_ENOSPC = 28 };

/* vumap(granter, segments, access, room) in the name of the thread. */
static void mapper(struct thread *t)
{
	struct message m;
	uint32_t n;

	for (;;) {
		ipc_receive(EP_RS, &m, 0);
		n = (uint32_t)m.w[3];
		m.w[0] = (uint64_t)(int64_t)sys_vumap((endpoint_t)m.w[0], segs, (uint32_t)m.w[1], (uint32_t)m.w[2], runs, &n);
		m.w[1] = n;
		ipc_send(EP_RS, &m);
	}
	(void)t;
}

/* Runs, or the error. */
static int64_t vumap(struct thread *t, endpoint_t granter, uint32_t n, uint32_t access, uint32_t room)
{
	struct message m = { .type = MSG_TEST, .w = { (uint64_t)(int64_t)granter, n, access, room } };

	if (ipc_sendrec(t->ep, &m))
		return -9999;
	return (int64_t)m.w[0] ? (int64_t)m.w[0] : (int64_t)m.w[1];
}

static uint64_t runs_bytes(uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += runs[i].len;
	return sum;
}

static void addresses(struct thread *t)
{
	grant_t g = grant_make(3, 1);
	paddr_t paddr = 0;
	uint64_t n = 0;
	int64_t got;

	memset(memory, 1, sizeof(memory));
	segs[0] = (struct vumap_seg){ g, 3 * PAGE_BYTES, 100 };
	got = vumap(t, EP_RS, 1, GRANT_READ, 8);
	CHECK(got >= 1 && got <= 4, "a segment gives runs");
	CHECK_EQ(runs_bytes((uint32_t)got), 3 * PAGE_BYTES, "that add up to it");
	sys_umap(EP_SELF, (vaddr_t)memory + 100, 1, &paddr, &n);
	CHECK_EQ(runs[0].paddr, paddr, "and begin where its first byte is");
	segs[1] = (struct vumap_seg){ g, 50, 0 };
	got = vumap(t, EP_RS, 2, GRANT_READ | GRANT_WRITE, 8);
	CHECK(got >= 2 && runs_bytes((uint32_t)got) == 3 * PAGE_BYTES + 50, "two segments");
	CHECK_EQ(runs[got - 1].paddr, paddr - 100, "the second one's start");
	CHECK_EQ(vumap(t, EP_RS, 2, GRANT_READ, 1), -K_E2BIG, "more runs than room");
	CHECK_EQ(vumap(t, EP_RS, 0, GRANT_READ, 8), 0, "no segment");
	segs[0].len = segs[1].len = VUMAP_BYTES_MAX;
	CHECK_EQ(vumap(t, EP_RS, 2, GRANT_READ, 8), -K_EPERM, "a long segment is checked like any");
	segs[0].len++;
	CHECK_EQ(vumap(t, EP_RS, 1, GRANT_READ, 8), -K_E2BIG, "a segment that is too long");
	segs[0] = (struct vumap_seg){ g, 1, 0 };
	CHECK_EQ(vumap(t, EP_RS, 2, GRANT_READ, 8), -K_E2BIG, "segments that are too long together");
	segs[0] = (struct vumap_seg){ GRANT_INVALID, 10, (vaddr_t)memory };
	CHECK_EQ(vumap(t, EP_SELF, 1, GRANT_WRITE, 8), 1, "own memory");
}

static void refusals(struct thread *t)
{
	grant_t g = grant_make(3, 1);

	segs[0] = (struct vumap_seg){ g, 16, 0 };
	CHECK_EQ(vumap(t, EP_RS, 1, 0, 8), -K_EINVAL, "no access");
	CHECK_EQ(vumap(t, EP_RS, 1, GRANT_TRY, 8), -K_EINVAL, "another access");
	CHECK_EQ(vumap(t, EP_RS, VUMAP_SEGS_MAX + 1, GRANT_READ, 8), -K_EINVAL, "too many segments");
	segs[0].offset = sizeof(memory) - 8;
	CHECK_EQ(vumap(t, EP_RS, 1, GRANT_READ, 8), -K_EPERM, "beyond the grant");
	segs[0] = (struct vumap_seg){ grant_make(3, 2), 16, 0 };
	CHECK_EQ(vumap(t, EP_RS, 1, GRANT_READ, 8), 1, "read what may be read");
	CHECK_EQ(vumap(t, EP_RS, 1, GRANT_WRITE, 8), -K_EPERM, "write what may be read");
	segs[0].grant = grant_make(3, 3);
	CHECK_EQ(vumap(t, EP_RS, 1, GRANT_READ, 8), -K_EPERM, "what another was granted");
	CHECK_EQ(vumap(t, endpoint_make(9, 60), 1, GRANT_READ, 8), -EDEADEPT, "a dead granter");
	segs[0] = (struct vumap_seg){ 0, 16, 0xffff800000000000u };
	CHECK_EQ(vumap(t, EP_SELF, 1, GRANT_READ, 8), -K_EFAULT, "kernel memory");
	segs[0].offset = 8;
	CHECK_EQ(vumap(t, EP_SELF, 1, GRANT_READ, 8), -K_EFAULT, "no memory");
}

static struct grant_entry granted(endpoint_t to, uint32_t flags)
{
	return (struct grant_entry){ .flags = GRANT_USED | GRANT_VALID | GRANT_DIRECT | flags, .seq = 3, .grantee = to,
				     .addr = (vaddr_t)memory, .len = sizeof(memory) };
}

static void messages(struct thread *t)
{
	enum { IDS = 64 };
	uint64_t hook = 0, again = 0, address = 0, other_address = 0;
	uint32_t data = 0, same = 0, other = 0;
	int n = 0;

	t->r[0] = sys_irqctl_msi(3, &hook, &address, &data);
	t->r[1] = sys_irqctl_msi(3, &again, &other_address, &same);
	t->r[2] = hook == again && data == same && address == other_address && address >> 20 == 0xfee;
	t->r[3] = sys_irqctl_msi(4, &again, &other_address, &other) == 0 && other != data && again != hook;
	t->r[4] = sys_irqctl_msi(IDS, 0, &other_address, &other);
	while (n < IDS && sys_irqctl_msi((uint32_t)n, 0, &other_address, &other) == 0)
		n++;
	t->r[5] = n;
	t->r[6] = sys_irqctl(IRQCTL_REMOVE, (uint32_t)hook, 0, 0, 0);
	t->r[7] = sys_irqctl_msi((uint32_t)n, 0, &other_address, &other);
}

static void message_interrupts(void)
{
	struct thread *t = spawn(SERVICE, messages, 0, 0);

	CHECK(wait_done(t), "messages are set up");
	CHECK_EQ(t->r[0], 0, "a message");
	CHECK_EQ(t->r[1], 0, "the same id again");
	CHECK(t->r[2], "gets the same message");
	CHECK(t->r[3], "another id gets another");
	CHECK_EQ(t->r[4], -K_EINVAL, "an id out of range");
	CHECK(t->r[5] >= 16 && t->r[5] < 64, "there are some, and an end of them");
	CHECK_EQ(t->r[6], 0, "one is given back");
	CHECK_EQ(t->r[7], 0, "and serves again");
	reap(t);
}

void check_dma(void)
{
	struct thread *t = spawn(SERVICE, mapper, 0, 0);

	table[1] = granted(t->ep, GRANT_READ | GRANT_WRITE);
	table[2] = granted(t->ep, GRANT_READ);
	table[3] = granted(EP_VM, GRANT_READ);
	CHECK_EQ(sys_setgrant(table, 4), 0, "register the table");
	addresses(t);
	refusals(t);
	CHECK_EQ(sys_setgrant(0, 0), 0, "no table any more");
	reap(t);
	message_interrupts();
}
