# SPDX-License-Identifier: BSD-2-Clause
"""Shell scripts of system/shell/ with the host's busybox on Linux and in the guest: outputs are byte for byte the same."""
import functools
import glob
import os
import subprocess
import tempfile

import pytest

from harness import machine

FOLDER = os.path.join(machine.ROOT, "tests", "system", "shell")
SCRIPTS = sorted(os.path.basename(p) for p in glob.glob(FOLDER + "/*.sh"))
# The same on both sides; scripts work in an empty folder of this name.
ENVIRONMENT = {"HOME": "/root", "TERM": "dumb", "TZ": "UTC0", "LC_ALL": "C"}
WORK = "/tmp/axolotl-shell"


@functools.cache
def applet_folder():
    """A folder with a link for each applet, so that the host runs nothing but busybox."""
    folder = tempfile.mkdtemp(prefix="axolotl-applets-")
    for applet in subprocess.run(["/bin/busybox", "--list"], capture_output=True, text=True).stdout.split():
        os.symlink("/bin/busybox", os.path.join(folder, applet))
    return folder


def on_host(script):
    subprocess.run(["rm", "-rf", WORK])
    os.makedirs(WORK)
    try:
        done = subprocess.run(["/bin/busybox", "sh", os.path.join(FOLDER, script)], cwd=WORK, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, umask=0o022,
                              env={**ENVIRONMENT, "PATH": applet_folder()})
    finally:
        subprocess.run(["rm", "-rf", WORK])
    return done.returncode, done.stdout


@functools.cache
def in_guest():
    """{script: (status, output)} of one boot for all scripts."""
    settings = " ".join(f"{k}={v}" for k, v in ENVIRONMENT.items())
    loop = (f"umask 022; for s in {' '.join(SCRIPTS)}; do rm -rf {WORK}; mkdir {WORK}; cd {WORK}; echo @@begin $s; "
            f"env -i PATH=$PATH {settings} busybox sh /root/shell/$s 2>&1; printf '@@end %s %d\\n' $s $?; done")
    result = machine.run_guest(loop, add=[FOLDER + ":/root/shell"], timeout=600, smp=2)
    results = {"": (result.status, str(result).encode())}
    for part in result.output.split(b"@@begin ")[1:]:
        name, _, rest = part.partition(b"\n")
        output, _, end = rest.rpartition(b"@@end ")
        status = end.split()[1:2]
        results[name.decode()] = (int(status[0]) if status else None, output if status else rest)
    return results


@pytest.mark.parametrize("script", SCRIPTS)
def test_same_output(script):
    host_status, host_output = on_host(script)
    results = in_guest()
    if script not in results:
        pytest.fail("not run in the guest: " + results[""][1].decode(errors="replace")[-4000:], pytrace=False)
    status, output = results[script]
    assert output.decode(errors="replace").split("\n") == host_output.decode(errors="replace").split("\n")
    assert output == host_output
    assert status == host_status
