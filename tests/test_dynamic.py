# SPDX-License-Identifier: BSD-2-Clause
"""Dynamically linked programs of Debian, with the libraries they name copied in."""
import os
import re
import shutil
import subprocess

import pytest

PROGRAMS = {
    "dash": ("/bin/dash -c 'x=5; for i in 1 2 3; do x=$((x + i)); done; echo $x | cat; exit 3'", 3, "11\n"),
    "bash": ("/bin/bash -c 'declare -A m=([a]=1 [b]=2); echo ${m[b]} ${#m[@]}; echo <(true) | cut -c1-8'", 0, "2 2\n/dev/fd/\n"),
}


def with_libraries(program):
    """--add words for a program, its interpreter and its libraries, each at its own path, links resolved."""
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    paths = {program, *re.findall(r"(/\S+) \(0x", listing)}
    return [f"{os.path.realpath(path)}:{path}" for path in sorted(paths)]


@pytest.mark.parametrize("name", ["dash", "bash"])
def test_dynamic_program(guest, name):
    path = shutil.which(name)
    if not path:
        pytest.skip(f"{name} is not installed")
    line, status, output = PROGRAMS[name]
    result = guest(line, add=with_libraries("/bin/" + name))
    assert (result.status, result.text) == (status, output), str(result)
