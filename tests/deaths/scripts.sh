#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Policy scripts (service(8)): what they are told, what they may order, and those that hang or fail. Runs in the guest, and runs what init runs elsewhere:
# `service watch --scripts`.
. ./common.sh

script() { cat >/tmp/$1; chmod +x /tmp/$1; }
script restarts <<'END'
#!/bin/sh
echo "$# $*" >>/tmp/told.$1
env >/tmp/environment
service restart $1
END
script downs <<'END'
#!/bin/sh
echo "$# $*" >>/tmp/told.$1
service down $1
END
script hangs <<'END'
#!/bin/sh
echo "$# $*" >>/tmp/told.$1
sleep 1000
END
script fails <<'END'
#!/bin/sh
echo "$# $*" >>/tmp/told.$1
exit 3
END

service watch --scripts -q 2>/tmp/watcher &
up hung 20 asked crash 1 -script /tmp/hangs
up sleepy 21 asked crash 1 -script /tmp/hangs
up crashed 22 asked crash 2 -script /tmp/restarts
up silent 23 served hang 1 -script /tmp/restarts -period 200
up killed 24 asked crash 0 -script /tmp/restarts
up broken 25 asked crash 1 -script /tmp/fails
up plain 26 asked crash 1
up gone 27 asked crash 1 -script /tmp/downs
cp /tmp/restarts /tmp/vanishes; up lost 28 asked crash 1 -script /tmp/vanishes; rm /tmp/vanishes

# two scripts that hang come first: nobody waits for them but their own services
first hung >/tmp/out.hung & waiting=$!; first sleepy >/tmp/out.sleepy & waiting="$waiting $!"
sleep 0.3
told "read crashed" first crashed
told "read plain" first plain
told "read silent" first silent; service wait silent -restarts 1 -timeout 20
kill -KILL "$(pid killed)"; service wait killed -restarts 1 -timeout 5
told "read broken" first broken
told "read lost" first lost
told "read gone" first gone
told "status gone" service status gone
told "refresh" service refresh killed; service wait killed -restarts 2 -timeout 5
for name in crashed silent killed broken plain lost; do see $name; done
see hung
wait $waiting
for name in hung sleepy; do service wait $name -restarts 1 -timeout 20; echo "@told read $name"; cat /tmp/out.$name; echo "=0"; done
echo "@why hung at last"; service why hung
for name in hung sleepy crashed silent killed broken gone; do echo "@told script $name"; cat /tmp/told.$name; echo "=0"; done
echo "@told watcher"; cat /tmp/watcher; echo "=0"
echo "@told environment"; cat /tmp/environment; echo "=0"
others
