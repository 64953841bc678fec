# SPDX-License-Identifier: BSD-2-Clause
"""Linux programs, one scenario a file, in the guest on 1, 2 and 4 processors; and on the host's Linux as reference."""
import functools

import pytest

from harness import machine, programs, suite
from harness.reference import missing, on_host

TESTS = programs.guest_tests()
SMP = (1, 2, 4)


@functools.cache
def suite_for(smp, names):
    return suite.Suite({name: programs.guest_program(name) for name in names}, smp)


def selected(session, smp):
    """The names that this run of pytest asks for on that many processors."""
    calls = [item.callspec.params for item in session.items if item.originalname == "test_guest"]
    return tuple(call["name"] for call in calls if call["smp"] == smp)


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
    assert not missing(name, verdict), f"passed on the host, not run in the guest: {missing(name, verdict)}"
