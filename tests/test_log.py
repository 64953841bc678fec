# SPDX-License-Identifier: BSD-2-Clause
"""The log when a service fills it: what others say stays readable, and what is left out is counted (kernel/debug/limit.c)."""
import re

from harness import programs

LIFE = "tests/proto/life"
LINES = 5000
SCRIPT = """
up() { program=$1; shift; cp /root/life /root/$program; service up /root/$program -config /root/life.conf -period 100s -args "$1"; }
up before stay
up chatter "flood LINES"; echo "chatter $?"
up after stay
sleep 2.5
service restart chatter; service wait chatter -restarts 1 -timeout 10; echo "again $?"
sleep 2.5
service down chatter
echo @@log
dmesg
""".replace("LINES", str(LINES))


def test_a_flood_hides_nobodys_words(guest, tmp_path):
    conf = tmp_path / "life.conf"
    conf.write_text("".join(f"service {name} {{\n}};\n" for name in ("before", "chatter", "after")))
    result = guest(SCRIPT, smp=2, mem=256, timeout=90, add=[programs.service_program(LIFE) + ":/root/life", f"{conf}:/root/life.conf"])
    assert result.status == 0 and "chatter 0" in result.text and "again 0" in result.text, str(result)
    log = result.text.split("@@log")[1]
    said = [int(n) for n in re.findall(r"chatter: word (\d+) of many", log)]
    left_out = [int(n) for n in re.findall(r"kernel: (\d+) lines of chatter left out", log)]
    assert said[:100] == list(range(1, 101)), "a burst is written"
    assert len(said) < 700 and len(left_out) >= 2, (len(said), left_out)
    assert abs(len(said) + sum(left_out) - 2 * LINES) <= 5, "the first and the second instance's own lines are counted, too"
    for words in ("before: instance 1", "after: instance 1"):
        assert words in log, words
    assert re.search(r"\[ +0\.0", log), "the beginning of the boot is still there"
