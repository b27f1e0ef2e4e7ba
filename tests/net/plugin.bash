# SPDX-License-Identifier: GPL-2.0-or-later
# plugin.bash - a script as the network of a container, for the suites that load it after helpers

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
