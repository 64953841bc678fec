# SPDX-License-Identifier: BSD-2-Clause
"""A file system that lives, answers RS's heartbeats and has forgotten a request: programs that wait for it do not wait for ever."""
import subprocess

SCRIPT = """
/etc/rc.disk start && mount -t ext2 /dev/vda /mnt || exit 1
echo kept >/mnt/kept && sync
try() { # SERVICE COMMAND...: after SERVICE has lost an answer
	name=$1
	shift
	service fi $name wrong-reply || exit 1
	"$@"
	echo "$name: $?"
	service wait $name -timeout 30 >/dev/null || exit 1
	service why $name | grep -q 'has forgotten' && echo told
}
try procfs grep -c MemTotal /proc/meminfo
try ext2.1 cat /mnt/kept
try ext2.1 mkdir /mnt/made
try ext2.1 cp /mnt/kept /mnt/made/copy
cat /mnt/made/copy
try blockfs cmp -n 65536 /dev/vda /dev/vda
exec 3</dev/vda
try blockfs head -c 5 <&3 | tr -d "\\000"
exec 3<&-
umount /mnt && echo unmounted
"""


def test_lost_requests_are_made_again(guest, tmp_path):
    disk = str(tmp_path / "disk.img")
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", disk, "16M"], check=True)
    got = guest(SCRIPT, disk=[disk], timeout=100)
    assert got.status == 0, str(got)
    assert got.text.split("\n")[:-1] == ["1", "procfs: 0", "told", "kept", *3 * ["ext2.1: 0", "told"], "kept", *2 * ["blockfs: 0", "told"],
                                         "unmounted"], str(got)
    assert subprocess.run(["/sbin/e2fsck", "-fn", disk], capture_output=True).returncode == 0
