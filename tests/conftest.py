# SPDX-License-Identifier: BSD-2-Clause
"""What all tests share: the guest, known failures, which tests may run side by side, and the closing line."""
import fnmatch
import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import machine

KNOWN_FAILURES = os.path.join(machine.ROOT, "tests", "known_failures.txt")


@pytest.fixture
def guest():
    """guest(command, smp=, mem=, add=[...], timeout=, ...) -> Result; see harness/machine.py."""
    return machine.run_guest


@pytest.fixture
def build():
    """The build folder."""
    return machine.BUILD


def known_failures():
    """(pattern of test names, reason) for each line of the list."""
    with open(KNOWN_FAILURES) as f:
        for line in f:
            pattern, _, reason = line.split("#", 1)[0].strip().partition(" ")
            if pattern:
                yield pattern, reason.strip()


# What takes longest begins first, so that both jobs end at about the same time.
FIRST = ("smp4", "smp2", "smp1", "tests/test_stress.py", "host")


def group_of(item):
    """The tests of a group share a boot or something of the host, and run one after the other: a file is a group, but the guest
    programs, which are most of all tests, are a group for each number of processors, and one for the host."""
    if item.nodeid.startswith("tests/test_system.py"):
        return f"smp{item.callspec.params['smp']}" if "smp" in item.callspec.params else "host"
    return item.nodeid.split("::")[0]


def in_groups(items):
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
    items.sort(key=lambda item: FIRST.index(group_of(item)) if group_of(item) in FIRST else len(FIRST))


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items):
    in_groups(items)
    known = list(known_failures())
    for item in items:
        for pattern, reason in known:
            # The brackets of parameters are plain characters in the list.
            if fnmatch.fnmatch(item.nodeid, pattern.replace("[", "[[]")):
                item.add_marker(pytest.mark.xfail(reason=reason, strict=False))


def pytest_terminal_summary(terminalreporter):
    for kind, words in (("xfailed", "known failure"), ("xpassed", "known failure that now passes"), ("skipped", "skipped")):
        for report in terminalreporter.stats.get(kind, []):
            reason = getattr(report, "wasxfail", "") or (report.longrepr[2] if isinstance(report.longrepr, tuple) else "")
            terminalreporter.write_line(f"{words}: {report.nodeid}: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    config.addinivalue_line("markers", "xdist_group(name): tests that run one after the other")
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        shutil.rmtree(machine.HOST_VERDICTS, ignore_errors=True)
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        # The closing line is ours alone, so that exactly one line counts.
        reporter.summary_stats = lambda: None


def pytest_unconfigure(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter and not config.option.collectonly:
        passed = len(reporter.stats.get("passed", [])) + len(reporter.stats.get("xpassed", []))
        failed = len(reporter.stats.get("failed", [])) + len(reporter.stats.get("error", []))
        print(f"\n{passed} passed, {failed} failed", flush=True)
