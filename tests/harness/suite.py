# SPDX-License-Identifier: BSD-2-Clause
"""Many test programs in one boot: a boot costs more than most tests.

A suite is the list of programs for one number of processors. It boots when the first verdict is asked for. A test that
takes the guest down with it (panic, hang) fails, and the guest is booted again for the tests behind it.
"""
import os
import shutil
import tempfile

from . import machine

# A guest without a line of output for so long hangs; the tests have shorter deadlines of their own. Before the first line the
# machine may be busy with another guest.
SILENCE_S, FIRST_LINE_S = 300, 600
MAX_BOOTS = 12


class Verdict:
    def __init__(self, name):
        self.name, self.status, self.milliseconds = name, None, 0
        self.lines, self.leaks, self.trouble = [], [], ""

    def ok_names(self):
        return {line.split()[1] for line in self.lines if line.startswith("ok ") and len(line.split()) > 1}

    def skipped_names(self):
        """What the program found missing and optional: `skip NAME: reason`."""
        return {line.split()[1].rstrip(":") for line in self.lines if line.startswith("skip ") and len(line.split()) > 1}

    def failures(self):
        return [line for line in self.lines if line.startswith("FAIL ")]

    def __str__(self):
        shown = [line for line in self.lines if not line.startswith("ok ")][-60:]
        return "\n".join([f"{self.name}: status {self.status}, {self.milliseconds} ms", *shown, *self.leaks, self.trouble])


class Suite:
    def __init__(self, programs, smp, mem=512):
        """programs: {name in the guest, such as musl/test_fork: file on the host}"""
        self.programs, self.smp, self.mem = programs, smp, mem
        self.verdicts = {}
        self.boots = 0

    def log_name(self):
        return f"suite-smp{self.smp}-{self.mem}m"

    def verdict(self, name):
        while name not in self.verdicts and self.boots < MAX_BOOTS:
            self.boot([n for n in self.programs if n not in self.verdicts])
        return self.verdicts.get(name)

    def boot(self, names):
        self.boots += 1
        with tempfile.TemporaryDirectory(prefix="axolotl-suite-") as folder:
            self.fill(folder, names)
            guest = machine.StreamedGuest("cd /root/suite && sh ./suite.sh", SILENCE_S, FIRST_LINE_S, name=self.log_name(),
                                          smp=self.smp, mem=self.mem, add=[f"{folder}:/root/suite"], timeout=600 + SILENCE_S * len(names))
            last, done = self.read(self.logged(guest.lines()))
            status, trouble, console = guest.finish()
        if done:
            return
        if last is None:
            # Nothing came out at all: the next boot would end the same way.
            self.boots = MAX_BOOTS
            last = self.verdicts.setdefault(names[0], Verdict(names[0]))
        last.status = None
        last.trouble = f"the guest ended here (tools/guest: {status})\n{trouble or console}"

    def fill(self, folder, names):
        os.chmod(folder, 0o755)
        shutil.copy(os.path.join(machine.ROOT, "tests", "harness", "suite.sh"), folder)
        for name in names:
            target = os.path.join(folder, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.link(self.programs[name], target) if same_device(self.programs[name], folder) \
                else shutil.copy(self.programs[name], target)
        with open(os.path.join(folder, "list"), "w") as f:
            f.writelines(name + "\n" for name in names)

    def logged(self, lines):
        """The lines, which are also kept in the build folder as they come."""
        with open(os.path.join(machine.BUILD, self.log_name() + ".log"), "a" if self.boots > 1 else "w", buffering=1) as log:
            for line in lines:
                log.write(line + "\n")
                yield line

    def read(self, lines):
        """Turn the marked output into verdicts; returns the one that was cut off, or the last, and whether all ran."""
        current = last = None
        for line in lines:
            word, *rest = line.split(" ") if line.startswith("@@") else ("", line)
            if word == "@@begin":
                current = last = self.verdicts.setdefault(rest[0], Verdict(rest[0]))
            elif word == "@@end" and current:
                current.status, current.milliseconds = int(rest[1]), int(rest[2])
                current = None
            elif word == "@@leak" and last:
                last.leaks.append(" ".join(["LEAK", *rest[1:]]))
            elif word == "@@done":
                return last, True
            elif current:
                current.lines.append(line)
        return current or last, False


def same_device(path, folder):
    return os.stat(path).st_dev == os.stat(folder).st_dev
