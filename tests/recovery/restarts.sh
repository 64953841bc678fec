#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Three drivers that are in use are replaced COUNT times each; what is left behind is shown. Runs in the guest: restarts.sh COUNT
# Prints `frames BEFORE AFTER`, and NAME BEFORE AFTER for what there is more of in /proc/axolotl/leaks.
/etc/rc.disk start && mount -t ext2 /dev/vda /mnt && echo text >/mnt/file && service up hello || exit 1
exec 5</dev/hello

leaks() { grep -v 'pool\|free_frames\|page_table' /proc/axolotl/leaks; echo "services $(service list | wc -l)"; }
# What there is more of than before. A few alarms come and go by themselves (heartbeats, the age of what is cached, the log's limit).
grown() { awk 'NR == FNR { n[$1] = $2; next } $2 > n[$1] + ($1 == "alarms" ? 5 : 0) { print $1, n[$1], $2; bad = 1 } END { exit bad }' "$@"; }
# Memory that a device might still write into rests for 4 s after its owner's death (docs/memory.md).
frames() { sleep 5; sed -n 's/^free_frames //p' /proc/axolotl/leaks; }

replace() {
	n=0
	while [ $n -lt "$1" ]; do
		for name in hello virtio_blk tty; do
			service restart $name || exit 1
		done
		n=$((n + 1))
	done
	sync
	[ "$(cat /mnt/file)" = text ] || exit 1
}

replace 5 # caches fill
before=$(frames)
leaks >/tmp/before
replace "$1"
after=$(frames)
leaks >/tmp/after
echo "frames $before $after"
grown /tmp/before /tmp/after && umount /mnt
