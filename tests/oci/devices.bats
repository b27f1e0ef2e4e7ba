# SPDX-License-Identifier: GPL-2.0-or-later
# devices.bats - nodes, who may use them, and what is always there
#
# Rows DV, and CG-12 to CG-16 of the contract.

load ../helpers
load ../cli/common
load common

# With the capabilities that making and reading nodes takes.
able() { echo '.process.capabilities |= with_entries(.value += ["CAP_MKNOD", "CAP_DAC_OVERRIDE", "CAP_SYSLOG"])'; }

defaults() {
	runs . stat /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/ptmx /dev/console /dev/fd
	is /dev/null '20666 0:0 0 1:3'
	is /dev/zero '20666 0:0 0 1:5'
	is /dev/full '20666 0:0 0 1:7'
	is /dev/random '20666 0:0 0 1:8'
	is /dev/urandom '20666 0:0 0 1:9'
	is /dev/tty '20666 0:0 0 5:0'
	is /dev/console ENOENT # without a terminal
	grep -qE '^/dev/ptmx=(12|20666)' "$T/out"
	umask 077
	runs . stat /dev/null
	is /dev/null '20666 0:0 0 1:3'
}

@test "DV-08 DV-09 DV-10: the usual devices, whatever the umask" { in_ns clean defaults; }

listed() {
	umask 077
	runs '.linux.devices = [{ path: "/dev/one", type: "c", major: 1, minor: 5, fileMode: 384, uid: 7, gid: 8 }, { path: "/deep/er/two", type: "b", major: 7, minor: 77 },
		{ path: "/dev/pipe", type: "p", fileMode: 420 }, { path: "/dev/three", type: "u", major: 1, minor: 3, fileMode: 438 }, { path: "/dev/again", type: "c", major: 1, minor: 5 }]' \
		stat /dev/one /deep/er/two /dev/pipe /dev/three /dev/again
	is /dev/one '20600 7:8 0 1:5'
	is /deep/er/two '60666 0:0 0 7:77'
	is /dev/pipe '10644 0:0 0 0:0'
	is /dev/three '20666 0:0 0 1:3'
	is /dev/again '20666 0:0 0 1:5'
	runs '.linux.devices = [{ path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 384 }]' stat /dev/null # its own mode wins
	value /dev/null | grep -q '^20600 .*1:3$'
}

@test "DV-01 to DV-07: listed devices, with exact modes and owners, anywhere" { in_ns clean listed; }

wrong() {
	refuses '.linux.devices = [{ path: "/dev/x", type: "z", major: 1, minor: 5 }]' type
	refuses '.linux.devices = [{ path: "/dev/x", type: "c", minor: 5 }]' major
	refuses '.linux.devices = [{ path: "/dev/x", type: "c", major: 1 }]' minor
	refuses '.linux.devices = [{ type: "c", major: 1, minor: 5 }]' path
	refuses '.linux.devices = [{ path: "dev/x", type: "c", major: 1, minor: 5 }]' path
	bundle c
	: >"$T/c/rootfs/taken"
	refuses '.linux.devices = [{ path: "/taken", type: "c", major: 1, minor: 5 }]' /taken
	[ -f "$T/c/rootfs/taken" ]
	refuses '.linux.resources.devices = [{ access: "rwm" }]' allow
	refuses '.linux.resources.devices = [{ allow: true, type: "x" }]' type
	refuses '.linux.resources.devices = [{ allow: true, type: "c", access: "rx" }]' access
}

@test "DV-01 DV-02 DV-03 CG-13 CG-14 CG-16: devices and rules that can't be are errors" { in_ns clean wrong; }

rules() {
	local nodes='.linux.devices = [{ path: "/dev/mine", type: "c", major: 1, minor: 5 }, { path: "/dev/log0", type: "c", major: 1, minor: 11 }]'
	runs "$nodes" read /dev/zero
	runs "$nodes" read /dev/mine # what is listed is allowed
	# What it makes itself it can't use.
	bundle c "$(able)" node /tmp/kmem 1 2
	oci run --bundle "$T/c" c
	is /tmp/kmem EPERM
	bundle c "$(able) | .linux.resources.devices += [{ allow: true, type: \"c\", major: 1, minor: 11, access: \"rm\" }]" node /tmp/log1 1 11
	oci run --bundle "$T/c" c
	isnt /tmp/log1 EPERM
	bundle c "$(able) | .linux.resources.devices += [{ allow: true, type: \"c\", major: 1, minor: 11, access: \"rm\" }, { allow: false, type: \"c\", access: \"r\", major: 1 }]" node /tmp/log2 1 11
	oci run --bundle "$T/c" c
	is /tmp/log2 EPERM # the last that matches
	bundle c "$(able) | .linux.resources.devices += [{ allow: true, type: \"c\", major: -1, minor: 11, access: \"rm\" }]" node /tmp/log3 1 11
	oci run --bundle "$T/c" c
	isnt /tmp/log3 EPERM
}

@test "CG-12 CG-15 DV-12: rules in order; what isn't listed can't be used" { in_ns clean rules; }

userns() {
	local map='.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	runs "$map"' | .linux.devices = [{ path: "/dev/mine", type: "c", major: 1, minor: 5 }]' stat /dev/null /dev/mine
	value /dev/null | grep -q ' 1:3$'
	value /dev/mine | grep -q ' 1:5$'
	runs "$map" read /dev/null
}

@test "DV-07: in a user namespace devices are there too" { in_ns clean userns; }

host_dev() {
	mkdir -p "$T/dev"
	mknod -m 644 "$T/dev/null" c 1 3
	runs '.mounts |= map(select(.destination | startswith("/dev") | not)) | .mounts += [{ destination: "/dev", source: "\(env.T)/dev", type: "bind", options: ["rbind"] }]' stat /dev/null /dev/zero
	is /dev/null '20644 0:0 0 1:3'
	is /dev/zero ENOENT
	[ "$(ls "$T/dev")" = null ]
}

@test "DV-11: a /dev of the host's is left as it is" { in_ns clean host_dev; }
