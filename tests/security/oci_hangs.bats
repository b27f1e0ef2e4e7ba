# SPDX-License-Identifier: GPL-2.0-or-later
# oci_hangs.bats - a first process that dies, or can do no more, wherever it is: nobody waits for it for ever

load ../helpers
load common
load ../cli/common
load ../oci/common
load oci

# What is called between the filter and the program, and the first that the program calls.
early_calls() {
	echo capset prctl setresuid setresgid setgroups setuid setgid execve write sendmsg recvmsg recvfrom read close getpid openat newfstatat \
		exit_group exit fcntl rt_sigaction rt_sigprocmask clone clone3 wait4 brk arch_prctl mmap readlink readlinkat set_tid_address getcwd stat access
}

# Within 15 s each command ends, and says why if it failed; then the container can be deleted.
bounded() {
	local before=$SECONDS
	oci "$@"
	((SECONDS - before < 15)) || { echo "took $((SECONDS - before)) s: $*" >&2; return 1; }
	[ $status = 0 ] || [ $status -ge 128 ] || [ -s "$T/err" ] || { echo "failed without a word: $*" >&2; return 1; }
}

killed_at() {
	local call action privileges
	hostile box
	for privileges in true false; do
		for action in "$@"; do
			for call in $(early_calls); do
				bundle box ".process.noNewPrivileges = $privileges | .linux.seccomp = { defaultAction: \"SCMP_ACT_ALLOW\",
					syscalls: [{ names: [\"$call\"], action: \"$action\" }] }" exit 0
				bounded run --bundle "$T/box" box || { echo "($action at $call)" >&2; return 1; }
				bounded delete --force box
			done
		done
	done
}

@test "init-sigsys-every-syscall: OCI: run, with a filter that kills at each early call" { in_ns clean killed_at SCMP_ACT_KILL_PROCESS; }
@test "init-sigsys-every-syscall: OCI: or one that makes each fail, or traps it" { in_ns clean killed_at SCMP_ACT_ERRNO SCMP_ACT_TRAP; }

killed_later() {
	local call
	hostile box
	for call in $(early_calls); do
		bundle box ".linux.seccomp = { defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [{ names: [\"$call\"], action: \"SCMP_ACT_KILL_PROCESS\" }] } |
			.hooks.startContainer = [{ path: \"/bin/probe\", args: [\"probe\", \"exit\", \"0\"] }]" hold 0
		create box
		quiet
		bounded start box || { echo "(at $call)" >&2; return 1; }
		bounded state box
		bounded exec box /bin/probe exit 0
		bounded kill box KILL
		bounded delete --force box
	done
}

@test "init-sigsys-every-syscall: OCI: create and start, and an exec beside it" { in_ns clean killed_later; }

# Nothing at all is allowed; or a listener has to answer that never does, and then goes.
nothing_allowed() {
	local privileges
	hostile box
	for privileges in true false; do
		bundle box ".process.noNewPrivileges = $privileges | .linux.seccomp = { defaultAction: \"SCMP_ACT_KILL_PROCESS\" }" exit 0
		bounded run --bundle "$T/box" box
		[ $status != 0 ]
		bounded delete --force box
		bundle box ".process.noNewPrivileges = $privileges | .linux.seccomp = { defaultAction: \"SCMP_ACT_ERRNO\" }" exit 0
		bounded run --bundle "$T/box" box
		[ $status != 0 ]
		bounded delete --force box
	done
}

@test "init-sigsys-every-syscall: OCI: a filter that allows nothing" {
	skip_if_sanitized "where not even exit is allowed it tries for ever"
	in_ns clean nothing_allowed
}
