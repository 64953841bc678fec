# SPDX-License-Identifier: BSD-2-Clause
"""A disk driver that fails again and again under a copy, and nobody notices: cp ends with 0, the sums agree, the file system is clean.

The short forms run in the suite. RECOVERY=long: 256 MiB on 1, 2 and 4 processors, and the table of docs/recovery.md.
"""
import json
import os
import subprocess

import pytest

from harness import machine

FOLDER = os.path.join(machine.ROOT, "tests", "recovery")
SCRIPT = os.path.join(FOLDER, "under_fire.sh")
LONG = os.environ.get("RECOVERY") == "long"
RESTARTS = int(os.environ.get("RECOVERY_RESTARTS", "40"))	# 10000 for those with an hour
WAYS = ["kill", "crash", "hang", "exit", "wrong-reply"]


def make_disk(path, mib):
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", "-b", "4096", path, f"{mib}M"], check=True)
    return str(path)


def assert_clean(disk):
    done = subprocess.run(["/sbin/e2fsck", "-fn", disk], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def copy(tmp_path, mib, interval, ways, smp, timeout):
    """How often the driver was replaced."""
    disk = make_disk(tmp_path / "disk.img", 3 * mib + 32)
    result = machine.run_guest(["sh", "./under_fire.sh", str(mib), str(interval), *ways], smp=smp, mem=256, add=[SCRIPT],
                               disk=[disk], timeout=timeout)
    assert result.status == 0, result
    assert_clean(disk)
    return int(result.text.split()[-1])


@pytest.mark.parametrize("smp", [1, 4])
def test_copy_while_the_driver_fails_in_every_way(tmp_path, smp):
    failures = copy(tmp_path, 16, 1, WAYS, smp, 200)
    assert failures >= len(WAYS), "a failure did not lead to a new driver"


@pytest.mark.parametrize("smp", [2])
def test_records_of_several_processes_while_the_driver_is_killed(tmp_path, smp):
    disk = make_disk(tmp_path / "disk.img", 64)
    seconds = 120 if LONG else 8
    result = machine.run_guest(f"sh ./records.sh 4 {seconds}", smp=smp, mem=256, disk=[disk], timeout=seconds + 100,
                               add=[os.path.join(FOLDER, "records.sh"), os.path.join(machine.BUILD, "tests", "recovery", "records")])
    assert result.status == 0, result
    assert_clean(disk)
    assert json.loads(result.text[result.text.index("{"):])["restarts"] > 0, result


def test_order_in_which_services_start_makes_no_difference(tmp_path):
    disk = make_disk(tmp_path / "disk.img", 16)
    result = machine.run_guest("sh ./start_order.sh", mem=256, disk=[disk], add=[os.path.join(FOLDER, "start_order.sh")], timeout=150)
    assert result.status == 0 and result.text.split("\n")[-2:] == ["fine 24", ""], result
    assert_clean(disk)


def test_driver_of_ones_own_is_one_file(tmp_path):
    """No file of the system is edited: the driver's description names its class, and file systems that run already may use it."""
    disk = make_disk(tmp_path / "disk.img", 16)
    result = machine.run_guest("sh ./dropped_in.sh", mem=256, disk=[disk], add=[os.path.join(FOLDER, "dropped_in.sh")], timeout=150)
    assert result.status == 0 and result.text.endswith("fine\n"), result
    assert_clean(disk)


def test_driver_and_pci_server_die_together_while_a_program_is_loaded(tmp_path):
    disk = make_disk(tmp_path / "disk.img", 16)
    result = machine.run_guest("sh ./together.sh 5", mem=256, disk=[disk], add=[os.path.join(FOLDER, "together.sh")], timeout=150)
    assert result.status == 0 and result.text.count("restarted 5 times") == 2, result
    assert_clean(disk)


def test_nothing_is_left_of_drivers_that_were_replaced(tmp_path):
    disk = make_disk(tmp_path / "disk.img", 16)
    result = machine.run_guest(f"sh ./restarts.sh {RESTARTS}", mem=256, disk=[disk], add=[os.path.join(FOLDER, "restarts.sh")],
                               timeout=120 + RESTARTS)
    assert result.status == 0, str(result)
    before, after = (int(n) for n in result.text.split()[1:3])
    assert before - after < 40, "an instance is a dozen frames, and there were more than a hundred"
    assert_clean(disk)


@pytest.mark.skipif(not LONG, reason="RECOVERY=long")
@pytest.mark.parametrize("smp", [1, 2, 4])
def test_long_copy_while_the_driver_fails_in_every_way(tmp_path, smp):
    failures = copy(tmp_path, 256, 1, WAYS, smp, 1200)
    assert failures >= len(WAYS), "a failure did not lead to a new driver"
