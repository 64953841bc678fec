# SPDX-License-Identifier: BSD-2-Clause
"""Linux programs, one scenario a file, in the guest on 1, 2 and 4 processors; and on the host's Linux as reference."""
import fcntl
import functools
import json
import os
import subprocess

import pytest

from harness import machine, programs, suite

TESTS = programs.guest_tests()
SMP = (1, 2, 4)


@functools.cache
def suite_for(smp, names):
    return suite.Suite({name: programs.guest_program(name) for name in names}, smp)


def selected(session, smp):
    """The names that this run of pytest asks for on that many processors."""
    calls = [item.callspec.params for item in session.items if item.originalname == "test_guest"]
    return tuple(call["name"] for call in calls if call["smp"] == smp)


def run_on_host(name):
    """(status, lines of output)"""
    with machine.scratch_folder() as folder:
        done = subprocess.run([programs.guest_program(name)], cwd=folder, stdin=subprocess.DEVNULL, timeout=600,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors="replace").split("\n")


@functools.cache
def on_host(name):
    """The verdict of the host's Linux, or None where the test asks for the guest only. Each program runs once, whichever process of
    pytest asks first; and one at a time, for they limit, count and signal the processes of some users."""
    if machine.header_note(TESTS[name], "host"):
        return None
    os.makedirs(machine.HOST_VERDICTS, exist_ok=True)
    path = os.path.join(machine.HOST_VERDICTS, name.replace("/", "-") + ".json")
    with open(os.path.join(machine.HOST_VERDICTS, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            result = run_on_host(name)
            with open(path, "w") as f:
                json.dump(result, f)
    verdict = suite.Verdict(name)
    with open(path) as f:
        verdict.status, verdict.lines = json.load(f)
    return verdict


def check(verdict):
    if verdict.status != 0 or verdict.failures() or verdict.leaks:
        pytest.fail(str(verdict), pytrace=False)


@pytest.mark.parametrize("name", TESTS)
def test_host(name):
    verdict = on_host(name)
    if verdict is None:
        pytest.skip("host: " + machine.header_note(TESTS[name], "host"))
    check(verdict)


@pytest.mark.parametrize("name", TESTS)
@pytest.mark.parametrize("smp", SMP, ids=lambda n: f"smp{n}")
def test_guest(smp, name, request):
    verdict = suite_for(smp, selected(request.session, smp)).verdict(name)
    if verdict is None:
        pytest.fail("not run: the guest ended too often before this test", pytrace=False)
    check(verdict)
    reference = on_host(name)
    if reference:
        missing = sorted(reference.ok_names() - verdict.ok_names() - verdict.skipped_names())
        assert not missing, f"passed on the host, not run in the guest: {' '.join(missing)}"
