# SPDX-License-Identifier: BSD-2-Clause
"""Options of a service's description that act on the running service: owner, processors, turn, queue, PCI devices; and words about what is
impossible. tests/block/attacker.c shows what a service cannot do, tests/test_service_command.py what the parser says."""
import os
import re
import subprocess

import pytest

from harness import machine, programs

LIFE = "tests/proto/life"

HEAD = """
up() { program=$1; shift; cp /root/life /root/$program; service up /root/$program -config /root/life.conf -args stay -period 100s "$@"; }
pid() { service status $1 | sed -n 's/^pid *//p'; }
cpu() { sed 's/.*) //' /proc/$(pid $1)/stat | cut -d ' ' -f 37; }
ticks() { sed 's/.*) //' /proc/$(pid $1)/stat | cut -d ' ' -f 12; }
"""


@pytest.fixture
def run(guest, tmp_path):
    def run_script(conf, script, smp=2):
        path = tmp_path / "life.conf"
        path.write_text(conf)
        result = guest(HEAD + script, smp=smp, mem=256, timeout=90, add=[programs.service_program(LIFE) + ":/root/life",
                                                                          f"{path}:/root/life.conf"])
        assert result.status == 0, str(result)
        return result.text

    return run_script


def test_owner_may_signal_a_service_and_nobody_else(run):
    """`uid`: whom the process belongs to. The service itself gets nothing from it."""
    text = run("service mine {\n\tuid daemon;\n};\nservice roots {\n};\n", """
up mine; up roots
as() { su -s /bin/sh $1 -c "kill -$2 $3" 2>/dev/null; echo "$1 $4 $2 $?"; }
as daemon 0 $(pid mine) mine; as daemon 0 $(pid roots) roots; as nobody 0 $(pid mine) mine
as daemon SEGV $(pid mine) mine; as nobody KILL $(pid mine) mine
stat -c 'owner %U' /proc/$(pid mine)
as daemon KILL $(pid mine) mine
service wait mine -restarts 1 -timeout 10; echo "again $?"
as daemon 0 $(pid mine) mine
""")
    for line in ("daemon mine 0 0", "daemon roots 0 1", "nobody mine 0 1", "daemon mine SEGV 1", "nobody mine KILL 1", "owner daemon",
                 "daemon mine KILL 0", "again 0"):
        assert line in text.split("\n"), text
    assert text.count("daemon mine 0 0") == 2, text


def test_processor_turn_and_queue_act(run):
    """Services that loop for ever on processor 1: which of them runs there how much is what their descriptions say."""
    conf = "".join(f"service {name} {{\n\tcpu 1;\n\tpriority {priority};\n\tquantum {quantum};\n}};\n"
                   for name, priority, quantum in (("long", 10, 90), ("short", 10, 10), ("late", 11, 90)))
    text = run(conf, """
for i in long short late; do up $i; done
for i in late short long; do service fi $i hang; done
for n in 1 2 3 4 5 6; do sleep 0.5; for i in long short late; do cpu $i; done; done | sort | uniq -c
for i in long short late; do echo "$i $(ticks $i)"; done
service restart long; echo "at $(cpu long)"
""")
    used = {name: int(ticks) for name, ticks in re.findall(r"^(long|short|late) (\d+)$", text, re.M)}
    assert re.findall(r"^ *(\d+) (\d+)$", text, re.M) == [("18", "1")], text
    assert "at 1\n" in text, text
    assert used["long"] > 2.5 * used["short"] and used["short"] > 0, f"turns of 90 and 10 ms: {used}"
    assert used["late"] <= used["short"] / 4, f"what is in a lower queue ran: {used}"


def test_what_is_impossible_is_refused_in_words(run):
    text = run("service nowhere {\n\tcpu 7 9;\n};\nservice somewhere {\n\tcpu 1 9;\n};\n", """
up nowhere 2>&1; echo "nowhere $?"
service check /root/life.conf 2>&1; echo "check $?"
up somewhere; echo "somewhere $?"
printf 'service x {\\n\\tpriority 16;\\n\\tquantum 1001;\\n\\tquantum 0;\\n\\tcpu 64;\\n\\tpriority high;\\n};\\n' >/root/wrong.conf
service check /root/wrong.conf 2>&1; echo "wrong $?"
""")
    assert "life.conf:2: this machine has none of these processors, expected one of 0 to 1" in text, text
    for line in ("nowhere 3", "check 3", "somewhere 0", "wrong 3"):
        assert line in text.split("\n"), text
    for line, words in ((2, "'16' is not right here, expected a number from 0 (highest) to 15"), (3, "'1001' is not right here, expected"),
                        (4, "'0' is not right here, expected milliseconds from 1 to 1000"),
                        (5, "'64' is not right here, expected processor numbers from 0 to 63"), (6, "'high' is not right here")):
        assert f"wrong.conf:{line}: {words}" in text, text


def make_image(path):
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", str(path), "16M"], check=True)
    return str(path)


PCI = """
try() {
	sed -e "/pci device/s/pci device.*/$2;/" /etc/system.conf >/root/try.conf
	service up virtio_blk -config /root/try.conf
	service wait virtio_blk -timeout 10
	service log virtio_blk | grep -c 'no disk' | sed "s/^/$1 /"
	service down virtio_blk
}
service down blockfs virtio_blk
try device 'pci device 1af4:1001 1af4:1042'
try class 'pci class 1\\/0'
try any_storage 'pci class 1'
try net 'pci class 2'
try other 'pci device 8086:100e'
try subsystem 'pci device 1af4:1001\\/1af4:2'
try wrong_subsystem 'pci device 1af4:1001\\/1af4:7'
"""


def test_driver_sees_only_the_pci_devices_of_its_description(guest, tmp_path):
    result = guest(PCI, mem=256, disk=[make_image(tmp_path / "disk")], timeout=60)
    seen = {name: int(n) for name, n in re.findall(r"^(\w+) (\d+)$", result.text, re.M)}
    assert seen["device"] == 0, result
    # The log is kept: each driver that found no disk adds a line.
    steps = [seen[k] for k in ("device", "class", "any_storage", "net", "other", "subsystem", "wrong_subsystem")]
    assert steps == [0, 0, 0, 1, 2, 2, 3], str(result)
