/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deferred output. A handler's replies, sends and notifications are queued here and leave, in order, at the next receive or
 * synchronous call. So a service that dies within a handler has told nobody anything of what it was about to do.
 *
 * Everything leaves by SENDA or NOTIFY, which never block; the last message leaves by REPLYREC together with the receive. When the
 * kernel has no room (EAGAIN) the entry stays, and with it all later ones to the same target, until the next flush. The queue
 * starts in static memory and grows by malloc; when memory is short the queue is flushed early instead of losing output.
 */
#include "sef_private.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUT_STATIC = 32, OUTPUT_MAX = 4096 };
enum output_kind { OUTPUT_SEND, OUTPUT_NOTIFY };

struct output {
	endpoint_t dst;
	uint32_t flags;
	enum output_kind kind;
	struct message m;
};

static struct {
	struct output *queue;
	uint32_t count, size;
	bool told_stuck;	/* said once that output waits */
	struct output initial[OUTPUT_STATIC];
} output = { .queue = output.initial, .size = OUTPUT_STATIC };

static void output_failed(const struct output *o, err_t error)
{
	if (sef_cb.send_failed && o->kind == OUTPUT_SEND)
		sef_cb.send_failed(o->dst, &o->m, error);
}

/* True when the entry is done with: sent, or dropped because its target cannot be reached. */
static bool output_leave(const struct output *o)
{
	err_t r = o->kind == OUTPUT_NOTIFY ? ipc_notify(o->dst) : ipc_senda(o->dst, &o->m, o->flags);

	if (r == -EAGAIN)
		return false;
	if (r != 0)
		output_failed(o, r);
	return true;
}

static bool output_waits_for(endpoint_t dst, uint32_t kept)
{
	for (uint32_t i = 0; i < kept; i++)
		if (output.queue[i].dst == dst)
			return true;
	return false;
}

/* Send the first n entries; those that cannot leave yet stay at the front. */
static void output_flush_first(uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct output *o = &output.queue[i];

		if (!output_waits_for(o->dst, kept) && output_leave(o))
			continue;
		if (kept != i)
			output.queue[kept] = *o;
		kept++;
	}
	if (kept != n)
		memmove(&output.queue[kept], &output.queue[n], (output.count - n) * sizeof(output.queue[0]));
	output.count -= n - kept;
	if (kept && !output.told_stuck) {
		output.told_stuck = true;
		log_warn("%u messages wait because a receiver does not take them (first: type %#x)", kept,
			output.queue[0].m.type);
	}
}

void sef_flush(void)
{
	if (output.count)
		output_flush_first(output.count);
}

static bool output_grow(void)
{
	uint32_t size = output.size * 2;
	struct output *bigger;

	if (size > OUTPUT_MAX)
		return false;
	bigger = malloc(size * sizeof(*bigger));
	if (!bigger)
		return false;
	memcpy(bigger, output.queue, output.count * sizeof(*bigger));
	if (output.queue != output.initial)
		free(output.queue);
	output.queue = bigger;
	output.size = size;
	return true;
}

/* A free entry at the end, or 0 when even a flush made no room. */
static struct output *output_append(endpoint_t dst, uint32_t flags, enum output_kind kind)
{
	struct output *o;

	if (output.count == output.size && !output_grow())
		sef_flush();
	if (output.count == output.size) {
		log_warn("output queue is full, message to %d lost", dst);
		return 0;
	}
	o = &output.queue[output.count++];
	o->dst = dst;
	o->flags = flags;
	o->kind = kind;
	return o;
}

void sef_send(endpoint_t dst, const struct message *m, uint32_t senda_flags)
{
	struct output *o = output_append(dst, senda_flags, OUTPUT_SEND);

	if (o)
		o->m = *m;
}

void sef_reply(endpoint_t dst, const struct message *m)
{
	sef_send(dst, m, 0);
}

void sef_reply_result(endpoint_t dst, uint32_t request_type, int64_t result)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.type = request_type + 1;
	m.w[0] = (uint64_t)result;
	sef_reply(dst, &m);
}

void sef_notify(endpoint_t dst)
{
	output_append(dst, 0, OUTPUT_NOTIFY);
}

err_t sef_call(endpoint_t dst, struct message *m)
{
	sef_flush();
	return ipc_sendrec(dst, m);
}

err_t sef_output_receive(endpoint_t src, struct message *m, uint32_t *status)
{
	struct output *last;
	err_t r;

	if (output.count > 1)
		output_flush_first(output.count - 1);
	if (output.count != 1 || output.queue[0].kind != OUTPUT_SEND) {
		sef_flush();
		return ipc_receive(src, m, status);
	}
	last = &output.queue[0];
	r = ipc_replyrec(last->dst, &last->m, last->flags, src, m, status);
	output.count = 0;
	/* REPLYREC does not say why the first half failed; sending again does. */
	if ((*status & IPC_STATUS_SEND_FAILED) && !output_leave(last))
		output.count = 1;
	*status &= ~(uint32_t)IPC_STATUS_SEND_FAILED;
	return r;
}
