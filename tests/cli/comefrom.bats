# SPDX-License-Identifier: GPL-2.0-or-later
# comefrom.bats - README's table "If you come from…": each line of ours is read from it, run, and its effect looked at
#
# A line is named "SECTION: WHAT". The last test knows every line of the table, so that none can be added without a test of its own.

load ../helpers
load comefrom

from_coso() {
	host
	"$BIN/cosonet" setup
	fine 'COSO: all namespaces, the default places' "$LIST_NS; ls /sys/class/net; exit 0"
	new_namespaces $KINDS
	has '^eth0$'
	fine 'COSO: another root' 'ls /marker; touch /more'
	out /marker
	[ ! -e root/more ]
	printf '#!/bin/sh\necho "$@" >%s/called\n' "$T" >my-network
	chmod 755 my-network
	fine 'COSO: another network program' 'ls /sys/class/net'
	has '^-pid [0-9]+$' "$T/called"
	out lo
	ours 'COSO: to be told what is missing'
	is status $code 125
	has "make fs-setup.*cosofs setup" "$T/err"
	"$BIN/cosonet" teardown
	fine 'COSO: to prepare both'
	[ -x new-root/bin/sh ]
	cosonet status --json | jq -e .ready
	coso --rootfs new-root true
}

@test "from COSO" { in_ns from_coso; }

literally() {
	host
	coso -rootfs ./root -network none -hostname box -uts -ipc -net -pid sh -c "hostname; ls /marker; $LIST_NS" >"$T/out"
	has '^box$'
	has '^/marker$'
	new_namespaces $KINDS
	coso -network none -mnt=./root ls /marker
	coso -network=none -rootfs=./root -uts=false sh -c "$LIST_NS" >"$T/out"
	new_namespaces user pid mnt net ipc cgroup
}

@test "from COSO: its flags as they were" { in_ns literally; }

# As an ordinary user, with a root file system of their own.
gontainer() {
	fine 'Gontainer: your own id as root, nothing else' "$LIST_NS; id -u"
	new_namespaces user
	has '^0$'
	fine 'Gontainer: another root' "$LIST_NS; ls /marker"
	new_namespaces user mnt
	has '^/marker$'
	fine 'Gontainer: a host name' "$LIST_NS; hostname"
	new_namespaces user uts
	has '^box$'
	fine 'Gontainer: IPC of its own' "$LIST_NS"
	new_namespaces user ipc
	fine 'Gontainer: a network namespace' "$LIST_NS; cat /proc/net/dev"
	new_namespaces user net
	is interfaces "$(grep -c ': *[0-9]' "$T/out")" 1
	fine 'Gontainer: process ids of its own' "$LIST_NS; echo pid \$\$"
	new_namespaces user mnt pid
	has '^pid 1$'
	fine 'Gontainer: the configuration before the start' 'echo started'
	has 'namespaces user pid mount network uts ipc cgroup' "$T/err"
	has '^coso: rootfs +\./root$' "$T/err"
	out started
	fine 'Gontainer: the version'
	has '^coso [0-9.]+$'
}

# as_ordinary FUNCTION: as host, but by somebody who isn't root.
as_ordinary() {
	as_user 12345 mkdir -p "$T/home-12345/data"
	cp -a "$ROOTFS" "$T/home-12345/root"
	touch "$T/home-12345/root/marker"
	echo precious >"$T/home-12345/data/file"
	chown -R 12345:12345 "$T/home-12345"
	as_user 12345 bash -c 'export COSO_BIN=$BIN; source "$TOP/tests/helpers.bash"; source "$T/.functions"; set -eu
		export PATH=$BIN:$PATH T=$HOME KINDS=$2 LIST_NS=$3
		cd "$HOME"
		"$1"' bash "$1" "$KINDS" "$LIST_NS"
}

@test "from Gontainer, as an ordinary user" { in_ns as_ordinary gontainer; }

from_barco() {
	host
	fine 'barco: a user, a root, a command with an argument'
	has '^marker$'
	fine 'barco: its log of steps' 'id -u'
	has '^coso: pivot +pivot_root' "$T/err"
	out 0
	fine 'barco: its capabilities, filter and limits' 'cat /proc/self/status; touch f; chmod 644 f; chmod u+s f; echo chmod $?'
	# What is left of capabilities when barco's list is dropped: no SYS_ADMIN (21), MKNOD (27); but NET_ADMIN (12), NET_RAW (13).
	local bounding=$((16#$(value CapBnd)))
	is "capability 21, 27, 12, 13" "$((bounding >> 21 & 1))$((bounding >> 27 & 1))$((bounding >> 12 & 1))$((bounding >> 13 & 1))" 0011
	is Seccomp "$(value Seccomp)" 2
	has '^chmod 1$'
	has 'f: Operation not permitted' "$T/err"
	while_running 'barco: its capabilities, filter and limits' limited 1073741824 64 2621 256
	while_running 'barco: its limits one by one' limited 1073741824 64 2621 256
	(cd "$TOP" && fine 'barco: setup, test, lint, format, check, debug')
	local target
	for target in setup test lint format check debug; do has "^$target +[a-z]"; done
	(cd "$TOP" && make -n debug=1 BUILD="$T/none" all) | grep -q -- '-O0'
}

@test "from barco" { in_ns from_barco; }

moksha() {
	host
	fine "Moksha: pivot_root, and no mount of the host's"
	lacks "$T|$TOP| - (ext[234]|xfs|btrfs|9p|virtiofs|ubifs) "
	has ' / / .* overlay '
	fine 'Moksha: a file system in memory' 'df -k /scratch | tail -n 1; echo x >/scratch/x && cat /scratch/x'
	has '^tmpfs +8192 '
	has '^x$'
	[ ! -e root/scratch ]
	fine 'Moksha: a folder of the host' 'cat /data/file; touch /data/new || echo refused'
	out 'precious refused'
	fine 'Moksha: another proc' 'cat /proc2/1/comm; grep -c " /proc2 proc " /proc/mounts; grep -c " /proc2/sys proc ro" /proc/mounts'
	out 'sh 1 1'
	fine 'Moksha: the launcher gone, the container alive'
	out box
	local monitor pid
	pid=$(coso ps --json | jq '.[0].pid')
	monitor=$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")
	kill -KILL "$monitor"
	wait_for 5 no_parent "$pid" "$monitor"
	is "process" "$(tr '\0' ' ' <"/proc/$pid/cmdline")" 'sleep 60 '
	is status "$(coso ps --json | jq -r '.[0].status')" running
	coso rm --force box
	is list "$(coso ps --json | jq length)" 0
	wait_for 5 is_gone "$pid"
}

no_parent() { [ "$(awk '/^PPid/ { print $2 }' "/proc/$1/status")" != "$2" ]; }
is_gone() { [ ! -d "/proc/$1" ]; }

@test "from Moksha" { in_ns moksha; }

mydocker() {
	host
	fine "MyDocker: all namespaces but the user's" "$LIST_NS; id -u"
	new_namespaces pid mnt net uts ipc cgroup
	fine "MyDocker: all with the user's" "$LIST_NS; id -u"
	new_namespaces $KINDS
	has '^0$'
	while_running 'MyDocker: memory, CPU share and processes' limited 268435456 333 512 59
	cosonet setup -bridgeName brg0 -bridgeAddress 10.10.10.1/24 >/dev/null 2>&1 || true
	coso --network none --detach --name box --rootfs ./root sleep 60 >/dev/null
	PID=$(coso ps --json | jq '.[0].pid')
	export PID
	COSO_ID=box fine 'MyDocker: the network by a separate tool'
	nsenter -n -t "$PID" ip -4 address show eth0 >"$T/out"
	has 'inet 10.10.10.2/24'
	ip -4 address show brg0 >"$T/out"
	has 'inet 10.10.10.1/24'
	[ -e /sys/class/net/veth0 ]
	nsenter -n -t "$PID" ping -c 1 -W 3 10.10.10.1
	coso rm --force box
	cosonet teardown -bridgeName brg0
}

@test "from MyDocker" { in_ns mydocker; }

mydocker_io() {
	host
	while_running 'MyDocker: its default limits' defaults
	while_running 'MyDocker: I/O weight' io 20
}

defaults() {
	limited 1073741824 64 256 35
	io 10
}

# io WEIGHT: in blkio's unit; v2's is ten times that where it isn't BFQ's
io() {
	case $(setting io) in
	"weight $1" | "weight default $1" | "weight default $(($1 * 10))") ;;
	*) echo "I/O weight $(setting io)" >&2; return 1 ;;
	esac
}

@test "from MyDocker: I/O weight" {
	skip_unless "a controller of I/O weights" in_ns has_io_weight
	in_ns mydocker_io
}

docker_life() {
	host
	cosonet setup
	fine 'Docker: a container that goes when it ends' 'hostname; touch /gone'
	is containers "$(coso ps --json | jq length)" 0
	[ -z "$(ls /var/lib/coso/containers)" ]
	[ ! -e root/gone ]
	code=1
	for _ in 1 2 3 4 5; do # rm refuses while it still runs
		[ $code = 0 ] || ours 'Docker: one in the background, its output, its end'
		[ $code = 0 ] || coso rm --force box
	done
	has '^box$'
	coso --detach --name box --rootfs ./root sh -c 'trap "exit 3" TERM; echo ready; while :; do sleep 0.1; done'
	wait_for 5 eval 'coso logs box | grep -q ready'
	fine 'Docker: a list'
	is status "$(jq -r '.[] | select(.id == "box") | .status' "$T/out")" running
	fine 'Docker: a signal'
	wait_for 5 eval '[ "$(coso ps --json | jq ".[0].exitCode")" = 3 ]'
	coso rm box
	while_running 'Docker: limits' docker_limits
	fine 'Docker: a published port' 'ip -o -4 address show eth0'
	has 'inet 10\.209\.'
	while_running 'Docker: a published port' published
}

docker_limits() {
	is memory "$(setting memory | cut -d' ' -f2)" 67108864
	is pids "$(setting pids | cut -d' ' -f2)" 20
	case $(setting quota) in
	"cfs_quota_us 50000" | "max 50000 100000") ;;
	*) echo "CPU quota $(setting quota)" >&2; return 1 ;;
	esac
}

published() { cosonet status --json >"$T/status" && has 8080 "$T/status"; }

@test "from Docker: life and limits" { in_ns docker_life; }

docker_inside() {
	host
	cosonet setup
	fine 'Docker: a volume' 'cat /data/file; touch /data/new || echo refused'
	out 'precious refused'
	fine 'Docker: environment, folder, user' 'echo $A $(pwd) $(id -u) $(id -g)'
	out '1 /tmp 1000 1000'
	fine 'Docker: a read-only root' 'touch /x || echo refused; touch /tmp/x && echo written'
	out 'refused written'
	fine 'Docker: few capabilities' 'grep CapBnd /proc/self/status'
	is CapBnd "$(value CapBnd)" 0000000000000001
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77}]}' >no-mkdir.json
	fine 'Docker: another filter' 'mkdir /x || echo refused; touch /y && echo made'
	out 'refused made'
	fine 'Docker: no new privileges' 'grep NoNewPrivs /proc/self/status'
	is NoNewPrivs "$(value NoNewPrivs)" 1
	fine 'Docker: resource limits' 'ulimit -n; ulimit -Hn'
	out '64 128'
	fine 'Docker: kernel settings' 'cat /proc/sys/net/ipv4/ip_forward'
	out 1
	fine 'Docker: a device' 'echo x >/dev/nothing && test -c /dev/nothing && echo there'
	out there
	fine 'Docker: no network' 'ls /sys/class/net; ip address show lo | grep -q LOOPBACK,UP && echo lo works'
	out 'lo lo works'
	fine "Docker: the host's network" "$LIST_NS"
	new_namespaces user pid mnt uts ipc cgroup
	fine 'Docker: names and name servers' 'cat /etc/hosts /etc/resolv.conf'
	has '^192.0.2.9[[:space:]]db$'
	has '^nameserver 192.0.2.53$'
	fine 'Docker: an init' 'cat /proc/1/comm; echo $$'
	lacks '^1$'
	fine 'Docker: changes that stay' 'echo once >>/kept'
	fine 'Docker: changes that stay' 'echo twice >>/kept; cat /kept'
	out 'once twice'
	[ ! -e root/kept ]
	fine 'Docker: ids of your choice' 'cat /proc/self/uid_map; touch /mine; stat -c %u /mine'
	is map "$(tr -s ' ' <"$T/out" | head -n 1 | sed 's/^ //')" '0 200000 65536'
}

@test "from Docker and Podman: what is inside" { in_ns docker_inside; }

bubblewrap() {
	fine 'bubblewrap: a sandbox on a folder' "$LIST_NS; ls /marker"
	new_namespaces $KINDS
	has '^/marker$'
	fine "bubblewrap: the host's files, no network" "$LIST_NS; cat data/file; cat /proc/net/dev"
	new_namespaces user net
	has '^precious$'
	is interfaces "$(grep -c ': *[0-9]' "$T/out")" 1
	fine 'bubblewrap: a read-only folder inside' 'cat /data/file; touch /data/new || echo refused'
	out 'precious refused'
	fine 'bubblewrap: an empty folder in memory' 'grep " /scratch " /proc/mounts | cut -d" " -f3'
	out tmpfs
	local pid inside line # PDEATHSIG of the container's first process
	line=$(line_of 'bubblewrap: the end of the sandbox with its caller')
	bash -c "exec $line" </dev/null >"$T/out" 2>&1 3>&- &
	pid=$!
	wait_for 5 running
	inside=$(coso ps --json | jq '.[0].pid')
	kill -KILL $pid
	wait $pid || true
	wait_for 5 is_gone "$inside"
}

@test "from bubblewrap, as an ordinary user" { in_ns as_ordinary bubblewrap; }

# As an ordinary user, in root's root file system, in which they may make nothing.
roots_root() {
	coso --rootfs "$ROOTFS" sh -c 'id -u; touch /etc/mine || echo refused' >"$T/out" 2>"$T/err"
	has '^0$'
	has '^refused$'
	has "/etc/mine: Permission denied" "$T/err"
}

@test "an ordinary user may run root's root file system" { in_ns as_ordinary roots_root; }

# --- and none is forgotten ----------------------------------------------------------------------------------------------------------

@test "every line of the table has its test" {
	local key missing=0
	[ "$(rows | wc -l)" -ge 50 ]
	while IFS=$'\t' read -r section what _; do
		key="$section: $what"
		grep -qF -e "'$key'" -e "\"$key\"" "$BATS_TEST_FILENAME" || { echo "no test of '$key'"; missing=1; }
	done < <(rows)
	[ $missing = 0 ]
}
