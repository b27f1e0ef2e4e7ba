# SPDX-License-Identifier: GPL-2.0-or-later
# sockets.bats - what is handed over: pid files, terminals, pidfds, descriptors, LISTEN_FDS, sd_notify
#
# Sections 5.1 to 5.5 of the contract.

load ../helpers
load ../cli/common
load common

pid_file() {
	bundle c . sleep 100
	mkdir "$T/dir"
	cd "$T/dir" || return
	echo 99999999 >pid
	create c --pid-file pid # the start-up folder's, over what is there
	quiet
	printf %s "$(state c pid)" | cmp - pid # and no line end
	[ "$(stat -c %a pid)" = 644 ]
	[ "$(ls -A)" = pid ]
	oci exec --detach --pid-file "$T/dir/exec.pid" c /bin/probe sleep 50
	ended 0
	grep -qxE '[0-9]+' exec.pid
	[ "$(tr '\0' ' ' <"/proc/$(<exec.pid)/cmdline")" = '/bin/probe sleep 50 ' ]
	gone c
	rm pid exec.pid
	create c --pid-file "$T/none/pid"
	fails 1 none/pid 'no such file or directory'
	[ ! -e /run/coso-oci/c ]
	bundle c '.process.args = ["nope"]'
	create c --pid-file pid
	ended 1
	[ -z "$(ls -A)" ]
}

@test "5.1: the pid file: digits alone, replaced as a whole, none after a failure" { in_ns clean pid_file; }

# console FILTER WORD...: creates bundle c with a terminal whose receiver prints to $T/console.
console() {
	bundle c ".process.terminal = true | $1" "${@:2}"
	rm -f "$T/socket"
	"$BIN/receiver" console "$T/socket" >"$T/console" </dev/null &
	waits_for "$T/socket"
	create c --console-socket "$T/socket" --pid-file "$T/pid"
	quiet
}

terminal() {
	local fd
	console '.process.consoleSize = { height: 33, width: 99 } | .process.user = { uid: 1000, gid: 1000 }' tty
	wait_for 5 grep -q '^tty=' "$T/console" # before create returned
	grep -qx 'payload=[1-9][0-9]* fds=1' "$T/console"
	grep -qx 'tty=/dev/pts/0 33x99' "$T/console"
	for fd in 0 1 2; do # none of the caller's
		[ "$(readlink "/proc/$(<"$T/pid")/fd/$fd")" = /dev/pts/0 ]
	done
	gone c
	wait
	console '.process.consoleSize = { height: 33, width: 99 } | .process.user = { uid: 1000, gid: 1000 }' tty process fds
	oci start c
	quiet
	wait
	tr -d '\r' <"$T/console" >"$T/out"
	is tty.0 '/dev/pts/0 33x99'
	is tty.2 '/dev/pts/0 33x99'
	is controlling yes
	is foreground yes
	is sid 1
	[ "$(grep -c '^fd\.' "$T/out")" = 3 ]
	gone c
	console '.process.user = { uid: 1000, gid: 1000 }' stat /dev/pts/0 /dev/console /dev/tty /dev/ptmx
	oci start c
	quiet
	wait
	tr -d '\r' <"$T/console" >"$T/out"
	is /dev/pts/0 '20620 1000:5 0 136:0'
	is /dev/console '20620 1000:5 0 136:0'
	grep -q '^/dev/ptmx=12' "$T/out" # a link
	gone c
	console '.process.consoleSize = { height: 0, width: 0 }' tty
	grep -qx 'tty=/dev/pts/0 0x0' "$T/console"
	gone c
	wait
}

@test "PR-02 PR-03 DV-09 DV-10, 5.2: one message with one descriptor: the container's own terminal" { in_ns clean terminal; }

talk() {
	bundle c '.process.terminal = true' catch 1 2 15
	mkfifo "$T/keys"
	"$BIN/receiver" console "$T/socket" >"$T/console" <"$T/keys" &
	exec 9>"$T/keys"
	waits_for "$T/socket"
	create c --console-socket "$T/socket"
	oci start c
	quiet
	wait_for 5 grep -q ready "$T/console"
	printf '\003' >&9 # Ctrl-C: to the terminal's foreground group
	wait_for 5 grep -q caught=2 "$T/console"
	exec 9>&-
	gone c
}

@test "PR-02: what is typed reaches the program, and Ctrl-C its group" { in_ns clean talk; }

exec_terminal() {
	up c . hold 0
	"$BIN/receiver" console "$T/socket" >"$T/console" </dev/null &
	waits_for "$T/socket"
	jq '.process.terminal = true | .process.consoleSize = { height: 5, width: 6 } | .process.args = ["/bin/probe", "tty", "process"] | .process' "$T/c/config.json" >"$T/process"
	oci exec --process "$T/process" --console-socket "$T/socket" --detach --pid-file "$T/pid" c
	quiet
	wait
	tr -d '\r' <"$T/console" >"$T/out"
	is tty.0 '/dev/pts/0 5x6'
	is controlling yes
	gone c
}

@test "5.2: a terminal of an exec's own" { in_ns clean exec_terminal; }

long_path() {
	local folder
	folder=$T/$(printf 'long%.0s' {1..40})
	mkdir "$folder"
	bundle c '.process.terminal = true' tty
	"$BIN/receiver" console "$folder/socket" >"$T/console" </dev/null &
	waits_for "$folder/socket"
	create c --console-socket "$folder/socket"
	quiet
	gone c
	wait
	(cd "$folder" && rm socket && "$BIN/receiver" console socket >"$T/console" </dev/null) &
	wait_for 5 test ! -e "$folder/socket" || true
	waits_for "$folder/socket"
	cd "$folder" || return
	create c --console-socket socket
	quiet
	gone c
}

@test "5.2: the socket's path may be longer than an address, or relative" { in_ns clean long_path; }

pidfd() {
	bundle c . hold 0 5
	"$BIN/receiver" pidfd "$T/socket" >"$T/got" &
	waits_for "$T/socket"
	create c --pidfd-socket "$T/socket" --pid-file "$T/pid"
	quiet
	wait_for 5 grep -qx "pid=$(<"$T/pid")" "$T/got"
	grep -qx 'payload=[1-9][0-9]* fds=1' "$T/got"
	lacks ended "$T/got"
	oci start c
	quiet
	has c holding
	"$BIN/receiver" pidfd "$T/exec" >"$T/exec.got" &
	waits_for "$T/exec"
	oci exec --pidfd-socket "$T/exec" --detach --pid-file "$T/exec.pid" c /bin/probe exit 0
	quiet
	wait_for 5 grep -qx "pid=$(<"$T/exec.pid")" "$T/exec.got"
	wait_for 5 grep -qx ended "$T/exec.got"
	oci kill c KILL
	wait_for 5 grep -qx ended "$T/got"
	gone c
	bundle c . ids
	oci create --bundle "$T/c" --pidfd-socket "$T/none" c
	fails 1 none 'no such file or directory'
	[ ! -e /run/coso-oci/c ]
}

@test "5.3: a pidfd of the first process, or of an exec's" { in_ns clean pidfd; }

# What is open from 3 on, in the container.
open_in() { sed -n 's/^fd\.\([3-9]\|[1-9][0-9]\+\)=\(.*\)/\1 \2/p' "$T/out" | sort -n; }

preserved() {
	echo three >"$T/three"
	bundle c . fds
	oci run --bundle "$T/c" --preserve-fds 2 c 3<"$T/three" 4</dev/zero 5</dev/full 9</dev/null
	silent
	[ "$(open_in)" = $'3 '"$T"$'/three\n4 /dev/zero' ]
	oci run --bundle "$T/c" c 3<"$T/three" 4</dev/zero
	silent
	[ -z "$(open_in)" ]
	oci run --bundle "$T/c" --preserve-fds 2 c 3</dev/null 4<&-
	fails 1 'unable to stat preserved-fd 1 \(of 2\)'
	oci run --bundle "$T/c" --preserve-fds x c
	fails 1 preserve-fds
	up box . hold 0
	oci exec --preserve-fds 1 box /bin/probe fds 3<"$T/three" 4</dev/zero
	silent
	[ "$(open_in)" = "3 $T/three" ]
	oci exec box /bin/probe fds 3<"$T/three" 4</dev/zero
	[ -z "$(open_in)" ]
	gone box
}

@test "5.4 GE-15: --preserve-fds: these and no others, under their numbers" { in_ns clean preserved; }

# Through create and start, the descriptors wait in the container.
preserved_later() {
	echo three >"$T/three"
	bundle c . fds
	"$BIN/coso-oci" create --bundle "$T/c" --preserve-fds 1 c >"$T/c.out" 2>"$T/c.err" </dev/null 3<"$T/three" 4</dev/zero
	oci start c
	quiet
	wait_for 5 grep -q '^fd.3=' "$T/c.out"
	cp "$T/c.out" "$T/out"
	[ "$(open_in)" = "3 $T/three" ]
	gone c
}

@test "5.4: --preserve-fds of a create" { in_ns clean preserved_later; }

# LISTEN_PID and the descriptors survive that our binary runs again from a copy.
activation() {
	bundle c '.process.env += ["LISTEN_FDS=7"]' fds env
	LISTEN_FDS=2 LISTEN_FDNAMES=a:b oci run --bundle "$T/c" --preserve-fds 1 c 3</dev/null 4</dev/zero 5</dev/full 6</dev/null
	silent
	[ "$(open_in | cut -d' ' -f1 | paste -sd' ')" = '3 4 5' ]
	is env.LISTEN_FDS 2
	is env.LISTEN_PID 1
	lacks LISTEN_FDNAMES
	bundle c . fds env
	# shellcheck disable=SC2016 # the inner shell expands it
	sh -c 'exec env LISTEN_FDS=1 LISTEN_PID=$$ "$BIN/coso-oci" run --bundle "$T/c" c' >"$T/out" 2>"$T/err" </dev/null 3</dev/zero
	[ "$(open_in)" = '3 /dev/zero' ]
	is env.LISTEN_PID 1
	LISTEN_FDS=1 LISTEN_PID=1 oci run --bundle "$T/c" c 3</dev/zero # somebody else's
	silent
	[ -z "$(open_in)" ]
	lacks LISTEN_
	LISTEN_FDS=2 oci run --bundle "$T/c" c 3</dev/null 4<&-
	fails 1 'unable to stat preserved-fd 1 \(of 2\)'
}

@test "5.4: LISTEN_FDS: if they are ours, the program is told of them as pid 1" { in_ns clean activation; }

notified() {
	bundle c . notify 'READY=1'
	"$BIN/receiver" notify "$T/notify" >"$T/got" &
	waits_for "$T/notify"
	NOTIFY_SOCKET=$T/notify create c --pid-file "$T/pid"
	quiet
	[ ! -s "$T/got" ]
	env -u NOTIFY_SOCKET timeout 20 "$BIN/coso-oci" start c
	grep -q 'READY=1' "$T/got"
	grep -q "MAINPID=$(<"$T/pid")" "$T/got"
	wait_for 5 grep -qE 'fds=1 .*BARRIER=1' "$T/got"
	gone c
	kill %1
}

@test "5.5: NOTIFY_SOCKET at create: start waits for READY=1, and tells it, MAINPID and a barrier" { in_ns clean notified; }

notify_run() {
	bundle c '.process.env += ["NOTIFY_SOCKET=/wrong"]' notify 'READY=1
STATUS=well'
	"$BIN/receiver" notify "$T/notify" >"$T/got" &
	waits_for "$T/notify"
	NOTIFY_SOCKET=$T/notify oci run --bundle "$T/c" c
	ended 0
	is notify sent
	grep -q 'READY=1' "$T/got"
	grep -qE 'fds=1 .*BARRIER=1' "$T/got"
	bundle c '.process.user = { uid: 1000, gid: 1000 } | .root.readonly = true | .linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings' notify 'READY=1'
	: >"$T/got"
	NOTIFY_SOCKET=$T/notify oci run --detach --bundle "$T/c" c
	ended 0
	grep -qE 'MAINPID=[0-9]+ READY=1' "$T/got" # by now
	gone c
	bundle c . exit 3 # never says it
	NOTIFY_SOCKET=$T/notify oci run --bundle "$T/c" c
	[ $status = 3 ]
	bundle c . exit 3
	NOTIFY_SOCKET=$T/notify create c
	quiet
	timeout 20 "$BIN/coso-oci" start c 2>"$T/err" || true # it doesn't wait for ever
	wait_for 5 is_state c stopped
	gone c
	kill %1
}

# where the program finds its socket, with the manager's at a path: one that is bound from the host has another socket there.
notify_place() {
	local place long
	long=$T/$(printf 'a%.0s' {1..90})
	mkdir -p "$long" "$T/v"
	for place in "/run/manager/socket:/run/manager/socket" "$T/v/socket:/run/notify" "$T/v:/run/notify" "$T/vv:$T/vv" "@abstract:/run/notify" \
		"//run/../run/x/:/run/x" "/proc/x:/run/notify" "$long:/run/notify"; do
		bundle c '.mounts += [{ destination: "\(env.T)/v", type: "bind", source: "\(env.T)/v", options: ["bind"] }]' env
		NOTIFY_SOCKET=${place%:*} oci run --bundle "$T/c" c
		ended 0
		said "env.NOTIFY_SOCKET=${place##*:}/notify"
		bundle c '.mounts += [{ destination: "\(env.T)/v", type: "bind", source: "\(env.T)/v", options: ["bind"] }]' stat "${place##*:}"
		NOTIFY_SOCKET=${place%:*} oci run --bundle "$T/c" c
		ended 0
	done
}

@test "5.5: NOTIFY_SOCKET: the program's is where the manager's is, or in /run/notify" { in_ns clean notify_place; }

@test "5.5: NOTIFY_SOCKET at run; a program that ends without a word" { in_ns clean notify_run; }
