# SPDX-License-Identifier: GPL-2.0-or-later
# terminal.bats - a person at a terminal, played by terminal.py

load ../helpers
load common

person() {
	local case=$1
	shift
	timeout -k 5 60 python3 "$TOP/tests/cli/terminal.py" "$case" "$BIN/coso" "$ROOTFS" "$@"
}

# at_terminal CASE: as it is by default, with --init, and without a user namespace.
at_terminal() {
	need python3
	clean person "$1"
	clean person "$1" --init
	clean person "$1" --userns host
}

@test "a shell with a terminal of its own, by default where coso has one; its exit status" { in_ns at_terminal shell; }
@test "--detach: a terminal only if it is asked for" { in_ns at_terminal background; }
@test "Ctrl-D ends the shell" { in_ns at_terminal end_of_file; }
@test "the window's size at the start, and when it changes" { in_ns at_terminal window; }
@test "Ctrl-C and Ctrl-\\ reach the program in the foreground, and only that" { in_ns at_terminal interrupt; }
@test "Ctrl-C reaches a program that is no shell" { in_ns at_terminal interrupt_program; }
@test "job control: Ctrl-Z, jobs, bg, fg" { in_ns at_terminal jobs; }
@test "raw mode is undone when the container is killed" { in_ns at_terminal killed; }
@test "raw mode is undone, or never begun, when the launch fails" { in_ns at_terminal fails; }
@test "a hangup of the terminal ends the shell, and coso" { in_ns at_terminal hangup; }
@test "200 kB typed arrive whole" { in_ns at_terminal paste; }
@test "what is written last is not lost" { in_ns at_terminal flood; }
@test "the terminal belongs to the container's user" { in_ns at_terminal owner; }
@test "--tty=false" { in_ns at_terminal without; }

@test "a megabyte typed and shown at the same time" { in_ns at_terminal both_ways; }
@test "a reader of the output that has stalled" { in_ns at_terminal reader; }
@test "the caller's descriptors stay as they were" { in_ns at_terminal borrowed; }

forced() {
	# Without a terminal --tty makes one nevertheless; the end of stdin is typed as Ctrl-D, until it is understood.
	printf 'tty\necho $((40 + 2))\n' >"$T/in"
	coso_in "$ROOTFS" --tty sh <"$T/in"
	ended 0
	said $'/dev/pts/0\r' $'42\r'
	# The shell is at work when the end comes, and its terminal in another mode than when it reads on.
	printf 'sleep 0.3\nsleep 0.3\n' >"$T/in"
	coso_in "$ROOTFS" --tty sh <"$T/in"
	ended 0
	printf 'a\nb' >"$T/in"
	coso_in "$ROOTFS" --tty sh -c 'sleep 0.3; cat; cat; echo then' <"$T/in"
	ended 0
	said $'bthen\r'
	alpine --tty sh -c 'stty size; exit 5'
	ended 5
	alpine tty
	ended 1
	said 'not a tty'
}

@test "--tty without a terminal" { in_ns clean forced; }
