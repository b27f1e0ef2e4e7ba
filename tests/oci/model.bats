# SPDX-License-Identifier: GPL-2.0-or-later
# model.bats - who is whose parent, what is open, which signals go where
#
# Section 8 and sequence K of the contract.

load ../helpers
load ../cli/common
load common

parent_of() { awk '/^PPid/ { print $2 }' "/proc/$1/status"; }

orphans() {
	local pid
	bundle box . hold 0 3
	create box --pid-file "$T/pid"
	quiet
	pid=$(<"$T/pid")
	[ "$(parent_of "$pid")" = "$PPID" ]
	[ "$(pgrep -P "$PPID" | grep -vx $$)" = "$pid" ] # no helper is left
	oci start box
	quiet
	[ "$(parent_of "$pid")" = "$PPID" ]
	[ "$(pgrep -P "$PPID" | grep -vx $$)" = "$pid" ]
	has box holding
	kill -TERM "$pid"
	reaped "$pid" 'exit 3'
	gone box
	bundle box . hold 0 4
	oci run --detach --bundle "$T/box" --pid-file "$T/pid" box
	ended 0
	pid=$(<"$T/pid")
	[ "$(parent_of "$pid")" = "$PPID" ]
	wait_for 5 grep -q holding "$T/out"
	kill -TERM "$pid"
	reaped "$pid" 'exit 4'
	gone box
}

@test "8.1: what create, start and run --detach leave is the caller's subreaper's child, and nothing else is left" { as_engine clean orphans; }

# The shim dies with SIGKILL set on the runtime: the container must not.
no_death_signal() {
	bundle box . signals
	create box --pid-file "$T/pid"
	quiet
	grep -q . "/proc/$(<"$T/pid")/status"
	oci start box
	wait_for 5 grep -q pdeathsig "$T/box.out"
	cp "$T/box.out" "$T/out"
	is pdeathsig 0
	gone box
	bundle box . hold 0
	"$BIN/coso-oci" run --bundle "$T/box" box >"$T/box.out" 2>&1 </dev/null &
	has box holding
	kill -KILL $! # of the foreground runtime alone
	wait $! || true
	is_state box running
	gone box
}

@test "8.1: a runtime that is killed leaves the container running, and delete --force ends it" { in_ns clean no_death_signal; }

# Whoever reads from the pipes of a command waits for their end.
pipes() {
	local command
	bundle box '.hooks.poststart = [{ path: "/bin/sh", args: ["sh", "-c", "sleep 100 & echo $! >\(env.T)/daemon"] }] | .process.terminal = true' hold 0
	"$BIN/receiver" console "$T/socket" >"$T/console" </dev/null &
	waits_for "$T/socket"
	for command in "create --bundle $T/box --console-socket $T/socket box" 'start box' 'state box' 'ps --format json box' 'kill box USR2' \
		'exec --detach --process '"$T"'/process --console-socket '"$T"'/exec box' 'pause box' 'resume box' 'delete --force box'; do
		case $command in
		exec*)
			jq '.process' "$T/box/config.json" >"$T/process"
			"$BIN/receiver" console "$T/exec" >"$T/console2" </dev/null &
			waits_for "$T/exec"
			;;
		esac
		# shellcheck disable=SC2086 # words are meant
		timeout 10 cat < <("$BIN/coso-oci" $command 2>&1 </dev/null) >"$T/piped" ||
			{ echo "still open after: $command" >&2; return 1; }
	done
	kill "$(<"$T/daemon")"
}

@test "8.2: nothing holds the pipes of a command open: neither a container with a terminal, nor a hook's daemon" { in_ns pipes; }

hygiene() {
	local i fd
	for ((i = 0; i < 40; i++)); do
		exec {fd}<"$T"
	done
	exec 200</ 201<>"$T/file" 202</proc/self/ns/mnt
	trap '' PIPE USR2 HUP
	umask 077
	echo 123 >/proc/self/oom_score_adj
	bundle box '.hooks.createRuntime = [{ path: "'"$BIN"'/probe", args: ["probe", "fds"] }] | .hooks.startContainer = [{ path: "/bin/probe",
		args: ["probe", "record", "/tmp/fds"] }] ' fds signals process
	status=0
	env --block-signal=TERM,USR1 --ignore-signal=ALRM "$BIN/coso-oci" create --bundle "$T/box" box >"$T/box.out" 2>"$T/box.err" </dev/null || status=$?
	[ $status = 0 ] && [ ! -s "$T/box.err" ]
	ls "/proc/$(state box pid)/fd" >"$T/waiting" # the streams, and the socket on which it waits
	[ "$(wc -l <"$T/waiting")" -le 4 ]
	"$BIN/coso-oci" start box
	wait_for 5 grep -q '^cgroup=' "$T/box.out"
	cp "$T/box.out" "$T/out"
	[ "$(grep -c '^fd\.' "$T/out")" = 3 ]
	is SigBlk 0000000000000000
	is SigIgn 0000000000000000
	is SigPnd 0000000000000000
	is umask 0022
	is oom_score_adj 123
	is cpus "$(nproc)"
	is pid 1
	is sid 1
	is pgid 1
	gone box
	[ "$(stat -c %a "$T/box/rootfs/tmp/fds" 2>/dev/null || stat -c %a "$T/box/rootfs/tmp")" != 0 ]
	up box . hold 0
	env --block-signal=TERM,USR1 --ignore-signal=ALRM "$BIN/coso-oci" exec box /bin/probe fds signals process >"$T/out"
	[ "$(grep -c '^fd\.' "$T/out")" = 3 ]
	is SigBlk 0000000000000000
	is SigIgn 0000000000000000
	is oom_score_adj 123
	is umask 0022
	gone box
}

@test "K, 8.3 8.4 GE-15: forty descriptors, ignored and blocked signals, a umask: the container gets none of them" { in_ns clean hygiene; }

# Nor does a hook.
hooks_descriptors() {
	exec 100</ 101<"$T"
	bundle box '("'"$T"'/hook" as $h | .hooks = { prestart: [{ path: $h }], createRuntime: [{ path: $h }], createContainer: [{ path: $h }],
		poststart: [{ path: $h }], poststop: [{ path: $h }] })' ids
	printf '#!/bin/sh\ncat >/dev/null\nls /proc/self/fd | tr "\\n" " " >>%s/fds; grep -E "Sig(Blk|Ign)" /proc/self/status >>%s/signals; echo >>%s/fds\n' "$T" "$T" "$T" >"$T/hook"
	chmod 755 "$T/hook"
	env --ignore-signal=PIPE "$BIN/coso-oci" run --bundle "$T/box" box >/dev/null
	[ "$(wc -l <"$T/fds")" = 5 ]
	lacks '[0-9]{2}' "$T/fds"
	[ "$(grep -c '0000000000000000$' "$T/signals")" = 10 ]
}

@test "8.3: hooks have their streams, no other descriptor, and no ignored signal" { in_ns clean hooks_descriptors; }

forwarded() {
	local name number pid
	for name in TERM:15 USR1:10 HUP:1 INT:2 USR2:12 ALRM:14 QUIT:3 CONT:18 TSTP:20 PWR:30 RTMIN+1:35; do
		number=${name#*:}
		bundle box . catch "$number" 9
		rm -f "$T/box.out"
		"$BIN/coso-oci" run --bundle "$T/box" box >"$T/box.out" 2>"$T/err" </dev/null &
		pid=$!
		has box ready
		kill "-$number" "$pid"
		wait_for 5 grep -qx "caught=$number" "$T/box.out" || { echo "not forwarded: $name" >&2; "$BIN/coso-oci" delete --force box; return 1; }
		wait $pid
	done
	# A first process that doesn't ask for TERM doesn't get it; it isn't made a KILL.
	bundle box . sleep 100
	rm "$T/box.out"
	"$BIN/coso-oci" run --bundle "$T/box" box >"$T/box.out" 2>"$T/err" </dev/null &
	pid=$!
	has box sleeping
	kill -TERM $pid
	is_state box running
	oci kill box KILL
	number=0
	wait $pid || number=$?
	[ $number = 137 ]
	up box . hold 0
	rm "$T/box.out"
	"$BIN/coso-oci" exec box /bin/probe catch 15 10 >"$T/box.out" </dev/null &
	pid=$!
	has box ready
	kill -USR1 $pid
	has box caught=10
	wait $pid
	gone box
}

@test "8.5: a foreground run and exec pass every signal on" { in_ns clean forwarded; }

# An interrupted create cleans up, whatever it is doing.
interrupted() {
	local signal
	bundle box '.hooks.createRuntime = [{ path: "/bin/sh", args: ["sh", "-c", "echo $$ >\(env.T)/hook; exec sleep 50"] }]' ids
	for signal in TERM INT; do
		env --default-signal=INT "$BIN/coso-oci" create --bundle "$T/box" --pid-file "$T/pid" box >"$T/out" 2>"$T/err" </dev/null &
		wait_for 5 test -s "$T/hook"
		is_state box creating
		kill -$signal $!
		status=0
		wait $! || status=$?
		[ $status != 0 ]
		[ ! -e /run/coso-oci/box ]
		[ ! -e "$T/pid" ]
		wait_for 5 test ! -d "/proc/$(<"$T/hook")"
		rm "$T/hook"
	done
}

@test "8.5: TERM and INT during create undo it" { in_ns clean interrupted; }

# What a command runs as must be protected from what it starts: class of CVE-2019-5736.
own_binary() {
	cp "$BIN/coso" "$T/coso-oci"
	bundle box '.process.args = ["/proc/self/exe"]'
	"$T/coso-oci" run --bundle "$T/box" box >"$T/out" 2>&1 </dev/null || true
	bundle box . hold 0
	"$T/coso-oci" create --bundle "$T/box" box >"$T/box.out" 2>&1 </dev/null
	local pid
	pid=$("$T/coso-oci" state box | jq .pid)
	status=0
	sh -c 'echo x >>"/proc/$1/exe"' sh "$pid" 2>"$T/err" || status=$? # even root of the host can't, by that path
	[ $status != 0 ]
	cmp "$T/coso-oci" "$BIN/coso"
	"$T/coso-oci" exec box /bin/probe read "/proc/1/environ" >"$T/out" || true
	is error '/proc/1/environ: EACCES'
	"$T/coso-oci" exec box /bin/probe read "/proc/1/maps" >"$T/out" || true
	is error '/proc/1/maps: EACCES'
	"$T/coso-oci" delete --force box
}

@test "8.3 PR-40: the waiting process runs from a copy that nobody can write, and nobody inside can look into it" { in_ns clean own_binary; }

# engines with nearly no environment.
bare() {
	up box . hold 0
	for command in 'state box' 'ps --format json box' 'pause box' 'resume box' 'kill box USR2' 'exec box /bin/probe ids' 'kill box KILL' 'delete --force box'; do
		# shellcheck disable=SC2086 # words are meant
		env -i XDG_RUNTIME_DIR= "$BIN/coso-oci" $command >"$T/out" 2>"$T/err" </dev/null
	done
	bundle box . env
	env -i "$BIN/coso-oci" run --bundle "$T/box" box >"$T/out"
	said env.HOME=/root
	(cd / && exec 0<&- 1>&- 2>&- && exec "$BIN/coso-oci" run --bundle "$T/box" box)
}

@test "2.4: no command needs an environment, or streams" { in_ns clean bare; }
