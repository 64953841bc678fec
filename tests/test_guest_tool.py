# SPDX-License-Identifier: BSD-2-Clause
"""tools/guest keeps its promises: output byte for byte, status, files put in, 125 for what goes wrong."""
import os
import subprocess

import pytest

from harness import machine


def test_output_and_status_come_through(guest):
    result = guest("echo out; echo err >&2; exit 7")
    assert result.status == 7, str(result)
    assert result.text == "out\nerr\n"


def test_words_are_taken_literally(guest):
    result = guest(["printf", "%s|", "a b", "c'd", "$x", "*", ""])
    assert result.status == 0, str(result)
    assert result.text == "a b|c'd|$x|*||"


def test_bytes_are_exact(guest, tmp_path):
    data = bytes(range(256)) * 64 + os.urandom(20000)
    (tmp_path / "data").write_bytes(data)
    result = guest("cat data", add=[str(tmp_path / "data")])
    assert result.status == 0, str(result)
    assert result.output == data


def test_folders_are_added_whole(guest, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "run.sh").write_text("#!/bin/sh\necho $0 $#\n")
    (tmp_path / "a" / "b" / "run.sh").chmod(0o755)
    (tmp_path / "a" / "link").symlink_to("b/run.sh")
    result = guest("/opt/x/link 1 2; find /opt/x | sort", add=[f"{tmp_path / 'a'}:/opt/x"])
    assert result.status == 0, str(result)
    assert result.text == "/opt/x/link 2\n/opt/x\n/opt/x/b\n/opt/x/b/run.sh\n/opt/x/link\n"


def test_input_is_empty_and_user_is_root(guest):
    result = guest("cat; id -u; pwd")
    assert result.status == 0, str(result)
    assert result.text == "0\n/root\n"


def test_hang_ends_with_125_and_the_log(guest):
    result = guest("echo before; sleep 1000", timeout=20)
    assert result.status == 125
    assert result.text == "before\n"
    assert "no end within" in result.console


def test_end_without_status_is_125(guest):
    result = guest("poweroff -f")
    assert result.status == 125
    assert "without a status" in result.console


def test_file_that_is_not_there(guest):
    result = guest("true", add=["/nonexistent/file"])
    assert result.status == 1
    assert "/nonexistent/file" in result.console


@pytest.mark.parametrize("smp", [1, 2, 4])
def test_processors_are_there(guest, smp):
    result = guest("nproc", smp=smp)
    assert result.status == 0, str(result)
    assert result.text == f"{smp}\n"


def test_memory_is_as_asked(guest):
    result = guest("awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo", mem=64)
    assert result.status == 0, str(result)
    assert 32 <= int(result.text) <= 64


def test_archive_depends_on_its_inputs_alone(build, tmp_path):
    """The same inputs give the same bytes: times and owners are fixed."""
    outputs = []
    for name in ("one", "two"):
        out = tmp_path / name
        subprocess.run([os.path.join(machine.ROOT, "tools", "mkarchive"), "--output", str(out),
                        "--rootfs", os.path.join(machine.ROOT, "images", "rootfs.list")], check=True)
        outputs.append(out.read_bytes())
    assert outputs[0] == outputs[1]


def test_bad_recipe_names_file_and_line(tmp_path):
    for line, what in (("dir /x 755 0", "wrong number of words"), ("node /x 666 q 1 2", "'q'"), ("frob", "unknown word"),
                       ("file /x 644 no-such-file", "no-such-file"), ("dir x 755 0 0", "does not begin with /")):
        recipe = tmp_path / "recipe"
        recipe.write_text("# a comment\n" + line + "\n")
        done = subprocess.run([os.path.join(machine.ROOT, "tools", "mkarchive"), "--output", str(tmp_path / "out"),
                               "--rootfs", str(recipe)], capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.startswith(f"{recipe}:2: ") and what in done.stderr, done.stderr
