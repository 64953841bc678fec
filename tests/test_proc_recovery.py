# SPDX-License-Identifier: BSD-2-Clause
"""procfs dies again and again, and programs that read /proc do not notice: no error, and none waits for ever."""
import re

import pytest

SCRIPT = """
readers=""
for n in 1 2 3; do
	( while [ ! -e /tmp/end ]; do ps >/dev/null || exit 1; grep -q '^Name' /proc/self/status || exit 2; done ) &
	readers="$readers $!"
done
for n in 1 2 3 4 5 6; do
	kill -KILL $(service status procfs | sed -n 's/^pid *//p')
	sleep 0.2
done
:>/tmp/end
for p in $readers; do wait $p; echo "reader $?"; done
service status procfs | grep restarts
"""


@pytest.mark.parametrize("smp", [1, 4])
def test_reading_proc_while_procfs_is_killed(guest, smp):
    result = guest(SCRIPT, smp=smp)
    assert result.status == 0, str(result)
    assert result.text.count("reader 0\n") == 3, result.text
    assert int(re.search(r"restarts +(\d+)", result.text).group(1)) > 2, result.text
