#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copies MIB on an ext2 disk while the disk driver is made to fail every INTERVAL seconds in the ways KINDS, in turn; then compares.
# INTERVAL 0: undisturbed. Runs in the guest: under_fire.sh MIB INTERVAL KINDS...
#
#   kill         SIGKILL from outside
#   other words  `service fi`: crash, check, exit, hang, sleep, wrong-reply
#
# Copies again until each way was used once and MIN_SECONDS have passed. Prints `copied SECONDS failures COUNT` (seconds for one copy) and,
# for each loss that the file system noticed, `answer MILLISECONDS` until the driver's successor answered. Status 0 when every cp ended with
# 0 and the copy, read from the disk anew, equals the original.
mib=$1 interval=$2
shift 2
driver=virtio_blk

die() {
	echo "under_fire: $*"
	service list
	exit 1
}

# Hundredths of a second since boot. The 1 keeps "09" from being taken for an octal number.
clock() { read -r now _ </proc/uptime; now=$((${now%.*} * 100 + 1${now#*.} - 100)); }

field() { service status $driver --json | tr ',{}' '\n\n\n' | sed -n "s/^ *\"$1\": *\"\\{0,1\\}\\([^\"]*\\)\"\\{0,1\\}/\\1/p" | head -n 1; }

fail_once() {
	case $1 in
	kill) kill -KILL "$(field pid)" ;;
	*) service fi $driver "$1" ;;
	esac
}

fire() {
	while :; do
		for kind in "$@"; do
			sleep "$interval"
			before=$(field restarts)
			fail_once "$kind" || echo "under_fire: $kind was not possible"
			service wait $driver -restarts $((before + 1)) -timeout 30 >/dev/null || echo "under_fire: no new driver after $kind"
		done
		: >/tmp/all_ways_used
	done
}

# MIB of data of which no two blocks are alike, fast: programs, shifted by a little each time.
original() {
	while echo "$((shift += 1))" && cat /bin/busybox; do :; done 2>/dev/null | head -c $((mib << 20)) >/mnt/disk/original
}

/etc/rc.disk start || die "no disk"
mkdir -p /mnt/disk
mount -t ext2 /dev/vda /mnt/disk || die "mount"
original || die "writing the original"
sync
sum=$(md5sum </mnt/disk/original)
[ "$interval" = 0 ] || fire "$@" &
shooter=$!
clock
start=$now
rounds=0
enough=$((now + 100 * ${MIN_SECONDS:-0}))
while [ $rounds = 0 ] || [ "$now" -lt "$enough" ] || { [ "$interval" != 0 ] && [ ! -e /tmp/all_ways_used ]; }; do
	cp /mnt/disk/original /mnt/disk/copy || die "cp ended with $?"
	sync
	rounds=$((rounds + 1))
	clock
done
took=$(((now - start) / rounds))
kill $shooter 2>/dev/null
umount /mnt/disk || die "umount"
mount -t ext2 /dev/vda /mnt/disk || die "second mount"
[ "$(md5sum </mnt/disk/original)" = "$sum" ] || die "the original has changed"
[ "$(md5sum </mnt/disk/copy)" = "$sum" ] || die "the copy differs"
umount /mnt/disk || die "last umount"
dmesg | sed -n "s/.*$driver answers again, \\([0-9.]*\\) ms.*/answer \\1/p"
echo "copied $((took / 100)).$((took % 100 / 10)) failures $(field restarts)"
