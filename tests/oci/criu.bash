# SPDX-License-Identifier: GPL-2.0-or-later
# criu.bash - what the tests of checkpoint and restore share. Load it behind common.
#
# $COSO_TEST_CRIU is another criu than that of PATH: many a kernel is too new for the distribution's.
#
#   with_criu CMD...                 as as_engine, where there is a criu that works; else the test is skipped
#   there_is_one                     skips where coso-criu isn't built
#   checkpoint NAME [OPTION...]      to $T/images, silent
#   counts, restore, goes_on, is_unknown: see there

export USERNS='.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'

works() { "$BIN/coso-criu" check --criu "${COSO_TEST_CRIU:-criu}"; }

there_is_one() { [ -x "$BIN/coso-criu" ] || skip "coso-criu isn't built: there is no criu here"; }

# The runtime finds criu by PATH alone.
setup() {
	common_setup
	[ -z "${COSO_TEST_CRIU:-}" ] || { mkdir "$T/bin"; ln -s "$COSO_TEST_CRIU" "$T/bin/criu"; export PATH=$T/bin:$PATH; }
}

with_criu() {
	there_is_one
	skip_unless "a criu that works on it" works
	as_engine clean "$@"
}

# counts NAME [FILTER]: up, with a program that has counted a little.
counts() {
	up "$1" "${2:-.}" count
	wait_for 5 grep -q ' 3$' "$T/$1.out"
}

# restore NAME [OPTION...]: detached, of $T/images; what the container says goes on in $T/NAME.out.
restore() {
	local name=$1
	shift
	status=0
	timeout --foreground -k 5 60 "$BIN/coso-oci" restore --detach --bundle "$T/$name" --image-path "$T/images" --work-path "$T/work" \
		"$@" "$name" >>"$T/$name.out" 2>"$T/err" </dev/null || status=$?
	[ $status = 0 ] || { cat "$T/err"; tail -n 40 "$T/work/restore.log"; return 1; } >&2
	[ ! -s "$T/err" ]
}

checkpoint() {
	local name=$1
	shift
	oci checkpoint --image-path "$T/images" --work-path "$T/work" "$@" "$name"
	[ $status = 0 ] || grep -n Error "$T/work/dump.log" >&2
	quiet
}

# goes_on NAME: it counts on from where it was, in the same word.
goes_on() {
	local word last
	read -r word last < <(tail -n 1 "$T/$1.out")
	wait_for 5 grep -qx "$word $((last + 3))" "$T/$1.out"
	seq "$last" | sed "s/^/$word /" | diff - <(head -n "$last" "$T/$1.out")
}

is_unknown() {
	oci state "$1"
	fails 1 'does not exist'
}
