#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The services of a disk are started in every order, none waiting for another; each time the disk can be mounted and read. Prints `fine N`.
service down blockfs virtio_blk pci ext2 >/dev/null

start() {
	case $1 in
	ext2) service up --template ext2 ;;
	*) service up "$1" -n ;;
	esac || echo "cannot start $1"
}

# try NAME...: the end state does not depend on their order
try() {
	for name in "$@"; do start "$name"; done
	for name in pci virtio_blk blockfs; do
		service wait $name -timeout 20 || echo "$name is not up after: $*"
	done
	mount -t ext2 /dev/vda /mnt && [ -d /mnt/lost+found ] && umount /mnt && fine=$((fine + 1)) || echo "no disk after: $*"
	service down "$@" >/dev/null
}

fine=0
for a in pci virtio_blk blockfs ext2; do
	for b in pci virtio_blk blockfs ext2; do
		for c in pci virtio_blk blockfs ext2; do
			for d in pci virtio_blk blockfs ext2; do
				case " $b $c $d " in *" $a "*) continue ;; esac
				case " $c $d " in *" $b "*) continue ;; esac
				[ "$c" = "$d" ] || try $a $b $c $d
			done
		done
	done
done
echo "fine $fine"
