# SPDX-License-Identifier: GPL-2.0-or-later
# faults.bats - whatever is killed or fails, at whatever moment, the next command leaves the host as it was
#
# tests/fault.c kills a process, or fails a system call, at an exact moment of a launch: process 0 is the launcher, 1 the child that
# becomes the container, 2 the network executable; of a detached launch, 1 is the monitor and 2 the child. Of every launch each
# STRIDE-th moment is tried, from a random first one on (SLOW=1: each).
load ../helpers

setup() {
	common_setup
	cat >"$T/release" <<-'END'
		#!/bin/sh
		echo "$1 $COSO_ID" >>"$T/calls"
		echo '{ "release": true }'
	END
	cat >"$T/hang" <<-'END'
		#!/bin/sh
		echo "$1 $COSO_ID" >>"$T/calls"
		[ "$1" = -release ] || sleep 300
	END
	sed -i "s#\$T#$T#" "$T/release" "$T/hang"
	chmod +x "$T/release" "$T/hang"
}

# What is still there, of files, groups and processes. The first hierarchy is enough for the last: its processes are all of the test's.
print_left() {
	local name pid group
	for name in /run/coso/* /run/coso/.new* /run/coso/.owners/* /var/lib/coso/containers/* /var/lib/coso/cache/.[!.]*; do
		[ ! -e "$name" ] && [ ! -L "$name" ] || echo "left: $name"
	done
	awk '$3 ~ /^cgroup/ { print $2 }' /proc/mounts | while read -r group; do
		[ ! -d "$group/coso" ] || find "$group/coso" -type d
	done
	group=$(awk '$3 ~ /^cgroup/ { print $2; exit }' /proc/mounts)
	for pid in $(cat "$group/cgroup.procs" "$group"/shell/cgroup.procs "$group"/coso/*/cgroup.procs 2>/dev/null); do
		name=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || true
		case $name in
		"$BIN"/coso* | /bin/probe* | "$T"/hang* | "$T"/release* | "/bin/sh $T/"* | sleep*) echo "runs: $pid $name" ;;
		esac
	done
}

nothing_left() { [ -z "$(print_left)" ]; }

# The next command, whatever it is; then the host is as it was, as soon as the kernel has taken the dead apart.
mended() {
	timeout 20 "$BIN/coso" "$@" >"$T/next" 2>&1 || { echo "the next command: $?"; cat "$T/next"; return 1; }
	nothing_left || wait_for 3 nothing_left || { print_left; cat "$T/next"; return 1; }
}

# The folders that stay are made by the first launch.
afterwards_unchanged() {
	"$BIN/coso" --network none --rootfs "$PROBE" /bin/probe exit 0
	unchanged "$@"
}

launch_again() { mended --network none --rootfs "$PROBE" /bin/probe host; }

# calls PROCESS ARG...: how many system calls it makes in an undisturbed launch, and which of them is its last execve
calls() {
	"$BIN/fault" "$BIN/coso" "${@:2}" 2>&1 >/dev/null </dev/null | awk -v process="$1" '$1 == "calls" && $2 == process { print $3, $4 }'
}

# each_moment PROCESS ARG...: calls "fault N" for numbers up to the last call of an undisturbed launch
each_moment() {
	local stride=${STRIDE:-23} last n
	[ "${SLOW:-0}" = 0 ] || stride=1
	read -r last exec < <(calls "$@")
	[ "$last" -gt 50 ]
	for ((n = 1 + RANDOM % stride; n <= last; n += stride)); do
		strike "$n" "$@"
	done
}

run_with_fault() { timeout -k 5 30 "$BIN/fault" "$@" >"$T/out" 2>&1 </dev/null; }

kill_at() { # N PROCESS ARG...
	local status=0
	run_with_fault -p "$2" -n "$1" -s 9 "$BIN/coso" "${@:3}" || status=$?
	mended ps || { echo "after process $2 was killed at its call $1 (status $status)"; cat "$T/out"; return 1; }
	[ "$(wc -l <"$T/next")" = 1 ] || { echo "ps after call $1 of process $2:"; cat "$T/next"; return 1; }
}

sweep_kill() {
	strike() { kill_at "$@"; }
	each_moment "$@"
}

@test "the launcher is killed at each of its system calls" {
	in_ns afterwards_unchanged sweep_kill 0 --network none --rootfs "$PROBE" /bin/probe host
}

@test "the child is killed at each of its system calls" {
	in_ns afterwards_unchanged sweep_kill 1 --network none --rootfs "$PROBE" /bin/probe host
}

@test "the launcher is killed at each of its system calls, with a network executable that is owed -release" {
	in_ns afterwards_unchanged sweep_kill 0 --network "$T/release" --rootfs "$PROBE" /bin/probe host
	# Whoever was called for a container is called to release it; again, if the launcher was killed before it could note that.
	awk '{ count[$2 " " $1]++; ids[$2] } END { for (id in ids) if (!count[id " -release"]) { print id; bad = 1 } exit bad }' "$T/calls"
	[ "$(grep -c release "$T/calls")" -gt 3 ]
}

@test "the monitor of a detached launch is killed at each of its system calls before the container runs" {
	sweep_monitor() {
		local n last stride=${STRIDE:-11}
		[ "${SLOW:-0}" = 0 ] || stride=1
		read -r last _ < <(calls 1 --detach --rm --network none --rootfs "$PROBE" /bin/probe exit 0)
		for ((n = 1 + RANDOM % stride; n <= last; n += stride)); do
			local status=0
			run_with_fault -p 1 -n "$n" -s 9 "$BIN/coso" --detach --rm --network none --rootfs "$PROBE" /bin/probe sleep 100 || status=$?
			if [ "$status" = 0 ]; then # it was told that it runs: so it does, until it is removed
				"$BIN/coso" ps >"$T/next"
				grep -q "running.*sleep 100" "$T/next" || { echo "call $n"; cat "$T/next"; return 1; }
				"$BIN/coso" rm --force "$(tail -n 1 "$T/out")"
			fi
			mended ps || { echo "call $n, status $status"; cat "$T/out"; return 1; }
		done
	}
	in_ns afterwards_unchanged sweep_monitor
}

@test "the launcher, the child and the network executable are each killed at the start of each stage" {
	at_stages() {
		local stage process stages status
		"$BIN/coso" --trace "$T/trace" --network "$T/release" --rootfs "$PROBE" --hostname h /bin/probe host
		stages=$(sed -n 's/^{"name":"\([a-z]*\)".*"ph":"B".*"pid":\([0-9]*\),.*/\1 \2/p' "$T/trace")
		[ "$(wc -l <<<"$stages")" -ge 25 ] # of both tables
		while read -r stage pid; do
			local writer=0
			[ "$pid" != 1 ] || writer=1
			for process in 0 1 2; do
				status=0
				run_with_fault -p "$writer" -w "\"name\":\"$stage\",\"cat\":\"launch\",\"ph\":\"B\"" -s 9 -t "$process" \
					"$BIN/coso" --trace "$T/trace" --network "$T/release" --rootfs "$PROBE" /bin/probe host || status=$?
				launch_again || { echo "process $process killed at stage $stage of $writer (status $status)"; cat "$T/out"; return 1; }
				[ $process != 0 ] || [ $status = 137 ] || { echo "stage $stage: the launcher wasn't killed"; return 1; }
			done
		done <<<"$stages"
	}
	in_ns afterwards_unchanged at_stages
}

@test "everything is killed at random times" {
	at_random() {
		local i pid victim
		for i in {1..10}; do
			"$BIN/coso" --network "$T/release" --rootfs "$PROBE" /bin/probe sleep 100 >"$T/out" 2>&1 </dev/null &
			pid=$!
			sleep "0.0$((RANDOM % 60 + 10))"
			victim=$pid
			((i % 2)) || victim=$(pgrep -P "$pid" | head -n 1) || victim=$pid
			kill -KILL "$victim" || true
			[ "$victim" = "$pid" ] || kill -KILL "$pid" || true
			wait "$pid" || true
			mended ps || { echo "round $i"; return 1; }
		done
	}
	in_ns afterwards_unchanged at_random
}

fail_at() { # N PROCESS ARG...
	local status name lines
	for name in 28 5 12 1; do # ENOSPC EIO ENOMEM EPERM
		status=0
		run_with_fault -p "$2" -n "$1" -e "$name" "$BIN/coso" "${@:3}" || status=$?
		lines=$(grep -vc '^hostname=\|^domainname=\|^kernel=' "$T/out") || true
		if [ "$status" = 0 ] && [ "$lines" = 0 ]; then
			: # it went without
		elif [ "$status" = 125 ] && [ "$lines" = 1 ] && grep -q '^coso: .' "$T/out"; then
			: # it said so
		elif [ "$lines" = 1 ] && grep -q '^coso: warning: ' "$T/out"; then
			: # it ran, and said what is left to be mended
		else
			echo "error $name at call $1 of process $2: status $status"
			cat "$T/out"
			return 1
		fi
		mended ps || { echo "after error $name at call $1 of process $2"; cat "$T/out"; return 1; }
	done
}

# Before main the C library does what it does when memory or its own pages fail: main begins with marking descriptors.
sweep_fail() {
	local first exec
	first=$(strace -o "|grep -n -m1 close_range" "$BIN/coso" version 2>&1 | sed -n 's/^\([0-9]*\):.*/\1/p')
	strike() {
		[ "$2" = 0 ] || [ "$1" -le "$exec" ] || return 0 # then it is another program
		[ "$2" != 0 ] || [ "$1" -ge $((exec + first)) ] || return 0
		fail_at "$@"
	}
	each_moment "$@"
}

@test "each system call of the launcher fails: one line, and nothing left" {
	in_ns afterwards_unchanged sweep_fail 0 --network none --rootfs "$PROBE" /bin/probe host
}

@test "each system call of the child fails: one line, and nothing left" {
	in_ns afterwards_unchanged sweep_fail 1 --network none --rootfs "$PROBE" /bin/probe host
}
