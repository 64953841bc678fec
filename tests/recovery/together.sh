#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Two die at once: the disk driver and the PCI server, while a program is read from that disk. Runs in the guest: together.sh ROUNDS
/etc/rc.disk start && mount -t ext2 /dev/vda /mnt && cp /bin/busybox /mnt/busybox || exit 1
n=0
while [ $n -lt "$1" ]; do
	umount /mnt && mount -t ext2 /dev/vda /mnt || exit 1 # nothing of it is in the cache
	kill -KILL "$(pidof virtio_blk)" "$(pidof pci)" &
	[ "$(/mnt/busybox echo alive)" = alive ] || exit 1
	wait
	cmp /bin/busybox /mnt/busybox || exit 1
	n=$((n + 1))
	for name in virtio_blk pci; do
		service wait $name -restarts $n -timeout 20 || exit 1
	done
done
umount /mnt && service why pci && service why virtio_blk
