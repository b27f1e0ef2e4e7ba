#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# mounts.bats - mounts, devices and layers of the host that a container is given, and what it can't do with them

load ../helpers
load common

run_in() { container "$ROOTFS" "$@"; }

# A folder of the host in a peer group of its own, as / is where systemd runs.
shared_folder() {
	mkdir -p "$T/v"
	mount -t tmpfs v "$T/v"
	mount --make-rshared "$T/v"
	mkdir "$T/v/cache" "$T/v/below" "$T/v/etc"
	mount -t tmpfs below "$T/v/below"
	grep "$T/v" /proc/self/mountinfo >"$T/before"
}

host_mounts_unchanged() { diff "$T/before" <(grep "$T/v" /proc/self/mountinfo); }

propagation() {
	shared_folder
	run_in --volume "$T/v:/v" --tmpfs /v/cache --volume /etc:/v/etc:ro true
	ended 0
	host_mounts_unchanged
	run_in --cap-add SYS_ADMIN --volume "$T/v:/v" sh -c 'mount -t tmpfs evil /v/cache && umount /v/below'
	ended 0
	host_mounts_unchanged
	run_in --userns host --cap-add SYS_ADMIN --volume "$T/v:/v" sh -c 'mount -t tmpfs evil /v/cache && umount /v/below'
	ended 0
	host_mounts_unchanged
}

@test "mounts in a volume stay in the container, and the host's stay, where the host shares its mounts" { in_ns propagation; }

readonly_below() {
	shared_folder
	run_in --volume "$T/v:/v:ro" touch /v/below/new
	ended 1
	grep -q 'Read-only' "$T/err"
	[ ! -e "$T/v/below/new" ]
}

@test "a read-only volume is read-only all the way down" { in_ns readonly_below; }

kernel_files() {
	run_in --userns host --mount type=proc,dst=/p --mount type=sysfs,dst=/s sh -c \
		'cat /p/sys/vm/swappiness >/tmp/was; echo 61 >/p/sys/vm/swappiness || cat /tmp/was; grep -c . /p/timer_list; grep " /s " /proc/mounts'
	grep -q "can't create /p/sys/vm/swappiness" "$T/err"
	grep -qx 0 "$T/out"
	grep -q ' /s sysfs ro,nosuid,nodev,noexec' "$T/out"
}

@test "another mount of proc or sysfs is masked and protected like the first" { in_ns kernel_files; }

host_nodes() {
	run_in --userns 0:0:65536 sh -c 'chmod 600 /dev/full && stat -c %a /dev/full'
	ended 0
	[ "$(<"$T/out")" = 600 ]
	[ "$(stat -c %a /dev/full)" = 666 ]
}

@test "device nodes are the container's own, also where root of the host is mapped" { in_ns host_nodes; }

kept_open() {
	mkdir -m 755 "$T/kept"
	run_in --keep "$T/kept" true
	refused "others may enter '$T/kept'"
	chmod 700 "$T/kept"
	run_in --keep "$T/kept" true
	ended 0
}

@test "store-perms: a kept layer that others may enter is refused" { in_ns kept_open; }

kept_both_ways() {
	run_in --keep "$T/kept" --userns host sh -c 'rm -r /var && mkdir /var'
	ended 0
	run_in --keep "$T/kept" sh -c 'ls -d /var && ls /var | wc -l'
	ended 0
	grep -qx 0 "$T/out"
}

@test "what was deleted stays so when a kept layer goes from one user namespace mode to the other" { in_ns kept_both_ways; }

joined() {
	timeout 20 "$BIN/coso" --rootfs "$ROOTFS" --network none --name first --detach sleep 30 >"$T/out"
	ip link add outer0 type bridge
	timeout 20 "$BIN/coso" --rootfs "$ROOTFS" --network container:first ls /sys/class/net >"$T/out"
	"$BIN/coso" rm --force first
	[ "$(<"$T/out")" = lo ]
}

@test "container:ID shows that container's network in /sys, not the host's" { in_ns joined; }

set_user_id() {
	cp "$BIN/coso" "$T/coso"
	chmod 4755 "$T/coso"
	chmod 755 "$T"
	COSO=$T/coso
	status=0
	setpriv --reuid 65534 --regid 65534 --clear-groups "$COSO" --version >"$T/out" 2>"$T/err" || status=$?
	refused 'coso is set-user-id'
}

@test "a set-user-id coso refuses to run" { in_ns set_user_id; }

environment() {
	COSO_WITHOUT_USERNS=1 COSO_INSTALLED_IN=$T run_in readlink /proc/self/ns/user
	ended 0
	[ "$(<"$T/out")" != "$(readlink /proc/self/ns/user)" ]
}

@test "variables that coso sets for itself do nothing when somebody else sets them" { in_ns environment; }

child_signal_ignored() {
	printf '#!/bin/sh\nexit 3\n' >"$T/plugin"
	chmod +x "$T/plugin"
	status=0
	python3 -c 'import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])' \
		"$BIN/coso" --rootfs "$ROOTFS" --network "$T/plugin" echo started >"$T/out" 2>"$T/err" || status=$?
	refused 'failed with status 3'
	[ ! -s "$T/out" ]
	status=0
	python3 -c 'import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])' \
		"$BIN/coso" --rootfs "$ROOTFS" --network none sh -c 'exit 7' || status=$?
	ended 7
}

@test "a caller that ignores SIGCHLD doesn't hide how anything ended" { in_ns child_signal_ignored; }
