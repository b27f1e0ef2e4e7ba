# SPDX-License-Identifier: GPL-2.0-or-later
# pid_reuse.bats - a container's pid that belongs to somebody else by now: no command touches, or believes in, that process

load ../helpers
load common
load ../cli/common
load ../oci/common
load oci

export RUNTIME=coso-oci # whose state it is

# In a pid namespace of the test's own, where it may choose the next pid, and which takes with it all that runs there.
below_pid_1() {
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --pid --fork --kill-child --mount-proc bash -c 'source "$TOP/tests/helpers.bash"; source "$T/.functions"; set -eu; "$@"' bash "$@"
}

in_pids() { in_ns below_pid_1 "$@"; }

can_choose_pids() { skip_unless 'CONFIG_CHECKPOINT_RESTORE' test -e /proc/sys/kernel/ns_last_pid; }

# take PID: it belongs to an unrelated process from now on.
take() {
	local i
	for ((i = 0; i < 100; i++)); do
		echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid
		sleep 1000 >/dev/null 2>&1 &
		[ $! != "$1" ] || { STRANGER=$1; return 0; }
		kill $!
		wait $! || true
	done
	echo "never got the pid $1" >&2
	return 1
}

lives() { [ "$(tr '\0' ' ' <"/proc/$STRANGER/cmdline")" = 'sleep 1000 ' ] || { echo "the stranger is gone after: $*" >&2; return 1; }; }

release() {
	kill "$STRANGER"
	wait "$STRANGER" || true
}

groups() { find /sys/fs/cgroup -depth -type d -name "box@*"; } # coso-oci's

# Those that nobody knows of any more, and theirs.
remove_groups() {
	local group
	for group in $(groups); do
		rmdir "$group" "${group%/*}"
	done
}

# replaced PID: that process is killed, as if it had crashed, and its pid taken.
replaced() {
	kill -KILL "$1"
	wait_for 5 [ ! -e "/proc/$1" ]
	take "$1"
}

# edit FILE FILTER
edit() {
	jq "$2" "$1" >"$T/edited"
	cat "$T/edited" >"$1"
}

# None of these may do anything to the stranger. How each ends is given before it.
each_command() {
	local code words
	while read -r code words; do
		# shellcheck disable=SC2086 # words are meant
		oci $words
		lives "$words"
		[ "$status" = "$code" ] || { echo "$words: status $status instead of $code: $(<"$T/err")" >&2; return 1; }
	done <<-END
		0 state box
		1 kill box KILL
		0 kill --all box KILL
		255 exec box /bin/probe ids
		255 exec --detach box /bin/probe ids
		1 pause box
		1 resume box
		1 ps box
		1 start box
		0 list
	END
}

stopped() {
	is_state box stopped
	[ "$(state box pid)" = 0 ]
	[ "$("$BIN/coso-oci" list --format json | jq -r '.[] | "\(.id) \(.status) \(.pid)"')" = 'box stopped 0' ]
}

# forms CHANGE WORD...: CHANGE makes it somebody else's, of a container that runs, and of one that was only created; then it is deleted.
forms() {
	local filter started change=$1
	shift
	for filter in . '.linux.namespaces |= map(select(.type != "pid"))' "$OWN_USERS"; do
		for started in yes no; do
			[ $started = yes ] || [ "$filter" = . ] || continue
			hostile box
			bundle box "$filter" hold 0
			create box
			quiet
			[ $started = no ] || oci start box
			$change "$(state box pid)"
			stopped
			each_command
			oci delete "$@" box
			quiet
			lives "delete $*"
			[ ! -e /run/coso-oci/box ]
			release
			remove_groups
		done
	done
}

reused() {
	forms replaced
	forms replaced --force
	OCI_OPTIONS='--cgroup-manager disabled' forms replaced --force
}

@test "pid-reuse: OCI: a stranger with a dead container's pid isn't touched, and the container is stopped" {
	can_choose_pids
	in_pids clean reused
}

# The first process was gone before its start time was read, and whoever made the container was killed before that could be told.
unknown_start() {
	replaced "$1"
	edit "/run/$RUNTIME/box/state.json" '.pidStart = 0'
}

lost() {
	forms unknown_start --force
}

@test "pid-reuse: OCI: nor one with a pid whose start was never known" {
	can_choose_pids
	in_pids clean lost
}

# Another run of the kernel's, whose stranger has by chance the start time, too, and is in groups of that name.
other_boot() {
	local group
	replaced "$1"
	edit "/run/$RUNTIME/box/state.json" ".pidStart = $(cut -d' ' -f22 "/proc/$STRANGER/stat") | .boot = \"01234567-89ab-cdef-0123-456789abcdef\""
	[ "$RUNTIME" = coso-oci ] || return 0
	[ -n "$(groups)" ]
	for group in $(groups); do
		echo "$STRANGER" >"$group/cgroup.procs"
	done
}

rebooted() {
	forms other_boot
	forms other_boot --force
}

@test "pid-reuse: OCI: nor one in groups of that name, after a reboot" {
	can_choose_pids
	in_pids clean rebooted
}

verb() {
	status=0
	timeout 20 "$BIN/coso" "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
	lives "$*"
}

# detached CHANGE WORD...: of one in the background, whose monitor is gone, too.
detached() {
	local change=$1 pid monitor
	shift
	"$BIN/coso" --rootfs "$PROBE" --network none --detach --name box /bin/probe sleep 100 >/dev/null
	pid=$(jq .pid /run/coso/box/state.json)
	monitor=$(jq .owner /run/coso/box/state.json)
	kill -KILL "$monitor"
	wait_for 5 [ ! -e "/proc/$monitor" ]
	$change "$pid" "$monitor"
	verb "$@" box
	[ "$1" = rm ] || fails 1 "container 'box' doesn't run"
	verb ps
	ended 0
	if [ "$1" = rm ]; then
		lacks '^box'
	else
		grep -qE '^box +0 +exited \(unknown\)' "$T/out" || { cat "$T/out" >&2; return 1; }
		verb rm box
		silent
	fi
	release
	[ ! -e /run/coso/box ]
	[ -z "$(ls -A /run/coso/.owners)" ]
}

replaced_monitor() {
	kill -KILL "$1"
	wait_for 5 [ ! -e "/proc/$1" ]
	take "$2"
}

in_background() {
	local change RUNTIME=coso
	for change in replaced replaced_monitor unknown_start other_boot; do
		detached $change kill
		detached $change rm
		detached $change rm --force
	done
}

in_background_cleanly() {
	(umask 077 && mkdir -p /run/coso/.owners /var/lib/coso/{cache,containers})
	unchanged in_background
}

@test "pid-reuse: nor one with the pid of a container in the background, or of its monitor" {
	can_choose_pids
	in_pids in_background_cleanly
}
