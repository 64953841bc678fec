/* SPDX-License-Identifier: BSD-2-Clause */
/* Start-up: the boot archive, programs of boot services, the command line. */
#pragma once
#include <abi/types.h>
#include <kernel/proc.h>

/* Next member of the archive; false at the end or at the first malformed header. name points into the archive, NUL-terminated. */
struct archive_cursor { const uint8_t *at, *end; };
struct archive_member { const char *name; uint32_t mode; const uint8_t *data; uint64_t bytes; };
bool archive_next(struct archive_cursor *c, struct archive_member *m);

/* Loads a static ELF64 image into p's space and sets its registers: 0, ENOEXEC, ENOMEM. */
err_t boot_load(struct proc *p, const char *name, const uint8_t *image, uint64_t bytes);
void boot_services(void);
/* Value of NAME= on the command line, or `otherwise`. */
long cmdline_number(const char *name, long otherwise);
bool cmdline_is(const char *name, const char *value);
