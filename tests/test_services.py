# SPDX-License-Identifier: BSD-2-Clause
"""Tests that must be services (tests/proto): one boot runs each by `service up`, judges its log, and takes it down again."""
import functools
import os
import re
import shutil
import tempfile

import pytest

from harness import machine, programs

NAME_MAX = 15


def service_name(test):
    """Names of services are short, and "ds" is taken."""
    return test.removeprefix("test_")[:NAME_MAX - 2] + ".t"


TESTS = {service_name(name): test for name, test in programs.service_tests().items()}


def stanza(name, source):
    """Privileges: what a comment `/* conf: ... */` in the source asks for, else messages to all services."""
    with open(source) as f:
        asked = re.search(r"/\* conf: (.*?) \*/", f.read())
    return f"service {name} {{\n\t{asked.group(1) if asked else 'ipc ALL_SYS;'}\n}};\n"


# The log between the markers is the test's. Leaks are judged as for programs: only what grows in a second run too.
SCRIPT = """
cd /root/svc
leaks() { grep -v pool /proc/axolotl/leaks 2>/dev/null; grep MemFree /proc/meminfo; }
round() {
	service up /root/svc/$1 -config /root/svc/test.conf
	echo "status $?"
	service down $1
}
for name in NAMES; do
	echo "test $name begins" >/dev/kmsg
	round $name
	echo "test $name ends" >/dev/kmsg
	leaks >/tmp/before
	round $name >/dev/null 2>&1
	leaks >/tmp/after
	echo "@@leaks $name"
	cat /tmp/before; echo "@@to"; cat /tmp/after; echo "@@end"
done
dmesg
"""


@functools.cache
def boot():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name, (_, program) in TESTS.items():
            shutil.copy(program, os.path.join(folder, name))
        with open(os.path.join(folder, "test.conf"), "w") as f:
            f.writelines(stanza(name, source) for name, (source, _) in TESTS.items())
        return machine.run_guest(SCRIPT.replace("NAMES", " ".join(TESTS)), add=[folder + ":/root/svc"], timeout=600)


def section(text, begin, end):
    return text.partition(begin)[2].partition(end)[0]


@pytest.mark.parametrize("name", TESTS)
def test_service(name):
    result = boot()
    log = section(result.text, f"test {name} begins", f"test {name} ends")
    if not log:
        pytest.fail(f"{name} left no log\n{result}", pytrace=False)
    if "FAIL" in log or "done, 0 failed" not in log:
        pytest.fail(log[-6000:], pytrace=False)
    leaks = section(result.text, f"@@leaks {name}\n", "@@end")
    before, after = (dict(re.findall(r"(\w+):?\s+(\d+)", part)) for part in leaks.split("@@to"))
    grown = [f"{k}: {before[k]} -> {after[k]}" for k in before if "free" not in k.lower() and int(after.get(k, 0)) > int(before[k])]
    assert not grown, f"after a second run: {', '.join(grown)}"
    assert int(after["MemFree"]) > int(before["MemFree"]) - 256
