/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data store: names of services, and data that outlives its owner.
 *
 * request          who                 repeatable  errors
 * DS_PUBLISH       services with label yes (OVERWRITE) EPERM no label / label not RS / overwrite forbidden / another's drv. key, EEXIST,
 *                                                  ENOMEM, EINVAL
 * DS_RETRIEVE      all services        yes         ESRCH, EPERM private, EINVAL type
 * DS_LABEL_NAME    all services        yes         ESRCH: endpoint -> label
 * DS_DELETE        owner               no          ESRCH, EPERM
 * DS_SUBSCRIBE     services with label yes (OVERWRITE) EEXIST, EINVAL bad expression, EAGAIN full
 * DS_CHECK         subscriber          no          ENOENT nothing changed, EPERM no subscription
 * DS_LIST          all services        yes         text of everything: key, type, owner, value
 *
 * Keys drv.CLASS.LABEL may be published by LABEL alone, drv.failed.LABEL by RS.
 * None waits. A change is told by a notification from DS without data; call DS_CHECK until ENOENT. Keys are 1..79 bytes; one key may exist
 * once for each type. Entries belong to labels, not endpoints, and so outlive restarts. RS deletes a label only when the service is
 * gone for good; that deletes its entries and its subscription and tells the subscribers.
 */
#pragma once
#include <abi/message.h>

enum { DS_PUBLISH = MSG_DS, DS_RETRIEVE = MSG_DS + 2, DS_LABEL_NAME = MSG_DS + 4, DS_DELETE = MSG_DS + 6, DS_SUBSCRIBE = MSG_DS + 8,
	DS_CHECK = MSG_DS + 10, DS_LIST = MSG_DS + 12 };

enum { DS_KEY_LEN = 80 /* with NUL */, DS_VALUE_MAX = 1 << 20 };
enum {
	DSF_TYPE_U64 = 1, DSF_TYPE_STR = 2, DSF_TYPE_MEM = 4, DSF_TYPE_LABEL = 8, DSF_TYPE_MASK = 0xf,
	DSF_PRIV_RETRIEVE = 0x10, DSF_PRIV_OVERWRITE = 0x20, DSF_PRIV_SUBSCRIBE = 0x40, DSF_OVERWRITE = 0x80, DSF_INITIAL = 0x100,
};
enum { DS_DRIVER_UP = 1 };	/* value under drv.blk.LABEL, drv.chr.LABEL, drv.net.LABEL */

/* PUBLISH, RETRIEVE, DELETE, SUBSCRIBE: key (or expression) by grant; value: inline for U64 and LABEL, by grant otherwise. */
struct ds_req {
	grant_t key_grant; uint32_t key_len;	/* without NUL; READ */
	uint32_t flags;				/* DSF_* */
	grant_t value_grant;
	uint64_t value;				/* U64: number; LABEL: endpoint; else length of the value or room */
};
MSG_BODY_FITS(struct ds_req);
struct ds_rep { int64_t result; uint64_t value; endpoint_t owner; uint32_t flags; uint32_t key_len; };
	/* RETRIEVE: value or stored length; LABEL_NAME: key_len written; CHECK: key written to key_grant, type in flags, owner */
MSG_BODY_FITS(struct ds_rep);
struct ds_label_name_req { endpoint_t ep; grant_t name_grant; uint32_t len; };	/* WRITE */
