# SPDX-License-Identifier: GPL-2.0-or-later
# comefrom.bash - a host with root file systems, lines of README, and what a container of theirs is limited to

# rows: SECTION, WHAT and our line of each row, separated by tabs
rows() {
	sed -n '/^<!-- table:/,/^<!-- end of the table/p' "$TOP/README.md" | awk -F' *[|] *' '
		/^### / { section = substr($0, 5); sub(/,? .*/, "", section) }
		/^\| / && $2 != "You want" { gsub(/`/, ""); printf "%s\t%s\t%s\n", section, $2, $4 }'
}

line_of() {
	local line
	line=$(rows | awk -F'\t' -v key="$1" '$1 ": " $2 == key { print $3 }')
	[ -n "$line" ] && [ "$(wc -l <<<"$line")" = 1 ] || { echo "README has no line for '$1'" >&2; return 1; }
	echo "$line"
}

# ours NAME [SCRIPT]: runs the line of that name, with the script as its input. $T/out, $T/err, and the status in $code.
ours() {
	local line
	line=$(line_of "$1")
	code=0
	timeout -k 5 30 bash -c "$line" <<<"${2:-}" >"$T/out" 2>"$T/err" || code=$?
	[ $code != 124 ] || { echo "took more than 30 s: $line" >&2; return 1; }
}

# fine NAME [SCRIPT]: it succeeds, too.
fine() {
	ours "$@" || return
	[ $code = 0 ] || { echo "$1: status $code: $(<"$T/err")" >&2; return 1; }
}

is() { [ "$2" = "$3" ] || { echo "$1 is '$2' instead of '$3'; $(<"$T/err")" >&2; return 1; }; }
out() { is output "$(paste -sd' ' "$T/out")" "$1"; }
has() { grep -qE -- "$1" "${2:-$T/out}" || { echo "no '$1' in: $(<"${2:-$T/out}")" >&2; return 1; }; }

# The folder in which README's lines run: programs in PATH, ./root, ./data and the like.
host() {
	export PATH=$BIN:$PATH
	mkdir -p "$T/host/data" /tmp/coso
	cd "$T/host" || return
	cp -a "$ROOTFS" root
	cp -a "$ROOTFS" /tmp/coso/rootfs
	touch root/marker
	echo precious >data/file
}

export KINDS='user pid mnt net uts ipc cgroup'
export LIST_NS='for k in user pid mnt net uts ipc cgroup; do echo $k=$(readlink /proc/self/ns/$k); done'

# new_namespaces KIND...: what the container printed by LIST_NS are these, and otherwise the host's.
new_namespaces() {
	local kind
	for kind in $KINDS; do
		case " $* " in
		*" $kind "*) isnt_host "$kind" ;;
		*) is "$kind" "$(sed -n "s/^$kind=//p" "$T/out")" "$(readlink "/proc/self/ns/$kind")" ;;
		esac
	done
}

isnt_host() {
	local it
	it=$(sed -n "s/^$1=//p" "$T/out")
	[ -n "$it" ] && [ "$it" != "$(readlink "/proc/self/ns/$1")" ] || { echo "the $1 namespace is the host's" >&2; return 1; }
}

# while_running NAME|COMMAND CMD...: runs CMD while the line runs with its shell waiting for input; $ID is the container's id.
while_running() {
	local line=$1 pid code=0
	shift
	[[ $line != *": "* ]] || line=$(line_of "$line")
	rm -f "$T/input"
	mkfifo "$T/input"
	bash -c "exec $line" <"$T/input" >"$T/out" 2>"$T/err" 3>&- &
	pid=$!
	exec 9>"$T/input"
	wait_for 5 running || { cat "$T/err" >&2; return 1; }
	ID=$(running)
	"$@"
	echo 'exit 5' >&9
	exec 9>&-
	wait $pid || code=$?
	is status $code 5
}

running() { coso ps --json | jq -er '.[] | select(.status == "running") | .id'; }
value() { sed -n "s/^$1[:=][[:space:]]*//p" "$T/out"; }
exists() { [ -e "$1" ]; }

# setting WHAT: of the container $ID's control group, whatever the version of its controller.
setting() {
	local file dir=/sys/fs/cgroup
	case $1 in
	memory) file=(memory/coso/"$ID"/memory.limit_in_bytes coso/"$ID"/memory.max unified/coso/"$ID"/memory.max) ;;
	pids) file=(pids/coso/"$ID"/pids.max coso/"$ID"/pids.max unified/coso/"$ID"/pids.max) ;;
	cpu) file=(cpu/coso/"$ID"/cpu.shares coso/"$ID"/cpu.weight unified/coso/"$ID"/cpu.weight) ;;
	quota) file=(cpu/coso/"$ID"/cpu.cfs_quota_us coso/"$ID"/cpu.max unified/coso/"$ID"/cpu.max) ;;
	io) file=(blkio/coso/"$ID"/blkio.bfq.weight blkio/coso/"$ID"/blkio.weight coso/"$ID"/io.bfq.weight coso/"$ID"/io.weight) ;;
	esac
	for file in "${file[@]}"; do
		if [ -e "$dir/$file" ]; then
			echo "${file##*.} $(head -n 1 "$dir/$file")"
			return
		fi
	done
	echo "no setting $1 of $ID" >&2
	return 1
}

# limited MEMORY PIDS SHARES WEIGHT: the group's, where SHARES is v1's unit of CPU and WEIGHT v2's
limited() {
	is memory "$(setting memory | cut -d' ' -f2)" "$1"
	is pids "$(setting pids | cut -d' ' -f2)" "$2"
	case $(setting cpu) in
	shares*) is "CPU shares" "$(setting cpu)" "shares $3" ;;
	*) is "CPU weight" "$(setting cpu)" "weight $4" ;;
	esac
}

has_io_weight() { compgen -G '/sys/fs/cgroup/blkio/blkio*.weight' || compgen -G '/sys/fs/cgroup/io*.weight'; } # the sandbox's group
