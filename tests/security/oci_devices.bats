# SPDX-License-Identifier: GPL-2.0-or-later
# oci_devices.bats - /dev of an image or a volume that leads elsewhere: nodes, masks, the console, standard descriptors

load ../helpers
load common
load ../cli/common
load ../oci/common
load oci

export IMAGE_DEV='.mounts |= map(select(.destination | startswith("/dev") | not))'
export VOLUME_DEV="$IMAGE_DEV | .mounts += [{ destination: \"/dev\", type: \"bind\", source: \"\\(env.T)/dev\", options: [\"rbind\"] }]"
export OWN_PTS='.mounts += [{ destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance", "ptmxmode=0666"] }]'
export kernel_covers=' (/sys/kernel/core_pattern /|/sysrq-trigger /([^p]|proc/[^s]))' # that may be read-only where it is

# A folder that is one of the host's for one container, and the image's own for another.
hostile_dev() {
	DEV=$1
	rm -rf "$DEV"
	mkdir -p "$DEV/pts" "$DEV/shm" "$DEV/mqueue"
}

# What the container can reach of the kernel, whatever its /dev is: nothing is mounted over the masked files but the null device.
covered() {
	[ $status = 0 ] || return 0
	sed -n -E 's#^mount=\S+ \S+ (\S+) (\S+) (/proc/(kcore|keys|timer_list)) .*#\1 \2#p' "$T/out" | grep -vE '/(null|0)$' >"$T/covers" || true
	lacks . "$T/covers"
	lacks "$kernel_covers"
}

names_elsewhere() {
	local name target users before
	make_canary
	for users in . "$OWN_USERS"; do
		for name in null console pts/ptmx fd shm; do
			for target in "$CANARY/file" "$CANARY/new" "$CANARY/pipe" "../../../../../../../..$CANARY/file" /proc/sys/kernel/core_pattern \
				/proc/sysrq-trigger "${name##*/}"; do
				hostile
				hostile_dev "$([ "$1" = "$IMAGE_DEV" ] && echo "$ROOT/dev" || echo "$T/dev")"
				rm -rf "${DEV:?}/$name"
				ln -s "$target" "$DEV/$name"
				[ "$users" = . ] || chown -hR 100000:100000 "$ROOT" "$DEV"
				before=$(tree_of "$DEV" 2>/dev/null)
				attempt "$1 | $users" mounts
				covered
				canary_lives || { echo "(with $name to $target)" >&2; return 1; }
				[ "$1" = "$IMAGE_DEV" ] || diff <(echo "$before") <(tree_of "$DEV") >&2 # nothing is made in what is the host's
				[ "$(readlink "$DEV/$name")" = "$target" ] || { echo "$name is gone" >&2; return 1; }
			done
		done
	done
}

@test "dev-symlink-outside, mask-devnull-symlink: OCI: an image's /dev, without a mount there" { in_ns clean names_elsewhere "$IMAGE_DEV"; }
@test "dev-symlink-outside, mask-devnull-symlink: OCI: a /dev that is a volume" { in_ns clean names_elsewhere "$VOLUME_DEV"; }

folder_elsewhere() {
	local target users filter
	make_canary
	for users in . "$OWN_USERS"; do
		for filter in . "$IMAGE_DEV"; do
			for target in "$CANARY/folder" "$CANARY" "../../../../../../../..$CANARY/folder" /proc/self /; do
				hostile
				rm -rf "${ROOT:?}/dev"
				ln -s "$target" "$ROOT/dev"
				[ "$users" = . ] || chown -hR 100000:100000 "$ROOT"
				attempt "$filter | .linux.maskedPaths = [] | .linux.devices = [{ path: \"/dev/deep/er\", type: \"c\", major: 1, minor: 3 }] | $users" mounts
				untouched || { echo "(with $target)" >&2; return 1; }
			done
		done
	done
}

@test "dev-symlink-outside: OCI: a /dev that is a link, with a tmpfs there and without" { in_ns clean folder_elsewhere; }

wrong_null() {
	local kind
	for kind in file zero pipe folder socket; do
		hostile
		hostile_dev "$T/dev"
		case $kind in
		file) echo mine >"$DEV/null" ;;
		zero) mknod "$DEV/null" c 1 5 ;;
		pipe) mkfifo "$DEV/null" ;;
		folder) mkdir "$DEV/null" ;;
		socket) python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$DEV/null" ;;
		esac
		attempt "$VOLUME_DEV" ids
		fails 1 /dev/null
		attempt "$VOLUME_DEV | .linux.maskedPaths = []" ids # it isn't opened either
		ended 0
	done
	[ ! -s "$T/dev/null" ]
}

@test "mask-devnull-symlink, stdio-reopen-devnull: OCI: a /dev/null that is none masks nothing, and isn't waited for" { in_ns clean wrong_null; }

# null_race TARGET: /dev/null, in a volume, is it and a link to what an attacker wants to have over a masked file.
null_race() {
	local i
	hostile
	hostile_dev "$T/dev"
	mknod -m 666 "$DEV/null" c 1 3
	ln -s "$1" "$DEV/evil"
	bundle c "$VOLUME_DEV" mounts
	swapping "$DEV/null" "$DEV/evil"
	for ((i = 0; i < 50; i++)); do
		oci run --bundle "$T/c" c
		ended 0 2>/dev/null || ended 1
		[ $status != 0 ] || lacks "$kernel_covers"
	done
	swapped
}

# The same with another device, which is known by its number: names in the mount table are those of the moment.
null_device_race() {
	local i node
	hostile
	hostile_dev "$T/dev"
	mknod -m 666 "$DEV/null" c 1 3
	mknod -m 666 "$DEV/evil" c 1 5
	bundle c "$VOLUME_DEV" stat /proc/timer_list /proc/keys
	swapping "$DEV/null" "$DEV/evil"
	for ((i = 0; i < 50; i++)); do
		oci run --bundle "$T/c" c
		[ $status = 0 ] || continue
		for node in /proc/timer_list /proc/keys; do
			[[ $(value $node) =~ ' 1:3'$|ENOENT ]] || { cat "$T/out" >&2; return 1; }
		done
	done
	swapped
}

@test "mask-devnull-symlink: OCI: a /dev/null that changes all the time" {
	in_ns clean null_race /proc/sys/kernel/core_pattern
	in_ns clean null_race /proc/sysrq-trigger
	in_ns clean null_device_race
}

# The terminal's container, whose output is in $T/console.
on_console() {
	rm -f "$T/socket"
	"$BIN/receiver" console "$T/socket" >"$T/console" 2>&1 </dev/null &
	local receiver=$!
	waits_for "$T/socket"
	create c --console-socket "$T/socket"
	if [ $status = 0 ]; then
		oci start c
		wait_for 10 is_state c stopped
	else
		kill $receiver 2>/dev/null || true
	fi
	oci delete --force c
	wait $receiver || true
	tr -d '\r' <"$T/console" >"$T/out"
}

console_elsewhere() {
	local name target came=0
	make_canary
	for name in console pts/0 pts/ptmx ptmx; do
		for target in "$CANARY/file" "$CANARY/new" "$CANARY/pipe" "../../../../../../../..$CANARY/file" /proc/sys/kernel/core_pattern /proc/sysrq-trigger \
			"${name##*/}"; do
			hostile
			hostile_dev "$([ "$1" = "$IMAGE_DEV" ] && echo "$ROOT/dev" || echo "$T/dev")"
			mknod -m 666 "$DEV/null" c 1 3
			ln -s "$target" "$DEV/$name"
			bundle c ".process.terminal = true | $1 | $2" mounts tty
			on_console
			if [[ $(value tty.0) = /dev/pts/0* ]]; then
				came=$((came + 1))
				grep -qE '^mount=[^/]* /0 /.* - devpts' "$T/out" || { echo "its console is elsewhere (with $name to $target)" >&2; return 1; }
			fi
			canary_lives || { echo "(with $name to $target)" >&2; return 1; }
			lacks ' /(sys/kernel/core_pattern|sysrq-trigger) /dev/' "$T/out"
			[ "$(readlink "$DEV/$name")" = "$target" ]
		done
	done
	rm -rf "$CANARY"
	[ $came -ge "$3" ] || { echo "only $came had a terminal" >&2; return 1; }
}

# What the container's devpts is mounted on changes names with a folder whose "0" is a file of the kernel's, and whose ptmx is the real one.
pts_race() {
	local i swapper
	for ((i = 0; i < 15; i++)); do
		hostile
		hostile_dev "$T/dev"
		mknod -m 666 "$DEV/null" c 1 3
		mkdir "$DEV/evil"
		ln -s "$1" "$DEV/evil/0"
		ln -s ../evil/ptmx "$DEV/evil/ptmx"
		[ $i != 0 ] || bundle c ".process.terminal = true | $VOLUME_DEV | $OWN_PTS" mounts
		"$BIN/attack" swap "$DEV/pts" "$DEV/evil" 100 >"$T/swaps" &
		swapper=$!
		on_console
		kill $swapper
		wait $swapper || true
		lacks "$kernel_covers"
	done
}

@test "console-create-symlink: OCI: a console that leads elsewhere, in an image" {
	in_ns clean console_elsewhere "$IMAGE_DEV" . 0 # there is no devpts but the image's
}

@test "console-create-symlink: OCI: a console that leads elsewhere, in an image with a devpts" {
	in_ns clean console_elsewhere "$IMAGE_DEV" "$OWN_PTS" 14
}

@test "console-create-symlink: OCI: a console that leads elsewhere, in an image that is read-only" {
	in_ns clean console_elsewhere "$IMAGE_DEV" "$OWN_PTS | .root.readonly = true" 14
}

@test "console-create-symlink: OCI: a console that leads elsewhere, in a volume" {
	in_ns clean console_elsewhere "$VOLUME_DEV" "$OWN_PTS" 14
}

planted_in() { find /var/lib/coso /run "$T" /dev -xdev -name planted ! -path "$ROOT/*" 2>/dev/null; }

# What the first process has open until it is ready: the folder of kept filters is among it.
console_by_descriptor() {
	local fd filter=".process.terminal = true | .linux.seccomp = { defaultAction: \"SCMP_ACT_ALLOW\" } | $1 | $OWN_PTS"
	for ((fd = 3; fd < 20; fd++)); do
		hostile
		hostile_dev "$([ "$1" = "$IMAGE_DEV" ] && echo "$ROOT/dev" || echo "$T/dev")"
		mknod -m 666 "$DEV/null" c 1 3
		ln -s "/proc/self/fd/$fd/planted" "$DEV/console"
		bundle c "$filter" tty
		on_console
		planted_in >"$T/found"
		lacks . "$T/found"
	done
}

@test "console-create-symlink: OCI: an image's console that leads to a folder that the runtime has open" {
	in_ns clean console_by_descriptor "$IMAGE_DEV"
}

@test "console-create-symlink: OCI: a volume's console that leads to a folder that the runtime has open" {
	in_ns clean console_by_descriptor "$VOLUME_DEV"
}

@test "console-pts-swap: OCI: terminals whose names change all the time" {
	in_ns clean pts_race /proc/sys/kernel/core_pattern
	in_ns clean pts_race /proc/sysrq-trigger
}

# on_master WORD...: with the master of one of the host's terminals as stdin.
on_master() {
	status=0
	timeout -k 5 20 python3 -c 'import os, pty, subprocess, sys
master, slave = pty.openpty()
sys.exit(subprocess.run(sys.argv[1:], stdin=master).returncode)' "$BIN/coso-oci" "$@" >"$T/out" 2>"$T/err" || status=$?
}

# Where another program's terminal is to come from, while the container runs.
exec_terminal() {
	local kind
	make_canary
	hostile box
	hostile_dev "$T/dev"
	mknod -m 666 "$DEV/null" c 1 3
	up box "$VOLUME_DEV" hold 0
	for kind in none file pipe folder null ptmx outside dangling looping descriptor other; do
		rm -rf "$DEV/pts/ptmx"
		case $kind in
		file) echo mine >"$DEV/pts/ptmx" ;;
		pipe) mkfifo "$DEV/pts/ptmx" ;;
		folder) mkdir "$DEV/pts/ptmx" ;;
		null) mknod -m 666 "$DEV/pts/ptmx" c 1 3 ;;
		ptmx) mknod -m 666 "$DEV/pts/ptmx" c 5 2 ;;
		outside) ln -s "../../../../../../../../..$CANARY/pipe" "$DEV/pts/ptmx" ;;
		dangling) ln -s "$CANARY/new" "$DEV/pts/ptmx" ;;
		looping) ln -s ptmx "$DEV/pts/ptmx" ;;
		descriptor) ln -s /proc/self/fd/0 "$DEV/pts/ptmx" ;;
		other) ln -s /proc/1/fd/0 "$DEV/pts/ptmx" ;;
		esac
		on_master exec --tty box /bin/probe tty
		fails 255 || { echo "(with $kind)" >&2; return 1; }
		canary_lives
	done
	gone box
}

@test "console-pts-swap: OCI: a terminal of exec's is the container's own, or there is none" { in_ns clean exec_terminal; }
