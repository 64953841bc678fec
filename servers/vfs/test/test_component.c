/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths taken apart. */
#include "expect.h"
#include "path.h"
#include <string.h>

static void parts(const char *path, const char *want)
{
	char got[256] = "";
	const char *name;
	for (size_t n; (n = path_component(&path, &name)) > 0;) {
		strncat(got, name, n);
		strcat(got, "|");
	}
	if (strcmp(got, want) != 0)
		printf("got %s, want %s\n", got, want);
	EXPECT(strcmp(got, want) == 0 && *path == 0);
}

int main(void)
{
	parts("", "");
	parts("/", "");
	parts("///", "");
	parts("a", "a|");
	parts("/a/b", "a|b|");
	parts("//a///b//", "a|b|");
	parts("../x/.", "..|x|.|");
	printf("ok component\n");
}
