# SPDX-License-Identifier: BSD-2-Clause
"""The negative control of system/test_stale_tlb.c: a kernel that ignores stale translations must fail it."""
import os

import pytest

from harness import machine, programs

STALE_KERNEL = os.path.join(machine.BUILD, "variants", "stale", "kernel", "axolotl.elf")


@pytest.mark.parametrize("smp", [2, 4])
def test_kernel_that_ignores_stale_bits_is_caught(guest, smp):
    program = programs.guest_program("musl/test_stale_tlb")
    healthy = guest("./test_stale_tlb", smp=smp, add=[program])
    assert healthy.status == 0, str(healthy)
    broken = guest("./test_stale_tlb", smp=smp, add=[program], kernel=STALE_KERNEL)
    assert broken.status not in (0, 125), str(broken)
    assert "FAIL" in broken.text, str(broken)
