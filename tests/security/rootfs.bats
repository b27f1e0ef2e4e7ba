# SPDX-License-Identifier: GPL-2.0-or-later
# rootfs.bats - images whose names lead elsewhere: links where COSO mounts, makes, writes or enters

load ../helpers
load common

# Whatever comes of it: the host and the lower layer are as they were, and what runs is inside its own root.
# (Each step by itself: where a function's result is asked for, "set -e" is off in it.)
survives() {
	tree_of "$ROOT" >"$T/root.before"
	container "$ROOT" "$@" /bin/probe mounts || return 1
	[ $status = 0 ] || [ $status = 125 ] || { echo "status $status: $(<"$T/err")" >&2; return 1; }
	if awk '{ print $4 }' "$T/out" | grep -F -e "$CANARY" -e "$ROOT"; then
		echo "the container has a mount of the host's" >&2
		return 1
	fi
	if [ $status = 0 ] && ! grep -q ' - devpts ' "$T/out"; then
		echo "something was mounted elsewhere: $(<"$T/out")" >&2
		return 1
	fi
	canary_lives || return 1
	diff "$T/root.before" <(tree_of "$ROOT") >&2 || { echo "the root file system was written to" >&2; return 1; }
}

matrix() {
	local path kind
	make_canary
	for path in "$@"; do
		for kind in absolute file relative dangling looping magic root pipe folder; do
			fresh_root
			plant "$path" $kind
			survives || { echo "(with $path $kind)" >&2; return 1; }
			survives --userns host || { echo "(with $path $kind, without a user namespace)" >&2; return 1; }
		done
	done
}

@test "mount-target-symlink: /proc" { in_ns matrix /proc; }
@test "mount-target-symlink: /sys" { in_ns matrix /sys; }
@test "mount-target-symlink: /dev" { in_ns matrix /dev; }
@test "mount-target-symlink: /dev/pts" { in_ns matrix /dev/pts; }
@test "runtime-writes-into-rootfs: /etc/resolv.conf" { in_ns matrix /etc/resolv.conf; }
@test "runtime-writes-into-rootfs: /etc/hosts and /etc/hostname" { in_ns matrix /etc/hosts /etc/hostname; }
@test "runtime-writes-into-rootfs: /etc itself" { in_ns matrix /etc; }

flag_targets() {
	local kind
	make_canary
	mkdir -p "$T/volume"
	for kind in absolute file relative dangling looping magic root pipe; do
		fresh_root
		plant /data $kind
		survives "$@" --tmpfs /data
		survives "$@" --tmpfs /data/below
		survives "$@" --volume "$T/volume:/data/deep"
		survives "$@" --volume "$T/volume:/data"
		survives "$@" --workdir /data
		survives "$@" --workdir /data/new/deeper
	done
	[ -z "$(ls -A "$T/volume")" ]
}

@test "auto-mounts-symlink, workdir-symlink: targets of flags below links of the image" {
	in_ns flag_targets
	rm -rf "$T/canary"
	in_ns flag_targets --userns host
}

links_work() {
	fresh_root
	mkdir -p "$ROOT/run/real" "$ROOT/usr/etc"
	rm -rf "${ROOT:?}/var"
	ln -s /run/real "$ROOT/var"
	container "$ROOT" --tmpfs /var/cache --workdir /var /bin/probe mounts
	ended 0
	grep -q ' /run/real/cache ' "$T/out"
	container "$ROOT" --workdir /var /bin/probe cwd
	is cwd /run/real
	rm -rf "${ROOT:?}/etc/resolv.conf"
	ln -s ../run/resolv.conf "$ROOT/etc/resolv.conf"
	container "$ROOT" --dns 192.0.2.53 /bin/probe read /etc/resolv.conf
	grep -q 192.0.2.53 "$T/out"
}

@test "absolute and relative links inside the root go on working" { in_ns links_work; }

proc_link() {
	local path kind
	make_canary
	for path in /proc /sys; do
		for kind in absolute relative dangling looping magic root; do
			fresh_root
			plant $path $kind
			container "$ROOT" /bin/probe caps
			refused "'?$path'?"
		done
		fresh_root
		mkdir "$ROOT/other"
		rm -rf "${ROOT:?}$path"
		ln -s other "$ROOT$path"
		container "$ROOT" /bin/probe caps
		refused "'?$path'?"
	done
	canary_lives
}

@test "proc-symlink, sys-symlink: refused" { in_ns proc_link; }

# A /dev of the caller's (a bind mount), which a hostile neighbour has filled.
hostile_dev() {
	make_canary
	fresh_root
	local name
	for name in null console ptmx pts/ptmx fd stdin; do
		rm -rf "${T:?}/dev"
		mkdir -p "$T/dev/pts" "$T/dev/shm" "$T/dev/mqueue"
		rm -rf "${T:?}/dev/$name"
		ln -s "$1" "$T/dev/$name"
		container "$ROOT" --mount "type=bind,src=$T/dev,dst=/dev" "${@:2}" /bin/probe try write_core_pattern sysrq
		[ $status = 125 ] || [ "$(value write_core_pattern)" != ok ]
		[ $status = 125 ] || [ "$(value sysrq)" != ok ]
		[ -L "$T/dev/$name" ]
		canary_lives
	done
}

@test "mask-devnull-symlink, console-create-symlink, dev-symlink-outside: a /dev full of links" {
	in_ns hostile_dev /proc/sys/kernel/core_pattern
	rm -rf "$T/canary"
	in_ns hostile_dev /proc/sysrq-trigger --userns host
}

null_elsewhere() {
	fresh_root
	rm -rf "${T:?}/dev"
	mkdir -p "$T/dev/pts" "$T/dev/shm" "$T/dev/mqueue"
	echo mine >"$T/dev/null"
	container "$ROOT" --mount "type=bind,src=$T/dev,dst=/dev" --userns host /bin/probe read /proc/kcore
	refused /dev/null
	[ "$(<"$T/dev/null")" = mine ]
}

@test "mask-devnull-symlink: a /dev/null that is none masks nothing" { in_ns null_elsewhere; }

never_written() {
	fresh_root
	tree_of "$ROOT" >"$T/root.before"
	container "$ROOT" "$@" /bin/probe write /bin/new
	ended 0
	container "$ROOT" "$@" /bin/probe write /etc/passwd x
	ended 0
	container "$ROOT" "$@" --hostname elsewhere --dns 192.0.2.1 --add-host a:192.0.2.2 --workdir /made/for/it /bin/probe cwd
	ended 0
	diff "$T/root.before" <(tree_of "$ROOT")
}

@test "the root file system is never written to" {
	in_ns never_written
	in_ns never_written --userns host
}

foreign_root() {
	fresh_root
	chown 1234 "$ROOT"
	container "$ROOT" /bin/probe caps
	refused "$ROOT"
	chown 0 "$ROOT"
	chmod 777 "$ROOT"
	container "$ROOT" /bin/probe caps
	refused "$ROOT"
	chmod 755 "$ROOT"
	mkdir -m 777 "$T/open"
	mv "$ROOT" "$T/open/root"
	container "$T/open/root" /bin/probe caps
	refused "$T/open"
	ln -s "$T/open/root" "$T/link"
	container "$T/link" /bin/probe caps
	refused "$T/open"
}

@test "a root file system that others may change is refused" { in_ns foreign_root; }

alone() {
	container "$ROOTFS" "$@" /bin/probe-that-is-not-there
	ended 127
	# shellcheck disable=SC2016 # the container's shell expands it
	container "$ROOTFS" "$@" /bin/sh -c 'for up in / /.. /../.. /../../etc/.. /proc/1/root/..; do stat -c %d:%i $up; done'
	[ "$(sort -u "$T/out" | wc -l)" = 1 ] || { cat "$T/out" >&2; return 1; }
	container "$PROBE" "$@" /bin/probe mounts
	[ "$(awk '$5 == "/"' "$T/out" | wc -l)" = 1 ]
	sed 's/.* - //' "$T/out" | sed -E '/^(overlay overlay|proc proc|tmpfs (tmpfs|shm|none|cgroup|coso)|devpts devpts) /d' |
		sed -E '/^(mqueue mqueue|sysfs sysfs|cgroup2? cgroup2?|devtmpfs [a-z]+) /d' >"$T/foreign"
	lacks . "$T/foreign"
	awk '$5 ~ "^/([.][.]|old)"' "$T/out" >"$T/old"
	lacks . "$T/old"
}

@test "oldroot: nothing of the host's is above, below or among the mounts" {
	in_ns alone
	in_ns alone --userns host
	in_ns alone --read-only
}

# An attacker exchanges a folder and a link, below which mount points are made, as fast as it can.
race() {
	local i swapper good=0 bad=0
	make_canary
	fresh_root
	mkdir -p "$T/shared/folder" "$T/empty"
	ln -s "$1" "$T/shared/link"
	"$BIN/attack" swap "$T/shared/folder" "$T/shared/link" 100 >"$T/swaps" &
	swapper=$!
	for ((i = 0; i < 100; i++)); do
		container "$ROOT" --volume "$T/shared:/shared" --volume "$T/empty:/shared/folder/made/deep" \
			--workdir /shared/folder/work "${@:2}" /bin/probe mounts
		case $status in 0) good=$((good + 1)) ;; 125) bad=$((bad + 1)) ;; *) cat "$T/err" >&2; return 1 ;; esac
		awk '{ print $4 }' "$T/out" >"$T/sources"
		lacks "$T/canary" "$T/sources"
	done
	kill $swapper
	wait $swapper || true
	((good + bad == 100))
	canary_lives
	rm -rf "$T/shared"
}

@test "mkdirall-race, mount-race: mount points below a name that changes all the time" {
	in_ns race "$T/canary/folder"
	rm -rf "$T/canary"
	in_ns race "../../../../../../../../..$T/canary/folder" --userns host
}
