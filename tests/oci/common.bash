# SPDX-License-Identifier: GPL-2.0-or-later
# common.bash - what the tests of the OCI runtime share. Load it behind ../cli/common: is, value, said, ended, fails and silent are its.
#
#   bundle NAME [FILTER [WORD...]]   $T/NAME: config.json, which is config.json of this folder changed by jq's FILTER, and a root file
#                                    system of its own with nothing but the probe; WORDS are the probe's
#   oci WORD...                      the runtime: $T/out, $T/err and $status. Options for all commands are in $OCI_OPTIONS
#   runs FILTER WORD...              `run` of a bundle "c" in the foreground: what the probe says is in $T/out
#   refuses FILTER PATTERN...        `create` of it fails, in one line with all PATTERNs, and leaves nothing
#   create NAME [OPTION...]          of bundle NAME; what the container says goes to $T/NAME.out
#   up NAME [FILTER [WORD...]]       bundle, create and start, all of them silent
#   gone NAME...                     delete --force, silent
#   state NAME KEY, is_state NAME STATUS
#   clean CMD...                     CMD leaves nothing behind
#   as_engine CMD...                 as in_ns, below a subreaper that writes down who ended how in $T/reaped (tests/reaper.c)
#   reaped PID RESULT                waits until it did, "exit N" or "signal N"

bundle() {
	local name=$1 filter=${2:-.} words='if $ARGS.positional != [] then .process.args = ["/bin/probe"] + $ARGS.positional else . end'
	shift
	[ $# = 0 ] || shift
	mkdir -p "$T/$name"
	[ -d "$T/$name/rootfs" ] || cp -a "$PROBE" "$T/$name/rootfs"
	jq "$words | $filter" "$TOP/tests/oci/config.json" --args "$@" >"$T/$name/config.json"
}

oci() {
	status=0
	# shellcheck disable=SC2086 # words are meant
	timeout --foreground -k 5 30 "$BIN/coso-oci" ${OCI_OPTIONS:-} "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
	[ $status != 124 ] || { echo "took more than 30 s: $*" >&2; return 1; }
}

runs() {
	bundle c "$@"
	oci run --bundle "$T/c" c
	ended 0
}

refuses() {
	bundle c "$1" ids
	shift
	oci create --bundle "$T/c" c
	fails 1 "$@"
	[ ! -e /run/coso-oci/c ] || { echo "left a state folder" >&2; return 1; }
}

create() {
	local name=$1
	shift
	status=0
	# shellcheck disable=SC2086 # words are meant
	timeout --foreground -k 5 30 "$BIN/coso-oci" ${OCI_OPTIONS:-} create --bundle "$T/$name" "$@" "$name" >"$T/$name.out" 2>"$T/$name.err" \
		</dev/null || status=$?
	cp "$T/$name.out" "$T/out"
	cp "$T/$name.err" "$T/err"
}

# quiet: the last command succeeded and said nothing at all.
quiet() {
	silent || return
	[ ! -s "$T/out" ] || { echo "printed: $(<"$T/out")" >&2; return 1; }
}

up() {
	bundle "$@"
	create "$1"
	quiet
	oci start "$1"
	quiet
}

gone() {
	local name
	for name; do
		oci delete --force "$name"
		quiet
		[ ! -e "/run/coso-oci/$name" ] || { echo "the state of '$name' is still there" >&2; return 1; }
	done
}

state() { "$BIN/coso-oci" state "$1" | jq -r ".$2"; }
is_state() { [ "$(state "$1" status)" = "$2" ]; }

# has NAME LINE: the container has said so.
has() { wait_for 10 grep -qxF -- "$2" "$T/$1.out"; }

# The standing folder of all containers, which any first one makes, doesn't count.
clean() {
	(umask 077 && mkdir -p /run/coso-oci /var/lib/coso/cache)
	unchanged "$@"
}

below_reaper() {
	# shellcheck disable=SC2016 # the inner shell expands it
	"$BIN/reaper" "$T/reaped" bash -c 'source "$TOP/tests/helpers.bash"; source "$T/.functions"; set -eu; "$@"' bash "$@"
}

as_engine() { in_ns below_reaper "$@"; }

reaped() { wait_for 10 grep -qxF "$1 $2" "$T/reaped" || { cat "$T/reaped" >&2; return 1; }; }

# waits_for SOCKET: a receiver (tests/receiver.c) is there.
waits_for() { wait_for 5 test -S "$1"; }
