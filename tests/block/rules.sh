#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A mirror whose first disk lies (both, if rules are given for the second one too), and a client that knows what it wrote. Runs in the
# guest, with disk_user, common.sh and filter.conf beside it:
#	while read NAME|RULES|RULES OF THE SECOND|ARGUMENTS OF THE FILTER; rules.sh <CASES
# Prints "@@ NAME" and what the client found, for each.
. ./common.sh

up ramdisk ramdisk rd1 size=1M
up ramdisk ramdisk rd2 size=1M
while IFS='|' read -r name first second arguments; do
	echo "@@ $name"
	copied=$(said 'filter: disk 1 is up to date')
	finished=$(said 'disk_user: finished')
	disk2=rd2
	up faulty faulty fl1 "target=rd1 quiet $first"
	[ -z "$second" ] || { disk2=fl2; up faulty faulty fl2 "target=rd2 quiet $second"; }
	up filter filter flt "disk=fl1 disk=$disk2 format $arguments"
	until_true '[ "$(said "filter: disk 1 is up to date")" -gt $copied ]' 10
	up "$PWD/disk_user" disk_user du "flt 80"
	until_true '[ "$(said "disk_user: finished")" -gt $finished ]' 20
	dmesg | grep 'disk_user: ' | tail -n 1
	dmesg | grep 'disk_user: WRONG'
	service down du flt fl1
	[ $disk2 = rd2 ] || service down fl2
done
