# SPDX-License-Identifier: BSD-2-Clause
"""What people do to a raw disk: partition it, make a file system, discard, write zeros. The host looks at the image afterwards."""
import os
import re
import subprocess

import pytest

from harness import machine

MiB = 1 << 20


def test_partition_make_a_file_system_and_discard(guest, tmp_path):
    image = tmp_path / "disk"
    image.write_bytes(os.urandom(16 * MiB))
    result = guest(r"""
        head -c 8388608 /dev/vda >/dev/null     # the cache knows what goes
        blkdiscard -o 12582912 -l 2097152 /dev/vda || exit 1
        blkdiscard -o 100 -l 512 /dev/vda 2>&1 | grep -o 'Invalid argument'
        blkdiscard -l 1099511627776 /dev/vda 2>&1 | grep -o 'Invalid argument'
        printf 'o\nn\np\n1\n2048\n+8M\nw\n' | fdisk -u /dev/vda >/dev/null 2>&1
        echo size $(blockdev --getsize64 /dev/vda1) $(blockdev --getss /dev/vda)
        mke2fs /dev/vda1 >/dev/null && mount -t ext2 /dev/vda1 /mnt && cp /bin/busybox /mnt && cmp /bin/busybox /mnt/busybox || exit 2
        blkdiscard /dev/vda 2>&1 | grep -o 'Device or resource busy'
        umount /mnt""", disk=[str(image)])
    assert result.status == 0, str(result)
    lines = result.text.split("\n")
    assert lines.count("Invalid argument") == 2 and "size 8388608 512" in lines and "Device or resource busy" in lines, str(result)
    assert os.stat(image).st_blocks * 512 <= 14 * MiB + 65536, "what was discarded is no hole"
    with open(image, "rb") as f:
        f.seek(12 * MiB)
        assert f.read(2 * MiB) == bytes(2 * MiB)
        f.seek(MiB)
        (tmp_path / "part").write_bytes(f.read(8 * MiB))
    done = subprocess.run(["/sbin/e2fsck", "-fn", str(tmp_path / "part")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# BLKZEROOUT, as block/ioctl.c of Linux has it: what is refused. The address of the range is read after the right is checked.
REFUSED = {"start-unaligned": "EINVAL", "length-unaligned": "EINVAL", "start-half-a-sector": "EINVAL", "length-half-a-sector": "EINVAL",
           "nothing": "EINVAL", "nothing-further": "EINVAL", "over-the-end": "EINVAL", "at-the-end": "EINVAL",
           "beyond-the-end": "EINVAL", "wraps": "EINVAL", "bad-address": "EFAULT", "reader": "EBADF"}
DONE = {"dirty-pages": "0", "clean-pages": "0", "last-sector": "0"}
# Disks that can write zeros, cannot, and have larger sectors.
ZERO_DISKS = [("zeroes", "", 512), ("no-zeroes", ",write-zeroes=off,discard=off", 512),
              ("large-sectors", ",logical_block_size=4096,physical_block_size=4096", 4096)]


@pytest.fixture(scope="module")
def zeroed(tmp_path_factory):
    """({disk: what zero_out says}, {disk: image})"""
    folder = tmp_path_factory.mktemp("zeroes")
    images = {name: folder / name for name, _, _ in ZERO_DISKS}
    for image in images.values():
        image.write_bytes(b"\xaa" * (4 * MiB))
    result = machine.run_guest("""
        service up ramdisk -args 'size=1M ro' && mknod /dev/ro b 1 0 || exit 1
        for disk in vda vdb vdc; do echo "@$disk"; ./zero_out /dev/$disk /dev/ro || exit 2; done; sync""",
        disk=[f"{images[name]}{words}" for name, words, _ in ZERO_DISKS], timeout=60,
        add=[os.path.join(machine.BUILD, "tests", "block", "ioctl", "zero_out")])
    assert result.status == 0, str(result)
    parts = re.split(r"^@vd.\n", result.text, flags=re.M)[1:]
    return {name: part.splitlines() for (name, _, _), part in zip(ZERO_DISKS, parts)}, images


@pytest.mark.parametrize("disk,words,sector", ZERO_DISKS)
def test_zeros_are_written_and_refused_as_linux_does(zeroed, disk, words, sector):
    lines, images = zeroed[0][disk], zeroed[1]
    assert f"sector {sector}" in lines, lines
    said = dict(line.split(" ", 1) for line in lines if not line.startswith("contents"))
    assert {name: said.get(name) for name in REFUSED | DONE} == REFUSED | DONE
    for name in ("refused", "dirty", "other", "again", "disk"):
        assert f"contents {name} good" in lines, lines
    raw = images[disk].read_bytes()
    assert raw[-sector:] == bytes(sector) and raw[-2 * sector:-sector] == b"\xaa" * sector
    assert raw[12 * sector:76 * sector] == bytes(64 * sector) and raw[76 * sector] != 0 and any(raw[10 * sector:11 * sector])


def test_zeros_on_a_disk_that_is_read_only(zeroed):
    for lines in zeroed[0].values():
        said = [line for line in lines if line.startswith("read-only ")]
        assert said in (["read-only EACCES"], ["read-only EROFS"], ["read-only EPERM"]) and "contents read-only good" in lines, lines


def test_a_refused_discard_loses_nothing(guest, tmp_path):
    """What was written and not yet synced is there still when the disk turns out not to discard."""
    image = tmp_path / "disk"
    image.write_bytes(bytes(4 * MiB))
    result = guest(r"""
        head -c 1048576 /dev/urandom >new
        exec 3<>/dev/vda    # the last who closes it would sync
        cat new >&3
        blkdiscard /dev/vda 2>&1 | grep -o 'not supported'
        head -c 1048576 /dev/vda | cmp - new && echo kept""", disk=[f"{image},discard=off"])
    assert result.status == 0 and result.text.split() == ["not", "supported", "kept"], str(result)
