/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Core images. With RS_UP_KEEP_CORE the last dead instance is not removed when its successor is accepted but stays frozen, under an
 * endpoint nobody knows. Its memory is read as an ELF core file: a header, a program header for each region, the regions' contents in
 * their order. Made piece by piece as it is asked for, so RS needs no room for it. Pages that cannot be had read as zeros.
 */
#include "rs.h"
#include <elf.h>
#include <libsys/grant.h>
#include <sys/mman.h>

enum { CORE_REGIONS_MAX = 64, CORE_CHUNK = 4096 };

static struct core {
	struct vm_region_info regions[CORE_REGIONS_MAX];
	struct { Elf64_Ehdr file; Elf64_Phdr segments[CORE_REGIONS_MAX]; } head;
	uint32_t count;
	uint8_t chunk[CORE_CHUNK];
} core;

static err_t core_fetch_regions(endpoint_t ep)
{
	struct message m;
	struct vm_info_req *req = MSG_BODY(struct vm_info_req, &m);
	const struct vm_info_rep *rep = MSG_BODY(const struct vm_info_rep, &m);
	grant_t grant;
	err_t r;

	memset(core.regions, 0, sizeof(core.regions));
	grant = grant_direct(EP_VM, core.regions, sizeof(core.regions), GRANT_WRITE);
	memset(&m, 0, sizeof(m));
	m.type = VM_INFO;
	req->what = VM_INFO_REGIONS;
	req->ep = ep;
	req->grant = grant;
	req->len = sizeof(core.regions);
	r = sef_call(EP_VM, &m);
	grant_revoke(grant);
	if (r == 0)
		r = (err_t)rep->result;
	core.count = r == 0 ? (uint32_t)(rep->bytes / sizeof(core.regions[0])) : 0;
	if (core.count > CORE_REGIONS_MAX)
		core.count = CORE_REGIONS_MAX;
	return r;
}

static uint64_t core_head_bytes(void)
{
	return sizeof(core.head.file) + core.count * sizeof(core.head.segments[0]);
}

static void core_make_head(void)
{
	Elf64_Ehdr *file = &core.head.file;
	uint64_t offset = core_head_bytes();

	memset(&core.head, 0, sizeof(core.head));
	memcpy(file->e_ident, ELFMAG, SELFMAG);
	file->e_ident[EI_CLASS] = ELFCLASS64;
	file->e_ident[EI_DATA] = ELFDATA2LSB;
	file->e_ident[EI_VERSION] = EV_CURRENT;
	file->e_type = ET_CORE;
	file->e_machine = EM_X86_64;
	file->e_version = EV_CURRENT;
	file->e_phoff = sizeof(*file);
	file->e_ehsize = sizeof(*file);
	file->e_phentsize = sizeof(Elf64_Phdr);
	file->e_phnum = (uint16_t)core.count;
	for (uint32_t i = 0; i < core.count; i++) {
		const struct vm_region_info *r = &core.regions[i];

		core.head.segments[i] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = offset, .p_vaddr = r->first,
			.p_filesz = r->last - r->first, .p_memsz = r->last - r->first, .p_align = PAGE_BYTES,
			.p_flags = (r->prot & PROT_READ ? PF_R : 0u) | (r->prot & PROT_WRITE ? PF_W : 0u)
				| (r->prot & PROT_EXEC ? PF_X : 0u) };
		offset += r->last - r->first;
	}
}

/* At most a chunk of the file at `offset`, never across the border of a part; 0 at its end. */
static uint64_t core_piece(endpoint_t ep, uint64_t offset)
{
	uint64_t at = core_head_bytes(), n;

	if (offset < at) {
		n = at - offset < CORE_CHUNK ? at - offset : CORE_CHUNK;
		memcpy(core.chunk, (const uint8_t *)&core.head + offset, n);
		return n;
	}
	for (uint32_t i = 0; i < core.count; i++) {
		const struct vm_region_info *r = &core.regions[i];
		uint64_t len = r->last - r->first;

		if (offset - at < len) {
			n = CORE_CHUNK - (offset - at) % CORE_CHUNK;	/* up to the end of a page, and regions are whole pages */
			if (sys_datacopy_from(ep, r->first + (offset - at), core.chunk, n) != 0)
				memset(core.chunk, 0, n);
			return n;
		}
		at += len;
	}
	return 0;
}

int64_t rs_core_read(struct rs_slot *s, endpoint_t to, vaddr_t buffer, uint64_t room, uint64_t offset)
{
	uint64_t done = 0, n;
	err_t r;

	if (s->core == EP_NONE)
		return -ENODATA;
	r = core_fetch_regions(s->core);
	core_make_head();
	while (r == 0 && done < room && (n = core_piece(s->core, offset + done)) > 0) {
		n = n < room - done ? n : room - done;
		r = sys_datacopy_to(to, buffer + done, core.chunk, n);
		done += n;
	}
	return r ? r : (int64_t)done;
}
