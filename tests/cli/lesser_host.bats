# SPDX-License-Identifier: GPL-2.0-or-later
# lesser_host.bats - a host that is less than this one: coso works, or says in one line what is missing and how to grant it
load ../helpers

# The roots in a folder that nobody else can write to: in a user namespace, below a sticky one, an owner may be anybody.
prepare() {
	mkdir -p /var/lib/roots
	[ -e /var/lib/roots/probe ] || cp -a "$PROBE" /var/lib/roots/probe
	RUN=("$BIN/coso" --network none --rootfs /var/lib/roots/probe /bin/probe host)
}

attempt() { # COMMAND...: its status in $status, what it said on stderr in $T/err
	status=0
	local limit=(timeout -k 5 60)
	[ "$(type -t "$1")" != function ] || limit=()
	"${limit[@]}" "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
}

# It ran, saying nothing, or one warning.
works() {
	attempt "$@"
	[ $status = 0 ] && grep -q '^hostname=.' "$T/out" && [ "$(wc -l <"$T/err")" -le 1 ] && ! grep -qv '^coso: warning: ' "$T/err" && return
	echo "status $status of $*"
	cat "$T/err" "$T/out"
	return 1
}

# It didn't, and said why in one line that matches.
says() { # REGEX COMMAND...
	attempt "${@:2}"
	[ $status = 125 ] && [ "$(wc -l <"$T/err")" = 1 ] && grep -Eq "^coso: .*$1" "$T/err" && return
	echo "status $status of ${*:2}; expected: $1"
	cat "$T/err" "$T/out"
	return 1
}

each_capability() {
	local name names
	prepare
	works "${RUN[@]}" # and the folders that stay are there
	names=$(setpriv --dump | sed -n 's/^Capability bounding set: //p' | tr ',' ' ')
	[ "$(wc -w <<<"$names")" -gt 30 ]
	for name in $names; do
		case $name in
		setuid | setgid) unchanged says 'CAP_SETUID and CAP_SETGID.*--userns host' setpriv --bounding-set "-$name" "${RUN[@]}" ;;
		*) unchanged works setpriv --bounding-set "-$name" "${RUN[@]}"; [ ! -s "$T/err" ] ;;
		esac
	done
	unchanged says 'CAP_SETFCAP' setpriv --bounding-set -all "${RUN[@]}"
	# A limit needs a group, and an id of another user needs its capabilities; both are told by name.
	unchanged works setpriv --bounding-set -sys_admin "$BIN/coso" --network none --rootfs /var/lib/roots/probe /bin/probe host
}

@test "each capability is taken away from root in turn" { in_ns each_capability; }

# nested FIRST COMMAND...: as root of a user namespace that has the 65536 ids from FIRST on
nested() {
	local first=$1 status=0 pid
	shift
	unshare -U -m sleep 60 3>&- &
	pid=$!
	in_its_own() { [ "$(readlink "/proc/$pid/ns/user")" != "$(readlink /proc/self/ns/user)" ] && [ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "sleep 60 " ]; }
	wait_for 5 in_its_own
	echo "0 $first 65536" >"/proc/$pid/uid_map"
	echo "0 $first 65536" >"/proc/$pid/gid_map"
	nsenter -t "$pid" -U -m -S 0 -G 0 "$@" || status=$?
	kill "$pid"
	wait "$pid" || true
	return $status
}

roots_of_namespaces() {
	prepare
	works "${RUN[@]}"
	unchanged works unshare -Ur "${RUN[@]}"
	unchanged works unshare -Urm "${RUN[@]}"
	# An ordinary user becomes root of one: its own folders serve, since root's aren't its.
	mkdir -p /run/user-1000
	chown 1000:1000 /run/user-1000
	home() { as_user 1000 env HOME=/run/user-1000 XDG_RUNTIME_DIR=/run/user-1000 "$@"; }
	works home unshare -Ur "${RUN[@]}"
	works home unshare -Urm "${RUN[@]}"
	# Ids outside of what is mapped can't be had.
	says 'mapped in this user namespace' home unshare -Ur "$BIN/coso" --uidmap 0:5:1 --network none --rootfs /var/lib/roots/probe /bin/probe
	# With a range of ids, all of them are there inside.
	chown -R 300000:300000 /run /var/lib
	works nested 300000 "${RUN[@]}"
	nested 300000 "$BIN/coso" --network none --rootfs /var/lib/roots/probe --user 1000 /bin/probe ids >"$T/ids"
	grep -qx 'uid=1000' "$T/ids"
	grep -Eq '^uid_map= *0 +0 +65536$' "$T/ids"
}

@test "root of a user namespace isn't root of the host" { in_ns roots_of_namespaces; }

no_namespaces() {
	prepare
	works "${RUN[@]}"
	unchanged says 'user.max_user_namespaces' \
		unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' sh "${RUN[@]}"
	# Root of the host goes on without, and says so. EPERM ENOSPC EINVAL
	local error
	for error in 1 28 22; do
		unchanged works "$BIN/fault" -c "$CLONE3" -n 1 -e $error "${RUN[@]}"
		grep -q 'warning: no user namespace' "$T/err"
	done
	# Without any namespace at all there is nothing to go on with.
	unchanged says 'CAP_SYS_ADMIN' "$BIN/fault" -c "$CLONE3" -a -e 1 "$BIN/coso" --userns host --network none --rootfs /var/lib/roots/probe /bin/probe host
}

# The numbers of system calls since Linux 5.1 are the same on every machine.
export CLONE3=435 FSOPEN=430

@test "without user namespaces" { in_ns no_namespaces; }

no_overlay() {
	local child which
	prepare
	works "${RUN[@]}"
	strace -f -e trace=fsopen -o "$T/trace" "${RUN[@]}" >/dev/null
	child=$(awk '/fsopen\("overlay"/ { print $1; exit }' "$T/trace")
	which=$(grep "^$child .*fsopen(" "$T/trace" | grep -n -m 1 overlay | cut -d: -f1)
	unchanged says 'overlay.*modprobe overlay' "$BIN/fault" -p 1 -c "$FSOPEN" -n "$which" -e 19 "${RUN[@]}"
}

@test "without overlay" { in_ns no_overlay; }

lesser_cgroups() {
	local limited
	prepare
	works "${RUN[@]}"
	limited=("$BIN/coso" --memory 100m --network none --rootfs /var/lib/roots/probe /bin/probe host)
	skip_unless "memory in a control group" "${limited[@]}"
	read_only() {
		local group
		for group in $(awk '$3 ~ /^cgroup/ { print $2 }' /proc/mounts); do
			mount -o remount,bind,ro "$group"
		done
		exec "$@"
	}
	export -f read_only
	works unshare -m bash -c 'read_only "$@"' bash "${RUN[@]}"
	says 'memory.*read-only.*remount' unshare -m bash -c 'read_only "$@"' bash "${limited[@]}"
	# Missing: the mounts themselves, and everything of /sys.
	works unshare -m bash -c 'umount -R /sys/fs/cgroup; exec "$@"' bash "${RUN[@]}"
	says 'memory' unshare -m bash -c 'umount -R /sys/fs/cgroup; exec "$@"' bash "${limited[@]}"
	works unshare -m bash -c 'umount -l /sys; exec "$@"' bash "${RUN[@]}"
}

@test "control groups are read-only or missing" { in_ns lesser_cgroups; }

no_proc() {
	prepare
	works "${RUN[@]}"
	says '/proc .*mount -t proc' unshare -m bash -c 'mount -t tmpfs none /proc; exec "$@"' bash "${RUN[@]}"
}

@test "/proc is missing" {
	skip_if_sanitized "it reads its options from /proc, and looks at /proc when it ends"
	in_ns no_proc
}

lesser_proc() {
	prepare
	works "${RUN[@]}"
	# Root of the host goes on without a user namespace, which may not have a whole /proc then.
	works unshare -m bash -c 'mount -t tmpfs none /proc/sys; exec "$@"' bash "${RUN[@]}"
	grep -q 'parts of .*/proc.* are covered' "$T/err"
	says 'parts of .*/proc.* are covered' unshare -Urm bash -c 'mount -t tmpfs none /proc/sys; exec "$@"' bash "${RUN[@]}"
	# Root of the host makes the nodes; whoever can't needs the host's.
	works unshare -m bash -c 'mount -t tmpfs none /dev; exec "$@"' bash "${RUN[@]}"
	says '/dev/null' unshare -Urm bash -c 'mount -t tmpfs none /dev; exec "$@"' bash "${RUN[@]}"
}

@test "/proc is covered, /dev is empty" { in_ns lesser_proc; }

in_bubblewrap() {
	prepare
	works bwrap --dev-bind / / "${RUN[@]}"
	says 'CAP_SETUID|user namespaces' bwrap --dev-bind / / --cap-drop ALL "${RUN[@]}"
	says 'covered' bwrap --bind / / --dev /dev --proc /proc --unshare-all "${RUN[@]}"
}

@test "inside bubblewrap" {
	need bwrap
	in_ns in_bubblewrap
}

# outer RUNTIME KIND: a container of another runtime with our binary and a root in it; KIND is ordinary or privileged.
outer() {
	local bundle=$T/bundle
	rm -rf "$bundle"
	mkdir -p "$bundle/rootfs"
	cp -a "$PROBE/." "$bundle/rootfs"
	mkdir -p "$bundle/rootfs"/{coso,inner,run,var/lib,var/tmp}
	cp "$BIN/coso" "$bundle/rootfs/coso/coso"
	ldd "$BIN/coso" 2>&1 | grep -o '/[^ ]*' | xargs -r cp -L --parents -t "$bundle/rootfs" # of a sanitized coso, which isn't static
	cp -a "$PROBE/." "$bundle/rootfs/inner"
	(cd "$bundle" && "$1" spec)
	jq --arg kind "$2" '
		.process.args = ["/coso/coso", "--network", "none", "--rootfs", "/inner", "/bin/probe", "host"] | .process.terminal = false |
		.process.env += ["ASAN_OPTIONS=\(env.ASAN_OPTIONS // "")"] |
		.root.readonly = false | .mounts |= map(select(.type != "cgroup")) | del(.linux.resources) | .mounts += [
			{ destination: "/run", type: "tmpfs", source: "tmpfs" }, { destination: "/var/lib", type: "tmpfs", source: "tmpfs" } ] |
		if $kind == "privileged" then
			.linux.maskedPaths = [] | .linux.readonlyPaths = [] |
			(["CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SETFCAP", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_MKNOD",
			  "CAP_SETPCAP", "CAP_KILL", "CAP_NET_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_FSETID", "CAP_NET_BIND_SERVICE",
			  "CAP_AUDIT_WRITE"] as $all |
			 .process.capabilities = { bounding: $all, effective: $all, permitted: $all }) |
			.process.noNewPrivileges = false
		else . end' "$bundle/config.json" >"$bundle/new"
	mv "$bundle/new" "$bundle/config.json"
	CONTAINER=("$1" --root "$T/outer" run --bundle "$bundle" "outer-$2-$$")
}

in_runtimes() {
	local runtime
	# crun takes no hybrid host: on one, only v1 is left.
	! grep -q ' cgroup ' /proc/mounts || awk '$3 == "cgroup2" { print $2 }' /proc/mounts | xargs -r -n 1 umount -l || true # listed twice
	for runtime in "$@"; do
		outer "$runtime" privileged
		works "${CONTAINER[@]}"
		outer "$runtime" ordinary
		says 'CAP_|user namespaces|covered' "${CONTAINER[@]}"
	done
}

@test "inside a privileged and an ordinary container" {
	need crun runc jq
	in_ns in_runtimes crun runc
}

# Everything newer than Linux 5.4 that is called at all is one of these; the others show that nothing depends on them.
export NEWER="close_range=436 openat2=437 pidfd_getfd=438 faccessat2=439 process_madvise=440 epoll_pwait2=441 mount_setattr=442
	landlock_create_ruleset=444 memfd_secret=447 futex_waitv=449 cachestat=451 fchmodat2=452 statmount=457 listmount=458"

newer_calls() {
	local call
	prepare
	works "${RUN[@]}"
	for call in $NEWER; do
		case ${call%=*} in
		openat2) unchanged says 'Linux 5.10' "$BIN/fault" -p -1 -c "${call#*=}" -a -e 38 "${RUN[@]}" ;;
		*) unchanged works "$BIN/fault" -p -1 -c "${call#*=}" -a -e 38 "${RUN[@]}" ;;
		esac
	done
	# Those that it can't do without are older.
	for call in open_tree=428 move_mount=429 fsopen=430 fsconfig=431 fsmount=432 clone3=435; do
		unchanged says 'Linux 5.10' "$BIN/fault" -p -1 -c "${call#*=}" -a -e 38 "${RUN[@]}"
	done
}

@test "each system call newer than Linux 5.4 is missing in turn" { in_ns newer_calls; }
