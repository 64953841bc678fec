/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word { const char *name; int value; };

static const struct word ops[] = { { "read", RULE_READ }, { "write", RULE_WRITE }, { "flush", RULE_FLUSH }, { "discard", RULE_DISCARD },
	{ "open", RULE_OPEN }, { "any", RULE_READ | RULE_WRITE | RULE_FLUSH | RULE_DISCARD }, { 0, 0 } };

static const struct word actions[] = {
#define X(name, word) { word, RULE_##name },
	RULE_ACTIONS(X)
#undef X
	{ 0, 0 },
};

static const struct word statuses[] = { { "EIO", EIO }, { "ENOSPC", ENOSPC }, { "EINVAL", EINVAL }, { "EPERM", EPERM }, { "EROFS", EROFS },
	{ "ENXIO", ENXIO }, { "ENOMEM", ENOMEM }, { "ERESTARTSYS", 512 }, { 0, 0 } };

enum { TEXT_MAX = 200 };

static const struct word *word_find(const struct word *w, const char *name)
{
	while (w->name && strcmp(w->name, name) != 0)
		w++;
	return w->name ? w : 0;
}

static int complain(char error[RULE_ERROR_LEN], const char *what, const char *got, const struct word *expected)
{
	int n = snprintf(error, RULE_ERROR_LEN, "%s '%s'; expected", what, got);

	for (; expected && expected->name && n < RULE_ERROR_LEN; expected++)
		n += snprintf(error + n, RULE_ERROR_LEN - (size_t)n, " %s", expected->name);
	return -1;
}

const char *rule_action_name(enum rule_action a) { return a ? actions[a - 1].name : "none"; }

int rules_number(const char *text, uint64_t *value)
{
	char *end;
	uint64_t n;
	unsigned shift;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	n = strtoull(text, &end, 0);
	shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
	if (errno || (shift ? end[1] : *end) || n > UINT64_MAX >> shift)
		return -1;
	*value = n << shift;
	return 0;
}

static int parse_ops(struct rule *r, char *text, char *error)
{
	char *rest = 0;

	for (char *t = strtok_r(text, "+", &rest); t; t = strtok_r(0, "+", &rest)) {
		const struct word *w = word_find(ops, t);
		if (!w)
			return complain(error, "unknown request", t, ops);
		r->ops |= (uint32_t)w->value;
	}
	return r->ops ? 0 : complain(error, "no request named in", text, ops);
}

static int parse_status(struct rule *r, const char *text, char *error)
{
	const struct word *w = word_find(statuses, text);

	r->status = w ? -w->value : 0;
	return w ? 0 : complain(error, "unknown status", text, statuses);
}

static int parse_action(struct rule *r, char *text, char *error)
{
	char *value = strchr(text, '=');
	const struct word *w;

	if (value)
		*value++ = 0;
	w = word_find(actions, text);
	if (!w)
		return complain(error, "unknown action", text, actions);
	r->action = (enum rule_action)w->value;
	if (r->action == RULE_STATUS)
		return parse_status(r, value ? value : "EIO", error);
	if (!value)
		return 0;
	snprintf(error, RULE_ERROR_LEN, "'%s' takes no value", text);
	return -1;
}

static int parse_range(struct rule *r, char *text)
{
	char *dash = strchr(text, '-');

	if (!dash)
		return -1;
	*dash++ = 0;
	if (rules_number(text, &r->first))
		return -1;
	if (*dash == 0)
		return 0;	/* "4096-": to the end */
	return rules_number(dash, &r->last) || r->last < r->first ? -1 : 0;
}

static int parse_condition(struct rule *r, char *text, char *error)
{
	static const struct word names[] = { { "every=N", 0 }, { "at=N", 0 }, { "after=N", 0 }, { "count=N", 0 }, { "permille=N", 0 },
		{ "range=FIRST-LAST", 0 }, { "delay=MS", 0 }, { 0, 0 } };
	char *value = strchr(text, '=');
	uint64_t n = 0;
	int bad;

	if (!value)
		return complain(error, "unknown condition", text, names);
	*value++ = 0;
	bad = strcmp(text, "range") == 0 ? parse_range(r, value) : rules_number(value, &n) || n == 0;
	if (bad) {
		snprintf(error, RULE_ERROR_LEN, "%s=%s is not %s", text, value, strcmp(text, "range") ? "a number above 0" : "FIRST-LAST");
		return -1;
	}
	if (strcmp(text, "every") == 0)
		r->every = n;
	else if (strcmp(text, "at") == 0)
		r->at = n;
	else if (strcmp(text, "after") == 0)
		r->after = n;
	else if (strcmp(text, "count") == 0)
		r->count = n;
	else if (strcmp(text, "permille") == 0)
		r->permille = n > 1000 ? 1000 : (uint32_t)n;
	else if (strcmp(text, "delay") == 0)
		r->delay_ms = (uint32_t)n;
	else if (strcmp(text, "range") != 0)
		return complain(error, "unknown condition", text, names);
	return 0;
}

int rules_add(struct rules *r, const char *text, char error[RULE_ERROR_LEN])
{
	struct rule rule = { .last = UINT64_MAX, .delay_ms = 100 };
	char copy[TEXT_MAX], *action, *conditions, *rest = 0;

	if (strlen(text) >= sizeof(copy) || r->n == RULES_MAX) {
		snprintf(error, RULE_ERROR_LEN, r->n == RULES_MAX ? "more than %d rules" : "rule longer than %d bytes",
			r->n == RULES_MAX ? RULES_MAX : TEXT_MAX - 1);
		return -1;
	}
	strcpy(copy, text);
	action = strchr(copy, ':');
	if (!action) {
		snprintf(error, RULE_ERROR_LEN, "'%s' names no action; expected REQUESTS:ACTION[:CONDITIONS]", copy);
		return -1;
	}
	*action++ = 0;
	conditions = strchr(action, ':');
	if (conditions)
		*conditions++ = 0;
	if (parse_ops(&rule, copy, error) || parse_action(&rule, action, error))
		return -1;
	for (char *t = conditions ? strtok_r(conditions, ",", &rest) : 0; t; t = strtok_r(0, ",", &rest))
		if (parse_condition(&rule, t, error))
			return -1;
	r->rule[r->n++] = rule;
	return 0;
}

uint64_t rules_random(struct rules *r)
{
	r->random = r->random * 6364136223846793005ull + 1442695040888963407ull;
	return r->random >> 33;
}

static bool rule_fits(const struct rule *r, enum rule_op op, uint64_t pos, uint64_t len)
{
	if (!(r->ops & op))
		return false;
	if (op != RULE_READ && op != RULE_WRITE && op != RULE_DISCARD)
		return true;
	return len ? pos <= r->last && pos + len - 1 >= r->first : pos >= r->first && pos <= r->last;
}

static bool rule_acts(struct rules *all, struct rule *r)
{
	uint64_t n = ++r->seen;

	if (r->count && r->done >= r->count)
		return false;
	if (r->at && n != r->at)
		return false;
	if (n <= r->after)
		return false;
	if (r->every && (n - r->after) % r->every)
		return false;
	return !r->permille || rules_random(all) % 1000 < r->permille;
}

const struct rule *rules_pick(struct rules *all, enum rule_op op, uint64_t pos, uint64_t len)
{
	struct rule *picked = 0;

	for (uint32_t i = 0; i < all->n; i++) {
		struct rule *r = &all->rule[i];
		if (rule_fits(r, op, pos, len) && rule_acts(all, r) && !picked)
			picked = r;
	}
	if (picked)
		picked->done++;
	return picked;
}
