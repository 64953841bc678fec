# SPDX-License-Identifier: BSD-2-Clause
"""Character drivers that are killed while programs use them: the terminal, the memory devices, a driver that cannot recover."""
import itertools
import os

import pytest

from harness import console, machine, programs

ROUNDS = int(os.environ.get("RECOVERY_ROUNDS", "12"))
WAYS = ["service restart tty", "kill -9 {pid}", "service fi tty crash"]
number = itertools.count(1)


@pytest.fixture(scope="module")
def terminal():
    with console.Console(smp=2) as guest:
        guest.expect(console.PROMPT, timeout=120)
        guest.command("stty rows 24 columns 250")  # no line that is typed here wraps
        yield guest


def tty_column(terminal, column):
    return terminal.command(f"service list | awk '$1 == \"tty\" {{ print ${column} }}'").strip()


def kill_soon(terminal, way):
    """Start a background job that kills the terminal driver; returns what it prints when the successor is there."""
    mark = f"gone-{next(number)}-"
    command = way.format(pid=tty_column(terminal, 4))
    terminal.command(f"((sleep 0.3; {command}; sleep 0.2; echo {mark}$((1 + 1))) &)")
    return mark.encode() + b"2"


def test_session_survives_the_terminal_driver(terminal):
    """Shell, variables, settings, background job and foreground program go on; the interrupt key stays the one that was set."""
    terminal.command("variable=kept; stty intr ^T rows 33 columns 251 -ixon")
    terminal.command("sleep 10000 &")
    before = terminal.command("echo $$ $variable; stty -a; tty; jobs")
    restarts = int(tty_column(terminal, 7))
    assert "intr = ^T" in before and "rows 33" in before
    for round in range(ROUNDS):
        gone = kill_soon(terminal, WAYS[round % len(WAYS)])
        terminal.send("cat\n")
        terminal.expect(gone)
        terminal.send(f"typed-{round}\n")
        terminal.expect(rb"typed-%d\r*\ntyped-%d\r*\n" % (round, round))
        terminal.send(b"\x14")
        terminal.expect(console.PROMPT)
        assert terminal.command("echo $?") == "130\n"
        after = terminal.command("echo $$ $variable; stty -a; tty; jobs")
        assert after.split("\n[")[0] == before.split("\n[")[0], after
        assert "sleep 10000" in after
    assert int(tty_column(terminal, 7)) >= restarts + ROUNDS
    terminal.command("kill %1; stty intr ^C ixon")


def test_prompt_survives(terminal):
    """The shell's own read of a line, in its own settings, is what waits."""
    for way in WAYS:
        gone = kill_soon(terminal, way)
        terminal.expect(gone)
        assert terminal.command("echo $((6 * 7))") == "42\n"


def test_job_control_survives(terminal):
    terminal.command("stty intr ^C")
    gone = kill_soon(terminal, "kill -9 {pid}")
    terminal.send("sleep 1000\n")
    terminal.expect(gone)
    terminal.send(b"\x1a")
    terminal.expect(rb"Stopped")
    terminal.expect(console.PROMPT)
    gone = kill_soon(terminal, "kill -9 {pid}")
    terminal.send("fg\n")
    terminal.expect(gone)
    terminal.send(b"\x03")
    terminal.expect(console.PROMPT)
    assert terminal.command("echo $?") == "130\n"


def test_full_screen_editor_survives(terminal):
    gone = kill_soon(terminal, "kill -9 {pid}")
    terminal.send("vi /tmp/edited\n")
    terminal.expect(gone)
    terminal.settle(0.3)
    terminal.send(b"i")
    terminal.settle(0.2)
    terminal.send(b"written after the kill\x1b")
    terminal.settle(0.3)
    terminal.send(b":wq\n")
    terminal.expect(console.PROMPT)
    assert terminal.command("cat /tmp/edited") == "written after the kill\n"


def test_output_is_whole(terminal):
    """Each line of a long output comes once, whatever is killed under it."""
    pid = tty_column(terminal, 4)
    terminal.command(f"((for i in 1 2 3 4 5; do sleep 0.2; kill -9 {pid}; done; sleep 0.5; echo all-$((2 + 3))) &)")
    text = terminal.command("sleep 0.1; seq 100001 106000; sleep 2", timeout=60)
    lines = [line.strip() for line in text.splitlines() if line.startswith("10")]
    # The chip's own queue of 16 bytes may have been on its way: a line at each kill may be damaged.
    wrong = set(lines) ^ {str(n) for n in range(100001, 106001)}
    assert len(wrong) <= 20 and abs(len(lines) - 6000) <= 10, (len(lines), sorted(wrong)[:20])
    assert "all-5" in text


def test_pseudo_terminals_survive(guest):
    """Session, settings, both sides' reads, poll and edge-triggered epoll of a pseudo-terminal, killed four times a round."""
    program = os.path.join(machine.BUILD, "tests", "recovery", "terminal", "pty_survivor")
    result = guest("./pty_survivor $(service list | awk '$1 == \"tty\" { print $4 }') 2", add=[program], timeout=60)
    assert result.text == "ok\n", result.text


def test_memory_devices_are_killed_and_nobody_notices(guest):
    result = guest("""
        dd if=/dev/zero of=/dev/null bs=64k count=3000 2>/tmp/out & dd=$!
        dd if=/dev/urandom of=/dev/null bs=512 2>/dev/null & random=$!
        pid=$(service list | awk '$1 == "memory" { print $4 }')
        for i in 1 2 3 4 5 6; do
            sleep 0.6; kill -9 $pid
            test $(head -c 100 /dev/zero | wc -c) = 100 || echo short
            echo text >/dev/null || echo refused
        done
        kill -0 $random && echo reader lives; kill $random
        wait $dd; echo dd $?; cat /tmp/out""", timeout=60)
    assert "dd 0\n3000+0 records in\n3000+0 records out" in result.text, result.text
    assert "reader lives" in result.text and "short" not in result.text and "refused" not in result.text, result.text


def test_open_waits_for_the_successor(guest):
    """hello: each open finds a driver, however often it is killed; when the service is taken down it fails at once."""
    result = guest("""
        service up hello
        for i in 1 2 3; do
            kill -9 $(service list | awk '$1 == "hello" { print $4 }')
            cat /dev/hello
        done
        service down hello; cat /dev/hello; echo down $?""")
    assert result.text.count("Hello, World!") == 3, result.text
    assert "down 1" in result.text, result.text


def test_device_that_cannot_recover_says_so(guest, tmp_path):
    """A read that waits ends with EIO, and so does each later one; a new open works; nothing strays to the successor."""
    conf = tmp_path / "plain.conf"
    conf.write_text("service plain { ipc rs vm ds vfs; major 201; };\n")
    program = programs.service_program("tests/recovery/plain/plain")
    result = guest("""
        mknod text c 201 0; mknod silent c 201 1
        service up /root/plain -config /root/plain.conf || exit 1
        pid=$(service list | awk '$1 == "plain" { print $4 }')
        for i in 1 2 3; do
            exec 5<text; exec 6<silent
            cat silent 2>&1 & reader=$!
            sleep 0.3; kill -9 $pid; pid=$(service list | awk '$1 == "plain" { print $4 }')
            wait $reader; echo reader $?
            cat <&5 2>&1; cat <&6 2>&1
            head -n 1 text
            for j in 1 2 3 4 5 6 7 8; do head -n 1 text >/dev/null || echo refused; done
            exec 5<&-; exec 6<&-
            pid=$(service list | awk '$1 == "plain" { print $4 }'); sleep 0.4
        done
        service list | awk '$1 == "plain" { print $2, $7 }'""", add=[f"{program}:/root/plain", str(conf)], timeout=60)
    assert result.text.count("reader 1\n") == 3 and result.text.count("Input/output error") == 9, result.text
    assert result.text.count("text\n") == 3 and "refused" not in result.text, result.text
    assert result.text.endswith("running 3\n"), result.text
