# SPDX-License-Identifier: BSD-2-Clause
"""Pure logic of kernel, services and libraries, run on the host with address and undefined-behaviour checks."""
import os
import subprocess

import pytest

from harness import machine, programs


@pytest.mark.parametrize("program", programs.unit_tests())
def test_unit(program):
    done = subprocess.run([os.path.join(machine.BUILD, "unit", program)], capture_output=True, text=True, errors="replace", timeout=300, cwd=machine.ROOT)
    if done.returncode != 0:
        pytest.fail(f"exit status {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-6000:]}", pytrace=False)
