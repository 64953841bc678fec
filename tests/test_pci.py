# SPDX-License-Identifier: BSD-2-Clause
"""The PCI bus: machines with a memory-mapped configuration space, disks behind bridges, devices with MSI only, with no messages at all,
and disks that get another size."""
import os
import re
import socket
import subprocess
import time

import pytest

from harness import machine as guests
from harness import programs

EDU = "tests/pci/edu"


def make_image(path, megabytes=16):
    path.write_bytes(os.urandom(1 << 20))
    os.truncate(path, megabytes << 20)
    return path


@pytest.mark.parametrize("smp", [1, 4])
def test_disk_behind_a_root_port_survives_its_driver_and_the_pci_server(guest, tmp_path, smp):
    image = make_image(tmp_path / "disk")
    result = guest("""
        dmesg | grep 'pci: segment 0.*configuration space' || exit 1
        pid() { sed -n 's/^pid: //p' /proc/service/$1; }
        cp /bin/busybox /tmp/a
        for victim in 'virtio_blk' 'pci' 'pci virtio_blk'; do
            (sleep 0.05; for v in $victim; do kill -9 $(pid $v); done) &
            dd if=/tmp/a of=/dev/vda bs=64k conv=fsync 2>/dev/null || exit 2
            wait; service wait pci -timeout 10; service wait virtio_blk -timeout 10 || exit 3
            blockdev --flushbufs /dev/vda; head -c $(stat -c %s /tmp/a) /dev/vda | cmp - /tmp/a || exit 4
        done
        dmesg""", machine="q35", smp=smp, disk=[f"{image},root-port"])
    assert result.status == 0, str(result)
    assert re.search(r"virtio_blk: disk 0 at 0[1-9a-f]:", result.text), str(result)
    assert "cannot be mapped" not in result.text


def test_file_system_behind_a_root_port_survives_the_driver(guest, tmp_path):
    image = make_image(tmp_path / "disk")
    result = guest("""
        pid() { sed -n 's/^pid: //p' /proc/service/$1; }
        mke2fs /dev/vda >/dev/null && mount -t ext2 /dev/vda /mnt || exit 1
        kill -9 $(pid virtio_blk)
        for i in 1 2 3; do dd if=/dev/urandom of=/mnt/f$i bs=64k count=8 2>/dev/null || exit 2; done
        (cd /mnt && md5sum f* >sums && sync) || exit 3
        (sleep 0.05; kill -9 $(pid pci) $(pid virtio_blk)) & # while more is written
        for i in 4 5 6 7; do cp /bin/busybox /mnt/f$i || exit 4; done; wait
        umount /mnt && mount -t ext2 /dev/vda /mnt || exit 5
        kill -9 $(pid virtio_blk)
        (cd /mnt && md5sum -c sums && for i in 4 5 6 7; do cmp /bin/busybox f$i || exit 6; done) || exit 6
        umount /mnt || exit 7
        service why virtio_blk""", machine="q35", disk=[f"{image},root-port"])
    assert result.status == 0, str(result)
    assert len(re.findall("^f[123]: OK$", result.text, re.M)) == 3 and "restarted 3 times" in result.text, str(result)
    judge = subprocess.run(["/sbin/e2fsck", "-fn", str(image)], capture_output=True, text=True)
    assert judge.returncode == 0, judge.stdout


def test_buses_of_a_second_host_bridge_are_found(guest):
    result = guest("service status pci >/dev/null || service up pci; dmesg", machine="q35", device=[
        "pxb-pcie,id=pxb,bus_nr=64,bus=pcie.0", "pcie-root-port,id=rp,bus=pxb,chassis=9", "pcie-pci-bridge,id=bridge,bus=rp",
        "edu,bus=bridge,addr=2"])
    assert re.search(r"pci: 42:02.0 1234:11e8", result.text), str(result)


@pytest.mark.parametrize("machine,device,extended", [("pc", "edu", "no"), ("q35", "edu", "yes")])
def test_a_device_with_msi_only(guest, tmp_path, machine, device, extended):
    conf = tmp_path / "edu.conf"
    conf.write_text("service edu {\n\tipc rs vm ds pci;\n\tpci device 1234:11e8;\n\tsystem IRQCTL;\n\tvm MAP_PHYS;\n};\n")
    result = guest("service status pci >/dev/null 2>&1 || service up pci || exit 1\nservice up /root/edu -config /root/edu.conf; dmesg",
                   machine=machine, device=[device], add=[programs.service_program(EDU) + ":/root/edu", f"{conf}:/root/edu.conf"])
    assert "done, 0 failed" in result.text and f"extended space: {extended}" in result.text, str(result)


def test_a_disk_without_messages_is_polled(guest, tmp_path):
    image = make_image(tmp_path / "disk")
    result = guest("""
        head -c 1000000 /bin/busybox >/tmp/a
        dd if=/tmp/a of=/dev/vda bs=64k conv=fsync 2>/dev/null || exit 1
        kill -9 $(sed -n 's/^pid: //p' /proc/service/virtio_blk)
        blockdev --flushbufs /dev/vda; head -c 1000000 /dev/vda | cmp - /tmp/a && echo same; dmesg""",
                   disk=[f"{image},vectors=0"])
    assert "\nsame\n" in "\n" + result.text and "looked at every millisecond" in result.text, str(result)


def test_devices_of_a_driver_that_is_no_more_are_switched_off(guest, tmp_path):
    """Taken down, given up, and taken down while the PCI server was dead: each time it can be had again."""
    image = make_image(tmp_path / "disk")
    result = guest("""
        pid() { sed -n 's/^pid: //p' /proc/service/$1; }
        off() { dmesg | grep -c 'pci: .* of virtio_blk is switched off'; }
        wait_off() { i=0; while [ $(off) -lt $1 ]; do sleep 0.05; i=$((i + 1)); [ $i -lt 100 ] || exit $1; done; }
        reads() { head -c 65536 /dev/vda >/dev/null && blockdev --flushbufs /dev/vda || exit 9; }
        reads; [ $(off) = 0 ] || exit 8
        service down virtio_blk; wait_off 1
        sed '/^service virtio_blk/a budget 1 60;' /etc/system.conf >once.conf
        service up virtio_blk -config once.conf || exit 10
        reads; kill -9 $(pid virtio_blk); service wait virtio_blk -restarts 1 -timeout 10; reads
        kill -9 $(pid virtio_blk); wait_off 2
        service restart virtio_blk && reads
        kill -STOP $(pid pci); service down virtio_blk; kill -9 $(pid pci); service wait pci -restarts 1 -timeout 10; wait_off 3
        service up virtio_blk || exit 11
        reads; off""", disk=[str(image)])
    assert result.status == 0 and result.text.strip().endswith("3"), str(result)


def monitor(path, line):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.settimeout(10)
        s.sendall(line.encode() + b"\n")
        text = b""
        while text.count(b"(qemu)") < 2:
            text += s.recv(4096)


@pytest.mark.parametrize("vectors", [2, 1])
def test_a_disk_gets_another_size(tmp_path, vectors):
    """Who has it open sees the new size at once (at the next open, where the device has no message for it), and can use what is new."""
    image, control = make_image(tmp_path / "disk", 2), str(tmp_path / "monitor")
    command = guests.guest_command("""
        [ VECTORS = 2 ] && exec 5</dev/vda; echo before $(blockdev --getsize64 /dev/vda); i=0
        while [ $(blockdev --getsize64 /dev/vda) = 2097152 ]; do sleep 0.1; i=$((i + 1)); [ $i = 100 ] && exit 1; done
        echo after $(blockdev --getsize64 /dev/vda)
        head -c 1000000 /bin/busybox | dd of=/dev/vda bs=1000 seek=2500 conv=fsync 2>/dev/null || exit 2
        blockdev --flushbufs /dev/vda; tail -c +2500001 /dev/vda | head -c 1000000 | cmp -n 1000000 - /bin/busybox || exit 3
        dmesg""".replace("VECTORS", str(vectors)), disk=[f"{image},vectors={vectors}"], monitor=control)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    text = process.stdout.readline()
    monitor(control, "block_resize disk0 4M")
    text += process.communicate(timeout=100)[0]
    assert process.returncode == 0 and "before 2097152" in text and "after 4194304" in text, text
    assert "disk 0 has 8192 sectors now" in text and "another size" not in text, text
