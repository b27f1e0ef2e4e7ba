# SPDX-License-Identifier: GPL-2.0-or-later
# common.bash - what the tests of the command line share
#
#   coso FLAG... COMMAND...      in the root that holds only the probe, without a network; $T/out, $T/err and $status
#   alpine FLAG... COMMAND...    the same in Alpine (or the built-in root)
#   is NAME VALUE, value NAME    what the probe said
#   said TEXT...                 a line of the output, as it is
#   clean CMD...                 fails if CMD leaves anything behind
#   ended STATUS, fails STATUS PATTERN...

coso_in() {
	local root=$1
	shift
	status=0
	timeout -k 5 30 "$BIN/coso" --rootfs "$root" --network none "$@" >"$T/out" 2>"$T/err" || status=$?
	[ $status != 124 ] || { echo "took more than 30 s: $*" >&2; return 1; }
}

# clean CMD...: CMD leaves nothing. COSO's standing folders, which any first container makes, don't count.
clean() {
	(umask 077 && mkdir -p /run/coso/.owners /var/lib/coso/{cache,containers})
	unchanged "$@"
}

coso() { coso_in "$PROBE" "$@" </dev/null; }
alpine() { coso_in "$ROOTFS" "$@" </dev/null; }

value() { sed -n "s|^$1=[[:space:]]*||p" "$T/out"; }

is() {
	[ "$(value "$1")" = "$2" ] || { echo "$1 is '$(value "$1")' instead of '$2'; $(<"$T/err")" >&2; return 1; }
}

isnt() {
	[ -n "$(value "$1")" ] && [ "$(value "$1")" != "$2" ] || { echo "$1 is '$(value "$1")'; $(<"$T/err")" >&2; return 1; }
}

said() {
	local line
	for line; do
		grep -qxF -- "$line" "$T/out" || { echo "no line '$line' in: $(<"$T/out") $(<"$T/err")" >&2; return 1; }
	done
}

ended() {
	[ "$status" = "$1" ] || { echo "status $status instead of $1: $(<"$T/err") $(<"$T/out")" >&2; return 1; }
}

# fails STATUS PATTERN...: coso ended with STATUS, printed nothing, and said all PATTERNs in one line.
fails() {
	ended "$1" || return
	shift
	local pattern
	[ "$(wc -l <"$T/err")" = 1 ] || { echo "not one line: $(<"$T/err")" >&2; return 1; }
	[ ! -s "$T/out" ] || { echo "printed: $(<"$T/out")" >&2; return 1; }
	for pattern; do
		grep -qE -- "$pattern" "$T/err" || { echo "no '$pattern' in: $(<"$T/err")" >&2; return 1; }
	done
}

# silent: the last container ended well and coso said nothing.
silent() {
	ended 0 || return
	[ ! -s "$T/err" ] || { echo "said: $(<"$T/err")" >&2; return 1; }
}
