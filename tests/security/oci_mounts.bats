# SPDX-License-Identifier: GPL-2.0-or-later
# oci_mounts.bats - the OCI runtime's mounts, in images and volumes whose names lead elsewhere

load ../helpers
load common
load ../cli/common
load ../oci/common
load oci

# planted FILTER PATH...: each with something else in the way of the mount. The host stays as it was; and where a container came to be, it
# has all its mounts.
planted() {
	local filter=$1 path kind mount
	shift
	make_canary
	for path in "$@"; do
		for kind in absolute file relative dangling looping magic root pipe folder; do
			hostile
			plant "$path" $kind
			[ "$users" = . ] || chown -hR 100000:100000 "$ROOT"
			attempt "$filter | $users" mounts || { echo "(with $path $kind)" >&2; return 1; }
			untouched || { echo "(with $path $kind)" >&2; return 1; }
			for mount in proc mqueue sysfs devpts 'tmpfs shm' 'tmpfs tmpfs' '(cgroup2?|tmpfs) cgroup'; do
				[ $status != 0 ] || grep -qE " - $mount" "$T/out" || { echo "$mount is elsewhere (with $path $kind)" >&2; return 1; }
			done
		done
	done
	rm -rf "$CANARY"
}

# without DESTINATION: a filter; that is the image's own, and what was to be mounted there goes elsewhere.
without() { echo '.mounts |= map(if .destination == "'"$1"'" then .destination = "/elsewhere" else . end)'; }

targets() {
	local users
	for users in . "$OWN_USERS"; do
		planted "$@"
	done
}

@test "mount-target-symlink: OCI: /proc" { in_ns clean targets . /proc; }
@test "mount-target-symlink: OCI: /sys" { in_ns clean targets . /sys; }
@test "mount-target-symlink: OCI: /dev" { in_ns clean targets '.linux.maskedPaths = []' /dev; }
@test "mount-target-symlink: OCI: /dev/pts and /dev/shm, where /dev is the image's" { in_ns clean targets "$(without /dev)" /dev/pts /dev/shm; }
@test "mount-target-symlink: OCI: /dev/mqueue and /dev itself, where it is the image's" { in_ns clean targets "$(without /dev)" /dev/mqueue /dev; }
@test "mount-target-symlink: OCI: /sys/fs and /sys/fs/cgroup, where /sys is the image's" { in_ns clean targets "$(without /sys)" /sys/fs /sys/fs/cgroup; }

# The tree of the test's own host, without the canary's or the root's own.
configured() {
	local users=. kind
	make_canary
	mkdir "$T/volume" "$T/c"
	for kind in absolute file relative dangling looping magic root pipe; do
		hostile
		plant /data $kind
		attempt '.mounts += [{ destination: "/data", type: "tmpfs", source: "t" }]' mounts
		untouched
		attempt '.mounts += [{ destination: "/data/below/deep", type: "bind", source: "\(env.T)/volume", options: ["rbind"] }]' mounts
		untouched
		attempt '.mounts += [{ destination: "/data", type: "bind", source: "\(env.T)/canary.before", options: ["bind"] }]' mounts
		canary_lives
		attempt '.mounts += [{ destination: "/data", type: "tmpfs", source: "t", options: ["tmpcopyup"] }]' read /data/file
		lacks '^canary$'
		attempt '.process.cwd = "/data"' mounts
		untouched
		attempt '.process.cwd = "/data/new/deeper" | .process.terminal = false' mounts
		untouched
		attempt '.linux.maskedPaths += ["/data", "/data/file"] | .linux.readonlyPaths += ["/data", "/data/file"]' mounts
		untouched
		attempt '.mounts += [{ destination: "/got", type: "bind", source: "\(env.T)/c/rootfs/data", options: ["rbind"] }]' read /got/file
		lacks '^canary$'
		canary_lives
	done
	[ -z "$(ls -A "$T/volume")" ]
}

@test "workdir-symlink, auto-mounts-symlink: OCI: mounts, folders, masks and sources below links of the image" { in_ns clean configured; }

# What the runtime itself adds for a service manager.
automatic() {
	local path kind users came=0
	make_canary
	for users in . "$OWN_USERS"; do
		for path in /run /run/notify; do
			for kind in absolute file relative dangling looping magic root pipe; do
				hostile
				plant $path $kind
				[ "$users" = . ] || chown -hR 100000:100000 "$ROOT"
				NOTIFY_SOCKET=/run/notify attempt "$users" mounts
				untouched || { echo "(with $path $kind)" >&2; return 1; }
				[ $status != 0 ] || grep -q '/c/notify /' "$T/out" || { echo "it is elsewhere (with $path $kind)" >&2; return 1; }
				came=$((came + (status == 0)))
			done
		done
	done
	((came >= 8)) || { echo "only $came came to be" >&2; return 1; }
}

@test "auto-mounts-symlink: OCI: the socket of sd_notify(3)" { in_ns clean automatic; }

# While the container runs: below its own root, whatever that has.
exec_folder() {
	local kind users cwd came=0
	make_canary
	for users in . "$OWN_USERS | .root.readonly = true"; do
		hostile box
		[ "$users" = . ] || chown -hR 100000:100000 "$ROOT"
		up box "$users" hold 0
		for kind in absolute file relative dangling looping magic root pipe; do
			plant /data $kind
			for cwd in /data /data/new /data/..; do
				oci exec --cwd $cwd box /bin/probe cwd
				[ $status = 255 ] || [[ $(value cwd) = /* ]] || { echo "$cwd is $(value cwd) (with $kind)" >&2; return 1; }
				lacks 'unreachable'
				came=$((came + (status == 0)))
				canary_lives || { echo "(with $cwd, $kind)" >&2; return 1; }
			done
		done
		gone box
	done
	((came >= 8)) || { echo "only $came came to be" >&2; return 1; }
}

@test "workdir-symlink: OCI: at exec" { in_ns clean exec_folder; }

# What engines bind over files of an image, which are something else there.
files() {
	local path kind
	make_canary
	mkdir "$T/given"
	for path in /etc/resolv.conf /etc/hosts /etc/hostname /run/.containerenv /etc; do
		for kind in absolute file relative dangling looping magic root pipe folder device; do
			hostile
			echo given >"$T/given/file"
			plant "$path" $kind
			[ $kind != device ] || mknod "$ROOT$path" c 1 5
			attempt ".mounts += [{ destination: \"${path/%\/etc//etc/mtab}\", type: \"bind\", source: \"\(env.T)/given/file\", options: [\"rbind\", \"rprivate\"] }]" \
				read "${path/%\/etc//etc/mtab}"
			[ $status != 0 ] || said given || { echo "(with $path $kind)" >&2; return 1; }
			canary_lives || { echo "(with $path $kind)" >&2; return 1; }
			[ "$(<"$T/given/file")" = given ]
		done
	done
}

@test "runtime-writes-into-rootfs: OCI: files that are bound over what the image has" { in_ns clean files; }

kernel_link() {
	local path kind
	make_canary
	for path in /proc /sys; do
		for kind in absolute relative dangling looping magic root; do
			hostile
			plant $path $kind
			bundle c . ids
			oci run --bundle "$T/c" c
			fails 1 "'?$path'?"
		done
		hostile
		mkdir "$ROOT/other"
		rm -rf "${ROOT:?}$path"
		ln -s other "$ROOT$path"
		refuses . "'?$path'?" 'symbolic link'
	done
	canary_lives
}

@test "proc-symlink, sys-symlink: OCI: refused" { in_ns clean kernel_link; }

# mount DESTINATION [TYPE]: a filter.
over() { echo '.mounts += [{ destination: "'"$1"'", type: "'"${2:-tmpfs}"'", source: "'"${3:-t}"'", options: ['"${4:-}"'] }]'; }

fake_proc() {
	local path
	hostile
	mkdir -p "$T/fake/self/attr"
	: >"$T/fake/self/attr/exec"
	refuses '.mounts |= map(select(.destination != "/proc")) | '"$(over /proc)" /proc 'not of type proc'
	refuses '.mounts |= map(select(.destination != "/proc")) | '"$(over /proc bind "$T/fake" '"rbind"')" /proc 'not of type proc'
	refuses "$(over /proc)" /proc 'not of type proc'
	refuses "$(over /proc/)" /proc 'not of type proc'
	refuses "$(over /./proc//)" /proc 'not of type proc'
	for path in /proc/self /proc/self/attr /proc/1/attr/exec /proc/thread-self/attr /proc/sys /proc/sys/kernel /proc/sys/net/ipv4/ping_group_range \
		/proc/sysrq-trigger /tmp/../proc/self/attr; do
		refuses "$(over $path)" /proc
		refuses "$(over $path bind "$T/fake/self/attr/exec" '"bind"')" /proc
	done
	# By way of a link of the image's.
	for path in self self/attr sys sys/kernel; do
		ln -sfn "/proc/$path" "$ROOT/link"
		refuses "$(over /link)" 'symbolic link leads to /proc'
		refuses "$(over /link/fd)" /link/fd
		ln -sfn "tmp/../proc/$path" "$ROOT/link"
		refuses "$(over /link)" 'symbolic link leads to /proc'
	done
	[ ! -s "$T/fake/self/attr/exec" ]
}

@test "label-fakeproc, procwrite-redirect: OCI: nothing may be mounted over /proc, or what is in it" { in_ns clean fake_proc; }

# image_file KIND OWNER: what the image has at the place of a sysctl; /volume is the host's.
image_file() {
	local file=$ROOT/proc/sys/net/ipv4/ping_group_range
	mkdir -p "${file%/*}" "$T/volume/ipv4"
	echo theirs | tee "$T/volume/file" >"$T/volume/ipv4/ping_group_range"
	case $1 in
	file) echo theirs >"$file" ;;
	folder) rm -r "$ROOT/proc/sys/net" && ln -s /volume "$ROOT/proc/sys/net" ;;
	link) ln -s /volume/file "$file" ;;
	pipe) mkfifo "$file" ;;
	proc) rmdir "$ROOT/proc/sys/net/ipv4" "$ROOT/proc/sys/net" "$ROOT/proc/sys" "$ROOT/proc" && ln -s /volume "$ROOT/proc" ;;
	esac
	chmod -R a+rwX "$T/volume"
	chown -hR "$2:$2" "$ROOT"
	image_tree >"$T/image.before"
	tree_of "$T/volume" >"$T/volume.before"
}

image_tree() { readlink "$ROOT/proc" || tree_of "$ROOT/proc"; }

# The container joins a network namespace, so that what its sysctl became can be seen from outside. Without a /proc of its own, there is
# only the image's.
fake_sysctl() {
	local kind users holder value sysctl='{ "net.ipv4.ping_group_range": "7 77" }'
	local joined='.linux.namespaces |= map(if .type == "network" then .path = "\(env.NETWORK)" else . end)'
	for users in "$joined" "$OWN_USERS"; do
		for kind in file folder link pipe proc; do
			unshare --net sleep 100 &
			holder=$!
			wait_for 5 differs "/proc/$holder/ns/net"
			hostile
			image_file $kind "$([ "$users" = "$joined" ] && echo 0 || echo 100000)"
			NETWORK=/proc/$holder/ns/net attempt '.mounts |= map(select(.destination == "/dev")) | .linux.maskedPaths = [] | .linux.readonlyPaths = [] | '"$(over \
				/volume bind "$T/volume" '"bind"') | $users | .linux.sysctl = $sysctl" ids
			value=$(nsenter --target "$holder" --net cat /proc/sys/net/ipv4/ping_group_range)
			[ $status != 0 ] || [ "$users" != "$joined" ] || [ "$value" = $'7\t77' ] || { echo "it is '$value' (with a $kind)" >&2; return 1; }
			diff "$T/image.before" <(image_tree) >&2
			diff "$T/volume.before" <(tree_of "$T/volume") >&2
			kill $holder
			wait $holder || true
		done
	done
}
differs() { [ "$(readlink "$1")" != "$(readlink /proc/self/ns/net)" ]; }

@test "procwrite-redirect: OCI: a sysctl goes to the kernel, whatever the image has at /proc" { in_ns clean fake_sysctl; }

# Mount points, a working folder and what is copied below a name that is a folder of the volume's in one moment, and a link in the next.
race() {
	local i good=0 bad=0 users
	make_canary
	mkdir -p "$T/shared/folder" "$T/empty"
	chmod 777 "$T/shared" "$T/shared/folder"
	ln -s "$1" "$T/shared/link"
	users=${2:-.}
	hostile
	mkdir "$ROOT/shared"
	[ "$users" = . ] || chown -hR 100000:100000 "$ROOT"
	bundle c ".linux.maskedPaths = [] | $(over /shared bind "$T/shared" '"rbind"') | $(over /shared/folder/made/deep bind "$T/empty" '"rbind"') |
		$(over /shared/folder tmpfs t '"tmpcopyup"') | .process.cwd = \"/shared/folder/work\" | $users" mounts
	swapping "$T/shared/folder" "$T/shared/link"
	for ((i = 0; i < 50; i++)); do
		oci run --bundle "$T/c" c
		case $status in 0) good=$((good + 1)) ;; 1) bad=$((bad + 1)) ;; *) cat "$T/err" >&2; return 1 ;; esac
		untouched
	done
	swapped
	echo "$good started, $bad didn't" >&2
	((good + bad == 50))
	rm -rf "$T/shared" "$CANARY"
}

@test "mkdirall-race, mount-race: OCI: mount points below a name that changes all the time" {
	in_ns clean race "$T/canary/folder"
	in_ns clean race "../../../../../../../../..$T/canary/folder" "$OWN_USERS"
}

# covered TYPE PID: how many mounts lie over parts of that process's proc, or sysfs.
covered() {
	awk -v type="$1" '$0 ~ " - " type " " && $4 == "/" && !top { top = $1 } { below[$2]++ } END { print top ? below[top] + 0 : "none" }' "/proc/$2/mountinfo"
}

# The image's /proc, or /sys, is a folder in one moment and a link to what the attacker made of one in the next. A name may lead there later,
# too, but a container that came to be has a real one, and what is to be masked and read-only is so there.
proc_race() {
	local i path=$1 type=$2 whole started=0
	make_canary
	hostile
	mkdir -p "$ROOT/fake/sysrq-trigger" "$ROOT/fake/fs/cgroup"
	ln -s "$3" "$ROOT/link"
	bundle c '.mounts |= map(select(.type != "cgroup"))' hold 0
	create c
	quiet
	whole=$(covered "$type" "$(state c pid)")
	[ "$whole" -ge 1 ]
	gone c
	swapping "$ROOT$path" "$ROOT/link"
	for ((i = 0; i < 50; i++)); do
		create c
		if [ $status = 0 ]; then
			started=$((started + 1))
			[ "$(covered "$type" "$(state c pid)")" = "$whole" ] || { cat "/proc/$(state c pid)/mountinfo" >&2; return 1; }
			awk '{ print "mount=" $0 }' "/proc/$(state c pid)/mountinfo" >"$T/out"
			untouched
		else
			fails 1 ''
		fi
		oci delete --force c
	done
	swapped
	echo "$started started" >&2
	rm -rf "$CANARY"
}

@test "proc-swap-race: OCI: a container's /proc and /sys are the kernel's, with all masks, or it doesn't start" {
	in_ns clean proc_race /proc proc fake
	in_ns clean proc_race /proc proc "$T/canary/folder"
	in_ns clean proc_race /sys sysfs /fake
}
