# SPDX-License-Identifier: BSD-2-Clause
"""Services that go on with damaged code: whatever they do then, the rest of the system stays, and so do their successors (tests/mutation).

MUTATIONS=N for N seeds of each service, MUTATION_SEED for the first one. Drivers whose device reads and writes memory by itself are
left out: without an IOMMU nothing stands between a damaged one and the rest.
"""
import os
import subprocess

import pytest

from harness import machine

COUNT = int(os.environ.get("MUTATIONS", "5"))
FIRST_SEED = int(os.environ.get("MUTATION_SEED", "1"))


@pytest.mark.parametrize("service", ["ramdisk", "hello", "blockfs", "procfs", "ext2.1"])
def test_damaged_code_harms_nobody_else(guest, tmp_path, service):
    image = str(tmp_path / "ext2.img")
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext2", "-b", "1024", image, "2M"], check=True, stdout=subprocess.DEVNULL)
    script = os.path.join(machine.ROOT, "tests", "mutation", "mutate.sh")
    got = guest(f"sh ./mutate.sh {service} {FIRST_SEED} {COUNT}", add=[script, image], mem=256, timeout=60 + 8 * COUNT)
    assert got.status == 0 and f"ok {service}: {COUNT} times damaged" in got.text, str(got)
