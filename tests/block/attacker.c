/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that asks for everything that its description does not give it: ports, registers, interrupts, PCI devices, memory and grants of
 * others, their rights, their names, signals for programs, and what is just beside the little that it may have. All of it is refused.
 * Started by tests/test_block.py while a real driver works; the description there must agree with what is permitted here.
 */
#include "../proto/service_check.h"
#include <libsef/ds.h>
#include <libsys/grant.h>
#include <libsys/ipc.h>
#include <proto/bdev.h>
#include <proto/cdev.h>
#include <proto/ds.h>
#include <proto/fs.h>
#include <proto/pci.h>
#include <proto/pm.h>
#include <proto/rs.h>
#include <proto/vfs.h>
#include <proto/vm.h>
#include <sys/mman.h>

enum { RANDOM_MESSAGES = 2000, OTHERS_GRANTS = 40, HOOKS_EACH = 16, MY_IRQ = 7, OTHER_IRQS = 16, MY_PORT = 0x5f00, MY_PORTS = 4,
       CONTIG_MAX = 256 << 10 };
#define MY_MEMORY 0x500000000ull	/* a page far beyond all memory */

static endpoint_t pci, disk;
static const endpoint_t servers[] = { EP_VFS, EP_PM, EP_DS, EP_RS, EP_VM, EP_TTY, EP_MEMORY, EP_TMPFS, EP_PROCFS };
#define EACH_SERVER(e) (const endpoint_t *e = servers; e < servers + sizeof(servers) / sizeof(servers[0]); e++)

static int64_t ask(endpoint_t ep, struct message *m)
{
	err_t r = sef_call(ep, m);

	return r ? r : (int64_t)m->w[0];
}

/* A server that could not run yet is asked something first: then it has taken what waits for it. */
static void post(endpoint_t ep, const struct message *m)
{
	struct message ping = { .type = MSG_TEST };

	if (ipc_senda(ep, m, 0) != -EAGAIN)
		return;
	CHECK(ask(ep, &ping) < 0);
	CHECK_EQ(ipc_senda(ep, m, 0), 0);
}

/* ---- kernel calls ---- */

static bool is_permitted(uint32_t index)
{
	static const bool basic[KC_COUNT] = {
#define X(name, basic, what) [KC_INDEX_##name] = basic,
		KCALLS(X)
#undef X
	};

	return basic[index] || index == KC_INDEX_DEVIO || index == KC_INDEX_SDEVIO || index == KC_INDEX_VDEVIO || index == KC_INDEX_IRQCTL
		|| index == KC_INDEX_VUMAP;
}

/* With arguments that would do much harm if the call were made. */
static void kernel_calls(void)
{
	for (uint32_t i = 0; i < KC_COUNT; i++)
		for EACH_SERVER(e) {
			uint64_t w[MSG_WORDS] = { kcall_ep(*e), 0x1000, kcall_ep(EP_SELF), kcall_ptr(servers), 64 };

			if (!is_permitted(i) && kcall(MSG_KCALL + i, w) != -ECALLDENIED)
				check_eq(__FILE__, __LINE__, "number of the call that is not denied", i, -1);
		}
}

/* What everybody may do with itself, nobody may do with others. */
static void basic_calls_on_others(void)
{
	for EACH_SERVER(e) {
		CHECK_EQ(sys_endksig(*e), -EPERM);
		CHECK_EQ(sys_diag_stacktrace(*e), -EPERM);
	}
	CHECK_EQ(sys_statectl(0), -EINVAL);
	CHECK_EQ(sys_statectl(2), -EINVAL);
	CHECK_EQ(sys_setgrant(0, ~0u), -EINVAL);
	CHECK_EQ(sys_setgrant((const struct grant_entry *)0xffffffff80000000u, 8), -EINVAL);
	CHECK_EQ(grant_register(), 0);
}

/* ---- hardware ---- */

static void ports(void)
{
	static const uint16_t wanted[] = { 0, 0xcf8, 0xcfc, 0x1f0, 0x3f8, 0x70, 0x64, 0xf4, 0xffff, MY_PORT - 1, MY_PORT + MY_PORTS };
	uint32_t value;
	char bytes[16];

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		CHECK_EQ(sys_devio(wanted[i], 1, 0, 0, &value), -EPERM);
		CHECK_EQ(sys_devio(wanted[i], 1, 1, 0, 0), -EPERM);
		CHECK_EQ(sys_sdevio(wanted[i], 1, 0, bytes, sizeof(bytes)), -EPERM);
		CHECK_EQ(sys_sdevio(wanted[i], 1, 1, bytes, sizeof(bytes)), -EPERM);
		CHECK_EQ(sys_vdevio((struct devio[]){ { MY_PORT, 1, 0, 0 }, { wanted[i], 1, 0, 0 } }, 2), -EPERM);
	}
}

static void edges_of_own_ports(void)
{
	uint32_t value;

	CHECK_EQ(sys_devio(MY_PORT, 4, 0, 0, &value), 0);
	CHECK_EQ(sys_devio(MY_PORT + MY_PORTS - 1, 1, 0, 0, &value), 0);
	CHECK_EQ(sys_devio(MY_PORT + MY_PORTS - 1, 2, 0, 0, &value), -EPERM);
	CHECK_EQ(sys_devio(MY_PORT - 1, 2, 0, 0, &value), -EPERM);
	CHECK_EQ(sys_devio(MY_PORT + 1, 4, 0, 0, &value), -EPERM);
	CHECK_EQ(sys_devio(MY_PORT, 3, 0, 0, &value), -EINVAL);
	CHECK_EQ(sys_devio(0xffff, 2, 0, 0, &value), -EINVAL);
}

static int64_t map_physical(paddr_t first, uint64_t len)
{
	struct message m = { .type = VM_MAP_PHYS };

	*MSG_BODY(struct vm_map_phys_req, &m) = (struct vm_map_phys_req){ .paddr = first, .len = len, .write = 1 };
	return ask(EP_VM, &m);
}

static void physical_memory(void)
{
	static const paddr_t wanted[] = { 0, 0x100000, 0x1000000, 0xfebc0000, 0xfec00000, 0xfee00000, 0xfffff000, 0x100000000u };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		CHECK_EQ(map_physical(wanted[i], PAGE_BYTES), -EPERM);
	CHECK_EQ(map_physical(MY_MEMORY, PAGE_BYTES), 0);
	CHECK_EQ(map_physical(MY_MEMORY - PAGE_BYTES, PAGE_BYTES), -EPERM);
	CHECK_EQ(map_physical(MY_MEMORY + PAGE_BYTES, PAGE_BYTES), -EPERM);
	CHECK_EQ(map_physical(MY_MEMORY, PAGE_BYTES + 1), -EPERM);
	CHECK_EQ(map_physical(MY_MEMORY - 1, 2), -EPERM);
	CHECK_EQ(map_physical(MY_MEMORY, 0), -EINVAL);
	CHECK_EQ(map_physical(MY_MEMORY, ~0ull), -EINVAL);
}

static void interrupts(void)
{
	uint64_t mine = 0;

	for (uint32_t irq = 0; irq < OTHER_IRQS; irq++)
		CHECK(irq == MY_IRQ || sys_irqctl(IRQCTL_SET, irq, 0, 0, 0) < 0);
	CHECK_EQ(sys_irqctl(IRQCTL_SET, MY_IRQ - 1, 0, 0, 0), -EPERM);
	CHECK_EQ(sys_irqctl(IRQCTL_SET, MY_IRQ, 0, 0, &mine), 0);
	for (uint32_t hook = 0; hook < 64; hook++) {
		if (hook == mine)
			continue;
		CHECK_EQ(sys_irqctl(IRQCTL_REMOVE, hook, 0, 0, 0), -EINVAL);
		CHECK_EQ(sys_irqctl(IRQCTL_DISABLE, hook, 0, 0, 0), -EINVAL);
		CHECK_EQ(sys_irqctl(IRQCTL_ENABLE, hook, 0, 0, 0), -EINVAL);
	}
	CHECK_EQ(sys_irqctl(IRQCTL_REMOVE, (uint32_t)mine, 0, 0, 0), 0);
}

/* Who takes all numbers leaves none for others. */
static void message_interrupts(void)
{
	uint64_t hooks[HOOKS_EACH], address;
	uint32_t data, n = 0;

	while (n < HOOKS_EACH && sys_irqctl_msi(n, &hooks[n], &address, &data) == 0)
		n++;
	CHECK(n > 0);
	CHECK_EQ(sys_irqctl_msi(n, 0, &address, &data), -ENOSPC);
	CHECK_EQ(sys_irqctl_msi(64, 0, &address, &data), -EINVAL);
	while (n > 0)
		CHECK_EQ(sys_irqctl(IRQCTL_REMOVE, (uint32_t)hooks[--n], 0, 0, 0), 0);
}

static void devices_of_others(void)
{
	static const uint32_t requests[] = { PCI_RESERVE, PCI_RELEASE, PCI_BAR, PCI_CAP, PCI_READ, PCI_WRITE };
	struct message m = { .type = PCI_NEXT };

	MSG_BODY(struct pci_req, &m)->dev = PCI_DEV_NONE;
	CHECK_EQ(ask(pci, &m), -ENODEV);
	for (uint32_t slot = 0; slot < 32; slot++)
		for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
			m = (struct message){ .type = requests[i] };
			*MSG_BODY(struct pci_req, &m) = (struct pci_req){ .dev = slot << 3, .offset = PCI_CFG_COMMAND, .width = 2 };
			CHECK_EQ(ask(pci, &m), -ENODEV);
		}
}

/* ---- memory of others ---- */

/* The one thing that RS grants everybody, its table of services, may be read. */
static void grant_of(endpoint_t granter, grant_t grant)
{
	struct vumap_seg s = { grant, 64, 0 };
	struct vsafecopy v = { .src = EP_SELF, .dst = granter, .grant = grant, .len = 8 };
	struct phys_run run;
	uint64_t word = 0, done;
	uint32_t n = 1;

	v.addr = (vaddr_t)&word;
	CHECK(granter == EP_RS || sys_safecopyfrom(granter, grant, 0, &word, sizeof(word)) < 0);
	CHECK(sys_safecopyto(granter, grant, 0, &word, sizeof(word)) < 0);
	CHECK(sys_safememset(granter, grant, 0, 0, 8) < 0);
	CHECK(sys_vsafecopy(&v, 1, &done) < 0);
	CHECK(sys_vumap(granter, &s, 1, GRANT_READ | GRANT_WRITE, &run, &n) < 0);
}

static void memory_of_others(void)
{
	for EACH_SERVER(e)
		for (int g = 0; g < OTHERS_GRANTS; g++)
			grant_of(*e, grant_make(g / 8, g % 8));
	for (int g = 0; g < OTHERS_GRANTS; g++)
		grant_of(disk, grant_make(g / 8, g % 8));
	for EACH_DEAD_ENDPOINT(e)
		CHECK(sys_safecopyto(*e, 0, 0, &pci, 4) < 0);
}

/* Requests to VM that are for the servers; those that are never answered are sent, and must be without effect. */
static void requests_to_vm(void)
{
	static const uint32_t answered[] = { VM_FORK, VM_EXIT, VM_EXEC_NEW, VM_MMAP_FOR, VM_PREFAULT, VM_INFO, VM_UPDATE, VM_SET_PRIV,
		VM_RLIMIT, VM_MAP_ARCHIVE, VM_FREE_ARCHIVE, VM_PROTECT_FOR, VM_RELEASE };
	struct message m;

	for (size_t i = 0; i < sizeof(answered) / sizeof(answered[0]); i++)
		for EACH_SERVER(e) {
			m = (struct message){ .type = answered[i], .w = { (uint64_t)*e << 32 | (uint32_t)*e, 0x10000, 0x1000, ~0ull } };
			CHECK_EQ(ask(EP_VM, &m), -EPERM);
		}
	m = (struct message){ .type = VM_FORGET };
	post(EP_VM, &m);
	m.type = VM_MMAP_REPLY;
	post(EP_VM, &m);
}

static int64_t contiguous(uint64_t len, vaddr_t *addr)
{
	struct message m = { .type = VM_ALLOC_CONTIG };
	const struct vm_alloc_contig_rep *rep = MSG_BODY(const struct vm_alloc_contig_rep, &m);

	*MSG_BODY(struct vm_alloc_contig_req, &m) = (struct vm_alloc_contig_req){ .len = len };
	if (sef_call(EP_VM, &m))
		return -1;
	*addr = rep->addr;
	return rep->result;
}

/* CONTIG_MAX at a time, in whatever pieces; what it gives back it may have again. */
static void contiguous_memory(void)
{
	vaddr_t piece[4], more;

	CHECK_EQ(contiguous(CONTIG_MAX + 1, &more), -EDQUOT);
	CHECK_EQ(contiguous(~0ull, &more), -EINVAL);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(contiguous(CONTIG_MAX / 4, &piece[i]), 0);
	CHECK_EQ(contiguous(1, &more), -EDQUOT);
	CHECK_EQ(munmap((void *)piece[1], CONTIG_MAX / 4), 0);
	CHECK_EQ(mprotect((void *)(piece[2] + PAGE_BYTES), PAGE_BYTES, PROT_READ), 0);
	CHECK_EQ(contiguous(CONTIG_MAX / 4 + 1, &more), -EDQUOT);
	CHECK_EQ(contiguous(CONTIG_MAX / 4, &more), 0);
	CHECK_EQ(contiguous(1, &more), -EDQUOT);
}

/* ---- orders about others ---- */

static void order(uint32_t op, const char *label)
{
	struct message m = { .type = RS_REQUEST };

	MSG_BODY(struct rs_request_req, &m)->op = op;
	strcpy(MSG_BODY(struct rs_request_req, &m)->label, label);
	CHECK_EQ(ask(EP_RS, &m), -EPERM);
}

static void rights_of_others(void)
{
	static const char *const labels[] = { "virtio_blk", "pci", "tty", "vfs", "rs", "ext2", "ext2.1", "attacker", "nobody", "" };
	struct message m = { .type = RS_ADD_RESOURCES };

	*MSG_BODY(struct rs_add_resources_req, &m) = (struct rs_add_resources_req){ sef_self(), RS_RESOURCE_MEM, 0, ~0ull };
	CHECK_EQ(ask(EP_RS, &m), -EPERM);
	m = (struct message){ .type = RS_PCI_ACL };
	MSG_BODY(struct rs_pci_acl_req, &m)->ep = disk;
	CHECK_EQ(ask(EP_RS, &m), -EPERM);
	for (uint32_t op = RS_OP_UP; op <= RS_OP_CORE; op++)
		for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
			order(op, labels[i]);
}

/* As if it were VFS, or a program of root. */
static void requests_of_others_to_rs(void)
{
	struct message m = { .type = RS_FS_START };

	strcpy(MSG_BODY(struct rs_fs_start_req, &m)->type, "ext2");
	CHECK_EQ(ask(EP_RS, &m), -EBADREQUEST);
	m = (struct message){ .type = RS_FS_STOP };
	strcpy(MSG_BODY(struct rs_fs_stop_req, &m)->label, "ext2.1");
	CHECK_EQ(ask(EP_RS, &m), -EBADREQUEST);
	for (uint64_t op = 0; op <= RS_OP_CORE; op++) {
		m = (struct message){ .type = MSG_LINUX + RS_CALL_NR, .w = { op, (uintptr_t)"virtio_blk", LABEL_LEN } };
		CHECK_EQ(ask(EP_RS, &m), -EPERM);
	}
	m = (struct message){ .type = RS_REPORT };
	strcpy(MSG_BODY(struct rs_report_req, &m)->label, "virtio_blk");
	MSG_BODY(struct rs_report_req, &m)->failed = 1000;
	post(EP_RS, &m);
}

static void names_of_others(void)
{
	static const char *const drivers[] = { "drv.blk.virtio_blk", "drv.chr.tty", "drv.failed.virtio_blk", "drv.failed.attacker",
		"drv.x" };
	uint64_t value;
	size_t len = sizeof(value);

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		CHECK_EQ(ds_publish_u64(drivers[i], 1, DSF_OVERWRITE), -EPERM);
		CHECK_EQ(ds_publish_u64(drivers[i], 1, 0), -EPERM);
	}
	CHECK_EQ(ds_publish_label("virtio_blk", sef_self(), DSF_OVERWRITE), -EPERM);
	CHECK_EQ(ds_publish_label("new_name", sef_self(), 0), -EPERM);
	CHECK_EQ(ds_delete_label("virtio_blk"), -EPERM);
	CHECK_EQ(ds_delete_u64("drv.blk.virtio_blk"), -EPERM);
	CHECK_EQ(ds_delete_mem("pci.devices"), -EPERM);
	CHECK_EQ(ds_publish_mem("pci.devices", &value, sizeof(value), DSF_OVERWRITE), -EPERM);
	CHECK_EQ(ds_retrieve_mem("pci.devices", &value, &len), -EPERM);
	CHECK_EQ(ds_retrieve_u64("drv.failed.virtio_blk", &value), -ESRCH);
}

/* ---- programs ---- */

static uint32_t programs_find(endpoint_t *out, uint32_t room)
{
	struct info_proc p;
	uint32_t n = 0;

	for (uint64_t slot = 1; slot < NR_PROCS && n < room; slot++)
		if (sys_getinfo(GETINFO_PROC, &p, sizeof(p), slot, 0) == 0 && p.state != PROC_STATE_FREE && p.is_user)
			out[n++] = p.endpoint;
	return n;
}

/* No message reaches them, and no signal. The shell that runs this test is one of them. */
static void programs(void)
{
	endpoint_t found[16];
	uint32_t n = programs_find(found, 16);
	struct message m = { .type = MSG_TEST };

	CHECK(n > 0);
	for (uint32_t i = 0; i < n; i++) {
		struct message call = m, kill = { .type = PM_KILL }, tty = { .type = PM_TTY_SIGNAL }, stack = { .type = PM_SERVICE };

		CHECK_EQ(ipc_senda(found[i], &m, 0), -ECALLDENIED);
		CHECK_EQ(ipc_sendnb(found[i], &m), -ECALLDENIED);
		CHECK_EQ(ipc_notify(found[i]), -ECALLDENIED);
		CHECK_EQ(ipc_sendrec(found[i], &call), -ECALLDENIED);
		*MSG_BODY(struct pm_kill_req, &kill) = (struct pm_kill_req){ .ep = found[i], .signo = 9 };
		*MSG_BODY(struct pm_tty_signal_req, &tty) = (struct pm_tty_signal_req){ .ep = found[i], .signo = 9 };
		MSG_BODY(struct pm_service_req, &stack)->ep = found[i];
		post(EP_PM, &kill);
		post(EP_PM, &tty);
		post(EP_PM, &stack);
	}
	for (int32_t pgid = 1; pgid < 200; pgid++) {
		struct message tty = { .type = PM_TTY_SIGNAL };

		*MSG_BODY(struct pm_tty_signal_req, &tty) = (struct pm_tty_signal_req){ .pgid = pgid, .signo = 9, .ep = EP_NONE };
		post(EP_PM, &tty);
	}
}

static void requests_to_vfs(void)
{
	static const uint32_t requests[] = { VFS_FORK, VFS_EXIT, VFS_SETCRED, VFS_SETIDS, VFS_EXEC, VFS_EXEC_COMMIT, VFS_RLIMIT,
		VFS_VM_MMAP, VFS_VM_UNREF, VFS_VM_NAME, VFS_INFO, VFS_SIGNALS };
	endpoint_t victim;
	struct message m = { .type = VFS_MAPDRIVER };
	struct vfs_mapdriver_req *map = MSG_BODY(struct vfs_mapdriver_req, &m);

	CHECK_EQ(programs_find(&victim, 1), 1);
	map->major = RS_MAJOR_BLOCK | 254;
	map->ep = sef_self();
	strcpy(map->label, "attacker");
	CHECK_EQ(ask(EP_VFS, &m), -EPERM);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		m = (struct message){ .type = requests[i], .w = { (uint32_t)victim, (uint64_t)(uint32_t)victim << 32 } };
		CHECK_EQ(ask(EP_VFS, &m), -EPERM);
	}
}

/* File systems and character drivers serve VFS alone. */
static void files(void)
{
	static const endpoint_t fs[] = { EP_TMPFS, EP_PROCFS }, chars[] = { EP_TTY, EP_MEMORY };
	struct message m;

	for (uint32_t type = FS_MOUNT; type <= FS_FALLOCATE; type += 2)
		for (int i = 0; i < 2; i++) {
			m = (struct message){ .type = type, .w = { 1, 1, 1, 1 } };
			CHECK_EQ(ask(fs[i], &m), -EPERM);
		}
	for (uint32_t type = CDEV_OPEN; type <= CDEV_REOPEN; type += 2)
		for (int i = 0; i < 2; i++) {
			m = (struct message){ .type = type };
			CHECK_EQ(ask(chars[i], &m), -EBADREQUEST);
		}
}

/* ---- primitives ---- */

static void primitives(void)
{
	static const endpoint_t nobody[] = { EP_HARDWARE, EP_SYSTEM, EP_CLOCK, EP_ASYNCM };
	struct message m = { .type = MSG_TEST };

	for EACH_DEAD_ENDPOINT(e) {
		CHECK(ipc_send(*e, &m) < 0);
		CHECK(ipc_senda(*e, &m, 0) < 0);
		CHECK(ipc_notify(*e) < 0);
		CHECK(ipc_receive(*e, &m, 0) < 0);
	}
	for (int i = 0; i < 4; i++) {
		CHECK(ipc_send(nobody[i], &m) < 0);
		CHECK(ipc_notify(nobody[i]) < 0);
		CHECK(ipc_sendrec(nobody[i], &m) < 0);
	}
	CHECK(ipc_sendrec(sef_self(), &m) < 0);
}

/* Answers that nobody has asked for. */
static void answers_to_others(void)
{
	static const uint32_t types[] = { FS_GETPAGE + 1, CDEV_READ + 1, BDEV_READ + 1, VM_PREFAULT + 1, VFS_EXEC + 1, DS_PUBLISH + 1,
		RS_FS_STARTED, RS_INIT_DONE + 1, PCI_NEXT + 1 };

	for (uint32_t id = 0; id < 64; id++)
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
			struct message m = { .type = types[i], .w = { id, (uint64_t)-EIO } };

			ipc_senda(servers[id % 9], &m, 0);
			ipc_senda(disk, &m, 0);
		}
	sys_sendacancel(EP_ANY, 0);
}

/* Requests and answers of every kind with nonsense in them: nobody falls. */
static void nonsense(void)
{
	uint64_t x = 88172645463325252u;

	for (int i = 0; i < RANDOM_MESSAGES; i++) {
		struct message m;

		for (int k = 0; k < MSG_WORDS; k++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			m.w[k] = x % 5 ? x : x % 64;
		}
		m.type = i % 2 ? MSG_BDEV + (uint32_t)(x % 16) : MSG_PCI + (uint32_t)(x % 16);
		ipc_senda(i % 2 ? disk : pci, &m, 0);
		if (i % 16 == 15) {	/* let them take it */
			struct message ping = { .type = PCI_NEXT };

			CHECK(ask(pci, &ping) <= 0);
			ping = (struct message){ .type = BDEV_FLUSH };
			sef_call(disk, &ping);
		}
	}
}

static err_t run(const struct sef_init_info *info)
{
	(void)info;
	CHECK_EQ(ds_retrieve_label_endpt("pci", &pci), 0);
	CHECK_EQ(ds_retrieve_label_endpt("virtio_blk", &disk), 0);
	RUN(kernel_calls);
	RUN(basic_calls_on_others);
	RUN(ports);
	RUN(edges_of_own_ports);
	RUN(physical_memory);
	RUN(interrupts);
	RUN(message_interrupts);
	RUN(devices_of_others);
	RUN(memory_of_others);
	RUN(requests_to_vm);
	RUN(contiguous_memory);
	RUN(rights_of_others);
	RUN(requests_of_others_to_rs);
	RUN(names_of_others);
	RUN(programs);
	RUN(requests_to_vfs);
	RUN(files);
	RUN(primitives);
	RUN(answers_to_others);
	RUN(nonsense);
	return check_end();
}

int main(void)
{
	check_service(run);
}
