#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# faults.bats - cosofs killed at any time, on a full disk, several at once: a root is whole or not there, and nothing piles up
load ../helpers
bats_require_minimum_version 1.5.0

setup() {
	common_setup
	need strace python3
	export ASAN_OPTIONS=detect_leaks=0 # LeakSanitizer can't work under strace
	mkdir -m 700 "$T/in"
	"$BIN/cosofs" setup --quiet --rootfs "$T/model" --builtin
	tar -C "$T/model" -czf "$T/root.tar.gz" .
	(cd "$T/model" && find . | sort) >"$T/model.list"
}

fs() { "$BIN/cosofs" "$@"; }

filling() { [ -n "$(ls -A "$T/in/.root.new" 2>/dev/null)" ]; }

is_whole() { (cd "$1" && find . | sort) | cmp - "$T/model.list" && cmp "$1/bin/busybox" "$T/model/bin/busybox"; }

# After a kill: what is there is whole; and one more run makes it so and leaves nothing else.
mends() {
	[ ! -e "$T/in/root" ] || is_whole "$T/in/root" || { echo "a half root after $1"; return 1; }
	fs setup --quiet --rootfs "$T/in/root" --tarball "$T/root.tar.gz" || { echo "no set-up after $1"; return 1; }
	is_whole "$T/in/root" || { echo "not mended after $1"; return 1; }
	[ "$(ls -A "$T/in")" = root ] || [ "$2" = skip ] || { echo "left after $1: $(ls -A "$T/in")"; return 1; }
}

killed_at() { strace -f -qq -o /dev/null -e "inject=$1:signal=SIGKILL:when=$2" "$BIN/cosofs" "${@:3}" >/dev/null 2>&1; }

@test "setup killed at many system calls leaves no half root, and the next run mends it" {
	local call when killed=0
	for call in mkdirat openat openat2 flock fchmod syncfs renameat2 unlinkat fsync write fork,clone,clone3 mmap close symlinkat exit_group; do
		for when in 1 2 3 7 40 150; do
			killed_at "$call" "$when" setup --rootfs "$T/in/root" --tarball "$T/root.tar.gz" && continue
			killed=$((killed + 1))
			# Killed after the rename, a lock file or nothing may be left; a set-up that finds a good root takes no lock.
			mends "$call $when" "$([ -e "$T/in/root" ] && echo skip || echo all)"
			rm -rf "$T/in"
			mkdir -m 700 "$T/in"
		done
		rm -rf "$T/in"
		mkdir -m 700 "$T/in"
	done
	[ "$killed" -gt 40 ]
}

@test "setup --force killed at many system calls has the old root or the new" {
	local when
	mkdir "$T/old"
	fs setup --quiet --rootfs "$T/old/root" --builtin
	echo old >"$T/old/root/etc/old"
	for call in renameat2 unlinkat syncfs openat2 close; do
		for when in 1 2 5 9 60 200; do
			rm -rf "$T/in"
			mkdir -m 700 "$T/in"
			cp -a "$T/old/root" "$T/in/root"
			killed_at "$call" "$when" setup --force --rootfs "$T/in/root" --tarball "$T/root.tar.gz" && continue
			[ -x "$T/in/root/bin/sh" ]
			if [ ! -e "$T/in/root/etc/old" ]; then is_whole "$T/in/root"; fi
			fs setup --quiet --force --rootfs "$T/in/root" --tarball "$T/root.tar.gz"
			is_whole "$T/in/root"
			[ "$(ls -A "$T/in")" = root ]
		done
	done
}

@test "the process that unpacks dies with cosofs" {
	slow() {
		# Each link takes its time, as a slow disk would have it.
		strace -f -qq -o "$T/trace" -e "inject=symlinkat:delay_enter=200000" "$BIN/cosofs" setup --rootfs "$T/in/root" --tarball "$T/root.tar.gz" &
		wait_for 20 filling
		pid=$(sed -n '1s/ .*//p' "$T/trace")
		kill -KILL "$pid"
		wait_for 10 gone "$pid"
	}
	gone() { ! pgrep -f "^$BIN/cosofs setup --rootfs $T/in/root"; }
	slow
	mends "a kill" all
}

@test "Ctrl-C and a request to end leave nothing" {
	local signal pid
	for signal in INT TERM HUP; do
		strace -f -qq -o "$T/trace.$signal" -e "inject=symlinkat:delay_enter=100000" \
			"$BIN/cosofs" setup --rootfs "$T/in/root" --tarball "$T/root.tar.gz" 2>"$T/said" &
		pid=$!
		wait_for 20 filling
		kill "-$signal" "$(sed -n '1s/ .*//p' "$T/trace.$signal")"
		wait "$pid" && return 1
		[ -z "$(ls -A "$T/in")" ]
		[[ $(cat "$T/said") == *interrupted* ]]
	done
}

@test "a full disk: one line, and nothing left" {
	mkdir -m 700 "$T/small"
	full() {
		local status=0
		mount -t tmpfs -o size=500k,mode=700 none "$T/small"
		"$BIN/cosofs" "$@" 2>"$T/said" || status=$?
		echo "$status $(ls -A "$T/small")"
	}
	run in_ns full setup --rootfs "$T/small/root" --tarball "$T/root.tar.gz"
	[ "$output" = "1 " ]
	[ "$(wc -l <"$T/said")" = 1 ]
	[[ $(cat "$T/said") == *"unpack '$T/root.tar.gz': "*"(free"* ]]
	# What is free doesn't help where the disk is full by other files meanwhile.
	run in_ns full unpack --max-size 1g "$T/root.tar.gz" "$T/small/new"
	[ "$output" = "1 " ]
	[[ $(cat "$T/said") == *"No space left on device (free some space"* ]]
	run in_ns full setup --builtin --rootfs "$T/small/root"
	[ "$output" = "1 " ]
	[[ $(cat "$T/said") == *"No space left on device"* ]]
	[ "$(wc -l <"$T/said")" = 1 ]
}

@test "a disk that fills up at each write: one line, and nothing left" {
	local call when
	for call in write mkdirat symlinkat openat2 fchmod syncfs fsync renameat2; do
		for when in 1 2 5 30; do
			run --separate-stderr strace -f -qq -o /dev/null -e "inject=$call:error=ENOSPC:when=$when" \
				"$BIN/cosofs" setup --rootfs "$T/in/root" --tarball "$T/root.tar.gz"
			if [ "$status" -eq 0 ]; then
				is_whole "$T/in/root"
			elif [ -e "$T/in/root" ]; then
				is_whole "$T/in/root" # only the last sync failed
			else
				[ -z "$(ls -A "$T/in")" ] || { echo "$call $when: $(ls -A "$T/in")"; return 1; }
			fi
			rm -rf "$T/in/root"
		done
	done
}

@test "several set-ups at once: one does it, the others find it" {
	local i pids=()
	for i in {1..8}; do
		fs setup --rootfs "$T/in/root" --tarball "$T/root.tar.gz" >"$T/said.$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	[ "$(cat "$T"/said.* | grep -c ', ready$')" = 1 ]
	[ "$(cat "$T"/said.* | grep -c 'was there already')" = 7 ]
	is_whole "$T/in/root"
	[ "$(ls -A "$T/in")" = root ]
}

@test "several at once with --force, and to different folders" {
	local i pids=()
	for i in {1..4}; do
		fs setup --quiet --force --rootfs "$T/in/root" --tarball "$T/root.tar.gz" &
		pids+=($!)
		fs setup --quiet --rootfs "$T/in/root$i" --tarball "$T/root.tar.gz" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	for i in "$T"/in/*; do is_whole "$i"; done
	[ "$(ls -A "$T/in" | tr '\n' ' ')" = "root root1 root2 root3 root4 " ]
}

@test "what an interrupted run left goes, but not what another is working on" {
	mkdir -p "$T/in/.root.new/usr/bin"
	touch "$T/in/.root.new/usr/bin/x" "$T/in/.root.lock"
	fs setup --quiet --rootfs "$T/in/root" --tarball "$T/root.tar.gz"
	[ "$(ls -A "$T/in")" = root ]
	rm -r "$T/in/root"
	mkdir "$T/in/.root.new"
	touch "$T/in/.root.new/being-made"
	exec 7>"$T/in/.root.lock"
	flock 7
	run timeout 1 "$BIN/cosofs" setup --quiet --rootfs "$T/in/root" --tarball "$T/root.tar.gz" 7>&-
	[ "$status" -ne 0 ]
	[ -e "$T/in/.root.new/being-made" ]
	[ ! -e "$T/in/root" ]
	exec 7>&-
	fs setup --quiet --rootfs "$T/in/root" --tarball "$T/root.tar.gz"
	[ "$(ls -A "$T/in")" = root ]
}
