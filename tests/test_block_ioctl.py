# SPDX-License-Identifier: BSD-2-Clause
"""What people do to a raw disk: partition it, make a file system, discard. The host looks at the image afterwards."""
import os
import subprocess

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
