/* SPDX-License-Identifier: BSD-2-Clause */
/* sendmsg and recvmsg: headers and control messages. */
#pragma once
#include "sock.h"

int64_t sock_sendmsg(struct call *c, struct file *f, vaddr_t hdr, unsigned flags);
int64_t sock_recvmsg(struct call *c, struct file *f, vaddr_t hdr, unsigned flags);
