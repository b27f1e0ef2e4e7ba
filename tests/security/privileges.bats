# SPDX-License-Identifier: GPL-2.0-or-later
# privileges.bats - what a container may do: capability sets, system calls, what is left of its caller's rights

load ../helpers
load common

# All five sets, securebits and the rest; CapBnd as given, in root's and in another user's process.
sets_are() {
	is CapInh 0000000000000000
	is CapAmb 0000000000000000
	is CapPrm "$1"
	is CapEff "$1"
	is CapBnd "$2"
	is securebits 0
	is keepcaps 0
}

caps_exact() {
	local default=00000000a80405fb none=0000000000000000
	container "$PROBE" "$@" /bin/probe caps
	sets_are "$default" "$default"
	container "$PROBE" "$@" --user 1000 /bin/probe caps
	sets_are "$none" "$default"
	container "$PROBE" "$@" --cap-drop ALL /bin/probe caps
	sets_are "$none" "$none"
	container "$PROBE" "$@" --cap-drop ALL --cap-add kill /bin/probe caps
	sets_are 0000000000000020 0000000000000020
	container "$PROBE" "$@" --cap-add CAP_NET_RAW --cap-drop MKNOD /bin/probe caps
	sets_are 00000000a00425fb 00000000a00425fb
}

@test "caps-exact: the five sets are what was asked for, for root and for another user" {
	in_ns caps_exact
}

@test "caps-exact: also without a user namespace, and with an init" {
	in_ns caps_exact --userns host
	in_ns caps_exact --init
}

with_inheritable() {
	local userns
	for userns in auto host; do
		status=0
		setpriv --inh-caps +chown,+net_raw,+sys_admin --ambient-caps +chown,+net_raw,+sys_admin \
			"$BIN/coso" --rootfs "$PROBE" --network none --userns "$userns" /bin/probe caps >"$T/out" 2>"$T/err" || status=$?
		sets_are 00000000a80405fb 00000000a80405fb
	done
}

@test "caps-exact: inheritable and ambient capabilities of the caller stay outside" { in_ns with_inheritable; }

# An ordinary user's own copy of the root.
user_root() {
	fresh_root
	chown -R 1000:1000 "$ROOT"
}

user_caps() {
	user_root
	as_user 1000 "$BIN/coso" --rootfs "$ROOT" /bin/probe caps >"$T/out" 2>"$T/err"
	sets_are 00000000a80405fb 00000000a80405fb
}

@test "caps-exact: for an ordinary user" { in_ns user_caps; }

escape_set() {
	local name eperm="unshare_user unshare_mount unshare_net setns mount remount umount pivot_root fsopen open_tree mount_setattr
	kexec_load init_module finit_module delete_module reboot swapon acct quotactl syslog sethostname add_key
	request_key keyctl bpf perf_event_open userfaultfd io_uring_setup open_by_handle personality socket_vsock socket_raw
	socket_packet iopl ioperm clone_user"
	container "$PROBE" "$@" /bin/probe try all
	ended 0
	for name in $eperm; do
		is "$name" EPERM
	done
	is clone3 ENOSYS
	is ptrace ok
	is socket_ping ok
	is chroot ok
}

@test "default-seccomp-escape-set: what leads out is refused by default" {
	in_ns escape_set
	in_ns escape_set --userns host
	in_ns escape_set --init
}

# Even with every capability taken for granted the filter refuses what no capability opens.
escape_set_admin() {
	local name
	local never="keyctl add_key userfaultfd io_uring_setup socket_vsock kexec_load"
	# shellcheck disable=SC2086 # words are meant
	container "$PROBE" --cap-add SYS_ADMIN /bin/probe try unshare_mount $never
	is unshare_mount ok
	for name in $never; do
		is "$name" EPERM
	done
}

@test "default-seccomp-escape-set: CAP_SYS_ADMIN opens mounts and namespaces, and nothing else" { in_ns escape_set_admin; }

unwritable_kernel() {
	local path
	container "$PROBE" "$@" /bin/probe try write_core_pattern sysrq read_kcore
	for path in write_core_pattern sysrq; do
		[[ $(value "$path") =~ ^(EROFS|EACCES|EPERM|ENOENT)$ ]] || { echo "$path: $(value "$path")" >&2; return 1; }
	done
	for path in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys/fs/cgroup/release_agent /sys/fs/cgroup/x/release_agent \
		/sys/fs/cgroup/memory/release_agent /sys/kernel/uevent_helper /proc/sys/kernel/modprobe /proc/sys/vm/panic_on_oom; do
		container "$PROBE" "$@" /bin/probe write "$path" x
		[ $status != 0 ] || { echo "written: $path" >&2; return 1; }
	done
}

@test "default-seccomp-escape-set: release_agent, core_pattern and their like can't be written" {
	in_ns unwritable_kernel
	in_ns unwritable_kernel --userns host
}

user_cgroup() {
	user_root
	as_user 1000 "$BIN/coso" --rootfs "$ROOT" /bin/probe mounts >"$T/out"
	# Nothing of the cgroup file system is there, or it is read-only.
	grep -q ' - proc ' "$T/out"
	sed -E -e '/ - cgroup2? /!d' -e '/^mount=[^-]* ro[, ]/d' "$T/out" >"$T/writable"
	lacks . "$T/writable"
	! as_user 1000 "$BIN/coso" --rootfs "$ROOT" /bin/probe write /sys/fs/cgroup/cgroup.procs 1 >"$T/out" 2>&1 || return 1
	! as_user 1000 "$BIN/coso" --rootfs "$ROOT" /bin/probe write /sys/fs/cgroup/unified/cgroup.procs 1 >"$T/out" 2>&1 || return 1
}

@test "rootless-cgroup-ro: an ordinary user's container can't write the host's groups" { in_ns user_cgroup; }

profile_file() {
	echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chroot"],"action":"SCMP_ACT_ERRNO","errnoRet":77}]}' >"$T/profile"
	container "$PROBE" --seccomp "$T/profile" /bin/probe try chroot keyctl
	is chroot EBADFD
	is keyctl ok
	container "$PROBE" --seccomp unconfined /bin/probe try keyctl
	is keyctl ok
	container "$PROBE" --seccomp default /bin/probe try keyctl
	is keyctl EPERM
	echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chroot"],"action":"SCMP_ACT_ERNO"}]}' >"$T/profile"
	container "$PROBE" --seccomp "$T/profile" /bin/probe caps
	refused 'syscalls\[0\]\.action: "SCMP_ACT_ERNO"'
	container "$PROBE" --seccomp "$T/none" /bin/probe caps
	refused "$T/none"
}

@test "a seccomp profile from a file is applied, or refused by place and value" { in_ns profile_file; }

barco() {
	local name
	container "$PROBE" --profile barco --userns "$1" /bin/probe caps
	sets_are 000001c0141cbfeb 000001c0141cbfeb
	container "$PROBE" --profile barco --userns "$1" /bin/probe try all
	for name in unshare_user clone_user keyctl add_key request_key ptrace userfaultfd perf_event_open tiocsti mount mknod; do
		is "$name" EPERM
	done
	is clone3 ENOSYS
	is chroot ok
}

@test "the barco profile drops barco's capabilities and refuses its system calls" {
	in_ns barco auto
	in_ns barco host
}
