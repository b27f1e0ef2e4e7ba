# SPDX-License-Identifier: GPL-2.0-or-later
# plugins.bats - any program that takes -pid serves as --network: what it is given, what it may answer, and each way to fail

load ../helpers
load plugin

four_lines() {
	prepare
	plugin four <<-'END'
		#!/bin/sh
		[ "$1" = -pid ] || exit 2
		ip link add "v$2" type veth peer name eth0 netns "$2" && ip address add 192.0.2.1/24 dev "v$2" && ip link set "v$2" up
		nsenter -t "$2" -n sh -c 'ip address add 192.0.2.2/24 dev eth0; ip link set eth0 up; ip route add default via 192.0.2.1'
	END
	unchanged works --cap-add NET_RAW --rootfs "$ROOTFS" sh -c 'ping -c 1 -W 3 192.0.2.1 && ip route' # not every BusyBox pings without
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
	[ $SECONDS -ge 1 ]
	[ $SECONDS -lt 6 ]
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
	PLUGIN=$T refused "is a directory"
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

warnings() {
	prepare
	plugin warns <<-'END'
		#!/bin/sh
		printf '%s\n' '{"warnings": ["no IPv6 today", 7, "two\nlines\u001b[31m", null]}'
	END
	printf 'coso: warning: network: %s\n' 'no IPv6 today' 'two lines?[31m' >"$T/expected"
	unchanged works /bin/probe exit 0
	diff "$T/expected" "$T/err" >&2
	detached() { works --detach --name box /bin/probe exit 0 && "$BIN/coso" logs box >"$T/log" && "$BIN/coso" rm --force box; }
	unchanged detached
	diff "$T/expected" "$T/err" >&2
	[ ! -s "$T/log" ]
	unchanged works --quiet /bin/probe exit 0
	[ ! -s "$T/err" ]
	plugin odd <<<"#!/bin/sh
echo '{\"warnings\": \"one\"}'"
	unchanged works /bin/probe exit 0
	[ ! -s "$T/err" ]
}

@test "its warnings reach the user, one line each" { in_ns warnings; }
