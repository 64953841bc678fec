/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a path to a program in memory. Program text and data are mappings of the file's pages, made by VM; nothing is read but the
 * first page of the file and the interpreter's name. All requests to VM are begun before the first is waited for, so that they cost one
 * round trip together.
 */
#include "execimage.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <proto/vm.h>

#include "fsreq.h"
#include "mount.h"
#include "path.h"
#include "perm.h"
#include "request.h"

enum { SCRIPT_DEPTH = 5, SCRIPT_LINE = 256, MAPS_MAX = 2 * ELF_SEGMENTS_MAX + 2, MOUNT_NOEXEC = 8, FLAG_NOFOLLOW = 0x100,
	FLAG_EMPTY_PATH = 0x1000 };
static const vaddr_t PIE_BASE = 0x555555554000ull, INTERP_BASE = 0x7ffff0000000ull;

/* ---- finding --------------------------------------------------------------------------------------------------- */

static int program_check(struct client *cl, const struct vnode *v)
{
	if (vnode_is_link(v))
		return -ELOOP;
	if (!S_ISREG(v->attr.mode) || v->mount->flags & MOUNT_NOEXEC)
		return -EACCES;
	int r = perm_check(cl, v, MAY_EXEC);
	return r == 0 && v->writers ? -ETXTBSY : r;
}

static int program_open(struct client *cl, int dirfd, unsigned at_flags, const char *path, struct vnode **out)
{
	unsigned flags = (at_flags & FLAG_NOFOLLOW ? PATH_NOFOLLOW : 0u) | (at_flags & FLAG_EMPTY_PATH ? PATH_EMPTY_OK : 0u);
	struct vnode *v;
	int r = path_lookup(&(struct path){ NULL, cl, dirfd, path, flags }, &v);
	if (r)
		return r == -ENXIO ? -EACCES : r;
	r = program_check(cl, v);
	if (r)
		vnode_put(v);
	else
		*out = v;
	return r;
}

/* `#! interpreter [argument]`: cut out the two words. */
static int script_parse(char *line, char **interp, char **arg)
{
	char *end = memchr(line, '\n', SCRIPT_LINE);
	if (!end)
		end = line + strnlen(line, SCRIPT_LINE);
	*end = 0;
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = 0;
	char *s = line + 2;
	s += strspn(s, " \t");
	if (!*s)
		return -ENOEXEC;
	*interp = s;
	s += strcspn(s, " \t");
	*arg = NULL;
	if (*s) {
		*s++ = 0;
		s += strspn(s, " \t");
		*arg = *s ? s : NULL;
	}
	return 0;
}

static int script_follow(struct client *cl, char *head, const char *script, char *interp_path, struct args *args, struct vnode **exe)
{
	char *interp, *arg;
	head[SCRIPT_LINE] = 0;
	int r = script_parse(head, &interp, &arg);
	if (r)
		return r;
	const char *strings[4] = { interp };
	unsigned n = 1;
	if (arg)
		strings[n++] = arg;
	strings[n] = script;
	r = args_replace_first(args, strings);
	if (r)
		return r;
	strcpy(interp_path, interp);
	return program_open(cl, AT_FDCWD, 0, interp_path, exe);
}

static int64_t head_read(struct vnode *v, char *head)
{
	int64_t n = fs_read_own(v, head, ELF_HEAD_BYTES, 0);
	if (n >= 0)
		memset(head + n, 0, (size_t)(ELF_HEAD_BYTES - n));
	return n;
}

static int interp_find(struct client *cl, struct program *p, char *head)
{
	char path[USER_PATH_MAX];
	uint64_t n = p->image.interp_bytes;
	if (n == 0)
		return 0;
	if (n > sizeof path)
		return -ENOEXEC;
	int64_t got = fs_read_own(p->exe, path, n, p->image.interp_offset);
	if (got != (int64_t)n || path[n - 1] != 0)
		return got < 0 ? (int)got : -ENOEXEC;
	int r = program_open(cl, AT_FDCWD, 0, path, &p->interp);
	if (r)
		return r;
	got = head_read(p->interp, head);
	r = got < 0 ? (int)got : elf_parse(head, (size_t)got, p->interp->attr.size, &p->interp_image);
	return r == -ENOEXEC ? -ELIBBAD : r;
}

static int program_resolve(struct client *cl, const char *path, struct args *args, struct program *p, char *head)
{
	char script[USER_PATH_MAX], interp[SCRIPT_LINE + 1];
	strcpy(script, path);
	for (int depth = 0;; depth++) {
		int64_t n = head_read(p->exe, head);
		if (n < 0)
			return (int)n;
		if (n < 2 || head[0] != '#' || head[1] != '!') {
			int r = elf_parse(head, (size_t)n, p->exe->attr.size, &p->image);
			return r ? r : interp_find(cl, p, head);
		}
		if (depth == SCRIPT_DEPTH)
			return -ELOOP;
		struct vnode *next = NULL;
		int r = script_follow(cl, head, script, interp, args, &next);
		if (r)
			return r;
		vnode_put(p->exe);
		p->exe = next;
		strcpy(script, interp);
	}
}

int program_find(struct client *cl, int dirfd, unsigned at_flags, const char *path, struct args *args, struct program *p)
{
	memset(p, 0, sizeof *p);
	char *head = malloc(ELF_HEAD_BYTES + 1);
	if (!head)
		return -ENOMEM;
	int r = program_open(cl, dirfd, at_flags, path, &p->exe);
	if (r == 0)
		r = program_resolve(cl, path, args, p, head);
	free(head);
	if (r)
		program_free(p);
	return r;
}

void program_free(struct program *p)
{
	vnode_put(p->exe);
	vnode_put(p->interp);
	p->exe = p->interp = NULL;
}

/* ---- mapping --------------------------------------------------------------------------------------------------- */

struct mapper {
	endpoint_t ep;
	unsigned count;
	struct { struct vm_request rq; struct vnode *v; } maps[MAPS_MAX];
};

static uint64_t page_down(uint64_t x) { return x & ~(uint64_t)(PAGE_BYTES - 1); }
static uint64_t page_up(uint64_t x) { return page_down(x + PAGE_BYTES - 1); }

static void map_begin(struct mapper *k, const struct vm_mmap_for_req *q, struct vnode *v)
{
	struct message m = { .type = VM_MMAP_FOR };
	*MSG_BODY(struct vm_mmap_for_req, &m) = *q;
	k->maps[k->count].v = v;
	if (v) {
		vnode_get(v);
		v->vm_refs++;
	}
	vm_begin(&k->maps[k->count++].rq, &m);
}

static void map_segment(struct mapper *k, const struct elf_segment *s, struct vnode *v, vaddr_t base, bool heap)
{
	vaddr_t first = page_down(s->addr), end = page_up(s->addr + s->memory_bytes);
	uint64_t skip = s->addr - first;
	vaddr_t file_end = s->file_bytes ? page_up(s->addr + s->file_bytes) : first;
	struct vm_mmap_for_req q = { .ep = k->ep, .prot = (uint32_t)s->prot, .fs = EP_NONE };
	if (s->file_bytes) {
		q.addr = base + first;
		q.len = file_end - first;
		q.fs = v->mount->fs;
		q.node = v->node;
		q.offset = s->offset - skip;
		q.file_end = skip + s->file_bytes;
		q.flags = heap && end <= file_end ? VM_MF_HEAP : 0;
		map_begin(k, &q, v);
	}
	if (end > file_end) {
		q = (struct vm_mmap_for_req){ .ep = k->ep, .prot = (uint32_t)s->prot, .fs = EP_NONE, .addr = base + file_end,
			.len = end - file_end, .flags = heap ? VM_MF_HEAP : 0 };
		map_begin(k, &q, NULL);
	}
}

static void map_image(struct mapper *k, const struct elf_image *image, struct vnode *v, vaddr_t base, bool heap)
{
	for (uint32_t i = 0; i < image->segment_count; i++)
		map_segment(k, &image->segments[i], v, base, heap && i + 1 == image->segment_count);
}

static void map_stack(struct mapper *k, vaddr_t top, uint64_t bytes, bool exec)
{
	struct vm_mmap_for_req q = { .ep = k->ep, .fs = EP_NONE, .flags = VM_MF_STACK, .addr = top - bytes, .len = bytes,
		.prot = PROT_READ | PROT_WRITE | (exec ? PROT_EXEC : 0u) };
	map_begin(k, &q, NULL);
}

/* Wait for all; a mapping that failed gives its reference back. */
static int maps_wait(struct mapper *k)
{
	int result = 0;
	for (unsigned i = 0; i < k->count; i++) {
		int r = (int)vm_wait(&k->maps[i].rq);
		struct vnode *v = k->maps[i].v;
		if (r && v && v->vm_refs) {
			v->vm_refs--;
			vnode_put(v);
		}
		if (r && !result)
			result = r;
	}
	return result;
}

int program_load(endpoint_t ep, const struct program *p, vaddr_t top, uint64_t stack_bytes, struct loaded *out)
{
	struct mapper *k = malloc(sizeof *k);
	if (!k)
		return -ENOMEM;
	k->ep = ep;
	k->count = 0;
	struct vm_request fresh;
	struct message m = { .type = VM_EXEC_NEW };
	MSG_BODY(struct vm_exec_new_req, &m)->ep = ep;
	vm_begin(&fresh, &m);
	memset(out, 0, sizeof *out);
	out->base = p->image.relocatable ? PIE_BASE : 0;
	out->entry = out->base + p->image.entry;
	out->phdr = p->image.phdr_addr ? out->base + p->image.phdr_addr : 0;
	map_image(k, &p->image, p->exe, out->base, true);
	if (p->interp) {
		out->interp_base = p->interp_image.relocatable ? INTERP_BASE : 0;
		map_image(k, &p->interp_image, p->interp, out->interp_base, false);
	}
	map_stack(k, top, stack_bytes, p->image.exec_stack);
	int r = (int)vm_wait(&fresh);
	out->vdso = MSG_BODY(struct vm_exec_new_rep, &fresh.reply)->vdso;
	int r2 = maps_wait(k);
	free(k);
	return r ? r : r2;
}
