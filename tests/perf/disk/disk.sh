#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The disk measures of one guest, Linux or Axolotl: disk.sh MIB FILES. Prints `NAME VALUE UNIT` lines. A cold cache is one that begins with
# a mount. /dev/vda holds an empty ext2.
mib=$1 files=$2
if [ -d /sys/block ]; then
	for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk; do
		insmod "/root/modules/$module.ko" || exit 1
	done
	[ -b /dev/vda ] || mknod /dev/vda b $(tr : ' ' </sys/block/vda/dev)
else
	/etc/rc.disk start || exit 1
fi
mkdir -p /mnt/disk

remount() {
	if grep -q " /mnt/disk " /proc/mounts; then
		umount /mnt/disk || exit 1
	fi
	mount -t ext2 /dev/vda /mnt/disk || exit 1
}

measure() { # NAME WORDS...: what diskbench says to these words
	name=$1
	shift
	echo "$name $(./diskbench "$@")"
}

remount
for block in 4096 65536 1048576; do
	rm -f /mnt/disk/file
	measure "write_seq_$block" seqwrite /mnt/disk/file $block "$mib"
	remount
	measure "read_seq_cold_$block" seqread /mnt/disk/file $block "$mib"
	measure "read_seq_warm_$block" seqread /mnt/disk/file $block "$mib"
done
remount
measure read_rand_cold_4096 randread /mnt/disk/file 4096 "$mib"
measure read_rand_warm_4096 randread /mnt/disk/file 4096 "$mib"
measure write_rand_4096 randwrite /mnt/disk/file 4096 "$mib"
measure write_rand_65536 randwrite /mnt/disk/file 65536 "$mib"
remount
measure create_small create /mnt/disk/small "$files"
measure delete_small delete /mnt/disk/small "$files"
umount /mnt/disk
