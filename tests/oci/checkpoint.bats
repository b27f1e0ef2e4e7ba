# SPDX-License-Identifier: GPL-2.0-or-later
# checkpoint.bats - containers that are written to disk and made again of that, by way of criu
#
# $COSO_TEST_CRIU is another criu than that of PATH: many a kernel is too new for the distribution's.
load ../helpers
load ../cli/common
load common

export USERNS='.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'

works() { "$BIN/coso-criu" check --criu "${COSO_TEST_CRIU:-criu}"; }

there_is_one() { [ -x "$BIN/coso-criu" ] || skip "coso-criu isn't built: there is no criu here"; }

# The runtime finds criu by PATH alone.
setup() {
	common_setup
	[ -z "${COSO_TEST_CRIU:-}" ] || { mkdir "$T/bin"; ln -s "$COSO_TEST_CRIU" "$T/bin/criu"; export PATH=$T/bin:$PATH; }
}

with_criu() {
	there_is_one
	skip_unless "a criu that works on it" works
	as_engine clean "$@"
}

# counts NAME [FILTER]: up, with a program that has counted a little.
counts() {
	up "$1" "${2:-.}" count
	wait_for 5 grep -q ' 3$' "$T/$1.out"
}

# restore NAME [OPTION...]: detached, of $T/images; what the container says goes on in $T/NAME.out.
restore() {
	local name=$1
	shift
	status=0
	timeout --foreground -k 5 60 "$BIN/coso-oci" restore --detach --bundle "$T/$name" --image-path "$T/images" --work-path "$T/work" \
		"$@" "$name" >>"$T/$name.out" 2>"$T/err" </dev/null || status=$?
	[ $status = 0 ] || { cat "$T/err"; tail -n 40 "$T/work/restore.log"; return 1; } >&2
	[ ! -s "$T/err" ]
}

checkpoint() {
	local name=$1
	shift
	oci checkpoint --image-path "$T/images" --work-path "$T/work" "$@" "$name"
	[ $status = 0 ] || grep -n Error "$T/work/dump.log" >&2
	quiet
}

# goes_on NAME: it counts on from where it was, in the same word.
goes_on() {
	local word last
	read -r word last < <(tail -n 1 "$T/$1.out")
	wait_for 5 grep -qx "$word $((last + 3))" "$T/$1.out"
	seq "$last" | sed "s/^/$word /" | diff - <(head -n "$last" "$T/$1.out")
}

is_unknown() {
	oci state "$1"
	fails 1 'does not exist'
}

lives_on() {
	local pid
	counts c
	pid=$(state c pid)
	checkpoint c
	is_unknown c
	reaped "$pid" 'signal 9'
	[ -s "$T/work/dump.log" ]
	restore c --pid-file "$T/pid"
	goes_on c
	is_state c running
	[ "$(state c pid)" = "$(<"$T/pid")" ]
	[ -s "$T/work/restore.log" ]
	oci exec c /bin/probe ids
	ended 0
	oci pause c
	quiet
	is_state c paused
	oci resume c
	quiet
	oci kill c KILL
	quiet
	reaped "$(<"$T/pid")" 'signal 9'
	is_state c stopped
	oci delete c
	quiet
}

@test "a container is written to disk, and goes on where it was: exec, pause, kill and delete work on it" { with_criu lives_on; }

leaves_running() {
	local pid n
	counts c
	pid=$(state c pid)
	checkpoint c --leave-running
	is_state c running
	[ "$(state c pid)" = "$pid" ]
	n=$(wc -l <"$T/c.out")
	wait_for 5 grep -q " $((n + 3))$" "$T/c.out"
	oci pause c
	quiet
	checkpoint c --leave-running # of the frozen, as containerd has it
	is_state c paused
	n=$(wc -l <"$T/c.out")
	gone c
	restore c
	goes_on c
	gone c
}

@test "--leave-running: it goes on, or stays frozen, and can be restored all the same" { with_criu leaves_running; }

pre_dumped() {
	counts c
	mkdir "$T/images" "$T/work"
	oci checkpoint --image-path "$T/first" --work-path "$T/work" --pre-dump c
	[ $status = 0 ] || { cat "$T/err"; tail "$T/work/dump.log"; return 1; } >&2
	quiet
	is_state c running
	oci checkpoint --image-path "$T/images" --parent-path "$T/first" c
	fails 1 parent-path
	is_state c running
	checkpoint c --parent-path ../first
	[ "$(readlink "$T/images/parent")" = ../first ]
	restore c
	goes_on c
	gone c
}

@test "--pre-dump and --parent-path: memory is written in advance, and found again" {
	skip_unless "soft-dirty pages" grep -qw sd /proc/self/smaps
	with_criu pre_dumped
}

mounts() {
	mkdir "$T/vol" "$T/other"
	echo one >"$T/vol/one"
	echo two >"$T/other/one"
	echo file >"$T/file"
	counts c ".mounts += [{ destination: \"/data\", type: \"bind\", source: \"$T/vol\", options: [\"rbind\", \"ro\", \"nosuid\"] },
		{ destination: \"/etc/file\", type: \"bind\", source: \"$T/file\", options: [\"bind\"] },
		{ destination: \"/scratch\", type: \"tmpfs\", source: \"tmpfs\" }]"
	oci exec c /bin/probe write /scratch/kept kept
	ended 0
	cut -d' ' -f4- "/proc/$(state c pid)/mountinfo" | sed "s|$T/vol|$T/other|" | sort >"$T/before"
	checkpoint c
	# What a key stands for is the bundle's affair.
	sed -i "s|$T/vol|$T/other|" "$T/c/config.json"
	rm -r "$T/c/rootfs"
	cp -a "$PROBE" "$T/c/rootfs" # without the mount points
	restore c
	goes_on c
	oci exec c /bin/probe read /data/one
	said two
	oci exec c /bin/probe read /etc/file
	said file
	oci exec c /bin/probe read /scratch/kept
	said kept
	oci exec c /bin/probe write /data/more x
	[ $status != 0 ] && [ ! -e "$T/other/more" ]
	cut -d' ' -f4- "/proc/$(state c pid)/mountinfo" | sort | diff "$T/before" -
	gone c
}

@test "mounts are as they were: from where the bundle says, and a tmpfs with what was in it" { with_criu mounts; }

limits() {
	local group
	counts c '.linux.resources += { memory: { limit: 67108864 }, pids: { limit: 33 } } | .linux.cgroupsPath = "/before"'
	checkpoint c
	jq '.linux.cgroupsPath = "/after" | .linux.resources.pids.limit = 44' "$T/c/config.json" >"$T/changed"
	mv "$T/changed" "$T/c/config.json"
	restore c
	goes_on c
	[ -z "$(find /sys/fs/cgroup -name before)" ]
	while read -r group; do
		[ "$(<"$group/cgroup.procs")" = "$(state c pid)" ]
	done < <(find /sys/fs/cgroup -name after)
	[ "$(cat /sys/fs/cgroup/{memory/after/memory.limit_in_bytes,after/memory.max} 2>/dev/null)" = 67108864 ]
	[ "$(cat /sys/fs/cgroup/{pids/after/pids.max,after/pids.max} 2>/dev/null)" = 44 ]
	oci exec c /bin/probe fork 60
	[ $status != 0 ]
	# Its cgroup namespace is rooted at its group.
	[ "$(stat -Lc %i "/proc/$(state c pid)/ns/cgroup")" != "$(stat -Lc %i /proc/self/ns/cgroup)" ]
	oci exec c /bin/probe read /proc/self/cgroup
	lacks after
	gone c
}

@test "its group and its limits are those of the bundle that it is restored from" { with_criu limits; }

# As engines have it on v1: its groups are mounts of the host's.
without_cgroupns() {
	counts c 'del(.linux.namespaces[] | select(.type == "cgroup")) | .linux.cgroupsPath = "/before"'
	cut -d' ' -f4- "/proc/$(state c pid)/mountinfo" | sed 's|/before |/after |' | sort >"$T/before"
	checkpoint c
	sed -i 's|"/before"|"/after"|' "$T/c/config.json"
	restore c
	goes_on c
	cut -d' ' -f4- "/proc/$(state c pid)/mountinfo" | sort | diff "$T/before" -
	gone c
}

@test "without a cgroup namespace it sees its new group" { with_criu without_cgroupns; }

terminal() {
	local word n
	bundle c '.process.terminal = true' count
	"$BIN/receiver" console "$T/socket" >"$T/console" </dev/null &
	waits_for "$T/socket"
	create c --console-socket "$T/socket"
	quiet
	oci start c
	wait_for 5 grep -q ' 3' "$T/console"
	checkpoint c
	wait
	oci restore --bundle "$T/c" --image-path "$T/images" -d c
	fails 1 'cannot allocate tty if coso will detach without setting console socket'
	read -r word n < <(tail -n 1 "$T/console" | tr -d '\r')
	rm "$T/socket"
	"$BIN/receiver" console "$T/socket" >"$T/again" </dev/null &
	waits_for "$T/socket"
	restore c --console-socket "$T/socket"
	grep -q '^tty=/dev/pts/0' "$T/again"
	wait_for 5 grep -q "^$word $((n + 3))" "$T/again"
	for n in 0 1 2; do
		[ "$(readlink "/proc/$(state c pid)/fd/$n")" = /dev/pts/0 ]
	done
	gone c
	wait
}

@test "a terminal: its master comes through the console socket again" { with_criu terminal; }

in_foreground() {
	local pid
	up c . hold 2 7
	has c holding
	checkpoint c
	"$BIN/coso-oci" restore --bundle "$T/c" --image-path "$T/images" --work-path "$T/work" --pid-file "$T/pid" c >>"$T/c.out" 2>"$T/err" </dev/null &
	pid=$!
	wait_for 10 test -s "$T/pid"
	is_state c running
	[ "$(oci ps --format json c && jq length "$T/out")" = 3 ]
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	ended 7
	[ ! -s "$T/err" ]
	is_unknown c
}

@test "in the foreground: signals are passed on, its end is waited for, and it is removed" { with_criu in_foreground; }

# As engines have them: one process writes, another reads.
pipes() {
	local word n
	chmod 755 "$T"
	bundle c "$1" count
	chown -R "$2" "$T/c/rootfs"
	"$BIN/coso-oci" create --bundle "$T/c" c </dev/null > >(cat >"$T/c.out") 2>&1
	oci start c
	wait_for 5 grep -q ' 3$' "$T/c.out"
	checkpoint c
	read -r word n < <(tail -n 1 "$T/c.out")
	grep -q '"pipe:\[' "$T/images/descriptors.json"
	"$BIN/coso-oci" restore --detach --bundle "$T/c" --image-path "$T/images" --work-path "$T/work" other </dev/null > >(cat >"$T/again") 2>&1
	wait_for 5 grep -qx "$word $((n + 3))" "$T/again"
	is_state other running
	gone other
	lacks . <(compgen -G '/tmp/coso*' /tmp/.criu*)
}

@test "pipes: stdout is the pipe of who restores it, under another id as well" { with_criu pipes . 0; }

@test "pipes: the same in a user namespace" { with_criu pipes "$USERNS" 100000:100000; }

network() {
	ip netns add outer
	counts c '(.linux.namespaces[] | select(.type == "network")).path = "/run/netns/outer"'
	checkpoint c
	ip netns add other
	jq '(.linux.namespaces[] | select(.type == "network")).path = "/run/netns/other"' "$T/c/config.json" >"$T/changed"
	mv "$T/changed" "$T/c/config.json"
	restore c
	goes_on c
	[ "$(stat -Lc %i "/proc/$(state c pid)/ns/net")" = "$(stat -Lc %i /run/netns/other)" ]
	gone c
	ip netns del outer
	ip netns del other
	umount /run/netns
}

@test "a network namespace that it joined is the bundle's again" { with_criu network; }

# A hook gives it a device, as Docker's does, and does so again.
devices() {
	printf '#!/bin/sh\npid=$(jq .pid)\nip link add outer type veth peer name inner && ip link set inner netns $pid\n' >"$T/hook"
	chmod 755 "$T/hook"
	counts c ".hooks.createRuntime = [{ path: \"$T/hook\" }] | .linux.sysctl = { \"net.ipv4.ip_default_ttl\": \"33\" }"
	checkpoint c
	wait_for 5 eval '! ip link show outer >/dev/null 2>&1'
	restore c
	goes_on c
	nsenter -n -t "$(state c pid)" ip -o link >"$T/links"
	grep -q ' lo:.*[<,]UP' "$T/links"
	grep -q ' inner@' "$T/links"
	oci exec c /bin/probe read /proc/sys/net/ipv4/ip_default_ttl
	said 33
	gone c
}

@test "a network namespace that hooks filled: they do so again; lo and sysctls are there" { with_criu devices; }

mapped() {
	mkdir "$T/vol"
	echo one >"$T/vol/one"
	chmod 755 "$T"
	bundle c
	chown -R 100000:100000 "$T/c/rootfs"
	touch "$T/c.out" "$T/c.err" "$T/err"
	chmod 666 "$T/c.out" "$T/c.err" "$T/err" # criu opens them as the container's root
	counts c "$USERNS | .mounts += [{ destination: \"/data\", type: \"bind\", source: \"$T/vol\", options: [\"bind\", \"ro\"] }]"
	cut -d' ' -f4- "/proc/$(state c pid)/mountinfo" | sort >"$T/before"
	checkpoint c
	restore c
	goes_on c
	cut -d' ' -f4- "/proc/$(state c pid)/mountinfo" | sort | diff "$T/before" -
	[ "$(tr -s ' ' <"/proc/$(state c pid)/uid_map")" = ' 0 100000 65536' ]
	oci exec c /bin/probe read /data/one
	said one
	oci exec c /bin/probe write /dev/null x
	ended 0
	gone c
}

@test "a user namespace: its maps, its devices and its mounts are there again" { with_criu mapped; }

hooks() {
	local n pid
	cat >"$T/hook" <<-'SH'
		#!/bin/sh
		state=$(cat)
		echo "$1 $(echo "$state" | jq -r '"\(.status) \(.pid)"') $(wc -l <"$2")" >>"$3"
		[ ! -e "$3.fail" ]
	SH
	chmod 755 "$T/hook"
	counts c "def hook(n): { path: \"$T/hook\", args: [\"hook\", n, \"$T/c.out\", \"$T/order\"] };
		.hooks = ([\"prestart\", \"createRuntime\", \"poststart\", \"poststop\"] | map({ key: ., value: [hook(.)] }) | from_entries)"
	rm "$T/order"
	checkpoint c
	[ "$(cut -d' ' -f1 "$T/order")" = poststop ]
	rm "$T/order"
	touch "$T/order.fail"
	oci restore --detach --bundle "$T/c" --image-path "$T/images" c
	fails 1 "error running prestart hook #0: '$T/hook': exit status 1"
	is_unknown c
	rm "$T/order.fail" "$T/order"
	n=$(wc -l <"$T/c.out")
	restore c
	pid=$(state c pid)
	[ "$(head -n 2 "$T/order")" = "prestart created $pid $n
createRuntime creating $pid $n" ] # before it goes on
	grep -q "^poststart running $pid" "$T/order"
	goes_on c
	gone c
}

@test "hooks: prestart and createRuntime before it goes on, poststart after, poststop once it is written; one that fails undoes it" { with_criu hooks; }

# A container that can't be, or a checkpoint that isn't: one line says so, all is as it was, and nothing is left.
refusals() {
	bundle c . count
	create c
	oci checkpoint --image-path "$T/images" c
	fails 1 "container 'c' cannot be checkpointed: it is created"
	oci start c
	[ ! -e "$T/images" ]
	oci checkpoint --image-path "$T/images" --lazy-pages c
	fails 1 '--lazy-pages: memory is always restored at once'
	oci checkpoint --image-path "$T/images" --parent-path /elsewhere c
	fails 1 '--parent-path' 'relative'
	oci checkpoint --image-path "$T/images" --manage-cgroups-mode some c
	fails 1 "--manage-cgroups-mode 'some'"
	oci checkpoint --image-path "$T/images" nobody
	fails 1 'does not exist'
	mkfifo "$T/fifo"
	is_state c running
	gone c
	oci checkpoint --help
	silent
	grep -q -- --leave-running "$T/out"
	oci restore --help
	silent
	oci restore --lsm-mount-context
	fails 1 'flag needs an argument'
	bundle c
	chown -R 100000:100000 "$T/c/rootfs"
	chmod 755 "$T"
	up c "$USERNS | .mounts += [{ destination: \"/data\", type: \"bind\", source: \"/etc\", options: [\"bind\", \"idmap\"] }]" count
	oci checkpoint --image-path "$T/images" c
	fails 1 "mount on '/data': with the ids of the container's own user namespace it can't be restored"
	is_state c running
	gone c
}

@test "what can't be written to disk is refused, and goes on" { there_is_one; as_engine clean refusals; }

# without PATH-FOLDER WORD...: where nothing but that is in PATH.
without() {
	status=0
	env PATH="$1" "$BIN/coso-oci" "${@:2}" >"$T/out" 2>"$T/err" </dev/null || status=$?
}

missing() {
	counts c
	mkdir "$T/bare"
	without "$T/bare" checkpoint --image-path "$T/images" c
	fails 1 "execute 'criu': no such file or directory \(criu has to be installed, and in PATH\)"
	is_state c running
	printf '#!/bin/sh\nexit 3\n' >"$T/bare/criu"
	chmod 755 "$T/bare/criu"
	without "$T/bare" checkpoint --image-path "$T/images" c
	fails 1 'coso checkpoint failed: criu'
	is_state c running
	gone c
	touch "$T/images/inventory.img"
	rm "$T/bare/criu"
	without "$T/bare" restore --bundle "$T/c" --image-path "$T/images" c
	fails 1 "execute 'criu'"
	is_unknown c
}

@test "criu isn't there, or is none: one line says so, the container goes on, and nothing is left" { there_is_one; as_engine clean missing; }

# A criu that neither answers nor ends, and no group to end it by.
hangs() {
	local pid
	bundle c . count
	mkdir "$T/images" "$T/bare"
	touch "$T/images/inventory.img"
	printf '#!/bin/sh\ntouch "%s/began"\nexec sleep 60\n' "$T" >"$T/bare/criu"
	chmod 755 "$T/bare/criu"
	env PATH="$T/bare:$PATH" "$BIN/coso-oci" --cgroup-manager disabled restore --bundle "$T/c" --image-path "$T/images" c >"$T/out" 2>"$T/err" </dev/null &
	pid=$!
	wait_for 5 test -e "$T/began"
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	fails 1 'it was interrupted'
	is_unknown c
}

@test "a criu that hangs: restore can be interrupted, and nothing is left" { there_is_one; as_engine clean hangs; }

not_built() {
	local command
	cp "$BIN/coso" "$T/coso-oci"
	[ "$("$T/coso-oci" features | jq -r '.annotations["org.opencontainers.runc.checkpoint.enabled"]')" = false ]
	for command in "checkpoint --help" "checkpoint c" "restore --lsm-mount-context" "restore c"; do
		status=0
		# shellcheck disable=SC2086 # words
		"$T/coso-oci" $command >"$T/out" 2>"$T/err" || status=$?
		fails 1 "this build of coso can't drive criu"
		lacks 'flag needs an argument' "$T/err"
	done
}

@test "without coso-criu there are no checkpoints, and none are promised" { in_ns not_built; }

as_others() {
	as_user 1000 "$BIN/coso-oci" --root "$T/home-1000/run/x" checkpoint c 2>"$T/err" && return 1
	grep -q "criu takes the rights of the host's root" "$T/err"
	as_user 1000 "$BIN/coso-oci" --root "$T/home-1000/run/x" restore c 2>"$T/err" && return 1
	grep -q "criu takes the rights of the host's root" "$T/err"
}

@test "an ordinary user is refused" { there_is_one; in_ns as_others; }

bad_images() {
	local said
	bundle c . count
	restore_fails() {
		oci restore --detach --bundle "$T/c" --image-path "$T/images" --work-path "$T/work" c
		fails 1 "$@"
		is_unknown c
		[ ! -e /run/coso-oci/c ]
	}
	restore_fails images 'no such file or directory'
	mkdir "$T/images" "$T/work"
	restore_fails "'$T/images' holds no checkpoint: there is no inventory.img"
	echo nonsense >"$T/images/inventory.img"
	! works >"$T/works" 2>&1 || said="Magic doesn't match for inventory.img"
	restore_fails "criu: ${said:-}" "log file: $T/work/restore.log"
	ln -s /etc/shadow "$T/images/pages-1.img"
	restore_fails "'$T/images/pages-1.img' is no plain file"
	rm "$T/images/pages-1.img"
	echo secret >"$T/secret"
	ln "$T/secret" "$T/images/pages-1.img"
	restore_fails "'$T/images/pages-1.img' is no plain file"
	rm "$T/images/pages-1.img"
	mkfifo "$T/images/core-1.img"
	restore_fails "'$T/images/core-1.img' is no plain file"
	rm "$T/images/core-1.img"
	ln -s /etc "$T/images/parent"
	restore_fails "leads to '/etc'"
	rm "$T/images/parent"
	mkdir "$T/first"
	ln -s ../first "$T/images/parent"
	ln -s /etc/shadow "$T/first/pages-1.img"
	restore_fails "pages-1.img' is no plain file"
	rm "$T/images/parent"
	echo '{}' >"$T/images/descriptors.json"
	restore_fails "descriptors.json' isn't a list"
	rm "$T/images/descriptors.json"
	chmod 777 "$T/images"
	restore_fails --image-path "$T/images"
	chmod 755 "$T/images"
	chown 1000 "$T/images"
	restore_fails --image-path "$T/images"
}

@test "images that lead elsewhere, or are somebody else's, or none, are refused, and nothing is left" { there_is_one; as_engine clean bad_images; }
