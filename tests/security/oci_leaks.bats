# SPDX-License-Identifier: GPL-2.0-or-later
# oci_leaks.bats - handles of the host's that must not reach a container of the OCI runtime's: descriptors, folders, groups, the old root

load ../helpers
load common
load ../cli/common
load ../oci/common
load oci

# inside: the last program, if it ran at all, was in a folder of the container's.
inside() {
	[ $status != 0 ] || [[ $(value cwd) = /* ]] || { echo "cwd $(value cwd) (with $1)" >&2; return 1; }
	[ $status = 0 ] || [ -s "$T/err" ]
	lacks "$T|unreachable"
}

cwd_leak() {
	local n fd cwd
	for ((n = 0; n < 20; n++)); do
		exec {fd}<"$T"
	done
	hostile box
	hostile
	ln -s /proc/self/root "$T/box/rootfs/root-link"
	up box . hold 0
	for ((n = 0; n < 48; n++)); do
		oci exec --cwd "/proc/self/fd/$n" box /bin/probe cwd
		[ $status = 255 ] || { echo "exec, fd $n: $status $(value cwd)" >&2; return 1; }
		attempt ".process.cwd = \"/proc/self/fd/$n\"" cwd
		[ $status = 1 ] || { echo "run, fd $n: $status $(value cwd)" >&2; return 1; }
	done
	for cwd in /proc/self/cwd /proc/self/root /proc/1/cwd /proc/thread-self/root/.. /root-link /root-link/.. /proc/self/fd/9/../..; do
		oci exec --cwd "$cwd" box /bin/probe cwd
		inside "exec, $cwd"
		attempt ".process.cwd = \"$cwd\"" cwd
		inside "run, $cwd"
	done
	for n in 3 5 7 9 11; do
		ln -sfn /proc/self/fd/$n "$ROOT/leak"
		ln -sfn /proc/self/fd/$n "$T/box/rootfs/leak"
		for cwd in /leak /leak/../.. /leak/new; do
			oci exec --cwd $cwd box /bin/probe cwd
			[ $status = 255 ]
			attempt ".process.cwd = \"$cwd\"" cwd
			[ $status = 1 ]
		done
	done
	gone box
}

@test "cwd-fd-leak: OCI: no working folder by way of a descriptor, at run and exec" { in_ns clean cwd_leak; }

# What is open from 3 on, in the container.
open_in() { sed -n 's/^fd\.\([3-9]\|[1-9][0-9]\+\)=\(.*\)/\1 \2/p' "$T/out" | sort -n; }

junk_descriptors() {
	local i fd
	echo three >"$T/three"
	exec 3<"$T/three" 4</
	for ((i = 0; i < 100; i++)); do
		exec {fd}<"$T"
	done
	exec 200</ 201<>"$T/file" 202</proc/self/ns/mnt
	hostile
	runs . fds
	[ "$(grep -c '^fd\.' "$T/out")" = 3 ] || { cat "$T/out" >&2; return 1; }
	bundle c . fds
	oci run --bundle "$T/c" --preserve-fds 2 c
	[ "$(open_in)" = $'3 '"$T"$'/three\n4 /' ] || { open_in >&2; return 1; }
	hostile box
	up box . hold 0
	[ "$(ls "/proc/$(state box pid)/fd" | paste -sd' ')" = '0 1 2' ]
	oci exec box /bin/probe fds
	[ "$(grep -c '^fd\.' "$T/out")" = 3 ] || { cat "$T/out" >&2; return 1; }
	oci exec --preserve-fds 1 box /bin/probe fds
	[ "$(open_in)" = "3 $T/three" ]
	gone box
}

@test "fd-leak-detect: OCI: three descriptors and those to be preserved, whatever the caller had open" { in_ns clean junk_descriptors; }

# More is asked for than the caller left open: the next numbers are of files that we opened ourselves, the log first of all.
miscounted() {
	hostile box
	bundle c . fds env
	oci --log "$T/log" run --bundle "$T/c" --preserve-fds 1 c 3<&-
	fails 1 "unable to stat preserved-fd 0 \(of 1\): 3 isn't open"
	up box . hold 0
	oci --log "$T/log" exec --preserve-fds 2 box /bin/probe fds 3</dev/null 4<&-
	fails 1 "unable to stat preserved-fd 1 \(of 2\): 4 isn't open"
	# Left over in somebody's environment: the program hears of it, and that is all.
	LISTEN_FDS=1 oci --log "$T/log" run --bundle "$T/c" c 3<&-
	ended 0
	[ -z "$(open_in)" ] || { open_in >&2; return 1; }
	is env.LISTEN_FDS 1
	is env.LISTEN_PID 1
	LISTEN_FDS=1 oci --log "$T/log" exec box /bin/probe fds 3<&-
	ended 0
	[ -z "$(open_in)" ] || { open_in >&2; return 1; }
	gone box
}

@test "fd-leak-detect: OCI: more to be preserved than there are: none of ours in their place" { in_ns clean miscounted; }

# Before it is started, the first process has what it needs to wait, and nothing of the host's files and folders.
waiting() {
	local fd target allowed
	exec 200</ 201<"$T"
	hostile box
	for allowed in '' 3; do
		bundle box "$OWN_USERS | .root.readonly = true | .linux.sysctl = { \"net.ipv4.ping_group_range\": \"7 77\" }" hold 0
		create box ${allowed:+--preserve-fds 1} 3</dev/zero
		for fd in "/proc/$(state box pid)/fd/"*; do
			target=$(readlink "$fd")
			[ "${fd##*/}" -gt "${allowed:-2}" ] || continue
			[[ $target =~ ^(socket:.*|/|anon_inode:.*)$ ]] || { echo "$fd is $target" >&2; return 1; }
			[ "$target" != / ] || [ "$(stat -L -f -c %T "$fd")" = proc ] || { echo "$fd is some root" >&2; return 1; }
		done
		gone box
	done
}

@test "fd-leak-detect: OCI: nor has what waits to be started more" { in_ns clean waiting; }

# kernels_only PID [HIGHEST]: above HIGHEST (2), that process has sockets, pipes, its own proc and root, and a group's list of processes.
kernels_only() {
	local fd target
	for fd in "/proc/$1/fd/"*; do
		target=$(readlink "$fd") || continue
		[ "${fd##*/}" -gt "${2:-2}" ] || continue
		[[ $target =~ ^(socket:.*|pipe:.*|/|anon_inode:.*|/sys/fs/cgroup/.*/tasks)$ ]] || { echo "$fd is $target" >&2; return 1; }
	done
}

# In a paused container it stops as soon as it is in the group; whoever may trace what is in the container (CAP_SYS_PTRACE, without a user
# namespace) sees its descriptors then.
joining() {
	local pid filter
	exec 200</ 201<"$T"
	for filter in . "$OWN_USERS | .root.readonly = true"; do
		hostile box
		up box "$filter" hold 0
		oci pause box
		quiet
		"$BIN/coso-oci" --log "$T/log" exec --ignore-paused box /bin/probe exit 3 >"$T/exec.out" 2>"$T/exec.err" </dev/null &
		wait_for 5 two_in "$(state box pid)"
		pid=$(grep -vx "$(state box pid)" /sys/fs/cgroup/freezer/coso/box@*/cgroup.procs)
		grep -q coso-oci "/proc/$pid/cmdline"
		kernels_only "$pid"
		oci resume box
		wait $! || [ $? = 3 ]
		gone box
	done
}
two_in() { [ "$(grep -cvx "$1" /sys/fs/cgroup/freezer/coso/box@*/cgroup.procs)" = 1 ]; }

@test "exec-ptrace-race: OCI: what joins a container has no folder or file of the host's open" {
	skip_unless 'the freezer on v1' test -e /sys/fs/cgroup/freezer/cgroup.procs
	in_ns clean joining
}

# The default configuration, as `spec` writes it.
default_groups() {
	local path mounts
	hostile box
	rm -f "$T/box/config.json"
	(cd "$T/box" && "$BIN/coso-oci" spec)
	jq '.process.args = ["/bin/probe", "mounts"] | .process.terminal = false | '"$1" "$T/box/config.json" >"$T/new"
	cp "$T/new" "$T/box/config.json"
	oci run --bundle "$T/box" box
	ended 0
	grep -q ' /sys/fs/cgroup' "$T/out"
	sed -E -e '/ - cgroup2? /!d' -e '/^mount=[^-]* ro[, ]/d' "$T/out" >"$T/writable"
	lacks . "$T/writable"
	mounts=$(sed -n -E 's|^mount=[^-]* (/sys/fs/cgroup[^ ]*) .*|\1|p' "$T/out")
	for path in $mounts; do
		for file in release_agent notify_on_release cgroup.procs devices.allow x/release_agent; do
			jq ".process.args = [\"/bin/probe\", \"write\", \"$path/$file\", \"1\"]" "$T/new" >"$T/box/config.json"
			oci run --bundle "$T/box" box
			[ "$status" != 0 ] || { echo "written: $path/$file" >&2; return 1; }
		done
	done
	for path in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys/kernel/uevent_helper /proc/sys/kernel/modprobe /proc/sys/vm/panic_on_oom; do
		jq ".process.args = [\"/bin/probe\", \"write\", \"$path\", \"x\"]" "$T/new" >"$T/box/config.json"
		oci run --bundle "$T/box" box
		[ "$status" != 0 ] || { echo "written: $path" >&2; return 1; }
	done
}

@test "default-seccomp-escape-set, rootless-cgroup-ro: OCI: by default no group, release_agent or core_pattern can be written" {
	in_ns clean default_groups .
	in_ns clean default_groups '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] |
		.linux.gidMappings = .linux.uidMappings'
	in_ns clean default_groups '.linux.namespaces |= map(select(.type != "cgroup"))'
}

# As a hook, when all mounts are made, and for the container's program.
alone() {
	hostile
	mkdir -p "$ROOT/oldroot" "$ROOT/.old" "$ROOT/.pivot_root"
	ln -s oldroot "$ROOT/old"
	bundle c "$1" mounts
	oci run "${@:2}" --bundle "$T/c" c
	ended 0
	[ "$(awk '$5 == "/"' "$T/out" | wc -l)" = 1 ]
	sed 's/.* - //' "$T/out" | sed -E '/^(proc proc|tmpfs (tmpfs|shm|none|cgroup|coso)|devpts devpts|mqueue mqueue|sysfs sysfs|cgroup2? cgroup2?) /d' >"$T/foreign"
	[ "$(wc -l <"$T/foreign")" = "$(grep -cF "$ROOT" "$T/out")" ] || { cat "$T/out" >&2; return 1; } # the root, and what lies on it
	for path in /.. /../.. /oldroot/.. /old/../.. /proc/self/root/.. /proc/1/root/../..; do
		bundle c "$1" read "$path$T/canary/file"
		oci run "${@:2}" --bundle "$T/c" c
		[ "$(<"$T/out")" != canary ]
	done
}

@test "oldroot-symlink: OCI: nothing of the host's is above, below or among the mounts" {
	in_ns make_canary
	in_ns clean alone .
	in_ns clean alone "$OWN_USERS | .root.readonly = true"
	in_ns clean alone '.root.readonly = true'
	in_ns clean alone . --no-pivot
}

sockets() {
	hostile box
	bundle box . hold 0
	create box
	quiet
	awk '$8 ~ /^@/' /proc/net/unix >"$T/sockets"
	lacks . "$T/sockets"
	[ "$(stat -c '%a %u' /run/coso-oci /run/coso-oci/box | sort -u)" = '700 0' ]
	oci exec box /bin/probe read /run/coso-oci/box/state.json
	ended 1
	as_user 1000 "$BIN/coso-oci" --root /run/coso-oci start box 2>"$T/err" && return 1
	is_state box created
	gone box
}

@test "no-abstract-sockets, store-perms: OCI: what start connects to is a name in a folder that is root's alone" { in_ns clean sockets; }

# The caller's terminal is the program's stdin, but not its controlling terminal, without which nobody can type into it.
typing() {
	hostile box
	for words in tty 'try tiocsti'; do
		# shellcheck disable=SC2086 # words are meant
		bundle box "$1" $words
		on_terminal "$BIN/coso-oci run --bundle $T/box box"
		can_not_type "$words"
		up box "$1" hold 0
		on_terminal "$BIN/coso-oci exec box /bin/probe $words"
		can_not_type "$words"
		gone box
	done
}

can_not_type() {
	if [ "$1" = tty ]; then
		is tty.0 unnamed # there it has no name
		is controlling no
	else
		[[ $(value tiocsti) =~ ^(EPERM|EIO)$ ]] || { cat "$T/out" >&2; return 1; }
	fi
}

@test "tiocsti: OCI: nothing can be typed into the caller's terminal, from run or exec" {
	in_ns clean typing .
	in_ns clean typing "$OWN_USERS | .root.readonly = true"
}
