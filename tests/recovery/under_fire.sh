#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copies MIB on an ext2 disk while the disk driver is made to fail every INTERVAL seconds in the ways KINDS, in turn; then compares.
# Runs in the guest: under_fire.sh MIB INTERVAL KINDS...
#
#   kill         SIGKILL from outside
#   other words  `service fi`: crash, check, exit, hang, sleep, wrong-reply
#
# Copies under fire until each way was used once. With PAIRS=N SECONDS_EACH=S: N times S seconds of undisturbed copies and S seconds of copies
# under fire, so that both see the same machine. Prints `quiet MS` or `fire MS` for each copy, `failures COUNT`, and for each
# loss that the file system noticed `answer MS` until the driver's successor answered. Status 0 when every cp ended with 0 and
# the copy, read from the disk anew, equals the original.
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

# What the state of the driver says: `value` becomes that. No process of its own: the machine is to be busy with the copy.
field() { while read -r key value && [ "$key" != "$1:" ]; do :; done </proc/service/$driver; }

fail_once() {
	case $1 in
	kill) field pid && kill -KILL "$value" ;;
	*) service fi $driver "$1" ;;
	esac
}

fire() {
	while :; do
		for kind in "$@"; do
			sleep "$interval"
			field restarts
			before=$value
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

copy() {
	clock
	began=$now
	cp /mnt/disk/original /mnt/disk/copy || die "cp ended with $?"
	sync
	clock
	echo "$1 $(((now - began) * 10))"
}

# One copy at least, and for SECONDS_EACH if that is longer.
copies() {
	copy "$1"
	end=$((began + 100 * ${SECONDS_EACH:-0}))
	while [ "$now" -lt $end ]; do copy "$1"; done
}

copies_under_fire() {
	rm -f /tmp/all_ways_used
	fire "$@" &
	shooter=$!
	copies fire
	while [ -z "$PAIRS" ] && [ ! -e /tmp/all_ways_used ]; do copy fire; done
	kill $shooter
	wait $shooter
}

/etc/rc.disk start || die "no disk"
mkdir -p /mnt/disk
mount -t ext2 /dev/vda /mnt/disk || die "mount"
original || die "writing the original"
sync
sum=$(md5sum </mnt/disk/original)
pair=0
while [ $pair -lt "${PAIRS:-1}" ]; do
	[ -z "$PAIRS" ] || copies quiet
	copies_under_fire "$@"
	pair=$((pair + 1))
done
umount /mnt/disk || die "umount"
mount -t ext2 /dev/vda /mnt/disk || die "second mount"
[ "$(md5sum </mnt/disk/original)" = "$sum" ] || die "the original has changed"
[ "$(md5sum </mnt/disk/copy)" = "$sum" ] || die "the copy differs"
umount /mnt/disk || die "last umount"
dmesg | sed -n "s/.*$driver answers again, \\([0-9.]*\\) ms.*/answer \\1/p"
field restarts
echo "failures $value"
