# SPDX-License-Identifier: GPL-2.0-or-later
# process.bats - how a container starts, what it is fed, how it ends, and what coso tells about it

load ../helpers
load common

statuses() {
	local code
	for code in 0 1 2 3 125 126 127 128 200 255; do
		coso /bin/probe exit $code
		ended $code
		[ ! -s "$T/err" ]
	done
	# pid 1 of a pid namespace can't be killed by its own signals, but for the kernel's.
	alpine sh -c 'sleep 0; sh -c "kill -TERM \$\$"; echo $?'
	ended 0
	said 143
	coso --init /bin/probe signal 15
	ended 143
	coso --init /bin/probe signal 9
	ended 137
	coso --init /bin/probe exit 42
	ended 42
	coso --pid=false /bin/probe signal 11
	ended 139
}

@test "exit status: the program's own, 128+n for a signal" { in_ns clean statuses; }

not_run() {
	alpine no-such-program
	fails 127 '^coso: exec: "no-such-program": executable file not found in .PATH'
	alpine /no/such/program
	fails 127 '"/no/such/program"' 'No such file'
	alpine /etc
	fails 126 '"/etc": is a directory'
	alpine /etc/passwd
	fails 126 '"/etc/passwd"' 'denied' 'chmod \+x'
	alpine /etc/passwd/x
	fails 127 '"/etc/passwd/x"'
	alpine ''
	fails 127 'command is empty'
	cp "$BIN/probe" "$T/probe" # on a file system that can be id-mapped
	alpine --user nobody --volume "$T/probe:/root/probe" /root/probe exit 0
	fails 126 '"/root/probe"' denied
	alpine --user 65534 --volume "$T/probe:/root/probe" --workdir /root ./probe exit 0
	fails 126 '"./probe"' denied
	# 125: coso itself.
	coso --no-such-flag
	fails 125 '^coso: unknown option .--no-such-flag'
}

@test "exit status: 127 not found, 126 can't be executed, 125 coso's own" { in_ns clean not_run; }

programs() {
	local root=$T/root
	cp -a "$ROOTFS" "$root"
	chmod 755 "$T"
	printf '#!/bin/sh\r\necho hi\r\n' >"$root/crlf"
	printf '#!/no/interpreter -x\necho hi\n' >"$root/orphan"
	printf '#!/bin/sh\necho script "$@"\n' >"$root/script"
	printf 'echo hi\n' >"$root/plain"
	printf '#!' >"$root/hashbang"
	: >"$root/empty"
	# Headers of ELF: class 64, little-endian; 183 is aarch64, 40 arm.
	printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\267\0\1\0\0\0' | cat - <(head -c 200 /dev/zero) >"$root/arm64"
	printf '\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\050\0\1\0\0\0' | cat - <(head -c 200 /dev/zero) >"$root/arm"
	head -c 100 "$BIN/probe" >"$root/cut"
	chmod +x "$root"/{crlf,orphan,script,plain,hashbang,empty,arm64,arm,cut}
	coso_in "$root" /script 'a b' c </dev/null
	silent
	said 'script a b c'
	coso_in "$root" /crlf </dev/null
	fails 127 '"/crlf" has Windows line ends' dos2unix
	coso_in "$root" /orphan </dev/null
	fails 127 '"/orphan": its interpreter ./no/interpreter'
	coso_in "$root" /plain </dev/null
	fails 126 '"/plain" is neither a program nor a script'
	coso_in "$root" /hashbang </dev/null
	fails 126 '"/hashbang"'
	coso_in "$root" /empty </dev/null
	fails 126 '"/empty" is neither'
	if [ "$(uname -m)" != aarch64 ]; then
		coso_in "$root" /arm64 </dev/null
		fails 126 '"/arm64" is a program for aarch64, which this machine isn.t'
	fi
	coso_in "$root" /arm </dev/null
	fails 126 '"/arm" is a program for arm, which this machine isn.t'
	coso_in "$root" /cut </dev/null
	[ "$status" != 0 ] # the kernel's own judgement: a damaged program, or one that faults at once
	# By name, in PATH.
	chmod -x "$root/script"
	coso_in "$root" --env PATH=/ script </dev/null
	fails 126 '"?/+script"' 'denied' 'chmod'
	coso_in "$root" --env PATH=/nowhere:/ plain </dev/null
	fails 126 'plain" is neither'
	# A dynamic program without its loader.
	cp /bin/true "$root/dynamic"
	coso_in "$root" /dynamic </dev/null
	fails 127 '"/dynamic" is there, but its dynamic loader isn.t'
}

@test "programs that can't be run: CRLF, no interpreter, another machine's, damaged, no loader" { in_ns clean programs; }

no_shell() {
	coso
	fails 127 '"/bin/sh"'
	alpine
	silent # it reads the end of /dev/null
}

@test "the default command is /bin/sh, and a rootfs without one says so" { in_ns clean no_shell; }

arguments() {
	alpine echo -n --rootfs x -- y
	silent
	[ "$(<"$T/out")" = '--rootfs x -- y' ]
	alpine -- echo ps
	said ps
	alpine -- sh -c 'echo "$0:$1"' zero 'o n e'
	said 'zero:o n e'
	alpine sh -c 'printf %s "$1" | wc -c' sh "$(head -c 100000 /dev/zero | tr '\0' x)"
	said 100000
	alpine sh -c 'printf %s "$1" | od -An -tx1' sh $'\xff\xfe'
	silent
	said ' ff fe'
	alpine true $(seq 50000)
	silent
}

@test "arguments reach the program as they are" { in_ns clean arguments; }

reaped() {
	coso --init /bin/probe orphan process
	silent
	said reaped=yes
	coso --init /bin/probe process
	is pid 2
	is ppid 1
	coso /bin/probe process
	is pid 1
	# All else ends with the program.
	alpine --init sh -c 'sleep 1000 & sleep 1000 & echo over'
	silent
	said over
}

@test "--init reaps orphans, and its end ends the rest" { in_ns clean reaped; }

init_shows() {
	local show='tr "\\0" "\\n" </proc/1/cmdline; tr "\\0" "\\n" </proc/1/environ; grep ^CapPrm: /proc/1/status; echo "$0" "$GIVEN"'
	HOST_WORD=outside alpine --init --userns host --cap-add SYS_PTRACE --env GIVEN=value sh -c "$show" argument
	silent
	[ "$(head -n 1 "$T/out")" = coso-init ]
	said $'CapPrm:\t0000000000000020' 'argument value' # CAP_KILL; the program's own words are whole
	lacks "$ROOTFS|HOST_WORD|GIVEN=|network"
	alpine --init --user 1000 sh -c 'grep ^CapPrm: /proc/1/status; ls /proc/1/fd || echo denied'
	ended 0
	said $'CapPrm:\t0000000000000000' denied
}

@test "pid 1 of --init shows nothing of the host's command line and environment, and has no rights" { in_ns clean init_shows; }

init_filtered() {
	local call inside ticks
	for call in close_range rt_sigtimedwait; do
		printf '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [ { "names": [ "%s" ], "action": "SCMP_ACT_ERRNO" } ] }' $call >"$T/$call"
		# The init reaps, sleeps meanwhile, and knows how the program ended.
		alpine --init --seccomp "$T/$call" sh -c '(sleep 0.1 &); sleep 0.7; cut -d" " -f14,15 /proc/1/stat; exit 7'
		ended 7
		[ ! -s "$T/err" ]
		read -r ticks inside <"$T/out"
		((ticks + inside < 25)) || { echo "busy for $ticks + $inside ticks"; return 1; }
		coso --init --seccomp "$T/$call" /bin/probe orphan
		silent
		said reaped=yes
	done
	exec 7<"$T" 99>"$T/leak"
	"$BIN/coso" --rootfs "$PROBE" --network none --detach --rm --init --name held --seccomp "$T/close_range" /bin/probe sleep 100
	exec 7<&- 99>&-
	inside=$(sed -n 's/.*"pid": \([0-9]*\),.*/\1/p' /run/coso/held/state.json)
	ls "/proc/$inside/fd" >"$T/out"
	"$BIN/coso" kill held
	[ "$(xargs <"$T/out")" = '0 1 2' ]
	wait_for 5 [ ! -e /run/coso/held ]
}

@test "--init under a filter that forbids what an init likes to call" { in_ns clean init_filtered; }

# forwards SIGNAL FLAG...
forwards() {
	local signal=$1 pid
	shift
	: >"$T/out"
	"$BIN/coso" --rootfs "$PROBE" --network none "$@" /bin/probe catch "$signal" >"$T/out" 2>"$T/err" </dev/null &
	pid=$!
	wait_for 10 grep -q ready "$T/out"
	kill -"$signal" $pid
	status=0
	wait $pid || status=$?
	silent
	said "caught=$signal"
}

forwarded() {
	local signal
	for signal in 1 2 3 10 12 15 14; do
		forwards $signal
		forwards $signal --init
	done
	forwards 15 --pid=false
	forwards 15 --user 1000
}

@test "signals that coso gets reach the program, with and without --init" { in_ns clean forwarded; }

runs() { "$BIN/coso" ps | grep -q "^$1 .* running "; }

killed_in() {
	rm -f "$T/out" # of the one before
	"$BIN/coso" --rootfs "$PROBE" --network none --name victim "$@" /bin/probe sleep 100 >"$T/out" 2>"$T/err" </dev/null &
	local pid=$!
	wait_for 10 runs victim
	wait_for 10 grep -q sleeping "$T/out"
	"$BIN/coso" kill --signal "${signal:-KILL}" victim
	status=0
	wait $pid || status=$?
}

killed() {
	killed_in
	ended 137
	signal=TERM killed_in --init
	ended 143
	signal=sighup killed_in --init
	ended 129
	signal=2 killed_in --init
	ended 130
}

@test "a container in the foreground that is killed: 128+n" { in_ns clean killed; }

launcher_dies() {
	rm -f "$T/out" # of the one before
	"$BIN/coso" --rootfs "$PROBE" --network none --name victim "$@" /bin/probe sleep 100 >"$T/out" 2>"$T/err" </dev/null &
	local pid=$! inside
	wait_for 10 runs victim
	wait_for 10 grep -q sleeping "$T/out"
	inside=$(sed -n 's/.*"pid": \([0-9]*\),.*/\1/p' /run/coso/victim/state.json)
	[ -e "/proc/$inside" ]
	kill -9 $pid
	wait $pid || true
	wait_for 5 [ ! -e "/proc/$inside" ]
	"$BIN/coso" ps >"$T/out"
	lacks victim
}

@test "the launcher's death is the container's, and the next command removes what is left" {
	in_ns clean launcher_dies
	in_ns clean launcher_dies --init
	in_ns clean launcher_dies --user 1000
}

launcher_dies_alone() {
	"$BIN/coso" --rootfs "$PROBE" --network none --name victim --init --pid=false /bin/probe sleep 100 >"$T/out" 2>"$T/err" </dev/null &
	local pid=$! inside program
	wait_for 10 grep -q sleeping "$T/out"
	inside=$(sed -n 's/.*"pid": \([0-9]*\),.*/\1/p' /run/coso/victim/state.json)
	read -r program <"/proc/$inside/task/$inside/children" || [ -n "$program" ] # there is no newline
	[ "$(<"/proc/$program/comm")" = probe ]
	kill -9 $pid
	wait $pid || true
	wait_for 5 [ ! -e "/proc/$program" ]
	"$BIN/coso" ps >"$T/out"
	lacks victim
}

@test "without a pid namespace, the init's death is the program's" { in_ns clean launcher_dies_alone; }

stdin() {
	printf 'a\nb\n' >"$T/in"
	coso_in "$ROOTFS" cat <"$T/in"
	silent
	[ "$(<"$T/out")" = $'a\nb' ]
	head -c 3000000 /dev/urandom >"$T/in"
	cat "$T/in" | coso_in "$ROOTFS" sha256sum
	[ "$(<"$T/out")" = "$(sha256sum <"$T/in")" ]
	printf 'x\n' | coso_in "$ROOTFS" --interactive=false cat
	[ ! -s "$T/out" ]
	printf 'x\n' | coso_in "$ROOTFS" --init cat
	said x
	# Nobody's stdin, stdout and stderr.
	"$BIN/coso" --rootfs "$PROBE" --network none /bin/probe exit 3 <&- >&- 2>&- && status=0 || status=$?
	ended 3
	# A reader that goes away ends the writer, not coso.
	"$BIN/coso" --rootfs "$ROOTFS" --network none yes 2>"$T/err" | head -n 1 >"$T/out"
	said y
}

@test "stdin is passed on, whole; closed descriptors and broken pipes do no harm" { in_ns clean stdin; }

descriptors() {
	(exec 7<"$T" 9>"$T/leak"; coso /bin/probe fds)
	status=0
	[ "$(grep -c ^fd. "$T/out")" = 3 ]
	(exec 7<"$T" 9>"$T/leak"; coso --init /bin/probe fds)
	[ "$(grep -c ^fd. "$T/out")" = 3 ]
}

@test "no descriptor of the caller's is passed on but 0 to 2" { in_ns clean descriptors; }

fresh_process() {
	(trap '' HUP INT TERM USR1; coso /bin/probe signals process)
	is SigIgn 0000000000000000
	is SigBlk 0000000000000000
	is umask 0022
}

@test "signals are as for a fresh process" { in_ns clean fresh_process; }

pid_file() {
	"$BIN/coso" --rootfs "$PROBE" --network none --pid-file "$T/pid" --name one /bin/probe sleep 100 >"$T/out" 2>"$T/err" </dev/null &
	local pid=$! inside
	wait_for 10 test -s "$T/pid"
	wait_for 10 grep -q sleeping "$T/out"
	inside=$(<"$T/pid")
	[ "$(<"/proc/$inside/comm")" = probe ]
	[ "$(stat -c %a "$T/pid")" = 644 ]
	# While it runs, its name is taken.
	coso --name one /bin/probe exit 0
	fails 125 "container 'one' exists already" 'coso rm'
	"$BIN/coso" ps >"$T/out"
	grep -q "^one  *$inside  *running .*/bin/probe sleep 100" "$T/out"
	kill -9 "$inside"
	status=0
	wait $pid || status=$?
	ended 137
	coso --name one --pid-file "$T/pid" /bin/probe exit 0
	silent
}

@test "--pid-file and --name" { in_ns clean pid_file; }

trace() {
	coso --trace "$T/trace" /bin/probe exit 0
	silent
	python3 - "$T/trace" <<-'END'
		import json, sys
		events = json.load(open(sys.argv[1]))
		begun = {}
		for e in events:
		    if e["ph"] == "M":
		        continue
		    key = (e["pid"], e["name"])
		    if e["ph"] == "B":
		        begun[key] = e["ts"]
		    else:
		        assert e["ph"] == "E" and begun[key] <= e["ts"], e
		        begun[key] = None
		assert all(v is None for v in begun.values()), begun
		pids = {p for p, n in begun}
		assert len(pids) == 2, pids
		names = {n for p, n in begun}
		assert {"root", "filter", "cgroup", "spawn", "idmap", "mapped", "go", "confirm"} <= names, names
		assert {"begin", "attach", "mounts", "devices", "pivot", "masks", "security", "exec"} <= names, names
	END
	coso --trace "$T/trace" /bin/probe exit 0 # again, over the old one
	python3 -m json.tool "$T/trace" >/dev/null
	coso --trace "$T/trace" --init --detach --rm /bin/probe exit 0
	wait_for 5 python3 -m json.tool "$T/trace" >/dev/null
	coso --trace "$T/trace" /no/such
	ended 127
	python3 -m json.tool "$T/trace" >/dev/null
}

@test "--trace is valid JSON with the stages of both processes, also of a launch that fails" { in_ns clean trace; }

verbosity() {
	local word
	coso --verbose --hostname vhost --memory 64m /bin/probe exit 0
	ended 0
	[ ! -s "$T/out" ]
	for word in vhost "$PROBE" 67108864 spawn pivot security /bin/probe; do
		grep -q -- "$word" "$T/err" || { echo "no $word in $(<"$T/err")" >&2; return 1; }
	done
	coso -v /bin/probe exit 0
	grep -q pivot "$T/err"
	coso --verbose=false /bin/probe exit 0
	silent
	coso --debug /bin/probe exit 0
	ended 0
	coso -q /no/such # an error is no warning
	fails 127 /no/such
}

@test "--verbose prints the configuration and the stages, --quiet no warnings, errors always" { in_ns clean verbosity; }

explain() {
	local word
	"$BIN/coso" explain --rootfs "$PROBE" --network none --hostname ehost --memory 64m --volume "$T:/mnt:ro" --cap-drop ALL --cap-add CHOWN \
		/bin/probe write /x >"$T/out" 2>"$T/err"
	[ ! -s "$T/err" ]
	for word in ehost "$PROBE" memory.*67108864 "bind $T on /mnt (read-only)" 'capabilities: CHOWN' pivot_root clone3; do
		grep -q -- "$word" "$T/out" || { echo "no $word in $(<"$T/out")" >&2; return 1; }
	done
	lacks NET_BIND
	"$BIN/coso" explain --rootfs "$PROBE" --network /bin/true >"$T/out"
	grep -q '/bin/true -pid' "$T/out"
	"$BIN/coso" explain --memory nonsense >"$T/out" 2>"$T/err" && status=0 || status=$?
	fails 125 "--memory 'nonsense'"
	"$BIN/coso" explain --root "$T/elsewhere" --rootfs "$PROBE" --network none >"$T/out"
	grep -q "upper layer: $T/elsewhere/lib/containers/" "$T/out"
	[ ! -e "$T/elsewhere" ]
	mkdir -p "$T/there/run"
	"$BIN/coso" explain --root "$T/there" --name web --memory 64m --rootfs "$PROBE" --network none >"$T/out"
	grep -qE '/coso/web@[0-9a-f]+\.[0-9a-f]+' "$T/out"
	"$BIN/coso" explain --rootfs "$PROBE" --network container:none >"$T/out" 2>"$T/err" && status=0 || status=$?
	fails 125 "no such container runs"
}

explain_joined() {
	"$BIN/coso" --root "$T/elsewhere" --detach --rm --name other --rootfs "$PROBE" --network none /bin/probe sleep 60
	unchanged "$BIN/coso" --root "$T/elsewhere" explain --rootfs "$PROBE" --network container:other >"$T/out" 2>"$T/err"
	"$BIN/coso" kill --root "$T/elsewhere" other
	[ ! -s "$T/err" ]
	lacks 'new namespaces:.* network'
}

@test "explain prints what would be done, and does nothing" {
	in_ns unchanged explain # not even COSO's folders
	in_ns explain_joined
}

words() {
	"$BIN/coso" --version >"$T/out"
	grep -qE '^coso [0-9]+\.[0-9]+\.[0-9]+$' "$T/out"
	"$BIN/coso" version | cmp - "$T/out"
	"$BIN/coso" --help >"$T/out"
	"$BIN/coso" help | cmp - "$T/out"
	grep -q -- '--rootfs DIR' "$T/out"
	status=0
	"$BIN/coso" explian >"$T/out" 2>"$T/err" || status=$?
	fails 125 "unknown command 'explian'" "did you mean 'coso explain'"
	"$BIN/coso" --help >/dev/full 2>"$T/err" && status=0 || status=$?
	[ "$status" = 125 ]
}

@test "--version, --help, and the nearest verb" { in_ns unchanged words; }
