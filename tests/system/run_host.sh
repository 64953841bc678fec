#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Build every system test with both C libraries and run it on the machine's own Linux: what a test asks of the
# guest must first hold there. Usage: run_host.sh [-n TIMES] [test_name...]
here=$(cd "$(dirname "$0")" && pwd)
flags="-static -no-pie -O1 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wmissing-prototypes -Werror -pthread -I$here"
out=${OUT:-/tmp/axolotl-systests}
times=1
[ "$1" = -n ] && { times=$2; shift 2; }
mkdir -p "$out"
[ $# -gt 0 ] || set -- $(cd "$here" && ls test_*.c | sed "s|[.]c$||")
bad=0
for t in "$@"; do
	for cc in musl-gcc gcc; do
		bin=$out/$t.$cc
		if [ ! -x "$bin" ] || [ "$here/$t.c" -nt "$bin" ] || [ "$here/check.h" -nt "$bin" ]; then
			$cc $flags -o "$bin" "$here/$t.c" || { bad=1; continue; }
		fi
		if head -5 "$here/$t.c" | grep -q 'host: skip'; then
			echo "skip $t: $(head -5 "$here/$t.c" | grep 'host: skip')"
			continue
		fi
		i=0
		while [ $i -lt "$times" ]; do
			dir=$(mktemp -d /dev/shm/axolotl.XXXXXX)
			start=$(date +%s%N)
			(cd "$dir" && timeout 120 "$bin" >"$out/log" 2>&1 </dev/null)
			rc=$?
			ms=$((($(date +%s%N) - start) / 1000000))
			left=$(ls -A "$dir")
			rm -rf "$dir"
			[ -z "$left" ] || { echo "$t $cc: left behind: $left"; bad=1; }
			if [ $rc -ne 0 ] || grep -q ^FAIL "$out/log"; then
				bad=1
				echo "$t $cc: exit $rc, $ms ms"
				grep -v '^ok ' "$out/log"
			elif [ $i -eq 0 ]; then
				echo "$t $cc: $(grep -c '^ok ' "$out/log") ok, $ms ms" $(grep '^skip ' "$out/log")
			fi
			i=$((i + 1))
		done
	done
done
exit $bad
