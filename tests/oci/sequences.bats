# SPDX-License-Identifier: GPL-2.0-or-later
# sequences.bats - what each engine does, call by call, without the engine
#
# Section 13 of the contract, A to I. E is in cgroups.bats, J in races.bats, K in model.bats.

load ../helpers
load ../cli/common
load common

# piped FILE WORD...: the runtime with one pipe for stdout and stderr, which has to come to its end.
piped() {
	local file=$1
	shift
	mkfifo "$T/fifo"
	timeout 20 cat "$T/fifo" >"$file" &
	status=0
	(cd "$T/box" && exec "$BIN/coso-oci" --root "$T/root/ns" --log "$T/box/log.json" --log-format json "$@") >"$T/fifo" 2>&1 </dev/null || status=$?
	wait $! || { echo "the pipe is still open after: $*" >&2; return 1; }
	rm "$T/fifo"
}

containerd() {
	local pid
	bundle box '.linux.cgroupsPath = "/default/box"' hold 0 5
	# The container's own streams are fifos of the shim's.
	mkfifo "$T/stdout"
	cat "$T/stdout" >"$T/said" &
	status=0
	(cd "$T/box" && exec "$BIN/coso-oci" --root "$T/root/ns" --log "$T/box/log.json" --log-format json create --bundle "$T/box" --pid-file "$T/box/init.pid" box) \
		>"$T/stdout" 2>"$T/err" </dev/null || status=$?
	[ $status = 0 ] && [ ! -s "$T/err" ] && [ ! -s "$T/said" ]
	pid=$(<"$T/box/init.pid")
	[[ $pid =~ ^[0-9]+$ ]]
	grep -q ':/default/box$' "/proc/$pid/cgroup"
	[ "$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")" = "$PPID" ]
	nsenter -t "$pid" -n ip link show lo | grep -q 'LOOPBACK,UP'
	piped "$T/none" start box
	[ $status = 0 ] && [ ! -s "$T/none" ]
	wait_for 5 grep -q holding "$T/said"
	jq '.process | .args = ["/bin/probe", "exit", "9"]' "$T/box/config.json" >"$T/exec"
	piped "$T/none" exec --process "$T/exec" --detach --pid-file "$T/box/e1.pid" box
	[ $status = 0 ] && [ ! -s "$T/none" ]
	reaped "$(<"$T/box/e1.pid")" 'exit 9'
	piped "$T/list" ps --format json box
	[ "$(<"$T/list")" = "[$pid]" ]
	for command in 'pause box' 'resume box'; do
		# shellcheck disable=SC2086 # words are meant
		piped "$T/none" $command
		[ $status = 0 ] && [ ! -s "$T/none" ]
	done
	echo '{"memory":{"limit":67108864}}' | "$BIN/coso-oci" --root "$T/root/ns" --log "$T/box/log.json" --log-format json update --resources=- box
	piped "$T/none" kill box 15
	[ $status = 0 ] && [ ! -s "$T/none" ]
	reaped "$pid" 'exit 5'
	piped "$T/none" kill box 9
	[ $status = 1 ]
	jq -es 'last.level == "error" and (last.msg | test("container not running"))' "$T/box/log.json"
	piped "$T/none" delete box
	[ $status = 0 ] && [ ! -s "$T/none" ]
	piped "$T/none" delete --force box
	[ $status = 0 ] && [ ! -s "$T/none" ]
	[ -z "$(ls "$T/root/ns")" ]
	[ -z "$(find /sys/fs/cgroup -type d \( -name box -o -name "box@*" \))" ]
	wait
}

@test "A: containerd and dockerd, without a terminal" { as_engine containerd; }

with_terminal() {
	bundle box '.process.terminal = true' hold 0 5
	"$BIN/receiver" console "$T/console" >"$T/said" </dev/null &
	waits_for "$T/console"
	piped "$T/none" create --bundle "$T/box" --pid-file "$T/box/init.pid" --console-socket "$T/console" box
	[ $status = 0 ] && [ ! -s "$T/none" ]
	grep -qx 'payload=[1-9][0-9]* fds=1' "$T/said"
	piped "$T/none" start box
	wait_for 5 grep -q holding "$T/said"
	piped "$T/none" kill box 15
	reaped "$(<"$T/box/init.pid")" 'exit 5'
	wait
	piped "$T/none" delete box
	[ $status = 0 ]
}

@test "B: containerd, with a terminal" { as_engine with_terminal; }

# failing FILTER PATTERN: a create that fails, and the shim's cleaning up.
failing() {
	bundle box "$1"
	rm -f "$T/box/log.json"
	piped "$T/none" create --bundle "$T/box" --pid-file "$T/box/init.pid" box
	[ $status = 1 ]
	jq -es 'length == 1 and .[0].level == "error"' "$T/box/log.json" >/dev/null
	jq -r .msg "$T/box/log.json" | grep -qE -- "$2" || { cat "$T/box/log.json" >&2; return 1; }
	[ ! -e "$T/box/init.pid" ]
	piped "$T/none" delete --force box
	[ $status = 0 ] && [ ! -s "$T/none" ]
	[ -z "$(ls "$T/root/ns")" ]
}

failed() {
	bundle box
	mkdir "$T/box/rootfs/folder"
	: >"$T/file"
	failing '.process.args = ["nope"]' 'executable file not found in \$PATH'
	failing '.process.args = ["/folder"]' 'permission denied'
	failing '.process.args = ["/nope"]' 'no such file or directory'
	failing '.mounts += [{ destination: "/folder", source: "\(env.T)/file", options: ["bind"] }]' 'not a directory'
}

@test "C: a create that fails, and delete --force behind it" { in_ns unchanged failed; }

# podman WORD...: as podman calls it: with hardly an environment.
podman() {
	status=0
	env -i XDG_RUNTIME_DIR= "$BIN/coso-oci" "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
}

# conmon WORD...: with SIGPIPE ignored, = and blanks mixed.
conmon() {
	status=0
	env --ignore-signal=PIPE "$BIN/coso-oci" --log-format=json --log "$T/log" "$@" >"$T/box.out" 2>"$T/err" </dev/null || status=$?
}

conmon_podman() {
	local pid
	bundle box '.process.args = ["nope"]'
	conmon create --bundle "$T/box" --pid-file "$T/pid" box
	[ $status = 1 ]
	jq -e '.level == "error"' "$T/log" # one object
	[ "$(wc -l <"$T/err")" = 1 ]
	[ "$(stat -c %s "$T/err")" -le 8191 ]
	podman delete --force box
	quiet
	rm "$T/log"
	bundle box . signals
	conmon create --bundle "$T/box" --pid-file "$T/pid" box
	[ $status = 0 ] && [ ! -s "$T/err" ]
	podman start box
	quiet
	wait_for 5 grep -q pdeathsig "$T/box.out"
	grep -qx 'SigIgn=0000000000000000' "$T/box.out"
	podman delete --force box
	quiet
	bundle box . hold 0
	conmon create --bundle "$T/box" --pid-file "$T/pid" box
	pid=$(<"$T/pid")
	podman start box
	quiet
	podman state box
	ended 0
	podman kill box 9
	quiet
	reaped "$pid" 'signal 9'
	podman delete --force box
	quiet
}

@test "D: conmon and podman" { as_engine clean conmon_podman; }

crio() {
	local root=$T/crio
	bundle box . hold 0
	status=0
	"$BIN/coso-oci" "--root=$root" create --bundle "$T/box" --pid-file "$T/pid" box >"$T/box.out" 2>"$T/err" </dev/null || status=$?
	[ $status = 0 ]
	oci --root "$root" start box
	quiet
	oci --root "$root" --systemd-cgroup state box
	silent
	jq -r .created "$T/out" | grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$'
	jq '.process | .args = ["/bin/probe", "exit", "7"]' "$T/box/config.json" >"$T/process"
	oci --root "$root" exec --process "$T/process" box
	[ $status = 7 ]
	oci --root "$root" kill box KILL
	quiet
	reaped "$(<"$T/pid")" 'signal 9'
	oci --root "$root" kill box KILL
	ended 1
	grep -qE 'no such process|container not running' "$T/err"
	oci --root "$root" kill -a box 9
	quiet
	oci --root "$root" delete --force box
	quiet
	oci features
	silent
	oci --version
	silent
}

@test "F: CRI-O" { as_engine crio; }

buildah() {
	local i
	bundle box . exit 6
	cd "$T/box" || return
	status=0
	"$BIN/coso-oci" create --bundle "$T/box" --pid-file "$T/box/pid" buildah-buildah123 >"$T/box.out" 2>"$T/err" </dev/null || status=$?
	[ $status = 0 ]
	oci start buildah-buildah123
	quiet
	for i in {1..100}; do
		[ "$(state buildah-buildah123 status)" != stopped ] || break
		sleep 0.1
	done
	is_state buildah-buildah123 stopped
	reaped "$(<"$T/box/pid")" 'exit 6'
	oci delete buildah-buildah123
	quiet
}

@test "G: buildah" { as_engine clean buildah; }

buildkit() {
	local pid code i
	bundle box . hold 0 4
	"$BIN/coso-oci" --log "$T/log" --log-format json run --bundle "$T/box" box >"$T/box.out" 2>"$T/err" </dev/null &
	pid=$!
	wait_for 10 is_running
	has box holding
	kill -TERM $pid
	code=0
	wait $pid || code=$?
	[ $code = 4 ]
	oci --log "$T/log" --log-format json delete box
	fails 1 'does not exist'
	oci run --keep --bundle "$T/box" box &
	pid=$!
	wait_for 10 is_running
	wait_for 10 grep -q holding "$T/out"
	"$BIN/coso-oci" kill box TERM
	wait $pid || true
	is_state box stopped
	oci delete box
	quiet
}
is_running() { "$BIN/coso-oci" state box 2>/dev/null | jq -e '.status == "running"' >/dev/null; }

@test "H: BuildKit" { in_ns clean buildkit; }

# A killed BuildKit kills the runtime; delete --force is enough afterwards.
buildkit_killed() {
	bundle box . hold 0
	"$BIN/coso-oci" run --bundle "$T/box" box >"$T/box.out" 2>"$T/err" </dev/null &
	has box holding
	kill -KILL $!
	wait $! || true
	gone box
}

@test "H: a foreground run that is killed" { in_ns clean buildkit_killed; }

# What the CLI of Docker makes of the texts; 137 with OOM.
docker_codes() {
	bundle box '.process.args = ["nope"]'
	oci create --bundle "$T/box" box
	grep -q 'executable file not found' "$T/err" # 127
	bundle box '.process.args = ["/etc/passwd"]'
	oci create --bundle "$T/box" box
	grep -q 'permission denied' "$T/err" # 126
	bundle box '.process.args = ["/tmp"]'
	oci create --bundle "$T/box" box
	grep -q 'is a directory.*permission denied' "$T/err" # 126
	bundle box '.linux.resources.memory.limit = 33554432 | .linux.cgroupsPath = "/box"' mem 134217728
	create box --pid-file "$T/pid"
	oci start box
	quiet
	reaped "$(<"$T/pid")" 'signal 9'
	grep -qhE '^oom_kill [1-9]' /sys/fs/cgroup/memory/box/memory.oom_control /sys/fs/cgroup/box/memory.events 2>/dev/null
	gone box
}

@test "I: what Docker's statuses depend on" { as_engine clean docker_codes; }
