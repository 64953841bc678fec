# SPDX-License-Identifier: BSD-2-Clause
"""filter over drivers that lie (faulty): a client that knows what it wrote reads nothing else, whatever goes wrong on one of two disks.

The engine itself is tested on the host with thousands of seeds (drivers/block/filter/test); here it is the services, RS and real time.
"""
import functools
import os
import re

import pytest

from harness import machine, programs

FOLDER = os.path.join(machine.ROOT, "tests", "block")

QUICK = "timeout=400 patience=100"
# How often each action strikes; what is not here: every 7th request. The first ones make the mirror, for which one disk alone is to be had.
OFTEN = {"status": "every=5,after=60", "noanswer": "every=70,after=60", "delay": "every=9,after=60,delay=150",
         "crash": "at=110", "exit": "at=110", "hang": "at=110"}
ARGUMENTS = {"misdirect": "sum=md5"}


def actions():
    """All that faulty can do, from its source."""
    with open(os.path.join(machine.ROOT, "drivers", "block", "faulty", "rules.h")) as f:
        return re.findall(r'\bX\(\w+, "(\w+)"\)', f.read())


# A read cannot be lost.
ONE_RULE = [(action, way) for way in ("read", "write") for action in actions() if (action, way) != ("lost", "read")]
# name: (rules of the first disk, arguments of the filter)
MIXED = {
    "corrupt": ("rule=read:wrongdata:every=5 rule=read:zerodata:every=17 rule=write:wrongdata:every=13,after=40", ""),
    "elsewhere": ("rule=write:misdirect:every=5,after=60 rule=read:misdirect:every=4,after=60", "sum=md5"),
    "weak": ("rule=read:misdirect:every=8", "sum=xor"),
    "silent": ("rule=any:noanswer:at=120 rule=read:wrongid:at=60", QUICK),
}
GONE = "rule=read:zerodata:after=12,range=200K-400K"


def rule_case(action, way):
    return f"{way}-{action}|rule={way}:{action}:{OFTEN.get(action, 'every=7,after=60')}||{ARGUMENTS.get(action, '')} {QUICK}\n"


def run(cases):
    return machine.run_guest(f"cat >cases <<'END'\n{cases}END\nsh ./rules.sh <cases", timeout=180, add=[
        os.path.join(FOLDER, "rules.sh"), os.path.join(FOLDER, "filter.conf"),
        programs.service_program("tests/block/disk_user") + ":/root/disk_user"])


@functools.cache
def boot(group):
    if group == "mixed":
        return run("".join(f"{name}|{rules}||{arguments}\n" for name, (rules, arguments) in MIXED.items())
                   + f"both|{GONE}|{GONE}|restarts=0\n")
    return run("".join(rule_case(action, way) for action, way in ONE_RULE if way == group))


def found(group, name):
    """(reads, writes, errors, wrong)"""
    result = boot(group)
    text = result.text.partition(f"@@ {name}\n")[2].partition("@@ ")[0]
    numbers = re.search(r"finished: (\d+) reads, (\d+) writes, (\d+) errors, (\d+) wrong", text)
    assert numbers, f"{text}\n{result}"
    reads, writes, errors, wrong = map(int, numbers.groups())
    assert reads > 50 and writes > 15 and "WRONG" not in text, text
    return errors, wrong


@pytest.mark.parametrize("action,way", ONE_RULE)
def test_every_rule_on_one_disk(action, way):
    assert found(way, f"{way}-{action}") == (0, 0)


@pytest.mark.parametrize("name", MIXED)
def test_several_rules_on_one_disk(name):
    assert found("mixed", name) == (0, 0)


def test_what_both_disks_have_lost_is_an_error_and_never_wrong():
    errors, wrong = found("mixed", "both")
    assert errors > 0 and wrong == 0
