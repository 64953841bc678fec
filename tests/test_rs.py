# SPDX-License-Identifier: BSD-2-Clause
"""RS seen from outside: services that crash, exit, hang or fail to initialise, and the `service` command (tests/proto/life.c)."""
import os
import re

import pytest

from harness import programs

LIFE, ASKER = "tests/proto/life", "tests/proto/asker"


@pytest.fixture
def run(guest, tmp_path):
    """run(script, smp=): the script in a guest that has /root/svc/life and `up LABEL ARGS... [options]`."""
    conf = tmp_path / "life.conf"
    conf.write_text("service life {\n};\nservice asker {\n\tipc rs vm ds server;\n};\n"
                    "service thrifty {\n\tbudget 2 60;\n};\nservice cored {\n\tcore KEEP;\n};\n"
                    "service boss {\n\tcontrol minion;\n};\n")
    head = """
up() { label=$1; args=$2; shift 2; service up /root/life -config /root/life.conf -label $label -args "$args" "$@"; }
ran() { "$@"; echo "$1 $2 = $?"; }
restarts() { service status $1 | sed -n 's/^restarts *//p'; }
wait_restarts() { service wait $1 -restarts $2 -timeout 60; restarts $1; }
"""

    def run_script(script, smp=1, timeout=120):
        result = guest(head + script, smp=smp, timeout=timeout,
                       add=[programs.service_program(LIFE) + ":/root/life", programs.service_program(ASKER) + ":/root/asker",
                            f"{conf}:/root/life.conf"])
        assert result.status == 0, str(result)
        return result.text

    return run_script


FAULTS = [
    ("crash", "", "segmentation fault", "crash"),
    ("exit", "", "ended itself with status 3", "exit"),
    ("hang", "-period 500", "did not answer for 1000 ms and was killed", "hang"),
    ("overrun", "", "illegal instruction or failed check", "failed check"),
    ("check", "", "a check of its own failed", "failed check"),
    ("again", "", "a check of its own failed", "failed check"),
]


@pytest.mark.parametrize("smp", [1, 4])
def test_service_that_dies_is_started_again_and_keeps_name_and_data(run, smp):
    """Every way to die, told apart and counted. The endpoint stays, unless the service begins anew (`again`)."""
    script = "ep() { service status $1 | sed -n 's/^endpoint *//p'; }\n"
    script += "".join(f"up {how} '{how} 400 2' {options}; echo {how} $(ep {how})\n" for how, options, _, _ in FAULTS)
    script += "".join(f"wait_restarts {how} 2; echo {how} $(ep {how}); service why {how}\n" for how, *_ in FAULTS)
    script += "service history crash --json\n"
    text = run(script, smp=smp)
    for how, _, words, fault in FAULTS:
        first, second = re.findall(rf"^{how} (\d+)$", text, re.M)
        assert (first != second) == (how == "again"), text
        assert len(re.findall(f" {how} died: {words}", text)) == 2, text
        assert len(re.findall(rf" {how} runs again", text)) == 2, text
        assert f"Failures: {fault} 2." in text, text


def test_failure_while_taking_over_is_tried_again(run):
    text = run("""
up c 'initcrash 50 3'; up r 'refuse 50 3'
wait_restarts c 4; wait_restarts r 4
service why c; service why r
""")
    assert len(re.findall("c died while initialising: segmentation fault", text)) == 3, text
    assert len(re.findall("r could not initialise: Input/output error|r could not initialise: ", text)) == 3, text
    assert "Failures: crash 4." in text and "Failures: crash 1, refused initialisation 3." in text, text
    assert text.count("runs again (restart 4)") == 2, text


def test_budget_core_image_and_several_deaths_at_once(run):
    text = run("""
cp /root/life /root/thrifty; cp /root/life /root/cored; cp /root/life /root/boss
service up /root/thrifty -config /root/life.conf -args 'crash 600 100'
service wait thrifty -restarts 3 -timeout 30; echo "thrifty $?"
service why thrifty
service up /root/cored -config /root/life.conf -args 'crash 10 1'; service wait cored -restarts 1; service core cored /tmp/core
head -c 4 /tmp/core | od -An -c; service down cored; echo "cored $?"
up a stay; up b stay; up minion stay
pid() { service status $1 | sed -n 's/^pid *//p'; }
kill -KILL $(pid a) $(pid b) 8 10
for i in a b memory procfs; do service wait $i -restarts 1 -timeout 20; echo "$i $? $(restarts $i)"; done
head -c 10 /dev/zero | wc -c; ls /proc | grep -c '^1$'
service up /root/boss -config /root/life.conf -args 'order minion'; restarts minion
dmesg | grep -E 'boss: (restart|up)'
""")
    assert "thrifty 8" in text and "has failed 3 times within 60 s and is not started again" in text, text
    assert "177   E   L   F" in text and "cored 0" in text, text
    for name in ("a", "b", "memory", "procfs"):
        assert f"{name} 0 1" in text, text
    assert "restart minion: 0" in text and "restart pm: -1" in text and "up minion: -22" in text, text


def test_killed_service_comes_back_and_lethal_signals_are_refused(run):
    text = run("""
up a stay
pid() { service status a | sed -n 's/^pid *//p'; }
kill -SEGV $(pid) 2>/dev/null; echo "segv $?"
kill -HUP $(pid); echo "hup $?"
sleep 0.3; restarts a
kill -KILL $(pid); wait_restarts a 1
service why a
""")
    assert text.startswith("segv 1\nhup 0\n0\n1\n"), text
    assert "a died: killed" in text


def test_failures_in_initialisation_are_told_to_who_started_it(run):
    text = run("""
up x stay -x; echo "x $?"
up y stay -y; echo "y $?"
up z stay -z; echo "z $?"
service list | grep -c '^[xyz] ' || :
""", timeout=60)
    assert re.search(r"^x 6$", text, re.M) and re.search(r"^y 1$", text, re.M) and re.search(r"^z 6$", text, re.M), text
    assert text.endswith("\n0\n"), text


def test_service_that_always_dies_at_once_is_given_up(run):
    text = run("up a 'crash 1 1000'; service wait a -restarts 99 -timeout 40; service status a; service why a; service down a; echo down $?",
               timeout=60)
    assert "state      failed" in text and "is not started again" in text, text
    assert "down 0" in text


def test_requests_are_checked(run):
    text = run("""
up a stay
up a stay; echo "twice $?"
service up /root/life -config /root/life.conf -label 'b b'; echo "label $?"
service up life -config /root/life.conf; echo "relative $?"
service up /etc -config /root/life.conf; echo "folder $?"
service up /etc/passwd -config /root/life.conf; echo "undescribed $?"
service up /root/life -config /etc/passwd; echo "config $?"
cp /etc/passwd /root/passwd; mkdir /root/bad; cp /etc/passwd /root/bad/life
service up /root/bad/life -config /root/life.conf; echo "no program $?"
service down nobody; echo "nobody $?"
service down pm; echo "core $?"
service restart tmpfs; echo "boot $?"
service frobnicate; echo "verb $?"
service up /root/life -period 0; echo "period $?"
service up /root/life -label; echo "value $?"
up m stay -major 17; up n stay -major 17; echo "major $?"
echo 'service life { irqs 4; };' >/root/wrong.conf
service up /root/life -config /root/wrong.conf; echo "conf $?"
""" + "su -s /bin/sh nobody -c 'service list' 2>/dev/null; echo \"user $?\"\n")
    want = {"twice": 1, "label": 1, "relative": 2, "folder": 2, "undescribed": 3, "config": 3, "no program": 1, "nobody": 4,
            "core": 1, "boot": 1, "verb": 2, "period": 2, "value": 2, "major": 1, "conf": 3}
    got = {k: int(v) for k, v in re.findall(r"^([a-z ]+) (\d+)$", text, re.M)}
    assert {k: got.get(k) for k in want} == want, text
    assert got["user"] != 0


RESTARTS = int(os.environ.get("RS_RESTARTS", "100"))	# the long form: 1000


def test_nothing_is_left_of_services_that_were_restarted_and_removed(run):
    text = run("""
leaks() { grep -v 'pool\\|free_frames\\|page_table' /proc/axolotl/leaks; service list | wc -l; }
frames() { echo "frames $(sed -n 's/^free_frames //p' /proc/axolotl/leaks)"; }
cycle() {
	up a 'crash 1 3' >/dev/null 2>&1; wait_restarts a 3 >/dev/null
	service restart a; service refresh a; service down a
	up b stay -x 2>/dev/null; up c stay -y 2>/dev/null
	up d 'refuse 10 2'; wait_restarts d 3 >/dev/null; service down d
}
many() { n=0; while [ $n -lt $1 ]; do service restart s; n=$((n + 1)); done; }
up s stay
cycle; many 5; leaks >/tmp/before; frames
cycle; cycle; many RESTARTS; leaks >/tmp/after; frames
cycle; cycle; many RESTARTS; frames
diff /tmp/before /tmp/after && echo same
""".replace("RESTARTS", str(RESTARTS // 2)), timeout=120 + RESTARTS)
    first, second, third = (int(n) for n in re.findall(r"^frames (\d+)$", text, re.M))
    # The files take a frame each, and a service's heap may grow once; a lost instance would be a dozen, each time.
    assert min(first - second, second - third) < 12 and text.endswith("same\n"), text


@pytest.mark.parametrize("smp", [1, 4])
def test_clients_of_a_dying_service_hear_of_it_and_never_hang(run, smp):
    text = run("""
up server 'crash 20 8'
service up /root/asker -config /root/life.conf -args 30000; echo "asker $?"
dmesg | grep 'asker:'
restarts server
""", smp=smp)
    counts = dict(re.findall(r"(asked|answered|dead|wrong) (\d+)", text))
    assert "asker 0" in text and int(counts["wrong"]) == 0, text
    assert int(counts["answered"]) + int(counts["dead"]) == 30000 and int(counts["dead"]) >= 1, text
    assert "queued before a crash: not sent" in text, text
