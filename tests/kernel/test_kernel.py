# SPDX-License-Identifier: BSD-2-Clause
"""The kernel alone: a boot archive whose RS is a script of checks, whose VM is a small one, and an echo server."""
import os
import re
import subprocess
import sys

import pytest

from harness import machine

sys.path.insert(0, os.path.join(machine.ROOT, "tools", "pylib"))
import cpio
import qemu

BOOT = {"rs": "rs/ktest_rs", "vm": "vm/ktest_vm", "ds": "echo/ktest_echo"}


def make_archive(path, build=machine.BUILD):
    archive = cpio.Archive()
    for name, program in BOOT.items():
        with open(os.path.join(build, "tests", "kernel", program + ".stripped"), "rb") as f:
            archive.file("boot/" + name, f.read(), 0o755)
    with open(path, "wb") as out:
        archive.write(out)


def run(archive, smp=1, mem=256, append="", timeout=300, kernel=None, icount=False):
    guest = qemu.Machine(kernel or qemu.kernel_path(machine.BUILD), archive, smp, mem)
    guest.append, guest.serials, guest.icount, guest.reboot = append.split(), ["stdio"], icount, False
    done = subprocess.run(guest.command(), stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
    return done.stdout.decode(errors="replace")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("kernel") / "ktest.cpio"
    make_archive(path)
    return str(path)


@pytest.mark.parametrize("smp", [1, 2, 4])
def test_every_check_of_the_kernel_holds(archive, smp):
    text = run(archive, smp)
    assert "FAIL" not in text and "PANIC" not in text, text[-6000:]
    assert "ktest: done" in text, text[-6000:]


@pytest.mark.parametrize("smp", [2, 4])
def test_kernel_that_ignores_stale_bits_fails_the_check(archive, smp):
    """The negative control: the check of stale translations can fail."""
    stale = os.path.join(machine.BUILD, "variants", "stale", "kernel", "axolotl.elf")
    text = run(archive, smp, kernel=stale)
    assert "FAIL the reader never sees an old frame" in text, text[-6000:]
    assert "ktest: done" in text, text[-6000:]


def test_messages_and_calls_take_few_instructions(archive):
    """With -icount shift=0 a nanosecond of the guest is an instruction. The bounds include the loops of the test itself."""
    text = run(archive, icount=True)
    took = {what: int(ns) for what, ns in re.findall(r"measure: (.*) (\d+) ns", text)}
    assert took["round trip, two spaces"] < 600, took
    assert took["system call to a server"] < 650, took
    assert took["system call answered from the slot"] < 220, took
    assert took["kernel call"] < 400, took
    assert took["copy of 64 bytes"] < 700, took
    assert took["safe copy of 64 bytes"] < 900, took
    assert took["safe copy of a page"] < 2250, took
