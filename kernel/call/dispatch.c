/* SPDX-License-Identifier: BSD-2-Clause */
/* Dispatch of kernel calls: number, call mask, then the call's own file. Every refusal is traced with caller and reason. */
#include <kernel/debug.h>
#include <kernel/errno.h>
#include <kernel/kcall.h>
#include <kernel/priv.h>

struct kcall_entry { kcall_fn *run; const char *name; };

static const struct kcall_entry table[KC_COUNT] = {
#define X(name, basic, what) [KC_INDEX_##name] = { kcall_##name, #name },
	KCALLS(X)
#undef X
};

static const uint64_t basic_mask[KCALL_MASK_WORDS] = {
#define X(name, basic, what) | ((uint64_t)(basic) << (KC_INDEX_##name % 64) & -(uint64_t)(KC_INDEX_##name / 64 == 0))
	0 KCALLS(X),
#undef X
#define X(name, basic, what) | ((uint64_t)(basic) << (KC_INDEX_##name % 64) & -(uint64_t)(KC_INDEX_##name / 64 == 1))
	0 KCALLS(X),
#undef X
};

static bool kcall_permitted(const struct proc *p, uint32_t index)
{
	return mask_test(p->priv->spec.call_mask, index) || mask_test(basic_mask, index);
}

struct proc *kcall_target(struct proc *caller, const struct kcall *c, int i)
{
	endpoint_t e = (endpoint_t)c->w[i];

	return e == EP_SELF ? caller : proc_of_endpoint(e);
}

/*
 * Results are stored last, and only when the call is over: it may be run again from its arguments. Of an unfinished call they are new
 * arguments, and the caller is set back to its call, as by an interrupt in a string instruction; so that between two parts of a long
 * copy interrupts and other CPUs come in, the caller may be stopped, cleared or exchanged, and nothing about it is kept in the kernel.
 */
void kcall_run(struct proc *p)
{
	uint32_t index = arch_frame_type(&p->frame) - MSG_KCALL;
	struct kcall c;
	err_t err;

	if (unlikely(index >= KC_COUNT || !kcall_permitted(p, index))) {
		err = index >= KC_COUNT ? -EBADREQUEST : -ECALLDENIED;
		trace_refused(p, index >= KC_COUNT ? REFUSED_PRIMITIVE : index, index >= KC_COUNT ? "kernel call" : table[index].name,
			index, err);
		arch_frame_result_set(&p->frame, err);
		return;
	}
	arch_frame_words(&p->frame, c.w);
	err = table[index].run(p, &c);
	if (err == -ESUSPEND) {
		p->misc |= MF_CALL_RESUME;
	} else if (err == -EUNFINISHED) {
		arch_frame_words_set(&p->frame, c.w);
		arch_frame_restart(&p->frame);
	} else if (err != -ENORESULT) {
		if (unlikely(err))
			trace_refused(p, index, table[index].name, (int64_t)arch_frame_word(&p->frame, 0), err);
		arch_frame_words_set(&p->frame, c.w);
		arch_frame_result_set(&p->frame, err);
	}
}
