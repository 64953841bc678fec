# SPDX-License-Identifier: BSD-2-Clause
"""Files on a disk in the guest: what programs do with them, what the next boot finds, and what damaged disks do (nothing bad).

The host's e2fsck judges every image. The logic of the file system itself is tested on the host, fs/ext2/test.
"""
import os
import subprocess

import pytest

from harness import machine, programs, suite
from harness.reference import missing

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


SEEDS = int(os.environ.get("EXT2_IMAGES", "80"))	# damaged images, of both shapes together
FIRST_SEED = int(os.environ.get("EXT2_SEED", "1"))
RAMDISK = """
service up ramdisk -args size=2M && service up blockfs && service up --template ext2 || exit 1
[ -e /dev/ram0 ] || mknod /dev/ram0 b 1 0
"""


def tree_with_everything(top, entries):
    """What an image has to hold: each kind of file, tables of pointers, deep directories, and one with an index."""
    os.makedirs(top / "a/b/c/d/e")
    for i in range(10):
        (top / "a" / f"f{i}").write_bytes(bytes([i]) * (i * 2100))
    (top / "big").write_bytes(b"x" * 300000)
    (top / "a/big").write_bytes(b"y" * 90000)
    with open(top / "sparse", "wb") as f:
        f.seek(80 * MiB)
        f.write(b"end")
    for name, target in (("soft", "big"), ("a/long", "/" + "l" * 100), ("dirlink", "a/b"), ("loop", "loop")):
        os.symlink(target, top / name)
    os.link(top / "big", top / "a/b/hard")
    os.mkdir(top / "many")
    for i in range(entries):
        (top / "many" / f"{'n' * 180}{i}").touch()


def image_with_everything(tmp_path, block, inode, entries):
    top, image = tmp_path / "tree", str(tmp_path / "good.img")
    tree_with_everything(top, entries)
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext2", "-b", block, "-I", inode, "-N", str(200 + entries), "-O", "dir_index", "-d", top,
                    image, "2M"], check=True)
    subprocess.run(["/sbin/debugfs", "-w", "-f", "-", image], input="mknod fifo p\nmknod chr c 1 3\nmknod blk b 1 0\n", text=True, check=True,
                   capture_output=True)
    subprocess.run(["/sbin/e2fsck", "-fyD", image], capture_output=True)	# makes the index
    return image


@pytest.mark.parametrize("shape", ["1024 128 40", "4096 256 60"])
def test_damaged_disks_do_no_harm(guest, tmp_path, shape):
    """Every kind of structure is damaged, and the file system used (tests/ext2): errors, but no end of its service, no endless wait."""
    image = image_with_everything(tmp_path, *shape.split()[:2], int(shape.split()[2]))
    program = os.path.join(machine.BUILD, "tests", "ext2", "ext2_damage")
    got = guest(f"{RAMDISK}\n./ext2_damage good.img /dev/ram0 {FIRST_SEED} {SEEDS // 2} || dmesg | tail -n 40\nservice history | grep -i 'ext2.*died'",
                add=[image, program], mem=256, timeout=100 + SEEDS)
    assert got.text.splitlines()[-1].startswith("ok "), str(got)	# with few seeds, lines of what takes how long before it


@pytest.mark.parametrize("shape", ["-b1024 -I128", "-b4096 -I256"])
def test_the_file_system_dies_and_nobody_notices(guest, tmp_path, shape):
    disk = str(tmp_path / "disk.img")
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", *shape.split(), disk, "64M"], check=True)
    ways = ["kill", "crash", "kill", "exit", "check"]
    here = os.path.join(machine.ROOT, "tests", "recovery")
    got = guest("./dying_fs.sh 1 " + " ".join(ways), disk=[disk], timeout=100,
                add=[os.path.join(here, "dying_fs.sh"), os.path.join(machine.BUILD, "tests", "recovery", "records")])
    assert got.status == 0 and got.text.split()[-3:] == ["restarts", str(len(ways)), str(len(ways))], str(got)
    done = subprocess.run(["/sbin/e2fsck", "-fy", disk], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    e2fsck(disk)


LOSS = """
mount -t ext2 /dev/vd0 /mnt && cd /mnt || exit 1
dd if=/dev/urandom of=old bs=64k count=100 2>/dev/null; md5sum old >/tmp/sums; cp /tmp/sums sums; sync
exec 3>>unsynced; echo "not on the disk" >&3; mkdir lost
before=$(service list | grep -c running)
service fi ext2.1 scribble; service wait ext2.1 -restarts 1 -timeout 20 >/dev/null
md5sum -c /tmp/sums; cat sums | cmp - /tmp/sums && echo "reads go on"
touch new 2>&1 | grep -o 'Read-only'
sync old 2>&1 | grep -o 'Input/output error'; mount -o remount,rw /mnt 2>/dev/null && echo "writable again"
dmesg | grep -o 'what my predecessor had to write is lost.*'
[ "$(service list | grep -c running)" = "$before" ] && echo "others are well"
exec 3>&-; cd /; umount /mnt && echo umounted
mount -t ext2 /dev/vd0 /mnt && cd /mnt && md5sum -c sums && touch new && sync && echo writable; cd /; umount /mnt
"""
LOST = """old: OK
reads go on
Read-only
Input/output error
what my predecessor had to write is lost: error -117
others are well
umounted
old: OK
writable"""


def test_a_dead_file_system_without_sound_memory_is_read_only(guest, tmp_path):
    """Nothing of its cache can be believed, so what was not synced is lost; programs are told, and nothing gets worse."""
    disk = str(tmp_path / "disk.img")
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", disk, "64M"], check=True)
    got = guest(UP + LOSS, disk=[disk], timeout=60)
    assert got.text.splitlines() == LOST.splitlines(), str(got)
    assert subprocess.run(["/sbin/e2fsck", "-fy", disk], capture_output=True).returncode in (0, 1)
    e2fsck(disk)


# Programs about files, which the host's Linux and tmpfs pass (tests/system).
FILE_TESTS = ["directories", "dup_fcntl", "efault", "execve", "link", "locks", "lseek_truncate", "mmap_file", "open", "path_errors",
              "permissions", "pipe", "read_write", "rename", "sendfile_copy", "stat", "unix_stream", "utimens"]
# What the format, or Linux's driver for it, does not have either, by shape: no link target longer than a block, no file of 20 GiB in blocks of
# 1 KiB, no blocks kept behind the end of a file.
LIMITS = {
    "-b1024 -I128": {"link": "symlink_errors", "lseek_truncate": "above_four_gib allocate"},
    "-b4096 -I256": {"lseek_truncate": "allocate"},
}
FILE_SCRIPT = """
mount -t ext2 /dev/vd0 /mnt || exit 1
for t in {names}; do
	mkdir /mnt/$t && cd /mnt/$t || exit 1
	echo "@@ $t"
	/root/test_$t </dev/null 2>&1
	echo "@@status $?"
	cd / && rm -rf /mnt/$t || exit 1
done
umount /mnt
"""


def verdicts(text):
    """The parts of the output between the markers."""
    for part in text.split("@@ ")[1:]:
        name, *lines = part.rstrip().split("\n")
        verdict = suite.Verdict(f"musl/test_{name}")
        verdict.lines, verdict.status = lines[:-1], int(lines[-1].removeprefix("@@status "))
        yield verdict


def differs(verdict, limits):
    expected = limits.get(verdict.name.removeprefix("musl/test_"), "")
    failed = verdict.status or verdict.failures()
    return missing(verdict.name, verdict) != expected or (failed and not expected)


@pytest.mark.parametrize("shape", LIMITS)
def test_programs_find_the_files_of_any_system(guest, tmp_path, shape):
    disk = str(tmp_path / "disk.img")
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", *shape.split(), disk, "64M"], check=True)
    got = guest(UP + FILE_SCRIPT.format(names=" ".join(FILE_TESTS)), disk=[disk], timeout=200,
                add=[programs.guest_program(f"musl/test_{name}") for name in FILE_TESTS])
    found = list(verdicts(got.text))
    assert got.status == 0 and len(found) == len(FILE_TESTS), str(got)
    bad = [f"{v}\nmissing: {missing(v.name, v)}" for v in found if differs(v, LIMITS[shape])]
    assert not bad, "\n".join(bad)
    e2fsck(disk)


def test_a_file_system_that_cannot_be_mounted_again_says_eio(guest, tmp_path):
    """Its disk has lost everything when it dies: whatever is asked of the mount ends with EIO, nothing waits, and it can be unmounted."""
    image = str(tmp_path / "lost.img")
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", image, "8M"], check=True)
    got = guest("""
{ service up ramdisk; service up blockfs; service up --template ext2; } 2>/dev/null
dd if=lost.img of=/dev/ram0 bs=64k conv=fsync 2>/dev/null
mount -t ext2 /dev/ram0 /mnt && echo gone >/mnt/f && sync || exit 1
exec 4</mnt/f
service down ramdisk; service up ramdisk
kill -KILL $(service status ext2.1 | sed -n 's/^pid *//p'); service wait ext2.1 -restarts 1 -timeout 20; sleep 1
eio() { "$@" 2>&1 >/dev/null | grep -q 'Input/output error' && echo eio || echo "no EIO: $*"; }
eio cat /mnt/f; eio cat /mnt/other; eio ls /mnt; eio touch /mnt/new; eio head -c 1 <&4; eio stat -f /mnt; eio mv /mnt/f /mnt/g
exec 4<&-; umount /mnt; echo "umount $?"
""", add=[image], timeout=60)
    assert got.status == 0 and got.text.split("\n")[-9:] == ["eio"] * 7 + ["umount 0", ""], str(got)
