# SPDX-License-Identifier: GPL-2.0-or-later
# release.bats - the network executable's -release: when it is called, and what becomes of one that fails

load ../helpers
load plugin

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
	plugin sour <<-END
		#!/bin/sh
		[ "\$1" = -pid ] && echo '{"release": true}' && exit
		echo "\$COSO_ID" >>$T/calls
		[ -d "\$COSO_STATE" ] || exit 5
		[ -e $T/busy ] || exit 0
		echo 'no mood' >&2
		exit 4
	END
	# owed NEXT: what was printed is the warning and that there will be a try NEXT; the id stays taken, and nothing else of it.
	owed() {
		is warnings "$(grep -c "warning" "$T/err")" 1
		grep -qF "'$PLUGIN -release' failed: no mood (the next command tries again, $1 of 5)" "$T/err"
		is calls "$(wc -l <"$T/calls")" $(($1 - 1))
		[ -d /run/coso/sour ]
		[ ! -e /var/lib/coso/containers/sour ]
		[ -z "$(find /sys/fs/cgroup -name sour)" ]
	}
	again() { "$BIN/coso" ps "$@" >"$T/out" 2>"$T/err"; }
	begin() { : >"$T/calls"; touch "$T/busy"; }
	paid_later() {
		begin
		container --name sour "$@"
		owed 2
		again
		owed 3
		grep -q 'sour.*ending' "$T/out"
		rm "$T/busy"
		again
		again
		is calls "$(wc -l <"$T/calls")" 3
		[ ! -s "$T/err" ]
		[ ! -e /run/coso/sour ]
	}
	given_up() {
		local i
		begin
		works --name sour /bin/probe exit 0
		for i in 3 4 5; do
			again
			owed $i
		done
		again
		is lines "$(wc -l <"$T/err")" 1
		grep -qF "'$PLUGIN -release' failed: no mood (given up after the last try)" "$T/err"
		[ ! -e /run/coso/sour ]
		again
		is calls "$(wc -l <"$T/calls")" 5
	}
	detached() {
		begin
		works --detach --name sour /bin/probe exit 3
		ended_with_3() { again --json && grep -q '"exitCode": *3' "$T/out"; }
		wait_for 5 ended_with_3
		[ -e /run/coso/sour/network-release ]
		rm "$T/busy"
		again
		[ ! -e /run/coso/sour/network-release ]
		grep -q 'sour.*exited (3)' "$T/out"
		"$BIN/coso" rm sour
	}
	unchanged paid_later /bin/probe exit 0
	ended 0
	unchanged paid_later /bin/none # a launch that fails after the network was made
	ended 127
	unchanged given_up
	unchanged detached
}

hanging_release() {
	prepare
	plugin slow <<-'END'
		#!/bin/sh
		[ "$1" = -pid ] && echo '{"release": true}' && exit
		exec sleep 60
	END
	SECONDS=0
	works --name slow --network-timeout 1 /bin/probe exit 0
	[ $SECONDS -lt 5 ]
	is lines "$(wc -l <"$T/err")" 1
	grep -qF "'$PLUGIN -release' failed: no answer" "$T/err"
	# Who kills what waits for it has tried, too.
	local i pid
	for i in 1 2 3 4; do
		"$BIN/coso" ps >/dev/null 2>&1 3>&- &
		pid=$!
		wait_for 5 pgrep -x -P $pid sleep >/dev/null
		kill -KILL $pid
		wait $pid || true
	done
	SECONDS=0
	"$BIN/coso" ps >/dev/null
	[ $SECONDS -lt 1 ]
	[ ! -e /run/coso/slow ]
}

@test "a -release that fails stays owed: the next commands call it again, five times in all" { in_ns failing_release; }
@test "a -release that hangs has its time and its tries" { in_ns hanging_release; }
