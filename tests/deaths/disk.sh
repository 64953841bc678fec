#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The disk's driver and the PCI server die one after the other, in both orders, and the driver dies while programs are read from its disk:
# its own, that of a second driver, and another service's. Runs in the guest, with two disks.
. ./common.sh

# cold: nothing of the disk is in a cache; quiet COMMAND...: with nothing but its status
cold() { umount /mnt && mount -t ext2 /dev/vda /mnt; }
quiet() { "$@" >/tmp/quiet 2>&1; echo "$1 $?"; }
wait_for() { service wait virtio_blk -restarts $1 -timeout 20 && service wait pci -restarts $2 -timeout 20; }

/etc/rc.disk start && mount -t ext2 /dev/vda /mnt && cp /bin/busybox /sbin/services/virtio_blk /sbin/services/hello /mnt/ || exit 1

echo "@told both orders"
cold; cmp /bin/busybox /mnt/busybox & kill -KILL "$(pid virtio_blk)"; kill -KILL "$(pid pci)"; quiet wait $!; wait_for 1 1
cold; cmp /bin/busybox /mnt/busybox & kill -KILL "$(pid pci)"; kill -KILL "$(pid virtio_blk)"; quiet wait $!; wait_for 2 2
cold; cmp /bin/busybox /mnt/busybox & service fi pci crash; service fi virtio_blk exit; quiet wait $!; wait_for 3 3
cold; cmp /bin/busybox /mnt/busybox & service fi virtio_blk check; service fi pci exit; quiet wait $!; wait_for 4 4
echo "=0"
for name in virtio_blk pci; do see $name; done

echo "@told own program"
cold; cmp /sbin/services/virtio_blk /mnt/virtio_blk & kill -KILL "$(pid virtio_blk)"; quiet wait $!; wait_for 5 4
cold; cmp /sbin/services/virtio_blk /mnt/virtio_blk & service refresh virtio_blk; quiet wait $!; wait_for 6 4
cold; service up /mnt/hello & kill -KILL "$(pid virtio_blk)"; quiet wait $!; wait_for 7 4; cat /dev/hello
cold; service up /mnt/virtio_blk -label second -major b253 -args index=1 & kill -KILL "$(pid virtio_blk)"; quiet wait $!; wait_for 8 4
echo "=0"
see second
told "sync" sync
cold; told "files" cmp /bin/busybox /mnt/busybox
umount /mnt
others
