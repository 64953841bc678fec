# SPDX-License-Identifier: BSD-2-Clause
"""Several processors work. That N of them do the work of N is measured by perf/cpus, a benchmark: it depends on what else the host does."""
import pytest

SPREAD = """
busy() { awk '/^cpu[0-9]/ { print $1, $2 + $3 + $4 }' /proc/stat; }
busy
for job in 1 2 3 4; do awk 'BEGIN { for (i = 0; i < 400000; i++) s += i }' & done
wait
busy
"""


@pytest.mark.parametrize("smp", [2, 4])
def test_every_processor_works(guest, smp):
    result = guest(SPREAD, smp=smp, timeout=180)
    assert result.status == 0, str(result)
    figures = [line.split() for line in result.text.splitlines()]
    before, after = (dict(part) for part in (figures[:smp], figures[smp:]))
    spent = {cpu: int(after[cpu]) - int(before[cpu]) for cpu in before}
    assert len(spent) == smp
    assert min(spent.values()) > 0.2 * max(spent.values()), spent
