# SPDX-License-Identifier: BSD-2-Clause
"""Files on a disk in the guest: what programs do with them, what the next boot finds, and what damaged disks do (nothing bad).

The host's e2fsck judges every image. The logic of the file system itself is tested on the host, fs/ext2/test.
"""
import os
import random
import subprocess

import pytest

MiB = 1 << 20
# What the start of the system has not brought up already.
UP = """
{ service up pci; service up virtio_blk; service up blockfs; service up --template ext2; } 2>/dev/null
for i in 0 1 2 3 4 5; do [ -e /dev/vd$i ] || mknod /dev/vd$i b 254 $((i * 16)); done
"""
WORK = """
mount -t ext2 /dev/vd0 /mnt && cd /mnt || exit 1
dd if=/dev/urandom of=big bs=64k count=300 2>/dev/null; md5sum big >sums
cp /bin/busybox busybox && ./busybox true || echo "cannot be executed"
for i in 1 2 3; do cp -r /etc copy$i & done; wait
diff -r copy1 /etc; diff -r copy3 copy2
i=0; while [ $i -lt 300 ]; do echo $i >f$i; i=$((i + 1)); done; rm f1*; ls | grep -c '^f'
truncate -s 5G sparse; echo end >>sparse; ln -s big soft; ln big hard; mkfifo fifo; mknod null c 1 3; chown 100000:70000 fifo
mkdir one; mv one copy1/; mv copy1 copy2/one; rm -r copy3
exec 3<f200; rm f200; read -r x <&3; echo "unlinked $x"; exec 3<&-
cd /; sync; umount /mnt || { sleep 2; umount /mnt; } || echo "cannot be unmounted"
"""
AGAIN = """
mount -t ext2 -o ro /dev/vd0 /mnt && cd /mnt || exit 1
md5sum -c sums; tail -c 4 sparse; stat -c '%s %h %u:%g %t,%T %n' sparse hard fifo null; readlink soft; ls -d copy2/one/one
touch x 2>/dev/null && echo "written to"; cd /; umount /mnt
mount -t ext2 /dev/vd0 /mnt && mount -o remount,ro /mnt && mount -o remount,rw /mnt && rm /mnt/f2; umount /mnt; echo "umount $?"
"""


def e2fsck(disk):
    done = subprocess.run(["/sbin/e2fsck", "-fn", disk], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("shape", ["-b1024 -I128", "-b4096 -I256"])
def test_files_last(guest, tmp_path, shape):
    disk = str(tmp_path / "disk.img")
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", *shape.split(), disk, "64M"], check=True)
    first = guest(UP + WORK, disk=[disk], timeout=100)
    assert first.status == 0 and first.text.split("\n")[:2] == ["189", "unlinked 200"], str(first)
    e2fsck(disk)
    second = guest(UP + AGAIN, disk=[disk], timeout=100)
    assert second.text.split("\n")[:9] == [
        "big: OK", "end", "5368709124 1 0:0 0,0 sparse", f"{300 * 65536} 2 0:0 0,0 hard", "0 1 100000:70000 0,0 fifo",
        "0 1 0:0 1,3 null", "big", "copy2/one/one", "umount 0"], str(second)
    e2fsck(disk)


def damage(image, rnd):
    """Random bytes in the metadata: superblock and descriptors rarely, bitmaps, inodes and directories often."""
    for _ in range(rnd.randrange(1, 40)):
        at = rnd.choice([rnd.randrange(1024, 2048), rnd.randrange(4096, 4160), rnd.randrange(8192, 400000), rnd.randrange(400000, 700000)])
        image[at:at + 4] = rnd.randbytes(4)


def test_damaged_disks_do_no_harm(guest, tmp_path):
    rnd = random.Random(int(os.environ.get("EXT2_SEED", "1")))
    good = tmp_path / "good.img"
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", "-b", "1024", "-I", "128", "-N", "512", "-d", "/etc/ssl", str(good), "4M"], check=True)
    disks = []
    for i in range(6):
        image = bytearray(good.read_bytes())
        damage(image, rnd)
        disks.append(tmp_path / f"bad{i}.img")
        disks[-1].write_bytes(image)
    script = UP + """
for i in 0 1 2 3 4 5; do
	mount -t ext2 /dev/vd$i /mnt 2>/dev/null || continue
	find /mnt -type f 2>/dev/null | head -n 100 | while read -r f; do cat "$f"; done >/dev/null 2>&1
	cp -r /etc /mnt/copy 2>/dev/null; rm -rf /mnt/* 2>/dev/null; mkdir /mnt/new 2>/dev/null; sync
	umount /mnt 2>/dev/null || { sleep 2; umount /mnt; }
done
echo "all tried"; service list | grep -c ext2
"""
    got = guest(script, disk=[str(d) for d in disks], timeout=100)
    assert got.text.split("\n")[0] == "all tried" and "PANIC" not in str(got), str(got)
