#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A disk driver that the system does not know comes as a program and one file beside it. Those who use it run before it comes, so their
# rights are widened while they live; ext2 is mounted on it, it is killed, answers wrongly and is taken down. Runs in the guest.
fail() { echo "failed: $1"; service history | tail -20; dmesg | tail -20; exit 1; }
up() { service up "$@" || fail "up $*"; }
pid() { sed -n 's/^pid: //p' /proc/service/$1; }
stanza='system IRQCTL VUMAP; vm MAP_PHYS ALLOC_CONTIG; ipc ds pci; pci device 1af4:1001 1af4:1042; block-major 60; period 200;'

/etc/rc.disk start && service down virtio_blk || fail rc.disk
cp /sbin/services/virtio_blk /root/newdisk && mkdir -p /etc/system.conf.d && mknod /dev/new b 60 0 || exit 1

# What it is not said to belong to, nobody may use; and a class that there is not is a mistake.
echo "service newdisk { class class_blocks; $stanza };" >/etc/system.conf.d/newdisk
service up /root/newdisk && fail "class_blocks exists"
echo "service newdisk { $stanza };" >/etc/system.conf.d/newdisk
service check || fail check
up /root/newdisk
mount -t ext2 /dev/new /mnt 2>/dev/null && fail "ext2 may use a stranger"
service down newdisk || exit 1

# One file says it, and the users that run are told.
echo "service newdisk { class class_block; $stanza };" >/etc/system.conf.d/newdisk
up /root/newdisk
mount -t ext2 /dev/new /mnt && cp /bin/busybox /mnt/before && sync || fail mount
dd if=/dev/new of=/dev/null bs=4096 count=1 2>/dev/null || fail "blockfs may not use it"
n=1
for how in kill crash wrong-reply; do
	cp /bin/busybox /mnt/$how &
	if [ $how = kill ]; then kill -KILL $(pid newdisk); else service fi newdisk $how; fi
	wait $! || fail "copy during $how"
	umount /mnt && mount -t ext2 /dev/new /mnt && cmp /bin/busybox /mnt/$how || fail "compare after $how" # nothing of it is in the cache
	service wait newdisk -restarts $n -timeout 20 || fail "restarts after $how"
	n=$((n + 1))
done
umount /mnt && service down newdisk || fail down

# The same in a file that is named, which has no class of its own; another label changes nothing.
mv /etc/system.conf.d/newdisk /root/newdisk.conf
up /root/newdisk -config /root/newdisk.conf -label another
mount -t ext2 /dev/new /mnt && cmp /bin/busybox /mnt/before && umount /mnt || fail "by -config"
service why another && echo fine
