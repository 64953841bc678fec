/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The message: 64 bytes, which travel in registers only. The kernel copies them from the sender's saved registers to the
 * receiver's; it never reads or writes user memory to pass one, so delivery cannot fault.
 *
 * The body is seven words. A protocol header (include/proto) lays a struct of at most 56 bytes over them for each request and
 * reply and proves the size with MSG_BODY_FITS; MSG_BODY gives the typed view. Always zero a message before filling it.
 */
#pragma once
#include <abi/types.h>

enum { MSG_WORDS = 7, MSG_BODY_BYTES = 56 };

struct message {
	endpoint_t source;	/* stamped by the kernel: a receiver can trust it */
	uint32_t type;		/* what is asked: see the ranges below */
	uint64_t w[MSG_WORDS];
};
_Static_assert(sizeof(struct message) == 64, "a message is 64 bytes");

#define MSG_BODY(type_, m_) ((type_ *)(void *)(m_)->w)
#define MSG_BODY_FITS(type_) _Static_assert(sizeof(type_) <= MSG_BODY_BYTES, #type_ " does not fit a message")

/*
 * Ranges of message types. Requests are even, the reply to request R is R + 1 (its w[0] is the int64 result unless the protocol
 * says otherwise).
 */
enum {
	MSG_NOTIFY    = 0x001,	/* a notification, built at delivery: see struct notify_body */
	MSG_KCALL     = 0x100,	/* kernel calls, abi/kcall.h */
	MSG_RS        = 0x200, MSG_SEF = 0x280, MSG_DS = 0x300, MSG_VM = 0x400, MSG_PM = 0x500, MSG_VFS = 0x600,
	MSG_FS        = 0x700, MSG_CDEV = 0x800, MSG_BDEV = 0x900, MSG_NDEV = 0xa00, MSG_PCI = 0xb00, MSG_SOCK = 0xc00,
	MSG_COMMON    = 0xd00,	/* understood by every server, proto/common.h */
	MSG_TEST      = 0xe00,	/* free for test services */
	MSG_LINUX     = 0x10000,/* + Linux call number: a routed system call; w[0..5] are its six arguments */
};

/* Body of a notification. Words that do not apply to the source are 0. */
struct notify_body {
	nstime_t when;		/* time of delivery */
	uint64_t signals;	/* from EP_SYSTEM: set of kernel signals, bit KSIG_* (abi/ksig.h) */
	uint64_t irqs;		/* from EP_HARDWARE: set of notify ids given to KC_IRQCTL */
};
MSG_BODY_FITS(struct notify_body);
