# SPDX-License-Identifier: GPL-2.0-or-later
# plugins.bats - any program that takes -pid serves as --network: what it is given, what it may answer, and each way to fail

load ../helpers

# plugin NAME: makes an executable script of stdin; its path is in $PLUGIN.
plugin() {
	PLUGIN=$T/$1
	cat >"$PLUGIN"
	chmod 755 "$PLUGIN"
}

# container [FLAG...] COMMAND...: with $PLUGIN as its network; output in $T/out and $T/err, status in $T/code.
container() {
	local code=0
	timeout -k 5 20 "$BIN/coso" --rootfs "$PROBE" --network "$PLUGIN" "$@" >"$T/out" 2>"$T/err" </dev/null || code=$?
	echo $code >"$T/code"
	[ $code != 124 ] || { echo "took more than 20 s: $*" >&2; return 1; }
}

# ended STATUS: the last container did.
ended() {
	[ "$(<"$T/code")" = "$1" ] || { echo "status $(<"$T/code") instead of $1: $(<"$T/err")" >&2; return 1; }
}

# works [FLAG...] COMMAND...
works() {
	container "$@"
	ended 0
}

# refused TEXT...: the launch ends with 125 and one line that holds each of these, and nothing is left behind.
refused() {
	local text
	unchanged container /bin/probe host
	ended 125
	[ "$(wc -l <"$T/err")" = 1 ] || { echo "not one line: $(<"$T/err")" >&2; return 1; }
	[ ! -s "$T/out" ] || { echo "it ran: $(<"$T/out")" >&2; return 1; }
	for text in "$PLUGIN" "$@"; do
		grep -qF -- "$text" "$T/err" || { echo "no '$text' in: $(<"$T/err")" >&2; return 1; }
	done
}

is() { [ "$2" = "$3" ] || { echo "$1 is '$2' instead of '$3'" >&2; return 1; }; }

# What the first launch of all leaves behind is no litter.
prepare() {
	plugin nothing <<<'#!/bin/sh'
	works /bin/probe host
}

# no_process PATH: nothing runs with this in its command line.
no_process() {
	if pgrep -a -f -- "$1" >&2; then
		echo "still runs: $1" >&2
		return 1
	fi
}

four_lines() {
	prepare
	plugin four <<-'END'
		#!/bin/sh
		[ "$1" = -pid ] || exit 2
		ip link add "v$2" type veth peer name eth0 netns "$2" && ip address add 192.0.2.1/24 dev "v$2" && ip link set "v$2" up
		nsenter -t "$2" -n sh -c 'ip address add 192.0.2.2/24 dev eth0; ip link set eth0 up; ip route add default via 192.0.2.1'
	END
	unchanged works --rootfs "$ROOTFS" sh -c 'ping -c 1 -W 3 192.0.2.1 && ip route'
	grep -q '1 packets received' "$T/out"
	grep -q 'default via 192.0.2.1 dev eth0' "$T/out"
	[ ! -s "$T/err" ]
}

@test "a four-line shell script is a network" {
	need ip nsenter
	in_ns four_lines
}

in_c() {
	prepare
	cp "$BIN/plugin" "$T/plugin"
	PLUGIN=$T/plugin
	unchanged works --name first --rootfs "$ROOTFS" sh -c 'ip address show lo; cat /etc/hosts /etc/resolv.conf'
	grep -q 'inet 192.0.2.7/32' "$T/out"
	grep -q '^192.0.2.7[[:space:]]first$' "$T/out"
	grep -q '^nameserver 192.0.2.53$' "$T/out"
	is servers "$(grep -c nameserver "$T/out")" 1
	is log "$(tail -n 2 "$T/plugin.log" | paste -sd' ')" "attach first release first"
	unchanged works --rootfs "$ROOTFS" --dns 198.51.100.7 cat /etc/resolv.conf
	is resolv.conf "$(<"$T/out")" "nameserver 198.51.100.7"
}

@test "a program in C is a network, and names addresses and name servers" { in_ns in_c; }

environment() {
	plugin env <<-END
		#!/bin/sh
		[ "\$1" = -pid ] && exec >$T/attach || exec >$T/release
		[ "\$1" = -release ] || { cat /proc/self/cgroup >/dev/null; stat -c '%a %u %F' "\$COSO_STATE" >$T/folder; touch "\$COSO_STATE/mine"; }
		echo "\$#:\$1:\$(readlink /proc/\$\$/fd/0)"
		ls -m /proc/\$\$/fd
		[ "\$1" = -pid ] && [ "\$(readlink /proc/\$2/ns/net)" != "\$(readlink /proc/self/ns/net)" ] && echo "another namespace"
		ls "\$COSO_STATE"
		tr '\0' '\n' </proc/\$\$/environ
	END
	(
		export SECRET=1 LD_PRELOAD_X=1 COSO_FAKE=1 IFS=,
		works --name box --hostname web --publish 8080:80 --publish 127.0.0.1:53:53/udp -e INSIDE=1 /bin/probe host
	)
	cat >"$T/expected" <<-END
		2:-pid:/dev/null
		0, 1, 10, 2
		another namespace
		mine
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
		COSO_ID=box
		COSO_NAME=box
		COSO_HOSTNAME=web
		COSO_NETWORK=$PLUGIN
		COSO_PUBLISH=8080:80,127.0.0.1:53:53/udp
		COSO_STATE=/run/coso/box/network
	END
	# 10 is the shell's own, for the script.
	diff "$T/expected" "$T/attach" >&2
	is folder "$(<"$T/folder")" "700 0 directory"
	[ ! -e "$T/release" ]
}

@test "its environment, arguments and descriptors are the contract's, and its folder is private" { in_ns environment; }

at_release() {
	prepare
	plugin again <<-END
		#!/bin/sh
		echo "\$*" >>$T/calls
		tr '\0' '\n' </proc/\$\$/environ >"$T/environ\$1"
		[ "\$1" = -release ] && { cat "\$COSO_STATE/kept" >>$T/calls; exit; }
		echo kept >"\$COSO_STATE/kept"
		echo 'ip said this first'
		echo '{"interfaces": [], "release": true}'
	END
	unchanged works --name again --publish 80:80 /bin/probe exit 0
	is calls "$(sed 's/[0-9]\+$/PID/' "$T/calls" | paste -sd' ')" "-pid PID -release kept"
	diff "$T/environ-pid" "$T/environ-release" >&2
	# A launch that fails after the network is up owes it too.
	: >"$T/calls"
	unchanged container --name again /bin/none
	ended 127
	is calls "$(sed 's/[0-9]\+$/PID/' "$T/calls" | paste -sd' ')" "-pid PID -release kept"
	# And a detached one, at its end.
	: >"$T/calls"
	works --detach --rm --name again /bin/probe sleep 30
	is calls "$(sed 's/[0-9]\+$/PID/' "$T/calls")" "-pid PID"
	"$BIN/coso" kill again
	wait_for 5 grep -q kept "$T/calls"
	wait_for 5 test ! -e /run/coso/again
}

@test "\"release\": true calls it again after the end, with the same environment" { in_ns at_release; }

not_again() {
	plugin once <<-END
		#!/bin/sh
		echo "\$1" >>$T/calls
		echo '$1'
	END
	: >"$T/calls"
	works /bin/probe host
	is "calls after '$1'" "$(<"$T/calls")" -pid
}

@test "nothing else does" {
	local answer
	for answer in '' '{}' '{"release": false}' '{"release": "true"}' '{"release": 1}' '[{"release": true}]' '{"release": true' \
		'{"release": true, "release": true}' 'release' '"release": true'; do
		in_ns not_again "$answer"
	done
}

killed_launcher() {
	prepare
	plugin again <<-END
		#!/bin/sh
		echo "\$1 \$COSO_ID" >>$T/calls
		echo '{"release": true}'
	END
	mkdir -p "$T/elsewhere"
	killed() {
		# By a relative path, and mended from another folder.
		(cd "$T" && exec "$BIN/coso" --rootfs "$PROBE" --network ./again --name killed "$@" /bin/probe sleep 60) >"$T/out" 2>&1 3>&- &
		local pid=$!
		wait_for 5 grep -q sleeping "$T/out"
		kill -KILL $pid
		wait $pid || true
		is calls "$(<"$T/calls")" "-pid killed"
		[ -d /run/coso/killed/network ]
		(cd "$T/elsewhere" && "$BIN/coso" ps >/dev/null)
		is calls "$(paste -sd' ' "$T/calls")" "-pid killed -release killed"
		"$BIN/coso" ps >/dev/null
		is calls "$(paste -sd' ' "$T/calls")" "-pid killed -release killed"
	}
	unchanged killed
}

@test "after kill -9 of coso the next command calls it with -release, once" { in_ns killed_launcher; }

failing_release() {
	prepare
	plugin sour <<-'END'
		#!/bin/sh
		[ "$1" = -pid ] && echo '{"release": true}' && exit
		echo 'no mood' >&2
		exit 4
	END
	unchanged works /bin/probe exit 0
	is lines "$(wc -l <"$T/err")" 1
	grep -qF "'$PLUGIN -release' failed: no mood" "$T/err"
	plugin slow <<-'END'
		#!/bin/sh
		[ "$1" = -pid ] && echo '{"release": true}' && exit
		exec sleep 60
	END
	SECONDS=0
	unchanged works --network-timeout 1 /bin/probe exit 0
	[ $SECONDS -lt 5 ]
	is lines "$(wc -l <"$T/err")" 1
	grep -qF "'$PLUGIN -release' failed: no answer" "$T/err"
}

@test "a -release that fails or hangs is a warning, and nothing is left of the container" { in_ns failing_release; }

failures() {
	prepare

	plugin stderr <<-'END'
		#!/bin/sh
		echo 'this was stdout'
		echo 'no bridge today' >&2
		exit 1
	END
	refused "failed with status 1" "no bridge today"

	plugin netsetgo <<-'END'
		#!/bin/sh
		echo "ERROR - link not found"
		exit 1
	END
	refused "failed with status 1" "ERROR - link not found"

	plugin silent <<-'END'
		#!/bin/sh
		echo '{"release": true}'
		exit 3
	END
	refused "failed with status 3" "it said nothing"

	plugin lines <<-'END'
		#!/bin/sh
		printf 'one\ntwo\033[31m\r\n\n' >&2
		exit 1
	END
	refused "one two?[31m"

	plugin signal <<-'END'
		#!/bin/sh
		echo "before the end" >&2
		kill -SEGV $$
	END
	refused "was killed by signal 11 (Segmentation fault)" "before the end"
}

@test "a failure is one line with what it said, on stderr or else on stdout" { in_ns failures; }

hangs() {
	prepare
	cp "$(command -v sleep)" "$T/sleep"
	plugin hangs <<-END
		#!/bin/sh
		echo "waiting for Godot" >&2
		$T/sleep 61 &
		$T/sleep 62
	END
	SECONDS=0
	unchanged container --network-timeout 1 /bin/probe host
	ended 125
	[ $SECONDS -ge 1 ] && [ $SECONDS -lt 6 ]
	is lines "$(wc -l <"$T/err")" 1
	grep -qF "'$PLUGIN -pid " "$T/err"
	grep -qF "didn't end within 1 s: waiting for Godot (--network-timeout gives it more)" "$T/err"
	no_process "$T/sleep"

	# Out of its process group, and deaf to all but SIGKILL.
	plugin stubborn <<-'END'
		#!/usr/bin/env python3
		import os, signal, time
		signal.signal(signal.SIGTERM, signal.SIG_IGN)
		os.setpgid(0, os.getppid())
		time.sleep(63)
	END
	SECONDS=0
	unchanged container --network-timeout 1 /bin/probe host
	ended 125
	[ $SECONDS -lt 6 ]
	no_process "$PLUGIN"
}

@test "one that hangs is ended, with its children, when its time is over" { in_ns hangs; }

odd_output() {
	prepare
	plugin garbage <<-'END'
		#!/bin/sh
		head -c 3000 /dev/urandom
		head -c 3000 /dev/urandom >&2
	END
	unchanged works /bin/probe exit 0
	[ ! -s "$T/err" ]
	works --verbose /bin/probe exit 0
	grep -q 'the network executable says: ' "$T/err"
	[ "$(LC_ALL=C tr -d '\n\t -~\200-\377' <"$T/err" | wc -c)" = 0 ]

	plugin odd <<-'END'
		#!/bin/sh
		printf '%s\n' '{"interfaces": [{"name": 7, "addresses": ["192.0.2.3/24\n6.6.6.6 evil", 5, null, "192.0.2.4/24"]}, 3], "dns": "x", "more": {}}'
	END
	unchanged works --hostname box /bin/probe read /etc/hosts
	is hosts "$(grep -c box "$T/out")" 1
	grep -q '^192.0.2.4[[:space:]]box$' "$T/out"

	plugin huge <<-'END'
		#!/bin/sh
		head -c 20000000 /dev/zero | tr '\0' x
		head -c 20000000 /dev/zero | tr '\0' y >&2
	END
	unchanged works /bin/probe exit 0
	plugin huge <<<"$(cat "$PLUGIN"; echo exit 1)"
	refused "failed with status 1: yyyyyyyy"
	[ "$(wc -c <"$T/err")" -lt 1200 ]
}

@test "garbage is ignored, odd JSON gives what is right in it, and huge output does no harm" { in_ns odd_output; }

not_programs() {
	prepare
	printf '#!/bin/sh\nexit 0\n' >"$T/plain"
	chmod 644 "$T/plain"
	PLUGIN=$T/plain refused "Permission denied" "chmod +x"
	PLUGIN=$T refused "is a folder"
	PLUGIN=$T/missing refused "No such file or directory" "make install" "--network none"
	PLUGIN=$T/plain/below refused "Not a directory"
	plugin format <<<'exit 0'
	refused "neither a program nor a script that begins with #!"
	plugin empty </dev/null
	refused "neither a program nor a script"
	plugin crlf < <(printf '#!/bin/sh\r\nexit 0\r\n')
	refused "CRLF" "dos2unix"
	plugin lost <<<'#!/no/such/interpreter'
	refused "its interpreter '/no/such/interpreter' isn't on this host"
	ln -s loop "$T/loop"
	PLUGIN=$T/loop refused "Too many levels of symbolic links"
	mkfifo "$T/fifo"
	chmod 755 "$T/fifo"
	PLUGIN=$T/fifo refused "Permission denied"
	cp "$PROBE/bin/probe" "$T/foreign"
	printf '\xb7\x00' | dd of="$T/foreign" bs=1 seek=18 conv=notrunc status=none # e_machine: aarch64
	if [ "$(uname -m)" = x86_64 ]; then
		PLUGIN=$T/foreign refused "is a program for aarch64"
	fi
	truncate -s 100 "$T/foreign"
	PLUGIN=$T/foreign refused "a"
}

@test "what isn't a program is named, with the reason" { in_ns not_programs; }

names() {
	local name
	for name in '' cosonet nonehost container: container:none 'container:../x'; do
		PLUGIN=$name container /bin/probe host
		ended 125
		is lines "$(wc -l <"$T/err")" 1
		grep -q -- '--network\|the name' "$T/err"
	done
	for name in 0 -1 x 1.5 3601 ''; do
		PLUGIN=none container --network-timeout "$name" /bin/probe host
		ended 125
		grep -q -- --network-timeout "$T/err"
	done
}

@test "wrong names and times are errors" { in_ns names; }

interrupted() {
	prepare
	cp "$(command -v sleep)" "$T/sleep"
	plugin hangs <<<"#!/bin/sh
echo >$T/began
exec $T/sleep 64"
	interrupt() { # interrupt SIGNAL EXPECTED
		rm -f "$T/began"
		# A shell has its background processes ignore SIGINT.
		env --default-signal "$BIN/coso" --rootfs "$PROBE" --network "$PLUGIN" /bin/probe host </dev/null >"$T/out" 2>"$T/err" 3>&- &
		local pid=$! code=0
		wait_for 5 test -e "$T/began"
		SECONDS=0
		kill "-$1" $pid
		wait $pid || code=$?
		is "status after SIG$1" $code "$2"
		[ $SECONDS -lt 5 ]
		is lines "$(wc -l <"$T/err")" 1
		grep -q "was interrupted" "$T/err"
		no_process "$T/sleep"
	}
	unchanged interrupt TERM 143
	unchanged interrupt INT 130
	unchanged interrupt HUP 129
}

@test "Ctrl-C while it runs ends the launch at once, and leaves nothing" { in_ns interrupted; }

deaf() {
	prepare
	plugin slow <<<"#!/bin/sh
echo >$T/began
sleep 1"
	(
		trap '' HUP
		exec "$BIN/coso" --rootfs "$PROBE" --network "$PLUGIN" /bin/probe exit 7
	) </dev/null >"$T/out" 2>"$T/err" 3>&- &
	local pid=$! code=0
	wait_for 5 test -e "$T/began"
	kill -HUP $pid
	wait $pid || code=$?
	is status $code 7
}

@test "what the caller ignores, as under nohup, doesn't end a launch" { in_ns deaf; }
