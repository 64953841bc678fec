# SPDX-License-Identifier: BSD-2-Clause
"""The test programs that the build made, from BUILD/tests.list."""
import os

from . import machine

LIBRARIES = ("musl", "glibc")


def _words():
    path = os.path.join(machine.BUILD, "tests.list")
    if not os.path.exists(path):
        return []
    with open(path) as f:
        words = f.read().split()
    return list(zip(words[::2], words[1::2]))


def unit_tests():
    """Host unit tests, as paths below BUILD/unit."""
    return [value for kind, value in _words() if kind == "unit"]


def guest_tests():
    """{musl/NAME or glibc/NAME: source file relative to the root}, the ones under stress/ last."""
    pairs = [value.split("=") for kind, value in _words() if kind == "guest"]
    pairs.sort(key=lambda pair: ("/stress/" in pair[1], pair))
    return {f"{library}/{name}": source for name, source in pairs for library in LIBRARIES}


def guest_program(name):
    return os.path.join(machine.BUILD, "guesttest", name)


def service_tests():
    """{NAME: (source, stripped program)} of the test services whose name begins with test_."""
    paths = [value for kind, value in _words() if kind == "service"]
    return {os.path.basename(p): (os.path.join(machine.ROOT, p + ".c"), service_program(p)) for p in sorted(paths)
            if os.path.basename(p).startswith("test_")}


def service_program(path):
    """The stripped program of a test service, by its path in the tree without ending."""
    return os.path.join(machine.BUILD, path + ".stripped")
