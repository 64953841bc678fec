/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of faulty: what is understood, what is refused and with which words, which request of a row is hit. */
#include "../rules.h"
#include <errno.h>
#include <expect.h>
#include <string.h>

static char error[RULE_ERROR_LEN];

static bool refused(const char *text, const char *words)
{
	struct rules r = { 0 };

	error[0] = 0;
	if (rules_add(&r, text, error) == 0 || r.n != 0 || !strstr(error, words)) {
		printf("'%s' gave '%s'\n", text, error);
		return false;
	}
	return true;
}

/* Which of `n` writes of 512 bytes, one after the other, are hit: a string of '.' and '#'. */
static const char *hits(const char *text, int n)
{
	static char row[65];
	struct rules r = { .random = 1 };

	EXPECT_EQ(rules_add(&r, text, error), 0);
	for (int i = 0; i < n; i++)
		row[i] = rules_pick(&r, RULE_WRITE, (uint64_t)i * 512, 512) ? '#' : '.';
	row[n] = 0;
	return row;
}

static void wrong_rules_are_explained(void)
{
	EXPECT(refused("", "names no action"));
	EXPECT(refused("write", "names no action"));
	EXPECT(refused(":crash", "no request named"));
	EXPECT(refused("wrote:crash", "unknown request 'wrote'; expected read write"));
	EXPECT(refused("read+wrote:crash", "unknown request 'wrote'"));
	EXPECT(refused("write:explode", "unknown action 'explode'; expected wrongdata"));
	EXPECT(refused("write:status=EBAD", "unknown status 'EBAD'"));
	EXPECT(refused("write:crash=3", "takes no value"));
	EXPECT(refused("write:crash:every", "unknown condition 'every'"));
	EXPECT(refused("write:crash:never=3", "unknown condition 'never'"));
	EXPECT(refused("write:crash:every=0", "not a number above 0"));
	EXPECT(refused("write:crash:every=3x", "not a number above 0"));
	EXPECT(refused("write:crash:every=-1", "not a number above 0"));
	EXPECT(refused("write:crash:every=99999999999999999999", "not a number above 0"));
	EXPECT(refused("write:crash:range=5", "is not FIRST-LAST"));
	EXPECT(refused("write:crash:range=9-5", "is not FIRST-LAST"));
}

static void conditions_choose(void)
{
	EXPECT(!strcmp(hits("write:crash", 4), "####"));
	EXPECT(!strcmp(hits("read:crash", 4), "...."));
	EXPECT(!strcmp(hits("any:crash:every=3", 7), "..#..#."));
	EXPECT(!strcmp(hits("write:crash:at=2", 5), ".#..."));
	EXPECT(!strcmp(hits("write:crash:after=3", 5), "...##"));
	EXPECT(!strcmp(hits("write:crash:after=1,every=2,count=2", 9), "..#.#...."));
	EXPECT(!strcmp(hits("write:crash:range=1K-1535", 5), "..#.."));
	EXPECT(!strcmp(hits("write:crash:range=1025-", 5), "..###"));
	EXPECT(strchr(hits("write:crash:permille=500", 60), '#') && strchr(hits("write:crash:permille=500", 60), '.'));
}

static void first_rule_acts_all_count(void)
{
	struct rules r = { 0 };

	EXPECT_EQ(rules_add(&r, "write:status=ENOSPC:every=2", error), 0);
	EXPECT_EQ(rules_add(&r, "write+read:noanswer:every=2", error), 0);
	EXPECT(!rules_pick(&r, RULE_WRITE, 0, 512));
	const struct rule *p = rules_pick(&r, RULE_WRITE, 0, 512);
	EXPECT(p && p->action == RULE_STATUS && p->status == -ENOSPC);
	EXPECT_EQ(r.rule[1].seen, 2);
	EXPECT_EQ(r.rule[1].done, 0);
	EXPECT(!rules_pick(&r, RULE_READ, 0, 512));
	p = rules_pick(&r, RULE_READ, 0, 512);
	EXPECT(p && p->action == RULE_NOANSWER);
	EXPECT(!rules_pick(&r, RULE_FLUSH, 0, 0));
}

int main(void)
{
	wrong_rules_are_explained();
	conditions_choose();
	first_rule_acts_all_count();
	for (int a = 1; a <= RULE_HANG; a++)
		EXPECT(*rule_action_name((enum rule_action)a) != 0);
	return expect_end();
}
