# SPDX-License-Identifier: BSD-2-Clause
"""Services that die at every moment of their lives and in every way: what RS makes of it, what it says, what clients see.

One boot for what ends quickly, one for what takes its time, one each for boot services, policy scripts, and the driver of a disk that is in use.
"""
import json
import os
import re
import subprocess

import pytest

from harness import machine, programs

FOLDER = os.path.join(machine.ROOT, "tests", "deaths")
FAULTS = {"crash": "crash", "check": "failed check", "exit": "exit", "refuse": "refused initialisation", "kill": "signal"}
WORDS = {"crash": "segmentation fault at instruction 0x[0-9a-f]+, address 0", "check": "a check of its own failed",
         "exit": "ended itself with status 3", "kill": "killed"}


class Report:
    """What a script of tests/deaths prints: sections that begin with @KIND NAME."""

    def __init__(self, text):
        self.text, self.sections = text, {}
        for section in text.split("\n@")[1:] if not text.startswith("@") else text[1:].split("\n@"):
            head, _, body = section.partition("\n")
            self.sections[head.strip()] = body

    def status(self, name):
        return json.loads(self.sections[f"status {name}"])

    def why(self, name):
        return self.sections[f"why {name}"]

    def told(self, what):
        """(output, exit status)"""
        body, _, status = self.sections[f"told {what}"].rstrip("\n").rpartition("=")
        return body, int(status)

    def others(self):
        """Services that are not of the test: none of them may have suffered."""
        return [s for s in json.loads(self.sections["others"]) if s["program"] != "mortal"]


def run(script, tmp_path, **options):
    conf = tmp_path / "mortal.conf"
    conf.write_text("service mortal {\n\tipc rs vm ds vfs;\n\tbackoff 40;\n};\n")
    result = machine.run_guest(f"sh ./{script}", add=[os.path.join(FOLDER, "common.sh"), os.path.join(FOLDER, script),
                                                      programs.service_program("tests/deaths/mortal") + ":/root/mortal",
                                                      f"{conf}:/root/mortal.conf"], **{"timeout": 100, **options})
    assert result.status == 0, str(result)
    return Report(result.text.replace("\r", ""))  # a terminal that was given up has lost its settings


def deaths(why, name):
    """The words for each death, in their order."""
    return re.findall(rf"^[0-9.]+ {name} (died.*|could not .*)$", why, re.M)


def assert_recovered(report, name, times, faults, words):
    """It runs, was replaced so often, its failures were counted by kind and are told one by one, with what was done about each."""
    status, why = report.status(name), report.why(name)
    assert (status["state"], status["restarts"], status["faults"]) == ("running", times, faults), why
    assert ("restarted once" if times == 1 else f"restarted {times} times") in why, why
    told = deaths(why, name)
    assert len(told) == sum(faults.values()), why
    for pattern, line in zip(words, told):
        assert re.fullmatch(pattern, line), why
    assert re.search(rf"^[0-9.]+ {name} runs again \(restart {times}\) after [0-9.]+ ms$", why, re.M), why


def test_quick_deaths_at_every_moment(tmp_path):
    report = run("lives.sh", tmp_path)
    for way in ("crash", "check", "exit", "kill"):
        output, code = report.told(f"init {way}")
        assert "it died while initialising" in output and code == 6, report.text
    output, code = report.told("init refuse")
    assert "the service refused to initialise: I/O error" in output and code == 1, report.text

    for way in ("crash", "check", "exit", "refuse", "kill"):
        times = 1 if way == "kill" else 3
        again = "could not initialise: I/O error" if way == "refuse" else "died while initialising: " + WORDS[way]
        faults = {"signal": 2} if way == "kill" else {"signal": 1, FAULTS[way]: 3}
        assert_recovered(report, f"t{way}", times + 1, faults, ["died: killed"] + times * [again])
        assert report.told(f"read t{way}") == ("abcd", 0), report.text

    for way in ("crash", "check", "exit"):
        assert_recovered(report, f"a{way}", 3, {FAULTS[way]: 3}, 3 * ["died: " + WORDS[way]])
        assert report.told(f"read a{way}") == ("abcd", 0), report.text

    for kind in "qs":
        for way in ("crash", "check", "exit"):
            name = kind + way
            assert report.told(f"read {name}") == ("abcdefghijklmnopqrstuvwxyz", 0), report.text
            assert_recovered(report, name, 4, {FAULTS[way]: 4}, 4 * ["died: " + WORDS[way]])
            if kind == "q":
                assert "Clients: 4 requests were repeated, 0 failed." in report.why(name), report.why(name)

    assert_given_up(report)
    assert all(s["restarts"] == 0 and s["health"] == "good" for s in report.others()), report.text


def assert_given_up(report):
    status, why = report.status("given"), report.why("given")
    assert (status["state"], status["faults"]) == ("failed", {"crash": 11}), why
    assert "given has failed 11 times in a row and is not started again" in why, why
    assert "Its clients get errors at once" in why and "service restart given" in why, why
    assert "Clients: 10 requests were repeated, 1 failed." in why, why
    for what in ("read", "open"):
        output, code = report.told(f"{what} given")
        assert "Input/output error" in output and code == 1, report.text
    assert report.told("wait given")[1] == 8, report.text
    assert len(re.findall("^ *[0-9.]+  fault ", report.told("history given")[0], re.M)) == 11, report.text


def test_boot_services_that_were_given_up_are_revived(tmp_path):
    report = run("revive.sh", tmp_path)
    for name in ("tty", "memory", "procfs"):
        status = report.status(name)
        assert (status["state"], status["restarts"], status["faults"]) == ("failed", 10, {"signal": 11}), report.text
        assert f"{name} has failed 11 times in a row" in report.why(name), report.text
    for what in ("write", "open tty", "read", "open memory", "procfs"):
        output, code = report.told(what)
        assert "Input/output error" in output and code == 1, (what, report.text)

    # What was open before goes on, too: terminals and memory devices can be recovered.
    assert report.told("revive")[1] == 0, report.text
    assert report.told("procfs again") == ("1\n", 0), report.text
    for what in ("read again", "open memory again", "open tty again"):
        assert report.told(what)[1] == 0, (what, report.text)
    assert report.told("failed in DS")[0] == "", report.text
    for name, endpoint in (("tty", 6), ("memory", 7), ("procfs", 9)):
        why = report.told(f"why {name}")[0]
        assert "is restarted on request of an administrator" in why and "runs again (restart 11)" in why, why
        assert f"{name} runs" in why and "runs again (restart 12)" in why, why  # a death after the revival is one like all others
        assert next(s for s in report.others() if s["name"] == name)["endpoint"] == endpoint


def test_slow_deaths_and_answers_that_are_none(tmp_path):
    report = run("slow.sh", tmp_path)
    assert report.told("read beat") == ("abcdefghijklmnopqrstuvwxyz", 0), report.text
    assert_recovered(report, "beat", 2, {"hang": 2}, 2 * ["died: did not answer for 200 ms and was killed"])
    assert "Clients: 2 requests were repeated, 0 failed." in report.why("beat"), report.why("beat")
    times = [float(t) for t in re.findall(r"^\[ *([0-9.]+)\]", report.told("hangs")[0], re.M)]
    print("a heartbeat of 100 ms noticed hangs after", [round(died - hung, 3) for hung, died in zip(times[::2], times[1::2])])
    # Two periods and a quarter after the first heartbeat that was not answered; the rest is for a machine that is busy.
    assert len(times) == 4 and all(died - hung < 1.0 for hung, died in zip(times[::2], times[1::2])), report.text

    for way, words in (("long", "more data than asked for"), ("type", "a message that is no answer"),
                       ("id", "an answer to what it was not asked")):
        status, why = report.status(f"l{way}"), report.why(f"l{way}")
        assert (status["restarts"], status["answers_refused"], status["faults"]) == (0, 2, {}), why
        assert f"gave an answer that no service may give: {words}; refused, 2 so far" in why, why
        for what in ("lie", "lie again"):
            assert report.told(f"{what} l{way}")[1] == (0 if way == "id" else 1), report.text
        assert report.told(f"truth l{way}") == ("abcd", 0), report.text
    assert_recovered(report, "liar", 1, {"broken protocol": 1}, [r"died: broke its protocol \(3 answers .*\) and was killed"])

    output, code = report.told("init never")
    assert "it did not finish its initialisation in time" in output and code == 6, report.text
    assert report.told("read beside") == ("abcdefghijklmnopqrstuvwxyz", 0), report.text
    assert report.status("takes")["state"] == "starting" and "takes is starting" in report.why("takes"), report.text
    assert report.told("read takes") == ("abcd", 0), report.text
    assert_recovered(report, "took", 2, {"signal": 1, "slow initialisation": 1},
                     ["died: killed", "died while initialising: did not finish within 10 s and was killed"])
    assert all(s["restarts"] == 0 and s["health"] == "good" for s in report.others()), report.text


def test_policy_scripts(tmp_path):
    report = run("scripts.sh", tmp_path)
    for name, restarts in (("crashed", 2), ("silent", 1), ("killed", 2)):
        assert report.status(name)["restarts"] == restarts, report.text
        assert f"{name} is restarted on request of its script" in report.why(name), report.why(name)
    assert report.told("script crashed")[0] == "3 crashed crashed 0\n3 crashed crashed 1\n", report.text
    assert report.told("script silent")[0] == "3 silent no-heartbeat 0\n", report.text
    assert report.told("script killed")[0] == "3 killed terminated 0\n3 killed restart 1\n", report.text
    environment = {line.split("=")[0] for line in report.told("environment")[0].split()}
    assert environment <= {"PATH", "PWD", "SHLVL", "OLDPWD"}, report.text  # all but the first are the shell's own

    # One that takes the service down; one that fails, one that is not there any more: a restart at once.
    assert report.told("read gone")[1] == 1 and report.told("status gone")[1] == 4, report.text
    for name in ("broken", "lost"):
        assert report.told(f"read {name}") == ("abcd", 0) and report.status(name)["recovery_us"] < 5000000, report.text
    assert "for broken ended with status 3" in report.told("watcher")[0], report.text

    # Two that hang: RS waits ten seconds for each of them, and nobody else waits for anything.
    for name in ("crashed", "silent", "killed", "broken", "plain", "lost"):
        assert report.status(name)["state"] == "running", report.text
    assert "if its script /tmp/hangs has decided nothing by then" in report.why("hung"), report.why("hung")
    for name in ("hung", "sleepy"):
        assert report.told(f"read {name}") == ("abcd", 0), report.text
    assert "hung is started: its script has decided nothing within 10 s" in report.why("hung at last"), report.text
    assert all(s["restarts"] == 0 and s["health"] == "good" for s in report.others()), report.text


def test_disk_driver_dies_with_the_pci_server_and_under_its_own_program(tmp_path):
    disk, second = str(tmp_path / "disk.img"), tmp_path / "second.img"
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", "-b", "4096", disk, "16M"], check=True)
    second.write_bytes(b"second".ljust(1 << 20, b"\0"))
    report = run("disk.sh", tmp_path, disk=[disk, str(second)])
    assert report.told("both orders") == (4 * "wait 0\n", 0), report.text
    assert_recovered(report, "virtio_blk", 4, {"signal": 2, "exit": 1, "failed check": 1},
                     2 * ["died: killed"] + ["died: ended itself with status 0", "died: a check of its own failed"])
    assert_recovered(report, "pci", 4, {"signal": 2, "crash": 1, "exit": 1},
                     2 * ["died: killed"] + ["died: segmentation fault.*", "died: ended itself with status 0"])
    assert re.search("^Clients: [0-9]+ requests were repeated, 0 failed", report.why("virtio_blk"), re.M), report.why("virtio_blk")
    assert report.told("own program") == (3 * "wait 0\n" + "Hello, World!\nwait 0\n", 0), report.text
    assert report.status("second")["state"] == "running", report.text
    for what in ("sync", "files"):
        assert report.told(what) == ("", 0), report.text
    assert all(s["restarts"] == 0 and s["health"] in ("good", "-") for s in report.others()
               if s["name"] not in ("virtio_blk", "pci")), report.text
    done = subprocess.run(["/sbin/e2fsck", "-fn", disk], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
