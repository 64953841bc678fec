# SPDX-License-Identifier: BSD-2-Clause
"""The rules of docs/style.md that a program can check."""
import glob
import os
import subprocess

import pytest

from harness import machine

CHECKERS = sorted(os.path.basename(p)[len("check_"):-len(".py")] for p in glob.glob(machine.ROOT + "/tools/check_*.py"))


@pytest.mark.parametrize("name", CHECKERS)
def test_checker(name):
    done = subprocess.run([os.path.join(machine.ROOT, "tools", "check"), name], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.fail(done.stdout + done.stderr, pytrace=False)
