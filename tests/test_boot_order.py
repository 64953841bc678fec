# SPDX-License-Identifier: BSD-2-Clause
"""Boots with the start order of all services shuffled (rs.shuffle=SEED among the kernel's words) end in the same state as an unshuffled one.

BOOTS=50 for the long form; half of the boots have 4 processors. What depends on the order by nature is not compared: process ids of programs
and endpoints of services that are no boot services (numbers are given as they are asked for), times, counters of what is in flight at the
moment one looks (alarms, messages, page tables), and memory but roughly.
"""
import functools
import json
import os
import re
import shutil
import subprocess
import tempfile

import pytest

from harness import machine

BOOTS = int(os.environ.get("BOOTS", "4"))
FSTAB = "/dev/vda /mnt ext2 defaults 0 0\n"

# Sections of what can be seen.
LOOK = """
section() { echo "@@$1"; }
section services; service list --json
section processes; ps -o user,comm >/tmp/ps; sed 1d /tmp/ps | sort; rm /tmp/ps
section mounts; sort /proc/mounts
section dev; find /dev -path /dev/pts -prune -o -print | sort | xargs stat -c '%n %F %a %u %g %t %T'
section ds; sed '/\\tlabel\\t/s/[0-9]*$//' /proc/axolotl/ds | sort
section counters; cat /proc/axolotl/leaks; grep MemFree /proc/meminfo
section files; cd /mnt && md5sum etc-copy/* && find / -xdev -type f | sort | xargs md5sum | md5sum; cd /
section works; cp /bin/busybox /mnt/new && umount /mnt && mount /mnt && cmp /bin/busybox /mnt/new && umount /mnt && echo yes
section warnings; dmesg | grep -i 'warning\\|panic\\|refused' | sed 's/^\\[[^]]*\\] *//' | sort
section order; dmesg | grep 'shuffled\\|boot services run'
section end
"""


def make_disk(folder):
    """An ext2 disk with some files of the tree on it."""
    contents = os.path.join(folder, "contents", "etc-copy")
    os.makedirs(contents)
    for name in ("passwd", "system.conf", "rc"):
        shutil.copy(os.path.join(machine.ROOT, "images", "rootfs", "etc", name), contents)
    path = os.path.join(folder, "disk.img")
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", "-b", "4096", "-d", os.path.dirname(contents), path, "16M"], check=True)
    return path


def by_name(text):
    """Of each service what must not depend on the order."""
    return sorted((s["name"], s["program"], s["state"], s["health"], s["kind"], s["restarts"], s["majors"], s["block_majors"], s["faults"])
                  for s in json.loads(text))


COUNTED = ("slots", "privileges", "spaces", "irq_hooks", "files", "pipes", "sockets")


def counters(text):
    values = dict(re.findall(r"(\w+):? +(\d+)", text))
    return {name: values[name] for name in COUNTED}, sorted(values)


def state_of(text):
    parts = dict(re.findall(r"@@(\w+)\n(.*?)(?=@@)", text, re.S))
    parts["services"], parts["counters"] = by_name(parts["services"]), counters(parts["counters"])
    return parts


def boot(seed, smp):
    with tempfile.TemporaryDirectory() as folder:
        disk, fstab = make_disk(folder), os.path.join(folder, "fstab")
        with open(os.path.join(machine.ROOT, "images", "rootfs", "etc", "fstab")) as f, open(fstab, "w") as out:
            out.write(f.read() + FSTAB)
        os.chmod(fstab, 0o644)
        result = machine.run_guest(LOOK, smp=smp, mem=256, disk=[disk], add=[fstab + ":/etc/fstab"], timeout=90,
                                   append=f"rs.shuffle={seed}" if seed else "")
        assert result.status == 0 and "@@end" in result.text, str(result)
        done = subprocess.run(["/sbin/e2fsck", "-fn", disk], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    return state_of(result.text)


@functools.cache
def usual():
    """The unshuffled boot."""
    state = boot(0, 2)
    assert state["works"] == "yes\n" and "/dev/vda /mnt ext2" in state["mounts"], state
    assert "shuffled" not in state["order"], state["order"]
    return state


@pytest.mark.parametrize("seed", range(1, BOOTS + 1))
def test_order_of_start_makes_no_difference(seed):
    state = boot(seed, 4 if seed % 2 else 1)
    assert f"shuffled by {seed}\n" in state["order"], state["order"]
    for name, value in usual().items():
        if name != "order":
            assert state[name] == value, f"{name} after seed {seed}"
