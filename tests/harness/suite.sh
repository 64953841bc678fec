#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs in the guest: every program named in ./list, each in an empty folder, between markers that the host reads.
#   @@begin NAME
#   ... its output ...
#   @@end NAME STATUS MILLISECONDS
#   @@again NAME WHAT BEFORE AFTER     the same, once: the program runs again
#   @@leak NAME WHAT BEFORE AFTER      for each measure that is worse after the test than before, twice in a row
# Measures: free memory (KiB), number of processes, and the lines `NAME VALUE` of /proc/axolotl/leaks where it exists (pools,
# which are meant to grow, left out).
# A run of a program may fill caches, and services keep what they needed at the busiest moment so far (stacks of work under way,
# tables touched for the first time); that ends, a leak does not. So a test after which something is missing is run again, up to
# $again times, and leaks if something is missing after each of these runs, compared with just before it.
here=$PWD
again="1 2 3 4"
# Free memory that may go without a second look, in KiB.
slack_kb=256

# Milliseconds since boot. The 1 before the hundredths keeps "09" from being taken for an octal number.
clock() { read -r now _ </proc/uptime; now=$((${now%.*} * 1000 + 1${now#*.}0 - 1000)); }

# Sets free, count and now_NAME for each counter, by the shell's own means so that measuring starts no process.
measure() {
	while read -r word value _; do
		[ "$word" = MemFree: ] && free=$value && break
	done </proc/meminfo
	set -- /proc/[0-9]*
	count=$#
	counters=
	[ -r /proc/axolotl/leaks ] && while read -r word value _; do
		word=${word%:}
		case $word in *pool* | *free*) continue ;; esac
		counters="$counters $word"
		eval "now_$word=$value"
	done </proc/axolotl/leaks
}

remember() {
	free0=$free count0=$count
	for word in $counters; do eval "then_$word=\$now_$word"; done
}

# The counters that are larger than before, as NAME BEFORE AFTER lines.
grown() {
	[ "$free" -lt $((free0 - slack_kb)) ] && echo "free-memory-KiB $free0 $free"
	[ "$count" -gt "$count0" ] && echo "processes $count0 $count"
	for word in $counters; do
		eval "before=\${then_$word:-0} after=\$now_$word"
		[ "$after" -gt "$before" ] && echo "$word $before $after"
	done
	:
}

grew() {
	[ "$free" -lt $((free0 - slack_kb)) ] && return 0
	[ "$count" -gt "$count0" ] && return 0
	for word in $counters; do
		eval "[ \$now_$word -gt \${then_$word:-0} ]" && return 0
	done
	return 1
}

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

judge_again() {
	for run in $again; do
		grown | while read -r line; do echo "@@again $1 $line"; done
		measure
		remember
		run_program "$1" >/dev/null
		settle && return
	done
	grown | while read -r line; do echo "@@leak $1 $line"; done
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
	settle || judge_again "$name"
done <list
echo "@@done"
