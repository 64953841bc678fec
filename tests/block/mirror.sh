#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# ext2 on a mirror of two virtio disks, each behind a driver of its own (faulty without rules: it hands on), while those die. Runs in the
# guest, with common.sh and filter.conf beside it and empty disks vda, vdb. Prints "@ WHAT" before what each part has to say.
#
#   both    both drivers of the mirror are killed at the same moment, again and again
#   filter  the filter itself is killed, again and again
#   lost    the driver of the first disk hangs until RS gives it up; later it is revived, and what was missed is copied
#   other   then the second disk's driver is taken down: the first disk must have everything, and nobody waits
#
# After each part all files are read from the disks anew and compared with the sums of what was written.
. ./common.sh

files=0
work_once() {
	files=$((files + 1))
	dd if=/dev/urandom of=/mnt/f$files bs=16k count=$((1 + files % 7)) 2>/dev/null &&
		(cd /mnt && md5sum f$files >>sums) || echo "f$files: failed"
	[ $((files % 3)) != 0 ] || sync
}

# while_working COMMAND: files are written until it ends
while_working() {
	"$@" &
	job=$!
	while kill -0 $job 2>/dev/null; do work_once; done
	wait $job
}

look() {
	sync
	cd / && umount /mnt && mount -t ext2 /dev/mirror /mnt || echo "cannot be mounted again"
	echo "files $(wc -l </mnt/sums) of $files, bad $( (cd /mnt && md5sum -c sums 2>&1) | grep -vc ': OK$')"
}

kill_both() {
	i=0
	while [ $i -lt 8 ]; do
		kill -KILL "$(pid vd1)" "$(pid vd2)"
		i=$((i + 1))
		service wait vd1 -restarts $i -timeout 20 >/dev/null
		service wait vd2 -restarts $i -timeout 20 >/dev/null
		sleep 0.1
	done
}

kill_filter() {
	i=0
	while [ $i -lt 4 ]; do
		kill -KILL "$(pid filter)"
		i=$((i + 1))
		service wait filter -restarts $i -timeout 20 >/dev/null
		sleep 0.3
	done
}

lose_first() {
	until_true '[ "$(state vd1)" = failed ] || { service fi vd1 hang >/dev/null 2>&1; false; }' 30
	sleep 1
}

take_second() {
	sleep 0.5
	service down vd2
	sleep 1
}

mirror_up
until_true '[ $(said "filter: disk 1 is up to date") -ge 1 ]' 20
mke2fs /dev/mirror >/dev/null || echo "no file system"
mount -t ext2 /dev/mirror /mnt || exit 1

echo "@ both"
while_working kill_both
look
service why vd1
service why vd2
echo "@ filter"
while_working kill_filter
until_true '[ "$(state filter)" = running ]' 5
look
service why filter
echo "@ lost"
while_working lose_first
look
service list
service why vd1
back=$(said "filter: disk 0 is up to date")
service restart vd1
until_true '[ $(said "filter: disk 0 is up to date") -gt $back ]' 20
look
echo "@ other"
while_working take_second
look
service list
sync
umount /mnt
service down filter
dmesg | grep 'filter: '
