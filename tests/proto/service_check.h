/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A test that must be a service: it runs its checks while it initialises, writes `ok NAME` and `FAIL file:line: what` to the log, and
 * `done` at the end. tests/test_services.py starts it by `service up`, reads the log and takes it down again.
 */
#pragma once
#include <abi/errno.h>
#include <errno.h>
#include <libsef/sef.h>
#include <string.h>

static int check_failures;

static void check_eq(const char *file, int line, const char *what, int64_t got, int64_t want)
{
	if (got == want)
		return;
	check_failures++;
	log_info("FAIL %s:%d: %s (got %lld, want %lld)", file, line, what, (long long)got, (long long)want);
}
#define CHECK_EQ(got, want) check_eq(__FILE__, __LINE__, #got, (int64_t)(got), (int64_t)(want))
#define CHECK(cond) check_eq(__FILE__, __LINE__, #cond, !!(cond), 1)

static void check_group(const char *name, void (*group)(void))
{
	int before = check_failures;

	group();
	if (check_failures == before)
		log_info("ok %s", name);
}
#define RUN(name) check_group(#name, name)

/* A pointer into the kernel's half, one that is not canonical, and one to nothing. */
static const uint64_t bad_pointers[] = { 0xffffffff80100000u, 0x8000000000000000u, 0x7fffffffe000u, 8 };
#define EACH_BAD_POINTER(p) (const uint64_t *p = bad_pointers; p < bad_pointers + 4; p++)

/* Endpoints that name nobody: an unused slot, a slot beyond the table, a wrong generation, the reserved words. */
static const endpoint_t dead_endpoints[] = { EP_BOOT_LAST, 0x7fff, 0x7fffffff, EP_DS + (5 << ENDPOINT_SLOT_BITS), 0, EP_NONE, -50 };
#define EACH_DEAD_ENDPOINT(e) (const endpoint_t *e = dead_endpoints; e < dead_endpoints + 7; e++)

/* main() of a test service: the groups run in `run`. */
static void check_service(err_t (*run)(const struct sef_init_info *))
{
	struct message m;

	sef_startup(&(struct sef_callbacks){ .init_fresh = run, .signal_handler = sef_signal_term });
	for (;;)
		sef_receive(EP_ANY, &m, 0);
}

static err_t check_end(void)
{
	log_info("done, %d failed", check_failures);
	return 0;
}
