# SPDX-License-Identifier: BSD-2-Clause
"""A guest at its console, as a person at the terminal has it: type, and wait for what appears."""
import os
import re
import selectors
import subprocess
import sys
import time

from . import machine

sys.path.insert(0, os.path.join(machine.ROOT, "tools", "pylib"))
import qemu

PROMPT = rb"axolotl:[^\n#]*# "


class ConsoleTimeout(AssertionError):
    pass


class Console:
    """Use as a context manager; `seen` holds everything that appeared."""

    def __init__(self, smp=1, mem=512, linux=machine.LINUX, reboot=False, iso=None, uefi=False, build=machine.BUILD):
        initrd = os.path.join(build, "linux", "root.cpio") if linux else qemu.archive_path(build)
        self.machine = qemu.Machine(linux or qemu.kernel_path(build), initrd, smp, mem)
        self.machine.append = ["console=ttyS0", "quiet"] if linux else []
        self.machine.reboot, self.machine.cdrom, self.machine.uefi = reboot, iso, uefi
        self.machine.serials = ["stdio"]
        self.seen, self.position = bytearray(), 0

    def __enter__(self):
        self.started = time.monotonic()
        self.process = subprocess.Popen(self.machine.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def elapsed(self):
        return time.monotonic() - self.started

    def send(self, data):
        self.process.stdin.write(data if isinstance(data, bytes) else data.encode())
        self.process.stdin.flush()

    def read_more(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not self.selector.select(left):
            return False
        data = os.read(self.process.stdout.fileno(), 65536)
        self.seen += data
        return bool(data)

    def expect(self, pattern, timeout=120):
        """Wait for the pattern behind what was matched before; returns the match."""
        deadline = time.monotonic() + timeout
        while True:
            found = re.compile(pattern).search(self.seen, self.position)
            if found:
                self.position = found.end()
                return found
            if not self.read_more(deadline):
                raise ConsoleTimeout(f"{pattern!r} did not appear; seen: {bytes(self.seen[self.position:])[-3000:]!r}")

    def settle(self, seconds=0.5):
        """Give what was typed time to be acted on, where nothing visible tells."""
        deadline = time.monotonic() + seconds
        while self.read_more(deadline):
            pass

    def wait_end(self, timeout=120):
        """Until QEMU ends by the guest's own power-off; returns whether it did."""
        deadline = time.monotonic() + timeout
        while self.read_more(deadline):
            pass
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def command(self, line, timeout=120):
        """Type a line at the prompt; returns what it printed, up to the next prompt."""
        self.send(line + "\n")
        self.expect(re.escape(line.encode()) + rb"\r*\n", timeout)
        begin = self.position
        found = self.expect(PROMPT, timeout)
        return bytes(self.seen[begin:found.start()]).replace(b"\r\n", b"\n").decode(errors="replace")
