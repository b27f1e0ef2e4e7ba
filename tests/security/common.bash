# SPDX-License-Identifier: GPL-2.0-or-later
# common.bash - what the tests of attacks share: hostile roots, a canary on the host, and containers bounded in time

# container ROOT [FLAG...] COMMAND...: without a network and a terminal; output in $T/out and $T/err, status in $status.
container() {
	local root=$1
	shift
	status=0
	timeout -k 5 20 "${COSO:-$BIN/coso}" --rootfs "$root" --network none "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
	[ $status != 124 ] || { echo "took more than 20 s: $*" >&2; return 1; }
}

# fresh_root [PATH]: a root of the test's own, to be made hostile: $ROOT. It has the probe, and attack.c's program.
fresh_root() {
	ROOT=${1:-$T/root}
	mkdir -p "${ROOT%/*}"
	rm -rf --one-file-system "$ROOT"
	cp -a "$PROBE" "$ROOT"
	cp "$BIN/attack" "$ROOT/bin/attack"
}

# value NAME: what the probe said of it.
value() { sed -n "s/^$1=[[:space:]]*//p" "$T/out"; }

# is NAME VALUE
is() {
	[ "$(value "$1")" = "$2" ] || { echo "$1 is '$(value "$1")' instead of '$2'; $(<"$T/err")" >&2; return 1; }
}

# ended STATUS: the last container ended so.
ended() {
	[ "$status" = "$1" ] || { echo "status $status instead of $1: $(<"$T/err")" >&2; return 1; }
}

# refused PATTERN: coso itself refused, in one line that says why.
refused() {
	ended 125 || return
	[ "$(wc -l <"$T/err")" = 1 ] || { echo "not one line: $(<"$T/err")" >&2; return 1; }
	grep -qE -- "$1" "$T/err" || { echo "no '$1' in: $(<"$T/err")" >&2; return 1; }
}

# A folder of the host that nothing may change: files, an empty folder, and a pipe that would block whoever opens it.
# Anybody may write there, so that a container's root in a user namespace could, if it got there.
make_canary() {
	CANARY=$T/canary
	mkdir -p "$CANARY/folder"
	echo canary >"$CANARY/file"
	mkfifo "$CANARY/pipe"
	chmod 755 "$T"
	chmod 777 "$CANARY" "$CANARY/folder"
	chmod 666 "$CANARY/file" "$CANARY/pipe"
	tree_of "$CANARY" >"$T/canary.before"
}

tree_of() { (cd "$1" && find . -printf '%p %y %m %U %G %s %l %T@\n' | sort && find . -type f -exec sha256sum {} + | sort); }

canary_lives() { diff "$T/canary.before" <(tree_of "$CANARY") >&2; }

# plant PATH KIND: a link of that kind at PATH in the root.
plant() {
	local path=$1 kind=$2
	rm -rf "${ROOT:?}$path"
	mkdir -p "$ROOT${path%/*}"
	case $kind in
	absolute) ln -s "$CANARY/folder" "$ROOT$path" ;;
	file) ln -s "$CANARY/file" "$ROOT$path" ;;
	relative) ln -s "../../../../../../../../../..$CANARY/folder" "$ROOT$path" ;;
	dangling) ln -s "$CANARY/new" "$ROOT$path" ;;
	looping) ln -s "${path##*/}" "$ROOT$path" ;;
	magic) ln -s /proc/self/root "$ROOT$path" ;;
	root) ln -s / "$ROOT$path" ;;
	pipe) mkfifo "$ROOT$path" ;;
	folder) mkdir "$ROOT$path" ;;
	esac
}

# on_terminal COMMAND: on a pty of its own, with job control; what it says is in $T/out.
on_terminal() {
	need script
	timeout -k 5 20 script -qec "$1" /dev/null </dev/null >"$T/out" 2>"$T/err" || true
	tr -d '\r' <"$T/out" >"$T/clean"
	mv "$T/clean" "$T/out"
}

# Without a container, in a session of its own, one may type into one's terminal: else nothing is proven.
can_type() {
	local output
	output=$(script -qec "$BIN/probe try tiocsti" /dev/null </dev/null | tr -d '\r')
	grep -q '^tiocsti=ok' <<<"$output"
}
