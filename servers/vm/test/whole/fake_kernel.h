/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel small enough to check: page tables as a hash table, one word of contents per frame, kernel calls as VM makes them. A test
 * touches memory of its processes by fake_read and fake_write; a missing page or right becomes a page fault that VM must resolve.
 */
#pragma once
#include <abi/message.h>
#include <abi/vmmap.h>
#include <stdbool.h>

enum { FAKE_FRAMES = 12000, FAKE_FS = 9, FAKE_PROCS = 64 };

void fake_start(uint32_t free_frames);
bool fake_read(endpoint_t ep, vaddr_t addr, uint64_t *value);	/* false: the process was killed for it */
bool fake_write(endpoint_t ep, vaddr_t addr, uint64_t value);
uint64_t fake_mapped_pages(endpoint_t ep);
int fake_killed(endpoint_t ep);			/* signal, 0: lives */
void fake_revive(endpoint_t ep);
int64_t fake_reply(endpoint_t ep);		/* result of the last answer VM sent to ep; once */
bool fake_answered(endpoint_t ep);
bool fake_sent(struct message *m, endpoint_t *dst);	/* takes the oldest message VM sent to a server */
uint64_t fake_pool(void);			/* page-table frames given */
extern bool fake_dma;				/* devices know the memory of spaces that end */
void fake_fail_maps(int after);			/* KC_MAP says ENOMEM (page tables) now and then */


/* Provided by the test: what the server does with a message of VM. */
void fake_deliver(endpoint_t dst, const struct message *m);
