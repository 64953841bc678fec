/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data store's client (proto/ds.h says who may do what, and the errors). All calls wait for DS, which answers at once, and end
 * the present step of the handler (sef_call). Names are strings of 1 to 79 bytes. Flags: DSF_*; the type bits are set here.
 */
#pragma once
#include <abi/endpoint.h>
#include <proto/ds.h>

err_t ds_publish_label(const char *label, endpoint_t ep, uint32_t flags);
err_t ds_publish_u64(const char *key, uint64_t value, uint32_t flags);
err_t ds_publish_str(const char *key, const char *value, uint32_t flags);
err_t ds_publish_mem(const char *key, const void *p, size_t len, uint32_t flags);

err_t ds_retrieve_label_endpt(const char *label, endpoint_t *ep);
/* Label of a live service; name gets at most LABEL_LEN bytes with NUL. */
err_t ds_retrieve_label_name(char *name, endpoint_t ep);
err_t ds_retrieve_u64(const char *key, uint64_t *value);
/* At most len bytes of text, so value must have room for len + 1: a NUL always follows. */
err_t ds_retrieve_str(const char *key, char *value, size_t len);
/* In: room. Out: bytes stored in DS under the key, of which as many as fit were copied. */
err_t ds_retrieve_mem(const char *key, void *p, size_t *len);

err_t ds_delete_label(const char *label);
err_t ds_delete_u64(const char *key);
err_t ds_delete_str(const char *key);
err_t ds_delete_mem(const char *key);

/* An extended regular expression that must match the whole key; flags: types of interest (none = all), DSF_INITIAL, DSF_OVERWRITE.
 * A change is told by a notification from EP_DS; then call ds_check() until it returns -ENOENT. */
err_t ds_subscribe(const char *regex, uint32_t flags);
/* key: room for DS_KEY_LEN. type (one of DSF_TYPE_*) and owner (its present endpoint or EP_NONE) may be 0. */
err_t ds_check(char *key, uint32_t *type, endpoint_t *owner);

/* Text of everything from *offset on, which is moved; *len in: room, out: bytes, 0 at the end. */
err_t ds_list(char *p, size_t *len, uint64_t *offset);
