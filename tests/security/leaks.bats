# SPDX-License-Identifier: GPL-2.0-or-later
# leaks.bats - handles of the host's that must not reach a container: descriptors, folders, the binary, environment, sockets

load ../helpers
load common

junk_descriptors() {
	local i fd
	for ((i = 0; i < 100; i++)); do
		exec {fd}<"$T"
	done
	exec 200</ 201<>"$T/file" 202</proc/self/ns/mnt
	"$BIN/coso" --rootfs "$PROBE" --network none "$@" /bin/probe fds </dev/null >"$T/out" 2>"$T/err"
	[ "$(grep -c '^fd\.' "$T/out")" = 3 ] || { cat "$T/out" >&2; return 1; }
	for i in 0 1 2; do
		grep -q "^fd.$i=" "$T/out"
	done
}

@test "fd-leak-detect: a container has three descriptors, whatever its caller had open" {
	in_ns junk_descriptors
	in_ns junk_descriptors --userns host
	in_ns junk_descriptors --init
}

descriptors_of_init() {
	container "$PROBE" --init /bin/probe read /proc/1/environ
	ended 1
	is error '/proc/1/environ: EACCES'
	# Nobody in the container may look; the host may.
	"$BIN/coso" --rootfs "$PROBE" --network none --init /bin/probe sleep 30 >"$T/out" </dev/null 3<"$T" &
	local pid=$! init
	wait_for 5 grep -q sleeping "$T/out"
	init=$("$BIN/coso" ps --json | jq -er '.[].pid')
	grep -qP '^NSpid:.*\t1$' "/proc/$init/status"
	(cd "/proc/$init/fd" && printf '%s\n' *) >"$T/descriptors"
	kill -TERM "$pid"
	wait "$pid" || true
	grep -qx 0 "$T/descriptors"
	lacks '^([3-9]|[0-9]{2,})$' "$T/descriptors"
}

@test "fd-leak-detect: nor has its init" { in_ns descriptors_of_init; }

cwd_leak() {
	local n fd
	fresh_root
	for ((n = 0; n < 20; n++)); do
		exec {fd}</
	done
	for ((n = 0; n < 64; n++)); do
		container "$ROOT" "$@" --workdir "/proc/self/fd/$n" /bin/probe cwd
		[ $status = 125 ] || { echo "fd $n: $status $(value cwd)" >&2; return 1; }
	done
	for n in /proc/self/cwd /proc/self/root /proc/1/root /proc/1/cwd /proc/thread-self/root; do
		container "$ROOT" "$@" --workdir "$n" /bin/probe cwd
		[ $status = 125 ] || { echo "$n: $status $(value cwd)" >&2; return 1; }
	done
	for n in 3 5 7 9; do
		ln -sfn /proc/self/fd/$n "$ROOT/leak"
		container "$ROOT" "$@" --workdir /leak /bin/probe cwd
		[ $status = 125 ]
		container "$ROOT" "$@" --workdir /leak/../.. /bin/probe cwd
		[ $status = 125 ]
	done
}

@test "cwd-fd-leak: no working folder by way of a descriptor" {
	in_ns cwd_leak
	in_ns cwd_leak --userns host
}

# How the kernel refuses: read-only, no permission, or nothing found. "Text file busy" would mean: later.
overwrite() {
	local name
	fresh_root
	cp "$BIN/coso" "$T/coso"
	COSO=$T/coso
	sha256sum "$T/coso" >"$T/sum"
	container "$ROOT" --init "$@" /bin/attack exe /proc/1/exe
	ended 0
	for name in remount setattr write reopen truncate chmod; do
		[[ $(value $name) =~ ^(EROFS|EACCES|EPERM|ENOENT|ENXIO|EINVAL|EBADF|ELOOP)$ ]] ||
			{ echo "$name: $(value $name)" >&2; return 1; }
	done
	sha256sum -c --quiet "$T/sum"
}

@test "selfexe-overwrite: the init's binary can't be written" {
	in_ns overwrite
	in_ns overwrite --userns host
	in_ns overwrite --userns host --cap-add ALL --cap-drop SYS_RESOURCE --seccomp unconfined
	in_ns overwrite --cap-add ALL --seccomp unconfined
}

# The entry point makes the kernel run coso itself, inside, with words of the image's choice; its network program then attacks.
interpreter() {
	fresh_root
	cp "$BIN/coso" "$T/coso"
	COSO=$T/coso
	sha256sum "$T/coso" >"$T/sum"
	stat -c '%a %Y %Z %i' "$T/coso" >"$T/stat"
	printf '#!/proc/self/exe\n' >"$ROOT/entry"
	printf '#!/bin/attack exe /proc/1/exe\n' >"$ROOT/network"
	chmod 755 "$ROOT/entry" "$ROOT/network"
	container "$ROOT" "$@" /entry
	[ $status != 0 ]
	printf '#!/proc/self/exe --network=/network\n' >"$ROOT/entry"
	container "$ROOT" "$@" /entry
	[ $status != 0 ]
	lacks '^(write|reopen|chmod|truncate)=(ok|ETXTBSY)'
	lacks '^(write|reopen|chmod|truncate)=(ok|ETXTBSY)' "$T/err"
	sha256sum -c --quiet "$T/sum"
	diff "$T/stat" <(stat -c '%a %Y %Z %i' "$T/coso")
}

@test "selfexe-overwrite: an entry point that runs coso inside" {
	in_ns interpreter
	in_ns interpreter --userns host
	in_ns interpreter --userns host --cap-add SYS_ADMIN
}

environment() {
	export SECRET=of-the-caller LD_PRELOAD_X=1
	container "$PROBE" --env GIVEN=yes /bin/probe env
	ended 0
	lacks SECRET
	grep -qx 'env.GIVEN=yes' "$T/out"
	sed 's/=.*//' "$T/out" | sort | tr '\n' ' ' >"$T/names"
	[ "$(<"$T/names")" = 'env.GIVEN env.HOME env.HOSTNAME env.PATH ' ] || { cat "$T/names" >&2; return 1; }
}

@test "env: nothing of the caller's environment but what was asked for" { in_ns environment; }

no_bleed() {
	local i
	for i in {1..20}; do
		"$BIN/coso" --rootfs "$PROBE" --network none --env "ONLY_$i=$i" /bin/probe env >"$T/env.$i" </dev/null &
	done
	wait
	for i in {1..20}; do
		[ "$(grep -c '^env.ONLY_' "$T/env.$i")" = 1 ]
		grep -qx "env.ONLY_$i=$i" "$T/env.$i"
	done
}

@test "env-no-bleed: twenty at a time keep to themselves" { in_ns no_bleed; }

bad_environment() {
	container "$PROBE" --env '' /bin/probe env
	refused --env
	container "$PROBE" --env =x /bin/probe env
	refused --env
	container "$PROBE" --env 'HOME*' /bin/probe env
	ended 0
	sed -e '/^env.HOME=\/root$/d' -e /PATH/d "$T/out" >"$T/rest"
	lacks "$HOME" "$T/rest"
}

@test "image-env-noeq, image-env-star: a name is a name" { in_ns bad_environment; }

abstract_sockets() {
	"$BIN/coso" --rootfs "$PROBE" --network none /bin/probe sleep 30 >"$T/out" </dev/null &
	local pid=$!
	wait_for 5 grep -q sleeping "$T/out"
	awk '$8 ~ /^@/' /proc/net/unix >"$T/sockets"
	lacks . "$T/sockets"
	kill -TERM $pid
	wait $pid || true
}

@test "no-abstract-sockets: none of ours in the host's network namespace" { in_ns abstract_sockets; }

inherited_caller() {
	container "$PROBE" /bin/probe signals
	is SigBlk 0000000000000000
	is SigIgn 0000000000000000
	(trap '' TERM HUP INT QUIT PIPE; container "$PROBE" /bin/probe signals; is SigIgn 0000000000000000)
	(umask 077; container "$PROBE" /bin/probe process; is umask 0022)
	container "$PROBE" /bin/probe process
	is pid 1
	is ppid 0
}

@test "signals, umask and session of the caller stay outside" { in_ns inherited_caller; }

traced() {
	local name
	fresh_root
	container "$ROOT" --init "$@" /bin/attack trace 1
	ended 0
	for name in seize mem root fd environ; do
		[[ $(value $name) =~ ^(EPERM|EACCES)$ ]] || { echo "$name: $(value $name)" >&2; return 1; }
	done
}

@test "setup-nonptraceable: what coso set up and stays, its init, can't be traced or looked into" {
	in_ns traced
	in_ns traced --user 1000
	in_ns traced --userns host
	in_ns traced --cap-add SYS_PTRACE
}

@test "no-setuid: no program has rights of its own" {
	need getcap
	make -C "$TOP" -s -o all BUILD="${BIN%/bin}" DESTDIR="$T/installed" install >"$T/out" 2>&1 || { cat "$T/out" >&2; false; }
	[ "$(find "$T/installed" -type f -perm /111 | wc -l)" -ge 3 ]
	[ -z "$(find "$T/installed" "$BIN" -perm /6000)" ]
	[ -z "$(getcap -r "$T/installed" "$BIN")" ]
}
