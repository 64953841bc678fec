/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The script of kernel checks. Helpers of a check are threads: processes that share RS's memory, run a C function on their own
 * stack and leave results in their struct. The script itself has the highest priority, so it sleeps to let them work.
 */
#pragma once
#include "ktest.h"
#include <libsys/ipc.h>
#include <libsys/kcall.h>
#include <stdbool.h>

enum { NS_PER_MS = 1000000, STACK_BYTES = 16 * 1024, NR_THREADS = 16 };
/* Linux errors the checks expect. */
enum { K_EPERM = 1, K_ESRCH = 3, K_EINTR = 4, K_EIO = 5, K_EAGAIN = 11, K_ENOMEM = 12, K_EFAULT = 14, K_EBUSY = 16, K_EINVAL = 22,
       K_ENOSYS = 38, K_ELOOP = 40, K_ETIMEDOUT = 110 };

struct thread {
	endpoint_t ep;
	void (*run)(struct thread *);
	volatile int done;
	volatile int64_t r[8];		/* results, as the check likes */
	int64_t a[4];			/* arguments */
	struct message m;
	uint8_t tls[1024] __attribute__((aligned(64)));
	uint8_t stack[STACK_BYTES] __attribute__((aligned(16)));
};

enum thread_kind { SERVICE, USER };

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void check(bool ok, const char *what, int64_t got);
#define CHECK(condition, what) check(condition, what, 0)
#define CHECK_EQ(expression, want, what) \
	do { \
		int64_t got_ = (int64_t)(expression); \
		check(got_ == (int64_t)(want), what, got_); \
	} while (0)

/* A thread, running; its struct is found again by its endpoint alone. */
struct thread *spawn(enum thread_kind kind, void (*run)(struct thread *), int64_t a0, int64_t a1);
/* The same with a privilege specification and not yet started (spawn_start). */
struct thread *spawn_service(const struct priv_spec *spec, void (*run)(struct thread *), int64_t a0, int64_t a1);
void spawn_start(struct thread *t);
void reap(struct thread *t);		/* KC_CLEAR; the struct is free again */
bool wait_done(struct thread *t);	/* sleeps until t is done, at most two seconds */
void sleep_ms(unsigned ms);
struct priv_spec spec_all(void);	/* may do everything */

int64_t linux_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
paddr_t frames_from_vm(uint64_t n);
/* VM edits the space of ep: fields as in struct map_op. */
int64_t vm_map(uint32_t kind, endpoint_t ep, vaddr_t addr, uint64_t npages, paddr_t paddr, paddr_t src, uint32_t prot);

void check_ipc(void);
void check_async(void);
void check_death(void);
void check_kcalls(void);
void check_memory(void);
void check_grants(void);
void check_long(void);
void check_dma(void);
void check_futex(void);
void check_signals(void);
void check_time(void);
void check_routes(void);
void check_info(void);
void check_stale_tlb(void);
void check_update(void);
void check_stress(void);
void check_fuzz(void);
void check_trace(void);
void measure(void);
