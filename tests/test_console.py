# SPDX-License-Identifier: BSD-2-Clause
"""What a person at the terminal sees: prompt, line editing, job control, full-screen programs, power-off."""
import pytest

from harness import console


@pytest.fixture(scope="module")
def shared_console():
    with console.Console(smp=2) as guest:
        guest.expect(console.PROMPT, timeout=300)
        guest.command("stty rows 24 columns 80")
        yield guest


@pytest.fixture
def terminal(shared_console):
    """The console at a fresh prompt, whatever the test before left behind."""
    shared_console.send(b"\x03")
    shared_console.settle()
    shared_console.command(f"echo fresh $(({next(number)} + 0))")
    return shared_console


number = iter(range(1, 1000))


def test_prompt_and_command(terminal):
    assert terminal.command("echo $((6 * 7))") == "42\n"


def test_line_editing(terminal):
    terminal.send(b"echo wrogn\x7f\x7f\x7f\x7f")
    terminal.send(b"rong\x01\x1b[C\x1b[C\x1b[C\x1b[C\x1b[Cx\n")
    terminal.expect(rb"\nxwrong\r*\n")
    terminal.expect(console.PROMPT)


def test_history(terminal):
    terminal.command("echo number-one")
    terminal.send(b"\x1b[A\n")
    terminal.expect(rb"\nnumber-one\r*\n")
    terminal.expect(console.PROMPT)


def start(terminal, program, first=":"):
    """Run a program in the foreground, and wait until it has said itself that it runs there, and has done what comes first."""
    terminal.send(f"sh -c '{first}; echo it run\"\"s; {program}'\n")
    terminal.expect(rb"\nit runs\r*\n")


def test_control_c_interrupts(terminal):
    start(terminal, "sleep 1000; echo not-here")
    terminal.send(b"\x03")
    terminal.expect(console.PROMPT)
    assert terminal.command("echo $?") == "130\n"


def test_control_z_and_fg(terminal):
    start(terminal, "while :; do sleep 0.1; done", first="trap \"echo goes on\" CONT")
    terminal.send(b"\x1a")
    terminal.expect(rb"Stopped")
    terminal.expect(console.PROMPT)
    assert "Stopped" in terminal.command("jobs")
    terminal.send("fg\n")
    terminal.expect(rb"\ngoes on\r*\n")
    terminal.send(b"\x03")
    terminal.expect(console.PROMPT)
    assert terminal.command("jobs") == ""


def test_background_job(terminal):
    terminal.send("sleep 0.2 & wait; echo over\n")
    terminal.expect(rb"\nover\r*\n")
    terminal.expect(console.PROMPT)


def test_end_of_file_ends_cat(terminal):
    start(terminal, "exec cat")
    terminal.send("line\n")
    terminal.expect(rb"line\r*\nline\r*\n")
    terminal.send(b"\x04")
    terminal.expect(console.PROMPT)


def test_terminal_size_and_name(terminal):
    assert terminal.command("stty size") == "24 80\n"
    assert terminal.command("tty") == "/dev/ttyS0\n"


def test_vi_edits_a_file(terminal):
    terminal.send("vi /tmp/edited\n")
    terminal.expect(rb"~")
    terminal.send(b"ihello from vi\x1b")
    terminal.settle()
    terminal.send(b":wq\n")
    terminal.expect(console.PROMPT)
    assert terminal.command("cat /tmp/edited") == "hello from vi\n"


def test_top_shows_processes(terminal):
    terminal.send("top\n")
    terminal.expect(rb"Mem:")
    terminal.expect(rb"init")
    terminal.send("q")
    terminal.expect(console.PROMPT)


def test_poweroff_ends_the_machine():
    with console.Console(smp=2) as guest:
        guest.expect(console.PROMPT, timeout=300)
        guest.send("poweroff\n")
        assert guest.wait_end(), bytes(guest.seen[-2000:])
        assert guest.process.returncode == 0


def test_reboot_comes_back():
    with console.Console(smp=2, reboot=True) as guest:
        guest.expect(console.PROMPT, timeout=300)
        guest.send("reboot\n")
        guest.expect(rb"Requesting system reboot")
        guest.expect(console.PROMPT, timeout=300)
        assert guest.command("echo back") == "back\n"
