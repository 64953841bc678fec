# SPDX-License-Identifier: BSD-2-Clause
"""A disk driver that fails again and again under a copy, and nobody notices: cp ends with 0, the sums agree, the file system is clean.

The short forms run in the suite. RECOVERY=long: 256 MiB on 1, 2 and 4 processors, and the table of docs/recovery.md.
"""
import os
import subprocess

import pytest

from harness import machine

SCRIPT = os.path.join(machine.ROOT, "tests", "recovery", "under_fire.sh")
LONG = os.environ.get("RECOVERY") == "long"
WAYS = ["kill", "crash", "hang", "exit", "wrong-reply"]


def make_disk(path, mib):
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", "-b", "4096", path, f"{mib}M"], check=True)
    return str(path)


def assert_clean(disk):
    done = subprocess.run(["/sbin/e2fsck", "-fn", disk], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def copy(tmp_path, mib, interval, ways, smp, timeout):
    """Seconds the copy took, and how often the driver was replaced."""
    disk = make_disk(tmp_path / "disk.img", 3 * mib + 32)
    result = machine.run_guest(["sh", "./under_fire.sh", str(mib), str(interval), *ways], smp=smp, mem=256, add=[SCRIPT],
                               disk=[disk], timeout=timeout)
    assert result.status == 0, result
    assert_clean(disk)
    words = result.text.split()
    return float(words[words.index("copied") + 1]), int(words[words.index("failures") + 1])


@pytest.mark.parametrize("smp", [1, 4])
def test_copy_while_the_driver_fails_in_every_way(tmp_path, smp):
    _, failures = copy(tmp_path, 16, 1, WAYS, smp, 200)
    assert failures >= len(WAYS), "a failure did not lead to a new driver"


@pytest.mark.skipif(not LONG, reason="RECOVERY=long")
@pytest.mark.parametrize("smp", [1, 2, 4])
def test_long_copy_while_the_driver_fails_in_every_way(tmp_path, smp):
    _, failures = copy(tmp_path, 256, 1, WAYS, smp, 1200)
    assert failures >= len(WAYS), "a failure did not lead to a new driver"
