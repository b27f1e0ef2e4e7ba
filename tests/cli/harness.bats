# SPDX-License-Identifier: GPL-2.0-or-later
# harness.bats - the tests' own tools: a test that leaves something behind fails, and says what
load ../helpers

# inner BODY: runs a bats file of one test with this body; its output is in $output, its status in $status.
inner() {
	printf 'load %s\nleave() {\n%s\n}\n@test "inner" {\n\tleave\n}\n' "$TOP/tests/helpers" "$1" >"$T/inner.bats"
	run -1 env -u T COSO_BIN="$BIN" bats --tap "$T/inner.bats"
	[[ $output == *"not ok 1 inner"* ]]
}

@test "a process that is left running is named, ended, and fails the test" {
	inner 'in_ns bash -c "sleep 1234 </dev/null >/dev/null 2>&1 3>&- & echo \$! >\$T/pid"; cp "$T/pid" "'"$T"'/pid"'
	[[ $output == *"still running after the test:"*"sleep 1234"* ]]
	in_ns true
	[ -s "$T/pid" ]
	run ! grep -qs sleep "/proc/$(cat "$T/pid")/cmdline" # empty, until init waits for it
}

@test "a control group that is left fails the test, and is removed" {
	local mounted
	mounted=$(awk '$3 == "cgroup" || $3 == "cgroup2" { print $2; exit }' /proc/mounts)
	skip_unless "a control group hierarchy that can be written" test -w "$mounted"
	inner "in_ns mkdir -p $mounted/coso/left"
	[[ $output == *"control group left after the test: "*/coso/left* ]]
}

@test "a folder of the host fails the test" {
	skip_unless "root, who could make it" test -w /run
	inner 'mkdir /run/coso-left; echo "'"$T"'" >/dev/null'
	rmdir /run/coso-left
	[[ $output == *"+folder /run/coso-left"* ]]
}

@test "unchanged tells what a command changed inside" {
	inner 'in_ns unchanged ip link add left0 type bridge'
	[[ $output == *"+link left0"* ]]
	inner 'in_ns unchanged mount -t tmpfs none /tmp'
	[[ $output == *"/tmp"*tmpfs* ]]
	inner 'in_ns unchanged mkdir -p /run/coso/left'
	[[ $output == *"+folder /run/coso/left"* ]]
}

@test "what in_ns does stays in there, and stays for the test's next call" {
	in_ns bash -c 'ip link add stays0 type bridge && mkdir /run/stays /var/lib/coso /tmp/coso && mount -t tmpfs none /var/lib'
	[ ! -e /sys/class/net/stays0 ]
	[ ! -e /run/stays ]
	in_ns test -d /run/stays -a -d /var/lib/coso -a -d /tmp/coso
	run ! in_ns test -e /sys/class/net/stays0
}

both() {
	[ "$1" = "a b" ]
	test -e "$PROBE/bin/probe"
	"$PROBE/bin/probe" ns >"$T/inside"
}

@test "in_ns runs a function of the test, with its arguments and its failures" {
	in_ns both "a b"
	"$PROBE/bin/probe" ns >"$T/outside"
	run -1 grep -Fxf "$T/outside" <(grep -E 'ns.(mnt|net|cgroup)=' "$T/inside")
	run -1 in_ns both "c"
}

@test "as_user is an ordinary user with a home" {
	run -0 in_ns as_user 12345 sh -c 'id -u; id -g; touch "$HOME/x" && echo "$HOME"; env | grep -c SUDO; cat /proc/self/status'
	[ "${lines[0]}" = 12345 ]
	[ "${lines[1]}" = 12345 ]
	[ "${lines[2]}" = "$T/home-12345" ]
	[[ $output == *"CapEff:	0000000000000000"* ]]
}

@test "skips are failures under STRICT, and wait_for has a deadline" {
	STRICT=1 run -1 skip_unless "nothing" false
	[[ $output == *"this kernel lacks: nothing"* ]]
	run -1 wait_for 1 false
	run -0 wait_for 5 true
	run -1 need no-such-program
}
