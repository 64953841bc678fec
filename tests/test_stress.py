# SPDX-License-Identifier: BSD-2-Clause
"""The stress programs of system/stress/ for longer than the suite runs them: everything at once, random calls as root."""
import os

import pytest

from harness import programs

# STRESS=20 makes this twenty times as long. For an hour by hand:
# tools/guest --smp 4 --mem 768 --timeout 4000 --add BUILD/guesttest/musl/mixed_stress -- ./mixed_stress 3600
TIMES = float(os.environ.get("STRESS", "1"))
SEEDS = (1, 2026)


def run(guest, program, seconds=0, arguments="", **settings):
    path = programs.guest_program(f"musl/{program}")
    words = f"{int(seconds * TIMES)} {arguments}" if seconds else ""
    result = guest(f"mkdir -p /tmp/t && cd /tmp/t && /root/{program} {words}", add=[f"{path}:/root/{program}"],
                   timeout=600 + 2 * int(seconds * TIMES), **settings)
    assert result.status == 0, str(result)
    return result


def test_everything_at_once(guest):
    result = run(guest, "mixed_stress", 120, smp=4, mem=768)
    assert "ok all_at_once" in result.text


@pytest.mark.parametrize("seed", SEEDS)
def test_random_calls_of_root(guest, seed):
    result = run(guest, "random_syscalls", 20, f"{seed} root", smp=2, mem=512)
    assert "ok random_calls_harm_nobody" in result.text


def test_limits_of_a_small_machine(guest):
    result = run(guest, "limits_stress", smp=2, mem=128)
    assert "ok memory" in result.text
