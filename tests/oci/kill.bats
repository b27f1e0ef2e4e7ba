# SPDX-License-Identifier: GPL-2.0-or-later
# kill.bats - kill: which signal reaches which processes, and who is never signalled
#
# Sections 3.5 and 4 of the contract.

load ../helpers
load ../cli/common
load common

# The pid in the state may be another process's by now.
recycled() {
	local state=/run/coso-oci/one/state.json
	up one . hold 0
	oci kill one KILL
	wait_for 5 is_state one stopped
	sleep 100 >/dev/null 2>&1 &
	jq -c --argjson pid $! '.pid = $pid' $state >"$T/new"
	cat "$T/new" >$state
	is_state one stopped
	oci kill one KILL
	fails 1 'container not running: no such process'
	oci delete --force one
	quiet
	kill $! # it was left alone
}

@test "a pid that is another process's by now is never signalled" { in_ns clean recycled; }

signals() {
	local name number caught
	for name in 1 HUP SIGHUP hup sighup 10 usr1 SIGUSR1 34 RTMIN RTMIN+2 RTMAX-1 64; do
		number=$(kill -l "${name#SIG}" 2>/dev/null || true)
		case ${name,,} in
		1 | *hup) number=1 ;;
		10 | *usr1) number=10 ;;
		34 | rtmin) number=34 ;;
		rtmin+2) number=36 ;;
		rtmax-1) number=63 ;;
		64) number=64 ;;
		esac
		up one . catch 1 10 15 34 36 63 64
		has one ready
		oci kill one "$name"
		quiet
		has one "caught=$number"
		wait_for 5 is_state one stopped
		gone one
	done
	up one . catch 1 15 10
	has one ready
	oci kill one
	quiet
	has one caught=15
	gone one
	up one . catch 1 15 10
	has one ready
	oci kill --signal USR1 one
	quiet
	has one caught=10
	gone one
	up one . hold 0
	for name in NOPE SIGNOPE 65 -1 4294967305 RTMIN+99 ''; do
		oci kill -- one "$name"
		fails 1 "unknown signal \"${name//+/.}"
	done
	is_state one running
	gone one
}

@test "LC-11: kill takes numbers and names in any case, and sends just that signal" { in_ns clean signals; }

# kills_four FILTER: a container of four processes, its namespaces changed by jq's map(FILTER).
kills_four() {
	local pid
	up one ".linux.namespaces |= map($1)" hold 0
	for _ in 1 2 3; do # children of hold die with it
		oci exec --detach one /bin/probe sleep 100
		silent
	done
	oci ps --format json one
	jq -r '.[]' "$T/out" >"$T/pids"
	[ "$(wc -l <"$T/pids")" = 4 ]
	oci kill one KILL
	quiet
	while read -r pid; do
		wait_for 5 test ! -d "/proc/$pid"
	done <"$T/pids"
	oci kill --all one 9
	quiet
	gone one
}

all() {
	up one . hold 3
	has one holding
	oci ps --format json one
	[ "$(jq length "$T/out")" = 4 ]
	oci kill -a one 9
	quiet
	wait_for 5 is_state one stopped
	gone one
	# With the pid namespace of others, the host's or a pod's, nothing ends with the first process.
	up pod . hold 0
	kills_four 'select(.type != "pid")'
	kills_four 'if .type == "pid" then .path = "/proc/'"$(state pod pid)"'/ns/pid" else . end'
	is_state pod running
	gone pod
}

@test "kill --all, and KILL without a pid namespace of its own, reach every process" { as_engine clean all; }

paused_killed() {
	up one . hold 2
	has one holding
	oci pause one
	quiet
	oci kill one KILL
	quiet
	wait_for 5 is_state one stopped
	oci delete one
	quiet
	up one . hold 2
	has one holding
	oci pause one
	gone one
}

@test "KILL and delete --force end a paused container" { in_ns clean paused_killed; }

frozen_above() {
	up one '.linux.cgroupsPath = "/above/one"' hold 0
	echo 1 >/sys/fs/cgroup/above/cgroup.freeze
	oci kill one KILL
	quiet
	wait_for 5 is_state one stopped
	echo 0 >/sys/fs/cgroup/above/cgroup.freeze
	gone one
	rmdir /sys/fs/cgroup/above 2>/dev/null || true
}

@test "KILL reaches a container below a group that is frozen" {
	skip_unless 'a machine with cgroup v2 alone' test -e /sys/fs/cgroup/cgroup.controllers
	in_ns clean frozen_above
}
