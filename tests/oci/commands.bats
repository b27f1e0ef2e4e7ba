# SPDX-License-Identifier: GPL-2.0-or-later
# commands.bats - the command line as engines write it: options before and behind the command, help, version, what is wrong
#
# Section 2 of the contract, and the options of section 3 that need no container.

load ../helpers
load ../cli/common
load common

# A usage error: one line, status 1, nothing made.
misused() {
	local pattern=$1
	shift
	oci "$@"
	fails 1 "$pattern"
	[ ! -e /run/coso-oci ]
}

wrong() {
	misused "unknown option '--no-such'" --no-such list
	misused "unknown option '--no-such'" list --no-such
	misused "unknown command 'craete'.*create" craete
	misused 'flag needs an argument: --root' --root
	misused 'flag needs an argument: --log' --log
	misused 'flag needs an argument: --bundle' create --bundle
	misused 'flag needs an argument: --process' exec -p
	misused 'neither true nor false' create --no-pivot=maybe x
	misused 'unknown log-format' --log-format xml list
	misused 'cgroupfs, systemd' --cgroup-manager magic list
	misused 'root folder itself' --root / list
	misused 'root folder itself' --root // list
	misused format list --format yaml
	misused format ps --format yaml c
	local command
	for command in create run start state kill delete exec ps pause resume update events checkpoint restore; do
		misused 'container id cannot be empty' $command
	done
	oci
	[ $status != 0 ]
}

@test "LC-01 LC-05 LC-09 LC-12 ST-08: what is wrong with a command line is one line and status 1, and nothing is made" { in_ns wrong; }

# An id that can't be one, whatever the command.
ids() {
	local id command
	for id in '' . .. a/b 'a b' $'a\nb' 'ä' 'a:b' "$(printf 'a%.0s' {1..1100})"; do
		for command in create start state kill delete exec; do
			oci $command -- "$id"
			ended 1
			grep -qE 'container id cannot be empty|invalid container ID format: "' "$T/err"
		done
	done
	oci delete --force ../../tmp
	fails 1 'invalid container ID format: "../../tmp"'
}

@test "LC-02: ids that aren't any are refused, by every command" { in_ns ids; }

long_ids() {
	local id
	for id in "$(printf '%064d' 7)" libpod-1.2_3+4 -dash "$(printf 'x%.0s' {1..255})"; do
		bundle c . ids
		oci run --bundle "$T/c" -- "$id"
		ended 0
	done
	up .hidden . hold 0
	oci list --quiet
	said .hidden
	gone .hidden
}

@test "LC-02: ids of engines are taken" { in_ns clean long_ids; }

help() {
	local command
	oci --help
	silent
	grep -qx 'Usage: coso-oci \[OPTION...\] COMMAND ...' "$T/out"
	cp "$T/out" "$T/commands"
	oci -h
	silent
	for command in create start run state kill delete exec list ps pause resume update events spec features; do
		grep -qE "^ +$command " "$T/commands"
		oci $command --help
		silent
		head -n 1 "$T/out" | grep -qE "^Usage: coso-oci \[OPTION...\] $command"
		oci $command -h
		silent
	done
	oci create --bundle /nowhere --help x
	silent
	grep -q -- --console-socket "$T/out"
	"$BIN/coso" oci --help >"$T/again"
	diff <(sed 's/coso-oci/coso oci/' "$T/commands") "$T/again"
}

@test "--help: of the program and of every command, on stdout; coso oci is the same" { in_ns help; }

# Podman takes the success of `checkpoint --help` for the promise that checkpoints work, and that --lsm-mount-context is known for the
# promise that they do in pods.
checkpoint_help() {
	local promised
	promised=$("$BIN/coso-oci" features | jq -r '.annotations["org.opencontainers.runc.checkpoint.enabled"]')
	oci checkpoint --help
	[ $status != 0 ] || [ "$promised" = true ]
	oci restore --lsm-mount-context
	[ $status != 0 ]
	[ "$promised" = true ] || lacks 'flag needs an argument|requires an argument' "$T/err"
}

@test "checkpoint and restore look as if they were there only if features says so" { in_ns checkpoint_help; }

version() {
	env -i HOME=/nonexistent "$BIN/coso-oci" --version >"$T/out" 2>"$T/err"
	[ ! -s "$T/err" ]
	head -n 1 "$T/out" | grep -qxE '[a-z-]+ version [0-9]+\.[0-9]+\.[0-9]+\S*'
	[ "$(grep -c version "$T/out")" = 1 ]
	grep -qxE 'commit: \S+' "$T/out"
	said 'spec: 1.3.0'
	env -i "$BIN/coso-oci" -v | diff - "$T/out"
	as_user 1000 "$BIN/coso-oci" --version | diff - "$T/out"
}

# Engines know some names of runtimes better than others: a link with one of these is the runtime.
links() {
	local name
	bundle c . ids
	for name in crun runc; do
		ln -s "$BIN/coso" "$T/$name"
		[ "$("$T/$name" --version | head -n 1)" = "$name version $("$BIN/coso-oci" --version | sed -n 's/.* version //p')" ]
		"$T/$name" delete --help | head -n 1 | grep -qx "Usage: $name \[OPTION...\] delete CONTAINER"
		"$T/$name" run --bundle "$T/c" c >"$T/out"
		is uid 0
	done
	ln -s "$BIN/coso" "$T/runcs"
	! "$T/runcs" --root "$T/r" list >"$T/out" 2>&1 || false
}

@test "called crun or runc, by a link, it is the runtime, too" { in_ns clean links; }

@test "--version: three words, commit and spec, one line with the word version, without environment or rights" { in_ns version; }

forms() {
	bundle c . ids
	cd "$T" || return
	oci --root=state --log log --log-format=json run --bundle=c c
	silent
	oci -root state -log=log -debug=false run -b c c
	silent
	oci --root other --root state run --bundle /nowhere --bundle c -no-subreaper --no-pivot=false --no-new-keyring=true -- c
	silent
	oci --rootless auto --criu /nowhere --systemd-cgroup=false --log-level warning --root state run -b c -no-subreaper c
	silent
	[ -d "$T/state" ]
	[ ! -e "$T/other" ]
	[ ! -s "$T/log" ]
	oci --root state list --quiet
	quiet
}

@test "options: one dash or two, = or a word, booleans with a value, the last one wins, -- ends them" { in_ns forms; }

standard_root() {
	bundle c . sleep 100
	create c
	quiet
	[ "$(stat -c %a:%u /run/coso-oci)" = 700:0 ]
	[ -d /run/coso-oci/c ]
	env -i XDG_RUNTIME_DIR= "$BIN/coso-oci" state c | jq -e '.status == "created"' >/dev/null
	env -i XDG_RUNTIME_DIR="$T" "$BIN/coso-oci" delete --force c
	[ ! -e "$T/coso-oci" ]
	create c --root # behind the command it is none
	fails 1 "unknown option '--root'"
	oci --root "$T/deep/er/state" create --bundle "$T/c" --pid-file "$T/pid" c
	ended 0
	[ "$(stat -c %a "$T/deep/er/state")" = 700 ]
	oci state c
	fails 1 "container 'c' does not exist"
	oci --root "$T/deep/er/state" delete --force c
	quiet
}

@test "--root: /run/coso-oci is root's, whatever the environment; another is made with the folders above it" { in_ns clean standard_root; }

# What anybody could write there would be believed.
foreign_root() {
	mkdir -m 777 "$T/open" "$T/foreign"
	chown 1000 "$T/foreign"
	chmod 755 "$T" "$T/foreign"
	bundle c . ids
	local root
	for root in "$T/open" "$T/foreign"; do
		oci --root "$root" run --bundle "$T/c" c
		fails 1 "$root"
		oci --root "$root" list
		fails 1 "$root"
		[ -z "$(ls "$root")" ]
	done
}

@test "--root: a folder that others may write to is refused" { in_ns foreign_root; }

# user WORD...: the runtime as an ordinary user's.
user() {
	status=0
	# shellcheck disable=SC2016 # the inner shell expands it
	as_user 1000 sh -c 'cd "$T" && exec "$BIN/coso-oci" "$@"' sh "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
}

users_root() {
	user list --format json
	silent
	said '[]'
	user state nothing
	fails 1 'does not exist'
	bundle c '.linux.namespaces += [{ type: "user" }] | del(.linux.resources) |
		.mounts |= map(select(.type != "cgroup") | .options = (.options // []) - ["gid=5"]) |
		.linux.uidMappings = [{ containerID: 0, hostID: 1000, size: 1 }] | .linux.gidMappings = .linux.uidMappings' ids
	chown -R 1000:1000 "$T/c"
	user create --bundle "$T/c" c
	silent
	mv "$T/out" "$T/c.out" # it is the container's now
	[ -d "$T/home-1000/run/coso-oci/c" ]
	[ -k "$T/home-1000/run/coso-oci" ]
	user state c
	silent
	user start c
	quiet
	user delete --force c
	quiet
	[ ! -e "$T/home-1000/run/coso-oci/c" ]
}

@test "--root: an ordinary user's is \$XDG_RUNTIME_DIR/coso-oci, sticky; a container there lives and goes" { in_ns users_root; }

features() {
	env -i "$BIN/coso-oci" features >"$T/out" 2>"$T/err"
	[ ! -s "$T/err" ]
	jq -e '.ociVersionMin == "1.0.0" and .ociVersionMax == "1.3.0" and (.hooks | length) == 6 and (.mountOptions | index("rro")) and
		(.mountOptions == (.mountOptions | sort | unique)) and (.linux.namespaces | sort) == ["cgroup", "ipc", "mount", "network", "pid",
		"time", "user", "uts"] and (.linux.capabilities | index("CAP_SYS_ADMIN")) and .linux.cgroup.v1 and .linux.cgroup.v2 and
		.linux.seccomp.enabled and (.linux.seccomp.actions | index("SCMP_ACT_NOTIFY")) and .linux.mountExtensions.idmap.enabled and
		(.annotations | type) == "object" and .potentiallyUnsafeConfigAnnotations == ["org.systemd.property.", "run.oci."] and (.linux.seccomp.supportedFlags - .linux.seccomp.knownFlags) == []' "$T/out"
	mkdir "$T/home-1000"
	as_user 1000 "$BIN/coso-oci" features | diff - "$T/out"
	env -i unshare -Urm sh -c 'mount -t tmpfs none /sys && exec "$0" features' "$BIN/coso-oci" | diff - "$T/out"
}

@test "FE-01 FE-02 FE-03 FE-07: features is JSON, the same for anybody anywhere" { in_ns features; }

version_range() {
	local version
	for version in $("$BIN/coso-oci" features | jq -r '.ociVersionMin, .ociVersionMax') 1.0.2-dev 1.3.0+dev 1.9.0-rc.1+x 1.99.0; do
		runs ".ociVersion = \"$version\"" ids
	done
	for version in 2.0.0 0.9.0 1.0 1 v1.0.0 01.0.0 1.0.0-01 ''; do
		refuses ".ociVersion = \"$version\"" ociVersion
	done
	refuses 'del(.ociVersion)' ociVersion
	refuses '.ociVersion = 1.3' ociVersion
}

@test "GE-03 GE-04 GE-05: ociVersion: every 1.x is taken, nothing else" { in_ns clean version_range; }

# Each element that features lists is one that a configuration may have.
recognised() {
	local option hook
	"$BIN/coso-oci" features >"$T/features"
	bundle c . ids
	jq --slurpfile f "$T/features" '.process.capabilities |= with_entries(.value = $f[0].linux.capabilities)' "$T/c/config.json" >"$T/new"
	mv "$T/new" "$T/c/config.json"
	oci run --bundle "$T/c" c
	ended 0
	mkdir "$T/source"
	for option in $(jq -r '.mountOptions[]' "$T/features"); do
		case $option in
		idmap | ridmap) bundle c '.mounts += [{ destination: "/x", type: "bind", source: "\(env.T)/source", options: ["rbind", "'$option'"],
			uidMappings: [{ containerID: 0, hostID: 0, size: 1 }], gidMappings: [{ containerID: 0, hostID: 0, size: 1 }] }]' ids ;;
		tmpcopyup | noswap) bundle c '.mounts += [{ destination: "/x", type: "tmpfs", source: "t", options: ["'$option'"] }]' ids ;;
		remount) bundle c '.mounts += [{ destination: "/dev/shm", type: "tmpfs", source: "t", options: ["remount", "ro"] }]' ids ;;
		*) bundle c '.mounts += [{ destination: "/x", type: "bind", source: "\(env.T)/source", options: ["rbind", "'$option'"] }]' ids ;;
		esac
		oci create --bundle "$T/c" c
		[ $status = 0 ] || { echo "mount option $option: $(<"$T/err")" >&2; return 1; }
		gone c
	done
	for hook in $(jq -r '.hooks[]' "$T/features"); do
		runs '.hooks.'"$hook"' = [{ path: "'"$([ "$hook" = startContainer ] && echo /bin/probe || echo /bin/true)"'", args: ["probe", "exit", "0"] }]' ids
	done
}

@test "FE-05: what features lists, a configuration may have" { in_ns clean recognised; }

# spec's output is a configuration that works.
spec() {
	mkdir "$T/b"
	oci spec --bundle "$T/b"
	quiet
	jq -e '.ociVersion and .process.terminal and .process.args == ["sh"] and .process.cwd == "/" and .root.path == "rootfs" and .root.readonly and
		(.mounts | map(.destination)) == ["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup"] and
		.process.noNewPrivileges and (.process.rlimits == [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }]) and
		(.process.capabilities.bounding | sort) == ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]' "$T/b/config.json"
	oci spec --bundle "$T/b"
	fails 1 'config.json exists. Remove it first'
	cp -a "$PROBE" "$T/b/rootfs"
	jq '.process.terminal = false | .process.args = ["/bin/probe", "ids", "caps"]' "$T/b/config.json" >"$T/new"
	mv "$T/new" "$T/b/config.json"
	oci run --bundle "$T/b" c
	silent
	is NoNewPrivs 1
	cd "$T" && oci spec --rootless
	quiet
	jq -e '(.linux.namespaces | map(.type)) as $n | ($n | index("user")) and ($n | index("network") | not) and .linux.uidMappings[0].size == 1 and
		(.linux.resources | not)' config.json
}

@test "spec: writes a configuration that runs, once; --rootless" { in_ns clean spec; }
