# SPDX-License-Identifier: GPL-2.0-or-later
# criu.bats - coso-criu: processes that are written to images and made again; criu's questions; why it can't
#
# $COSO_TEST_CRIU is another criu than that of PATH: many a kernel is too new for the distribution's.
load ../helpers

# In a pid namespace of the test's own, so that a pid is free again when it is restored.
in_pid_ns() {
	declare -f >"$T/.inner"
	export CRIU=${COSO_TEST_CRIU:-criu}
	# shellcheck disable=SC2016 # the inner shell expands it
	in_ns unshare -fp --mount-proc bash -c 'source "$TOP/tests/helpers.bash"; source "$T/.inner"; set -eu; "$@"' bash "$@"
}

there_is_one() { [ -x "$BIN/coso-criu" ] || skip "coso-criu isn't built: there is no criu here"; }
works() { "$BIN/coso-criu" check --criu "${COSO_TEST_CRIU:-criu}"; }

coso_criu() { "$BIN/coso-criu" "$1" --criu "$CRIU" "${@:2}"; }
lines() { wc -l <"$T/count"; }
grows_to() { [ "$(lines)" -ge "$1" ]; }

# A process that counts; $pid is its.
start_counting() {
	: >"$T/count"
	mkdir -p "$T/images" "$T/work"
	# shellcheck disable=SC2016 # the new shell expands it
	setsid bash -c 'for fd in /proc/self/fd/*; do ((${fd##*/} < 3)) || eval "exec ${fd##*/}>&-"; done
		while :; do echo; sleep 0.01; done >>"$1"' count "$T/count" </dev/null >/dev/null 2>&1 &
	pid=$!
	disown $!
	wait_for 3 grows_to 1
}

dump_and_restore() {
	local pid at
	start_counting
	coso_criu dump --pid $pid --image-path "$T/images" --leave-running >"$T/out"
	[ "$(<"$T/out")" = 0 ]
	at=$(lines)
	wait_for 3 grows_to $((at + 1))
	coso_criu dump --pid $pid --image-path "$T/images" --work-path "$T/work"
	[ -s "$T/work/dump.log" ]
	wait_for 3 is_gone $pid
	at=$(lines)
	coso_criu restore --image-path "$T/images" --work-path "$T/work" >"$T/out"
	[ "$(<"$T/out")" = $pid ]
	[ -s "$T/work/restore.log" ]
	wait_for 3 grows_to $((at + 1))
	kill -KILL $pid
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

@test "dump, with and without its end, and restore: the same pid goes on where it was" {
	there_is_one
	skip_unless "a criu that knows it" works
	in_pid_ns dump_and_restore
}

# Whoever is asked, and answers: QUESTION=ANSWER, …; what was said is in $T/said.
export ANSWER='
import os, socket, subprocess, sys
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
os.set_inheritable(theirs.fileno(), True)
refused, command = sys.argv[1], sys.argv[2:]
helper = subprocess.Popen(command + ["--channel", str(theirs.fileno())], close_fds=False)
theirs.close()
while True:
    said = ours.recv(4096).decode()
    if not said: break
    print(said)
    if said.startswith("notify "):
        ours.send(b"no not now" if said.split()[1] == refused else b"ok")
sys.exit(helper.wait())'

questions() {
	local pid at
	start_counting
	python3 -c "$ANSWER" post-dump "$BIN/coso-criu" dump --criu "$CRIU" --pid $pid --image-path "$T/images" >"$T/said" && return 1
	grep -q '^notify pre-dump 0$' "$T/said"
	[ "$(tail -n 1 "$T/said")" = 'error not now' ]
	at=$(lines)
	wait_for 3 grows_to $((at + 1))
	python3 -c "$ANSWER" - "$BIN/coso-criu" dump --criu "$CRIU" --pid $pid --image-path "$T/images" >"$T/said"
	[ "$(tail -n 1 "$T/said")" = 'done 0' ]
	wait_for 3 is_gone $pid
	python3 -c "$ANSWER" post-restore "$BIN/coso-criu" restore --criu "$CRIU" --image-path "$T/images" >"$T/said" && return 1
	[ "$(tail -n 1 "$T/said")" = 'error not now' ]
	wait_for 3 is_gone $pid
	python3 -c "$ANSWER" - "$BIN/coso-criu" restore --criu "$CRIU" --image-path "$T/images" >"$T/said"
	grep -q "^notify post-restore $pid\$" "$T/said"
	[ "$(tail -n 1 "$T/said")" = "done $pid" ]
	kill -KILL $pid
}

@test "criu's questions are asked, and a no undoes what was done" {
	there_is_one
	skip_unless "a criu that knows it" works
	in_pid_ns questions
}

failures() {
	local status=0
	mkdir "$T/images"
	coso_criu dump --pid 999999 --image-path "$T/images" >"$T/out" 2>"$T/err" || status=$?
	[ $status = 1 ] && [ ! -s "$T/out" ] && [ "$(wc -l <"$T/err")" = 1 ]
	grep -q "^coso-criu: criu: .*log file: $T/images/dump.log)$" "$T/err"
	CRIU=/nowhere/criu
	coso_criu check 2>"$T/err" && return 1
	grep -qx "coso-criu: execute '/nowhere/criu': No such file or directory (criu has to be installed, and in PATH)" "$T/err"
	CRIU=$(type -P false)
	coso_criu check 2>"$T/err" && return 1
	[ "$(wc -l <"$T/err")" = 1 ]
	coso_criu dupm 2>"$T/err" && return 1
	grep -q 'give one of check, dump, pre-dump, restore' "$T/err"
	coso_criu --help | grep -q -- --ext-mount
	compgen -G '/tmp/coso-criu.*' && return 1
	[ ! -e /criu.log ]
}

@test "what fails is one line with criu's reason, and where its log is; check leaves nothing behind" {
	there_is_one
	in_pid_ns failures
}
