# SPDX-License-Identifier: BSD-2-Clause
"""Boot: memory used at the prompt, small machines, and the GRUB image."""
import os
import shutil
import subprocess

import pytest

from harness import console, machine, programs, suite

MAX_USED_MIB = 24
# Programs that together touch every server, for a machine with little memory.
BASIC = ("test_fork", "test_execve", "test_pipe", "test_cow", "test_mmap_anon", "test_wait", "test_session", "test_pthread")


def test_memory_used_at_the_prompt():
    with console.Console(smp=2, mem=512) as guest:
        guest.expect(console.PROMPT, timeout=300)
        text = guest.command("cat /proc/meminfo")
    info = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines() if line.endswith("kB")}
    used = (info["MemTotal"] - info["MemFree"]) / 1024
    assert used <= MAX_USED_MIB, f"{used:.1f} MiB used at the prompt"
    assert info["MemTotal"] / 1024 > 512 - MAX_USED_MIB, f"only {info['MemTotal'] / 1024:.1f} MiB of 512 are counted at all"


def test_basic_programs_in_64_mib():
    wanted = {f"musl/{n}": programs.guest_program(f"musl/{n}") for n in BASIC if f"musl/{n}" in programs.guest_tests()}
    small = suite.Suite(wanted, smp=2, mem=64)
    for name in wanted:
        verdict = small.verdict(name)
        assert verdict is not None and verdict.status == 0, str(verdict)


@pytest.mark.skipif(machine.LINUX is not None, reason="the image holds Axolotl")
@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_grub_image_boots(firmware):
    if not shutil.which("grub-mkrescue"):
        pytest.skip("grub-mkrescue is not installed")
    subprocess.run(["make", "iso", f"BUILD={os.path.relpath(machine.BUILD, machine.ROOT)}"], cwd=machine.ROOT, check=True,
                   capture_output=True)
    with console.Console(smp=2, iso=os.path.join(machine.BUILD, "axolotl.iso"), uefi=firmware == "uefi") as guest:
        guest.expect(console.PROMPT, timeout=300)
        assert guest.command("echo booted by GRUB | tr a-z A-Z") == "BOOTED BY GRUB\n"
