# SPDX-License-Identifier: GPL-2.0-or-later
# identity.bats - what a program in a container is and sees of itself: namespaces, names, environment, user, capabilities

load ../helpers
load common

export KINDS="user pid mnt net uts ipc cgroup"

# Which namespaces of the last container are the caller's.
shared_kinds() {
	local kind
	for kind in $KINDS; do
		[ "$(value "ns.$kind")" != "$(readlink "/proc/self/ns/$kind")" ] || printf '%s ' "$kind"
	done
}

shares() {
	[ "$(shared_kinds)" = "${1:+$1 }" ] || { echo "shared: $(shared_kinds)instead of $1; $(<"$T/err")" >&2; return 1; }
}

all_namespaces() {
	coso /bin/probe ns process
	silent
	shares ""
	is pid 1
	is ppid 0
	grep -q '^cgroup=[0-9]*:memory:/$' "$T/out" || grep -q '^cgroup=0::/$' "$T/out"
}

@test "every kind of namespace is new by default, and the cgroup namespace shows the container's group as the root" {
	in_ns clean all_namespaces
}

without_one() {
	coso --pid=false /bin/probe ns process; silent; shares pid; isnt pid 1
	coso --uts=false /bin/probe ns; silent; shares uts
	coso --ipc=false /bin/probe ns; silent; shares ipc
	coso --net=false /bin/probe ns; silent; shares net
	coso --cgroup=false /bin/probe ns; silent; shares cgroup
	coso --userns host /bin/probe ns; silent; shares user
	coso --network host /bin/probe ns; silent; shares net
	coso -pid=0 --uts=false -ipc=false /bin/probe ns; silent; shares "pid uts ipc"
}

@test "each namespace can be left out" { in_ns clean without_one; }

# Without a mount namespace the host's own files are used, so neither --rootfs nor the probe's path in it serves.
alone() {
	local kind=$1 flag=$2 want=
	status=0
	timeout 20 "$BIN/coso" --ns "$flag" --network none "$BIN/probe" ns ids process >"$T/out" 2>"$T/err" </dev/null || status=$?
	silent
	for other in $KINDS; do
		[ "$other" = "$kind" ] || want="$want${want:+ }$other"
	done
	shares "$want"
}

each_alone() {
	alone user user; is uid 0
	isnt uid_map "$(cat /proc/self/uid_map)"
	alone pid pid; is pid 1
	alone net net
	alone net network
	alone uts uts
	alone ipc ipc
	alone cgroup cgroup
	coso --ns mount /bin/probe ns mounts
	silent
	shares "user pid net uts ipc cgroup"
	grep -q '^mount=[0-9 ]*0:[0-9]* / / .* overlay ' "$T/out"
	coso --ns pid,uts,mnt --hostname three /bin/probe ns host
	silent
	shares "user net ipc cgroup"
	is hostname three
}

@test "each namespace alone, and three by name" { in_ns clean each_alone; }

names() {
	coso --name first /bin/probe host; silent; is hostname first
	coso --hostname other.example --name first /bin/probe host env; silent
	is hostname other.example
	said env.HOSTNAME=other.example
	coso -hostname=single-dash /bin/probe host; silent; is hostname single-dash
	coso /bin/probe host; silent
	[[ $(value hostname) =~ ^[0-9a-f]{12}$ ]]
	alpine --hostname in-files cat /etc/hostname; silent; said in-files
	alpine --hostname in-files sh -c 'hostname; grep in-files /etc/hosts'; silent
	said in-files $'127.0.1.1\tin-files'
}

@test "host name: the id, the name, or what --hostname says, in the kernel and in the files" {
	local before
	before=$(hostname)
	in_ns clean names
	[ "$(hostname)" = "$before" ]
}

environment() {
	HIDDEN=1 PASSED='a b=c' coso /bin/probe env; silent
	[ "$(grep -c ^env. "$T/out")" = 3 ]
	said env.PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin env.HOME=/root
	HIDDEN=1 PASSED='a b=c' coso --env PASSED -e ONE=1 --env=TWO=x=y --env EMPTY= --env ABSENT --env PATH=/bin -e ONE=2 /bin/probe env; silent
	said 'env.PASSED=a b=c' env.ONE=2 env.TWO=x=y env.EMPTY= env.PATH=/bin
	lacks 'HIDDEN|ABSENT|ONE=1'
	[ "$(grep -c ^env.PATH= "$T/out")" = 1 ]
	coso --env HOME=/elsewhere --user user /bin/probe env; silent; said env.HOME=/elsewhere
	coso --user user /bin/probe env; said env.HOME=/
	coso --env LD_PRELOAD=/x --env $'LINES=a\nb' /bin/probe env; said 'env.LINES=a' b
	coso --env PATH=/nowhere /bin/probe env; ended 0
	alpine --env PATH=/nowhere sh; fails 127 '"sh"' /nowhere
}

@test "environment: PATH, HOME and HOSTNAME, what --env sets or passes on, and nothing else of the caller's" {
	in_ns clean environment
}

workdir() {
	coso /bin/probe cwd; is cwd /
	coso --workdir /tmp /bin/probe cwd; silent; is cwd /tmp
	coso -w /new/deep/er /bin/probe cwd stat; is cwd /new/deep/er
	coso -w /new/deep/er /bin/probe stat /new /new/deep/er; silent
	[[ $(value /new/deep/er) == "40755 0:0 "* ]]
	[ ! -e "$PROBE/new" ]
	coso -w /tmp/../proc/1 /bin/probe cwd; is cwd /proc/1
	# A relative path of the command is looked for in the working folder.
	coso -w /bin ./probe cwd; is cwd /bin
}

@test "--workdir: there, made where it is missing, and never in the rootfs" { in_ns clean workdir; }

is_user() {
	silent
	is uid "$1"; is euid "$1"; is suid "$1"
	is gid "$2"; is egid "$2"; is sgid "$2"
	is groups "$3"
}

users() {
	coso /bin/probe ids; is_user 0 0 ''
	coso --user user /bin/probe ids; is_user 1000 1000 2000
	coso -u user:extra /bin/probe ids; is_user 1000 2000 ''
	coso --user 1000 /bin/probe ids; is_user 1000 1000 2000
	coso --user 77:88 /bin/probe ids; is_user 77 88 ''
	coso --user :88 /bin/probe ids; is_user 0 88 ''
	coso --userns host --user user /bin/probe ids; is_user 1000 1000 2000
	coso --user user /bin/probe caps; is CapEff 0000000000000000; is CapPrm 0000000000000000
	coso --user user /bin/probe write /denied; ended 1; said 'error=/denied: EACCES'
	coso --user nobody-here /bin/probe ids; fails 125 "--user 'nobody-here'" 'etc/passwd'
	coso --user user:no-group /bin/probe ids; fails 125 "no-group" 'etc/group'
}

@test "--user: names, numbers, groups" { in_ns clean users; }

has_caps() {
	silent
	is CapEff "$1"; is CapPrm "$1"; is CapBnd "$1"
	is CapInh 0000000000000000; is CapAmb 0000000000000000
}

capabilities() {
	# Docker's fourteen less NET_RAW (13): chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service
	# sys_chroot mknod audit_write setfcap.
	coso /bin/probe caps; has_caps 00000000a80405fb
	coso --cap-add NET_RAW /bin/probe caps; has_caps 00000000a80425fb
	coso --cap-add cap_sys_time --cap-drop CHOWN /bin/probe caps; has_caps 00000000aa0405fa
	coso --cap-drop ALL /bin/probe caps; has_caps 0000000000000000
	coso --cap-drop all --cap-add chown /bin/probe caps; has_caps 0000000000000001
	coso --cap-add CHOWN --cap-drop ALL /bin/probe caps; has_caps 0000000000000001
	coso --cap-add ALL --cap-drop SYS_ADMIN /bin/probe caps; ended 0
	[ $((0x$(value CapEff) >> 21 & 1)) = 0 ]
	[ $((0x$(value CapEff) >> 12 & 1)) = 1 ]
	alpine --cap-drop CHOWN chown 1:1 /etc/passwd; ended 1
	alpine chown 1:1 /etc/passwd; silent
}

@test "--cap-add and --cap-drop, by name, of any case, and ALL" { in_ns clean capabilities; }

filters() {
	coso /bin/probe caps; is Seccomp 2
	coso /bin/probe try unshare_user kexec_load; is unshare_user EPERM; is kexec_load EPERM
	coso --seccomp default /bin/probe try unshare_user; silent; is unshare_user EPERM
	coso --seccomp unconfined /bin/probe caps; silent; is Seccomp 0
	coso --seccomp unconfined /bin/probe try unshare_user; is unshare_user ok
	cat >"$T/profile.json" <<-'END'
		{ "defaultAction": "SCMP_ACT_ALLOW",
		  "syscalls": [ { "names": [ "mkdir", "mkdirat" ], "action": "SCMP_ACT_ERRNO", "errnoRet": 74 } ] }
	END
	coso --seccomp "$T/profile.json" /bin/probe try unshare_user; silent; is unshare_user ok
	alpine --seccomp "$T/profile.json" mkdir /tmp/x; ended 1; grep -qi 'bad message' "$T/err"
	alpine --seccomp "$T/profile.json" touch /tmp/x; silent # out of the cache, this time
	coso /bin/probe caps; is NoNewPrivs 0
	coso --no-new-privileges /bin/probe caps; silent; is NoNewPrivs 1; is Seccomp 2
	coso --no-new-privileges --user user --cap-drop ALL /bin/probe caps; silent; is NoNewPrivs 1; is Seccomp 2
}

@test "--seccomp: default, unconfined, a file; --no-new-privileges" { in_ns clean filters; }

profiles() {
	coso --profile barco /bin/probe caps; ended 0; is Seccomp 2
	coso --profile default /bin/probe caps; has_caps 00000000a80405fb
	coso --profile mydocker /bin/probe caps
	[ "$status" = 0 ] || fails 125 'this kernel has no .io.weight' # a limit that can't be had is an error
}

@test "--profile" {
	in_ns clean profiles
}

nofile() { coso "$@" /bin/probe rlimits; }

rlimits() {
	nofile --ulimit nofile=100:200; silent; is rlimit.nofile 100:200
	nofile --ulimit nofile=99 --ulimit core=0 --ulimit nproc=40:50; silent
	is rlimit.nofile 99:99; is rlimit.core 0:0; is rlimit.nproc 40:50
	nofile --ulimit nofile=10 --ulimit nofile=20; is rlimit.nofile 20:20
	nofile --ulimit fsize=1000 --ulimit stack=1048576 --ulimit cpu=60 --ulimit memlock=0; silent
	is rlimit.fsize 1000:1000; is rlimit.stack 1048576:1048576; is rlimit.cpu 60:60
	coso --ulimit fsize=3 /bin/probe write /tmp/x four; said wri # cut after three bytes, as its own output is
	coso --ulimit cpu=1 /bin/probe spin 10; ended $((128 + 9)) # the hard limit's SIGKILL; pid 1 has no default for SIGXCPU
	coso --ulimit nofile=3 /bin/probe read /proc/self/stat; ended 1; said 'error=/proc/self/stat: EMFILE'
}

@test "--ulimit: soft, hard, the last of a name, and held" { in_ns clean rlimits; }

raised() {
	local userns
	ulimit -n 500
	for userns in auto host; do
		nofile --userns $userns --ulimit nofile=600:700; silent; is rlimit.nofile 600:700
	done
}

@test "--ulimit: above the caller's hard limit, also in a user namespace" {
	skip_unless 'a root that may raise hard limits (CAP_SYS_RESOURCE)' bash -c 'ulimit -n 500; ulimit -n 600'
	in_ns clean raised
}

sysctls() {
	coso /bin/probe read /proc/sys/net/ipv4/ping_group_range; said $'0\t65535'
	coso --sysctl net.ipv4.ip_forward=1 --sysctl net.ipv4.ip_default_ttl=77 --sysctl kernel.msgmax=1234 \
		--sysctl fs.mqueue.msg_max=11 --sysctl kernel.domainname=dom --sysctl 'kernel.sem=250 32000 32 130' /bin/probe read /proc/sys/net/ipv4/ip_default_ttl
	silent
	said 77
	alpine --sysctl net.ipv4.ip_forward=1 --sysctl kernel.shmmni=99 --sysctl kernel.domainname=dom --sysctl 'kernel.sem=250 32000 32 130' \
		sh -c 'cd /proc/sys; cat net/ipv4/ip_forward kernel/shmmni kernel/domainname kernel/sem'
	silent
	said 1 99 dom $'250\t32000\t32\t130'
	[ "$(cat /proc/sys/kernel/shmmni)" != 99 ]
}

refused_sysctls() {
	local name
	for name in kernel.core_pattern=x vm.swappiness=1 fs.file-max=9 kernel.hostname=x kernel.shm kernel=1 net net.ipv4.ip_default_ttl \
		../x=1 net/core/x=1 .=1 '' net.ipv4..=1; do
		coso --sysctl "$name" /bin/probe exit 0
		fails 125 "^coso: --sysctl '$name'"
	done
	coso --network host --sysctl net.ipv4.ip_default_ttl=5 /bin/probe exit 0; fails 125 net.ipv4.ip_default_ttl 'change the host'
	coso --ipc=false --sysctl kernel.shmmni=5 /bin/probe exit 0; fails 125 kernel.shmmni 'change the host'
	coso --sysctl net.nothing.here=1 /bin/probe exit 0; fails 125 net.nothing.here
	coso --sysctl net.ipv4.ip_default_ttl=abc /bin/probe exit 0; fails 125 net.ipv4.ip_default_ttl Invalid
}

@test "--sysctl sets what belongs to the container's namespaces" { in_ns clean sysctls; }
@test "--sysctl refuses what belongs to the host, and names that aren't" { in_ns clean refused_sysctls; }

devices() {
	local node
	for node in null zero full random urandom tty; do
		coso /bin/probe stat /dev/$node; ended 0
		[[ $(value /dev/$node) == "20666 "* ]] || { cat "$T/out"; false; }
	done
	alpine sh -c 'for link in fd stdin ptmx; do readlink /dev/$link; done; ls /dev; echo x >/dev/null; head -c3 /dev/zero | wc -c; stat -c %a /dev/shm'
	silent
	said /proc/self/fd /proc/self/fd/0 pts/ptmx 3 1777
	lacks '^(sda|kmsg|mem|port|kvm|loop0|console)$'
	chmod 755 "$T"
	mknod "$T/spare" c 1 5
	chmod 666 "$T/spare"
	coso --device "$T/spare:/dev/spare" /bin/probe stat /dev/spare; silent
	[[ $(value /dev/spare) == 20666*1:5 ]]
	alpine --device "$T/spare:/dev/sub/spare:r" sh -c 'head -c2 /dev/sub/spare | wc -c'; silent; said 2
	alpine --device "$T/spare:/dev/spare:rw" --userns host head -c2 /dev/spare; silent
	mknod "$T/loop" c 10 237 # loop-control: what opening it does is nothing
	: <"$T/loop"
	alpine --device "$T/loop:/dev/loop:r" --userns host sh -c ': </dev/loop && echo read; : >/dev/loop'; [ "$status" != 0 ]; said read
	grep -q 'not permitted' "$T/err"
	alpine --device "$T/loop:/dev/loop" --userns host sh -c ': <>/dev/loop'; silent
	# What isn't given can't be opened, even by the host's root.
	alpine --userns host sh -c 'mknod /tmp/m c 10 237 && : </tmp/m'; [ "$status" != 0 ]; grep -q "/tmp/m: Operation not permitted" "$T/err"
	alpine sh -c 'mknod /tmp/m c 10 237'; [ "$status" != 0 ]
}

@test "devices: the usual ones, and what --device gives" { in_ns clean devices; }

files_of_etc() {
	alpine --dns 9.9.9.9 --dns 2620:fe::fe --add-host one:10.1.2.3 --add-host six:fd00::1 sh -c 'cat /etc/resolv.conf /etc/hosts'
	ended 0
	said 'nameserver 9.9.9.9' 'nameserver 2620:fe::fe' $'10.1.2.3\tone' $'fd00::1\tsix' $'127.0.0.1\tlocalhost'
	[ "$(grep -c ^nameserver "$T/out")" = 2 ]
	# They are the container's own to write, and go with it.
	alpine sh -c 'echo "10.9.9.9 mine" >>/etc/hosts && cat /etc/hosts'; silent; said '10.9.9.9 mine'
	alpine cat /etc/hosts; lacks mine
	# Name servers on the host's loopback, or by a link of its, can't be reached from another network namespace.
	printf 'nameserver %s\n' 127.0.0.53 192.0.2.7 0.0.0.0 :: ::1 ::ffff:127.0.0.53 fe80::1%up0 >"$T/resolv"
	echo 'search example.org' >>"$T/resolv"
	mount --bind "$T/resolv" "$(realpath /etc/resolv.conf)"
	alpine cat /etc/resolv.conf; silent
	[ "$(<"$T/out")" = $'nameserver 192.0.2.7\nsearch example.org' ]
	alpine --network host cat /etc/resolv.conf; silent; said 'nameserver 127.0.0.53'
	umount "$(realpath /etc/resolv.conf)"
}

@test "/etc/hosts, /etc/hostname and /etc/resolv.conf, --dns and --add-host" { in_ns clean files_of_etc; }
