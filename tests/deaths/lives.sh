#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every way to die at every moment of a life. Runs in the guest; tests/test_deaths.py judges what it prints.
. ./common.sh

# in the first initialisation: who started it is told, and nothing is left
n=20
for way in crash check exit refuse; do told "init $way" up i$way $n init $way 1; n=$((n + 1)); done
{ up ikill $n init linger 1; echo "=$?"; } >/tmp/out 2>&1 &
sleep 0.3; kill -KILL "$(pid ikill)"; wait; echo "@told init kill"; cat /tmp/out

# while taking over, again and again; then it succeeds
n=30
for way in crash check exit refuse; do
	up t$way $n takeover $way 3; kill -KILL "$(pid t$way)"; n=$((n + 1))
done
up tkill $n takeover linger 1; kill -KILL "$(pid tkill)"; sleep 0.2; kill -KILL "$(pid tkill)"
for way in crash check exit refuse; do service wait t$way -restarts 4 -timeout 20; done
service wait tkill -restarts 2 -timeout 20
for way in crash check exit refuse kill; do see t$way; told "read t$way" first t$way; done

# at once after it has announced itself, three times
n=40
for way in crash check exit; do up a$way $n announced $way 3; n=$((n + 1)); done
for way in crash check exit; do told "read a$way" first a$way; service wait a$way -restarts 3 -timeout 20; see a$way; done

# of each request, before and after the answer has left: the client notices nothing
n=50
for way in crash check exit; do
	up q$way $n asked $way 4; up s$way $((n + 10)) served $way 4; n=$((n + 1))
done
for name in qcrash qcheck qexit scrash scheck sexit; do
	told "read $name" alphabet $name; service wait $name -restarts 4 -timeout 20; sleep 0.2; see $name
done

# always, until it is given up: the client gets EIO at once, the next one too
up given 70 asked crash 1000
told "read given" dd if=/tmp/given bs=1 count=26; sleep 0.2; see given
told "open given" dd if=/tmp/given bs=1 count=1
told "wait given" service wait given -timeout 5
told "history given" service history given
others
