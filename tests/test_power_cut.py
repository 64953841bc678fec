# SPDX-License-Identifier: BSD-2-Clause
"""QEMU is killed in the middle of a write load; e2fsck repairs what is left, and no file whose fsync had returned is lost.

Three cuts in the suite; POWER_CUTS=100 for as many as one has patience for.
"""
import os
import random
import signal
import subprocess
import time

import pytest

from harness import machine

CUTS = int(os.environ.get("POWER_CUTS", "3"))
WRITER = os.path.join(machine.BUILD, "tests", "recovery", "fsync_writer")
LINE = "/etc/rc.disk start && mount -t ext2 /dev/vda /mnt && cp fsync_writer /mnt && cd /mnt && echo begin && ./fsync_writer {seed}"


def contents(number, size):
    return bytes((number * 7 + i * 13 + i // 4096) & 255 for i in range(size))


def descendants(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    return [int(p) for p in found] + [g for p in found for g in descendants(p)]


def run_until_cut(disk, seed, seconds):
    """The (number, bytes) of all files that were said to be safe before the power went."""
    command = machine.guest_command(LINE.format(seed=seed), mem=256, add=[WRITER], disk=[disk], timeout=120)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    synced, cut_at = [], None
    os.set_blocking(process.stdout.fileno(), False)
    rest = b""
    while process.poll() is None:
        rest += process.stdout.read() or b""
        *lines, rest = rest.split(b"\n")
        for line in lines:
            words = line.decode(errors="replace").split()
            if words[:1] == ["begin"]:
                cut_at = time.monotonic() + seconds
            elif words[:1] == ["synced"] and len(words) == 3:
                synced.append((int(words[1]), int(words[2])))
        if cut_at and time.monotonic() > cut_at:
            for pid in descendants(process.pid):
                os.kill(pid, signal.SIGKILL)
            break
        time.sleep(0.005)
    process.communicate(timeout=60)
    assert cut_at and time.monotonic() > cut_at, "the guest ended by itself"
    return synced


def assert_kept(disk, synced, folder):
    done = subprocess.run(["/sbin/e2fsck", "-fy", disk], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert subprocess.run(["/sbin/e2fsck", "-fn", disk], capture_output=True).returncode == 0, "still broken after a repair"
    for number, size in synced:
        copy = os.path.join(folder, "copy")
        subprocess.run(["/sbin/debugfs", "-R", f"dump kept.{number} {copy}", disk], capture_output=True, check=True)
        with open(copy, "rb") as f:
            assert f.read() == contents(number, size), f"kept.{number} of {size} bytes; e2fsck said:\n{done.stdout}"
        os.unlink(copy)


@pytest.mark.parametrize("cut", range(CUTS))
def test_power_cut_loses_nothing_that_was_synced(tmp_path, cut):
    disk = str(tmp_path / "disk.img")
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", disk, "128M"], check=True)
    synced = run_until_cut(disk, cut + 1, random.Random(cut).uniform(0.2, 4))
    assert_kept(disk, synced, str(tmp_path))
