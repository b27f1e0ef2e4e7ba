# SPDX-License-Identifier: GPL-2.0-or-later
# words.bats - what a failure says, where, and in which words: stderr, the log, exit statuses
#
# Sections 2.5, 2.6 and 4 of the contract. Engines decide by these texts whether a container is gone, and which status they return.

load ../helpers
load ../cli/common
load common

# logged WORD...: the runtime with a JSON log of one command.
logged() {
	rm -f "$T/log"
	oci --log "$T/log" --log-format json "$@"
}

# same PATTERN: the failure is one line on stderr and one object in the log, with the same words.
same() {
	fails 1 "$1" || return
	[ "$(stat -c %s "$T/err")" -le 8191 ]
	jq -es 'length == 1 and .[0].level == "error" and (.[0].time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]+)?Z$"))' "$T/log" >/dev/null ||
		{ echo "the log: $(<"$T/log")" >&2; return 1; }
	[ "$(jq -r .msg "$T/log")" = "$(<"$T/err")" ]
}

one_object() {
	bundle c . ids
	logged run --bundle "$T/c" c
	ended 0
	[ ! -s "$T/log" ]
	[ "$(stat -c %a "$T/log")" = 600 ]
	logged state nobody
	same "container 'nobody' does not exist"
	bundle c '.process.args = ["nope"]'
	logged create --bundle "$T/c" c
	same '^coso create failed: .*exec: "nope": executable file not found in \$PATH'
	bundle c '.mounts += [{ destination: "/x", type: "bind", source: "/no\"w\\here", options: ["bind"] }]'
	logged create --bundle "$T/c" c
	same 'no such file or directory'
	bundle c '.process.args = ["/a\u00e4\u0001\n\"\\"]'
	logged create --bundle "$T/c" c
	ended 1
	jq -es length "$T/log" >/dev/null
	bundle c ".process.cwd = \"/\" | .process.args = [\"$(printf '%09000d' 0)\"]"
	logged create --bundle "$T/c" c
	same 'executable file not found|file name too long'
	logged list --no-such
	same "unknown option"
}

@test "a failure: one line on stderr, one object in the log, the same words; success: nothing" { in_ns one_object; }

# A command that succeeds with a warning tells it in the log, or else on stderr; one that fails tells its reason alone.
warnings() {
	bundle c '.process.capabilities.bounding += ["CAP_OF_TOMORROW"] | .hooks.poststop = [{ path: "/bin/false" }]' ids
	logged create --bundle "$T/c" c
	quiet
	jq -es 'map(.level) == ["warning"] and (.[0].msg | test("CAP_OF_TOMORROW"))' "$T/log"
	logged delete --force c
	quiet
	jq -es 'map(.level) == ["warning"] and (.[0].msg | test("poststop hook #0"))' "$T/log"
	oci create --bundle "$T/c" c
	ended 0
	[ ! -s "$T/out" ]
	grep -q 'level=warning .*CAP_OF_TOMORROW' "$T/err"
	oci delete --force c
	grep -q "level=warning .*'/bin/false': poststop hook failed with exit code 1" "$T/err"
	bundle c '.process.capabilities.bounding += ["CAP_OF_TOMORROW"] | .process.args = ["nope"]'
	logged create --bundle "$T/c" c
	same 'executable file not found'
	oci create --bundle "$T/c" c
	fails 1 'executable file not found'
}

@test "GE-11 LC-18 PR-21: a warning is in the log of a command that succeeds; without a log, on stderr" { in_ns clean warnings; }

text_log() {
	oci --log "$T/log" state nobody
	fails 1 'does not exist'
	oci --log "$T/log" --log-format text delete nobody
	fails 1 'does not exist'
	[ "$(wc -l <"$T/log")" = 2 ]
	[ "$(grep -cE "^time=\"20[0-9T:.-]+Z\" level=error msg=\"coso (state|delete) failed: container 'nobody' does not exist\"\$" "$T/log")" = 2 ]
}

@test "--log: text, appended to" { in_ns text_log; }

log_places() {
	cd "$T" || return
	mkdir b
	oci --log b/log --log-format json run --bundle b c # not taken from the bundle
	fails 1 config.json
	jq -es 'length == 1' b/log
	oci --log "$T/none/log" list
	fails 1 "$T/none/log" 'no such file or directory'
	oci --log /dev/stderr state nobody
	ended 1
	[ "$(grep -c 'does not exist' "$T/err")" = 2 ]
	mkfifo fifo
	timeout 10 cat fifo >got &
	oci --log fifo --log-format json state nobody
	ended 1
	wait $!
	jq -es 'length == 1' got
	echo '{"level":"info","msg":"older","time":"2026-01-02T03:04:05Z"}' >log
	oci --log log --log-format json state nobody
	jq -es 'map(.level) == ["info", "error"]' log
}

@test "--log: from the working folder, to a fifo or stderr, behind what is there" { in_ns log_places; }

debug() {
	bundle c . ids
	logged --debug run --bundle "$T/c" c
	ended 0
	cp "$T/out" "$T/plain"
	runs . ids
	diff "$T/plain" "$T/out"
	jq -es 'map(select(.level == "error")) == []' "$T/log"
	logged --debug state nobody
	ended 1
	jq -es 'last.level == "error"' "$T/log"
}

@test "--debug: nothing more on stdout; the error stays the log's last record" { in_ns clean debug; }

# Two commands write to one file at a time.
shared_log() {
	local i
	for i in {1..20}; do
		"$BIN/coso-oci" --log "$T/log" --log-format json state "nobody$i" 2>/dev/null &
	done
	wait || true
	jq -es 'length == 20 and (map(.msg | capture("nobody(?<n>[0-9]+)").n) | unique | length) == 20' "$T/log"
}

@test "--log: records of commands at the same time stay whole" { in_ns shared_log; }

# codes OPTION...: what `run` and `exec` return.
codes() {
	local code
	for code in 0 1 7 255; do
		bundle c . exit $code
		oci run --bundle "$T/c" c
		[ $status = $code ]
		[ ! -s "$T/err" ]
		oci exec box /bin/probe exit $code
		[ $status = $code ]
	done
	for code in 6 9 15; do
		oci exec box /bin/probe signal $code
		[ $status = $((128 + code)) ]
	done
	bundle c . hold 0
	"$BIN/coso-oci" run --bundle "$T/c" c >"$T/c.out" 2>&1 </dev/null &
	has c holding
	"$BIN/coso-oci" kill c KILL
	code=0
	wait $! || code=$?
	[ $code = 137 ]
	oci state c
	fails 1 'does not exist'
	oci exec box nope
	[ $status = 255 ]
	grep -q 'exec: "nope": executable file not found in $PATH' "$T/err"
}

exit_codes() {
	up box . hold 0
	codes
	gone box
}

@test "exit statuses: the program's own, 128 + n of a signal, 255 of an exec that couldn't" { in_ns clean exit_codes; }

# program FILTER PATTERN: what create says of a program.
program() {
	bundle c "$1"
	oci create --bundle "$T/c" c
	fails 1 "$2"
	[ ! -e /run/coso-oci/c ]
	jq '.process' "$T/c/config.json" >"$T/process"
	oci exec --process "$T/process" --detach --pid-file "$T/pid" box
	[ $status != 0 ]
	grep -qE -- "$2" "$T/err"
	[ ! -e "$T/pid" ]
}

programs() {
	local f=$T/c/rootfs
	bundle c
	echo data >"$f/file"
	mkdir "$f/folder"
	echo data >"$f/folder/plain"
	printf '#!/no/such/shell\n' >"$f/script"
	chmod 755 "$f/script"
	mkdir "$T/box"
	cp -a "$f" "$T/box/rootfs"
	up box . hold 0
	program '.process.args = ["nope"]' 'exec: "nope": executable file not found in \$PATH'
	program '.process.args = ["/no/such"]' 'exec: "/no/such": stat /no/such: no such file or directory'
	program '.process.args = ["/bin/probe/x"]' 'exec: "/bin/probe/x": .*not a directory'
	program '.process.args = ["/file"]' 'exec: "/file": permission denied'
	program '.process.args = ["/folder"]' 'exec: "/folder": is a directory: permission denied'
	program '.process.args = ["plain"] | .process.env = ["PATH=/folder:/bin"]' 'exec: "/folder/plain": permission denied'
	program '.process.args = [""]' 'exec: .*(executable file not found in \$PATH|no such file or directory)'
	program '.process.args = ["./nope"] | .process.cwd = "/folder"' 'exec: "./nope": stat ./nope: no such file or directory'
	program '.process.cwd = "/file"' 'chdir to cwd \("/file"\) set in config.json failed: .*not a directory'
	gone box
}

@test "PR-07: a program that can't be run is an error of create and of exec, in Docker's words" { in_ns clean programs; }

# Only execve itself can tell: then the program's own stderr does, and the status is a shell's.
late() {
	bundle c '.process.args = ["/script"]'
	printf '#!/no/such/shell\n' >"$T/c/rootfs/script"
	chmod 755 "$T/c/rootfs/script"
	create c --pid-file "$T/pid"
	quiet
	oci start c
	if [ $status = 0 ]; then # it may be told by start, too
		wait_for 5 grep -q "no/such/shell" "$T/c.err"
	else
		grep -q "/no/such/shell.*no such file or directory" "$T/err"
	fi
	reaped "$(<"$T/pid")" 'exit 127'
	gone c
	bundle c '.process.args = ["/script"]'
	echo 'no program' >"$T/c/rootfs/script"
	oci run --bundle "$T/c" c
	[ $status != 0 ]
	grep -qi 'script.*' "$T/err"
}

@test "a program that execve refuses is told, and ends the container with a shell's status" { as_engine clean late; }

found() {
	bundle c '.process.args = ["probe", "cwd"] | .process.env = ["PATH=/nowhere:/bin"] | .process.cwd = "/tmp"'
	oci run --bundle "$T/c" c
	silent
	is cwd /tmp
	bundle c '.process.args = ["../bin/probe", "cwd"] | .process.cwd = "/tmp"'
	oci run --bundle "$T/c" c
	silent
	bundle c '.process.args = ["probe", "env"] | .process.env = ["A=1"]' # the usual folders, as execvp(3)
	oci run --bundle "$T/c" c
	silent
}

@test "PR-07: a program is looked for in the container's PATH, and from its working folder" { in_ns clean found; }

mismatch() {
	bundle c
	mkdir "$T/folder" "$T/c/rootfs/folder"
	: >"$T/file"
	: >"$T/c/rootfs/file"
	refuses '.mounts += [{ destination: "/folder", type: "bind", source: "\(env.T)/file", options: ["bind"] }]' '/folder' 'not a directory'
	refuses '.mounts += [{ destination: "/file", type: "bind", source: "\(env.T)/folder", options: ["bind"] }]' '/file' 'not a directory'
	refuses '.mounts += [{ destination: "/x", type: "bind", source: "/no/such", options: ["bind"] }]' '/no/such' 'no such file or directory'
	refuses '.mounts += [{ destination: "/x", type: "nofs", source: "x" }]' '/x' 'no such device'
	refuses '.mounts += [{ type: "tmpfs", source: "x" }]' destination
}

@test "MO-02 MO-04 MO-05: what can't be mounted, in the words that Docker's hint looks for" { in_ns clean mismatch; }

terminal_words() {
	bundle c '.process.terminal = true' tty
	oci create --bundle "$T/c" c
	fails 1 'cannot allocate tty if coso will detach without setting console socket'
	oci run --detach --bundle "$T/c" c
	fails 1 'cannot allocate tty if coso will detach without setting console socket'
	bundle c . tty
	oci create --bundle "$T/c" --console-socket "$T/socket" c
	fails 1 'cannot use console socket if coso will not detach or allocate tty'
	oci run --bundle "$T/c" --console-socket "$T/socket" c
	fails 1 'cannot use console socket if coso will not detach or allocate tty'
	bundle c '.process.terminal = true' tty
	oci create --bundle "$T/c" --console-socket "$T/socket" c
	fails 1 socket 'no such file or directory'
	: >"$T/socket"
	oci create --bundle "$T/c" --console-socket "$T/socket" c
	fails 1 socket 'connection refused'
}

@test "PR-02: a terminal and its socket belong together" { in_ns clean terminal_words; }

limits_words() {
	refuses '.linux.resources.memory = { limit: 33554432, swap: 1048576 }' 'memory\+swap limit should be >= memory limit'
	refuses '.linux.resources.memory = { swap: 33554432 }' 'unable to set swap limit without memory limit'
	refuses '.linux.resources.memory = { limit: 33554432, swappiness: 101 }' swappiness
	refuses '.process.rlimits = [{ type: "RLIMIT_MANY", soft: 1, hard: 1 }]' RLIMIT_MANY
	refuses '.linux.memoryPolicy = { mode: "MPOL_MAGIC" }' 'invalid memory policy'
	refuses '.linux.seccomp = { defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "/x" }' 'SCMP_ACT_NOTIFY cannot be used as default action'
	refuses '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/x", syscalls: [{ names: ["write"], action: "SCMP_ACT_NOTIFY" }] }' \
		'SCMP_ACT_NOTIFY cannot be used for the write syscall'
}

@test "limits, memory policies and listeners that can't be: the known texts" { in_ns clean limits_words; }

busy() {
	local v1
	for v1 in /sys/fs/cgroup/{pids,unified,}; do
		[ ! -e "$v1/cgroup.procs" ] || break
	done
	mkdir -p "$v1/mine"
	bundle c '.linux.cgroupsPath = "/mine"'
	sleep 100 >/dev/null 2>&1 &
	echo $! >"$v1/mine/cgroup.procs"
	oci create --bundle "$T/c" c
	fails 1 "container's cgroup is not empty: 1 process"
	kill $!
	wait $! || true
	[ -d "$v1/mine" ]
	rmdir "$v1/mine"
}

@test "CG-07: a group with processes in it is refused, and left alone" { in_ns clean busy; }
