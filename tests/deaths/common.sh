#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Read by the scripts of tests/test_deaths.py, which run in the guest: services that die, and what is to be seen of them.

# up LABEL MAJOR WHEN WAY TIMES [options]: the driver `mortal`, and its device node
up() {
	label=$1; major=$2; args="$3 $4 $5"; shift 5
	mknod "/tmp/$label" c "$major" 0
	service up /root/mortal -config /root/mortal.conf -label "$label" -major "$major" -args "$args" "$@"
}
pid() { service status "$1" | sed -n 's/^pid *//p'; }
# "see NAME": all that the tools say of it, for the test to judge
see() { echo "@status $1"; service status "$1" --json; echo "@why $1"; service why "$1"; }
# told WHAT COMMAND...: its output and its status
told() { what=$1; shift; echo "@told $what"; "$@" 2>&1; echo "=$?"; }
others() { echo "@others"; service list --json; }
# first NAME: one read of four bytes; alphabet NAME: 26 reads
first() { dd if="/tmp/$1" bs=4 count=1 2>/dev/null; }
alphabet() { dd if="/tmp/$1" bs=1 count=26 2>/dev/null; }
