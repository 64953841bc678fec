/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making the process of a service from its image in our memory, with the kernel and VM alone: no file system, no PM. Every page is
 * filled before it runs, so a new instance depends on nobody to start. A failure at any step removes what was made.
 */
#include "rs.h"
#include <sys/mman.h>

enum { STACK_BYTES = 256 * 1024, STACK_HEAD_BYTES = 8192 };
#define STACK_TOP 0x7ffffffe0000ull

static vaddr_t page_down(vaddr_t a)
{
	return a & ~(vaddr_t)(PAGE_BYTES - 1);
}

static vaddr_t page_up(vaddr_t a)
{
	return page_down(a + PAGE_BYTES - 1);
}

err_t rs_vm_ask(struct message *m)
{
	err_t r = sef_call(EP_VM, m);

	return r ? r : (err_t)(int64_t)m->w[0];
}

static err_t rs_new_space(endpoint_t ep)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.type = VM_EXEC_NEW;
	MSG_BODY(struct vm_exec_new_req, &m)->ep = ep;
	return rs_vm_ask(&m);
}

static err_t rs_map(endpoint_t ep, vaddr_t addr, uint64_t len, uint32_t flags)
{
	struct message m;
	struct vm_mmap_for_req *req = MSG_BODY(struct vm_mmap_for_req, &m);

	memset(&m, 0, sizeof(m));
	m.type = VM_MMAP_FOR;
	req->ep = ep;
	req->prot = PROT_READ | PROT_WRITE;
	req->addr = addr;
	req->len = len;
	req->fs = EP_NONE;
	req->flags = flags;
	return rs_vm_ask(&m);
}

static err_t rs_protect(endpoint_t ep, vaddr_t addr, uint64_t len, uint32_t prot)
{
	struct message m;
	struct vm_protect_for_req *req = MSG_BODY(struct vm_protect_for_req, &m);

	memset(&m, 0, sizeof(m));
	m.type = VM_PROTECT_FOR;
	req->ep = ep;
	req->prot = prot;
	req->addr = addr;
	req->len = len;
	return rs_vm_ask(&m);
}

/* What is only read is not copied: the pages of our image are lent to every instance. */
static err_t rs_lend_segment(endpoint_t ep, const struct rs_image *image, const struct elf_segment *seg, bool last)
{
	struct message m;
	struct vm_mmap_for_req *req = MSG_BODY(struct vm_mmap_for_req, &m);

	memset(&m, 0, sizeof(m));
	m.type = VM_MMAP_FOR;
	req->ep = ep;
	req->prot = (uint32_t)seg->prot;
	req->addr = page_down(seg->addr);
	req->len = page_up(seg->addr + seg->memory_bytes) - req->addr;
	req->fs = EP_NONE;
	req->flags = VM_MF_LEND | (last ? VM_MF_HEAP : 0);
	req->offset = page_down((vaddr_t)image->bytes + seg->offset);
	return rs_vm_ask(&m);
}

static bool rs_can_lend(const struct elf_segment *seg)
{
	return !(seg->prot & PROT_WRITE) && seg->memory_bytes == seg->file_bytes && seg->addr % PAGE_BYTES == seg->offset % PAGE_BYTES;
}

/* Others are writable until they are filled. */
static err_t rs_fill_segment(endpoint_t ep, const struct rs_image *image, const struct elf_segment *seg, bool last)
{
	vaddr_t first = page_down(seg->addr), end = page_up(seg->addr + seg->memory_bytes);
	err_t r = rs_map(ep, first, end - first, last ? VM_MF_HEAP : 0);

	if (r == 0 && seg->file_bytes)
		r = sys_datacopy_to(ep, seg->addr, image->bytes + seg->offset, seg->file_bytes);
	if (r == 0 && !(seg->prot & PROT_WRITE))
		r = rs_protect(ep, first, end - first, (uint32_t)seg->prot);
	return r;
}

static err_t rs_load_segments(endpoint_t ep, const struct rs_image *image)
{
	for (uint32_t i = 0; i < image->elf.segment_count; i++) {
		const struct elf_segment *seg = &image->elf.segments[i];
		bool last = i + 1 == image->elf.segment_count;
		err_t r = rs_can_lend(seg) ? rs_lend_segment(ep, image, seg, last) : rs_fill_segment(ep, image, seg, last);

		if (r != 0)
			return r;
	}
	return 0;
}

static err_t rs_load_stack(endpoint_t ep, const struct rs_image *image, vaddr_t *sp)
{
	uint8_t head[STACK_HEAD_BYTES];
	size_t used;
	err_t r = rs_stack_build(image, STACK_TOP, head, sizeof(head), &used);

	if (r == 0)
		r = rs_map(ep, STACK_TOP - STACK_BYTES, STACK_BYTES, VM_MF_STACK);
	*sp = STACK_TOP - used;
	return r ? r : sys_datacopy_to(ep, *sp, head + sizeof(head) - used, used);
}

static err_t rs_load(endpoint_t ep, const struct rs_slot *s)
{
	vaddr_t sp = 0;
	err_t r = rs_new_space(ep);

	if (r == 0)
		r = rs_load_segments(ep, s->image);
	if (r == 0)
		r = rs_load_stack(ep, s->image, &sp);
	return r ? r : sys_exec(ep, s->image->elf.entry, sp, s->pub->name);
}

err_t rs_process_create(struct rs_slot *s, endpoint_t wanted, endpoint_t *out, uint32_t *priv_id)
{
	endpoint_t ep;
	err_t r = wanted == EP_NONE ? sys_fork(EP_NONE, 0, 0, 0, &ep) : sys_fork(EP_NONE, KFORK_BOOT, (vaddr_t)wanted, 0, &ep);

	if (r != 0)
		return r;
	rs_priv_prepare(s);
	r = rs_priv_set(ep, &s->priv, PRIVCTL_SET_SYS, priv_id);
	if (r == 0)
		r = rs_load(ep, s);
	if (r != 0) {
		rs_process_destroy(ep);
		return r;
	}
	rs_vm_priv_set(ep, s);
	*out = ep;
	return 0;
}

/* A processor that is not there is told, and the service runs on any. */
static void rs_process_schedule(const struct rs_slot *s)
{
	err_t r;

	if (!s->quantum_us && !s->cpu_mask)
		return;
	r = sys_schedule(s->pub->endpoint, s->priv.priority, s->quantum_us, s->cpu_mask);
	if (r != 0)
		log_warn("%s: its quantum or processors are not possible here: %s", s->pub->label, err_text(r));
}

err_t rs_process_run(const struct rs_slot *s)
{
	err_t r = sys_privctl(s->pub->endpoint, PRIVCTL_ALLOW, 0, 0, 0);

	rs_process_schedule(s);
	return r ? r : sys_runctl(s->pub->endpoint, RUNCTL_RESUME, 0, 0);
}

err_t rs_process_exchange(endpoint_t dead, endpoint_t successor)
{
	struct message m;
	struct vm_update_req *req = MSG_BODY(struct vm_update_req, &m);

	memset(&m, 0, sizeof(m));
	m.type = VM_UPDATE;
	req->src = dead;
	req->dst = successor;
	return rs_vm_ask(&m);
}

/* It must not run any more when its memory goes. All of these tolerate a process that was only half made. */
void rs_process_destroy(endpoint_t ep)
{
	struct message m;

	sys_privctl(ep, PRIVCTL_DISALLOW, 0, 0, 0);
	memset(&m, 0, sizeof(m));
	m.type = VM_EXIT;
	MSG_BODY(struct vm_exit_req, &m)->ep = ep;
	rs_vm_ask(&m);
	sys_clear(ep);
}
