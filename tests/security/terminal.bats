# SPDX-License-Identifier: GPL-2.0-or-later
# terminal.bats - the caller's terminal and the container's own

load ../helpers
load common

typing() {
	on_terminal "$BIN/coso --rootfs $PROBE --network none --interactive $* /bin/probe try tiocsti"
	[[ $(value tiocsti) =~ ^(EPERM|EIO)$ ]] || { cat "$T/out" >&2; return 1; }
}

@test "tiocsti: nothing can be typed into the caller's terminal" {
	skip_unless "TIOCSTI, which can be switched off (dev.tty.legacy_tiocsti)" can_type
	in_ns typing
	in_ns typing --userns host
	in_ns typing --userns host --init
}

own_terminal() {
	on_terminal "$BIN/coso --rootfs $PROBE --network none --tty --interactive /bin/probe tty"
	grep -q 'tty.0=/dev/pts/0 ' "$T/out" || { cat "$T/out" >&2; return 1; }
	is controlling yes
	is foreground yes
	on_terminal "$BIN/coso --rootfs $PROBE --network none --tty --interactive /bin/probe mounts"
	grep ' /dev/console ' "$T/out" | grep -q ' - devpts '
	grep ' /dev/pts ' "$T/out" | grep -q ' - devpts '
}

@test "a container's terminal is of its own devpts, and its console is that terminal" { in_ns own_terminal; }

hostile_console() {
	local target
	make_canary
	fresh_root
	for target in "$CANARY/file" "$CANARY/new" "$CANARY/pipe" /proc/sys/kernel/core_pattern /proc/sysrq-trigger console; do
		rm -rf "${T:?}/dev"
		mkdir -p "$T/dev/pts" "$T/dev/shm" "$T/dev/mqueue"
		ln -s "$target" "$T/dev/console"
		on_terminal "$BIN/coso --rootfs $ROOT --network none --tty --interactive --mount type=bind,src=$T/dev,dst=/dev $* \
			/bin/probe mounts"
		lacks ' /proc/(sys/kernel/core_pattern|sysrq-trigger) .*devpts'
		canary_lives
	done
}

@test "console-create-symlink, console-pts-swap: a console that leads elsewhere" {
	in_ns hostile_console
	rm -rf "$T/canary"
	in_ns hostile_console --userns host
}
