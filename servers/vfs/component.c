/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking paths apart. Pure text, no state. */
#include "path.h"

size_t path_component(const char **p, const char **name)
{
	const char *s = *p;
	while (*s == '/')
		s++;
	*name = s;
	while (*s && *s != '/')
		s++;
	*p = s;
	return (size_t)(s - *name);
}
