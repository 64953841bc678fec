#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A mirror of which one disk is exchanged for an older copy of itself. Runs in the guest, with common.sh and filter.conf beside it.
#
#   make    a file system with files on a mirror of vda and vdb; copies of both disks on vdc and vdd; then more files
#   look    after the exchange: all files are there, while both drivers are killed at the same moment; then the disks are equal again
. ./common.sh

write_files() {
	for i in $1; do
		dd if=/dev/urandom of=/mnt/f$i bs=16k count=$i 2>/dev/null && (cd /mnt && md5sum f$i >>sums) || echo "f$i: failed"
	done
}

mount_mirror() { mount -t ext2 /dev/mirror /mnt || exit 1; }

mirror_down() {
	umount /mnt && service down filter vd1 vd2
}

mirror_up
case $1 in
make)
	until_true '[ $(said "filter: disk 1 is up to date") -ge 1 ]' 20
	mke2fs /dev/mirror >/dev/null || echo "no file system"
	mount_mirror
	write_files '1 2 3'
	mirror_down
	blockdev --flushbufs /dev/vda; blockdev --flushbufs /dev/vdb
	cat /dev/vda >/dev/vdc; cat /dev/vdb >/dev/vdd
	mirror_up
	mount_mirror
	rm /mnt/f2
	write_files '4 5'
	;;
look)
	mount_mirror
	kill -KILL "$(pid vd1)" "$(pid vd2)"
	(cd /mnt && md5sum -c sums 2>&1)
	until_true '[ $(said "filter: disk [01] is up to date") -ge 1 ]' 30
	;;
esac
mirror_down
sync
dmesg | grep 'filter: '
