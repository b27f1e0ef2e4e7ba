# SPDX-License-Identifier: GPL-2.0-or-later
# cgroups.bats - control groups of containers: where they are, limits, update, pause, ps, events
#
# Rows CG and RS, sections 3.9 to 3.12 and 6 of the contract. The host under test decides what is v1 and what v2.

load ../helpers
load ../cli/common
load common

# group CONTROLLER PATH: the folder of a group in the hierarchy that has the controller.
group() {
	local mount
	mount=$(awk -v c="$1" '$3 == "cgroup" && ("," $4 ",") ~ ("," c ",") { print $2; exit }' /proc/mounts)
	[ -n "$mount" ] || mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	echo "$mount$2"
}

# setting CONTROLLER V1-FILE V2-FILE PATH: what the kernel says.
setting() {
	local folder
	folder=$(group "$1" "$4")
	if [ -e "$folder/$2" ]; then cat "$folder/$2"; else cat "$folder/$3"; fi
}

v1() { [ -e "$(group "$1" "")/cgroup.clone_children" ]; }

paths() {
	local pid
	up one '.linux.cgroupsPath = "/made/here"' hold 0
	pid=$(state one pid)
	for controller in pids memory cpu devices freezer; do
		[ ! -d "$(group $controller "")" ] || grep -qx "$pid" "$(group $controller /made/here)/cgroup.procs"
	done
	grep -q ':/made/here$' "/proc/$pid/cgroup"
	gone one
	for round in 1 2; do # the same path, each time
		up one '.linux.cgroupsPath = "rela/tive"' hold 0
		grep ':.*rela/tive$' "/proc/$(state one pid)/cgroup" | cut -d: -f2- | sort >"$T/round$round"
		gone one
	done
	[ -s "$T/round1" ]
	diff "$T/round1" "$T/round2"
	up one . hold 0
	grep -qE '/coso/one@[0-9a-f]+\.[0-9a-f]+$' "/proc/$(state one pid)/cgroup"
	gone one
	up one '.linux.cgroupsPath = "/../../../made/x"' hold 0
	grep -q ':/made/x$' "/proc/$(state one pid)/cgroup"
	gone one
	runs '.linux.cgroupsPath = "/in/side"' process # as seen from its namespace
	grep '^cgroup=' "$T/out" >"$T/seen"
	lacks 'in/side' "$T/seen"
}

@test "CG-01 to CG-04, CG-06 CG-08: the group is where cgroupsPath says, made if missing, gone afterwards" { in_ns clean paths; }

kept() {
	local folder
	folder=$(group pids /old)
	mkdir "$folder"
	up one '.linux.cgroupsPath = "/old"' hold 0
	grep -qx "$(state one pid)" "$folder/cgroup.procs"
	gone one
	[ -d "$folder" ] # it isn't ours to remove
	rmdir "$folder"
	mkdir "$folder"
	up one '.linux.cgroupsPath = "/old/new"' hold 0
	gone one
	[ -d "$folder" ]
	[ ! -d "$folder/new" ]
	rmdir "$folder"
}

@test "CG-06 LC-15: a group that was there stays" { in_ns clean kept; }

# A manager that isn't told again.
disabled() {
	local pid before
	before=$(find /sys/fs/cgroup -type d | sort)
	bundle one '.linux.resources.memory.limit = 67108864 | .linux.cgroupsPath = "/one"' hold 0
	status=0
	"$BIN/coso-oci" --cgroup-manager disabled create --bundle "$T/one" --pid-file "$T/pid" one >"$T/one.out" 2>"$T/err" </dev/null || status=$?
	[ $status = 0 ] && [ ! -s "$T/err" ]
	pid=$(<"$T/pid")
	[ "$(find /sys/fs/cgroup -type d | sort)" = "$before" ]
	diff "/proc/$pid/cgroup" /proc/self/cgroup
	oci start one
	quiet
	oci ps --format json one
	said "[$pid]"
	oci kill one KILL
	quiet
	wait_for 5 is_state one stopped
	gone one
}

@test "E: --cgroup-manager disabled: no group is made, and later commands know" { in_ns clean disabled; }

limits() {
	up one '.linux.cgroupsPath = "/one" | .linux.resources += { memory: { limit: 67108864, reservation: 33554432 }, cpu: { shares: 512, quota: 50000, period: 100000 },
		pids: { limit: 33 } }' hold 0
	[ "$(setting memory memory.limit_in_bytes memory.max /one)" = 67108864 ]
	[ "$(setting memory memory.soft_limit_in_bytes memory.low /one)" = 33554432 ]
	[ "$(setting pids pids.max pids.max /one)" = 33 ]
	[[ $(setting cpu cpu.cfs_quota_us cpu.max /one) =~ ^50000( 100000)?$ ]]
	[[ $(setting cpu cpu.shares cpu.weight /one) =~ ^(512|59|20)$ ]]
	gone one
	up one '.linux.cgroupsPath = "/one" | .linux.resources += { memory: { limit: -1 }, pids: { limit: -1 }, cpu: { quota: -1 } }' hold 0
	[ "$(setting pids pids.max pids.max /one)" = max ]
	gone one
	up one '.linux.cgroupsPath = "/one" | del(.linux.resources)' hold 0
	[ "$(setting pids pids.max pids.max /one)" = max ]
	gone one
	# They hold.
	bundle c '.linux.resources.pids.limit = 5' fork 20
	oci run --bundle "$T/c" c
	is forked 4
	is error 'fork: EAGAIN'
	bundle c '.linux.resources.memory.limit = 33554432' mem 134217728
	oci run --bundle "$T/c" c
	[ $status = 137 ]
	bundle c '.linux.resources.pids.limit = 0' fork 1
	oci run --bundle "$T/c" c
	is error 'fork: EAGAIN'
}

@test "RS-01 RS-02 RS-10 RS-11 RS-13 RS-25 RS-29: limits are set, and hold" { in_ns clean limits; }

# What the launcher needs in the group until the program is there counts too.
tiny() {
	local i
	for i in {1..5}; do
		runs '.linux.resources.memory.limit = 524288' ids
		is uid 0
	done
}

@test "a container starts with 512 KiB of memory" { in_ns clean tiny; }

cpus() {
	up one '.linux.cgroupsPath = "/one" | .linux.resources.cpu = { cpus: "0", mems: "0" }' hold 0
	[ "$(setting cpuset cpuset.cpus cpuset.cpus /one)" = 0 ]
	[ "$(setting cpuset cpuset.mems cpuset.mems /one)" = 0 ]
	grep -q '^Cpus_allowed_list:.*\s0$' "/proc/$(state one pid)/status"
	gone one
	up one '.linux.cgroupsPath = "/one"' hold 0
	oci update --cpuset-cpus 0 --cpuset-mems 0 one
	quiet
	[ "$(setting cpuset cpuset.cpus cpuset.cpus /one)" = 0 ]
	[ "$(setting cpuset cpuset.mems cpuset.mems /one)" = 0 ]
	gone one
}

@test "RS-15 3.11: CPUs and memory nodes, at the start and by update" {
	skip_unless 'the cgroup controller cpuset' grep -q '^cpuset' /proc/cgroups
	in_ns clean cpus
}

wrong_limits() {
	refuses '.linux.resources.blockIO.weight = 5' weight
	refuses '.linux.resources.blockIO.weight = 1001' weight
	refuses '.linux.resources.blockIO.weightDevice = [{ major: 8, minor: 0 }]' weightDevice
	refuses '.linux.resources.cpu.cpus = "none"' cpus
	refuses '.linux.resources.cpu.cpus = "4096"' cpu
	refuses '.linux.resources.cpu.period = 1' period
	refuses '.linux.resources.cpu = { realtimeRuntime: 1000000000000, realtimePeriod: 1000 }' 'rt_|realtime'
	refuses '.linux.resources.hugepageLimits = [{ pageSize: "3MB", limit: 0 }]' '3MB|hugetlb'
	refuses '.linux.resources.rdma = { "nodevice9": { hcaHandles: 3 } }' 'rdma|nodevice9'
	refuses '.linux.resources.network.priorities = [{ name: "noif0", priority: 3 }]' 'noif0|net_prio'
	refuses '.linux.resources.unified = { "a/b": "1" }' 'a/b|unified'
	refuses '.linux.resources.unified = { "no.such": "1" }' 'no.such|unified'
	refuses '.linux.resources.memory.limit = "64M"' limit
	if v1 pids; then
		refuses '.linux.resources.unified = { "pids.max": "7" }' 'unified|pids.max'
	fi
	[ -z "$(find /sys/fs/cgroup -type d \( -name c -o -name "c@*" \))" ]
}

@test "RS-03 to RS-28: limits that can't be set are errors, and no group is left" { in_ns clean wrong_limits; }

updates() {
	up one '.linux.cgroupsPath = "/one" | .linux.resources += { memory: { limit: 67108864 }, pids: { limit: 33 }, cpu: { quota: 50000, period: 100000 } }' hold 0
	oci update --pids-limit 44 one
	quiet
	[ "$(setting pids pids.max pids.max /one)" = 44 ]
	[ "$(setting memory memory.limit_in_bytes memory.max /one)" = 67108864 ]
	oci update --memory 96m --memory-reservation 48m one
	quiet
	[ "$(setting memory memory.limit_in_bytes memory.max /one)" = 100663296 ]
	[ "$(setting memory memory.soft_limit_in_bytes memory.low /one)" = 50331648 ]
	oci update --cpu-quota 25000 one # the period stays
	quiet
	[[ $(setting cpu cpu.cfs_quota_us cpu.max /one) =~ ^25000( 100000)?$ ]]
	oci update --cpu-share 256 --kernel-memory 1g --kernel-memory-tcp 1g one
	quiet
	[[ $(setting cpu cpu.shares cpu.weight /one) =~ ^(256|35|10)$ ]]
	for form in --resources=- '--resources -' '-r -'; do
		status=0
		# shellcheck disable=SC2086 # words are meant
		echo '{"memory":{"limit":83886080},"pids":{"limit":55},"unknown":7,"devices":[{"allow":true,"access":"rwm"}]}' |
			"$BIN/coso-oci" update $form one >"$T/out" 2>"$T/err" || status=$?
		quiet
	done
	[ "$(setting memory memory.limit_in_bytes memory.max /one)" = 83886080 ]
	[ "$(setting pids pids.max pids.max /one)" = 55 ]
	echo '{"pids":{"limit":66},"memory":{"limit":0},"cpu":{"quota":0,"shares":0}}' >"$T/resources"
	oci update --resources "$T/resources" one
	quiet
	[ "$(setting pids pids.max pids.max /one)" = 66 ]
	[ "$(setting memory memory.limit_in_bytes memory.max /one)" = 83886080 ]
	[[ $(setting cpu cpu.cfs_quota_us cpu.max /one) =~ ^25000 ]]
	oci update --pids-limit -1 --memory -1 one
	quiet
	[ "$(setting pids pids.max pids.max /one)" = max ]
	oci update --blkio-weight 9999 one
	fails 1 weight
	oci update --memory none one
	fails 1 memory
	echo '{"pids":{"limit":77},"cpu":{"cpus":"4096"}}' >"$T/resources" # all of it or nothing
	oci update -r "$T/resources" one
	ended 1
	[ "$(setting pids pids.max pids.max /one)" = max ]
	oci update -r "$T/none" one
	fails 1 'no such file or directory'
	gone one
	bundle one '.linux.cgroupsPath = "/one"' hold 0
	create one
	oci update --pids-limit 7 one
	quiet
	[ "$(setting pids pids.max pids.max /one)" = 7 ]
	gone one
}

@test "3.11: update: options, JSON from a file or stdin; what isn't given stays; a failure changes nothing" { in_ns clean updates; }

check_before() {
	up one '.linux.cgroupsPath = "/one" | .linux.resources.memory.limit = 134217728' hold 0
	oci exec --detach --pid-file "$T/pid" one /bin/probe memhold 33554432
	wait_for 10 big_enough
	echo '{"memory":{"limit":8388608,"checkBeforeUpdate":true}}' >"$T/resources"
	oci update -r "$T/resources" one
	fails 1 'rejecting memory limit'
	[ "$(setting memory memory.limit_in_bytes memory.max /one)" = 134217728 ]
	gone one
}
big_enough() { [ "$(setting memory memory.usage_in_bytes memory.current /one)" -gt 30000000 ]; }

@test "RS-09: checkBeforeUpdate refuses a limit below what is used" { in_ns clean check_before; }

# update of a container whose group isn't in the hierarchy of what is now limited.
extended() {
	up one . hold 1
	has one holding
	oci update --memory 64m --pids-limit 22 one
	quiet
	[ "$(setting memory memory.limit_in_bytes memory.max "$(in_memory)")" = 67108864 ]
	oci pause one
	quiet
	is_state one paused
	oci resume one
	quiet
	oci ps --format json one
	[ "$(jq length "$T/out")" = 2 ]
	gone one
}
in_memory() { sed -n 's/^[0-9]*:\(memory\|\):\(.*\/one@.*\)$/\2/p' "/proc/$(state one pid)/cgroup" | tail -n 1; }

@test "update and pause of a container with no more than the groups that it needed" { in_ns clean extended; }

frozen() {
	local before
	up one '.linux.cgroupsPath = "/one"' spin 60
	oci pause one
	quiet
	before=$(cut -d' ' -f14 "/proc/$(state one pid)/stat")
	sleep 0.3
	[ "$(cut -d' ' -f14 "/proc/$(state one pid)/stat")" = "$before" ]
	is_state one paused
	oci list --format json
	jq -e '.[0].status == "paused"' "$T/out"
	oci update --pids-limit 9 one
	quiet
	oci resume one
	quiet
	wait_for 5 spins "$before"
	gone one
}
spins() { [ "$(cut -d' ' -f14 "/proc/$(state one pid)/stat")" -gt "$1" ]; }

@test "3.10: pause stops all of it, and resume lets it go on" { in_ns clean frozen; }

processes() {
	up one . hold 2
	has one holding
	oci ps -f json one
	silent
	jq -e 'type == "array" and length == 3 and all(type == "number")' "$T/out"
	oci ps one -o pid,args
	silent
	[ "$(grep -c '/bin/probe hold 2' "$T/out")" = 3 ]
	oci ps one -o args
	fails 1 PID
	oci ps one --no-such-option
	fails 1 ps
	gone one
}

@test "3.9: ps: as JSON, and with options of ps" { in_ns clean processes; }

full() {
	up one . hold 2
	has one holding
	oci ps -f json one
	jq -r '.[]' "$T/out" | sort >"$T/json"
	oci ps one
	silent
	head -n 1 "$T/out" | grep -q PID
	awk 'NR > 1 { print $2 }' "$T/out" | sort | diff - "$T/json"
	gone one
}

@test "3.9: ps: as ps -ef prints it" {
	skip_unless 'a time of boot that ps can read' ps -ef
	in_ns clean full
}

events() {
	up one '.linux.cgroupsPath = "/one" | .linux.resources += { memory: { limit: 67108864 }, pids: { limit: 33 } }' hold 1
	has one holding
	oci events --stats one
	silent
	[ "$(wc -l <"$T/out")" = 1 ]
	jq -e '.type == "stats" and .id == "one" and .data.pids.current == 2 and .data.pids.limit == 33 and .data.memory.usage.limit == 67108864 and
		.data.memory.usage.usage > 0 and (.data.memory.raw | type) == "object" and .data.cpu.usage.total > 0 and (.data.cpu | has("throttling")) and
		(.data | has("blkio"))' "$T/out"
	for wrong in 0s -1s 5 x; do
		oci events "--interval=$wrong" one
		fails 1 interval
	done
	"$BIN/coso-oci" events --interval 100ms one >"$T/events" 2>"$T/err" &
	wait_for 5 two_lines
	oci kill one KILL
	wait $! # it ends with the container
	jq -es 'all(.type == "stats")' "$T/events"
	gone one
}
two_lines() { [ "$(wc -l <"$T/events")" -ge 2 ]; }

@test "3.12: events: once, and at intervals until the container ends" { in_ns clean events; }

out_of_memory() {
	up one '.linux.cgroupsPath = "/one" | .linux.resources.memory = { limit: 33554432 }' hold 0
	"$BIN/coso-oci" events --interval 60s one >"$T/events" 2>"$T/err" &
	wait_for 5 watching $!
	oci exec one /bin/probe mem 134217728
	[ $status = 137 ]
	wait_for 5 grep -q '"type":"oom","id":"one"' "$T/events"
	gone one
	wait
}
watching() { grep -qE 'memory.oom_control|eventfd|inotify' <(ls -l "/proc/$1/fd" 2>/dev/null); }

@test "3.12: events: oom" { in_ns clean out_of_memory; }

delegated() {
	local folder
	folder=$(group nothing-has-this /one)
	up one '.linux.cgroupsPath = "/one" | .process.user = { uid: 1000, gid: 1000 } | .mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)' hold 0
	if ! v1 memory; then
		[ "$(stat -c %u:%g "$folder")" = 1000:1000 ]
		[ "$(stat -c %u "$folder/cgroup.procs")" = 1000 ]
		[ "$(stat -c %u "$folder/memory.max")" = 0 ]
	else
		[ "$(stat -c %u "$(group memory /one)")" = 0 ] # v1 is never given away
	fi
	oci exec one /bin/probe ids
	ended 0
	gone one
	# Of a user namespace's root: what joins that, for an exec, has to get into the group all the same.
	bundle one '.linux.cgroupsPath = "/one" | .linux.namespaces += [{ type: "user" }] | .mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end) |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings' hold 0
	create one
	quiet
	oci start one
	v1 memory || [ "$(stat -c %u:%g "$folder")" = 100000:100000 ]
	oci exec one /bin/probe ids
	ended 0
	is uid 0
	grep -q "/one$" "/proc/$(state one pid)/cgroup"
	gone one
}

@test "CG-09 CG-10: the group is given to the program's user on v2 only, and exec gets into it" { in_ns clean delegated; }

systemd_form() {
	bundle c '.linux.cgroupsPath = "not-three-parts"' ids
	oci --systemd-cgroup create --bundle "$T/c" c
	fails 1 'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "not-three-parts" instead'
	bundle c '.linux.cgroupsPath = "machine.slice:coso:c"' ids
	oci --systemd-cgroup create --bundle "$T/c" c
	[ $status = 0 ] || grep -qi systemd "$T/err" # there may be none here
	[ $status != 0 ] || gone c
	[ ! -e /run/coso-oci/c ]
}

@test "CG-05 6.2: --systemd-cgroup takes slice:prefix:name, and needs systemd" { in_ns systemd_form; }
