#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Three drivers that are in use are replaced COUNT times each; what is left behind is shown. Runs in the guest: restarts.sh COUNT
# Prints `frames BEFORE AFTER`, and the lines of /proc/axolotl/leaks that changed.
/etc/rc.disk start && mount -t ext2 /dev/vda /mnt && echo text >/mnt/file && service up hello || exit 1
exec 5</dev/hello

leaks() { grep -v 'pool\|free_frames\|page_table' /proc/axolotl/leaks; service list | wc -l; }
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
leaks >/tmp/before
before=$(frames)
replace "$1"
leaks >/tmp/after
echo "frames $before $(frames)"
diff /tmp/before /tmp/after && umount /mnt
