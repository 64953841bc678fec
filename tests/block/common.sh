# SPDX-License-Identifier: BSD-2-Clause
# For mirror.sh, older.sh and rules.sh, which run in the guest with filter.conf beside them.

# up PROGRAM (a name, or a path of its own) STANZA LABEL ARGUMENTS
up() { service up "$1" -config filter.conf -progname "$2" -label "$3" -args "$4" || echo "cannot start $3"; }
pid() { sed -n 's/^pid: //p' "/proc/service/$1"; }
state() { service list | awk -v name="$1" '$1 == name { print $2 }'; }
said() { dmesg | grep -c "$1"; }

# until_true "COMMAND" SECONDS
until_true() {
	n=0
	until eval "$1" || [ $n -ge $(($2 * 20)) ]; do
		sleep 0.05
		n=$((n + 1))
	done
	eval "$1" || echo "never came true: $1"
}

# /dev/mirror of the first two virtio disks, each behind a driver of its own (faulty without rules: it hands on)
mirror_up() {
	/etc/rc.disk start || exit 1
	service up virtio_blk 2>/dev/null
	up faulty fragile vd1 "target=virtio_blk:0 quiet"
	up faulty fragile vd2 "target=virtio_blk:16 quiet"
	up filter filter filter "disk=vd1 disk=vd2 timeout=1000"
	mknod /dev/mirror b 240 0 2>/dev/null
}
