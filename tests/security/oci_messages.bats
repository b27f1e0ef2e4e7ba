# SPDX-License-Identifier: GPL-2.0-or-later
# oci_messages.bats - what the OCI runtime and a container say to each other: nothing that is too long, cut short, or not meant
#
# What a first process is to be it knows because it is a copy of the runtime: there is no message with a configuration that could be
# forged (CVE-2021-43784). Messages of a fixed size are left, of which the unit test `gate` sends all that are wrong; and what the
# container itself says: on the socket of sd_notify(3).

load ../helpers
load common
load ../cli/common
load ../oci/common
load oci

# manager: there is a service manager that listens; what it heard is in $T/got.
manager() {
	rm -f "$T/notify"
	"$BIN/receiver" notify "$T/notify" >"$T/got" 2>&1 </dev/null &
	MANAGER=$!
	waits_for "$T/notify"
}

manager_gone() {
	kill "$MANAGER"
	wait "$MANAGER" || true
}

open_files() { find "/proc/$1/fd" -type l | wc -l; }

# While start waits, the container says all that isn't READY=1, and then that.
odd_words() {
	local filter users pid few
	for users in . "$OWN_USERS"; do
		manager
		hostile
		[ "$users" = . ] || chown -hR 100000:100000 "$ROOT"
		filter="$users | .process.args = [\"/bin/attack\", \"notify\", \"2\", \"READY=1\\nMAINPID=1\\nBARRIER=1\\nSTATUS=x\"]"
		bundle c "$filter"
		NOTIFY_SOCKET=$T/notify create c --pid-file "$T/pid"
		quiet
		"$BIN/coso-oci" start c >"$T/start.out" 2>"$T/start.err" </dev/null &
		pid=$!
		sleep 1
		few=$(open_files $pid)
		awk '$8 ~ /^@/' /proc/net/unix >"$T/abstract" # no-abstract-sockets
		lacks . "$T/abstract"
		[ ! -s "$T/got" ] || { echo "told too early: $(<"$T/got")" >&2; return 1; }
		((few < 12)) || { ls -l /proc/$pid/fd >&2; return 1; }
		wait $pid
		cat "$T/start.out" "$T/start.err" >"$T/said"
		[ ! -s "$T/said" ]
		wait_for 5 grep -q BARRIER "$T/got"
		diff <(printf 'fds=0 MAINPID=%s READY=1\nfds=1 BARRIER=1\n' "$(<"$T/pid")") "$T/got" >&2
		wait_for 5 is_state c stopped
		[ "$(sed -n 's/^sent=//p' "$T/c.out")" -gt 100 ]
		gone c
		manager_gone
	done
}

@test "bootstrap-msg-fuzz: OCI: of what a container says to its manager nothing counts but READY=1" { in_ns clean odd_words; }

# The first process has ended; others, which share the caller's pid namespace, go on.
endless_words() {
	local before
	manager
	hostile
	bundle c '.linux.namespaces |= map(select(.type != "pid")) | .process.args = ["/bin/attack", "notify", "0", ""]'
	NOTIFY_SOCKET=$T/notify create c
	quiet
	before=$SECONDS
	NOTIFY_SOCKET=$T/notify oci start c
	quiet
	((SECONDS - before < 10)) || { echo "took $((SECONDS - before)) s" >&2; return 1; }
	[ ! -s "$T/got" ] || { cat "$T/got" >&2; return 1; }
	oci kill --all c KILL
	gone c
	manager_gone
}

@test "bootstrap-msg-fuzz: OCI: start ends with the program, whoever goes on talking" { in_ns clean endless_words; }

# Hooks of the image's have none of the descriptors that the first process has, and the program those that it is to have.
of_hooks() {
	local users
	exec 3<"$T" 200<"$T"
	chmod 755 "$T"
	for users in . "$OWN_USERS"; do
		hostile box
		mkdir -m 777 "$ROOT/said" "$T/said" 2>/dev/null || true
		chmod 777 "$T/said"
		cp "$BIN/attack" "$T/attack"
		[ "$users" = . ] || chown -hR 100000:100000 "$ROOT"
		bundle box "$users | .process.terminal = false | .hooks = {
			createContainer: [{ path: \"\\(env.T)/attack\", args: [\"attack\", \"into\", \"\\(env.T)/said/create\", \"open\"] }],
			startContainer: [{ path: \"/bin/attack\", args: [\"attack\", \"into\", \"/said/start\", \"open\"] }] }" hold 0
		rm -f "$T/said/create"
		create box --preserve-fds 1
		quiet
		oci start box
		quiet
		[ "$(<"$T/said/create")" = open=0 ]
		[ "$(<"$ROOT/said/start")" = open=0 ]
		oci exec --preserve-fds 1 box /bin/attack open
		is open 1
		oci exec box /bin/attack open
		is open 0
		gone box
	done
}

@test "bootstrap-msg-fuzz: OCI: hooks of the image's hold no end of any channel" { in_ns clean of_hooks; }

# talk TEXT [SIZE]: connects where start does and says that, then waits for the other's end.
talk() {
	timeout 10 python3 - "$@" <<-'END'
		import os, socket, sys
		os.chdir("/run/coso-oci/box")
		s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		s.connect("start")
		if sys.argv[1]:
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
		    s.send(sys.argv[1].encode() * int(sys.argv[2]))
		s.shutdown(socket.SHUT_WR)
		while s.recv(1 << 20):
		    pass
	END
}

# Only root may, and then nothing hangs, and the container either runs or has ended.
wrong_start() {
	local size
	for size in 0 1 2 65535 65536 150000; do
		hostile box
		bundle box . hold 0
		create box
		quiet
		as_user 1000 python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect("/run/coso-oci/box/start")' 2>"$T/err" && return 1
		grep -q 'Permission denied' "$T/err"
		is_state box created
		if [ $size = 0 ]; then
			talk '' || return 1
			wait_for 5 is_state box stopped
			oci start box
			fails 1 stopped
		else
			talk x $size
		fi
		gone box
	done
}

@test "bootstrap-msg-fuzz: OCI: something else than start's message where start connects" { in_ns clean wrong_start; }

# What is 64 KiB long, or a byte more or less, arrives whole; the first process takes it from its own copy.
huge_values() {
	local size text sum
	hostile box
	up box . hold 0
	for size in 65535 65536 65537 100000; do
		text=$(head -c "$size" /dev/zero | tr '\0' x)
		sum=$(printf %s "$text" | sha256sum)
		printf '{ "process": { "args": ["/bin/probe", "env"], "env": ["A=%s", "B=/proc/1/ns/net"] }, "hostname": "box" }' "$text" >"$T/huge"
		hostile
		bundle c .
		jq --slurpfile huge "$T/huge" '. * $huge[0]' "$T/c/config.json" >"$T/new"
		mv "$T/new" "$T/c/config.json"
		oci run --bundle "$T/c" c
		ended 0
		[ "$(value env.A | tr -d '\n' | sha256sum)" = "$sum" ]
		is env.B /proc/1/ns/net
		jq '.process | .args = ["/bin/probe", "env"]' "$T/c/config.json" >"$T/process"
		oci exec --process "$T/process" box
		ended 0
		[ "$(value env.A | tr -d '\n' | sha256sum)" = "$sum" ]
	done
	gone box
}

# Paths, names and lists that are too long are refused by name, and what they end in isn't taken for something else.
huge_paths() {
	local own key long LONG
	own=$(readlink /proc/self/ns/net)
	LONG="($(printf '"/%s"' "$(head -c 250 /dev/zero | tr '\0' n)") * 270 + \"/proc/self/ns/net\")"
	for key in '.linux.namespaces |= map(if .type == "network" then .path = LONG else . end)' '.process.cwd = LONG' '.root.path = LONG' \
		'.mounts += [{ destination: LONG, type: "tmpfs", source: "t" }]' '.linux.maskedPaths += [LONG]' '.linux.readonlyPaths += [LONG]' \
		'.mounts += [{ destination: "/tmp", type: "bind", source: LONG, options: ["bind"] }]' \
		'.mounts += [{ destination: "/tmp", type: "tmpfs", source: "t", options: ["size=" + LONG] }]' \
		'.linux.devices = [{ path: ("/dev" + LONG), type: "c", major: 1, minor: 3 }]' '.linux.cgroupsPath = LONG' '.hostname = LONG' \
		'.linux.sysctl = { ("net." + LONG): "1" }' '.linux.sysctl = { "net.ipv4.ping_group_range": LONG }' \
		'.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: [LONG], action: "SCMP_ACT_ERRNO" }] }' \
		'.hooks.createRuntime = [{ path: LONG }]' '.process.args[0] = LONG' '.process.capabilities.bounding += [LONG]' \
		"$OWN_USERS"' | .linux.uidMappings = [range(7000) | { containerID: (. * 2), hostID: (100000 + . * 2), size: 1 }]'; do
		hostile
		long=${key//LONG/$LONG}
		attempt "$long" ns
		if [ $status = 0 ]; then
			[ "$(value ns.net)" != "$own" ] || { echo "in the caller's network (with $key)" >&2; return 1; }
		else
			[ "$(wc -l <"$T/err")" = 1 ] || { echo "not one line (with $key): $(head -c 300 "$T/err")" >&2; return 1; }
			(($(wc -c <"$T/err") < 1200))
		fi
		[ ! -e /run/coso-oci/c ]
	done
}

@test "bootstrap-msg-fuzz: OCI: values of 64 KiB arrive whole, at run and exec" { in_ns clean huge_values; }
@test "bootstrap-msg-fuzz: OCI: paths and lists of 64 KiB are refused by name, and nothing of them is taken for another" { in_ns clean huge_paths; }

# Annotations that engines and other runtimes act upon, some of which come from an image's labels.
labels() {
	local plain
	printf '#!/bin/sh\ntouch "%s/ran"\n' "$T" >"$T/program"
	chmod 755 "$T/program"
	cat >"$T/labels" <<-END
		{ "io.containerd.log.uri": "binary://$T/program?a=b", "run.oci.handler": "$T/program", "run.oci.hooks": "$T/ran",
		  "run.oci.hooks.stdout.x": "$T/ran", "run.oci.seccomp.receiver": "$T/program", "run.oci.seccomp.plugins": "$T/program",
		  "org.criu.config": "$T/program", "org.systemd.property.ExecStart": "'$T/program'", "module.wasm.image/variant": "compat",
		  "cdi.k8s.io/x": "vendor.com/class=../../../etc", "io.podman.annotations.privileged": "TRUE", "run.oci.keep_original_groups": "1",
		  "io.container.manager": "$T/program", "run.oci.systemd.subgroup": "../../x", "run.oci.pidfd_receiver": "$T/ran", "": "",
		  "=": "../..", "LD_PRELOAD": "$T/program", "a\nb": "\\u001b[0m" }
	END
	hostile
	bundle c '.hooks.poststop = [{ path: "/bin/true" }] | .hooks.createRuntime = .hooks.poststop' ids caps env mounts process
	oci run --bundle "$T/c" c
	ended 0
	plain=$(sed -E 's/^(mount=).* ([^ ]+ [^ ]+ - .*)/\1\2/; /^(pid|sid|pgid)=/d' "$T/out")
	jq --slurpfile labels "$T/labels" '.annotations = ($labels[0] | del(.[""]))' "$T/c/config.json" >"$T/new"
	cp "$T/new" "$T/c/config.json"
	oci run --bundle "$T/c" c
	ended 0
	diff <(echo "$plain") <(sed -E 's/^(mount=).* ([^ ]+ [^ ]+ - .*)/\1\2/; /^(pid|sid|pgid)=/d' "$T/out") >&2
	create c
	quiet
	"$BIN/coso-oci" state c | jq -S .annotations >"$T/kept"
	diff <(jq -S .annotations "$T/new") "$T/kept" >&2
	gone c
	[ ! -e "$T/ran" ] || { echo "an annotation was acted upon" >&2; return 1; }
}

@test "labels-inert: OCI: annotations that nobody documents are kept, and nothing else" { in_ns clean labels; }
