#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs in the guest: every program named in ./list, each in an empty folder, between markers that the host reads.
#   @@begin NAME
#   ... its output ...
#   @@end NAME STATUS MILLISECONDS
#   @@leak NAME WHAT BEFORE AFTER      for each measure that is worse after the test than before, twice in a row
# Measures: free memory (KiB), number of processes, and the lines `NAME VALUE` of /proc/axolotl/leaks where it exists.
# The first run of a program may fill caches; so a test that seems to leak is run once more, and that run is judged.
here=$PWD
# Free memory that may go without being called a leak: caches of directories and of freed kernel objects.
slack_kb=256

clock() { read -r now _ </proc/uptime; now=${now%.*}${now#*.}0; }

# Sets free, count and other, by the shell's own means so that measuring starts no process.
measure() {
	while read -r word value _; do
		[ "$word" = MemFree: ] && free=$value && break
	done </proc/meminfo
	set -- /proc/[0-9]*
	count=$#
	other=
	[ -r /proc/axolotl/leaks ] && while read -r word value _; do other="$other $word=$value"; done </proc/axolotl/leaks
}

remember() { free0=$free count0=$count other0=$other; }

grew() { [ "$free" -lt $((free0 - slack_kb)) ] || [ "$count" -gt "$count0" ] || [ "$other" != "$other0" ]; }

# What a test's children leave behind may take a moment to go.
settle() {
	for wait in 0.1 0.2 0.4 0.8; do
		measure
		grew || return 0
		sleep $wait
	done
	measure
	grew && return 1
	return 0
}

run_program() {
	mkdir -p /tmp/t && cd /tmp/t || exit 1
	"$here/$1" </dev/null 2>&1
	status=$?
	cd "$here" || exit 1
	rm -rf /tmp/t
}

report_leaks() {
	[ "$free" -lt $((free0 - slack_kb)) ] && echo "@@leak $1 free-memory-KiB $free0 $free"
	[ "$count" -gt "$count0" ] && echo "@@leak $1 processes $count0 $count"
	[ "$other" != "$other0" ] && echo "@@leak $1 counters $(echo $other0 | tr ' ' ,) $(echo $other | tr ' ' ,)"
	:
}

measure
while read -r name; do
	measure
	remember
	echo "@@begin $name"
	clock
	start=$now
	run_program "$name"
	clock
	echo "@@end $name $status $((now - start))"
	settle && continue
	measure
	remember
	run_program "$name" >/dev/null
	settle || report_leaks "$name"
done <list
echo "@@done"
