# SPDX-License-Identifier: GPL-2.0-or-later
# oci_limits.bats - what a container may use up of the host, whatever it does, and its groups, which it may not change

load ../helpers
load common
load ../cli/common
load ../oci/common
load oci

# group_of PID CONTROLLER: its folder.
group_of() {
	if [ -d "/sys/fs/cgroup/$2" ]; then
		echo "/sys/fs/cgroup/$2$(sed -n "s/^[0-9]*:\([^:]*,\)\?$2\(,[^:]*\)\?://p" "/proc/$1/cgroup")"
	else
		echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")"
	fi
}

limited() {
	local group
	group=$(group_of "$1" pids)
	[ "$(<"$group/pids.max")" = 17 ] || { echo "pids.max of $group is $(<"$group/pids.max")" >&2; return 1; }
	group=$(group_of "$1" memory)
	[ "$(cat "$group/memory.limit_in_bytes" "$group/memory.max" 2>/dev/null)" = 67108864 ] || { echo "no memory limit in $group" >&2; return 1; }
}

# In the groups that its processes are in, and before anything of the container's runs.
readback() {
	local filter pid
	for filter in . "$OWN_USERS | .root.readonly = true" '.linux.namespaces |= map(select(.type != "cgroup" and .type != "pid"))' \
		'.linux.cgroupsPath = "/deep/er/box"'; do
		hostile box
		bundle box "$filter | .linux.resources += { pids: { limit: 17 }, memory: { limit: 67108864 } }" hold 2
		create box
		quiet
		limited "$(state box pid)"
		oci start box
		quiet
		has box holding
		oci exec --detach --pid-file "$T/pid" box /bin/probe sleep 50
		silent
		limited "$(<"$T/pid")"
		oci ps --format json box
		[ "$(jq length "$T/out")" = 4 ]
		for pid in $(jq '.[]' "$T/out"); do
			limited "$pid"
		done
		oci exec box /bin/probe fork 40
		is error 'fork: EAGAIN'
		gone box
	done
}

@test "limits-applied-readback: OCI: all processes of a container are in the groups that have its limits" { in_ns clean readback; }

# What lies in memory that is a file is the container's own, also once nobody has it open.
shared_memory() {
	local filter place
	for filter in . "$OWN_USERS"; do
		hostile
		[ "$filter" = . ] || chown -hR 100000:100000 "$ROOT"
		for place in /dev/shm /dev; do
			bundle c "$filter | .linux.resources.memory = { limit: 25165824 }"
			jq ".process.args = [\"/bin/attack\", \"into\", \"$place/big\", \"spew\", \"60\"]" "$T/c/config.json" >"$T/new"
			cp "$T/new" "$T/c/config.json"
			oci run --bundle "$T/c" c
			[ $status = 137 ] || { echo "60 MiB in $place with 24 MiB: $status $(<"$T/err")" >&2; return 1; }
			jq '.process.args[-1] = "8"' "$T/new" >"$T/c/config.json"
			oci run --bundle "$T/c" c
			ended 0
		done
	done
}

@test "shm-accounting: OCI: /dev/shm and /dev count as the container's memory" {
	skip_if_sanitized 'its own memory counts too'
	in_ns clean shared_memory
}

# peak PID: its memory in KiB, while it lives.
watch_peak() {
	local now
	PEAK=0
	while now=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$1/status" 2>/dev/null) && [ -n "$now" ]; do
		PEAK=$now
		sleep 0.05
	done
}

# A terminal's output goes through the runtime: as fast as it is read, and nothing is kept. What hooks say is kept as far as somebody may read it.
outputs() {
	local pid
	hostile box
	up box '.linux.resources.memory = { limit: 25165824 }' hold 0
	"$BIN/coso-oci" exec --tty box /bin/attack spew 100 >/dev/null 2>"$T/err" </dev/null &
	pid=$!
	watch_peak $pid
	wait $pid
	((PEAK > 0 && PEAK < 32768)) || { echo "$PEAK KiB" >&2; return 1; }
	# Nobody reads for a while, and then nobody is there any more.
	{ timeout -k 1 20 "$BIN/coso-oci" exec --tty box /bin/attack spew 20 2>"$T/err" </dev/null; echo "status=$?" >"$T/status"; } | (sleep 1; head -c 100 >"$T/head")
	[ "$(wc -c <"$T/head")" = 100 ]
	[ "$(<"$T/status")" = status=0 ]
	gone box
	hostile box
	bundle box '.linux.resources.memory = { limit: 25165824 } | .hooks.startContainer = [{ path: "/bin/attack", args: ["attack", "spew", "200"] }]' hold 0
	create box
	quiet
	oci start box
	quiet
	has box holding
	gone box
}

@test "exec-output-10GB: OCI: output that nobody reads, or far too much of it, costs no memory" {
	skip_if_sanitized 'its own memory counts too'
	in_ns clean outputs
}

# groups_given UID: a group of that user's own in each hierarchy but that of devices, which nobody gives away, and this process in it.
groups_given() {
	local folder
	for folder in /sys/fs/cgroup/*/ /sys/fs/cgroup/; do
		mountpoint -q "$folder" && [ -e "$folder/cgroup.procs" ] && [ ! -e "$folder/devices.deny" ] || continue
		mkdir "$folder/slice"
		for file in cpuset.cpus cpuset.mems; do
			[ ! -e "$folder/$file" ] || cat "$folder/$file" >"$folder/slice/$file" 2>/dev/null || true
		done
		chown -R "$1:$1" "$folder/slice"
		echo $BASHPID >"$folder/slice/cgroup.procs"
	done
}

groups_back() {
	local folder
	for folder in /sys/fs/cgroup/*/ /sys/fs/cgroup/; do
		mountpoint -q "$folder" && [ -d "$folder/slice" ] || continue
		echo $BASHPID >"$folder/cgroup.procs"
		find "$folder/slice" -depth -type d -exec rmdir {} +
	done
}

# Without a cgroup namespace it sees its user's groups, which its root, who is that user, could write to.
slices() {
	local path file seen
	as_user 1000 true
	hostile box
	chown -R 1000:1000 "$T/box"
	(cd "$T/box" && as_user 1000 "$BIN/coso-oci" spec --rootless)
	jq ".process.terminal = false | .root.readonly = false | $1" "$T/box/config.json" >"$T/filtered"
	groups_given 1000
	rootless mounts
	ended 0
	cp "$T/out" "$T/mounts"
	seen=$(sed -n -E 's|^mount=[^-]* (/sys/fs/cgroup[^ ]*) .* - cgroup2? .*|\1|p' "$T/mounts")
	[ -n "$seen" ]
	for path in $seen; do
		for file in slice/cgroup.procs slice/new cgroup.procs new; do
			rootless write "$path/$file" 0
			[ "$status" != 0 ] || { echo "written: $path/$file" >&2; return 1; }
			[[ $(value error) =~ EROFS|ENOENT ]] || { echo "$path/$file: $(<"$T/out")" >&2; return 1; }
		done
	done
	groups_back
}

rootless() {
	jq '.process.args = ["/bin/probe"] + $ARGS.positional' "$T/filtered" --args "$@" >"$T/box/config.json"
	status=0
	as_user 1000 timeout 20 "$BIN/coso-oci" run --bundle "$T/box" box >"$T/out" 2>"$T/err" </dev/null || status=$?
}

@test "rootless-cgroup-ro: OCI: an ordinary user's container can't write the user's own groups" {
	in_ns slices '.linux.namespaces |= map(select(.type != "cgroup"))'
}
