/* SPDX-License-Identifier: BSD-2-Clause */
/* The users' route table, from the list of all Linux calls. Installing it again (a reborn PM does) changes nothing. */
#include "pm.h"

#include <libsys/kcall.h>
#include <libsys/log.h>
#include <proto/linux_routes.h>

#define LINUX_ROW(number, name, kind, target, status, remark) [number] = { ROUTE_##kind, target },
#define OWN_ROW(number, name, kind, target, status, remark) [ROUTE_NR_LINUX + number - ROUTE_OWN_BASE] = { ROUTE_##kind, target },
static const struct route_entry routes[ROUTE_NR] = { LINUX_ROUTES(LINUX_ROW) OWN_ROUTES(OWN_ROW) };
#undef LINUX_ROW
#undef OWN_ROW

void routes_install(void)
{
	err_t r = sys_route(ROUTE_TABLE_USER, 0, ROUTE_NR, routes);

	if (r != 0)
		fail_stop("the system-call routes were refused: %s", err_text(r));
}
