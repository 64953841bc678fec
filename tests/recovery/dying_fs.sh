#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Programs work on an ext2 disk while the file system's process is made to fail in each of the ways WAYS in turn, after INTERVAL seconds.
# None may see anything but a delay, and afterwards everything they were told is there has to be there.
# Runs in the guest: dying_fs.sh INTERVAL WAYS...
#
#   kill         SIGKILL from outside
#   other words  `service fi`: crash, check, exit, hang, sleep
#
# At work meanwhile: records (random reads and writes with fsync), a log that is appended to line by line, a reader with checksums whose program lies on the disk too, names
# that are made, moved and removed, and a file that is open without a name.
fs=ext2.1 top=/mnt/disk interval=$1
shift

die() {
	echo "dying_fs: $*"
	service list
	dmesg | tail -n 30
	exit 1
}

field() { sed -n "s/^$1: //p" /proc/service/$fs; }

fire() {
	for way; do
		sleep "$interval"
		before=$(field restarts)
		case $way in
		kill) kill -KILL "$(field pid)" ;;
		*) service fi $fs "$way" ;;
		esac || echo "dying_fs: $way was not possible"
		service wait $fs -restarts $((before + 1)) -timeout 30 >/dev/null || echo "dying_fs: not back after $way"
	done
	sleep 1
	: >/tmp/enough
}

log_lines() {
	i=0
	while [ ! -e /tmp/enough ]; do
		i=$((i + 1))
		echo "line $i of the log" >>$top/log || die "the log, line $i"
	done
	seq $i | sed 's,.*,line & of the log,' | cmp -s - $top/log || die "the log is not what was written: $(tail -n 1 $top/log), $i lines"
	echo "$i" >/tmp/lines
}

names() {
	i=0
	mkdir $top/names || die mkdir
	while [ ! -e /tmp/enough ]; do
		i=$((i + 1))
		mkdir $top/names/d$i && echo $i >$top/names/d$i/f && ln $top/names/d$i/f $top/names/f$i && mv $top/names/d$i $top/names/m$i ||
			die "names, round $i"
		[ $((i % 3)) = 0 ] || { rm $top/names/f$i && rm -r $top/names/m$i || die "removal, round $i"; }
	done
	left=$(ls $top/names | wc -l)
	[ "$left" -ge $((i / 3 * 2)) ] && [ "$(cat $top/names/f3 $top/names/m3/f | tr -d '\n')" = 33 ] || die "$left names after $i rounds"
}

reader() {
	while [ ! -e /tmp/enough ]; do
		[ "$($top/md5sum <$top/original)" = "$sum" ] || die "a reader sees something else"
	done
}

/etc/rc.disk start && mkdir -p $top && mount -t ext2 /dev/vda $top || die mount
head -c 8000000 /dev/urandom >$top/original
cp /bin/busybox $top/md5sum
sum=$(md5sum <$top/original)
exec 3<>$top/nameless
rm $top/nameless
echo "still there" >&3
log_lines & one=$!
names & two=$!
reader & three=$!
./records run $top 2 $((($# * (interval + 1)) + 2)) & four=$!
fire "$@"
for worker in $one $two $three $four; do wait $worker || die "a program has failed"; done
[ "$(head -n 1 </proc/self/fd/3)" = "still there" ] || die "the file without a name is gone"
exec 3>&-
./records check $top 2 || die "records"
echo "restarts $(field restarts)"
umount $top && mount -t ext2 /dev/vda $top || die "second mount"
./records check $top 2 && [ "$(md5sum <$top/original)" = "$sum" ] && [ "$(wc -l <$top/log)" = "$(cat /tmp/lines)" ] || die "after the second mount"
umount $top || die "last umount"
dmesg | grep -c 'my predecessor had'
