# SPDX-License-Identifier: BSD-2-Clause
"""Block special files, mounting of file systems on disks, and the root file system on one. After every test e2fsck finds nothing."""
import os
import re
import subprocess

import pytest

from harness import machine

DRIVERS = "/etc/rc.disk start"


def fsck(image):
    done = subprocess.run(["/sbin/e2fsck", "-fn", str(image)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def make_image(path, size="16M", block=4096):
    subprocess.run([os.path.join(machine.ROOT, "tools", "mkdisk"), "--empty", "--size", size, "--block", str(block), str(path)], check=True)
    return path


def expect(result, *lines):
    assert result.status == 0, str(result)
    for line in lines:
        assert line in result.text.split("\n"), str(result)


def test_block_special_files(guest):
    """Bytes written to a ramdisk come back, also after the cache was dropped; sizes, ends and errors as Linux."""
    expect(guest("""
        service up ramdisk && service up blockfs || exit 1
        head -c 1900000 /bin/busybox >/tmp/a
        dd if=/tmp/a of=/dev/ram0 bs=7000 2>/dev/null || exit 2
        blockdev --flushbufs /dev/ram0
        head -c 1900000 /dev/ram0 | cmp - /tmp/a && echo same
        echo size $(blockdev --getsize64 /dev/ram0) $(blockdev --getsz /dev/ram0) $(blockdev --getss /dev/ram0)
        printf X | dd of=/dev/ram0 bs=1 seek=1234567 conv=notrunc,fsync 2>/dev/null
        printf X | dd of=/tmp/a bs=1 seek=1234567 conv=notrunc 2>/dev/null
        head -c 1900000 /dev/ram0 | cmp - /tmp/a && echo patched
        dd if=/dev/zero of=/dev/ram0 bs=1M seek=15 2>&1 | grep -o 'No space left on device'
        tail -c 10 /dev/ram0 | wc -c
        mknod /dev/none b 77 0; cat /dev/none 2>&1 | grep -o 'No such device or address'
        """), "same", "size 16777216 32768 512", "patched", "No space left on device", "10", "No such device or address")


@pytest.mark.parametrize("block", [1024, 4096])
def test_mount_of_a_disk(guest, tmp_path, block):
    image = make_image(tmp_path / "disk", block=block)
    expect(guest(DRIVERS + """ || exit 1
        mount -t ext2 /dev/vda /mnt || exit 2
        grep -q '^/dev/vda /mnt ext2 rw' /proc/mounts && echo listed
        cp /bin/busybox /mnt/busybox && /mnt/busybox echo runs
        mount -t ext2 /dev/vda /var 2>&1 | grep -o 'Device or resource busy'
        dd if=/dev/zero of=/dev/vda count=1 2>&1 | grep -o 'Device or resource busy'
        mkdir /mnt/d; exec 5>/mnt/d/open; umount /mnt 2>/dev/null || echo busy; exec 5>&-
        mount -o remount,ro /mnt && touch /mnt/x 2>&1 | grep -o 'Read-only file system'
        mount -o remount,rw /mnt && echo kept >/mnt/x; sync
        df /mnt | grep -q /dev/vda && umount /mnt && echo gone
        mount -t ext2 -o ro /dev/vda /mnt && cmp /mnt/busybox /bin/busybox && cat /mnt/x
        umount /mnt; mount -t nosuch /dev/vda /mnt 2>&1 | grep -o 'No such device'
        """, disk=[str(image)]), "listed", "runs", "Device or resource busy", "busy", "Read-only file system", "gone", "kept",
        "No such device")
    fsck(image)


def test_files_persist_across_boots(guest, tmp_path):
    """One boot with memory as root writes, the next one reads; nobody unmounts, /etc/rc does."""
    image = make_image(tmp_path / "disk")
    expect(guest(DRIVERS + " && mount -t ext2 /dev/vda /mnt && mkdir -p /mnt/a/b && cp /bin/busybox /mnt/a/b && echo done",
                 disk=[str(image)]), "done")
    fsck(image)
    expect(guest(DRIVERS + " && mount -t ext2 /dev/vda /mnt && cmp /mnt/a/b/busybox /bin/busybox && rm -r /mnt/a && echo same",
                 disk=[str(image)]), "same")
    fsck(image)


def test_moved_mounts(guest):
    expect(guest("""
        mkdir /tmp/a /tmp/b && mount -t tmpfs t /tmp/a && echo in >/tmp/a/file
        mount --move /tmp/a /tmp/b || exit 1
        cat /tmp/b/file; ls /tmp/a | wc -l; grep -c ' /tmp/b tmpfs' /proc/mounts
        mkdir /tmp/b/below; mount --move /tmp/b /tmp/b/below 2>/dev/null || echo refused
        umount /tmp/b && echo gone
        """), "in", "0", "1", "refused", "gone")


def test_root_on_a_disk(guest, tmp_path):
    image = tmp_path / "root"
    subprocess.run([os.path.join(machine.ROOT, "tools", "mkdisk"), "--build", machine.BUILD, "--size", "64M", str(image)], check=True)
    options = {"disk": [str(image)], "append": "root=/dev/vda"}
    first = guest("grep ' / ext2 ' /proc/mounts | cut -d' ' -f1-4; ls /init >/dev/null && echo files; echo first >/etc/written; "
                  "service list | grep -c 'ext2.1 *running'", **options)
    expect(first, "files", "1")
    assert re.search(r"^/dev/vda / ext2 rw", first.text, re.M), str(first)
    fsck(image)
    expect(guest("cat /etc/written; umount /run; cat /proc/cmdline | grep -c root=", **options), "first", "1")
    fsck(image)


def test_root_that_is_not_there(guest):
    """The system stays in memory and says so."""
    result = guest("grep -c ext2 /proc/mounts; echo alive", append="root=/dev/ram0")
    expect(result, "alive")
