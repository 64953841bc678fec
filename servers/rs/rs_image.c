/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs kept in memory for restarts, so that no file system is needed to start a service, not even the one it reads from. */
#include "rs.h"

struct rs_image *rs_image_get(struct rs_image *image)
{
	image->refs++;
	return image;
}

void rs_image_put(struct rs_image *image)
{
	if (!image || --image->refs > 0)
		return;
	free(image->bytes);
	free(image->args);
	free(image->send_names);
	free(image->control);
	free(image);
}

/* Static programs only: there is nobody to load a library. */
err_t rs_image_parse(struct rs_image *image)
{
	err_t r = elf_parse(image->bytes, image->len, image->len, &image->elf);

	return r == 0 && (image->elf.relocatable || image->elf.interp_bytes) ? -ENOEXEC : r;
}
