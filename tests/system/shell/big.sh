# SPDX-License-Identifier: BSD-2-Clause
# One long shell script whose output must be the same, byte for byte, on Linux and in the guest: every kind of thing a
# person does with busybox. Run as `busybox sh big.sh [DIR]` with busybox's applets in PATH; works in an empty folder
# (DIR, or the current one) and leaves it empty. Prints no process numbers, inode numbers, clock values or sizes of
# directories, nothing that depends on the order of a directory, and no names of the machine.
PATH=$PATH; export PATH
TZ=UTC0; export TZ
LC_ALL=C; export LC_ALL
umask 022
self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
[ -n "$1" ] && { cd "$1" || exit 1; }

section() { echo "== $*"; }

if [ "$2" = --recurse ]; then
	# the script calls itself down to depth 0 and prints a tree of calls
	n=$3
	echo "depth $n args $#"
	[ "$n" -gt 0 ] && sh "$self" . --recurse $((n - 1)) "$n"
	exit "$n"
fi

section variables and quoting
a=1 b='two words' c="$a and $b"
echo "$c" '$a' "\$a" "${b#two }" "${b%% *}" "${#b}" "${nothing:-default}" "${a:+set}"
x=path/to/file.tar.gz
echo "${x##*/} ${x%.*} ${x%%.*} ${x#*/}"
unset nothing; : "${nothing:=assigned}"; echo "$nothing"
set -- one 'two three' four; echo "$# $2"; shift; echo "$1|$*|$@"
for i in "$@"; do printf '[%s]' "$i"; done; echo
IFS=:; set -- a:b:c; set -- $1; echo "$1-$2-$3"; unset IFS
echo "nested $(echo "inner $(echo deepest)")" `echo back`
printf '%s\n' a\ b "c'd" 'e"f' "tab	x" "line
break"

section arithmetic
echo $((1 + 2 * 3)) $((7 / 2)) $((7 % 3)) $((-7 / 2)) $((1 << 10)) $((0xff & 0x0f)) $((5 > 3 && 2 < 1)) $((!0)) $((010))
i=0; while [ $i -lt 5 ]; do i=$((i + 1)); [ $i = 3 ] && continue; printf '%d ' $i; done; echo
i=10; until [ $i -le 7 ]; do i=$((i - 1)); done; echo $i
echo $((i = 5, i * i)) $((i++ + ++i)) $i
expr 3 + 4 \* 2; expr length hello; expr substr abcdef 2 3; expr hello : 'h\(.*\)o'; expr 5 \> 3; expr a = b
f=1; n=1; while [ $n -le 15 ]; do f=$((f * n)); n=$((n + 1)); done; echo "15! = $f"
echo $((9223372036854775807 + 0)) $((1 ? 2 : 3))

section functions
fact() { if [ "$1" -le 1 ]; then echo 1; else echo $(($1 * $(fact $(($1 - 1))))); fi; }
fact 10
fib() { [ "$1" -lt 2 ] && { echo "$1"; return; }; local p q; p=$(fib $(($1 - 1))); q=$(fib $(($1 - 2))); echo $((p + q)); }
fib 9
scope() { local v=inner; echo "$v"; }
v=outer; scope; echo "$v"
ret() { return 42; }
ret; echo "status $?"
hanoi() { [ "$1" = 0 ] && return; hanoi $(($1 - 1)) "$2" "$4" "$3"; echo "$1: $2 -> $3"; hanoi $(($1 - 1)) "$4" "$3" "$2"; }
hanoi 4 A B C

section case and test
for w in apple Banana 42 '' 'a b' -x cherry.txt; do
	case $w in
	[0-9]*) echo "$w number" ;;
	'') echo empty ;;
	[A-Z]*) echo "$w capital" ;;
	-?) echo "$w option" ;;
	*.txt | *.md) echo "$w document" ;;
	*' '*) echo "$w blank" ;;
	*) echo "$w other" ;;
	esac
done
[ abc = abc ] && [ abc != abd ] && [ 3 -lt 12 ] && [ ! -e nothing ] && echo test ok
test -d . -a -r . && echo dir; [ -n x -o -z x ] && echo or

section redirection and pipes
echo one >f1; echo two >>f1; cat <f1
cat f1 missing 2>/dev/null | wc -l
{ echo out; echo err >&2; } 2>err.txt | sed 's/^/pipe: /'; cat err.txt
exec 3>f3; echo via three >&3; exec 3>&-; cat f3
exec 4<f1; read l1 <&4; read l2 <&4; echo "$l1+$l2"; exec 4<&-
(echo sub; exit 3); echo "subshell $?"
false | true; echo "pipe $?"; ! true; echo "not $?"
echo abc | tee t1 t2 | tr a-c A-C; cat t1 t2
set -C; (echo over >f1) 2>/dev/null || echo noclobber; set +C; echo over >|f1; cat f1
seq 1 100000 | head -n 3
yes | head -n 2000 | wc -l
cat <<END
here $a \$a $(echo cmd) $((2 + 3))
END
cat <<'END'
quoted $a $(echo cmd) `x`
END
cat <<-END
	tabs stripped
		twice
	END
while read -r first rest; do echo "$rest/$first"; done <<END
k1 v1 w1
k2 v2\n
END
rm -f f1 f3 err.txt t1 t2

section globs
mkdir g; for n in a1 a2 b1 b2 .hidden 'with space' '[x]' 'star*'; do : >"g/$n"; done
cd g
echo *; echo a*; echo ?1; echo [ab]2; echo [!a]*; echo .h*; echo nomatch*; echo "*"; echo \*
for n in *; do echo "<$n>"; done
set -f; echo *; set +f
cd ..; rm -r g; echo *

section traps and status
(trap 'echo bye' EXIT; echo work; exit 5); echo "left with $?"
(trap 'echo got usr1' USR1; kill -USR1 $(exec sh -c 'echo $PPID'); echo after)
(trap '' TERM; sh -c 'kill -TERM $$; echo survived')
sh -c 'kill -TERM $$'; echo "terminated $?"
sh -c 'kill -9 $$' 2>/dev/null; echo "killed $?"
sh -c 'exit 300'; echo "exit $?"
nosuchcommand 2>/dev/null; echo "not found $?"
: >noexec; ./noexec 2>/dev/null; echo "not executable $?"; rm noexec
sh -ec 'echo first; false; echo never'; echo "errexit $?"
sh -uc 'echo $undefined' 2>/dev/null; echo "nounset $?"

section background jobs and wait
(sleep 0.2; echo late >bg1) & (echo early >bg2) & wait; cat bg2 bg1
sleep 5 & p=$!; kill $p; wait $p 2>/dev/null; echo "waited $?"
(exit 7) & wait $!; echo "seven $?"
for i in 1 2 3 4 5 6 7 8; do (echo "job $i" >bg.$i) & done; wait; cat bg.*; rm bg*
(read -r l; echo "in background got: ${l:-nothing}") </dev/null & wait
mkfifo q; (echo through the fifo >q) & cat q; wait; rm q

section text tools
cat >words <<END
pear 10
apple 3
fig 7
apple 12
kiwi 3
banana 25
fig 1
END
sort words; echo -; sort -k2n -k1 words; echo -; sort -u -k1,1 words; echo -; sort -rn -k2 words | head -n 3
cut -d' ' -f1 words | sort | uniq -c | sed 's/^ *//'; cut -c1-3 words | sort | uniq -d
awk '{ s[$1] += $2; n++ } END { for (k in s) print k, s[k]; print n, NR }' words | sort
awk 'NR % 2 { printf "%-8s|%5.1f|%03d\n", toupper($1), $2 / 3, NR }' words
awk 'BEGIN { x = "a:b:c"; n = split(x, p, ":"); print n, p[3], length(x), index(x, "b"), substr(x, 3, 2); while (i < 3) print i++; print 2 * 10, int(7.9), 17 % 5 }'
awk '/^a/, /^k/ { gsub(/p+/, "<&>"); print }' words
awk -F'[ ]' -v limit=5 '$2 > limit { print $1 }' words | tr '\n' ','; echo
sed -n '2,4p' words; sed 's/\([a-z]*\) \([0-9]*\)/\2 \1/;/fig/d' words; sed -e '1i\' -e 'first' -e '$a\' -e 'last' words; sed '/apple/!d;=' words
sed ':a;N;$!ba;s/\n/;/g' words; sed 'y/abc/xyz/;s/[0-9]\+/<&>/g' words; sed -n '/kiwi/{s/kiwi/KIWI/;p;q}' words
grep -n an words; grep -c apple words; grep -v '[0-9][0-9]' words; grep -E '^(fig|kiwi)' words; grep -o '[0-9]*$' words | paste -s -d+; grep -iw APPLE words; grep -q nothing words; echo "grep $?"
head -n 2 words; tail -n 2 words; tail -n +6 words; head -c 10 words | od -c; tail -c 5 words
tr a-z A-Z <words | tr -d '\n'; echo; tr -s 'p' <words | head -n 2; tr -c 'a-z\n' '.' <words | head -n 2
printf 'b\na\nc\n' >l1; printf 'b\nd\na\n' | sort >l2; sort l1 -o l1; grep -xf l1 l2; paste l1 l2; join l1 l2 2>/dev/null || echo nojoin
rev words | head -n 2; nl words 2>/dev/null | head -n 2; wc words; wc -c <words; fold -w 5 words | head -n 4; expand -t 4 <<END
a	b	c
END
seq 3 | tac; seq -w 8 11; seq 10 -3 1 | xargs; printf '%5d|%-5s|%05.2f|%x|%o|%c|%%\n' 42 ab 3.14159 255 8 xyz; printf '%s-%s\n' 1 2 3 4
od -A x -t x1 words | head -n 3; hexdump -C words | tail -n 3; printf '\001\002\377' | od -An -tu1; xxd words 2>/dev/null | head -n 2
diff l1 l2; echo "diff $?"; diff -u words words && echo same; cmp words l1 | sed 's/EOF.*/EOF/'; md5sum words; sha1sum words; sha256sum words
echo 'hello world' | base64; echo aGVsbG8K | base64 -d; echo '3 4 + 5 * p' | dc; echo '2 10 ^ p 17 5 % p' | dc; echo 'scale=5; 22/7; 2^64; a=3; a*a' | bc
strings -n 4 words | wc -l; shuf -e same; factor 360 97 2>/dev/null; basename /a/b/c.txt .txt; dirname /a/b/c.txt; realpath -m . >/dev/null 2>&1; echo "$(printf '%b' 'x\ty\n')"
rm words l1 l2

section files, modes and times
mkdir -p d/e/f; echo data >d/file; chmod 640 d/file; touch -d '2001-02-03 04:05:06' d/file
stat -c '%n %a %F %s %h %Y' d/file; ls -ln d/file | awk '{ print $1, $2, $3, $4, $5 }'
umask 077; : >private; mkdir privdir; umask 022; stat -c '%a' private privdir
chmod u+x,go= d/file; stat -c %a d/file; chmod a=r d/file; stat -c %a d/file; chmod 4755 d/file; stat -c %a d/file; chmod +t privdir; stat -c %a privdir
ln -s d/file sym; ln d/file hard; readlink sym; stat -c '%h %F' hard sym; cat sym; rm d/file; cat hard; cat sym 2>/dev/null || echo dangling; [ -L sym ] && [ ! -e sym ] && echo broken
cp hard copy; touch -r hard copy; stat -c %Y copy; mv copy d/moved; cat d/moved; cp -p hard d/p; stat -c '%a %Y' d/p
touch -d '1999-12-31 23:59:59' old; touch -d '2020-06-15 12:00:00' new; [ new -nt old ] && echo newer; date -u -r old '+%Y-%m-%d %H:%M:%S %j %a'; date -u -d '2000-02-29 12:34:56' +%s
date -u -d @1000000000; TZ=CET-1CEST date -d @1000000000 +%H:%M
dd if=/dev/zero of=z bs=1024 count=10 2>/dev/null; wc -c <z; dd if=z of=sparse bs=1 seek=100000 count=1 2>/dev/null; wc -c <sparse; truncate -s 5 z; wc -c <z
printf abcdefgh | dd bs=1 skip=2 count=3 2>/dev/null; echo
[ -s z ] && echo nonempty; [ -s private ] || echo empty; [ -x d ] && echo searchable; [ -f d ] || echo 'no file'
cp -r d d2; diff -r d d2 && echo trees equal; echo change >>d2/moved; diff -rq d d2; rm -r d2
du -a d 2>/dev/null | cut -f2 | sort; rmdir d 2>/dev/null || echo not empty; mkdir d 2>/dev/null || echo exists; rm -rf d private privdir sym hard old new z sparse

section several hundred files
mkdir many; i=0; while [ $i -lt 300 ]; do echo "file $i" >many/f$i; i=$((i + 1)); done
ls many | wc -l; ls many | sort | head -n 5; cat many/f? | md5sum; ls many | sort -t f -k2n | tail -n 1
find many -type f -name 'f1?' | sort; find many -type f | wc -l; find many -name '*[05]' | xargs cat | sort | md5sum
mkdir many/sub; for i in 1 2 3 4 5; do mv many/f$i many/sub/; done; find many -mindepth 2 | sort; find . -type d | sort
find many -name 'f29*' -exec echo found {} \; | sort; find many -newer many/f0 -name nothing; find many -size -1k -name f7 ; find many -type f -perm 644 | wc -l
find many -name 'f2*' -print0 | sort -z | xargs -0 -n 40 echo | wc -l; echo a b c d e | xargs -n 2 echo; printf 'x y\nz\n' | xargs -I{} echo '<{}>'; seq 1000 | xargs echo | wc -c
for i in many/f10?; do mv "$i" "$i.bak"; done; ls many/*.bak | sort; rm many/*.bak; ls many | wc -l

section archives
touch -d '2010-01-01 00:00:00' many/* many/sub/*; touch -d '2010-01-01 00:00:00' many many/sub
tar cf a.tar many/sub many/f42; tar tf a.tar | sort; mkdir x; tar xf a.tar -C x; diff -r many/sub x/many/sub && echo extracted; stat -c '%Y %a' x/many/f42
tar cf - many | tar tf - | wc -l; tar czf a.tgz many; gzip -dc a.tgz | tar tf - | wc -l
gzip -c many/f42 | gunzip -c; cp many/f42 g; gzip -9 g; ls -1 g*; gunzip g.gz; cat g; seq 1 20000 >big; md5sum big; gzip big; gunzip big.gz; md5sum big
bzip2 -c big | bunzip2 -c | md5sum; xz -dc </dev/null >/dev/null 2>&1; echo big | cpio -o -H newc 2>/dev/null | cpio -t 2>/dev/null
sed -n 1,7000p big >part.1; sed -n 7001,15000p big >part.2; tail -n +15001 big >part.3; ls -1 part.*; cat part.* | cmp - big && echo rejoined
rm -rf x a.tar a.tgz g big part.* many

section a larger computation
awk 'BEGIN { n = 2000; for (i = 2; i <= n; i++) if (!c[i]) { k++; for (j = i * i; j <= n; j += i) c[j] = 1 } print k, "primes below", n }'
awk 'BEGIN { srand(1); for (i = 0; i < 500; i++) { x = (x * 1103515245 + 12345) % 2147483648; print x } }' >nums
sort -n nums | md5sum; sort nums | md5sum; awk '{ s += $1 % 1000 } END { print s }' nums; sort -n nums | awk 'NR == 250'; rm nums
seq 1 200 | while read -r n; do [ $((n % 15)) = 0 ] && echo FizzBuzz || { [ $((n % 3)) = 0 ] && echo Fizz; } || { [ $((n % 5)) = 0 ] && echo Buzz; } || echo $n; done | sort | uniq -c | sort -k1,1nr -k2 | head -n 4 | sed 's/^ *//'
i=0; while [ $i -lt 100 ]; do echo $i | (read -r x; echo $((x * x))); i=$((i + 1)); done | md5sum

section recursion
sh "$self" . --recurse 5; echo "came back with $?"

section environment
env -i A=1 B='x y' sh -c 'echo $A "$B" ${PATH:-nopath}' 2>/dev/null || env -i A=1 /bin/busybox sh -c 'echo $A'
X=temp sh -c 'echo $X'; echo "${X:-unset}"; export Y=exported; sh -c 'echo $Y'; (Y=changed; echo $Y); echo $Y
cd /; pwd; cd - >/dev/null; eval 'echo eval $((1 + 1))'; alias ll='echo aliased' 2>/dev/null; type cd | head -n 1
command -v nosuch; echo "command $?"; getopts ab: o -a; echo "$o"; set -- -b val rest; OPTIND=1; while getopts ab: o; do echo "$o $OPTARG"; done; shift $((OPTIND - 1)); echo "$1"
echo a,b,c | { IFS=, read -r p q r; echo "$r$q$p"; }; printf 'no newline' | { read -r l; echo "$l/$?"; }
timeout 1 sleep 5; echo "timeout $?"; true && echo yes || echo no; time true 2>/dev/null; which sh >/dev/null && echo have sh
[ -c /dev/null ] && echo null; echo lost >/dev/null; head -c 4 /dev/zero | od -An -tx1; echo x >/dev/full 2>/dev/null || echo full; tty -s </dev/null || echo no tty

section done
ls -A | wc -l
