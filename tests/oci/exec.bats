# SPDX-License-Identifier: GPL-2.0-or-later
# exec.bats - another process in a container that runs
#
# Section 3.7 of the contract.

load ../helpers
load ../cli/common
load common

# process FILTER [WORD...]: a process.json as engines write it, the container's own changed.
process() {
	local filter=$1
	shift
	jq ".process | .args = [\"/bin/probe\"] + \$ARGS.positional | $filter" "$T/box/config.json" --args "$@" >"$T/process"
}

joins() {
	local kind
	up box . hold 0
	oci exec box /bin/probe all
	ended 0
	for kind in cgroup ipc mnt net pid uts user; do
		is ns.$kind "$(readlink "/proc/$(state box pid)/ns/$kind")"
	done
	is hostname box
	is sid "$(value pid)"
	is pgid "$(value pid)"
	isnt pid 1
	is ppid 0
	is SigBlk 0000000000000000
	is SigIgn 0000000000000000
	is CapEff 0000000020000420
	is CapInh 0000000000000000
	is NoNewPrivs 1
	is umask 0022
	is cwd /
	is pdeathsig 0
	[ "$(grep -c '^fd\.' "$T/out")" = 3 ]
	grep '^cgroup=' "$T/out" >"$T/of.exec"
	lacks '^cgroup=[0-9]+:(pids|devices)?:?/.+coso-test' "$T/of.exec"
	oci ps --format json box
	[ "$(jq length "$T/out")" = 1 ]
	gone box
}

@test "exec: in the container's namespaces and group, with its rights, as a session of its own" { in_ns clean joins; }

options() {
	up box '.process.env += ["KEPT=1"]' hold 0
	oci exec --cwd /tmp --env A=1 -e B=2 -e A=3 --user 1000:2000 -g 7 --additional-gids 8 --cap CAP_CHOWN -c CAP_SETUID box /bin/probe env cwd ids caps
	silent
	said env.A=3 env.B=2 env.KEPT=1
	is cwd /tmp
	is uid 1000
	is gid 2000
	is groups 7,8
	is CapBnd 00000000200004a1
	oci exec --user 1000 box /bin/probe ids
	is uid 1000
	oci exec -u 1 box /bin/probe ids
	is uid 1
	for user in 0x1 +1 ' 1' 1: -1 4294967295 root ''; do
		oci exec "--user=$user" box /bin/probe ids
		[ $status != 0 ] || [ "$user" = '' ]
	done
	oci exec box /bin/probe exit --help -x
	[ $status = 2 ] # options behind the id are the command's
	oci exec box -- /bin/probe exit 4
	[ $status = 4 ] || [ $status = 255 ]
	oci exec --env NOTHING box /bin/probe ids
	[ $status != 0 ]
	oci exec --cwd tmp box /bin/probe ids
	[ $status != 0 ]
	grep -q -- --cwd "$T/err"
	oci exec box
	[ $status != 0 ]
	gone box
	up box '.process.noNewPrivileges = false' hold 0
	oci exec --no-new-privs box /bin/probe caps
	is NoNewPrivs 1
	oci exec box /bin/probe caps
	is NoNewPrivs 0
	gone box
}

@test "exec: options change the container's own process; words behind the id are the command's" { in_ns clean options; }

from_file() {
	up box '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 55, hard: 66 }]' hold 0
	process 'del(.capabilities) | del(.rlimits)' rlimits caps
	oci exec --process "$T/process" box
	silent
	is rlimit.nofile 55:66
	is CapBnd 0000000020000420
	gone box
	up box '.process.env += ["NOT=1"]' hold 0
	process '.env = ["PATH=/bin", "ONLY=1"] | .cwd = "/etc" | .user = { uid: 5, gid: 6, additionalGids: [7], umask: 7 } | .noNewPrivileges = false |
		.capabilities = { bounding: ["CAP_CHOWN"] } | .rlimits = [{ type: "RLIMIT_NOFILE", soft: 77, hard: 88 }]' env cwd ids caps rlimits process
	oci exec --process "$T/process" box
	silent
	[ "$(grep '^env' "$T/out" | sort | paste -sd' ')" = 'env.HOME=/ env.ONLY=1 env.PATH=/bin' ]
	is cwd /etc
	is uid 5
	is gid 6
	is groups 7
	is umask 0007
	is CapBnd 0000000000000001
	is NoNewPrivs 0
	is rlimit.nofile 77:88
	process '.args = ["/bin/probe", "exit", "7"]'
	oci exec -p "$T/process" box
	[ $status = 7 ]
	rm "$T/process"
	oci exec -p "$T/process" box
	[ $status != 0 ]
	grep -q 'no such file or directory' "$T/err"
	echo '{"args": 7}' >"$T/process"
	oci exec -p "$T/process" box
	[ $status != 0 ]
	grep -q args "$T/err"
	gone box
}

@test "exec --process: just what the file says; what it leaves out the container has" { in_ns clean from_file; }

detached() {
	local pid
	up box . hold 0
	oci exec --detach --pid-file "$T/pid" box /bin/probe hold 0 9
	silent
	pid=$(<"$T/pid")
	[ "$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")" = "$PPID" ]
	wait_for 5 grep -q '^State:.S' "/proc/$pid/status"
	oci ps --format json box
	[ "$(jq -c sort "$T/out")" = "$(jq -nc --argjson a "$(state box pid)" --argjson b "$pid" '[$a, $b] | sort')" ]
	wait_for 5 grep -q '^SigCgt:.*4000$' "/proc/$pid/status"
	kill -TERM "$pid"
	reaped "$pid" 'exit 9'
	is_state box running
	gone box
}

@test "exec --detach: the process is left to the caller's subreaper, which gets its status" { as_engine clean detached; }

in_user_namespace() {
	up box '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }] |
		.linux.gidMappings = [{ containerID: 0, hostID: 200000, size: 1000 }] | .root.readonly = true |
		.mounts |= map(.options = ((.options // []) - ["gid=5"]))' hold 0
	oci exec box /bin/probe ids ns caps
	ended 0
	is uid 0
	is uid_map '0     100000       1000'
	is ns.user "$(readlink "/proc/$(state box pid)/ns/user")"
	is CapEff 0000000020000420
	oci exec --user 999:999 box /bin/probe ids
	ended 0
	oci exec --user 1000:1000 box /bin/probe ids
	[ $status != 0 ]
	gone box
}

@test "exec: in a user namespace" { in_ns clean in_user_namespace; }

# On v1 a group is named with its controller; on v2 there is but one.
below() {
	local top=/sys/fs/cgroup/pids/box name=pids:
	[ -d /sys/fs/cgroup/pids ] || top=/sys/fs/cgroup/box name=''
	up box '.linux.cgroupsPath = "/box"' hold 0
	mkdir "$top/sub"
	oci exec --detach --pid-file "$T/pid" --cgroup "${name}sub" box /bin/probe sleep 50
	silent
	grep -qx "$(<"$T/pid")" "$top/sub/cgroup.procs"
	oci ps --format json box
	[ "$(jq length "$T/out")" = 2 ]
	oci exec --cgroup "${name}nowhere" box /bin/probe ids
	[ $status != 0 ]
	oci exec --detach --pid-file "$T/pid" --cgroup "$name../.." box /bin/probe sleep 50 # never out of the container's
	[ $status != 0 ] || grep -qx "$(<"$T/pid")" "$top/cgroup.procs"
	gone box
}

@test "exec --cgroup: a group below the container's; ps sees it" {
	skip_unless 'the pids controller on v1, or v2 alone' test -w /sys/fs/cgroup/pids -o -e /sys/fs/cgroup/cgroup.controllers
	in_ns clean below
}

# What runs in the container may look at a process that is being made in it, but not into it.
paused() {
	up box . hold 0
	oci pause box
	quiet
	oci exec --ignore-paused --detach --pid-file "$T/pid" box /bin/probe exit 3 &
	wait_for 5 is_state box paused
	oci resume box
	wait $!
	is_state box running
	gone box
}

@test "exec --ignore-paused: it runs once the container does" { in_ns clean paused; }

same_filter() {
	up box '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["getppid"], action: "SCMP_ACT_ERRNO", errnoRet: 99 }] }' hold 0
	oci exec box /bin/probe caps call getppid
	process . call getppid
	oci exec --process "$T/process" box
	ended 0
	is getppid EADDRNOTAVAIL
	gone box
}

@test "exec: the container's filter again" { in_ns clean same_filter; }

ends() {
	up box . exit 0
	wait_for 5 is_state box stopped
	oci exec box /bin/probe ids
	[ $status = 255 ]
	grep -q 'cannot exec in a stopped container' "$T/err"
	gone box
}

@test "exec: not in a container that has stopped" { in_ns clean ends; }

# A caller that sits in the container's group already (CLONE_INTO_CGROUP).
inside_already() {
	local group
	up box '.linux.cgroupsPath = "/box"' hold 0
	for group in /sys/fs/cgroup/box /sys/fs/cgroup/*/box; do
		[ ! -e "$group/cgroup.procs" ] || echo $BASHPID >"$group/cgroup.procs"
	done
	oci exec box /bin/probe ids
	ended 0
	for group in /sys/fs/cgroup /sys/fs/cgroup/*; do
		{ [ ! -e "$group/cgroup.procs" ] || echo $BASHPID >"$group/cgroup.procs"; } 2>/dev/null || echo $BASHPID >"$group/shell/cgroup.procs"
	done
	gone box
}

@test "exec: by a caller that is in the container's group already" { in_ns clean inside_already; }
