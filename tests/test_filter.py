# SPDX-License-Identifier: BSD-2-Clause
"""filter over drivers that lie (faulty): a client that knows what it wrote reads nothing else, whatever goes wrong on one of two disks.

The engine itself is tested on the host with thousands of seeds (drivers/block/filter/test); here it is the services, RS and real time.
"""
import functools
import os
import re
import subprocess
import tempfile

import pytest

from harness import machine, programs

FOLDER = os.path.join(machine.ROOT, "tests", "block")

QUICK = "timeout=400 patience=100"
# How often each action strikes; what is not here: every 7th request. The first ones make the mirror, for which one disk alone is to be had.
OFTEN = {"status": "every=5,after=60", "noanswer": "every=70,after=60", "delay": "every=9,after=60,delay=150",
         "crash": "at=110", "exit": "at=110", "hang": "at=110"}
ARGUMENTS = {"misdirect": "sum=md5"}


def actions():
    """All that faulty can do, from its source."""
    with open(os.path.join(machine.ROOT, "drivers", "block", "faulty", "rules.h")) as f:
        return re.findall(r'\bX\(\w+, "(\w+)"\)', f.read())


# A read cannot be lost.
ONE_RULE = [(action, way) for way in ("read", "write") for action in actions() if (action, way) != ("lost", "read")]
# name: (rules of the first disk, arguments of the filter)
MIXED = {
    "corrupt": ("rule=read:wrongdata:every=5 rule=read:zerodata:every=17 rule=write:wrongdata:every=13,after=40", ""),
    "elsewhere": ("rule=write:misdirect:every=5,after=60 rule=read:misdirect:every=4,after=60", "sum=md5"),
    "weak": ("rule=read:misdirect:every=8", "sum=xor"),
    "silent": ("rule=any:noanswer:at=120 rule=read:wrongid:at=60", QUICK),
}
GONE = "rule=read:zerodata:after=12,range=200K-400K"


def rule_case(action, way):
    return f"{way}-{action}|rule={way}:{action}:{OFTEN.get(action, 'every=7,after=60')}||{ARGUMENTS.get(action, '')} {QUICK}\n"


def files(script):
    return [os.path.join(FOLDER, name) for name in (script, "common.sh", "filter.conf")]


def run(cases):
    return machine.run_guest(f"cat >cases <<'END'\n{cases}END\nsh ./rules.sh <cases", timeout=180, add=[
        *files("rules.sh"),
        programs.service_program("tests/block/disk_user") + ":/root/disk_user"])


@functools.cache
def boot(group):
    if group == "mixed":
        return run("".join(f"{name}|{rules}||{arguments}\n" for name, (rules, arguments) in MIXED.items())
                   + f"both|{GONE}|{GONE}|restarts=0\n")
    return run("".join(rule_case(action, way) for action, way in ONE_RULE if way == group))


def found(group, name):
    """(reads, writes, errors, wrong)"""
    result = boot(group)
    text = result.text.partition(f"@@ {name}\n")[2].partition("@@ ")[0]
    numbers = re.search(r"finished: (\d+) reads, (\d+) writes, (\d+) errors, (\d+) wrong", text)
    assert numbers, f"{text}\n{result}"
    reads, writes, errors, wrong = map(int, numbers.groups())
    assert reads > 50 and writes > 15 and "WRONG" not in text, text
    return errors, wrong


@pytest.mark.parametrize("action,way", ONE_RULE)
def test_every_rule_on_one_disk(action, way):
    assert found(way, f"{way}-{action}") == (0, 0)


@pytest.mark.parametrize("name", MIXED)
def test_several_rules_on_one_disk(name):
    assert found("mixed", name) == (0, 0)


def test_what_both_disks_have_lost_is_an_error_and_never_wrong():
    errors, wrong = found("mixed", "both")
    assert errors > 0 and wrong == 0


# ---- ext2 on a mirror of two disks ----

SECTOR, GROUP, FIRST = 512, 8, 8	# drivers/block/filter/sums.h


def contents(disk):
    """What clients of the filter see of a disk: without superblocks and sums."""
    with open(disk, "rb") as f:
        raw = f.read()
    stride = (GROUP + 1) * SECTOR
    return b"".join(raw[at:at + GROUP * SECTOR] for at in range(FIRST * SECTOR, len(raw) - stride + 1, stride))


@functools.cache
def mirror():
    """(the parts of what mirror.sh prints, the first disk as the file system lies on it, what e2fsck says of it)"""
    with tempfile.TemporaryDirectory() as folder:
        disks = [os.path.join(folder, name) for name in ("a", "b")]
        for disk in disks:
            with open(disk, "wb") as f:
                f.truncate(12 << 20)
        result = machine.run_guest("sh ./mirror.sh", timeout=120, mem=256, disk=disks, add=files("mirror.sh"))
        image = os.path.join(folder, "image")
        with open(image, "wb") as f:
            f.write(contents(disks[0]))
        judge = subprocess.run(["/sbin/e2fsck", "-fn", image], capture_output=True, text=True)
        return result, judge


def mirror_part(name):
    result, _ = mirror()
    return result.text.partition(f"@ {name}\n")[2].partition("\n@ ")[0]


@pytest.mark.parametrize("name,looks", [("both", 1), ("filter", 1), ("lost", 2), ("other", 1)])
def test_files_on_a_mirror_survive(name, looks):
    text = mirror_part(name)
    found_all = re.findall(r"^files (\d+) of (\d+), bad (\d+)$", text, re.M)
    assert len(found_all) == looks, str(mirror()[0])
    assert all(there == made and bad == "0" for there, made, bad in found_all), text
    assert not re.search(r"^f\d+: failed|never came true|cannot be", text, re.M), text


def test_both_drivers_of_a_mirror_killed_together_are_told_of():
    text = mirror_part("both")
    for name in ("vd1", "vd2"):
        assert re.search(rf"^{name} runs since .* restarted 8 times", text, re.M), text
        assert len(re.findall(rf"^[0-9.]+ {name} died: killed", text, re.M)) == 8, text
    assert re.search("^filter runs since .* restarted 4 times", mirror_part("filter"), re.M)


def test_disk_that_was_given_up_comes_back_and_is_enough():
    lost, other = mirror_part("lost"), mirror_part("other")
    assert re.search(r"^vd1 +failed ", lost, re.M) and re.search(r"^filter +running ", lost, re.M), lost
    assert re.search(r"^vd1 +running ", other, re.M) and not re.search("^vd2 ", other, re.M), other
    assert "disk 0 is back" in other and "disk 1 is dropped" in other, other


def test_driver_that_is_taken_down_holds_up_nobody():
    """Its disk is dropped by the news itself: not after the time-out, which comes later, nor because it was silent."""
    text = mirror_part("other")
    assert re.search("disk 1 is dropped: its driver was taken down.*vd2 is given up: it was taken down", text, re.S), text
    assert "disk 1 is dropped: it does not answer" not in text, text


def test_file_system_on_the_mirror_is_clean():
    result, judge = mirror()
    assert result.status == 0 and judge.returncode == 0, f"{judge.stdout}\n{result}"


# ---- a disk that comes back with older contents ----

@functools.cache
def disks_with_older_copies():
    """The images of both disks, and what they were before the last files were written."""
    with tempfile.TemporaryDirectory() as folder:
        disks = [os.path.join(folder, name) for name in "abcd"]
        for disk in disks:
            with open(disk, "wb") as f:
                f.truncate(3 << 20)
        result = machine.run_guest("sh ./older.sh make", timeout=60, mem=256, disk=disks, add=files("older.sh"))
        assert result.status == 0 and not re.search("failed|never|no file system", result.text), str(result)
        images = []
        for disk in disks:
            with open(disk, "rb") as f:
                images.append(f.read())
        return images


@pytest.mark.parametrize("older", [0, 1])
def test_disk_that_comes_back_with_older_contents_is_copied_anew(tmp_path, older):
    images = disks_with_older_copies()
    disks = [tmp_path / "a", tmp_path / "b"]
    for i, disk in enumerate(disks):
        disk.write_bytes(images[i + 2 if i == older else i])
    result = machine.run_guest("sh ./older.sh look", timeout=60, mem=256, disk=[str(disk) for disk in disks], add=files("older.sh"))
    assert result.status == 0 and f"disk {older} is copied from disk {1 - older}" in result.text, str(result)
    assert sorted(re.findall(r"^(f\d): OK$", result.text, re.M)) == ["f1", "f3", "f4", "f5"], str(result)
    assert re.search("^f2: FAILED", result.text, re.M) and "never came true" not in result.text, str(result)
    assert contents(disks[0]) == contents(disks[1])
    (tmp_path / "image").write_bytes(contents(disks[older]))
    judge = subprocess.run(["/sbin/e2fsck", "-fn", str(tmp_path / "image")], capture_output=True, text=True)
    assert judge.returncode == 0, judge.stdout
