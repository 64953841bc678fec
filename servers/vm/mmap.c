/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmap and munmap, brk. A mapping of a file needs VFS's word on the descriptor: the call is remembered, VFS asked by SENDA, and
 * answered to the caller when VM_MMAP_REPLY comes. VFS has then taken a reference on the node for us, which is given
 * back if the caller died meanwhile. If VM dies the caller's system call is restarted by VM's successor's rules: nothing was mapped.
 */
#include "calls.h"
#include "kmem.h"
#include "mapper.h"
#include "object.h"
#include "oom.h"
#include "resolve.h"
#include "wait.h"

#include <errno.h>
#include <libsef/sef.h>
#include <proto/vfs.h>
#include <proto/vm.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif
enum {
	LINUX_MAP_TYPE = 0xf, LINUX_MAP_32BIT = 0x40, LINUX_MAP_HUGETLB = 0x40000, LINUX_MAP_SYNC = 0x80000,
	PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC, SERVICE_READY = 8 * PAGE_BYTES, LOW_2G = 0x7fffffff,
	/* Flags that MAP_SHARED_VALIDATE knows: all others are refused there, ignored elsewhere. */
	KNOWN_FLAGS = LINUX_MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED
		| MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | LINUX_MAP_HUGETLB | LINUX_MAP_32BIT | MAP_FIXED_NOREPLACE,
};

struct mmap_call {
	struct mmap_call *next;
	struct message m;	/* the request: source, type and arguments */
	uint64_t id;
};

static struct mmaps {
	struct mmap_call *list;		/* waiting for VFS */
	uint64_t next_id;
} mmaps;

static bool flag(const struct message *m, int bit) { return (m->w[3] & bit) != 0; }
static bool is_shared(const struct message *m) { return (m->w[3] & LINUX_MAP_TYPE) != MAP_PRIVATE; }

bool range_check(vaddr_t addr, uint64_t *len)
{
	if (!page_aligned(addr) || *len == 0 || *len > SPACE_LAST)
		return false;
	*len = page_up(*len);
	return addr <= SPACE_LAST && *len <= SPACE_LAST - addr;
}

int64_t populate_later(const struct message *m, vaddr_t first, vaddr_t last, bool write, bool must, int64_t result)
{
	struct waiter w = { .kind = must ? WAIT_CALL_LOCK : WAIT_CALL, .who = m->source, .target = m->source, .addr = first,
		.last = last, .access = write ? MAP_WRITE : MAP_READ, .id = m->type, .result = result };

	wait_start(&w);
	return CALL_LATER;
}

/* ---- the checks that need no file ---- */

static int64_t mmap_check_flags(const struct message *m)
{
	uint32_t type = m->w[3] & LINUX_MAP_TYPE;

	if (!page_aligned(m->w[5]) || m->w[1] == 0)
		return -EINVAL;
	if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE && (m->w[3] & ~(uint64_t)KNOWN_FLAGS))
		return -EOPNOTSUPP;
	if (flag(m, LINUX_MAP_HUGETLB))
		return -ENOMEM;
	if (flag(m, MAP_GROWSDOWN) && is_shared(m))
		return -EINVAL;
	return 0;
}

static int64_t mmap_check_range(const struct space *s, const struct message *m, uint64_t len)
{
	if (m->w[1] > SPACE_LAST || len == 0)
		return -ENOMEM;
	if (m->w[5] + len < m->w[5])
		return -EOVERFLOW;
	if (!flag(m, MAP_FIXED) && !flag(m, MAP_FIXED_NOREPLACE))
		return 0;
	if (len > SPACE_LAST || m->w[0] > SPACE_LAST - len)
		return -ENOMEM;
	if (!page_aligned(m->w[0]))
		return -EINVAL;
	(void)s;
	return m->w[0] < SPACE_FIRST ? -EPERM : 0;
}

static int64_t mmap_check_limits(struct space *s, const struct message *m, uint64_t len)
{
	bool data = !is_shared(m) && (m->w[2] & PROT_WRITE);
	uint64_t replaced = 0;

	if (flag(m, MAP_FIXED) && !flag(m, MAP_FIXED_NOREPLACE) && regions_cover(&s->regions, m->w[0], m->w[0] + len))
		replaced = len;
	if (!space_may_grow(s, len - replaced, data))
		return -ENOMEM;
	/* As Linux guesses: what could never be had at once is refused, the rest promised. */
	if (data && !flag(m, MAP_NORESERVE) && len >> PAGE_SHIFT > frame_total())
		return -ENOMEM;
	if ((flag(m, MAP_LOCKED) || s->lock_future) && !space_may_lock(s, len))
		return -EAGAIN;
	return memory_for_request(s);
}

/* ---- placing and inserting ---- */

static int64_t mmap_choose_address(struct space *s, const struct message *m, uint64_t len)
{
	vaddr_t addr;

	if (flag(m, MAP_FIXED_NOREPLACE))
		return regions_overlap(&s->regions, m->w[0], m->w[0] + len) ? -EEXIST : (int64_t)m->w[0];
	if (flag(m, MAP_FIXED))
		return (int64_t)m->w[0];
	addr = space_place(s, m->w[0], len, flag(m, LINUX_MAP_32BIT) ? LOW_2G + 1ull : 0);
	return addr ? (int64_t)addr : -ENOMEM;
}

/* Libraries are mapped by the program's loader; services use what they ask for, and ask for little. */
static void mmap_preload(struct space *s, const struct region *r)
{
	if (s->user ? r->kind != REGION_FILE || !(r->prot & PROT_EXEC)
		: r->kind != REGION_ANON || !(r->prot & PROT_WRITE) || r->last - r->first > SERVICE_READY)
		return;
	region_preload(s, r);
	map_flush();
}

/* Puts the region (its object's reference is ours until it is in) and answers, or arranges the answer. */
static int64_t mmap_insert(struct space *s, const struct message *m, struct region *r, uint64_t len)
{
	int64_t addr = mmap_choose_address(s, m, len);
	err_t err;

	if (addr < 0)
		return addr;
	if (flag(m, MAP_FIXED) && !flag(m, MAP_FIXED_NOREPLACE)) {
		err = space_unmap(s, addr, addr + len);
		if (err)
			return err;
	}
	r->first = addr;
	r->last = addr + len;
	if (flag(m, MAP_LOCKED) || s->lock_future)
		r->flags |= REGION_LOCKED;
	if (flag(m, MAP_GROWSDOWN))
		r->flags |= REGION_STACK;
	err = space_insert(s, r);
	if (err)
		return err;
	mmap_preload(s, r);
	if ((flag(m, MAP_POPULATE) || (r->flags & REGION_LOCKED)) && r->prot != PROT_NONE)
		return populate_later(m, addr, addr + len, r->prot & PROT_WRITE, false, addr);
	return addr;
}

static struct region mmap_region(const struct message *m)
{
	return (struct region){ .prot = m->w[2] & PROT_ALL, .max_prot = PROT_ALL, .file_end = LIMIT_NONE };
}

static int64_t mmap_anonymous(struct space *s, const struct message *m, uint64_t len)
{
	struct region r = mmap_region(m);
	int64_t result;

	r.kind = REGION_ANON;
	if (is_shared(m)) {
		r.kind = REGION_SHARED;
		r.object = object_shm();
		if (!r.object)
			return -ENOMEM;
	}
	result = mmap_insert(s, m, &r, len);
	if (result < 0 && result != CALL_LATER && r.object)
		object_put(r.object);
	return result;
}

static int64_t mmap_ask_vfs(const struct message *m, uint64_t len)
{
	struct mmap_call *call = kmem_alloc(sizeof *call);
	struct message ask = { .type = VFS_VM_MMAP };

	if (!call)
		return -ENOMEM;
	call->m = *m;
	call->id = ++mmaps.next_id;
	call->next = mmaps.list;
	mmaps.list = call;
	*MSG_BODY(struct vfs_vm_mmap_req, &ask) = (struct vfs_vm_mmap_req){ .id = call->id, .ep = m->source, .fd = (int32_t)m->w[4],
		.prot = m->w[2], .flags = m->w[3], .offset = m->w[5], .len = len };
	sef_send(EP_VFS, &ask, IPC_NOREPLY);
	return CALL_LATER;
}

int64_t call_mmap(struct space *s, const struct message *m)
{
	uint64_t len = page_up(m->w[1]);
	int64_t err = mmap_check_flags(m);

	if (!err)
		err = mmap_check_range(s, m, len);
	if (!err && flag(m, MAP_ANONYMOUS))
		err = mmap_check_limits(s, m, len);
	if (err)
		return err;
	return flag(m, MAP_ANONYMOUS) ? mmap_anonymous(s, m, len) : mmap_ask_vfs(m, len);
}

/* ---- VFS's answer ---- */

static struct mmap_call *mmap_take(uint64_t id)
{
	struct mmap_call **at = &mmaps.list, *call;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	call = *at;
	if (call)
		*at = call->next;
	return call;
}

static int64_t mmap_file(struct space *s, const struct message *m, const struct vm_mmap_reply_req *rep, uint64_t len)
{
	struct region r = mmap_region(m);
	int64_t result = mmap_check_limits(s, m, len);

	if (!result && (rep->flags & VM_MR_NOEXEC) && (m->w[2] & PROT_EXEC))
		result = -EPERM;
	if (!result && is_shared(m) && (m->w[2] & PROT_WRITE) && !(rep->flags & VM_MR_WRITABLE))
		result = -EACCES;
	r.object = result ? NULL : object_file(rep->fs, rep->node);
	if (!r.object) {
		vfs_unref(rep->fs, rep->node, 1);
		return result ? result : -ENOMEM;
	}
	object_count_vfs_ref(r.object);
	r.kind = is_shared(m) ? REGION_SHARED : REGION_FILE;
	r.offset = m->w[5];
	if (rep->flags & VM_MR_NOEXEC)
		r.max_prot &= ~PROT_EXEC;
	if (is_shared(m) && !(rep->flags & VM_MR_WRITABLE))
		r.max_prot &= ~PROT_WRITE;
	if (is_shared(m) && (r.max_prot & PROT_WRITE))
		object_set_writable(r.object);
	result = mmap_insert(s, m, &r, len);
	if (result < 0 && result != CALL_LATER)
		object_put(r.object);
	return result;
}

static int64_t mmap_finish(const struct message *m, const struct vm_mmap_reply_req *rep)
{
	struct space *s = space_of(m->source);
	uint64_t len = page_up(m->w[1]);
	int64_t err;

	if (rep->result != 0)
		return rep->result;
	if (!(rep->flags & VM_MR_ANON))
		return mmap_file(s, m, rep, len);
	err = mmap_check_limits(s, m, len);
	return err ? err : mmap_anonymous(s, m, len);
}

int64_t rq_mmap_reply(const struct message *m)
{
	const struct vm_mmap_reply_req *rep = MSG_BODY(const struct vm_mmap_reply_req, m);
	struct mmap_call *call = mmap_take(rep->id);
	int64_t result;

	if (!call) {
		if (rep->result == 0 && !(rep->flags & VM_MR_ANON))
			vfs_unref(rep->fs, rep->node, 1);
		return CALL_LATER;
	}
	result = mmap_finish(&call->m, rep);
	if (result != CALL_LATER)
		sef_reply_result(call->m.source, call->m.type, result);
	kmem_free(call, sizeof *call);
	return CALL_LATER;
}

void mmaps_purge(endpoint_t dead)
{
	for (struct mmap_call **at = &mmaps.list, *call; *at;) {
		call = *at;
		if (call->m.source != dead) {
			at = &call->next;
			continue;
		}
		*at = call->next;
		kmem_free(call, sizeof *call);
	}
}

int64_t call_munmap(struct space *s, const struct message *m)
{
	uint64_t len = m->w[1];

	if (!range_check(m->w[0], &len))
		return -EINVAL;
	return space_unmap(s, m->w[0], m->w[0] + len);
}

/* ---- brk ---- */

static bool brk_grow(struct space *s, vaddr_t from, vaddr_t to)
{
	struct region r = { .first = from, .last = to, .kind = REGION_ANON, .prot = PROT_READ | PROT_WRITE, .max_prot = PROT_ALL,
		.flags = REGION_HEAP, .file_end = LIMIT_NONE };

	if (regions_overlap(&s->regions, from, to + PAGE_BYTES) || !space_may_grow(s, to - from, true))
		return false;
	if ((to - from) >> PAGE_SHIFT > frame_total() || memory_for_request(s) != 0)
		return false;
	if (s->lock_future)
		r.flags |= REGION_LOCKED;
	if (space_insert(s, &r) != 0)
		return false;
	if (s->program) {
		region_preload(s, &r);
		map_flush();
	}
	return true;
}

/* Linux: the result is the new break, or the old one when it cannot be moved. */
int64_t call_brk(struct space *s, const struct message *m)
{
	vaddr_t to = m->w[0], old_end = page_up(s->brk), new_end;

	if (s->brk_start == 0 || to < s->brk_start || to > SPACE_LAST - PAGE_BYTES)
		return (int64_t)s->brk;
	new_end = page_up(to);
	if (new_end > old_end && !brk_grow(s, old_end, new_end))
		return (int64_t)s->brk;
	if (new_end < old_end && space_unmap(s, new_end, old_end) != 0)
		return (int64_t)s->brk;
	s->brk = to;
	return (int64_t)to;
}
