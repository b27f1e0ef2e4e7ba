# SPDX-License-Identifier: GPL-2.0-or-later
# attributes.bats - scheduler, I/O priority, CPUs, memory policy, personality, labels, clocks, RDT
#
# Rows PR-24 to PR-36, MP, LX-PER, LX-LBL, NS-08 NS-21 and RD of the contract.

load ../helpers
load ../cli/common
load common

scheduler() {
	runs '.process.scheduler = { policy: "SCHED_BATCH", nice: 7 }' attributes
	is sched.policy 3
	is sched.nice 7
	runs '.process.scheduler = { policy: "SCHED_IDLE" }' attributes
	is sched.policy 5
	runs '.process.scheduler = { policy: "SCHED_OTHER", nice: 10, flags: ["SCHED_FLAG_RESET_ON_FORK"] }' attributes
	is sched.policy 0
	is sched.nice 10
	is sched.flags 1
	runs . attributes
	is sched.policy 0
	is sched.nice "$(nice)"
	up box . hold 0
	jq '.process | .args = ["/bin/probe", "attributes"] | .scheduler = { policy: "SCHED_BATCH", nice: 3 }' "$T/box/config.json" >"$T/process"
	oci exec --process "$T/process" box
	ended 0
	is sched.policy 3
	is sched.nice 3
	gone box
}

@test "PR-28 PR-29 PR-30: scheduler: policy, nice, flags" { in_ns clean scheduler; }

real_time() {
	runs '.process.scheduler = { policy: "SCHED_FIFO", priority: 9 }' attributes
	is sched.policy 1
	is sched.priority 9
	runs '.process.scheduler = { policy: "SCHED_RR", priority: 3 }' attributes
	is sched.policy 2
}

@test "PR-29: scheduler: real-time priorities" {
	skip_unless 'real-time scheduling in a group' in_ns chrt -f 5 true
	in_ns clean real_time
}

deadline() {
	runs '.process.scheduler = { policy: "SCHED_DEADLINE", runtime: 2000000, deadline: 6000000, period: 12000000 }' attributes
	is sched.policy 6
	is sched.times '2000000 6000000 12000000'
}

@test "PR-31: scheduler: deadlines" {
	skip_unless 'deadline scheduling' in_ns chrt -d --sched-runtime 1000000 --sched-deadline 5000000 --sched-period 10000000 0 true
	in_ns clean deadline
}

wrong_scheduler() {
	refuses '.process.scheduler = { policy: "SCHED_MAGIC" }' SCHED_MAGIC
	refuses '.process.scheduler = { policy: "SCHED_ISO" }' SCHED_ISO
	refuses '.process.scheduler = {}' policy
	refuses '.process.scheduler = { policy: "SCHED_OTHER", priority: 5 }' priority
	refuses '.process.scheduler = { policy: "SCHED_OTHER", flags: ["SCHED_FLAG_MAGIC"] }' SCHED_FLAG_MAGIC
	refuses '.process.scheduler = { policy: "SCHED_FIFO", priority: 5, runtime: 1000000 }' runtime
	refuses '.process.scheduler = { policy: "SCHED_OTHER", nice: 30 }' nice
	refuses '.process.ioPriority = { class: "IOPRIO_CLASS_MAGIC", priority: 1 }' IOPRIO_CLASS_MAGIC
	refuses '.process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 8 }' priority
}

@test "PR-28 to PR-33: schedulers and I/O priorities that can't be are errors" { in_ns clean wrong_scheduler; }

io_priority() {
	runs '.process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 6 }' attributes
	is ioprio 2:6
	runs '.process.ioPriority = { class: "IOPRIO_CLASS_IDLE", priority: 0 }' attributes
	is ioprio 3:0
	runs '.process.ioPriority = { class: "IOPRIO_CLASS_RT", priority: 2 }' attributes
	is ioprio 1:2
}

@test "PR-32 PR-33: ioPriority" { in_ns clean io_priority; }

cpus() {
	taskset -pc 0 $$ >/dev/null
	up box '.process.execCPUAffinity = { initial: "1", final: "1" }' attributes
	wait_for 5 grep -q '^cpulist=' "$T/box.out"
	gone box
	up box '.process.execCPUAffinity = { initial: "0", final: "1" }' hold 0
	taskset -pc "$(state box pid)" | grep -q ': *0' # not applied to the first process
	oci exec box /bin/probe attributes
	ended 0
	is cpulist 1
	jq '.process | .args = ["/bin/probe", "attributes"] | .execCPUAffinity = { final: "0" }' "$T/box/config.json" >"$T/process"
	oci exec --process "$T/process" box
	ended 0
	is cpulist 0
	jq '.process | .args = ["/bin/probe", "attributes"] | .execCPUAffinity = { final: "x-y" }' "$T/box/config.json" >"$T/process"
	oci exec --process "$T/process" box
	[ $status != 0 ]
	grep -qi affinity "$T/err"
	gone box
	refuses '.process.execCPUAffinity = { initial: "nine" }' execCPUAffinity
}

@test "PR-34 PR-35 PR-36: execCPUAffinity: of exec's processes, and not of the first" {
	skip_unless 'two CPUs' test "$(nproc)" -gt 1
	in_ns clean cpus
}

memory_policy() {
	runs '.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0" }' attributes
	is mempolicy 0x2:0x1
	runs '.linux.memoryPolicy = { mode: "MPOL_INTERLEAVE", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] }' attributes
	is mempolicy 0x8003:0x1
	runs '.linux.memoryPolicy = { mode: "MPOL_LOCAL" }' attributes
	is mempolicy 0x4:0
	runs '.linux.memoryPolicy = { mode: "MPOL_PREFERRED", nodes: "0" }' attributes
	is mempolicy 0x1:0x1
	runs '.linux.memoryPolicy = { mode: "MPOL_DEFAULT" }' attributes
	is mempolicy 0:0
	up box '.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0" }' hold 0
	oci exec box /bin/probe attributes
	is mempolicy 0x2:0x1
	gone box
	refuses '.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "1000" }' 'memory ?policy|mempolicy'
}

@test "MP-01 MP-02 MP-03 MP-04: memoryPolicy, of an exec's processes too" {
	skip_unless 'NUMA (set_mempolicy)' sh -c "! '$PROBE/bin/probe' attributes | grep -q 'mempolicy=ENOSYS'"
	in_ns clean memory_policy
}

wrong_policy() {
	refuses '.linux.memoryPolicy = {}' 'invalid memory policy'
	refuses '.linux.memoryPolicy = { mode: "MPOL_BIND" }' 'invalid memory policy'
	refuses '.linux.memoryPolicy = { mode: "MPOL_LOCAL", nodes: "0" }' 'invalid memory policy'
	refuses '.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_MAGIC"] }' 'invalid memory policy'
	refuses '.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"] }' 'invalid memory policy'
}

@test "MP-01 MP-02 MP-03: memory policies that can't be" { in_ns clean wrong_policy; }

personality() {
	runs '.linux.personality = { domain: "LINUX32" }' attributes
	is personality 0x8
	runs '.linux.personality = { domain: "LINUX" }' attributes
	is personality 0
	refuses '.linux.personality = { domain: "SOLARIS" }' personality
	refuses '.linux.personality = { domain: "LINUX", flags: ["X"] }' personality
}

@test "LX-PER-01 LX-PER-02: personality" { in_ns clean personality; }

# What a host has no module for is an error, never silence.
labels() {
	if [ ! -e /sys/fs/selinux/enforce ]; then
		refuses '.process.selinuxLabel = "system_u:system_r:container_t:s0"' '[sS][eE][lL]inux'
	fi
	if [ ! -e /sys/kernel/security/apparmor ]; then
		refuses '.process.apparmorProfile = "none-of-this-name"' '[aA]pp[aA]rmor'
	fi
	runs '.process.selinuxLabel = "" | .process.apparmorProfile = "" | .linux.mountLabel = ""' ids
}

@test "PR-24 PR-25 LX-LBL-01: labels: an error where the module isn't there; an empty one is none" { in_ns clean labels; }

clocks() {
	local boot
	boot=$(cut -d. -f1 /proc/uptime)
	runs '.linux.namespaces += [{ type: "time" }] | .linux.timeOffsets = { boottime: { secs: 864000, nanosecs: 5 }, monotonic: { secs: 86400 } }' attributes ns
	[ "$(value boottime)" -ge $((boot + 864000)) ]
	[ "$(value boottime)" -le $((boot + 864100)) ]
	[ "$(value monotonic)" -lt $((boot + 86500)) ]
	[ "$(value monotonic)" -ge 86400 ]
	isnt ns.time "$(readlink /proc/self/ns/time)"
	up box '.linux.namespaces += [{ type: "time" }] | .linux.timeOffsets.boottime.secs = 864000' hold 0
	oci exec box /bin/probe attributes
	ended 0
	[ "$(value boottime)" -ge $((boot + 864000)) ]
	gone box
	refuses '.linux.timeOffsets = { boottime: { secs: 1 } }' 'time'
	refuses '.linux.namespaces += [{ type: "time" }] | .linux.timeOffsets = { realtime: { secs: 1 } }' realtime
	refuses '.linux.namespaces += [{ type: "time", path: "/proc/self/ns/time" }] | .linux.timeOffsets = { boottime: { secs: 1 } }' time
}

@test "NS-08 NS-21: a time namespace with its offsets, of an exec too" {
	skip_unless 'time namespaces' unshare -T true
	in_ns clean clocks
}

# A folder that looks like resctrl is no resctrl, so without the hardware only the errors can be seen.
rdt() {
	if ! grep -q ' resctrl ' /proc/mounts; then
		refuses '.linux.intelRdt = { closID: "one" }' 'resctrl|intelRdt'
	fi
	refuses '.linux.intelRdt = { closID: "../x" }' closID
	refuses '.linux.intelRdt = { memBwSchema: "L3:0=1" }' 'memBwSchema|resctrl|intelRdt'
}

@test "RD-01 RD-03 RD-05: intelRdt without resctrl is an error" { in_ns clean rdt; }
