# SPDX-License-Identifier: BSD-2-Clause
"""File systems on demand: mount makes RS start an instance of a template, umount ends it, and nothing of it stays."""
import re
import subprocess

from harness import programs

HELPERS = """
instances() { service list | grep -c '^ext2\\.[0-9]'; }
gone() { tries=0; while [ $(instances) -gt ${1:-0} ] && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done; }
leaks() { grep 'slots\\|privileges\\|spaces\\|irq_hooks\\|files' /proc/axolotl/leaks; }
"""


def make_disk(path, mib=16):
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", "-b", "1024", str(path), f"{mib}M"], check=True)
    return str(path)


def expect(result, *lines):
    assert result.status == 0, str(result)
    for line in lines:
        assert line in result.text.split("\n"), f"{line}\n{result}"


def test_mount_starts_an_instance_and_umount_ends_it(guest, tmp_path):
    disks = [make_disk(tmp_path / "a"), make_disk(tmp_path / "b")]
    expect(guest(HELPERS + """
        mkdir /tmp/a /tmp/b
        echo "before $(instances)"
        mount -t ext2 /dev/vda /tmp/a && mount -t ext2 /dev/vdb /tmp/b && echo "two $(instances)"
        service list | grep -c '^ext2.2 *running.*' | sed 's/^/second /'
        umount /tmp/a; gone 1; echo "one $(instances)"
        touch /tmp/b/x && echo 'the other serves'
        mount -t ext2 /dev/vda /tmp/a && echo "again $(instances)"
        umount /tmp/a /tmp/b; gone; echo "after $(instances)"
        service status ext2 | grep -c 'state *template' | sed 's/^/template /'
        service down ext2 && mount -t ext2 /dev/vda /tmp/a 2>&1 | grep -o 'No such device'
        service up --template ext2 && mount -t ext2 /dev/vda /tmp/a && echo back
        umount /tmp/a
        """, mem=256, disk=disks), "before 0", "two 2", "second 1", "one 1", "the other serves", "again 2", "after 0", "template 1",
        "No such device", "back")


def test_mounts_that_fail_leave_no_instance(guest, tmp_path):
    """Nothing to mount, an instance that dies, refuses or hangs in its initialisation, a type that is no template."""
    expect(guest(HELPERS + """
        mkdir /tmp/a
        dd if=/dev/zero of=/dev/vdb bs=1k count=64 2>/dev/null; sync
        mount -t ext2 /dev/vdb /tmp/a 2>&1 | grep -o 'Invalid argument'; gone; echo "garbage $(instances)"
        mount -t hello /dev/vda /tmp/a 2>&1 | grep -o 'No such device'
        service up hello; mount -t hello /dev/vda /tmp/a 2>/dev/null; echo "no template $?"
        service down ext2
        for flag in -x -y; do
            service up --template ext2 $flag
            mount -t ext2 /dev/vda /tmp/a 2>/dev/null; echo "init$flag $?"; gone; echo "left$flag $(instances)"
            service down ext2
        done
        service up --template ext2; mount -t ext2 /dev/vda /tmp/a && echo fine
        umount /tmp/a
        """, mem=256, disk=[make_disk(tmp_path / "a"), make_disk(tmp_path / "b")], timeout=90), "Invalid argument", "garbage 0",
        "No such device", "no template 255", "init-x 255", "left-x 0", "init-y 255", "left-y 0", "fine")


MANY = HELPERS + """
mkdir /tmp/a
for i in 1 2 3; do mount -t ext2 /dev/vda /tmp/a && umount /tmp/a || exit 1; done
free() { sed -n 's/MemFree: *\\([0-9]*\\).*/\\1/p' /proc/meminfo; }
# Memory that a device may know rests for some seconds when its process has ended.
lost() { tries=0; while [ $((before - $(free))) -gt 256 ] && [ $tries -lt 60 ]; do sleep 0.2; tries=$((tries + 1)); done; echo "lost $((before - $(free)))"; }
gone; sleep 4; leaks >/tmp/before; before=$(free)
n=0
while [ $n -lt 100 ]; do
	mount -t ext2 /dev/vda /tmp/a && umount /tmp/a || exit 2
	n=$((n + 1))
done
gone; leaks >/tmp/after
echo "mounted $n"
cmp /tmp/before /tmp/after && echo 'nothing is left'
lost
"""


def test_a_hundred_mounts_leave_nothing(guest, tmp_path):
    result = guest(MANY, mem=256, disk=[make_disk(tmp_path / "a")], timeout=120)
    expect(result, "mounted 100", "nothing is left")
    assert int(re.search(r"^lost (-?\d+)$", result.text, re.M).group(1)) < 512, str(result)


def test_no_place_for_an_instance_is_an_error(guest, tmp_path):
    """RS has places for so many services. A mount that finds none fails, everything else lives; a place that becomes free serves."""
    conf = tmp_path / "life.conf"
    conf.write_text("service life {\n};\n")
    result = guest(HELPERS + """
        n=0
        while service up /root/life -config /root/life.conf -args stay -period 100s -label l$n 2>/tmp/err; do n=$((n + 1)); [ $n -gt 100 ] && exit 1; done
        sed 's/l[0-9]*:/lN:/' /tmp/err; [ $n -gt 20 ] && echo many
        mkdir /tmp/a; mount -t ext2 /dev/vda /tmp/a 2>/tmp/err && echo mounted; grep -o 'Resource temporarily unavailable' /tmp/err
        service down l0 l1
        mount -t ext2 /dev/vda /tmp/a && echo 'now it is'; umount /tmp/a
        service list | grep -c '^l[0-9]* *running' | sed "s/^$((n - 2))$/all live/"
        """, mem=256, disk=[make_disk(tmp_path / "a")], timeout=90,
                   add=[programs.service_program("tests/proto/life") + ":/root/life", f"{conf}:/root/life.conf"])
    expect(result, "many", "Resource temporarily unavailable", "service: cannot start lN: there is no place for another service or process",
           "now it is", "all live")
    assert "mounted" not in result.text.split("\n"), str(result)
