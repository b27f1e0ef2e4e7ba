# SPDX-License-Identifier: GPL-2.0-or-later
# seccomp.bats - filters of a configuration
#
# Rows LX-SEC, and 5.8 of the contract.

load ../helpers
load ../cli/common
load common

# called FILTER-OF-SECCOMP CALL...: the container's answer to one call.
called() {
	local filter=$1
	shift
	runs ".linux.seccomp = $filter" call "$@"
}

# only CALL ACTION: a filter with this one rule.
only() { echo '{ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["'"$1"'"], action: "'"$2"'" }] }'; }

actions() {
	called "$(only getppid SCMP_ACT_ERRNO)" getppid
	is getppid EPERM
	called "$(only getppid SCMP_ACT_KILL_PROCESS)" getppid
	is getppid SIGSYS
	called "$(only getppid SCMP_ACT_KILL)" getppid
	is getppid SIGSYS
	called "$(only getppid SCMP_ACT_TRAP)" getppid
	is getppid SIGSYS
	called "$(only getppid SCMP_ACT_TRACE)" getppid
	is getppid ENOSYS # there is no tracer
	called "$(only getppid SCMP_ACT_LOG)" getppid
	is getppid ok
	called "$(only getppid SCMP_ACT_ALLOW)" getppid
	is getppid ok
	called '{ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["getppid"], action: "SCMP_ACT_ERRNO", errnoRet: 99 }] }' getppid
	is getppid EADDRNOTAVAIL
	runs ".linux.seccomp = $(only getppid SCMP_ACT_ERRNO)" caps
	is Seccomp 2
	runs . caps
	is Seccomp 0
}

@test "LX-SEC-01 LX-SEC-06 LX-SEC-07: actions, with their errno" { in_ns clean actions; }

# A list of what is allowed: all that a small static program needs.
needed() {
	echo '["access","arch_prctl","brk","capget","capset","chdir","clone","clone3","close","close_range","dup","dup2","execve","execveat","exit","exit_group","faccessat","faccessat2",
		"fcntl","fchdir","fork","fstat","futex","getcwd","getdents64","getpid","getrandom","ioctl","lseek","madvise","mmap","mprotect","munmap","newfstatat","open","openat","openat2",
		"prctl","pread64","prlimit64","read","readlink","readlinkat","rseq","rt_sigaction","rt_sigprocmask","rt_sigreturn","sendmsg","recvmsg","setgid","setgroups","setsid","setuid",
		"setresuid","setresgid","set_robust_list","set_tid_address","statx","stat","umask","uname","vfork","wait4","write","writev"]'
}

defaults() {
	called "{ defaultAction: \"SCMP_ACT_ERRNO\", syscalls: [{ names: $(needed), action: \"SCMP_ACT_ALLOW\" }] }" getppid
	is getppid EPERM
	called "{ defaultAction: \"SCMP_ACT_ERRNO\", defaultErrnoRet: 38, syscalls: [{ names: $(needed), action: \"SCMP_ACT_ALLOW\" }] }" getppid
	is getppid ENOSYS
	called "{ defaultAction: \"SCMP_ACT_ERRNO\", defaultErrnoRet: 1, syscalls: [{ names: $(needed), action: \"SCMP_ACT_ALLOW\" }] }" unknown
	is unknown ENOSYS # newer than all that the profile can know
}

@test "LX-SEC-01 LX-SEC-02 LX-SEC-14: a default that refuses, and calls that nobody knows yet" { in_ns clean defaults; }

compare() { # compare OP VALUE [VALUE-TWO]: the filter refuses getpriority(X, 0) so
	echo "{ defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [{ names: [\"getpriority\"], action: \"SCMP_ACT_ERRNO\", errnoRet: 99, args: [{ index: 1, value: $2, valueTwo: ${3:-0}, op: \"SCMP_CMP_$1\" }] }] }"
}

arguments() {
	local row
	for row in 'EQ 5 5 4' 'NE 5 4 5' 'LT 5 4 5' 'LE 5 5 6' 'GE 5 5 4' 'GT 5 6 5'; do
		# shellcheck disable=SC2086 # words are meant
		set -- $row
		called "$(compare "$1" "$2")" getpriority 9 "$3"
		is getpriority EADDRNOTAVAIL
		called "$(compare "$1" "$2")" getpriority 9 "$4"
		is getpriority EINVAL
	done
	called "$(compare MASKED_EQ 240 80)" getpriority 9 0x5f
	is getpriority EADDRNOTAVAIL
	called "$(compare MASKED_EQ 240 80)" getpriority 9 0x6f
	is getpriority EINVAL
	called '{ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["getpriority"], action: "SCMP_ACT_ERRNO", errnoRet: 99, args: [{ index: 1, value: 5, op: "SCMP_CMP_EQ" }, { index: 1, value: 7, op: "SCMP_CMP_EQ" }] }] }' getpriority 9 7
	is getpriority EADDRNOTAVAIL # either of two for one argument
}

@test "LX-SEC-08: arguments are compared" { in_ns clean arguments; }

flags() {
	runs '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"], flags: ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
		"SECCOMP_FILTER_FLAG_TSYNC"], syscalls: [{ names: ["getppid"], action: "SCMP_ACT_ERRNO" }, { names: ["no_such_call", "getpid"], action: "SCMP_ACT_ALLOW" }] }' call getppid
	is getppid EPERM
	called "{ defaultAction: \"SCMP_ACT_ERRNO\", syscalls: [{ names: ($(needed) + [\"no_such_call\"]), action: \"SCMP_ACT_ALLOW\" }, { names: [\"other_call\"], action: \"SCMP_ACT_ERRNO\" }] }" getppid
	is getppid EPERM
	# A call that was to be refused is never let through silently.
	bundle c '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["no_such_call", "getppid"], action: "SCMP_ACT_ERRNO" }] }' call getppid
	oci --log "$T/log" run --bundle "$T/c" c
	ended 0
	is getppid EPERM
	grep -q "level=warning.*no_such_call.*isn't refused" "$T/log"
	refuses '.annotations["run.oci.seccomp_fail_unknown_syscall"] = "1" | .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["no_such_call"], action: "SCMP_ACT_ERRNO" }] }' no_such_call
	runs '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/no/such/socket", syscalls: [{ names: ["getppid"], action: "SCMP_ACT_ERRNO" }] }' call getppid # nothing notifies
	is getppid EPERM
	runs '.process.noNewPrivileges = false | .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["getppid"], action: "SCMP_ACT_ERRNO" }] }' call getppid
	is getppid EPERM
	# Without no_new_privs the filter is there before capabilities go: calls that come later are its own to allow.
	runs '.process.user = { uid: 1000, gid: 1000 } | .process.noNewPrivileges = true | .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["setuid", "setgid", "capset", "prctl", "setgroups"], action: "SCMP_ACT_ERRNO" }] }' ids
	is uid 1000
}

@test "LX-SEC-03 LX-SEC-04 LX-SEC-05 LX-SEC-09 LX-SEC-13: architectures, flags, unknown names, when it is loaded" { in_ns clean flags; }

wrong() {
	refuses '.linux.seccomp = {}' defaultAction
	refuses '.linux.seccomp = { defaultAction: "SCMP_ACT_MAGIC" }' SCMP_ACT_MAGIC
	refuses '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", defaultErrnoRet: 5 }' defaultErrnoRet
	refuses '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_MAGIC"] }' SCMP_ARCH_MAGIC
	refuses '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", flags: ["MAGIC"] }' MAGIC
	refuses '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: [], action: "SCMP_ACT_ERRNO" }] }' names
	refuses '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["getppid"], action: "SCMP_ACT_MAGIC" }] }' SCMP_ACT_MAGIC
	refuses '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["getppid"], action: "SCMP_ACT_KILL", errnoRet: 5 }] }' errnoRet
	refuses ".linux.seccomp = $(compare MAGIC 5)" SCMP_CMP_MAGIC
	refuses '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["getppid"], action: "SCMP_ACT_ERRNO", args: [{ index: 6, value: 1, op: "SCMP_CMP_EQ" }] }] }' index
	refuses '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerMetadata: "x" }' listenerMetadata
	refuses '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["getppid"], action: "SCMP_ACT_NOTIFY" }] }' listenerPath
}

@test "LX-SEC-01 to LX-SEC-12: filters that can't be are errors" { in_ns clean wrong; }

NOTIFY='.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: "\(env.T)/agent", listenerMetadata: "meta", syscalls: [{ names: ["getppid"], action: "SCMP_ACT_NOTIFY" }] }'

# agent: answers calls with EXDEV; what it is told is in $T/told.
agent() {
	"$BIN/receiver" seccomp "$T/agent" 18 >"$T/told" &
	AGENT=$!
	waits_for "$T/agent"
}

notified() {
	agent
	runs "$1" call getppid
	is getppid EXDEV
	grep -q '^fds=1 ' "$T/told"
	sed 's/^fds=1 //' "$T/told" | jq -e '.ociVersion == "1.3.0" and .fds == ["seccompFd"] and .metadata == "meta" and .pid > 1 and .state.id == "c" and
		.state.status == "creating" and .state.pid == .pid and .state.bundle == "\(env.T)/c"'
	: >"$T/told"
	bundle c "$1" call getppid
	create c --pid-file "$T/pid"
	quiet
	oci start c
	quiet
	has c getppid=EXDEV
	sed 's/^fds=1 //' "$T/told" | jq -e --arg pid "$(<"$T/pid")" '(.pid | tostring) == $pid'
	gone c
	up c "$1" hold 0
	: >"$T/told"
	oci exec c /bin/probe call getppid
	is getppid EXDEV
	[ "$(wc -l <"$T/told")" = 1 ]
	sed 's/^fds=1 //' "$T/told" | jq -e '.state.status == "running"'
	gone c
	kill $AGENT
	bundle c "$1" ids
	rm "$T/agent"
	oci run --bundle "$T/c" c
	ended 1
	grep -q "$T/agent.*no such file or directory" "$T/err"
	[ ! -e /run/coso-oci/c ]
}

@test "LX-SEC-09 LX-SEC-10 LX-SEC-11, 5.8: a listener gets the descriptor and the state, of an exec too" { in_ns clean notified "$NOTIFY"; }

kept() {
	local profile='.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["getppid"], action: "SCMP_ACT_ERRNO" }] }' first
	rm -f /var/lib/coso/cache/*
	runs "$profile" call getppid
	is getppid EPERM
	[ "$(ls /var/lib/coso/cache | wc -l)" = 1 ]
	first=$(stat -c %n:%a:%u:%i /var/lib/coso/cache/*)
	[[ $first == *:600:0:* ]]
	runs "$profile" call getppid
	is getppid EPERM
	up one "$profile" hold 0
	oci exec one /bin/probe call getppid
	ended 0
	is getppid EPERM
	gone one
	[ "$(stat -c %n:%a:%u:%i /var/lib/coso/cache/*)" = "$first" ] # found, not made anew
	# What can't be kept is compiled each time.
	rm -r /var/lib/coso/cache
	: >/var/lib/coso/cache
	runs "$profile" call getppid
	is getppid EPERM
	rm /var/lib/coso/cache
	runs 'del(.linux.seccomp)' call getppid
	[ ! -e /var/lib/coso/cache ] # nothing to keep
	mkdir -m 700 /var/lib/coso/cache
}

@test "a filter is compiled once, for all containers and what is executed in them" { in_ns clean kept; }
