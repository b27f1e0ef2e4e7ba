# SPDX-License-Identifier: GPL-2.0-or-later
# lifecycle.bats - create, start, state, delete, list: what each does in which state, and what it says
#
# Sections 3.1 to 3.8, 4 and 10.2 of the contract, and the rows of 10.1 that can be seen from outside.

load ../helpers
load ../cli/common
load common

# known NAME: the first process of a container is what `state` says.
life() {
	local pid
	bundle one '.annotations = { "org.x/key": "välue", empty: "" }' hold 1 7
	create one --pid-file "$T/pid"
	quiet
	pid=$(<"$T/pid")
	[ "$(tail -c 1 "$T/pid" | od -An -c | tr -d ' ')" = "${pid: -1}" ] # no newline
	"$BIN/coso-oci" state one >"$T/out"
	jq -e --arg pid "$pid" '. as $s | .ociVersion == "1.3.0" and .id == "one" and .status == "created" and .pid == ($pid | tonumber) and
		.bundle == env.T + "/one" and .rootfs == env.T + "/one/rootfs" and .annotations == { "org.x/key": "välue", empty: "" } and
		.owner == "root" and ([ "started", "finished", "exitCode", "oomKilled", "error", "initPid" ] | map(in($s)) | any | not)' "$T/out"
	jq -r .created "$T/out" | grep -qxE '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}Z'
	[ "$(tail -c 1 "$T/out")" = "" ] # a line end
	grep -qE '^NSpid:.*\s1$' "/proc/$pid/status"
	[ ! -s "$T/one.out" ] # its program doesn't run
	oci start one
	quiet
	is_state one running
	has one holding
	[ "$(state one pid)" = "$pid" ]
	oci kill one TERM
	quiet
	reaped "$pid" 'exit 7'
	is_state one stopped
	[ "$(state one pid)" = 0 ]
	oci delete one
	quiet
	[ ! -e /run/coso-oci/one ]
	oci state one
	fails 1 "container 'one' does not exist"
}

@test "ST-01 to ST-07, LC-03 LC-07 LC-11 LC-14: created, running, stopped, gone" { as_engine clean life; }

again() {
	local round
	for round in 1 2; do
		up same . sleep 100
		gone same
	done
}

@test "LC-16: an id may be used again after delete" { in_ns clean again; }

taken() {
	up one . hold 0
	bundle two . sleep 1
	oci create --bundle "$T/two" one
	fails 1 "container with given ID already exists: 'one'"
	oci run --bundle "$T/two" one
	fails 1 "container with given ID already exists"
	is_state one running
	[ "$(state one bundle)" = "$T/one" ]
	oci kill one KILL
	wait_for 5 is_state one stopped
	oci create --bundle "$T/two" one # as long as it isn't deleted
	fails 1 "container with given ID already exists"
	gone one
}

@test "LC-02: an id that is in use is refused, and its container left alone" { in_ns clean taken; }

unknown() {
	local command
	for command in start state kill delete ps pause resume update events; do
		oci $command nobody
		fails 1 "container 'nobody' does not exist"
	done
	oci exec nobody true
	[ $status != 0 ]
	grep -q "container 'nobody' does not exist" "$T/err"
	oci delete --force nobody
	quiet
	oci delete -f nobody
	quiet
}

# The state of one is damaged, and a launcher of the other program was killed: neither's mending is the end of a namesake.
namesakes() {
	local dead
	"$BIN/coso" --name box --detach --network none --rootfs "$PROBE" /bin/probe sleep 100 >/dev/null
	dead=$(jq .owner /run/coso/box/state.json)
	kill -KILL "$(jq .pid /run/coso/box/state.json)" "$dead"
	wait_for 5 eval "! kill -0 $dead 2>/dev/null"
	up box . hold 0
	"$BIN/coso" ps >/dev/null
	"$BIN/coso" rm box
	is_state box running
	OCI_OPTIONS="--root $T/other" up box . hold 0
	echo '{' >"$T/other/box/state.json.new"
	mv "$T/other/box/state.json.new" "$T/other/box/state.json"
	oci --root "$T/other" delete --force box
	ended 0
	is_state box running
	gone box
	rm -r /run/coso /var/lib/coso/containers # coso keeps its folders
}

@test "a namesake of another root, or of coso's own, ends with nobody else" { in_ns clean namesakes; }

several() {
	local name
	for name in web-1 web-2 db; do up $name . hold 0; done
	oci delete --regex 'web-[0-9]'
	fails 1 'that is not stopped: running'
	oci delete --force --regex '^web-[0-9]$'
	quiet
	oci list --quiet
	[ "$(<"$T/out")" = db ]
	oci delete --force --regex 'none'
	quiet
	oci delete --regex '('
	fails 1 'no extended regular expression'
	oci delete --regex
	fails 1 'one expression'
	oci delete -f -r db web
	fails 1 'one expression'
	is_state db running
	oci delete -f -r d.
	quiet
	oci state db
	fails 1 'does not exist'
}

@test "delete --regex: all whose ids match, and no other" { in_ns clean several; }

@test "ST-09 LC-06 LC-10: an unknown container does not exist, for every command; delete --force doesn't mind" { in_ns unknown; }

# What may be done in which state. pause needs a freezer.
states() {
	up one . hold 0
	oci start one
	fails 1 'cannot start an already running container'
	oci delete one
	fails 1 'cannot delete container one that is not stopped: running'
	oci resume one
	fails 1 'container not paused'
	is_state one running
	oci pause one
	quiet
	is_state one paused
	oci start one
	fails 1 'cannot start an already running container'
	oci delete one
	fails 1 'cannot delete container one that is not stopped: paused'
	oci pause one
	fails 1 'container not running'
	oci exec one /bin/probe ids
	[ $status != 0 ]
	grep -q 'cannot exec in a paused container (use --ignore-paused to override)' "$T/err"
	oci resume one
	quiet
	is_state one running
	oci kill one 9
	quiet
	wait_for 5 is_state one stopped
	oci start one
	fails 1 'cannot start a container that has stopped'
	oci kill one 15
	fails 1 'container not running: no such process'
	oci kill --all one 9
	quiet
	oci pause one
	fails 1 'container not running'
	oci resume one
	fails 1 'container not paused'
	oci ps one
	fails 1 'container not running'
	oci events --stats one
	fails 1 'container not running'
	oci update --pids-limit 10 one
	fails 1 'container not running'
	oci exec one /bin/probe ids
	[ $status = 255 ]
	grep -q 'cannot exec in a stopped container' "$T/err"
	oci delete one
	quiet
}

@test "LC-06 LC-10 LC-13: what can't be done in a state has no effect, and says so in the known words" { in_ns clean states; }

created() {
	local pid
	bundle one . hold 0
	create one --pid-file "$T/pid"
	quiet
	oci pause one
	quiet
	is_state one paused
	oci resume one
	quiet
	is_state one created
	oci kill one TERM # a pid 1 that hasn't asked for it
	quiet
	is_state one created
	oci ps --format json one
	[ "$(<"$T/out")" = "[$(<"$T/pid")]" ]
	oci exec one /bin/probe host
	ended 0
	is hostname box
	oci delete one # practice, not the specification: containerd depends on it
	quiet
	reaped "$(<"$T/pid")" 'signal 9'
	create one
	quiet
	oci kill one KILL
	quiet
	wait_for 5 is_state one stopped
	oci start one
	fails 1 'cannot start a container that has stopped'
	oci delete one
	quiet
}

@test "what a created container bears: pause, kill, ps, exec, delete" { as_engine clean created; }

# A first process that was killed from outside; its zombie, as long as nobody waits for it.
killed_outside() {
	local pid
	bundle one . hold 0
	create one --pid-file "$T/pid"
	quiet
	kill -KILL "$(<"$T/pid")"
	wait_for 5 is_state one stopped
	oci start one
	fails 1 'cannot start a container that has stopped'
	oci delete one
	quiet
	up one . hold 0
	pid=$(state one pid)
	kill -STOP "$PPID" # the subreaper: what ends stays a zombie
	wait_for 5 grep -q '^State:.T' "/proc/$PPID/status"
	kill -KILL "$pid"
	wait_for 5 grep -q '^State:.Z' "/proc/$pid/status"
	is_state one stopped
	oci kill one TERM
	fails 1 'container not running: no such process'
	oci delete one
	kill -CONT "$PPID"
	quiet
}

@test "a zombie is stopped; a first process that was killed is known to be" { as_engine clean killed_outside; }

# A container that does all it can to stay.
forced() {
	up one . catch 1 2 3 15
	has one ready
	gone one
	up one '.linux.namespaces |= map(select(.type != "pid"))' hold 5
	has one holding
	gone one
	# A state folder without a state, as a create that was killed leaves it.
	mkdir -m 700 /run/coso-oci/half
	is_state half stopped
	oci list --format json
	silent
	jq -e 'map(.id) == ["half"]' "$T/out"
	gone half
	mkdir -m 700 /run/coso-oci/half
	oci delete half
	quiet
	mkdir -m 700 /run/coso-oci/bad
	echo '{' >/run/coso-oci/bad/state.json
	oci --log "$T/log" list --format json
	ended 0
	said '[]'
	grep -q "'bad'" "$T/log"
	oci state bad
	fails 1 "'bad'"
	oci delete bad
	fails 1 "'bad'"
	oci delete --force bad
	ended 0
	grep -q "level=warning .*'bad'" "$T/err"
}

@test "delete --force removes what runs, what is half made, and what is damaged" { in_ns clean forced; }

lists() {
	oci list
	silent
	grep -qxE 'ID +PID +STATUS +BUNDLE +CREATED +OWNER' "$T/out"
	oci list -f json
	[ "$(<"$T/out")" = '[]' ]
	up one '.annotations.a = "b"' hold 0
	bundle two . hold 0
	create two
	oci list
	silent
	[ "$(wc -l <"$T/out")" = 3 ]
	grep -qE "^one +$(state one pid) +running +$T/one +2[0-9T:.-]*Z +root *$" "$T/out"
	grep -qE '^two +[0-9]+ +created ' "$T/out"
	oci list --format=json
	silent
	jq -e 'map(.id) | sort == ["one", "two"]' "$T/out"
	diff <(jq '.[] | select(.id == "one")' "$T/out") <("$BIN/coso-oci" state one | jq .)
	oci list -q
	[ "$(sort "$T/out")" = $'one\ntwo' ]
	gone one two
}

@test "list: as a table, as JSON like state's, ids alone" { in_ns clean lists; }

owner() {
	up one . hold 0
	echo 'someone:x:4321:4321::/:/bin/sh' >"$T/passwd"
	jq -c '.owner = 4321' /run/coso-oci/one/state.json >"$T/new"
	cat "$T/new" >/run/coso-oci/one/state.json
	mount --bind "$T/passwd" /etc/passwd
	oci list
	grep -qE '^one .* someone *$' "$T/out"
	[ "$(state one owner)" = someone ]
	: >"$T/passwd"
	[ "$(state one owner)" = "" ]
	umount /etc/passwd
	gone one
}

@test "ST-07: the owner is a name, or nothing where it has none" { in_ns clean owner; }

# Each configuration is read once.
snapshot() {
	bundle one '.hooks.poststop = [{ path: "/bin/sh", args: ["sh", "-c", "echo first >>\(env.T)/hooks"] }]' env
	create one
	quiet
	bundle one '.hooks.poststop = [{ path: "/bin/sh", args: ["sh", "-c", "echo second >>\(env.T)/hooks"] }] | .process.env += ["NEW=1"]' caps
	oci start one
	quiet
	wait_for 5 grep -q '^env.HOME=' "$T/one.out"
	lacks NEW "$T/one.out"
	rm -r "$T/one"
	gone one
	[ "$(<"$T/hooks")" = first ]
}

@test "GE-09: later changes of config.json have no effect; nor that the bundle is gone" { in_ns clean snapshot; }

faulty() {
	bundle one
	rm "$T/one/config.json"
	create one
	fails 1 config.json 'no such file or directory'
	echo '{ "ociVersion": "1.0.0", ' >"$T/one/config.json"
	create one
	fails 1 config.json
	echo '[]' >"$T/one/config.json"
	create one
	fails 1 'is not an object'
	oci create --bundle "$T/none" one
	fails 1 "$T/none" 'no such file or directory'
	refuses 'del(.root)' root
	refuses '.root.path = "nowhere"' nowhere 'no such file or directory'
	refuses '.root.path = "config.json"' config.json 'not a (folder|directory)'
	refuses '.process.args = 7' args
	refuses '.linux.resources.memory.limit = "many"' memory.limit
	[ -z "$(ls /run/coso-oci)" ]
}

@test "GE-01 GE-02 GE-08 RO-01 RO-02: a bundle that is wrong is an error, and nothing is made" { in_ns clean faulty; }

other_config() {
	bundle one . ids
	mv "$T/one/config.json" "$T/one/other.json"
	oci run --bundle "$T/one" --config other.json one
	silent
	cd "$T/one" || return
	oci run -f "$T/one/other.json" one # the folder is the working one
	silent
}

@test "--config: another file than config.json; the bundle is the working folder" { in_ns clean other_config; }

ignored() {
	runs '.windows = { layerFolders: 7 } | .solaris = {} | .freebsd = {} | .zos = { x: 1 } | .unknown = [1] | .process.unknown = true |
		.linux.unknown = {} | .process.commandLine = "x" | .process.user.username = "x" | .linux.intelRdtX = {} | .vm = {} |
		.annotations."unknown.key" = "1"' ids
	silent
}

@test "GE-06 GE-07 PR-08 PR-12 AN-03: what isn't known, or is another platform's, is ignored" { in_ns clean ignored; }

no_process() {
	bundle one 'del(.process)'
	create one
	quiet
	is_state one created
	oci start one
	fails 1 process
	gone one
	refuses '.process.args = []' args
}

@test "LC-08 PR-01 PR-07: a container without a process can be created, and not be started" { in_ns clean no_process; }
