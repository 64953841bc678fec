# SPDX-License-Identifier: BSD-2-Clause
"""The stress programs of system/stress/ for longer than the suite runs them: two minutes mixed, random calls as root."""
import pytest

from harness import programs

# For an hour by hand: tools/guest --smp 4 --mem 768 --timeout 4000 --add BUILD/guesttest/musl/mixed_stress -- mixed_stress 3600
SEEDS = (1, 2026)


def run(guest, program, arguments, **settings):
    path = programs.guest_program(f"musl/{program}")
    result = guest(f"mkdir -p /tmp/t && cd /tmp/t && /root/{program} {arguments}", add=[f"{path}:/root/{program}"], **settings)
    assert result.status == 0, str(result)
    return result


def test_two_minutes_of_everything(guest):
    result = run(guest, "mixed_stress", "120", smp=4, mem=768, timeout=300)
    assert "ok all_at_once" in result.text


@pytest.mark.parametrize("seed", SEEDS)
def test_random_calls_of_root(guest, seed):
    result = run(guest, "random_syscalls", f"60 {seed} root", smp=2, mem=512, timeout=240)
    assert "ok random_calls_harm_nobody" in result.text


def test_limits_of_a_small_machine(guest):
    result = run(guest, "limits_stress", "", smp=2, mem=128, timeout=240)
    assert "ok memory" in result.text
