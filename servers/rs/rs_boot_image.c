/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs of those boot services that can be started again (not RS_PUB_CORE): copied out of the boot archive before the first
 * file system gives its memory back. The archive is cpio's "newc" format; every length in it is checked against what is left. A
 * service whose program cannot be had this way runs all the same, it only cannot be started again.
 */
#include "rs.h"
#include <stdio.h>
#include <sys/mman.h>

enum { HEADER_BYTES = 110, FIELD_BYTES = 8, FIELD_FILESIZE = 6, FIELD_NAMESIZE = 11 };
static const char member_magic[] = "070701", member_prefix[] = "boot/";

struct archive { const uint8_t *at, *end; };
struct member { const char *name; const uint8_t *data; uint64_t len; };

static bool field_parse(const uint8_t *header, int n, uint64_t *out)
{
	char text[FIELD_BYTES + 1] = "", *end;

	memcpy(text, header + sizeof(member_magic) - 1 + n * FIELD_BYTES, FIELD_BYTES);
	*out = strtoull(text, &end, 16);
	return *end == 0;
}

static uint64_t pad4(uint64_t n)
{
	return (n + 3) & ~3ull;
}

static bool member_next(struct archive *a, struct member *m)
{
	uint64_t left, name_len, data_at;

	while (a->end - a->at >= 4 && !a->at[0] && !a->at[1] && !a->at[2] && !a->at[3])
		a->at += 4;	/* between archives */
	left = (uint64_t)(a->end - a->at);
	if (left < HEADER_BYTES || memcmp(a->at, member_magic, sizeof(member_magic) - 1) != 0)
		return false;
	if (!field_parse(a->at, FIELD_FILESIZE, &m->len) || !field_parse(a->at, FIELD_NAMESIZE, &name_len))
		return false;
	data_at = pad4(HEADER_BYTES + name_len);
	if (name_len == 0 || data_at > left || m->len > left - data_at || a->at[HEADER_BYTES + name_len - 1] != 0)
		return false;
	m->name = (const char *)a->at + HEADER_BYTES;
	m->data = a->at + data_at;
	a->at += data_at + pad4(m->len) < left ? data_at + pad4(m->len) : left;
	return true;
}

static struct rs_image *image_copy(const struct member *m, const char *name)
{
	struct rs_image *image = calloc(1, sizeof(*image));

	if (!image)
		return 0;
	image->refs = 1;
	rs_image_alloc(image, m->len);
	image->args = strdup(name);
	image->args_len = strlen(name) + 1;
	if (image->bytes && image->args) {
		memcpy(image->bytes, m->data, m->len);
		if (rs_image_parse(image) == 0)
			return image;
	}
	rs_image_put(image);
	return 0;
}

/* A later member of the same name replaces an earlier one, as it does for the kernel. */
static void member_take(const struct member *m)
{
	struct rs_slot *s;

	if (strncmp(m->name, member_prefix, sizeof(member_prefix) - 1) != 0 || m->len == 0 || m->len > RS_IMAGE_MAX)
		return;
	s = rs_slot_of_label(m->name + sizeof(member_prefix) - 1);
	if (!s || !(s->pub->flags & RS_PUB_COPY))
		return;
	rs_image_put(s->image);
	s->image = image_copy(m, s->pub->name);
}

static err_t archive_map(struct archive *a)
{
	struct message m = { .type = VM_MAP_ARCHIVE };
	const struct vm_map_archive_rep *rep = MSG_BODY(const struct vm_map_archive_rep, &m);
	err_t r = sef_call(EP_VM, &m);

	if (r == 0)
		r = (err_t)rep->result;
	if (r != 0)
		return r;
	*a = (struct archive){ (const uint8_t *)rep->addr, (const uint8_t *)rep->addr + rep->len };
	return 0;
}

void rs_boot_images_load(void)
{
	struct archive archive, whole;
	struct member m;
	err_t r = archive_map(&archive);

	if (r != 0) {
		log_warn("cannot read the boot archive: %s", err_text(r));
		return;
	}
	whole = archive;
	while (member_next(&archive, &m))
		member_take(&m);
	munmap((void *)((uintptr_t)whole.at & ~(uintptr_t)(PAGE_BYTES - 1)),
		(size_t)(whole.end - whole.at) + ((uintptr_t)whole.at & (PAGE_BYTES - 1)));
	for RS_EACH_SLOT(s)
		if ((s->pub->flags & RS_PUB_COPY) && !s->image) {
			log_warn("no image of boot service %s could be kept", s->pub->label);
			s->pub->flags &= ~(uint32_t)RS_PUB_COPY;
		}
}
