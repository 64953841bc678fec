# SPDX-License-Identifier: BSD-2-Clause
"""hello, the model of a driver: what it reads as, what becomes of its count when it dies, and readers that never notice."""
import os
import re

import pytest

from harness import programs

READERS = programs.guest_program("musl/hello_readers")
# HELLO_OPENS=10000: so many opens in all, instead of a few hundred.
OPENS = int(os.environ.get("HELLO_OPENS", "800"))

HEAD = """
opens() { dmesg | sed -n 's/.*hello: open number //p' | tail -1; }
pid() { sed -n 's/^pid: //p' /proc/service/hello; }
"""


def run(guest, script, **options):
    result = guest(HEAD + script, **options)
    assert result.status == 0, str(result)
    return result.text


def test_hello_counts_opens_and_begins_anew_after_a_crash(guest):
    text = run(guest, """
stat -c '%A %t %T' /dev/hello
cat /dev/hello 2>/dev/null; echo "without a driver $?"
service up hello
cat /dev/hello; cat /dev/hello; cat /dev/hello; echo "opens $(opens)"
exec 3</dev/hello; dd bs=5 count=1 <&3 2>/dev/null; echo; echo "opens $(opens)"
kill -KILL $(pid); service wait hello -restarts 1 -timeout 20
echo "rest $(cat <&3)"
cat /dev/hello; echo "opens $(opens)"
service status hello | grep restarts
(echo x >/dev/hello) 2>/dev/null; echo "write $?"
dd if=/dev/hello bs=4 skip=1 count=1 2>/dev/null; echo
""")
    assert text.startswith("crw-r--r-- 11 0\nwithout a driver 1\n"), text
    hello = "Hello, World!\n"
    assert 3 * hello + "opens 3\nHello\nopens 4\n" in text, text
    assert "rest , World!\n" + hello + "opens 1\n" in text, text
    assert re.search(r"restarts +1\nwrite 1\no, W\n$", text), text


def test_hello_tells_its_kinds_of_start_apart(guest):
    text = run(guest, """
service up hello; kill -SEGV $(pid) 2>/dev/null || kill -KILL $(pid); service wait hello -restarts 1 -timeout 20
service down hello; service up hello
dmesg | grep 'hello: here'
""")
    assert [line.split("hello: ")[1] for line in text.strip().splitlines()] == [
        "here I am, fresh", "here I am again, after restart 1; the count begins anew", "here I am, fresh"], text


@pytest.mark.parametrize("smp", [1, 2, 4])
def test_readers_do_not_notice_that_the_driver_dies(guest, smp, tmp_path):
    conf = tmp_path / "hello.conf"
    conf.write_text("service hello {\n\tipc rs vm ds vfs;\n\tmajor 17;\n\tbudget NONE;\n\tbackoff NONE;\n};\n")
    text = run(guest, f"""
service up hello -config /root/hello.conf
/root/readers 4 {OPENS // 4} >/tmp/readers &
readers=$!
kills=0
while kill -0 $readers 2>/dev/null; do
	kill -KILL $(pid) 2>/dev/null && kills=$((kills + 1))
	sleep 0.01
done
wait $readers
cat /tmp/readers; echo "kills $kills"
service status hello | grep -E 'state|restarts'
cat /dev/hello
""", smp=smp, add=[READERS + ":/root/readers", f"{conf}:/root/hello.conf"], timeout=60 + OPENS // 20)
    counts = {k: int(v) for k, v in re.findall(r"(\w+) (\d+)", text)}
    assert counts["opens"] == OPENS // 4 * 4 and counts["hung"] == 0 and counts["wrong"] == 0, text
    assert counts["good"] == counts["opens"] and counts["kills"] >= 2, text
    assert counts["longest_ms"] < 5000 and text.endswith("Hello, World!\n"), text
    assert "running" in text


def test_makedev_makes_nodes_by_name(guest):
    text = run(guest, """
umask 077
rm /dev/hello; MAKEDEV hello; stat -c '%n %A %t %T' /dev/hello
MAKEDEV hello; echo "again $?"
mkdir /tmp/dev; MAKEDEV -d /tmp/dev std vdb ram1
stat -c '%n %A %t %T' /tmp/dev/null /tmp/dev/tty /tmp/dev/vdb /tmp/dev/vdb15 /tmp/dev/ram1
MAKEDEV -d /tmp/dev hello nosuch 2>/dev/null; echo "unknown $?"; ls /tmp/dev/hello 2>/dev/null
MAKEDEV -d /nowhere hello 2>/dev/null; echo "folder $?"
MAKEDEV 2>/dev/null; echo "none $?"
MAKEDEV -n ttyS3
""")
    assert text.splitlines() == [
        "/dev/hello crw-r--r-- 11 0", "again 0", "/tmp/dev/null crw-rw-rw- 1 3", "/tmp/dev/tty crw-rw-rw- 5 0",
        "/tmp/dev/vdb brw-rw---- fe 10", "/tmp/dev/vdb15 brw-rw---- fe 1f", "/tmp/dev/ram1 brw-rw---- 1 1",
        "unknown 2", "folder 1", "none 2", "/dev/ttyS3 660 c 4 67"], text


def test_the_device_map_forgets_departed_drivers(guest):
    """More drivers of different labels, one after the other, than VFS's map has entries (128): each is found, and those that stay
    keep theirs, blockfs too, which has no device numbers."""
    text = run(guest, """
service up ramdisk; service up blockfs
echo kept | dd of=/dev/ram0 bs=512 conv=sync,fsync 2>/dev/null
mknod /dev/h c 60 0
i=0
while [ $i -lt 140 ]; do
	service up hello -label h$i -major 60 || break
	[ $((i % 20)) = 0 ] && cat /dev/h
	service down h$i || break
	i=$((i + 1))
done
echo "labels $i"
service up hello -label last -major 60; cat /dev/h; grep last /proc/devices
blockdev --flushbufs /dev/ram0; head -c 4 /dev/ram0; echo
dmesg | grep 'device map is full' || echo "never full"
""", timeout=90)
    assert text.count("Hello, World!\n") == 8 and "labels 140\n" in text and " 60 last\nkept\nnever full\n" in text, text
