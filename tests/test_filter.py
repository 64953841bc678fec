# SPDX-License-Identifier: BSD-2-Clause
"""filter over drivers that lie (faulty): a client that knows what it wrote reads nothing else, whatever goes wrong on one of two disks.

The engine itself is tested on the host with thousands of seeds (drivers/block/filter/test); here it is the services, RS and real time.
"""
import functools
import os
import re
import tempfile

import pytest

from harness import machine, programs

CONF = """
service disk_user {
	ipc rs vm ds flt fl1 rd1;
	control flt fl1;
};
service ramdisk {
	ipc rs vm ds;
};
service faulty {
	ipc rs vm ds rd1;
	control rd1;
	period 200;
	budget 63 5;
};
service filter {
	ipc rs vm ds fl1 rd1 rd2;
	control fl1 rd1 rd2;
};
"""

# name: rules of the first disk, arguments of the filter besides its disks
CASES = {
    "corrupt": "rule=read:wrongdata:every=5 rule=read:zerodata:every=17 rule=write:wrongdata:every=13,after=40|",
    "lost": "rule=write:lost:every=6,after=40 rule=read:short:every=19 rule=read:toolong:at=50|",
    "misdirect": "rule=write:misdirect:every=9,after=40|sum=md5",
    "elsewhere": "rule=read:misdirect:every=8|sum=xor",
    "status": "rule=read:status=EIO:every=4 rule=write:status=EIO:every=9,after=40|",
    "silent": "rule=any:noanswer:at=120 rule=read:wrongid:at=60|timeout=400 patience=100",
    "dies": "rule=any:crash:at=150 rule=read:exit:at=80|",
    "hangs": "rule=any:hang:at=160|timeout=400 patience=100",
}

SCRIPT = """
up() { service up $1 -config /root/test.conf -label $2 -args "$3" || echo "cannot start $2"; }
finished() { dmesg | grep -c 'disk_user: finished'; }
run() {
	echo "@@ $1"
	before=$(finished)
	n=0
	up /sbin/services/ramdisk rd1 size=1M
	up /sbin/services/ramdisk rd2 size=1M
	up /sbin/services/faulty fl1 "target=rd1 quiet $2"
	up /sbin/services/filter flt "disk=fl1 disk=rd2 $3"
	while [ "$(dmesg | grep -c 'filter: disk 1 is up to date')" -lt $((before + 1)) ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
	up /root/disk_user du "flt 120"
	n=0
	while [ "$(finished)" = "$before" ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n + 1)); done
	dmesg | grep 'disk_user: ' | tail -n 1
	dmesg | grep -c 'WRONG'
	for s in du flt fl1 rd1 rd2; do service down $s; done
}
"""


@functools.cache
def boot():
    script = SCRIPT + "".join('run %s "%s" "%s"\n' % ((name,) + tuple(case.split("|"))) for name, case in CASES.items())
    with tempfile.TemporaryDirectory() as folder:
        conf = os.path.join(folder, "test.conf")
        with open(conf, "w") as f:
            f.write(CONF)
        return machine.run_guest(script, timeout=150, add=[
            programs.service_program("tests/block/disk_user") + ":/root/disk_user", conf + ":/root/test.conf"])


@pytest.mark.parametrize("name", CASES)
def test_reads_what_was_written_over_one_faulty_disk(name):
    result = boot()
    text = result.text.partition(f"@@ {name}\n")[2].partition("@@ ")[0]
    found = re.search(r"finished: (\d+) reads, (\d+) writes, (\d+) errors, (\d+) wrong", text)
    assert found, str(result)
    reads, writes, errors, wrong = map(int, found.groups())
    assert reads > 50 and writes > 20 and (errors, wrong) == (0, 0), text
