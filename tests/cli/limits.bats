# SPDX-License-Identifier: GPL-2.0-or-later
# limits.bats - limits, proven by exceeding them. The same on cgroup v1 and v2

load ../helpers
load common

# has CONTROLLER: on v1 or v2, and it can be used here.
has() {
	grep -qE "^[^ ]* [^ ]* cgroup [^ ]*[, ]?\b$1\b" /proc/mounts || grep -qsw "$1" /sys/fs/cgroup/cgroup.controllers
}

needs() { skip_unless "cgroup controller $1" has "$1"; }

memory() {
	coso --memory 32m /bin/probe mem 10000000
	silent
	said touched=10000000
	coso --memory 32m --memory-swap 32m /bin/probe mem 100000000
	ended 137
	lacks touched
	# In the container the program's parent lives on, and sees it.
	alpine --memory 32m --memory-swap 32m --volume "$BIN/probe:/probe" sh -c '/probe mem 100000000; echo $?'
	ended 0
	said 137
	coso --memory 32m --memory-swap 32m --init /bin/probe mem 100000000
	ended 137
	# A tmpfs is memory, too.
	alpine --memory 16m --memory-swap 16m --tmpfs /big:size=200m dd if=/dev/zero of=/big/x bs=1M count=100
	[ "$status" != 0 ]
	alpine --memory 0x20 true
	fails 125 "--memory '0x20'"
}

@test "--memory: what exceeds it is killed: 137" {
	needs memory
	in_ns clean memory
}

swap() {
	coso --memory 32m --memory-swap 200m /bin/probe mem 60000000
	silent
	coso --memory 32m --memory-swap -1 /bin/probe mem 60000000
	silent
}

@test "--memory-swap: memory and swap together" {
	needs memory
	skip_unless "swap space" awk '/SwapFree/ { exit $2 < 100000 }' /proc/meminfo
	in_ns clean swap
}

reservation() {
	coso --memory 64m --memory-reservation 16m /bin/probe mem 30000000 # soft: nobody else needs it
	silent
}

@test "--memory-reservation is a soft limit" {
	needs memory
	in_ns clean reservation
}

pids() {
	coso --pids-limit 10 /bin/probe fork 50
	ended 1
	said forked=9 'error=fork: EAGAIN'
	coso --pids-limit 60 /bin/probe fork 50
	silent
	said forked=50
	coso --pids-limit 10 --init /bin/probe fork 50
	said forked=8 # the init is one
	coso --pids-limit 10 --pid=false /bin/probe fork 50
	said forked=9
	coso --pids-limit -1 /bin/probe fork 100
	silent
	# A bomb: each process forks two more. It is stopped by the limit, and ends with the container.
	alpine --pids-limit 20 sh -c 'bomb() { bomb | bomb & }; bomb 2>/dev/null; sleep 0.5; echo alive' 2>/dev/null
	[ "$status" != 125 ]
}

@test "--pids-limit stops a fork bomb" {
	needs pids
	in_ns clean pids
}

# share FLAG...: the percentage of one CPU that a busy program got.
share() {
	coso "$@" /bin/probe spin 1
	silent
	SHARE=$(value share)
}

quota() {
	share --cpus 0.2
	((SHARE >= 8 && SHARE <= 30)) || { echo "got $SHARE %" >&2; return 1; }
	share --cpus 0.5
	((SHARE <= 60)) || { echo "got $SHARE %" >&2; return 1; }
}

@test "--cpus: a fifth of a CPU is a fifth" {
	needs cpu
	in_ns clean quota
}

first_cpu() { sed -n 's/^Cpus_allowed_list:[[:space:]]*\([0-9]*\).*/\1/p' /proc/self/status; }

# Two containers on one CPU; their shares are as their weights.
weights() {
	local cpu light heavy
	cpu=$(first_cpu)
	taskset -c "$cpu" "$BIN/coso" --rootfs "$PROBE" --network none "$1" "$2" /bin/probe spin 3 >"$T/light" 2>"$T/err" </dev/null &
	taskset -c "$cpu" "$BIN/coso" --rootfs "$PROBE" --network none "$1" "$3" /bin/probe spin 3 >"$T/heavy" 2>>"$T/err" </dev/null
	wait
	[ ! -s "$T/err" ]
	light=$(sed -n 's/^cpu=\([0-9]*\)\.\([0-9]*\)/\1\2/p' "$T/light")
	heavy=$(sed -n 's/^cpu=\([0-9]*\)\.\([0-9]*\)/\1\2/p' "$T/heavy")
	((10#$heavy > 2 * 10#$light)) || { echo "weights $2 and $3: $light and $heavy ms" >&2; return 1; }
}

by_weight() {
	weights --cpu-weight 20 400
	weights --cpu-weight 5% 100%
}

@test "--cpu-weight: two busy containers on one CPU share it by weight, or percent" {
	needs cpu
	in_ns clean by_weight
}

cpusets() {
	local cpu
	cpu=$(first_cpu)
	coso --cpuset-cpus "$cpu" /bin/probe process
	silent
	is cpus 1
	alpine --cpuset-cpus "$cpu" --cpuset-mems 0 grep _allowed_list: /proc/self/status
	silent
	said "Cpus_allowed_list:"$'\t'"$cpu" "Mems_allowed_list:"$'\t'"0"
	coso --cpuset-cpus 4000 /bin/probe exit 0
	fails 125 cpuset 4000
	coso --cpuset-mems 900 /bin/probe exit 0
	fails 125 cpuset 900
}

@test "--cpuset-cpus and --cpuset-mems" {
	needs cpuset
	in_ns clean cpusets
}

# The weight is there, or what it takes is named.
io_weight() {
	coso --io-weight 500 --name weighed /bin/probe exit 0
	if [ "$status" != 0 ]; then
		fails 125 'blkio|\bio\b'
		return
	fi
	silent
	"$BIN/coso" --rootfs "$PROBE" --network none --io-weight 500 --name weighed /bin/probe sleep 20 >"$T/out" 2>"$T/err" </dev/null &
	wait_for 10 grep -q sleeping "$T/out"
	cat /sys/fs/cgroup/{,blkio/}coso/weighed/{io.weight,io.bfq.weight,blkio.weight,blkio.bfq.weight} 2>/dev/null | grep -qw '500\|5000'
	"$BIN/coso" kill weighed
	wait
}

@test "--io-weight is set, or the controller that is missing is named" { in_ns clean io_weight; }

profiles() {
	coso --profile barco /bin/probe fork 100
	said forked=63
	coso --profile mydocker --io-weight 0 /bin/probe exit 0
	fails 125 "--io-weight '0'"
	coso --profile barco --pids-limit 10 /bin/probe fork 100
	said forked=9
	"$BIN/coso" explain --profile barco --rootfs "$PROBE" >"$T/out"
	grep -q 'memory.*1073741824' "$T/out"
	grep -q 'pids.* 64' "$T/out"
	coso --profile no-such /bin/probe exit 0
	fails 125 "--profile 'no-such'" 'barco'
}

@test "--profile barco: its three limits, and flags on top of them win" {
	needs memory
	needs pids
	needs cpu
	in_ns clean profiles
}

many_controllers() {
	local group cpus=()
	! has cpuset || cpus=(--cpuset-cpus "$(first_cpu)")
	"$BIN/coso" --rootfs "$PROBE" --network none --name every --memory 64m --pids-limit 20 --cpus 0.5 --cpu-weight 200 "${cpus[@]}" \
		--init /bin/probe sleep 20 >"$T/out" 2>"$T/err" </dev/null &
	wait_for 10 grep -q sleeping "$T/out"
	[ "$(find /sys/fs/cgroup -type d -path '*/coso/every' | wc -l)" -gt 0 ]
	# All of its processes are in all of its groups.
	while read -r group; do
		[ "$(wc -l <"$group/cgroup.procs")" = 2 ] || { echo "$group: $(<"$group/cgroup.procs")" >&2; return 1; }
	done < <(find /sys/fs/cgroup -type d -path '*/coso/every')
	"$BIN/coso" kill every
	wait
}

@test "several limits at once, on every process, and no group is left" {
	needs memory
	needs pids
	needs cpu
	in_ns clean many_controllers
}

not_possible() {
	# What there is no controller for is an error, never silence.
	local mount
	mount -t tmpfs -o ro none /sys/fs/cgroup
	coso --memory 64m /bin/probe exit 0
	fails 125 memory 'cgroup|control group'
	coso --pids-limit 5 /bin/probe exit 0
	fails 125 pids
	coso --cpus 1 /bin/probe exit 0
	fails 125 cpu
	coso --cpuset-cpus 0 /bin/probe exit 0
	fails 125 cpuset
	coso --io-weight 100 /bin/probe exit 0
	fails 125 'io'
	coso /bin/probe exit 0
	ended 0
	umount /sys/fs/cgroup
}

@test "a limit without its controller is an error that names it; no limit needs none" { in_ns clean not_possible; }
