# SPDX-License-Identifier: GPL-2.0-or-later
# races.bats - many at a time, two at one, and commands that are killed wherever they are
#
# Sequence J and section 8.6 of the contract.

load ../helpers
load ../cli/common
load common

# quick: a bundle with nothing that takes time.
quick() { bundle "$1" '.mounts |= map(select(.type == "proc")) | del(.linux.resources) | .linux.maskedPaths = [] | .linux.readonlyPaths = []' "${@:2}"; }

all_succeed() {
	local pid failed=0
	for pid; do wait "$pid" || failed=1; done
	return $failed
}

many() {
	local i failed=0
	quick box hold 0
	for i in {1..64}; do
		"$BIN/coso-oci" create --bundle "$T/box" --pid-file "$T/pid$i" "c$i" >"$T/out$i" 2>"$T/err$i" </dev/null &
		pids[i]=$!
	done
	for i in {1..64}; do
		wait "${pids[i]}" || { cat "$T/err$i" >&2; failed=1; }
	done
	[ $failed = 0 ]
	"$BIN/coso-oci" list --format json | jq -e 'length == 64 and all(.status == "created")'
	[ "$(cat "$T"/err* | wc -c)" = 0 ]
	for i in {1..64}; do
		"$BIN/coso-oci" start "c$i" &
		pids[i]=$!
	done
	all_succeed "${pids[@]}"
	for i in {1..64}; do
		"$BIN/coso-oci" delete --force "c$i" &
		pids[i]=$!
	done
	all_succeed "${pids[@]}"
	[ "$("$BIN/coso-oci" list --format json)" = '[]' ]
}

@test "J: 64 creates, starts and deletes at a time" { in_ns clean many; }

# one_succeeds WORDS: of $pids; what all others said is in $T/err1, err2, …
one_succeeds() {
	local i won=0
	for i in "${!pids[@]}"; do
		if wait "${pids[i]}"; then
			won=$((won + 1))
		else
			grep -q "$1" "$T/err$i" || { cat "$T/err$i" >&2; return 1; }
		fi
	done
	[ $won = 1 ]
}

one_wins() {
	local i
	quick box hold 0
	for i in {1..16}; do
		"$BIN/coso-oci" create --bundle "$T/box" same >"$T/out$i" 2>"$T/err$i" </dev/null &
		pids[i]=$!
	done
	one_succeeds 'container with given ID already exists'
	is_state same created
	for i in {1..16}; do
		"$BIN/coso-oci" start same 2>"$T/err$i" &
		pids[i]=$!
	done
	one_succeeds 'cannot start an already running container'
	gone same
}

@test "8.6: of creates of one id, and of starts, one wins" { in_ns clean one_wins; }

# Prints whatever answer isn't one whole JSON object, or a refusal in the known words.
watch_state() {
	while [ ! -e "$T/stop" ]; do
		if "$BIN/coso-oci" state box >"$T/state" 2>"$T/why"; then
			jq -e '.id == "box" and (.status | IN("creating", "created", "running", "stopped"))' "$T/state" >/dev/null 2>&1 || { echo bad; cat "$T/state"; }
		else
			grep -q 'does not exist' "$T/why" || cat "$T/why"
		fi
	done
}

watched() {
	local i
	quick box exit 0
	watch_state >"$T/strange" 2>&1 &
	for i in {1..25}; do
		"$BIN/coso-oci" create --bundle "$T/box" box >/dev/null </dev/null
		[ $((i % 2)) = 0 ] || "$BIN/coso-oci" start box
		"$BIN/coso-oci" delete --force box
	done
	touch "$T/stop"
	wait
	[ ! -s "$T/strange" ] || { cat "$T/strange" >&2; return 1; }
}

@test "J: state in a loop while a container comes and goes: always whole, or does not exist" { in_ns clean watched; }

# Who asks for a container's state while its folder is new holds the lock that its maker wants.
asked_early() {
	local flock=32 # <asm-generic/unistd.h>
	[ "$(uname -m)" != x86_64 ] || flock=73
	quick box exit 0
	"$BIN/fault" -c $flock -n 1 -e 11 "$BIN/coso-oci" create --bundle "$T/box" box </dev/null # EAGAIN
	is_state box created
	gone box
}

@test "J: a state between a create's first two calls" { in_ns clean asked_early; }

two_deletes() {
	local i first second pid
	quick box hold 0
	for i in {1..12}; do
		"$BIN/coso-oci" create --bundle "$T/box" box >/dev/null </dev/null
		[ $((i % 2)) = 0 ] || "$BIN/coso-oci" start box
		first=0 second=0
		"$BIN/coso-oci" delete --force box 2>"$T/err1" &
		pid=$!
		"$BIN/coso-oci" delete --force box 2>"$T/err2" || second=1
		wait $pid || first=1
		[ $first$second = 00 ] || { cat "$T/err1" "$T/err2" >&2; return 1; }
		"$BIN/coso-oci" create --bundle "$T/box" box >/dev/null </dev/null
		first=0 second=0
		"$BIN/coso-oci" delete box 2>"$T/err1" &
		pid=$!
		"$BIN/coso-oci" delete box 2>"$T/err2" || second=1
		wait $pid || first=1
		[ $((first + second)) -le 1 ]
		[ $((first + second)) = 0 ] || grep -qh 'does not exist' "$T/err1" "$T/err2" || { cat "$T/err1" "$T/err2" >&2; return 1; }
		[ ! -e /run/coso-oci/box ]
	done
}

@test "J: two deletes at a time" { in_ns clean two_deletes; }

# While another command holds the lock both wait for it. Whichever is first, a container that was started isn't deleted.
start_or_delete() {
	local i started deleted holder pid
	quick box hold 0
	for i in {1..12}; do
		"$BIN/coso-oci" create --bundle "$T/box" box >/dev/null </dev/null
		flock /run/coso-oci/box sleep 0.2 &
		holder=$!
		wait_for 5 eval '! flock -n /run/coso-oci/box true'
		started=0 deleted=0
		"$BIN/coso-oci" delete box 2>"$T/err1" &
		pid=$!
		"$BIN/coso-oci" start box 2>"$T/err2" || started=$?
		wait $pid || deleted=$?
		wait $holder
		[ $((started + deleted)) = 1 ] || { echo "start: $started $(<"$T/err2"), delete: $deleted $(<"$T/err1")" >&2; return 1; }
		[ $deleted = 0 ] || grep -q 'that is not stopped: running' "$T/err1"
		"$BIN/coso-oci" delete --force box
	done
}

@test "J: a start and a delete at a time: one of them" { in_ns clean start_or_delete; }

# Right after the end, before anybody has waited for it.
kills() {
	local i
	quick box exit 0
	for i in {1..20}; do
		"$BIN/coso-oci" create --bundle "$T/box" box >/dev/null </dev/null
		"$BIN/coso-oci" start box
		status=0
		"$BIN/coso-oci" kill box 9 2>"$T/err" || status=$?
		[ $status = 0 ] || grep -q 'container not running: no such process' "$T/err"
		"$BIN/coso-oci" delete --force box
	done
}

@test "J: kill in the moment of the end: done, or not running" { in_ns clean kills; }

# killed STEP-MS LAST-MS COMMAND...: COMMAND is killed after so many milliseconds, and delete --force leaves nothing. First runs $FIRST.
killed() {
	local at step=$1 last=$2 pid
	shift 2
	for ((at = 0; at <= last; at += step)); do
		${FIRST:-:} >/dev/null 2>&1 </dev/null
		"$@" >/dev/null 2>&1 </dev/null &
		pid=$!
		sleep "$(printf '0.%03d' $at)"
		kill -KILL $pid 2>/dev/null || true
		wait $pid 2>/dev/null || true
		"$BIN/coso-oci" state box >/dev/null 2>&1 || true
		"$BIN/coso-oci" delete --force box || { echo "delete failed after $at ms" >&2; return 1; }
		[ ! -e /run/coso-oci/box ] || { echo "state left after $at ms" >&2; return 1; }
		[ -z "$(find /sys/fs/cgroup -type d -name "box*")" ] || { echo "a group left after $at ms" >&2; return 1; }
		if pgrep -f "^$BIN/coso-oci create --bundle $T/box" >&2; then
			wait_for 3 no_creator || { echo "a process left after $at ms" >&2; return 1; }
		fi
	done
}
no_creator() { [ -z "$(pgrep -f "^$BIN/coso-oci create --bundle $T/box")" ]; }

killed_creates() {
	bundle box '.linux.cgroupsPath = "/pod/box" | .hooks.createRuntime = [{ path: "/bin/true" }]' hold 0
	killed 5 100 "$BIN/coso-oci" create --bundle "$T/box" --pid-file "$T/pid" box
	quick box hold 0
	killed 2 30 "$BIN/coso-oci" create --bundle "$T/box" --pid-file "$T/pid" box
}

@test "J: a create that is killed, every 5 ms: delete --force leaves no process, mount, group or folder" { in_ns clean killed_creates; }

# A group that is somebody's, and for that no container's, stays untouched wherever create is killed.
foreign_group() {
	local at group pid
	for group in /sys/fs/cgroup/pids /sys/fs/cgroup; do
		[ ! -e "$group/cgroup.procs" ] || break
	done
	mkdir "$group/mine"
	sleep 100 >/dev/null 2>&1 &
	pid=$!
	echo $pid >"$group/mine/cgroup.procs"
	quick box hold 0
	jq '.linux.cgroupsPath = "/mine"' "$T/box/config.json" >"$T/new"
	mv "$T/new" "$T/box/config.json"
	# Between the plan, which is noted, and the group.
	strace -f -qq -o "$T/trace" -P "$group/mine" -e trace=mkdir,mkdirat -e inject=mkdir,mkdirat:signal=KILL \
		"$BIN/coso-oci" create --bundle "$T/box" box >/dev/null 2>&1 </dev/null || true
	[ -s /run/coso-oci/box/state.json ]
	oci delete --force box
	quiet
	kill -0 $pid
	for ((at = 0; at <= 20; at += 2)); do
		"$BIN/coso-oci" create --bundle "$T/box" box >/dev/null 2>&1 </dev/null &
		sleep "$(printf '0.%03d' $at)"
		kill -KILL $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		oci delete --force box
		quiet
		kill -0 $pid
	done
	kill $pid
	wait $pid || true
	rmdir "$group/mine"
}

@test "J CG-07: a create that is killed, and a group that is somebody's" { in_ns clean foreign_group; }

killed_starts() {
	local FIRST=create_one
	bundle box '.hooks.startContainer = [{ path: "/bin/probe", args: ["probe", "exit", "0"] }]' hold 0
	killed 5 60 "$BIN/coso-oci" start box
}
create_one() { "$BIN/coso-oci" create --bundle "$T/box" box; }

killed_runs() {
	bundle box . hold 0
	killed 10 120 "$BIN/coso-oci" run --bundle "$T/box" box
}

@test "J: a start, and a run, that is killed" {
	in_ns clean killed_starts
	in_ns clean killed_runs
}

# A delete that is killed is finished by the next.
killed_deletes() {
	local at
	bundle box '.linux.cgroupsPath = "/pod/box"' hold 2
	for ((at = 0; at <= 40; at += 4)); do
		"$BIN/coso-oci" create --bundle "$T/box" box >/dev/null </dev/null
		"$BIN/coso-oci" start box
		"$BIN/coso-oci" delete --force box &
		sleep "$(printf '0.%03d' $at)"
		kill -KILL $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		"$BIN/coso-oci" delete --force box
		[ ! -e /run/coso-oci/box ]
	done
}

@test "8.6: a delete that is killed is finished by the next" { in_ns clean killed_deletes; }

# Commands that work while another changes the container.
meanwhile() {
	bundle box '.hooks.createRuntime = [{ path: "/bin/sh", args: ["sh", "-c", "until test -e \(env.T)/go; do sleep 0.02; done"] }]' hold 0
	"$BIN/coso-oci" create --bundle "$T/box" box >"$T/box.out" 2>&1 </dev/null &
	wait_for 5 is_state box creating
	[ "$(state box pid)" -gt 1 ]
	oci ps --format json box
	ended 0
	oci list --quiet
	said box
	oci start box
	ended 1
	oci exec box /bin/probe ids
	[ $status != 0 ]
	touch "$T/go"
	wait $!
	is_state box created
	gone box
}

@test "8.6: state, ps and list while a container is being created" { in_ns clean meanwhile; }
