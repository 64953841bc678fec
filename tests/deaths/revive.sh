#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Boot services that are given up and revived: terminals, memory devices, /proc. Runs in the guest. What is printed while there are no
# terminals goes to a file.
. ./common.sh

# give_up NAME PID: kill each of its instances until there are no more
give_up() { n=0; while service wait $1 -restarts $n -timeout 30; do kill -KILL $2; n=$((n + 1)); done; }

exec 3>&1 4</dev/zero >/tmp/out 2>&1
give_up tty 7 & give_up memory 8 & give_up procfs 10 &
wait
for name in tty memory procfs; do see $name; done
told "write" sh -c 'echo x >&3'
told "open tty" sh -c 'echo x >/dev/console'
told "read" dd bs=1 count=1 of=/tmp/byte <&4
told "open memory" dd if=/dev/zero of=/tmp/byte bs=1 count=1
told "procfs" cat /proc/uptime
told "revive" service restart tty memory procfs
echo "@told revived"; service list; echo "=0"
exec >&3 2>&1
cat /tmp/out
told "read again" dd bs=1 count=1 of=/tmp/byte <&4
told "open memory again" dd if=/dev/zero of=/tmp/byte bs=1 count=1
told "open tty again" sh -c 'echo x >/dev/console'
told "procfs again" grep -c . /proc/1/stat
told "failed in DS" grep drv.failed /proc/axolotl/ds
for name in tty memory procfs; do kill -KILL "$(pid $name)"; service wait $name -restarts 11 -timeout 20; told "why $name" service why $name; done
others
