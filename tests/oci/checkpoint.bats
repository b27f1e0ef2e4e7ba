# SPDX-License-Identifier: GPL-2.0-or-later
# checkpoint.bats - containers that are written to disk and made again of that, by way of criu

load ../helpers
load ../cli/common
load common
load criu

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
	mkdir -p "$T/vol/deep/er" "$T/other/deep/er"
	mount -t tmpfs below "$T/vol/deep/er"
	mount -t tmpfs below "$T/other/deep/er"
	echo deep >"$T/other/deep/er/deep"
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
	oci exec c /bin/probe read /data/deep/er/deep
	said deep
	oci exec c /bin/probe read /etc/file
	said file
	oci exec c /bin/probe read /scratch/kept
	said kept
	oci exec c /bin/probe write /data/more x
	[ $status != 0 ] && [ ! -e "$T/other/more" ]
	umount "$T/vol/deep/er" "$T/other/deep/er"
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

# The program's own socket for its manager is a mount of the state's, and stays where it is when the manager is another.
notified() {
	local pid
	export NOTIFY_SOCKET=$T/notify
	"$BIN/receiver" notify "$NOTIFY_SOCKET" >"$T/said" </dev/null &
	waits_for "$NOTIFY_SOCKET"
	bundle c . count
	create c
	quiet
	"$BIN/coso-oci" start c & # until it is ready, or ends
	pid=$!
	wait_for 5 grep -q ' 3$' "$T/c.out"
	checkpoint c
	wait $pid
	restore c
	goes_on c
	oci exec c /bin/probe stat "$T/notify"
	ended 0
	checkpoint c
	rm -r "$T/c/rootfs$T"
	NOTIFY_SOCKET=$T/another restore c
	goes_on c
	oci exec c /bin/probe stat "$T/notify"
	ended 0
	[ ! -e "$T/c/rootfs$T/another" ]
	NOTIFY_SOCKET=$T/another checkpoint c
	echo /proc/notify >"$T/images/notify-place"
	if restore c 2>/dev/null; then return 1; fi
	grep -q "NOTIFY_SOCKET can't be at '/proc/notify" "$T/err"
	printf %s "$T/notify" >"$T/images/notify-place"
	unset NOTIFY_SOCKET
	restore c # by nobody's manager
	goes_on c
	gone c
	# What is left of an older checkpoint in the same folder is no longer told.
	up c . count
	wait_for 5 grep -q ' 3$' "$T/c.out"
	checkpoint c
	NOTIFY_SOCKET=$T/notify restore c
	goes_on c
	[ "$(jq .manager /run/coso-oci/c/state.json)" = null ]
	gone c
	kill %1
}

@test "a container of a service manager's can be restored by one" { with_criu notified; }

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
	fails 1 "error running prestart hook #0: '$T/hook': prestart hook failed with exit code 1"
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
