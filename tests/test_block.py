# SPDX-License-Identifier: BSD-2-Clause
"""Block drivers by their protocol: tests/block/block_client.c sends requests; the disks' images are checked on the host."""
import os
import re
import struct
import zlib

import pytest

from harness import programs

CLIENT, ATTACKER = "tests/block/block_client", "tests/block/attacker"
EINVAL, EPERM, ENXIO, ENOSPC, EROFS, ERESTARTSYS = -22, -1, -6, -28, -30, -512
OPEN, CLOSE, READ, WRITE, FLUSH, DISCARD = range(0x900, 0x90c, 2)
MiB = 1 << 20


def checksum(data):
    h = 0xcbf29ce484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return h


def generate(length, seed):
    """The bytes that block_client writes."""
    x, out = (seed * 2654435761 & 0xffffffffffffffff) + 1, bytearray()
    for _ in range(length):
        x = (x * 6364136223846793005 + 1442695040888963407) & 0xffffffffffffffff
        out.append(x >> 56)
    return bytes(out)


class Answers:
    def __init__(self, text):
        self.text = text
        self.lines = re.findall(r"@(\d+) (\S+): (-?\d+)(.*)", text)

    def result(self, command, nth=0):
        found = [int(r) for _, c, r, _ in self.lines if c == command]
        assert len(found) > nth, f"{command} was not answered\n{self.text}"
        return found[nth]

    def sum(self, command, nth=0):
        found = [rest for _, c, _, rest in self.lines if c == command]
        return int(re.search(r"sum ([0-9a-f]{16})", found[nth]).group(1), 16)

    def expect(self, wanted):
        got = {command: self.result(command) for command in wanted}
        assert got == wanted, self.text


@pytest.fixture
def run(guest, tmp_path):
    """run(script, disks): the script in a guest; `client LABEL COMMAND...` sends requests. Returns Answers."""
    conf = tmp_path / "client.conf"
    conf.write_text("service block_client {\n\tipc ALL_SYS;\n};\nservice attacker {\n\tipc ALL_SYS;\n"
                    "\tsystem DEVIO SDEVIO VDEVIO IRQCTL VUMAP;\n\tvm MAP_PHYS ALLOC_CONTIG;\n\tpci device 1234:5678;\n"
                    "\tcontig 256K;\n\tio 5f00:4;\n\tirq 7;\n\tmem 500000000:1000;\n};\n")
    head = """
client() { service up /root/client -progname block_client -config /root/client.conf -label client -args "$*" && service down client; }
drivers() { /etc/rc.disk start; }	# /etc/rc has done so already where there is a disk
"""

    def run_script(script, disks=(), smp=2):
        result = guest(head + script + "\ndmesg\n", smp=smp, timeout=100, disk=[str(d) for d in disks],
                       add=[programs.service_program(CLIENT) + ":/root/client", programs.service_program(ATTACKER) + ":/root/attacker",
                            f"{conf}:/root/client.conf"])
        assert result.status == 0 and "FAIL" not in result.text and "PANIC" not in result.text, str(result)
        return Answers(result.text)

    return run_script


def image(path, content=b"", size=16 * MiB):
    path.write_bytes(content)
    os.truncate(path, size)
    return path


COMMON = {
    "read:0:0:512": ERESTARTSYS, "open:0:3": 0, "write:0:0:512:1": 512, "read:0:100:512": EINVAL, "read:0:0:100": EINVAL,
    "read:0:0:2097152": EINVAL, "write:0:16777216:512:1": ENOSPC, "write:0:16776704:4096:5": 512, "read:0:16777216:512": 0,
    "open:240:1": ENXIO, "open:1:1": ENXIO, "open:4294967295:3": ENXIO, "flush:0": 0, "segs:0:0:499712": 499712,
    f"raw:{WRITE}:0:0:4096:65": EINVAL, f"raw:{READ}:0:0:8192:0": EPERM, f"raw:{READ}:0:0:4096:1": EINVAL,
    f"raw:{READ}:0:18446744073709551104:512:0": 0, f"raw:{WRITE}:0:18446744073709551104:1024:0": ENOSPC,
    f"raw:{DISCARD}:0:18446744073709551104:18446744073709551104:0": 0, "open:0:1": 0, "close:0": 0,
}


def test_ramdisk_checks_requests_and_keeps_its_bytes(run):
    words = " ".join(COMMON)
    got = run(f"service up ramdisk -args size=16M\nclient ramdisk {words} write:0:4096:65536:7 read:0:4096:65536 discard:0:4096:4096 "
              "read:0:4096:4096 close:0 read:0:0:512 storm:0:2 open:0:1 write:0:0:512:2 storm:0:2")
    got.expect(COMMON)
    assert got.sum("read:0:4096:65536") == checksum(generate(65536, 7))
    assert got.sum("read:0:4096:4096") == checksum(bytes(4096))
    assert got.result("storm:0:2") == ERESTARTSYS and got.result("read:0:0:512", 1) == ERESTARTSYS
    assert got.result("write:0:0:512:2") == EPERM


@pytest.mark.parametrize("smp", [1, 2, 4])
def test_virtio_disk_has_what_was_written(run, tmp_path, smp):
    content = os.urandom(MiB)
    disk = image(tmp_path / "disk", content)
    words = " ".join(COMMON)
    got = run(f"drivers\nclient virtio_blk {words} write:0:4096:65536:7 fua:0:131072:1048576:9 read:0:65536:65536 many:0:16:16384 flush:0",
              [disk], smp)
    got.expect(COMMON)
    now = generate(512, 1) + content[512:4096] + generate(65536, 7) + content[69632:]
    assert got.sum("segs:0:0:499712") == checksum(generate(512, 1) + content[512:499712])
    assert got.sum("read:0:65536:65536") == checksum(now[65536:131072])
    assert got.sum("many:0:16:16384") == checksum((now[:131072] + generate(131072, 9))[:262144])
    data = disk.read_bytes()
    assert data[:131072] == now[:131072]
    assert data[131072:131072 + MiB] == generate(MiB, 9)
    assert data[-512:] == generate(512, 5)


def mbr_entry(kind, first, count):
    return struct.pack("<B3sB3sII", 0, b"", kind, b"", first, count)


def mbr_disk():
    boot = bytes(446) + mbr_entry(0x83, 64, 100) + mbr_entry(0x05, 1000, 1000)
    extended = bytes(446) + mbr_entry(0x83, 8, 50)
    out = bytearray(16 * MiB)
    out[:512] = boot.ljust(510, b"\0") + b"\x55\xaa"
    out[512000:512512] = extended.ljust(510, b"\0") + b"\x55\xaa"
    return out


def gpt_disk(damaged=False):
    blocks = 32768
    out = bytearray(16 * MiB)
    out[:512] = (bytes(446) + mbr_entry(0xee, 1, blocks - 1)).ljust(510, b"\0") + b"\x55\xaa"
    entries = b"".join(struct.pack("<16s16sQQQ72s", b"kind", b"id", first, last, 0, b"") for first, last in [(64, 163), (2048, 30000)])
    entries = entries.ljust(128 * 128, b"\0")
    for at, listed in ((1, 2), (blocks - 1, blocks - 33)):
        def header(crc, at=at, listed=listed):
            return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, at, blocks - at, 34, blocks - 34, b"disk", listed,
                               128, 128, zlib.crc32(entries))
        out[at * 512:at * 512 + 92] = header(zlib.crc32(header(0)))
        out[listed * 512:listed * 512 + len(entries)] = entries
    if damaged:
        out[600] ^= 1
    return out


def test_partitions_are_disks_of_their_own(run, tmp_path):
    disks = [image(tmp_path / "mbr", mbr_disk()), image(tmp_path / "gpt", gpt_disk()), image(tmp_path / "damaged", gpt_disk(True))]
    got = run("drivers\nclient virtio_blk open:0:1 open:1:3 open:2:3 open:5:3 open:6:3 write:1:0:512:3 write:5:25088:1024:4 write:1:51200:512:3 "
              "open:17:3 open:18:3 open:19:3 write:17:51200:512:3 write:18:0:512:6 open:33:1 open:34:1", disks)
    got.expect({"open:1:3": 0, "open:2:3": ENXIO, "open:5:3": 0, "open:6:3": ENXIO, "write:1:51200:512:3": ENOSPC, "write:5:25088:1024:4": 512,
                "open:17:3": 0, "open:18:3": 0, "open:19:3": ENXIO, "write:17:51200:512:3": ENOSPC, "open:33:1": 0, "open:34:1": 0})
    assert "open:1:3: 0 size 51200 " in got.text and "open:5:3: 0 size 25600 " in got.text
    assert "open:34:1: 0 size 14311936 " in got.text and "first copy of its partition table is damaged" in got.text, got.text
    assert disks[0].read_bytes()[64 * 512:65 * 512] == generate(512, 3)
    assert disks[0].read_bytes()[(1008 + 49) * 512:(1008 + 50) * 512] == generate(512, 4)
    assert disks[1].read_bytes()[2048 * 512:2049 * 512] == generate(512, 6)


def test_driver_that_is_killed_comes_back_and_asks_for_opens(run, tmp_path):
    disk = image(tmp_path / "disk", generate(65536, 1))
    got = run("""drivers
client virtio_blk open:0:3 write:0:65536:65536:2
pid() { service status $1 | sed -n 's/^pid *//p'; }
for i in 1 2 3; do
	kill -KILL $(pid virtio_blk)
	service wait virtio_blk -restarts $i || sleep 1
	client virtio_blk open:0:3 read:0:0:65536 storm:0:1
done
kill -KILL $(pid pci); service wait pci -restarts 1 || sleep 1
kill -KILL $(pid virtio_blk); service wait virtio_blk -restarts 4 || sleep 1
client virtio_blk open:0:3 storm:0:1
service status virtio_blk
""", [disk])
    assert got.text.count("storm:0:1: 0 ") == 4, got.text
    assert got.sum("read:0:0:65536") == checksum(generate(65536, 1))


def test_device_that_its_stanza_does_not_name_does_not_exist(run, tmp_path):
    disk = image(tmp_path / "disk")
    got = run("""service down blockfs virtio_blk
sed -e '/pci device/s/1af4:1001 1af4:1042/8086:ffff/' /etc/system.conf >/root/other.conf
service up virtio_blk -config /root/other.conf
client virtio_blk open:0:3
""", [disk])
    got.expect({"open:0:3": ENXIO})
    assert "virtio_blk: warning: no disk" in got.text, got.text


def test_driver_that_asks_for_everything_gets_nothing(run, tmp_path):
    disk = image(tmp_path / "disk")
    got = run("""drivers
leaks() { grep 'slots\\|privileges\\|spaces\\|irq_hooks\\|files' /proc/axolotl/leaks; }
leaks >/tmp/before
service up /root/attacker -config /root/client.conf
service down attacker; leaks >/tmp/after
cmp /tmp/before /tmp/after && echo nothing left
client virtio_blk open:0:3 storm:0:2
service list --json | grep -o '"restarts": *[0-9]*' | sort | uniq -c
mount -t ext2 /dev/vda /mnt 2>&1 | grep -o 'Invalid argument'
""", [disk])
    assert "attacker: done, 0 failed" in got.text, got.text
    got.expect({"open:0:3": 0, "storm:0:2": 0})
    assert "nothing left\n" in got.text and "Invalid argument\n" in got.text, got.text
    assert len(re.findall(r'^ *\d+ "restarts": *0$', got.text, re.M)) == 1 and not re.search(r'"restarts": *[1-9]', got.text), got.text
    told = re.findall(r"refused ([^(]*?) (?:\(-?\d+\) )?of attacker", got.text)
    assert len(told) == len(set(told)), f"told more than once: {told}"
    assert {"DEVIO", "SDEVIO", "VDEVIO", "IRQCTL", "SAFECOPYTO", "VUMAP", "DIAGCTL", "PRIVCTL", "VIRCOPY", "send", "a request for memory",
            "more contiguous memory than `contig` in its description allows",
            "an order about another service", "a name or value", "a signal for a program", "a signal of a terminal", "news of a service",
            "facts about programs", "a request that is not for services"} <= set(told), told


def test_driver_that_is_exchanged_by_hand(guest, tmp_path):
    """Taken down and started again under a file system: programs wait. Not started again: they get EIO, until it is."""
    disk = image(tmp_path / "disk")
    result = guest("""
        mke2fs /dev/vda >/dev/null && mount -t ext2 /dev/vda /mnt && cp /bin/busybox /mnt/a && cp /bin/busybox /mnt/b || exit 1
        umount /mnt && mount -t ext2 /dev/vda /mnt || exit 2
        service down virtio_blk
        (sleep 1; service up virtio_blk) &
        cmp /bin/busybox /mnt/a || exit 3
        wait; cp /bin/busybox /mnt/c && sync || exit 4
        service down virtio_blk
        cmp /bin/busybox /mnt/b 2>&1 | grep -o 'I/O error'
        service up virtio_blk
        cmp /bin/busybox /mnt/b && cmp /bin/busybox /mnt/c && umount /mnt && echo whole""", disk=[str(disk)])
    assert result.status == 0 and result.text.split("\n")[-3:-1] == ["I/O error", "whole"], str(result)
