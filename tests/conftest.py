# SPDX-License-Identifier: BSD-2-Clause
"""What all tests share: the list of programs that were built, the guest, known failures, and the closing line."""
import fnmatch
import os
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


def pytest_collection_modifyitems(items):
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
