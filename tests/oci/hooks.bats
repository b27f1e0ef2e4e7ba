# SPDX-License-Identifier: GPL-2.0-or-later
# hooks.bats - programs that run at points of a container's life
#
# Rows HK and LC-04 LC-17 LC-18, and section 5.7 of the contract.

load ../helpers
load ../cli/common
load common

# Makes $T/hook, which appends "NAME STATUS PID MNT-NAMESPACE FOLDER" to $T/order and keeps the state in $T/state.NAME.
make_hook() {
	cat >"$T/hook" <<-'SH'
		#!/bin/sh
		cat >"$2/state.$1"
		set -- "$1" "$2" $(jq -r '.status, .pid' "$2/state.$1") "$(stat -Lc %i /proc/self/ns/mnt)"
		echo "$1 $3 $4 $5 $(pwd)" >>"$2/order"
	SH
	chmod 755 "$T/hook"
}

# All six kinds, two of each; those of startContainer write inside.
EVERY='def hook(n): { path: "\(env.T)/hook", args: ["hook", n, env.T] };
	.hooks = (["prestart", "createRuntime", "createContainer", "poststart", "poststop"] | map({ key: ., value: [hook(. + "1"), hook(. + "2")] }) | from_entries) |
	.hooks.startContainer = [{ path: "/bin/probe", args: ["probe", "record", "/tmp/start", "one"] }, { path: "/bin/probe", args: ["probe", "record", "/tmp/start", "two"] }]'

order() {
	local here pid
	make_hook
	bundle box "$1 | .annotations.key = \"value\"" hold 0
	create box --pid-file "$T/pid"
	quiet
	pid=$(<"$T/pid")
	here=$(stat -Lc %i /proc/self/ns/mnt)
	[ "$(cut -d' ' -f1 "$T/order" | paste -sd' ')" = 'prestart1 prestart2 createRuntime1 createRuntime2 createContainer1 createContainer2' ]
	[ "$(grep -c "^\(prestart\|createRuntime\)[12] \(creating\|created\) $pid $here $T/box\$" "$T/order")" = 4 ]
	lacks "^createContainer.*$here" "$T/order" # in the container's namespaces, with a path of the host's
	[ ! -e "$T/box/rootfs/tmp/start" ]
	oci start box
	quiet
	[ "$(tail -n +7 "$T/order" | cut -d' ' -f1 | paste -sd' ')" = 'poststart1 poststart2' ]
	grep -qx "poststart1 running $pid $here $T/box" "$T/order"
	[ "$(wc -l <"$T/box/rootfs/tmp/start")" = 2 ]
	head -n 1 "$T/box/rootfs/tmp/start" | grep -q '^probe record /tmp/start one |PATH=/usr/bin:/bin TERM=xterm .*|/|{.*"status":"created"'
	gone box
	[ "$(tail -n +9 "$T/order" | cut -d' ' -f1-2 | paste -sd' ')" = 'poststop1 stopped poststop2 stopped' ]
	jq -e '.id == "box" and .bundle == "\(env.T)/box" and .annotations.key == "value" and .ociVersion == "1.3.0"' "$T"/state.* >/dev/null
}

@test "LC-04 HK-01 to HK-07 HK-12: all six kinds, in order, each in its place, with the state" { in_ns clean order "$EVERY"; }

foreground() {
	make_hook
	bundle box "$1" ids
	oci run --bundle "$T/box" box
	silent
	[ "$(cut -d' ' -f1 "$T/order" | paste -sd' ')" = 'prestart1 prestart2 createRuntime1 createRuntime2 createContainer1 createContainer2 poststart1 poststart2 poststop1 poststop2' ]
	[ "$(wc -l <"$T/box/rootfs/tmp/start")" = 2 ]
}

@test "LC-04: the same at run" { in_ns clean foreground "$EVERY"; }

arguments() {
	local env='{ path: env.R, args: ["zero", "record", "\(env.T)/got", "a b", ""], env: ["A=1", "B=x y"] }'
	export R=$BIN/probe
	bundle box ".hooks.createRuntime = [$env, ($env | del(.env)), ($env | .env = [])] | .hooks.poststop = [{ path: \"/bin/true\" }]" ids
	status=0
	env -i SEEN=1 PATH=/bin "$BIN/coso-oci" run --bundle "$T/box" box >"$T/out" 2>"$T/err" </dev/null || status=$?
	silent
	sed -n 1p "$T/got" | grep -q "^zero record $T/got a b  |A=1 B=x y |$T/box|{"
	sed -n 2p "$T/got" | grep -q "|.*SEEN=1 .*|"
	sed -n 3p "$T/got" | grep -q '||'
	[ "$(grep -c '||' "$T/got")" = 1 ]
}

@test "HK-09 HK-10: argv and environment as they are given; without env the runtime's, with an empty one none" { in_ns clean arguments; }

# before KIND...: the hook of KIND fails while a container is made: create fails, nothing is left, and poststop hooks have run.
fails_early() {
	local kind
	for kind in prestart createRuntime createContainer; do
		rm -f "$T/ran" "$T/stopped"
		bundle box '.hooks = { '$kind': [{ path: "/bin/true" }, { path: "/bin/sh", args: ["sh", "-c", "echo no good >&2; exit 3"] },
			{ path: "/bin/touch", args: ["touch", "\(env.T)/ran"] }], poststop: [{ path: "/bin/touch", args: ["touch", "\(env.T)/stopped"] }] }' ids
		oci create --bundle "$T/box" --pid-file "$T/pid" box
		fails 1 "error running $kind hook #1: .*exit code 3.*no good"
		[ ! -e "$T/ran" ]
		[ -e "$T/stopped" ]
		[ ! -e "$T/pid" ]
		[ ! -e /run/coso-oci/box ]
		oci delete --force box
		quiet
	done
}

@test "LC-17 HK-01 HK-02 HK-03 HK-13: a hook that fails while a container is made fails create; poststop hooks run" { in_ns clean fails_early; }

fails_at_start() {
	bundle box '.hooks = { startContainer: [{ path: "/bin/probe", args: ["probe", "exit", "4"] }], poststop: [{ path: "/bin/touch", args: ["touch", "\(env.T)/stopped"] }] }' hold 0
	create box
	quiet
	oci start box
	fails 1 'error running startContainer hook #0: .*exit code 4'
	wait_for 5 is_state box stopped
	lacks holding "$T/box.out"
	gone box
	[ -e "$T/stopped" ]
	rm "$T/stopped"
	bundle box '.hooks = { poststart: [{ path: "/bin/false" }], poststop: [{ path: "/bin/touch", args: ["touch", "\(env.T)/stopped"] }] }' hold 0
	create box --pid-file "$T/pid"
	quiet
	oci start box
	fails 1 'error running poststart hook #0: .*exit code 1'
	[ -e "$T/stopped" ]
	[ ! -e /run/coso-oci/box ]
	[ ! -e "/proc/$(<"$T/pid")" ] || grep -q '^State:.*Z' "/proc/$(<"$T/pid")/status" # this shell's to reap
	oci delete box
	fails 1 'does not exist'
	oci run --bundle "$T/box" box
	ended 1
	grep -q 'poststart hook #0' "$T/err"
	[ ! -e /run/coso-oci/box ]
	bundle box '.hooks = { startContainer: [{ path: "/nope" }] }' hold 0
	create box
	oci start box
	fails 1 'startContainer hook #0.*no such file or directory'
	gone box
}

@test "LC-17 HK-04 HK-05: a hook that fails at start fails start and ends the container" { in_ns clean fails_at_start; }

fails_late() {
	bundle box '.hooks.poststop = [{ path: "/bin/false" }, { path: "/nope" }, { path: "/bin/touch", args: ["touch", "\(env.T)/stopped"] }]' ids
	create box
	oci --log "$T/log" delete box
	quiet
	[ -e "$T/stopped" ]
	[ "$(grep -c 'level=warning.*poststop hook #[01]' "$T/log")" = 2 ]
	rm "$T/stopped"
	oci run --bundle "$T/box" box
	ended 0
	[ -e "$T/stopped" ]
}

@test "LC-18 HK-06: a poststop hook that fails is a warning, and the others run" { in_ns clean fails_late; }

timeouts() {
	bundle box '.hooks.createRuntime = [{ path: "/bin/sh", args: ["sh", "-c", "echo $$ >\(env.T)/pid; exec sleep 30"], timeout: 1 }]' ids
	SECONDS=0
	oci create --bundle "$T/box" box
	fails 1 'error running createRuntime hook #0: .*hook ran past specified timeout of 1\.0s'
	[ $SECONDS -lt 10 ]
	[ ! -d "/proc/$(<"$T/pid")" ] || grep -q '^State:.Z' "/proc/$(<"$T/pid")/status"
	bundle box '.hooks.startContainer = [{ path: "/bin/probe", args: ["probe", "sleep", "30"], timeout: 1 }]' ids
	create box
	oci start box
	fails 1 'error running startContainer hook #0: .*hook ran past specified timeout of 1\.0s'
	gone box
}

@test "HK-11: a hook that takes longer than it may is killed" { in_ns clean timeouts; }

wrong() {
	refuses '.hooks.prestart = [{ path: "bin/true" }]' path
	refuses '.hooks.prestart = [{ args: ["true"] }]' path
	refuses '.hooks.poststop = [{ path: "/bin/true", timeout: 0 }]' timeout
	refuses '.hooks.poststop = [{ path: "/bin/true", timeout: -1 }]' timeout
	refuses '.hooks.createRuntime = [{ path: "/no/such" }]' 'createRuntime hook #0.*no such file or directory'
	refuses '.hooks.createContainer = [{ path: "/etc/passwd" }]' 'createContainer hook #0.*permission denied'
}

@test "HK-08 HK-11: hooks that can't be are errors" { in_ns clean wrong; }

# Who reads nothing of a large state must not hold it up.
unread() {
	bundle box '.annotations.large = ("x" * 300000) | .hooks = { createRuntime: [{ path: "/bin/true" }], poststart: [{ path: "/bin/wc", args: ["wc", "-c"] }] }' ids
	oci run --bundle "$T/box" box
	silent
}

@test "HK-12: a hook that doesn't read the state is no error, however large that is" { in_ns clean unread; }

output() {
	bundle box '.annotations = { "run.oci.hooks.stdout": "\(env.T)/hooks.out", "run.oci.hooks.stderr": "\(env.T)/hooks.err" } |
		.hooks.createRuntime = [{ path: "/bin/sh", args: ["sh", "-c", "echo one; echo two >&2"] }, { path: "/bin/sh", args: ["sh", "-c", "echo three"] }] |
		.hooks.poststop = [{ path: "/bin/sh", args: ["sh", "-c", "echo four"] }]' ids
	echo zero >"$T/hooks.out"
	oci run --bundle "$T/box" box
	silent
	lacks 'one|two|three|four'
	[ "$(paste -sd' ' "$T/hooks.out")" = 'zero one three four' ]
	[ "$(<"$T/hooks.err")" = two ]
}

@test "run.oci.hooks.stdout and stderr: files to which hooks' output is appended" { in_ns clean output; }

# nerdctl and others look at the bundle and the network namespace from such hooks.
looks() {
	bundle box '.hooks.createRuntime = [{ path: "/bin/sh", args: ["sh", "-c", "s=$(cat); pid=$(echo \"$s\" | jq .pid); b=$(echo \"$s\" | jq -r .bundle);
		test -e $b/config.json && nsenter -t $pid -n ip link add made0 type veth && test -d /proc/$pid/root/proc/1"] }]' read /proc/net/dev
	oci run --bundle "$T/box" box
	silent
	grep -q made0 "$T/out"
	bundle box '.hooks.createContainer = [{ path: "/bin/sh", args: ["sh", "-c", "readlink /proc/self/ns/uts >\(env.T)/uts; grep -c rootfs/proc /proc/self/mountinfo >\(env.T)/mounts || grep -c proc /proc/self/mountinfo >\(env.T)/mounts"] }]' ns
	oci run --bundle "$T/box" box
	silent
	is ns.uts "$(<"$T/uts")"
	[ "$(<"$T/mounts")" -gt 0 ]
}

@test "HK-02 HK-03: what hooks find: namespaces that are there, and the bundle" { in_ns clean looks; }
