# SPDX-License-Identifier: GPL-2.0-or-later
# systemd.bats - control groups that systemd makes: --systemd-cgroup, on cgroup v2; and what differs on v1
#
# Section 6.2 of the contract. It takes systemd as PID 1: KERNEL_CGROUP=systemd or systemd-v1, scripts/kernel-under-test. Containers are in the sandbox,
# but their groups aren't: units belong to the machine's systemd, and each is called by $UNITS, so that none but the test's own is touched.

load ../helpers
load ../cli/common
load common

export OCI_OPTIONS=--systemd-cgroup

setup() {
	common_setup
	export UNITS=cosotest${T##*.}
}

teardown() {
	local failed=0 left=''
	[ ! -S /run/systemd/private ] || left=$(units)
	if [ -n "$left" ]; then
		echo "units left after the test: $left" >&2
		# shellcheck disable=SC2086 # words are meant
		systemctl stop $left >/dev/null 2>&1
		failed=1
	fi
	common_teardown || failed=1
	return $failed
}

# with_systemd CMD...: in_ns, where the machine's systemd and groups can be reached; with_systemd_v1: the same on v1.
with_systemd() {
	skip_unless 'systemd as PID 1' test "$(</proc/1/comm)" = systemd -a -S /run/systemd/private
	skip_unless 'cgroup v2 alone' test -e /sys/fs/cgroup/cgroup.controllers
	reach_systemd "$@"
}
with_systemd_v1() {
	skip_unless 'systemd as PID 1' test "$(</proc/1/comm)" = systemd -a -S /run/systemd/private
	skip_unless 'devices on cgroup v1' test -e /sys/fs/cgroup/devices/devices.list
	reach_systemd "$@"
}
reach_systemd() {
	COSO_TEST_PATHS=$COSO_TEST_PATHS:/run/systemd:/run/dbus COSO_TEST_CGROUPS=host in_ns "$@"
}

# units: those of this test that systemd knows of.
units() { systemctl list-units --all --plain --no-legend "*$UNITS*" | cut -d' ' -f1; }
no_units() { [ -z "$(units)" ]; }

# property UNIT NAME VALUE: systemd's word.
property() {
	local is
	is=$(systemctl show --property "$2" --value "$1")
	[ "$is" = "$3" ] || { echo "$2 of $1 is '$is', not '$3'" >&2; return 1; }
}

# file GROUP NAME VALUE: the kernel's.
file() {
	local is
	is=$(<"/sys/fs/cgroup$1/$2")
	[ "$is" = "$3" ] || { echo "$2 of $1 is '$is', not '$3'" >&2; return 1; }
}

path() { echo ".linux.cgroupsPath = \"$1\""; }

# groupless: nothing of this test is in the hierarchy.
groupless() {
	local left
	left=$(find /sys/fs/cgroup -name "*$UNITS*")
	[ -z "$left" ] || { echo "groups left: $left" >&2; return 1; }
}

whole_life() {
	local unit=$UNITS-one.scope group=/system.slice/$UNITS-one.scope pid
	bundle one "$(path "system.slice:$UNITS:one")" hold 0
	create one
	quiet
	pid=$(state one pid)
	property "$unit" ActiveState active
	property "$unit" Slice system.slice
	property "$unit" Delegate yes
	property "$unit" ControlGroup "$group"
	property "$unit" Description 'coso container one'
	grep -qx "0::$group" "/proc/$pid/cgroup"
	file "$group" cgroup.procs "$pid" # and nothing else: who kept it alive is gone
	oci start one
	quiet
	has one holding
	oci exec --detach --pid-file "$T/pid" one /bin/probe sleep 50
	silent
	grep -qx "0::$group" "/proc/$(<"$T/pid")/cgroup"
	oci ps --format json one
	[ "$(jq length "$T/out")" = 2 ]
	oci events --stats one
	jq -e '.data.pids.current == 2' "$T/out"
	oci pause one
	quiet
	is_state one paused
	file "$group" cgroup.freeze 1
	oci resume one
	quiet
	is_state one running
	file "$group" cgroup.freeze 0
	oci kill --all one KILL
	quiet
	wait_for 10 is_state one stopped
	oci delete one
	quiet
	no_units
	groupless
	[ ! -e /run/coso-oci/one ]
}

@test "6.2: create, start, exec, ps, pause, resume, kill, delete: a scope of systemd's comes and goes" { with_systemd whole_life; }

limits() {
	local unit=$UNITS-one.scope group=/system.slice/$UNITS-one.scope
	up one "$(path "system.slice:$UNITS:one")"' | .linux.resources += { memory: { limit: 67108864, reservation: 33554432 }, pids: { limit: 33 },
		cpu: { shares: 512, quota: 50000, period: 200000 }, unified: { "memory.high": "50331648" } }' hold 0
	for round in properties reloaded; do
		property "$unit" MemoryMax 67108864
		property "$unit" MemoryLow 33554432
		property "$unit" MemoryHigh 50331648
		property "$unit" TasksMax 33
		property "$unit" CPUWeight 59
		property "$unit" CPUQuotaPerSecUSec 250ms
		property "$unit" CPUQuotaPeriodUSec 200ms
		file "$group" memory.max 67108864
		file "$group" memory.low 33554432
		file "$group" memory.high 50331648
		file "$group" pids.max 33
		file "$group" cpu.weight 59
		file "$group" cpu.max '50000 200000'
		[ $round = reloaded ] || systemctl daemon-reload
	done
	oci update --memory 96m --memory-reservation 48m --pids-limit 44 --cpu-quota 20000 --cpu-share 256 one
	quiet
	for round in properties reloaded; do
		property "$unit" MemoryMax 100663296
		property "$unit" MemoryLow 50331648
		property "$unit" TasksMax 44
		property "$unit" CPUWeight 35
		property "$unit" CPUQuotaPerSecUSec 100ms
		file "$group" memory.max 100663296
		file "$group" memory.low 50331648
		file "$group" pids.max 44
		file "$group" cpu.weight 35
		file "$group" cpu.max '20000 200000'
		[ $round = reloaded ] || systemctl daemon-reload
	done
	oci update --cpu-quota 33333 --cpu-period 100000 one # systemd counts in percents; the group needn't
	quiet
	property "$unit" CPUQuotaPerSecUSec 340ms
	file "$group" cpu.max '33333 100000'
	oci update --memory -1 --pids-limit -1 --cpu-quota -1 one
	quiet
	property "$unit" MemoryMax infinity
	property "$unit" TasksMax infinity
	property "$unit" CPUQuotaPerSecUSec infinity
	file "$group" memory.max max
	file "$group" pids.max max
	oci update --pids-limit 5 --blkio-weight 9999 one # all of it or nothing
	fails 1 weight
	property "$unit" TasksMax infinity
	file "$group" pids.max max
	gone one
	no_units
}

@test "6.4: limits are properties of the unit and values of the group; update changes both" { with_systemd limits; }

places() {
	local pid
	up one "$(path "$UNITS-in.slice:pre:one")" hold 0
	grep -qx "0::/$UNITS.slice/$UNITS-in.slice/pre-one.scope" "/proc/$(state one pid)/cgroup"
	property pre-one.scope Slice "$UNITS-in.slice"
	gone one
	systemctl stop "$UNITS.slice" # a slice that came by itself is systemd's
	up one "$(path "::$UNITS")" hold 0
	grep -qx "0::/system.slice/$UNITS.scope" "/proc/$(state one pid)/cgroup"
	gone one
	up one "$(path "-:$UNITS:root")" hold 0
	grep -qx "0::/$UNITS-root.scope" "/proc/$(state one pid)/cgroup"
	gone one
	up "$UNITS" 'del(.linux.cgroupsPath)' hold 0
	grep -qx "0::/system.slice/coso-$UNITS.scope" "/proc/$(state "$UNITS" pid)/cgroup"
	gone "$UNITS"
	up one "$(path "system.slice:$UNITS:$UNITS.slice") | .linux.resources.pids.limit = 7" hold 0
	grep -qx "0::/$UNITS.slice" "/proc/$(state one pid)/cgroup"
	property "$UNITS.slice" TasksMax 7
	gone one
	no_units
	groupless
}

@test "6.2: slices, their expansion, the default name, and a unit that is a slice" { with_systemd places; }

properties() {
	up one "$(path ":$UNITS:one")"' | .annotations = { "org.systemd.property.TimeoutStopSec": "uint64 7", "org.systemd.property.CollectMode": "'\''inactive-or-failed'\''",
		"org.systemd.property.Documentation": "['\''man:one(7)'\'', '\''man:two(7)'\'']" }' hold 0
	property "$UNITS-one.scope" TimeoutStopUSec 7s
	property "$UNITS-one.scope" CollectMode inactive-or-failed
	property "$UNITS-one.scope" Documentation '"man:one(7)" "man:two(7)"'
	gone one
	refuses "$(path ":$UNITS:c")"' | .annotations = { "org.systemd.property.NoSuchThing": "1" }' systemd NoSuchThing
	refuses "$(path ":$UNITS:c")"' | .annotations = { "org.systemd.property.TimeoutStopSec": "seven" }' TimeoutStopSec
	no_units
	groupless
}

@test "6.2: annotations are properties of the unit; one that systemd doesn't know is an error" { with_systemd properties; }

failures() {
	refuses "$(path ":$UNITS:c")"' | .linux.resources.unified = { "memory.max": "much" }' memory.max # the unit is there by then
	refuses "$(path ":$UNITS:c")"' | .hooks.createRuntime = [{ path: "/bin/false" }]' createRuntime
	refuses "$(path ":$UNITS:c")"' | .mounts += [{ destination: "/x", type: "bind", source: "/not/there", options: ["bind"] }]' /not/there
	no_units
	groupless
	bundle c "$(path ":$UNITS:c")" ids
	jq '.process.args = ["/bin/nothing"]' "$T/c/config.json" >"$T/config"
	mv "$T/config" "$T/c/config.json"
	oci run --bundle "$T/c" c
	[ $status != 0 ]
	wait_for 5 no_units
	groupless
	# One that is taken stays whose it is.
	up one "$(path ":$UNITS:one")" hold 0
	refuses "$(path ":$UNITS:one")" systemd "$UNITS-one.scope"
	property "$UNITS-one.scope" ActiveState active
	is_state one running
	gone one
	no_units
}

@test "6.2: a create that fails leaves no unit; a unit that is there isn't taken over" { with_systemd failures; }

endings() {
	bundle c "$(path ":$UNITS:c")"' | .linux.resources.pids.limit = 5' fork 20
	oci run --bundle "$T/c" c
	is forked 4 # whoever kept the scope alive doesn't count
	wait_for 5 no_units
	bundle c "$(path ":$UNITS:c")"' | .linux.resources.memory.limit = 33554432' mem 134217728
	oci run --bundle "$T/c" c
	[ $status = 137 ]
	wait_for 5 no_units # nor one that failed
	up one "$(path ":$UNITS:one")" hold 3
	has one holding
	oci delete one
	fails 1 'not stopped'
	property "$UNITS-one.scope" ActiveState active
	gone one # with all that runs in it, by force
	no_units
	up one "$(path ":$UNITS:one")" hold 3
	oci pause one
	quiet
	gone one
	no_units
	# Who stops the unit ends the container.
	up one "$(path ":$UNITS:one")" hold 0
	systemctl stop "$UNITS-one.scope"
	wait_for 5 is_state one stopped
	oci delete one
	quiet
	up one "$(path ":$UNITS:one")" hold 0
	gone one
	groupless
}

@test "6.2: limits hold; run, delete --force and systemctl stop end it all" { with_systemd endings; }

delegated() {
	local group=/sys/fs/cgroup/system.slice/$UNITS-one.scope
	up one "$(path ":$UNITS:one")"' | .process.user = { uid: 1000, gid: 1000 } | .mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)' hold 0
	[ "$(stat -c %u "$group")" = 1000 ]
	[ "$(stat -c %u "$group/cgroup.procs")" = 1000 ]
	[ "$(stat -c %u "$group/pids.max")" = 0 ]
	gone one
	no_units
}

@test "CG-09: the scope is given to the program's user" { with_systemd delegated; }

unreachable() {
	bundle c '.linux.cgroupsPath = "system.slice:coso:c"' ids
	oci create --bundle "$T/c" c
	fails 1 'reach systemd' 'no such file'
	[ ! -e /run/coso-oci/c ]
}

@test "6.2: without systemd, --systemd-cgroup says so" { in_ns unreachable; }

on_v1() {
	local unit=$UNITS-one.scope group=/system.slice/$UNITS-one.scope pid top=/sys/fs/cgroup
	bundle one "$(path "system.slice:$UNITS:one")"' | .linux.resources += { memory: { limit: 33554432 }, pids: { limit: 20 } } |
		.linux.resources.devices += [{ allow: true, type: "b", major: 7, minor: 0, access: "r" }, { allow: true, type: "b", major: 8, access: "r" }]' hold 0
	create one
	quiet
	pid=$(state one pid)
	for controller in devices memory pids; do
		grep -q ":$controller:$group\$" "/proc/$pid/cgroup"
	done
	[ "$(<$top/memory$group/memory.limit_in_bytes)" = 33554432 ]
	[ "$(<$top/pids$group/pids.max)" = 20 ]
	sort "$top/devices$group/devices.list" >"$T/devices"
	grep -qx 'b 7:0 r' "$T/devices"
	grep -qx 'b 8:\* r' "$T/devices"
	lacks '^a' "$T/devices"
	# systemd applies the unit anew.
	systemctl daemon-reload
	sort "$top/devices$group/devices.list" | diff "$T/devices" -
	systemctl set-property --runtime "$unit" CPUShares=200
	sort "$top/devices$group/devices.list" | diff "$T/devices" -
	oci update --pids-limit 30 one
	quiet
	property "$unit" TasksMax 30
	[ "$(<$top/pids$group/pids.max)" = 30 ]
	oci pause one
	quiet
	oci kill one KILL
	quiet
	wait_for 5 is_state one stopped
	oci delete one
	quiet
	no_units
	groupless
}

@test "6.2 6.4: on v1: limits hold, and systemd knows the devices that are allowed" { with_systemd_v1 on_v1; }
