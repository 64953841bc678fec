#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Damages the code of a running service, uses it, and starts it anew, again and again: mutate.sh SERVICE FIRST COUNT. Runs in the guest.
#
# With damaged code a service may do anything that it is allowed to do: give wrong answers, none, too many; ask others for nonsense. It may
# harm who uses it, for as long as it runs. So: every use ends, one way or the other, and a new instance serves as ever; no other
# service notices. Prints `ok SERVICE ...` with what became of them, or what went wrong with the seed it went wrong with.
service=$1 first=$2 count=$3
seed=$first

die() {
	echo "FAIL $service, seed $seed: $*"
	service why "$service"
	ps
	dmesg | tail -n 30
	exit 1
}

up_ramdisk() { service up ramdisk -args size=1M && service up blockfs && { [ -e /dev/ram0 ] || mknod /dev/ram0 b 1 0; }; }
use_ramdisk() {
	dd if=/bin/busybox of=/dev/ram0 bs=64k count=8 conv=fsync && blockdev --flushbufs /dev/ram0 &&
		dd if=/dev/ram0 bs=64k count=8 | cmp -n 524288 - /bin/busybox
}
up_blockfs() { up_ramdisk; }
use_blockfs() { use_ramdisk; }
up_hello() { service up hello && { [ -e /dev/hello ] || mknod /dev/hello c 17 0; }; }
use_hello() { head -c 5 /dev/hello | grep -q . && grep -q . /dev/hello; }
up_procfs() { :; }
use_procfs() { ps | grep -q init && grep -q MemTotal /proc/meminfo && ls /proc/1/fd && cat /proc/1/stat /proc/self/maps; }
# Its disk is made anew each time: damaged code may leave damaged contents. /root/ext2.img is an empty file system of 2 MiB.
up_ext2() {
	service up ramdisk -args size=2M && service up blockfs && service up --template ext2 || return
	[ -e /dev/ram0 ] || mknod /dev/ram0 b 1 0
	renew_ext2
}
renew_ext2() {
	while grep -q '^/dev/ram0 ' /proc/mounts; do umount /mnt || usleep 100000; done
	dd if=ext2.img of=/dev/ram0 bs=64k conv=fsync 2>/dev/null && mount -t ext2 /dev/ram0 /mnt
}
use_ext2() {
	head -c 300000 /bin/busybox >/mnt/file && sync && cmp -n 300000 /mnt/file /bin/busybox && mkdir /mnt/d && mv /mnt/file /mnt/d/moved &&
		ls -l /mnt/d | grep -q 300000 && rm -r /mnt/d && sync
}

if [ "$first" = use ]; then
	"use_${service%.*}" >/dev/null 2>&1
	exit
fi

# 0: it went well; 137: it had to be ended.
use() { timeout -s KILL "$1" sh "$0" "$service" use 2>/dev/null; }

# Whatever it is doing, and wherever RS is with it.
start_anew() {
	tries=0
	until service restart "$service" 2>/dev/null; do
		[ $((tries += 1)) -lt 100 ] || die "cannot be restarted"
		usleep 100000
	done
}

core_check() {
	for name in rs vm pm vfs ds; do
		service status $name --json | grep -q '"restarts": *0' || die "$name was restarted"
	done
}

well=0 wrong=0 late=0
"up_${service%.*}" || die "cannot be started"
use 30 || die "does not work undamaged"
while [ $seed -lt $((first + count)) ]; do
	service fi "$service" text $seed || die "cannot be damaged"
	use 3
	case $? in
	0) well=$((well + 1)) ;;
	137) late=$((late + 1)) ;;
	*) wrong=$((wrong + 1)) ;;
	esac
	start_anew
	[ "$service" != ext2.1 ] || renew_ext2 || die "cannot be mounted again"
	use 30 || die "does not work after a restart ($?)"
	seed=$((seed + 1))
done
core_check
left=$(ps -o args | grep -c "^sh $0 $service use")
[ "$left" = 0 ] || die "$left processes wait for ever"
echo "ok $service: $count times damaged; used then: $well well, $wrong with errors, $late without end"
