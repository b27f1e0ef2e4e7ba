# SPDX-License-Identifier: GPL-2.0-or-later
# mounts.bats - the root and what is mounted in it
#
# Rows RO, MO, LX-PRP, LX-MSK and LX-ROP of the contract.

load ../helpers
load ../cli/common
load common

# mounted DESTINATION: the line of mountinfo, of what is on top there; options NAME: its per-mount ones.
mounted() { grep -E "^mount=[0-9]+ [0-9]+ [0-9:]+ \S+ $1 " "$T/out" | tail -n 1; }
options() { mounted "$1" | cut -d' ' -f6; }

# bind OPTIONS-AS-JSON: a filter that binds $T/source on /x.
bind() { echo '.mounts += [{ destination: "/x", source: "\(env.T)/source", options: '"$1"' }]'; }


root() {
	bundle c '.root.readonly = true' write /x text
	oci run --bundle "$T/c" c
	ended 1
	is error '/x: EROFS'
	runs . write /x text
	is written /x
	[ "$(<"$T/c/rootfs/x")" = text ]
	runs '.root.path = "\(env.T)/c/rootfs"' ids
	ln -s rootfs "$T/c/link"
	runs '.root.path = "link"' ids
	runs . mounts
	[ "$(grep -c '^mount=' "$T/out")" -lt 40 ]
	lacks 'coso-test[^ ]* /(oldroot|\.)' "$T/out"
	[ "$(mounted / | cut -d' ' -f4)" != / ]
	# The host is out of reach, by whatever name.
	up box . hold 0
	[ ! -e "/proc/$(state box pid)/root$T" ]
	gone box
}

# What is mounted on "/" is the root from then on; root.path is out of reach.
over_root() {
	local filter='.mounts = [{ destination: "/", type: "bind", source: "\(env.T)/other", options: ["rbind"] }] + .mounts'
	bundle c
	cp -a "$PROBE" "$T/other"
	echo other >"$T/other/name"
	echo first >"$T/c/rootfs/name"
	runs "$filter" read /name
	said other
	runs "$filter"' | .linux.namespaces |= map(select(.type != "cgroup"))' read /../../name
	said other
	refuses '.mounts += [{ destination: "/", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] }]' tmpcopyup
	refuses '.mounts += [{ destination: "/", type: "bind", source: "\(env.T)/other", options: ["rbind"] }]' "mount on '/': it must come first"
	bundle c "$filter | .root.readonly = true" write /name x
	oci run --bundle "$T/c" c
	ended 1
	is error '/name: EROFS'
	[ "$(<"$T/other/name")" = other ]
}

@test "MO-05: a mount on the root itself" { in_ns clean over_root; }

@test "RO-02 RO-03 RO-04 GE-12: the root is the bundle's, read-only if asked, and nothing of the host's is left" { in_ns clean root; }

no_pivot() {
	runs . mounts
	bundle c . mounts stat /bin/probe
	oci run --no-pivot --bundle "$T/c" c
	ended 0 || { bundle c . mounts; oci run --no-pivot --bundle "$T/c" c; ended 0; }
	[ "$(grep -c '^mount=' "$T/out")" -lt 40 ]
	lacks ' /(var|usr|home) ' "$T/out"
}

@test "RO-04: --no-pivot: nor by that way" { in_ns clean no_pivot; }

binds() {
	mkdir -p "$T/source/deep" "$T/other"
	echo one >"$T/source/file"
	mount -t tmpfs deep "$T/source/deep"
	echo deep >"$T/source/deep/file"
	runs "$(bind '["bind"]')" read /x/file
	said one
	bundle c "$(bind '["bind"]')" read /x/deep/file
	oci run --bundle "$T/c" c
	ended 1
	runs "$(bind '["rbind"]')" read /x/deep/file
	runs "$(bind '["rbind", "bind"]')" read /x/deep/file
	runs "$(bind '["bind", "rbind"]')" read /x/deep/file
	said deep
	runs '.mounts += [{ destination: "/single", source: "\(env.T)/source/file", options: ["bind", "ro"] }]' read /single # a file made to bind on
	said one
	runs '.mounts += [{ destination: "/rel", source: "data", options: ["bind"] }]' read /rel/f || true
	mkdir "$T/c/data" && echo relative >"$T/c/data/f"
	runs '.mounts += [{ destination: "/rel", type: "none", source: "data", options: ["rbind"] }]' read /rel/f
	said relative
	runs '.mounts += [{ destination: "no/slash", type: "tmpfs", source: "t" }]' mounts
	[ -n "$(mounted /no/slash)" ]
	umount "$T/source/deep"
}

@test "MO-02 MO-03 MO-04 MO-06: bind and rbind, files and folders, relative paths" { in_ns clean binds; }

flags() {
	local pair
	mkdir -p "$T/source"
	for pair in ro:ro nosuid:nosuid nodev:nodev noexec:noexec noatime:noatime nodiratime:nodiratime nosymfollow:nosymfollow; do
		runs "$(bind "[\"bind\", \"${pair%:*}\"]")" mounts
		options /x | grep -qE "(^|,)${pair#*:}(,|$)" || { echo "$pair: $(mounted /x)" >&2; return 1; }
		bundle c "$(bind "[\"bind\", \"${pair%:*}\", \"${pair%:*}\"]")" mounts # twice is once
		runs '.mounts += [{ destination: "/t", type: "tmpfs", source: "t", options: ["'"${pair%:*}"'"] }]' mounts
		options /t | grep -qE "(^|,)${pair#*:}(,|$)" || { echo "tmpfs $pair: $(mounted /t)" >&2; return 1; }
	done
	runs '.mounts += [{ destination: "/t", type: "tmpfs", source: "t", options: ["ro", "rw", "noexec", "exec", "nosuid", "suid", "nodev", "dev", "strictatime"] }]' mounts
	[ "$(options /t)" = rw ] # the last one wins
	runs '.mounts += [{ destination: "/t", type: "tmpfs", source: "t", options: ["defaults", "sync", "dirsync", "mand", "nomand", "iversion", "noiversion",
		"silent", "loud", "async", "atime", "diratime", "lazytime", "nolazytime", "relatime", "norelatime", "symfollow", "mode=700", "size=1m"] }]' stat /t
	value /t | grep -q '^40700 '
	runs '.mounts += [{ destination: "/dev/shm", type: "tmpfs", source: "t", options: ["remount", "ro", "nosuid"] }]' mounts
	options /dev/shm | grep -q '^ro,'
}

@test "MO-07 to MO-11: flags, on bind mounts and others" { in_ns clean flags; }

recursive() {
	mkdir -p "$T/source/deep"
	mount -t tmpfs deep "$T/source/deep"
	runs "$(bind '["rbind", "ro"]')" mounts
	options /x | grep -q '^ro'
	options /x/deep | grep -q '^rw'
	runs "$(bind '["rbind", "rro", "rnosuid", "rnoexec", "rnodev", "rnoatime"]')" mounts
	for pair in ro nosuid noexec nodev noatime; do
		options /x | grep -qE "(^|,)$pair(,|$)"
		options /x/deep | grep -qE "(^|,)$pair(,|$)"
	done
	mount -o remount,ro "$T/source/deep"
	runs "$(bind '["rbind", "rrw"]')" mounts
	options /x/deep | grep -q '^rw'
	umount "$T/source/deep"
}

@test "MO-13: attributes for the mounts below too" { in_ns clean recursive; }

# peers KIND: what mountinfo says of sharing.
peers() { mounted "$1" | cut -d' ' -f7- | sed 's/ - .*//'; }

propagation() {
	mkdir -p "$T/source"
	mount --bind "$T/source" "$T/source"
	mount --make-shared "$T/source"
	for kind in private rprivate; do
		runs "$(bind '["rbind", "'$kind'"]')" mounts
		lacks '/x .*(shared|master):' "$T/out"
	done
	runs "$(bind '["rbind", "rslave"]')" mounts
	peers /x | grep -q 'master:'
	runs "$(bind '["rbind", "rshared"]')" mounts
	peers /x | grep -q 'shared:'
	runs "$(bind '["bind", "unbindable"]')" mounts
	peers /x | grep -q unbindable
	runs "$(bind '["bind"]')" mounts
	lacks '/x .*shared:' "$T/out"
	# What the host mounts there reaches a slave.
	mkdir "$T/source/later"
	up box "$(bind '["rbind", "rslave"]')" hold 0
	mount -t tmpfs later "$T/source/later"
	grep -q ' /x/later ' "/proc/$(state box pid)/mountinfo"
	umount "$T/source/later"
	gone box
	umount "$T/source"
}

@test "MO-12: propagation" { in_ns clean propagation; }

root_propagation() {
	for kind in private:0 rprivate:0 slave:0 rslave:0 shared:1 rshared:1; do
		runs '.linux.rootfsPropagation = "'"${kind%:*}"'"' mounts
		[ "$(mounted / | grep -c 'shared:')" = "${kind#*:}" ]
	done
	runs '.linux.rootfsPropagation = "unbindable"' mounts
	mounted / | grep -q unbindable
	refuses '.linux.rootfsPropagation = "magic"' rootfsPropagation
	# Nothing gets out of it.
	lacks "$T/c" /proc/self/mountinfo || grep -c "$T/c" /proc/self/mountinfo
}

@test "LX-PRP-01 MO-27: rootfsPropagation; nothing that is mounted appears on the host" { in_ns clean root_propagation; }

idmapped() {
	mkdir -p "$T/source"
	echo x >"$T/source/file"
	chown 1000:1000 "$T/source/file"
	local maps='uidMappings: [{ containerID: 1000, hostID: 5000, size: 10 }], gidMappings: [{ containerID: 1000, hostID: 6000, size: 10 }]' option
	for option in '"idmap", ' '"ridmap", ' ''; do
		runs '.mounts += [{ destination: "/x", type: "bind", source: "\(env.T)/source", options: ['"$option"'"rbind"], '"$maps"' }]' stat /x/file
		value /x/file | grep -q ' 5000:6000 '
	done
	runs '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings |
		.mounts += [{ destination: "/x", type: "bind", source: "\(env.T)/source", options: ["rbind", "idmap"] }]' stat /x/file
	value /x/file | grep -q ' 1000:1000 ' # the container's own maps
	refuses "$(bind '["bind", "idmap"]')" 'idmap|map'
	refuses '.mounts += [{ destination: "/x", type: "bind", source: "\(env.T)/source", options: ["bind"], uidMappings: [{ containerID: 0, hostID: 1, size: 1 }] }]' gidMappings
}

@test "MO-14 MO-15 MO-16 MO-17: id-mapped mounts" {
	skip_unless 'id-mapped mounts of this file system' grep -qE '^(ext2/ext3|xfs|btrfs)$' <(stat -f -c %T "$T")
	in_ns clean idmapped
}

copy_up() {
	mkdir "$T/source"
	bundle c
	mkdir -p "$T/c/rootfs/filled/deep"
	echo one >"$T/c/rootfs/filled/deep/file"
	chown 7:8 "$T/c/rootfs/filled/deep/file"
	runs '.mounts += [{ destination: "/filled", type: "tmpfs", source: "t", options: ["tmpcopyup"] }]' read /filled/deep/file
	said one
	runs '.mounts += [{ destination: "/filled", type: "tmpfs", source: "t", options: ["tmpcopyup"] }]' stat /filled/deep/file
	value /filled/deep/file | grep -q ' 7:8 '
	chown 0:0 "$T/c/rootfs/filled/deep/file"
	runs '.mounts += [{ destination: "/filled", type: "tmpfs", source: "t", options: ["tmpcopyup"] }]' write /filled/deep/file two
	[ "$(<"$T/c/rootfs/filled/deep/file")" = one ]
	refuses "$(bind '["bind", "tmpcopyup"]')" tmpcopyup
}

@test "MO-18: tmpcopyup" { in_ns clean copy_up; }

odd() {
	mkdir -p "$T/source"
	refuses '.mounts += [{ destination: "/t", type: "tmpfs", source: "t", options: ["nonsense=1"] }]' /t
	runs '.mounts += [{ destination: "/one", type: "tmpfs", source: "t" }, { destination: "/one/two/three", type: "tmpfs", source: "t" }]' mounts
	[ -n "$(mounted /one/two/three)" ]
	[ ! -e "$T/c/rootfs/one/two" ]
	refuses "$(bind '["bind", "ro"]')"' | .mounts += [{ destination: "/x/new", type: "tmpfs", source: "t" }]' '/x/new.*read-only file system'
	[ -z "$(ls "$T/source")" ]
	mkdir "$T/source/new"
	runs "$(bind '["bind", "ro"]')"' | .mounts += [{ destination: "/x/new", type: "tmpfs", source: "t" }]' mounts
	[ -n "$(mounted /x/new)" ]
	refuses '.mounts += [{ destination: "/proc", type: "tmpfs", source: "t" }]' /proc
	refuses '.mounts += [{ destination: "/proc/sys/kernel", type: "tmpfs", source: "t" }]' /proc
	echo fake >"$T/source/cpuinfo"
	runs '.mounts += [{ destination: "/proc/cpuinfo", type: "bind", source: "\(env.T)/source/cpuinfo", options: ["bind"] }]' read /proc/cpuinfo
	said fake
}

@test "MO-20 MO-22 MO-24: data for file systems, mounts below mounts, and what proc is kept from" { in_ns clean odd; }

# Links of a hostile root lead nowhere but into it.
links() {
	bundle c
	mkdir -p "$T/canary" "$T/source"
	ln -s ../../../../../../../../"$T/canary" "$T/c/rootfs/rel"
	ln -s "$T/canary" "$T/c/rootfs/abs"
	runs '.mounts += [{ destination: "/rel/a", type: "tmpfs", source: "t" }, { destination: "/abs/b", type: "bind", source: "\(env.T)/source", options: ["bind"] }]' mounts
	[ -z "$(ls "$T/canary")" ]
	[ -d "$T/c/rootfs$T/canary/a" ]
	rm -rf "$T/c/rootfs/proc" "$T/c/rootfs/dev"
	ln -s "$T/canary" "$T/c/rootfs/proc"
	oci run --bundle "$T/c" c
	[ $status != 0 ]
	[ -z "$(ls "$T/canary")" ]
	rm "$T/c/rootfs/proc"
	mkdir "$T/c/rootfs/proc"
	ln -s "$T/canary" "$T/c/rootfs/dev"
	oci run --bundle "$T/c" c
	[ -z "$(ls "$T/canary")" ]
}

@test "MO-03 8.3: links in the root stay inside it" { in_ns clean links; }

protected() {
	bundle c
	mkdir -p "$T/c/rootfs/secret" "$T/c/rootfs/fixed/deep"
	echo s >"$T/c/rootfs/secret/file"
	echo s >"$T/c/rootfs/single"
	local filter='.linux.maskedPaths += ["/secret", "/single", "/no/such"] | .linux.readonlyPaths += ["/fixed", "/none"]'
	runs "$filter" stat /secret/file /single /proc/kcore
	is /secret/file ENOENT
	value /single | grep -q ' 1:3$' # /dev/null's number
	bundle c "$filter" read /single
	oci run --bundle "$T/c" c
	[ ! -s "$T/out" ] || is error '/single: EACCES'
	bundle c "$filter" write /secret/new
	oci run --bundle "$T/c" c
	[ $status != 0 ]
	bundle c "$filter" write /fixed/deep/new
	oci run --bundle "$T/c" c
	is error '/fixed/deep/new: EROFS'
	bundle c . write /proc/sys/kernel/msgmax 1
	oci run --bundle "$T/c" c
	is error '/proc/sys/kernel/msgmax: EROFS'
	refuses '.linux.maskedPaths = ["relative"]' maskedPaths
	refuses '.linux.readonlyPaths = ["relative"]' readonlyPaths
}

@test "LX-MSK-01 LX-ROP-01: masked and read-only paths" { in_ns clean protected; }

standard() {
	runs . mounts
	for path in /proc:proc /sys:sysfs /dev/pts:devpts /dev/shm:tmpfs /dev/mqueue:mqueue; do
		mounted "${path%:*}" | grep -q " - ${path#*:} "
	done
	options /sys | grep -q '^ro'
	runs '.mounts = []' ids
	[ "$(grep -c '^uid=' "$T/out")" = 1 ]
	# A sysfs that mayn't be mounted is the host's, read-only if so asked.
	runs '.linux.namespaces |= map(select(.type != "network"))' mounts
	mounted /sys | grep -q sysfs
}

@test "MO-01 MO-21 MO-23 MO-25: the standard file systems" { in_ns clean standard; }

cgroup_mount() {
	runs . mounts
	grep -qE '^mount=.* /sys/fs/cgroup(/\S+)? ro,.* - cgroup2? ' "$T/out"
	bundle c . write /sys/fs/cgroup/pids/new/x
	oci run --bundle "$T/c" c
	[ $status != 0 ]
	runs '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)' mounts
	lacks ' /sys/fs/cgroup/\S+ ro,' "$T/out"
	runs '.linux.namespaces |= map(select(.type != "cgroup"))' mounts # then it is mounted all the same
	grep -qE '^mount=.* /sys/fs/cgroup(/\S+)? .* - cgroup2? ' "$T/out"
}

@test "MO-21: the container's own groups, read-only and not" { in_ns clean cgroup_mount; }

without_mountns() {
	bundle c '.linux.namespaces |= map(select(.type != "mount")) | .linux.maskedPaths = [] | .linux.readonlyPaths = [] | .mounts = []' stat /bin/probe /etc/passwd
	oci run --bundle "$T/c" c
	silent
	value /bin/probe | grep -q '^100755'
	refuses '.linux.namespaces |= map(select(.type != "mount"))' 'mount'
	lacks "$T/c" /proc/self/mountinfo
}

@test "NS-03 NS-12: without a mount namespace: chroot, no masks, and no mount left on the host" { in_ns clean without_mountns; }
