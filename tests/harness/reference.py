# SPDX-License-Identifier: BSD-2-Clause
"""What the host's Linux says to the test programs: what passes there has to pass in the guest."""
import fcntl
import functools
import json
import os
import subprocess

from . import machine, programs, suite


def run_on_host(name):
    """(status, lines of output)"""
    with machine.scratch_folder() as folder:
        done = subprocess.run([programs.guest_program(name)], cwd=folder, stdin=subprocess.DEVNULL, timeout=600,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors="replace").split("\n")


@functools.cache
def on_host(name):
    """The verdict of the host's Linux, or None where the test asks for the guest only. Each program runs once, whichever process of
    pytest asks first; and one at a time, for they limit, count and signal the processes of some users."""
    if machine.header_note(programs.guest_tests()[name], "host"):
        return None
    os.makedirs(machine.HOST_VERDICTS, exist_ok=True)
    path = os.path.join(machine.HOST_VERDICTS, name.replace("/", "-") + ".json")
    with open(os.path.join(machine.HOST_VERDICTS, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            result = run_on_host(name)
            with open(path, "w") as f:
                json.dump(result, f)
    verdict = suite.Verdict(name)
    with open(path) as f:
        verdict.status, verdict.lines = json.load(f)
    return verdict


def missing(name, verdict):
    """What the host's Linux passes and this verdict does not, in words."""
    reference = on_host(name)
    return " ".join(sorted(reference.ok_names() - verdict.ok_names() - verdict.skipped_names())) if reference else ""
