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
	cat "$group/cgroup.procs" "$group"/shell/cgroup.procs "$group"/coso/*/cgroup.procs 2>/dev/null | while read -r pid; do
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

# calls PROCESS ARG...: how many system calls it makes in an undisturbed launch, and which of them is its last execve. On a busy machine
# there may be one more that waits: the least of three launches counts.
calls() {
	local i
	for i in 1 2 3; do "$BIN/fault" "$BIN/coso" "${@:2}" 2>&1 >/dev/null </dev/null; done |
		awk -v process="$1" '$1 == "calls" && $2 == process { print $3, $4 }' | sort -n | head -n 1
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
		elif [ "$status" = 126 ] && [ "$1" = "$exec" ] && [ "$2" != 0 ] && grep -q '^coso: exec: "' "$T/out"; then
			: # the program's own execve
		elif sanitized && grep -Eq 'AddressSanitizer( failed to|: CHECK failed|: allocator is out of memory)' "$T/out"; then
			: # the sanitizer got no memory of its own, and ended it: as if it had been killed
		elif sanitized && [ "$2" != 0 ] && grep -q '^cannot set %fs base address' "$T/out"; then
			: # its own calls vary from run to run: this one was the program's
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

@test "no descriptor is free at any of the launcher's opens: nothing left" {
	no_descriptor() {
		local n openat=56 # <asm-generic/unistd.h>
		[ "$(uname -m)" != x86_64 ] || openat=257
		for n in {1..48}; do
			run_with_fault -p 0 -c $openat -n "$n" -e 24 "$BIN/coso" --network none --rootfs "$PROBE" /bin/probe host || true # EMFILE
			mended ps || { echo "open $n"; cat "$T/out"; return 1; }
		done
	}
	in_ns afterwards_unchanged no_descriptor
}

# A disk of its own that is full but for KIB kibibytes
small_disk() { # FOLDER KIB
	mount -t tmpfs -o "size=$2k" none "$1"
}

full_disks() {
	local size status folder
	for folder in /run /var/lib; do
		for size in 4 8 12 16 20 28 40 64; do
			small_disk "$folder" $size
			status=0
			"$BIN/coso" --network none --rootfs "$PROBE" /bin/probe host >"$T/out" 2>"$T/err" </dev/null || status=$?
			[ $status = 0 ] || [ $status = 125 ]
			[ $status = 0 ] || { [ "$(wc -l <"$T/err")" = 1 ] && grep -q '^coso: .*No space left' "$T/err"; } ||
				{ echo "$folder of $size KiB: status $status"; cat "$T/err"; return 1; }
			wait_for 3 nothing_left || { echo "$folder of $size KiB"; print_left; return 1; }
			umount "$folder"
		done
	done
	# While it runs: the last state can't be written, and the command after next still knows what to do.
	small_disk /run 64
	"$BIN/coso" --detach --name full --network none --rootfs "$PROBE" /bin/probe sleep 100
	dd if=/dev/zero of=/run/filler bs=1k count=64 2>/dev/null || true
	"$BIN/coso" kill full
	ended() { "$BIN/coso" ps | grep -q 'full .*exited' || ! "$BIN/coso" ps | grep -q running; }
	wait_for 5 ended
	rm /run/filler
	"$BIN/coso" ps >"$T/next"
	grep -q 'full .*exited' "$T/next"
	mended rm full
	umount /run
}

@test "the disk is full, at /run or at /var/lib, before and while a container runs" { in_ns full_disks; }

state_of() { "$BIN/coso" ps | awk -v id="$1" '$1 == id { print $3, $4 }'; }
is_state() { [[ $(state_of "$1") == "$2"* ]]; }
monitor_of() { ps -o ppid= -p "$(pid_of "$1")" | tr -d ' '; }
pid_of() { "$BIN/coso" ps | awk -v id="$1" '$1 == id { print $2 }'; }

detached_deaths() {
	local monitor n
	# The monitor dies: the container lives, and how it ended nobody knows.
	"$BIN/coso" --detach --name orphan --network none --rootfs "$PROBE" /bin/probe sleep 100
	kill -KILL "$(monitor_of orphan)"
	wait_for 3 is_state orphan running
	launch_again_beside
	is_state orphan running
	"$BIN/coso" kill orphan
	wait_for 5 is_state orphan 'exited (unknown)'
	mended rm orphan
	# With --rm nothing is left of it, once the next command has run.
	"$BIN/coso" --detach --rm --name orphan --network "$T/release" --rootfs "$PROBE" /bin/probe sleep 100
	kill -KILL "$(monitor_of orphan)"
	kill -KILL "$(pid_of orphan)"
	wait_for 5 mended ps
	grep -q -- '-release orphan' "$T/calls"
	# The container dies: the monitor says how.
	"$BIN/coso" --detach --name dead --network none --rootfs "$PROBE" /bin/probe sleep 100
	kill -KILL "$(pid_of dead)"
	wait_for 5 is_state dead 'exited (137)'
	mended rm dead
	# Both at once.
	"$BIN/coso" --detach --name both --network none --rootfs "$PROBE" /bin/probe sleep 100
	monitor=$(monitor_of both)
	kill -KILL "$monitor" "$(pid_of both)"
	wait_for 5 is_state both 'exited (unknown)'
	mended rm both
	# rm is killed in its middle: the next one goes on.
	for ((n = 60 + RANDOM % 17; n < 320; n += 17)); do
		"$BIN/coso" --detach --name half --network none --rootfs "$PROBE" /bin/probe exit 3
		wait_for 5 is_state half 'exited (3)'
		run_with_fault -n $n -s 9 "$BIN/coso" rm half || true
		"$BIN/coso" ps >"$T/next"
		! grep -q half "$T/next" || "$BIN/coso" rm half
		mended ps
	done
}

launch_again_beside() { "$BIN/coso" --network none --rootfs "$PROBE" /bin/probe exit 0; }

@test "monitor, container and rm are killed while a detached container exists" { in_ns afterwards_unchanged detached_deaths; }

interrupted_launches() {
	local stage stages signal
	"$BIN/coso" --trace "$T/trace" --network "$T/release" --rootfs "$PROBE" /bin/probe host
	stages=$(sed -n 's/^{"name":"\([a-z]*\)".*"ph":"B".*/\1/p' "$T/trace" | sort -u)
	for stage in $stages; do
		for signal in 2 15; do
			interrupted "$stage" $signal || interrupted "$stage" $signal || interrupted "$stage" $signal || interrupted "$stage" $signal ||
				[[ $stage =~ ^(security|exec|confirm)$ ]] || { echo "signal $signal at $stage: status 0"; return 1; }
		done
	done
}

# Before the program runs it is the launch that ends; later the container gets the signal, which pid 1 doesn't mind, and false is
# returned: the child may be there before the launcher gets to run, at the last stages always, on a busy machine now and then.
interrupted() {
	local stage=$1 signal=$2 status=0
	SECONDS=0
	run_with_fault -p "$(writer_of "$stage")" -w "\"name\":\"$stage\",\"cat\":\"launch\",\"ph\":\"B\"" -s "$signal" -t 0 \
		env --default-signal "$BIN/coso" --trace "$T/trace" --network "$T/release" --rootfs "$PROBE" /bin/probe sleep 2 || status=$?
	[ $status = 0 ] || [ $status = $((128 + signal)) ] || { echo "signal $signal at $stage: status $status"; cat "$T/out"; exit 1; }
	[ $SECONDS -lt 8 ] || exit 1
	nothing_left || wait_for 3 nothing_left || { print_left; echo "signal $signal at $stage"; exit 1; }
	[ $status != 0 ]
}

# The stage's process: 0, or 1 for those inside. "cgroup" and "go" are in both tables: the outer one is taken.
writer_of() {
	case $1 in
	begin | proc | attach | mounts | devices | etcfiles | lo | pivot | names | masks | lookup | process | security | exec) echo 1 ;;
	*) echo 0 ;;
	esac
}

@test "SIGINT and SIGTERM at the start of each stage end the launch at once, and leave nothing" {
	in_ns afterwards_unchanged interrupted_launches
}

hanging_executable() {
	local pid status=0
	# Detached: who waits for the launch is killed, or interrupted.
	for signal in KILL INT; do
		rm -f "$T/calls"
		env --default-signal "$BIN/coso" --detach --network "$T/hang" --rootfs "$PROBE" /bin/probe sleep 100 >"$T/out" 2>&1 </dev/null 3>&- &
		pid=$!
		wait_for 5 test -s "$T/calls"
		kill -$signal $pid
		wait $pid || true
		wait_for 5 nothing_left
	done
	# The launcher is killed: the next command ends what the executable left running.
	rm -f "$T/calls"
	"$BIN/coso" --network "$T/hang" --rootfs "$PROBE" /bin/probe sleep 100 >"$T/out" 2>&1 </dev/null 3>&- &
	pid=$!
	wait_for 5 test -s "$T/calls"
	kill -KILL $pid
	wait $pid || status=$?
	[ $status = 137 ]
	mended ps
	grep -q -- -release "$T/calls"
}

@test "a network executable hangs: whoever dies or is interrupted then, nothing is left" { in_ns afterwards_unchanged hanging_executable; }

many_at_once() {
	seq 100 | xargs -P 16 -I@ sh -c '"$0" --network none --rootfs "$1" /bin/probe exit 7; [ $? = 7 ] || echo "launch @ failed"' \
		"$BIN/coso" "$PROBE" >"$T/out" 2>&1 || true
	[ ! -s "$T/out" ] || { head "$T/out"; return 1; }
	nothing_left
}

@test "100 launches, 16 at a time, all succeed" { in_ns afterwards_unchanged many_at_once; }

now_us() { echo "${EPOCHREALTIME/./}"; }

median_launch() { # of 15, in µs
	local i begin
	for i in {1..15}; do
		begin=$(now_us)
		"$BIN/coso" --network none --rootfs "$PROBE" /bin/probe exit 0 </dev/null || return 1
		echo $(($(now_us) - begin))
	done >"$T/times"
	sort -n "$T/times" | sed -n 8p
}

# Beside COUNT detached containers. COSO itself looks at their claims (0.5 ms for 1,000); the kernel looks through lists that grow, one
# of every proc, sysfs, mqueue and cgroup mount there is, at each such mount. Three times as long would be more than that.
crowd() {
	local count=$1 first last tries
	seq "$count" | xargs -P 2 -I@ "$BIN/coso" --detach --name many-@ --network none --rootfs "$PROBE" /bin/probe sleep 1000 >"$T/ids" 2>&1
	[ "$(grep -c '^many-' "$T/ids")" = "$count" ]
	[ "$("$BIN/coso" ps | grep -c ' running ')" = "$count" ]
	last=$(median_launch)
	seq -f 'many-%g' "$count" | xargs "$BIN/coso" rm --force
	[ "$("$BIN/coso" ps | wc -l)" = 1 ]
	# Other work on the machine makes either slow: the best of three is compared.
	for ((tries = 0; tries < 3; tries++)); do
		first=$(median_launch)
		echo "beside $count: $last us, alone: $first us"
		! ((last <= first * 3)) || return 0
	done
	return 1
}

@test "a launch beside many detached containers takes little longer than the first; one rm ends them all" {
	local count=1000
	! sanitized || count=100 # it takes its time
	in_ns afterwards_unchanged crowd $count
}

# lo and the bridge
two_links() {
	set -- /sys/class/net/*
	[ $# = 2 ]
}

killed_network() {
	local process last n stride=${STRIDE:-61}
	[ "${SLOW:-0}" = 0 ] || stride=1
	local launch=("$BIN/coso" --network "$BIN/cosonet" --publish 8080:80 --rootfs "$PROBE" /bin/probe host)
	"${launch[@]}" # makes the bridge, which stays
	wait_for 5 two_links
	for process in 0 2; do
		read -r last _ < <(calls "$process" "${launch[@]:1}")
		[ "$last" -gt 100 ]
		wait_for 5 two_links
		for ((n = 1 + RANDOM % stride; n <= last; n += stride)); do
			kill_network() {
				run_with_fault -p "$process" -n "$n" -s 9 "${launch[@]}" || true
				mended ps
			}
			unchanged kill_network || { echo "process $process killed at its call $n"; return 1; }
		done
	done
}

@test "the launcher and cosonet are killed while a port is published: no link and no rule is left" { in_ns killed_network; }

# The name is taken: a monitor that is killed before it knows that has no say in what is there.
killed_beside_others() {
	local n last
	"$BIN/coso" --network none --rootfs "$PROBE" --detach --name web /bin/probe exit 7
	wait_for 5 grep -q '"ended": true' /run/coso/web/state.json
	read -r last _ < <("$BIN/fault" "$BIN/coso" --network none --rootfs "$PROBE" --detach --name web /bin/probe exit 0 2>&1 </dev/null |
		awk '$1 == "calls" && $2 == 1 { print $3 }')
	[ "$last" -gt 20 ]
	for ((n = 1; n <= last; n += 2)); do
		run_with_fault -p 1 -n "$n" -s 9 "$BIN/coso" --network none --rootfs "$PROBE" --detach --name web /bin/probe exit 0 || true
		"$BIN/coso" ps >"$T/ps"
		grep -q '^web .*exited (7)' "$T/ps" || { echo "call $n of $last: $(<"$T/ps")"; return 1; }
	done
	"$BIN/coso" rm web
	nothing_left
}

@test "a monitor that is killed beside another container of its name leaves that alone" { in_ns afterwards_unchanged killed_beside_others; }
