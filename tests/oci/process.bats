# SPDX-License-Identifier: GPL-2.0-or-later
# process.bats - what a program starts with: folder, environment, ids, limits, capabilities, streams
#
# Rows PR-04 to PR-27, PR-37 to PR-40 and K of the contract.

load ../helpers
load ../cli/common
load common

cwd() {
	runs '.process.cwd = "/tmp"' cwd
	is cwd /tmp
	runs '.process.cwd = "/made/on/the/way"' cwd
	is cwd /made/on/the/way
	[ "$(stat -c %a "$T/c/rootfs/made/on")" = 755 ]
	runs '.process.cwd = "/made/in/time" | .root.readonly = true' cwd
	is cwd /made/in/time
	ln -s /tmp "$T/c/rootfs/link"
	runs '.process.cwd = "/link"' cwd
	is cwd /tmp
	ln -s ../../../../../..//etc "$T/c/rootfs/up" # stays inside
	runs '.process.cwd = "/up"' cwd
	is cwd /etc
	refuses '.process.cwd = "tmp"' cwd
	refuses '.process.cwd = ""' cwd
	refuses 'del(.process.cwd)' cwd
	refuses '.process.cwd = "/proc/self/fd/3"' cwd
	refuses '.process.cwd = "/proc/1/root"' cwd
}

@test "PR-04: cwd: absolute, made if missing, inside the container" { in_ns clean cwd; }

environment() {
	runs '.process.env = ["PATH=/bin", "A=1", "EMPTY=", "B=x=y z", "A=2", "HOME=/mine"]' env
	said env.EMPTY= 'env.B=x=y z' env.A=2 env.HOME=/mine
	[ "$(grep '^env\.' "$T/out" | cut -d= -f1 | uniq | paste -sd' ')" = 'env.PATH env.EMPTY env.B env.A env.HOME' ] ||
		[ "$(grep '^env\.' "$T/out" | cut -d= -f1 | uniq | paste -sd' ')" = 'env.PATH env.A env.EMPTY env.B env.HOME' ]
	SECRET=1 runs '.process.env = []' env
	[ "$(<"$T/out")" = env.HOME=/root ]
	runs '.process.env = ["HOME="]' env
	[ "$(<"$T/out")" = env.HOME=/root ]
	runs '.process.env = [] | .process.user = { uid: 1000, gid: 1000 }' env # its own /etc/passwd has it
	[ "$(<"$T/out")" = env.HOME=/ ]
	echo 'two:x:2:2::/two:/bin/probe' >>"$T/c/rootfs/etc/passwd"
	runs '.process.env = [] | .process.user = { uid: 2, gid: 2 }' env
	[ "$(<"$T/out")" = env.HOME=/two ]
	runs '.process.env = [] | .process.user = { uid: 77, gid: 77 }' env
	[ "$(<"$T/out")" = env.HOME=/ ]
	refuses '.process.env = ["NOTHING"]' env NOTHING
	refuses '.process.env = ["=x"]' env
}

@test "PR-05 PR-06: env: just what is given, the last of two, and HOME" { in_ns clean environment; }

users() {
	runs '.process.user = { uid: 1000, gid: 2000, additionalGids: [5, 10, 3000] }' ids
	is euid 1000
	is suid 1000
	is egid 2000
	is sgid 2000
	is groups 5,10,3000
	runs '.process.user = { uid: 1000, gid: 1000 }' ids # /etc/group has 2000 for this user: that isn't asked
	is groups ''
	runs '.process.user = { uid: 0, gid: 0, additionalGids: [] }' ids
	is groups ''
	status=0
	setpriv --groups 7,8 "$BIN/coso-oci" run --bundle "$T/c" c >"$T/out" 2>"$T/err" </dev/null || status=$?
	is groups ''
	bundle c '.annotations."run.oci.keep_original_groups" = "1"' ids
	setpriv --groups 7,8 "$BIN/coso-oci" run --bundle "$T/c" c >"$T/out" 2>"$T/err" </dev/null || status=$?
	is groups 7,8
	runs '.process.user = { uid: 4294967294, gid: 4294967294 }' ids
	is uid 4294967294
	refuses '.process.user.uid = 4294967295' uid
	refuses '.process.user.uid = -1' uid
	refuses '.process.user.uid = 4294967296' uid
	refuses '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }] |
		.linux.gidMappings = .linux.uidMappings | .process.user.uid = 10' 10
}

@test "PR-09 PR-10: ids are numbers, groups exactly those that are given" { in_ns clean users; }

umask_() {
	runs '.process.user.umask = 63' process # 077
	is umask 0077
	runs '.process.user.umask = 0' process
	is umask 0000
	runs . process
	is umask 0022
	refuses '.process.user.umask = 512' umask
}

@test "PR-11: umask" { in_ns clean umask_; }

rlimits() {
	local types='["AS","CORE","CPU","DATA","FSIZE","LOCKS","MEMLOCK","MSGQUEUE","NICE","NOFILE","NPROC","RSS","RTPRIO","RTTIME","SIGPENDING","STACK"]' name
	# No more than the caller has: raising a hard limit takes a capability that tests mayn't have.
	prlimit --rtprio=5:5 --nice=5:5 true 2>/dev/null || true
	runs '.process.rlimits = ('"$types"' - ["RTPRIO", "NICE"] | map({ type: "RLIMIT_\(.)", soft: 4095, hard: 4096 })) |
		.process.rlimits |= map(if .type == "RLIMIT_AS" or .type == "RLIMIT_DATA" or .type == "RLIMIT_STACK" then .soft = 268435456 | .hard = 268435457 else . end)' rlimits
	for name in core cpu fsize locks memlock msgqueue nofile nproc rss rttime sigpending; do
		is rlimit.$name 4095:4096
	done
	for name in as data stack; do
		is rlimit.$name 268435456:268435457
	done
	runs '.process.rlimits = [{ type: "RLIMIT_RTPRIO", soft: 0, hard: 0 }, { type: "RLIMIT_NICE", soft: 0, hard: 0 }]' rlimits
	is rlimit.rtprio 0:0
	bundle c '.process.rlimits = [{ type: "RLIMIT_RSS", soft: "MAX", hard: "MAX" }]' rlimits
	sed -i 's/"MAX"/18446744073709551615/' "$T/c/config.json" # jq would round it
	oci run --bundle "$T/c" c
	ended 0
	is rlimit.rss -1:-1
	ulimit -S -n 1234
	runs . rlimits
	value rlimit.nofile | grep -q '^1234:'
	refuses '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 10, hard: 10 }, { type: "RLIMIT_NOFILE", soft: 20, hard: 20 }]' RLIMIT_NOFILE
	refuses '.process.rlimits = [{ type: "NOFILE", soft: 10, hard: 10 }]' NOFILE
	refuses '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 11, hard: 10 }]' 'rlimits|RLIMIT_NOFILE'
	refuses '.process.rlimits = [{ type: "RLIMIT_NOFILE", hard: 10 }]' soft
}

@test "PR-13 PR-14 PR-15: rlimits: all sixteen, uint64 max for none, the others as they were" { in_ns clean rlimits; }

unreachable_limit() {
	local hard
	hard=$(ulimit -H -n)
	ulimit -n 1000
	bundle c '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 2000, hard: 2000 }]' rlimits
	status=0
	setpriv --bounding-set -sys_resource --inh-caps -sys_resource "$BIN/coso-oci" run --bundle "$T/c" c >"$T/out" 2>"$T/err" </dev/null || status=$?
	ended 1
	grep -qi 'NOFILE\|limit' "$T/err"
	[ ! -e /run/coso-oci/c ]
	[ "$hard" != 0 ]
}

@test "PR-14: a limit that can't be set is an error" { in_ns clean unreachable_limit; }

raised() {
	local map='.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	ulimit -n 500
	up box "$map"' | .process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 600, hard: 700 }]' hold 0
	grep -Eq 'open files +600 +700 ' "/proc/$(state box pid)/limits"
	jq '.process | .args = ["/bin/probe", "rlimits"] | .rlimits[0].hard = 800' "$T/box/config.json" >"$T/process"
	oci exec --process "$T/process" box
	silent
	is rlimit.nofile 600:800
	gone box
}

@test "PR-13: a hard limit above the caller's, in a user namespace" {
	skip_unless 'a root that may raise hard limits (CAP_SYS_RESOURCE)' bash -c 'ulimit -n 500; ulimit -n 600'
	in_ns clean raised
}

# mask CAPABILITY...: as /proc/PID/status prints a set.
mask() {
	local name number value=0
	for name; do
		case $name in
		CHOWN) number=0 ;; KILL) number=5 ;; SETUID) number=7 ;; NET_BIND_SERVICE) number=10 ;; SYS_ADMIN) number=21 ;; AUDIT_WRITE) number=29 ;;
		esac
		value=$((value | 1 << number))
	done
	printf '%016x' $value
}

capabilities() {
	runs '.process.capabilities = { bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_SYS_ADMIN"], permitted: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"],
		effective: ["CAP_CHOWN"], inheritable: ["CAP_KILL"], ambient: [] } | .process.noNewPrivileges = false' caps
	is CapBnd "$(mask CHOWN KILL SETUID SYS_ADMIN)"
	is CapInh "$(mask KILL)"
	is CapAmb "$(mask)"
	is NoNewPrivs 0
	runs '.process.user = { uid: 1000, gid: 1000 } | .process.capabilities = (["CAP_CHOWN", "CAP_KILL"] | { bounding: ., permitted: ., effective: ., inheritable: ., ambient: . })' caps
	is CapAmb "$(mask CHOWN KILL)"
	is CapEff "$(mask CHOWN KILL)"
	is CapPrm "$(mask CHOWN KILL)"
	is CapInh "$(mask CHOWN KILL)"
	is NoNewPrivs 1
	runs '.process.user = { uid: 1000, gid: 1000 }' caps # without ambient ones an ordinary user has none
	is CapEff "$(mask)"
	is CapPrm "$(mask)"
	is CapBnd "$(mask KILL NET_BIND_SERVICE AUDIT_WRITE)"
	runs 'del(.process.capabilities)' caps
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		is $set "$(mask)"
	done
	runs '.process.capabilities = {}' caps
	is CapBnd "$(mask)"
	is securebits 0
	is keepcaps 0
}

@test "PR-16 to PR-20, PR-22 PR-23: five sets of capabilities as they are listed, none if there are none" { in_ns clean capabilities; }

# What can't be granted is told, and the rest is as it was asked for.
odd_capabilities() {
	bundle c '.process.user = { uid: 1000, gid: 1000 } | .process.capabilities = { bounding: ["CAP_CHOWN", "CAP_UNHEARD_OF"], permitted: ["CAP_CHOWN"],
		effective: ["CAP_CHOWN"], inheritable: [], ambient: ["CAP_CHOWN"] }' caps
	oci --log "$T/log" run --bundle "$T/c" c
	silent
	is CapAmb "$(mask)"
	is CapBnd "$(mask CHOWN)"
	grep -q CAP_UNHEARD_OF "$T/log"
	grep -q 'CAP_CHOWN' "$T/log"
	bundle c '.process.capabilities.ambient = ["CHOWN"]' caps
	oci --log "$T/log" run --bundle "$T/c" c
	silent
}

@test "PR-20 PR-21: capabilities that can't be had are a warning" { in_ns clean odd_capabilities; }

oom() {
	runs '.process.oomScoreAdj = 100' process
	is oom_score_adj 100
	runs '.process.oomScoreAdj = 0' process
	is oom_score_adj 0
	echo 250 >/proc/self/oom_score_adj
	runs . process
	is oom_score_adj 250
	oci exec --help >/dev/null
	up box . hold 0
	oci exec box /bin/probe process
	is oom_score_adj 250
	gone box
	refuses '.process.oomScoreAdj = 1001' oomScoreAdj
	refuses '.process.oomScoreAdj = -1001' oomScoreAdj
}

@test "PR-26 PR-27: oomScoreAdj is set, or left as it is" { in_ns clean oom; }

oom_lower() {
	echo 250 >/proc/self/oom_score_adj
	bundle c '.process.oomScoreAdj = -500' process
	status=0
	setpriv --bounding-set -sys_resource --inh-caps -sys_resource "$BIN/coso-oci" create --bundle "$T/c" c >"$T/out" 2>"$T/err" </dev/null || status=$?
	fails 1 'oom_?[sS]core_?[aA]dj' 'permission denied|operation not permitted'
}

@test "PR-26: a score that can't be lowered is an error" { in_ns clean oom_lower; }

links() {
	runs . stat /dev/fd /dev/stdin /dev/stdout /dev/stderr /dev/core
	grep -q '^/dev/fd=12' "$T/out"
	grep -q '^/dev/stdin=12' "$T/out"
	grep -q '^/dev/stdout=12' "$T/out"
	grep -q '^/dev/stderr=12' "$T/out"
	runs . read /dev/fd/0
	bundle c '.mounts |= map(select(.destination | startswith("/dev") | not))' stat /dev/fd /dev/stdin
	echo kept >"$T/c/rootfs/dev/stdin"
	oci run --bundle "$T/c" c
	ended 0
	grep -q '^/dev/fd=12' "$T/out"
	grep -q '^/dev/stdin=100' "$T/out"
	[ "$(<"$T/c/rootfs/dev/stdin")" = kept ]
}

@test "PR-37: /dev/fd and its like are made, where nothing is yet" { in_ns clean links; }

keyring() {
	runs . attributes
	value keyring | grep -q ';_ses.c$'
	keyring=$("$PROBE/bin/probe" attributes | sed -n 's/^keyring=//p')
	bundle c . attributes
	oci run --no-new-keyring --bundle "$T/c" c
	silent
	[ "$(value keyring)" = "$keyring" ] || [[ $(value keyring) == E* ]] # the caller's, which mayn't be seen from inside
	isnt keyring "$(printf 'none')"
	lacks ';_ses.c$'
	up box . hold 0
	oci exec box /bin/probe attributes
	value keyring | grep -q ';_ses.box$'
	gone box
}

@test "PR-38: a session keyring of its own, unless --no-new-keyring" { in_ns clean keyring; }

# The streams are the caller's, and an ordinary user may open them anew.
streams() {
	bundle c '.process.user = { uid: 1000, gid: 1000 }' write /dev/stdout hello
	chmod 755 "$T"
	mkfifo "$T/fifo"
	chmod 600 "$T/fifo"
	cat "$T/fifo" >"$T/read" &
	"$BIN/coso-oci" run --bundle "$T/c" c >"$T/fifo" 2>"$T/err" </dev/null
	wait
	grep -q hello "$T/read"
	[ "$(stat -c %u "$T/fifo")" = 1000 ]
	[ "$(stat -c %u /dev/null)" = 0 ]
	: >"$T/file"
	chmod 600 "$T/file"
	bundle c '.process.user = { uid: 1000, gid: 1000 }' write /dev/stderr hello
	"$BIN/coso-oci" run --bundle "$T/c" c >/dev/null 2>"$T/file" </dev/null
	grep -q hello "$T/file"
	bundle c . read /dev/stdin
	echo typed | "$BIN/coso-oci" run --bundle "$T/c" c >"$T/out"
	said typed
}

@test "8.2: the three streams are the caller's own, and belong to the program's user" { in_ns clean streams; }
