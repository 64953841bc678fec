# SPDX-License-Identifier: BSD-2-Clause
"""Running commands in a guest through tools/guest, the one door."""
import os
import re
import signal
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
# With GUEST_LINUX=FILE the guest is that Linux kernel: to try out a test, or the harness itself.
LINUX = os.environ.get("GUEST_LINUX")
# What the host's Linux said to the guest programs in this run of the suite.
HOST_VERDICTS = os.path.join(BUILD, "host-verdicts")


class Result:
    def __init__(self, status, output, console):
        self.status, self.output, self.console = status, output, console

    @property
    def text(self):
        return self.output.decode(errors="replace")

    def __str__(self):
        return f"exit status {self.status}\n--- output\n{self.text[-6000:]}\n--- console\n{self.console[-6000:]}"


def guest_command(command, smp=2, mem=512, add=(), disk=(), timeout=300, build=BUILD, append="", linux=LINUX,
                  kernel=None, icount=False, machine="pc", device=(), monitor=None):
    line = [os.path.join(ROOT, "tools", "guest"), "--build", build, "--smp", str(smp), "--mem", str(mem),
            "--timeout", str(timeout), "--append", append]
    line += ["--linux", linux] if linux else []
    line += ["--kernel", kernel] if kernel else []
    line += ["--icount"] if icount else []
    line += ["--machine", machine] + (["--monitor", monitor] if monitor else [])
    for name, values in (("--add", add), ("--disk", disk), ("--device", device)):
        for value in values:
            line += [name, value]
    return line + ["--"] + ([command] if isinstance(command, str) else list(command))


def run_guest(command, **options):
    """Boot, run, and return a Result; `command` is a line for the shell or a list of words."""
    done = subprocess.run(guest_command(command, **options), capture_output=True, stdin=subprocess.DEVNULL)
    return Result(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


class StreamedGuest:
    """A guest whose output is read line by line, and which is ended when it is silent for too long."""

    def __init__(self, command, silence_s, first_line_s=None, name="guest", **options):
        self.silence_s, self.first_line_s = silence_s, first_line_s or silence_s
        self.console_path = os.path.join(options.get("build", BUILD), name + "-console.log")
        line = guest_command(command, **options)
        line[1:1] = ["--console-log", self.console_path]
        self.process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def lines(self):
        rest, last, limit = b"", time.monotonic(), self.first_line_s
        os.set_blocking(self.process.stdout.fileno(), False)
        while True:
            data = self.process.stdout.read(65536)
            if data:
                last, limit = time.monotonic(), self.silence_s
                *whole, rest = (rest + data).split(b"\n")
                yield from (line.decode(errors="replace") for line in whole)
            elif data == b"":
                break
            elif time.monotonic() - last > limit:
                self.process.send_signal(signal.SIGTERM)
                last = time.monotonic()
            else:
                time.sleep(0.02)
        if rest:
            yield rest.decode(errors="replace")

    def finish(self):
        """(status, what tools/guest said, the end of the console log)."""
        trouble = self.process.stderr.read().decode(errors="replace")
        status = self.process.wait()
        console = ""
        if os.path.exists(self.console_path):
            with open(self.console_path, errors="replace") as f:
                console = f.read()
        return status, trouble[-8000:], console[-8000:]


def header_note(source, word):
    """The reason in a comment such as `/* host: skip REASON */` near the top of a test's source."""
    with open(os.path.join(ROOT, source), errors="replace") as f:
        head = f.read(3000)
    found = re.search(rf"/\*\s*{word}:\s*skip\s*(.*?)\s*\*/", head, re.S)
    return found.group(1) if found else None


def scratch_folder():
    """An empty folder in memory, as /tmp is in the guest."""
    return tempfile.TemporaryDirectory(prefix="axolotl-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
