# SPDX-License-Identifier: BSD-2-Clause
"""The `service` command: what it prints, its errors and exit codes, and that its manual says what it knows."""
import json
import os
import re
import shutil
import subprocess

import pytest

from harness import machine, programs

LIFE = "tests/proto/life"
MANUALS = [os.path.join(machine.ROOT, "docs", "man", name) for name in ("service.8", "system.conf.5", "makedev.8")]


def source(*path):
    with open(os.path.join(machine.ROOT, *path)) as f:
        return f.read()


# Each line that says "NAME CODE" is checked against the table below; one boot for all.
SCRIPT = """
code() { name=$1; shift; "$@" >/tmp/out 2>/tmp/err; echo "$name $?"; }
life() { service up /root/life -config /root/life.conf "$@"; }

code list service list
code help service help
code no_verb service
code unknown_verb service frobnicate
code unexpected service list all
code no_name service down
code unknown_name service status nobody_here
code unknown_down service down nobody_here
code core_down service down pm
code why_unknown service why nobody_here
code relative service up ./life -config /root/life.conf
code no_program service up no_such_program
code folder service up /etc
code no_value life -label
code unknown_option life -q
code long_label life -label a_label_that_is_longer_than_thirty_one
code short_period life -period 99
code bad_period life -period 5m
code bad_major life -major 512
code bad_dev life -dev /etc/passwd
code good_dev life -dev /dev/hello -args stay -label dev
code taken_major life -major 17 -args stay -label dev2
code block_major life -major b17 -args stay -label dev3
code down_all service down dev dev3
code undescribed service up /root/life -config /etc/passwd
code no_config service up /root/life -config /root/no_such.conf
cp /root/life /root/unheard_of
code not_in_system_conf service up /root/unheard_of
code bad_script life -script /etc/passwd

code up life -args stay -label one -period 200ms
code twice life -args stay -label one
code status service status one
code wait service wait one -timeout 20
code wait_long service wait one -restarts 9 -timeout 1
code wait_bad service wait one -restarts x
code restart service restart one
code refresh service refresh one
code history service history one
code log service log one
code why service why one
code down service down one
code gone service status one
code init_crash life -args stay -label x -x
code init_error life -args stay -label y -y

echo 'service life { irqs 4; };' >/root/bad.conf
printf 'service life {\\n\\tirq 4 five;\\n\\tuid nobody_here;\\n};\\nservice other {\\n\\tio 60\\n};\\n' >/root/worse.conf
code check service check
code check_bad service check /root/bad.conf /root/worse.conf; cat /tmp/err
code up_bad service up /root/life -config /root/worse.conf
echo 'service life { uid daemon; };' >/etc/system.conf.d/life
code own_file service up /root/life -args stay -label own
ps -o user,comm | grep life
service down own
echo 'service life { uid 0 };' >/etc/system.conf.d/life
code own_file_bad service up /root/life -args stay -label own
su -s /bin/sh nobody -c 'service list' 2>/tmp/err; echo "not_root $?"

echo "@@proc"
hostname pond; cat /proc/sys/kernel/hostname; [ "$(cat /proc/sys/kernel/osrelease)" = "$(uname -r)" ] && echo same release
[ "$(cat /proc/version)" = "$(uname -s) version $(uname -r) $(uname -v)" ] && echo same version
echo $(ls /proc/service); cat /proc/service/procfs
life -args stay -label passing; exec 3</proc/service/passing; service down passing
cat <&3 2>/dev/null; echo "gone $?"; ls /proc/service/passing 2>/dev/null; echo "gone $?"
echo "@@json"
service list --json; service status procfs --json; service history --json; service why procfs --json
service log one --json | head -1; service check --json 2>/dev/null; service down nobody_here --json 2>/dev/null
service --json up /root/life -config /root/life.conf -args stay -label j; service down j --json
"""

CODES = {
    "list": 0, "help": 0, "no_verb": 2, "unknown_verb": 2, "unexpected": 2, "no_name": 2, "unknown_name": 4, "unknown_down": 4,
    "core_down": 1, "why_unknown": 4, "relative": 2, "no_program": 2, "folder": 2, "no_value": 2, "unknown_option": 2,
    "long_label": 2, "short_period": 2, "bad_period": 2, "bad_major": 2, "bad_dev": 2, "good_dev": 0, "taken_major": 1,
    "block_major": 0, "down_all": 0, "undescribed": 3, "no_config": 3, "not_in_system_conf": 3, "bad_script": 2, "up": 0, "twice": 1,
    "status": 0, "wait": 0, "wait_long": 7, "wait_bad": 2, "restart": 0, "refresh": 0, "history": 0, "log": 0, "why": 0, "down": 0,
    "gone": 4, "init_crash": 6, "init_error": 1, "check": 0, "check_bad": 3, "up_bad": 3, "own_file": 0, "own_file_bad": 3,
    "not_root": 5,
}

MISTAKES = [
    "/root/bad.conf:1: unknown option 'irqs', expected backoff, block-major,",
    "/root/worse.conf:2: 'five' is not right here, expected NONE or interrupt numbers from 0 to 255",
    "/root/worse.conf:3: 'nobody_here' is not right here, expected a user number, SELF or the name of a user in /etc/passwd",
    "/root/worse.conf:7: unexpected '}', expected a word or ';'",
]


def test_command_line_codes_and_json(guest, tmp_path):
    conf = tmp_path / "life.conf"
    conf.write_text("service life {\n};\n")
    result = guest(SCRIPT, timeout=90, add=[programs.service_program(LIFE) + ":/root/life", f"{conf}:/root/life.conf"])
    text, _, documents = result.text.partition("@@json\n")
    text, _, proc = text.partition("@@proc\n")
    assert proc.startswith("pond\nsame release\nsame version\n") and proc.endswith("gone 1\ngone 1\n"), proc
    facts = dict(re.findall(r"^(\w+): (.*)$", proc, re.M))
    assert facts["label"] == "procfs" and facts["state"] == "running" and facts["policies"] == "restart", proc
    assert int(facts["endpoint"]) > 0 and int(facts["pid"]) > 1 and facts["restarts"] == "0" and " vfs " in proc, proc
    got = {name: int(code) for name, code in re.findall(r"^([a-z_]+) (\d+)$", text, re.M)}
    assert got == CODES, str(result)
    for line in MISTAKES:
        assert line in text, text
    assert re.search(r"^daemon +life$", text, re.M), text
    parsed = [json.loads(line) for line in documents.splitlines()]
    services, status, history, why, log, check, refused, up, down = parsed
    assert {"rs", "vm", "ds", "pm", "vfs", "tty"} <= {s["name"] for s in services}, documents
    assert all(s["uptime_ms"] > 0 for s in services if s["state"] == "running"), documents
    assert {"name", "state", "health", "pid", "endpoint", "uptime_ms", "restarts", "last_fault"} <= set(status)
    assert status["state"] == "running" and status["health"] == "good" and isinstance(history, list) and history
    assert why["name"] == "procfs" and "text" in log and check["exit"] == 3 and check["mistakes"] == 1
    assert (refused["exit"], up["exit"], down["exit"]) == (4, 0, 0) and "no service" in refused["error"]


def test_policy_script_decides_what_becomes_of_a_dead_service(guest, tmp_path):
    conf, script = tmp_path / "life.conf", tmp_path / "policy"
    conf.write_text("service life {\n\tscript /root/policy;\n};\n")
    script.write_text('#!/bin/sh\necho "script $*"\n[ "$3" -lt 2 ] && exec service restart $1\nexec service down $1\n')
    script.chmod(0o755)
    result = guest("""
chmod 755 /root/policy
service watch --scripts -q >/tmp/script &
service up /root/life -config /root/life.conf -args 'crash 100 9' -label a
n=0; while service status a >/dev/null 2>&1 && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
cat /tmp/script; service status a; echo "status $?"
""", timeout=60, add=[programs.service_program(LIFE) + ":/root/life", f"{conf}:/root/life.conf", f"{script}:/root/policy"])
    assert "script a crashed 0\nscript a crashed 1\nscript a crashed 2\n" in result.text, str(result)
    assert result.text.endswith("status 4\n"), str(result)


@pytest.mark.skipif(not shutil.which("groff"), reason="no groff on this machine")
@pytest.mark.parametrize("path", MANUALS, ids=os.path.basename)
def test_manual_pages_are_well_formed(path):
    done = subprocess.run(["groff", "-ww", "-mdoc", "-Tutf8", path], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_manual_pages_tell_every_option_and_verb():
    options = re.findall(r'\{ "([a-z-]+)", \d, (?:\d|MANY), take_', source("user", "service", "conf_option.c"))
    told = set(re.findall(r"^\.It Cm ([a-z-]+)", source("docs", "man", "system.conf.5"), re.M))
    told |= set(re.findall(r", Cm ([a-z-]+)", source("docs", "man", "system.conf.5")))
    assert len(options) > 20 and set(options) <= told, set(options) - told
    verbs = set(re.findall(r'\{ "([a-z]+)", (?:verb|service)_', source("user", "service", "service.c"))) - {"help"}
    manual = source("docs", "man", "service.8")
    assert len(verbs) > 12 and not [v for v in verbs if f"Cm {v}" not in manual]
