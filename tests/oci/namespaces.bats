# SPDX-License-Identifier: GPL-2.0-or-later
# namespaces.bats - new, joined and shared namespaces, id maps, host names, sysctls
#
# Rows NS, HN and LX-SYS of the contract.

load ../helpers
load ../cli/common
load common

kinds='cgroup ipc mnt net pid uts'

new() {
	local kind
	runs . ns process ids
	for kind in $1; do
		isnt ns.$kind "$(readlink "/proc/self/ns/$kind")"
	done
	is ns.user "$(readlink /proc/self/ns/user)"
	is ns.time "$(readlink /proc/self/ns/time)"
	is pid 1
	runs . read /proc/net/dev
	[ "$(grep -c ':' "$T/out")" = 1 ]
	runs . read /sys/class/net/lo/flags
	said 0x9 # up
	runs . process
	grep '^cgroup=' "$T/out" >"$T/groups"
	lacks '^cgroup=[0-9]+:(pids|devices):/.' "$T/groups"
	runs '.linux.namespaces |= map(select(.type == "mount" or .type == "pid"))| del(.hostname) | del(.linux.sysctl) | .mounts |= map(select(.type != "sysfs" and .type != "mqueue" and .type != "cgroup"))' ns
	for kind in cgroup ipc net uts; do
		is ns.$kind "$(readlink "/proc/self/ns/$kind")"
	done
}

@test "NS-01 to NS-05, NS-07, NS-12 NS-13: what is listed is new, the rest is the caller's; lo is up" { in_ns clean new "$kinds"; }

joined() {
	local pid kind
	up one . hold 0
	pid=$(state one pid)
	for kind in network:net ipc:ipc uts:uts pid:pid cgroup:cgroup; do
		runs '.linux.namespaces |= map(if .type == "'"${kind%:*}"'" then .path = "/proc/'"$pid"'/ns/'"${kind#*:}"'" else . end) |
			if "'"$kind"'" == "uts:uts" then del(.hostname) else . end' ns
		is "ns.${kind#*:}" "$(readlink "/proc/$pid/ns/${kind#*:}")"
	done
	runs '.linux.namespaces |= map(if .type == "mount" then . else .path = "/proc/'"$pid"'/ns/\({ network: "net" }[.type] // .type)" end) | del(.hostname)' ns process
	for kind in net ipc uts pid cgroup; do
		is ns.$kind "$(readlink "/proc/$pid/ns/$kind")"
	done
	isnt pid 1
	is_state one running # it outlives who joined
	unshare -n sh -c 'mount --bind /proc/self/ns/net "$1"' sh "$(touch "$T/kept"; echo "$T/kept")"
	runs '.linux.namespaces |= map(if .type == "network" then .path = "\(env.T)/kept" else . end)' ns
	is ns.net "net:[$(stat -Lc %i "$T/kept")]"
	findmnt "$T/kept" >/dev/null
	umount "$T/kept"
	gone one
}

@test "NS-01 to NS-07 NS-10 NS-15 LC-15: namespaces are joined by path, and stay" { in_ns clean joined; }

wrong() {
	refuses '.linux.namespaces += [{ type: "pid" }]' pid
	refuses '.linux.namespaces += [{ type: "magic" }]' magic
	refuses '.linux.namespaces += [{}]' type
	refuses '.linux.namespaces |= map(if .type == "network" then .path = "proc/self/ns/net" else . end)' path
	refuses '.linux.namespaces |= map(if .type == "network" then .path = "/no/such" else . end)' '/no/such.*no such file or directory'
	refuses '.linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/uts" else . end)' '/proc/self/ns/uts'
	refuses '.linux.namespaces |= map(if .type == "network" then .path = "/etc/passwd" else . end)' '/etc/passwd'
	refuses '.linux.namespaces |= map(select(.type != "mount"))' 'mount'
}

@test "NS-03 NS-09 NS-10 NS-11 NS-14: namespaces that can't be are errors" { in_ns clean wrong; }

USERNS='.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }, { containerID: 2000, hostID: 300000, size: 5 }] |
	.linux.gidMappings = [{ containerID: 0, hostID: 200000, size: 1000 }]'

mapped() {
	local pid
	chmod 755 "$T"
	bundle c "$1" ids ns caps
	oci run --bundle "$T/c" c
	ended 0
	is uid 0
	isnt ns.user "$(readlink /proc/self/ns/user)"
	[ "$(sed -n 's/^uid_map= *//p' "$T/out" | tr -s ' ')" = $'0 100000 1000\n2000 300000 5' ]
	[ "$(sed -n 's/^gid_map= *//p' "$T/out" | tr -s ' ')" = '0 200000 1000' ]
	[ "$(stat -c %u:%g "$T/c/rootfs/bin/probe")" = 0:0 ] # nothing is chowned
	runs "$1"' | .process.user = { uid: 2004, gid: 7, additionalGids: [8] }' ids
	is uid 2004
	is groups 8
	up one "$1" hold 0
	pid=$(state one pid)
	[ "$(stat -c %u:%g "/proc/$pid")" = 100000:200000 ] || [ "$(awk '/^Uid/ { print $2 }' "/proc/$pid/status")" = 100000 ]
	[ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ]
	# Another container in it, with all of its namespaces.
	runs 'del(.hostname) | .linux.namespaces |= map(if .type == "mount" then . else .path = "/proc/'"$pid"'/ns/\({ network: "net" }[.type] // .type)" end) |
		.linux.namespaces += [{ type: "user", path: "/proc/'"$pid"'/ns/user" }]' ids ns
	is ns.user "$(readlink "/proc/$pid/ns/user")"
	is ns.net "$(readlink "/proc/$pid/ns/net")"
	gone one
	# Without maps the caller's own ids are the only ones.
	runs '.linux.namespaces += [{ type: "user" }] | del(.mounts[] | select(.type == "devpts"))' ids ns
	isnt ns.user "$(readlink /proc/self/ns/user)"
	[ "$(sed -n 's/^[ug]id_map= *//p' "$T/out" | tr -s ' ')" = $'0 0 1\n0 0 1' ]
}

@test "NS-06 NS-16 NS-18 NS-20: a user namespace with its maps, new and joined" { in_ns clean mapped "$USERNS"; }

wrong_maps() {
	refuses '.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }]' "user namespace"
	refuses "$1"' | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }, { containerID: 5, hostID: 200000, size: 10 }]' 'uid'
	refuses "$1"' | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 0 }]' 'size'
	refuses "$1"' | .linux.uidMappings = [range(400) | { containerID: ., hostID: (100000 + .), size: 1 }]' 'uid|map'
	refuses "$1"' | del(.linux.gidMappings)' 'gid|group'
}

@test "NS-06 NS-16 NS-17 NS-19: maps that can't be are errors" { in_ns clean wrong_maps "$USERNS"; }

names() {
	local own
	own=$(uname -n)
	runs '.hostname = "one" | .domainname = "two.example"' host
	is hostname one
	is domainname two.example
	[ "$(uname -n)" = "$own" ]
	runs 'del(.hostname)' host
	is hostname "$own"
	runs 'del(.hostname) | .domainname = "two.example"' host
	is domainname two.example
	refuses '.linux.namespaces |= map(select(.type != "uts"))' 'hostname'
	refuses 'del(.hostname) | .domainname = "x" | .linux.namespaces |= map(select(.type != "uts"))' 'domainname'
	refuses '.hostname = ("x" * 65)' hostname
	refuses '.domainname = ("x" * 65)' domainname
	[ "$(uname -n)" = "$own" ]
}

@test "HN-01 HN-02: host and domain name, never the host's" { in_ns clean names; }

sysctls() {
	runs '.linux.sysctl = { "kernel.msgmax": "4242", "fs.mqueue.msg_max": "7", "net.ipv4.ip_forward": "1", "net/ipv4/conf/lo/forwarding": "1", "kernel.shm_rmid_forced": "1" }' \
		read /proc/sys/kernel/msgmax
	said 4242
	runs '.linux.sysctl = { "net.ipv4.ip_forward": "1" }' read /proc/sys/net/ipv4/ip_forward
	said 1
	runs '.linux.sysctl = { "net/ipv4/conf/lo/log_martians": "1" }' read /proc/sys/net/ipv4/conf/lo/log_martians
	said 1
	ip link add a.b type veth
	runs '.linux.netDevices = { "a.b": {} } | .linux.sysctl = { "net.ipv4.conf.a/b.log_martians": "1" }' read /proc/sys/net/ipv4/conf/a.b/log_martians
	said 1
	runs '.linux.sysctl = { "kernel.domainname": "by.sysctl" }' host
	is domainname by.sysctl
	[ "$(</proc/sys/kernel/msgmax)" != 4242 ]
	refuses '.linux.sysctl = { "kernel.panic": "1" }' 'sysctl "kernel.panic"'
	refuses '.linux.sysctl = { "vm.swappiness": "1" }' 'sysctl "vm.swappiness"'
	refuses '.linux.sysctl = { "kernel.hostname": "x" }' 'kernel.hostname'
	refuses '.linux.sysctl = { "net.ipv4.ip_forward": "1" } | .linux.namespaces |= map(select(.type != "network"))' 'sysctl "net.ipv4.ip_forward" not allowed in host'
	refuses '.linux.sysctl = { "kernel.msgmax": "1" } | .linux.namespaces |= map(select(.type != "ipc"))' 'sysctl "kernel.msgmax" not allowed in host'
	refuses '.linux.sysctl = { "net.ipv4.no_such": "1" }' 'no_such'
	refuses '.linux.sysctl = { "net.ipv4.ip_forward": "many" }' 'ip_forward'
	refuses '.linux.sysctl = { "net/../kernel/panic": "1" }' 'panic'
}

@test "LX-SYS-01 LX-SYS-02: sysctls of its own namespaces, and none of the host's" { in_ns clean sysctls; }

# The container's root would become the root of everybody there.
own_mountns() {
	refuses '.linux.namespaces |= map(if .type == "mount" then .path = "/proc/self/ns/mnt" else . end)' "mount namespace '/proc/self/ns/mnt'"
	[ -x /bin/sh ]
}

@test "NS-03 NS-15: the host's own mount namespace can't be joined" { in_ns clean own_mountns; }

devices() {
	need ip
	ip link add given0 type veth
	ip link set given0 mtu 1400 address 02:00:00:00:00:07
	ip address add 192.0.2.9/24 dev given0
	ip -6 address add 2001:db8::9/64 dev given0 nodad
	ip link set given0 up
	up c '.linux.netDevices = { given0: { name: "eth7" } }' hold 0
	[ ! -e /sys/class/net/given0 ]
	nsenter -t "$(state c pid)" -n ip -j address show dev eth7 >"$T/out"
	jq -e '.[0] | .mtu == 1400 and .address == "02:00:00:00:00:07" and (.flags | index("UP")) and (.addr_info | map(.local) |
		(index("192.0.2.9") != null and index("2001:db8::9") != null))' "$T/out"
	gone c
	ip link add given1 type veth
	up c '.linux.netDevices = { given1: {} }' hold 0
	nsenter -t "$(state c pid)" -n test -e /sys/class/net/lo
	nsenter -t "$(state c pid)" -n ip link show given1 >/dev/null
	gone c
	ip link add given2 type veth
	up c '.linux.netDevices = { given2: { name: "net%d" } }' hold 0
	nsenter -t "$(state c pid)" -n ip link show net0 >/dev/null
	gone c
}

@test "ND-01 ND-02 ND-04 ND-05 ND-06: interfaces of the host become the container's" { in_ns devices; }

wrong_devices() {
	ip link add given0 type veth
	refuses '.linux.netDevices = { nothere: {} }' nothere
	refuses '.linux.netDevices = { given0: { name: "sixteenletters16" } }' sixteenletters16
	refuses '.linux.netDevices = { given0: { name: "a/b" } }' 'a/b'
	refuses '.linux.netDevices = { given0: { name: ".." } }' netDevices
	refuses '.linux.netDevices = { given0: { name: "lo" } }' lo
	refuses '.linux.netDevices = { given0: {} } | .linux.namespaces |= map(select(.type != "network"))' 'network namespace|netDevices'
	ip link show given0 >/dev/null # still there
}

@test "ND-01 ND-02 ND-03 ND-08: interfaces that can't be are errors, and stay the host's" { in_ns wrong_devices; }
