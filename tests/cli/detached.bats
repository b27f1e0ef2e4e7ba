# SPDX-License-Identifier: GPL-2.0-or-later
# detached.bats - containers in the background: --detach, ps, logs, kill, rm

load ../helpers
load common

# verb WORDS...: a verb of coso; as coso and alpine.
verb() {
	status=0
	timeout 20 "$BIN/coso" "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
}

is_status() {
	verb ps
	grep -qE "^$1 +[0-9]+ +$2 " "$T/out"
}

removed() {
	verb rm "$@"
	silent
	[ -z "$(find /run/coso -mindepth 1 -maxdepth 1 ! -name .owners)" ]
	[ -z "$(find /var/lib/coso/containers -mindepth 1)" ]
}

# orphan NAME: its monitor is killed.
orphan() {
	local monitor
	monitor=$(jq .owner "/run/coso/$1/state.json")
	kill -KILL "$monitor"
	wait_for 5 [ ! -e "/proc/$monitor" ]
}

life() {
	local pid
	alpine --detach --name bg sh -c 'echo out; echo err >&2; read -r line; echo "end of file"; exec sleep 100'
	silent
	[ "$(<"$T/out")" = bg ]
	wait_for 5 is_status bg running
	wait_for 5 grep -q 'end of file' /var/lib/coso/containers/bg/log
	verb logs bg
	silent
	[ "$(<"$T/out")" = $'out\nerr\nend of file' ]
	verb ps --json
	silent
	pid=$(python3 -c 'import json, sys; [c] = json.load(sys.stdin); assert c["status"] == "running" and c["exitCode"] is None; print(c["pid"])' <"$T/out")
	[ "$(<"/proc/$pid/comm")" = sleep ]
	verb rm bg
	fails 1 "container 'bg' runs" 'rm --force'
	verb kill bg
	silent
	wait_for 5 is_status bg 'exited \(137\)'
	[ ! -e "/proc/$pid" ]
	verb kill bg
	fails 1 "container 'bg' doesn't run"
	verb logs bg # still there
	said out
	removed bg
	verb logs bg
	fails 1 "no container 'bg'"
}

@test "--detach: ps, logs, kill, rm" { in_ns clean life; }

codes() {
	local code
	for code in 0 7 255; do
		coso --detach --name "code$code" /bin/probe exit $code
		silent
	done
	coso --detach --name init --init /bin/probe signal 11
	for code in 0 7 255; do
		wait_for 5 is_status "code$code" "exited \\($code\\)"
	done
	wait_for 5 is_status init 'exited \(139\)'
	removed code0 code7 code255 init
}

@test "the exit status of a container in the background is kept" { in_ns clean codes; }

launch_fails() {
	coso --detach --name no /no/such
	fails 127 '"/no/such"'
	coso --detach --name no --memory 1k /bin/probe exit 0
	fails 125 --memory
	coso --detach --name no --user nobody-here /bin/probe exit 0
	fails 125 nobody-here
	verb ps
	lacks '^no '
}

@test "--detach: a launch that fails is reported by the command, and leaves nothing" { in_ns clean launch_fails; }

rm_flag() {
	coso --detach --rm --name gone /bin/probe exit 0
	silent
	wait_for 5 [ ! -e /run/coso/gone ]
	wait_for 5 [ ! -e /var/lib/coso/containers/gone ]
	coso --detach --rm /bin/probe sleep 100
	silent
	grep -qxE '[0-9a-f]{12}' "$T/out"
	verb rm --force "$(<"$T/out")"
	silent
}

@test "--rm: nothing of it is left once it ended" { in_ns clean rm_flag; }

forced() {
	alpine --detach --name one --init sh -c 'trap "" TERM; sleep 100 & sleep 100'
	alpine --detach --name two sleep 100
	removed --force one two
	verb rm one
	fails 1 "no container 'one'"
}

@test "rm --force ends what runs, several at once" { in_ns clean forced; }

in_use() {
	alpine --detach --name taken sleep 100
	alpine --detach --name taken sleep 100
	fails 125 "container 'taken' exists already"
	alpine --name taken true
	fails 125 "container 'taken' exists already"
	verb kill taken
	wait_for 5 is_status taken 'exited \(137\)'
	alpine --name taken true # its log and exit status are still wanted
	fails 125 "container 'taken' exists already" 'coso rm'
	removed taken
	alpine --name taken true
	silent
}

@test "a name in use is refused, also after the end, until rm" { in_ns clean in_use; }

# One name, ten at a time: one gets it.
race() {
	local i won=0
	for i in 1 2 3 4 5 6 7 8 9 10; do
		"$BIN/coso" --rootfs "$PROBE" --network none --detach --name prize /bin/probe sleep 100 >"$T/out.$i" 2>"$T/err.$i" </dev/null &
	done
	wait
	for i in 1 2 3 4 5 6 7 8 9 10; do
		if [ -s "$T/out.$i" ]; then
			won=$((won + 1))
		else
			grep -q "'prize' exists already" "$T/err.$i"
		fi
	done
	[ $won = 1 ]
	removed --force prize
}

@test "ten at a time with one name: one gets it" { in_ns clean race; }

many() {
	local i
	for i in $(seq 12); do
		"$BIN/coso" --rootfs "$PROBE" --network none --detach --name "m$i" /bin/probe sleep 100 >/dev/null 2>"$T/err.$i" </dev/null &
	done
	wait
	cat "$T"/err.* >"$T/err"
	[ ! -s "$T/err" ]
	verb ps
	[ "$(grep -cE '^m[0-9]+ +[0-9]+ +running' "$T/out")" = 12 ]
	removed --force m1 m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m12
}

# Mending kills what is in a container's group: with --root others have containers of that name.
namesakes() {
	local dead lives
	verb --root "$T/a" --name web --detach --network none --rootfs "$PROBE" /bin/probe sleep 100
	silent
	dead=$(jq .owner "$T/a/run/web/state.json")
	kill -KILL "$(jq .pid "$T/a/run/web/state.json")" "$dead" # what is left is an empty group
	wait_for 5 eval "! kill -0 $dead 2>/dev/null"
	for root in /run/coso "$T/b/run"; do
		[ $root = /run/coso ] || set -- --root "$T/b"
		coso_in "$PROBE" "$@" --name web --detach /bin/probe sleep 100
		silent
	done
	verb --root "$T/a" ps
	verb --root "$T/a" rm web
	for root in /run/coso "$T/b/run"; do
		lives=$(jq .pid $root/web/state.json)
		kill -0 "$lives"
	done
	verb --root "$T/b" rm --force web
	kill -0 "$(jq .pid /run/coso/web/state.json)"
	removed --force web
}

@test "what is mended below one --root is nobody else's of that name" { in_ns clean namesakes; }

@test "twelve at a time" { in_ns clean many; }

monitor_dies() {
	local pid
	alpine --detach --name alone sh -c 'echo hello; exec sleep 100'
	pid=$(sed -n 's/.*"pid": \([0-9]*\),.*/\1/p' /run/coso/alone/state.json)
	orphan alone
	is_status alone running
	[ -e "/proc/$pid" ]
	verb logs alone
	said hello
	verb kill alone
	silent
	wait_for 5 is_status alone 'exited \(unknown\)' # nobody was there to see
	removed alone
}

@test "the monitor's death isn't the container's; its exit status is then unknown" { in_ns clean monitor_dies; }

settled() {
	# A monitor holds no terminal, no folder and no descriptor of the caller's.
	(cd "$T/vol" && exec 8<"$T/vol" && alpine --detach --name quiet sleep 100)
	local monitor
	monitor=$(sed -n 's/.*"owner": \([0-9]*\),.*/\1/p' /run/coso/quiet/state.json)
	[ "$(ps -o tty= -p "$monitor" | tr -d ' ')" = '?' ]
	! find "/proc/$monitor/fd" -lname "$T/vol" | grep . || return 1
	[ "$(readlink "/proc/$monitor/cwd")" = / ]
	umount "$T/vol"
	verb rm --force quiet
	silent
}

@test "a monitor holds nothing of the caller's" {
	mkdir -p "$T/vol"
	settled_there() { mount -t tmpfs none "$T/vol" && settled; }
	in_ns clean settled_there
}

bad_words() {
	verb ps --no-such
	fails 125 '^coso: unknown option'
	verb kill
	fails 1 'which container'
	verb kill no-such
	fails 1 "no container 'no-such'"
	verb kill ../../etc
	fails 1 "the name '../../etc'"
	verb rm
	fails 1 'which container'
	verb rm .owners
	fails 1 "the name '.owners'"
	verb logs
	fails 1 'one container'
	verb logs one two
	fails 1 'one container'
	alpine --detach --name sig sleep 100
	verb kill --signal SIGNOPE sig
	fails 1 "--signal 'SIGNOPE'"
	verb kill --signal 0 sig
	fails 1 "--signal '0'"
	verb kill --signal 999 sig
	fails 1 "--signal '999'"
	verb kill -s winch sig
	silent
	is_status sig running
	removed --force sig
}

@test "ps, kill, logs, rm: words that make no sense" { in_ns clean bad_words; }

# As many as are named: one that isn't there keeps nothing from the others.
several() {
	alpine --detach --name one sleep 100
	verb kill one -s TERM
	fails 1 "'-s'.*options come before"
	verb rm one --force
	fails 1 "'--force'.*options come before"
	is_status one running
	alpine --detach --name two sleep 100
	verb kill one gone nor-that two
	[ "$status" = 1 ]
	grep -q "warning: no container 'gone'" "$T/err"
	grep -q "^coso: no container 'nor-that'" "$T/err"
	wait_for 5 is_status one 'exited \(137\)'
	wait_for 5 is_status two 'exited \(137\)'
	verb rm one gone two
	fails 1 "no container 'gone'"
	[ ! -e /run/coso/one ] && [ ! -e /run/coso/two ]
}

@test "kill and rm: one that isn't there keeps nothing from the others" { in_ns clean several; }

helps() {
	local name
	for name in ps kill logs rm; do
		verb $name --help
		silent
		grep -q "^usage: coso $name " "$T/out"
		grep -q -- --root "$T/out"
	done
	verb explain --help
	silent
	grep -q '^usage: coso .FLAGS' "$T/out"
}

@test "each verb's --help" { in_ns clean helps; }

strange_log() {
	alpine --detach --name ctl sh -c $'printf "\\033]0;x\\007"; sleep 100' $'\033[31m' $'\xff'
	silent
	verb ps
	lacks $'\033'
	verb ps --json
	python3 -m json.tool "$T/out" >/dev/null
	removed --force ctl
}

@test "ps prints no control characters" { in_ns clean strange_log; }

# What a power failure leaves: folders on the disk, none of /run.
last_boot() {
	local kept=/var/lib/coso/containers/old
	alpine --detach --name old sh -c 'echo mine >/made; exec sleep 100'
	silent
	wait_for 5 [ -s $kept/data/upper/made ]
	verb kill old
	wait_for 5 is_status old "exited .137."
	mkdir -p $kept/data/upper
	alpine --detach --name new sleep 100
	silent
	rm -r /run/coso/old
	verb ps # it may be another's, with a /run of its own
	[ -d $kept/data/upper ]
	ln -sfn 4b2f4a3e-0000-4000-8000-000000000000 /var/lib/coso/.boot
	verb ps
	silent
	is_status new running
	[ ! -e $kept ] && [ -d /var/lib/coso/containers/new/data/upper ]
	[ "$(readlink /var/lib/coso/.boot)" = "$(</proc/sys/kernel/random/boot_id)" ]
	removed --force new
}

@test "layers and logs that outlived the boot go with the next command" { in_ns clean last_boot; }

stuck() {
	local kept=/var/lib/coso/containers/old
	verb ps
	mkdir -p $kept/data/upper
	mount -t tmpfs none $kept/data/upper
	ln -sfn 4b2f4a3e-0000-4000-8000-000000000000 /var/lib/coso/.boot
	alpine --name old true
	[ "$status" = 125 ]
	grep -q "^coso: remove '${kept%/data*}'.*mounted" "$T/err"
	lacks '\.owners' "$T/err"
	alpine --name other true # the rest works
	[ "$status" = 0 ]
	umount $kept/data/upper
	verb ps
	silent
	[ ! -e $kept ]
}

@test "what can't go yet goes later, and is named" { in_ns clean stuck; }

# All that starts at the boot starts at once.
first_commands() {
	local i pids=()
	for i in {1..8}; do
		mkdir -p "/var/lib/coso/containers/s$i/data/upper"
		(cd "/var/lib/coso/containers/s$i/data/upper" && touch mine {1..2000})
	done
	ln -sfn 4b2f4a3e-0000-4000-8000-000000000000 /var/lib/coso/.boot
	for i in {1..8}; do
		"$BIN/coso" --rootfs "$ROOTFS" --network none --name "s$i" sh -c '[ ! -e /mine ]' 2>"$T/err.$i" </dev/null &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" || { cat "$T"/err.* >&2; return 1; }; done
	[ -z "$(find /var/lib/coso/containers -mindepth 1)" ]
}

@test "what the last boot left is in nobody's way" { in_ns clean first_commands; }

# claim BOOT: a claim of a process that lives, and has the start time that is written there.
claim() {
	local stat
	mkdir -p /run/coso/ghost
	stat=$(<"/proc/$BASHPID/stat")
	set -- "$1" ${stat##*) }
	ln -s "${21} $1" "/run/coso/.owners/$BASHPID:ghost"
}

claims_of_boots() {
	claim "$(</proc/sys/kernel/random/boot_id)"
	verb ps
	[ -d /run/coso/ghost ]
	rm "/run/coso/.owners/$BASHPID:ghost"
	claim 4b2f4a3e-0000-4000-8000-000000000000
	verb ps
	[ ! -e /run/coso/ghost ] && [ -z "$(ls -A /run/coso/.owners)" ]
}

@test "a claim of another boot is nobody's, whoever has its pid and start time" { in_ns clean claims_of_boots; }

# A launch that was killed before it could see that the name is taken, by a container whose states are elsewhere.
anothers_name() {
	alpine --detach --name web sleep 100
	silent
	mv /run/coso/web "$T/elsewhere"
	verb ps
	mkdir /run/coso/web
	ln -s "1 $(</proc/sys/kernel/random/boot_id)" /run/coso/.owners/4194303:web
	verb ps
	silent
	[ ! -e /run/coso/web ] && [ -e /var/lib/coso/containers/web/log ]
	kill -0 "$(jq .pid "$T/elsewhere/state.json")"
	mv "$T/elsewhere" /run/coso/web
	is_status web running
	removed --force web
}

@test "a crash of who wanted a taken name does no harm to whose it is" { in_ns clean anothers_name; }

# rm came while it was being launched, and waited for who did.
launched_meanwhile() {
	local holder
	alpine --detach --name web sleep 100
	silent
	orphan web
	mv /run/coso/web/state.json "$T/state"
	flock /run/coso/web sleep 2 &
	holder=$!
	wait_for 5 eval '! flock -n /run/coso/web true'
	(sleep 1.2 && mv "$T/state" /run/coso/web/state.json) & # by then rm has looked
	verb rm web
	fails 1 "'web' runs"
	wait $holder
	is_status web running
	removed --force web
}

@test "rm without --force ends nobody who began to run meanwhile" { in_ns clean launched_meanwhile; }

unreadable() {
	local pid
	alpine --detach --name db sleep 100
	silent
	pid=$(jq .pid /run/coso/db/state.json)
	orphan db
	jq '.version = 2' /run/coso/db/state.json >"$T/state"
	cp "$T/state" /run/coso/db/state.json
	verb ps
	grep -q "'db' is left as it is.*another version.*coso rm --force" "$T/err"
	[ "$(<"/proc/$pid/comm")" = sleep ]
	verb rm db
	[ "$status" = 1 ]
	grep -q "^coso: container 'db': .*another version of coso .coso rm --force 'db' ends" "$T/err"
	[ "$(<"/proc/$pid/comm")" = sleep ] && [ -d /var/lib/coso/containers/db/data/upper ]
	verb rm --force db
	[ "$status" = 0 ]
	wait_for 5 [ ! -e "/proc/$pid/exe" ]
	[ ! -e /run/coso/db ] && [ ! -e /var/lib/coso/containers/db ]
}

@test "a state that can't be read is nobody's to judge: what runs goes on until rm --force" { in_ns clean unreadable; }

# The session's folder goes at the last logout, and what runs may stay.
lost_state() {
	alpine --detach --name web sh -c 'echo mine >/made; exec sleep 100'
	silent
	wait_for 5 [ -s /var/lib/coso/containers/web/data/upper/made ]
	mv /run/coso/web /run/coso/.away
	alpine --name web true
	fails 125 "containers/web' is a living container's"
	grep -q mine /var/lib/coso/containers/web/data/upper/made
	mv /run/coso/.away /run/coso/web
	verb kill web
	wait_for 5 is_status web 'exited \(137\)'
	rm -r /run/coso/web
	mkdir -p /var/lib/coso/containers/web/data/upper/etc
	alpine --detach --name web sh -c '[ ! -e /made ] && [ -e /etc/passwd ] && echo new; exec sleep 100'
	wait_for 5 grep -q new /var/lib/coso/containers/web/log
	[ "$(wc -l </var/lib/coso/containers/web/log)" = 1 ]
	removed --force web
}

@test "layers that no state tells of: a living container's are left alone, a dead one's are nobody's" { in_ns clean lost_state; }
