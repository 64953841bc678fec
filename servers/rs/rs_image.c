/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs kept in memory for restarts, so that no file system is needed to start a service, not even the one it reads from.
 * They lie in pages of their own, which are never written again: instances have their read-only segments there.
 */
#include "rs.h"
#include <sys/mman.h>

struct rs_image *rs_image_get(struct rs_image *image)
{
	image->refs++;
	return image;
}

void rs_image_put(struct rs_image *image)
{
	if (!image || --image->refs > 0)
		return;
	if (image->bytes)
		munmap(image->bytes, image->room);
	free(image->args);
	free(image->send_names);
	free(image->control);
	free(image->classes);
	free(image);
}

uint8_t *rs_image_alloc(struct rs_image *image, uint64_t len)
{
	void *p;

	image->room = (len + PAGE_BYTES) & ~(uint64_t)(PAGE_BYTES - 1);
	p = mmap(0, image->room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	image->bytes = p == MAP_FAILED ? 0 : p;
	image->len = image->bytes ? len : 0;
	return image->bytes;
}

/* Static programs only: there is nobody to load a library. */
err_t rs_image_parse(struct rs_image *image)
{
	err_t r = elf_parse(image->bytes, image->len, image->len, &image->elf);

	return r == 0 && (image->elf.relocatable || image->elf.interp_bytes) ? -ENOEXEC : r;
}

bool rs_image_belongs(const struct rs_image *image, const char *class)
{
	const char *p = image ? image->classes : 0, *end;

	if (!p)
		return false;
	for (end = p + image->classes_len; p < end; p += strlen(p) + 1)
		if (*p && strcmp(p, class) == 0)
			return true;
	return false;
}
