#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Random reads and writes by several processes while the disk driver is killed every second; then all records are checked, after a remount too.
# Runs in the guest: records.sh PROCESSES SECONDS
/etc/rc.disk start && mkdir -p /mnt/disk && mount -t ext2 /dev/vda /mnt/disk || exit 1
while sleep 1; do
	kill -KILL "$(pidof virtio_blk)"
done &
shooter=$!
./records run /mnt/disk "$1" "$2" || exit 1
kill $shooter
./records check /mnt/disk "$1" || exit 1
umount /mnt/disk && mount -t ext2 /dev/vda /mnt/disk || exit 1
./records check /mnt/disk "$1" || exit 1
umount /mnt/disk || exit 1
service status virtio_blk --json
