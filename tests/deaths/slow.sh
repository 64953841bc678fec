#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What takes its time: initialisations that never end, loops that do not turn, answers that are none. Runs in the guest.
. ./common.sh

# a heartbeat of 100 ms; the driver says in the log when it begins to hang
up beat 20 served hang 2 -period 100
told "read beat" alphabet beat; service wait beat -restarts 2 -timeout 20; see beat
echo "@told hangs"; dmesg | grep -E 'mortal: hangs|beat died'; echo "=0"

# answers that no driver may give: two are an error for who asked, at the third the driver is replaced
n=30
for way in long type id; do
	up l$way $n lying $way 2; n=$((n + 1))
	told "lie l$way" first l$way; told "lie again l$way" first l$way; told "truth l$way" first l$way; sleep 0.3; see l$way
done
up liar 40 lying long 100
for i in 1 2 3; do told "lie $i" first liar; done
service wait liar -restarts 1 -timeout 20; see liar

# initialisations that do not end, the first one and that of a successor; meanwhile the others go on serving
{ up never 50 init linger 1; echo "=$?"; } >/tmp/out 2>&1 &
up takes 51 takeover linger 1; exec 5</tmp/takes; kill -KILL "$(pid takes)"
told "read beside" alphabet beat
{ dd bs=4 count=1 2>/dev/null <&5; echo "=$?"; } >/tmp/taken &
sleep 1; see takes
wait; echo "@told init never"; cat /tmp/out; echo "@told read takes"; cat /tmp/taken
service wait takes -restarts 2 -timeout 20
echo "@status took"; service status takes --json; echo "@why took"; service why takes | sed "s,takes,took,"
others
