/* SPDX-License-Identifier: BSD-2-Clause */
/* What the services below VFS cost their clients and do wrong, told to RS (RS_REPORT). None of these waits. */
#pragma once
#include <proto/rs.h>

#include "vfs.h"

/* The service by its label, or ("") by its endpoint. */
void report_repeated(endpoint_t ep, const char *label);
void report_failed(endpoint_t ep, const char *label);
void report_broken(endpoint_t ep, const char *label, enum rs_broken how);
