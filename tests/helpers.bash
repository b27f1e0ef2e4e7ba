# SPDX-License-Identifier: GPL-2.0-or-later
# helpers.bash - what every bats test stands on: a folder of its own, a sandbox, and a look at the host afterwards
#
#   load ../helpers
#
# $TOP the project, $BIN the programs, $T the test's own folder on a real disk (removed afterwards), $ROOTFS a root file system
# made by cosofs, $PROBE one that holds nothing but tests/probe.c (as /bin/probe).
#
#   in_ns CMD...             in mount, network and cgroup namespaces of its own (tests/sandbox.c); CMD may be a function of the test.
#                            /run, /tmp and /var/lib are the test's own and live as long as the test does
#   as_user UID CMD...       inside in_ns: as an ordinary user with a home, and nothing of root's
#   unchanged CMD...         inside in_ns: fails if CMD leaves mounts, links, addresses, rules, groups or folders other than they were
#   wait_for SECONDS CMD...  until CMD succeeds; $COSO_TEST_PATIENCE (1) times as long on a slow machine
#   lacks PATTERN [FILE]     no line of FILE (or of $T/out) matches, and it can be read
#   need PROG...             what the test can't do without: without it the test fails, and says which package has it
#   skip_unless REASON CMD   skips where CMD fails; REASON names what this kernel lacks. STRICT=1 makes it a failure
#   sanitized                whether $BIN was built with SAN=1
#   skip_if_sanitized REASON skips there; REASON names what the sanitizer itself needs or does
#
# A file that wants a setup of its own calls common_setup first, and common_teardown last.
#
# After each test the host must be as it was: teardown compares its mounts, links, addresses, routes, rules, sysctls and folders,
# and finds what is still running, and groups still there, in the control group that the sandbox ran in.

TOP=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
BIN=${COSO_BIN:-$TOP/build/bin}
CACHE=${COSO_TEST_CACHE:-${BIN%/bin}/test-cache}
ROOTFS=$CACHE/rootfs
PROBE=$CACHE/probe
export TOP BIN CACHE ROOTFS PROBE
export COSO_TEST_PATHS=$TOP:$BIN:$CACHE:${BATS_RUN_TMPDIR:-$TOP}
export LC_ALL=C.UTF-8

if declare -F bats_require_minimum_version >/dev/null; then
	bats_require_minimum_version 1.5.0
fi

setup() { common_setup; }
teardown() { common_teardown; }

common_setup() {
	prepare_roots
	T=$(mktemp -d "${COSO_TEST_DISK:-/var/tmp}/coso-test.XXXXXX")
	export T
	state_of_host >"$T/.host"
}

common_teardown() {
	local failed=0
	end_leftovers || failed=1
	if ! diff -U0 "$T/.host" <(state_of_host); then
		echo "the host is not as it was before the test" >&2
		failed=1
	fi
	rm -rf --one-file-system "$T" || failed=1
	return $failed
}

in_ns() {
	if [ "$(type -t "$1")" = function ]; then
		declare -f >"$T/.functions"
		# shellcheck disable=SC2016 # the inner shell expands it
		"$BIN/sandbox" "$T" bash -c 'source "$TOP/tests/helpers.bash"; source "$T/.functions"; set -eu; "$@"' bash "$@"
	else
		"$BIN/sandbox" "$T" "$@"
	fi
}

as_user() {
	local uid=$1 home=$T/home-$1
	shift
	mkdir -p "$home/run"
	chmod 755 "$T"
	chmod 700 "$home/run"
	chown -R "$uid:$uid" "$home"
	env -i PATH="$PATH" TERM="${TERM:-dumb}" LC_ALL="$LC_ALL" HOME="$home" XDG_RUNTIME_DIR="$home/run" USER="user$uid" T="$T" \
		TOP="$TOP" BIN="$BIN" ROOTFS="$ROOTFS" PROBE="$PROBE" \
		setpriv --reuid "$uid" --regid "$uid" --clear-groups --inh-caps=-all "$@"
}

unchanged() {
	local before after status end errexit=${-//[^e]/}
	before=$(state_of_here)
	set +e # in `"$@" || status=$?` a function would go on after a command that fails
	(set -e; "$@")
	status=$?
	[ -z "$errexit" ] || set -e
	# The kernel takes a container's namespaces and groups apart after its last process is gone.
	end=$((SECONDS + 3))
	while ((SECONDS < end)); do
		after=$(state_of_here)
		[ "$before" != "$after" ] || return $status
		sleep 0.02
	done
	diff -U0 <(echo "$before") <(echo "$after") >&2 || true
	echo "left something behind: $*" >&2
	return 1
}

wait_for() {
	local end=$((SECONDS + $1 * ${COSO_TEST_PATIENCE:-1} + 1))
	shift
	until "$@"; do
		if ((SECONDS >= end)); then
			echo "waited in vain for: $*" >&2
			return 1
		fi
		sleep 0.02
	done
}

# `! grep` would fail unseen in the middle of a function, and succeed where there is no file.
lacks() {
	local code=0
	grep -E -- "$1" "${2:-$T/out}" >&2 || code=$?
	[ $code = 1 ] || { echo "there is '$1' in ${2:-$T/out}, or no such file" >&2; return 1; }
}

need() {
	local prog
	for prog; do
		command -v "$prog" >/dev/null || { echo "this test needs $prog (scripts/deps test installs it)" >&2; return 1; }
	done
}

skip_unless() {
	local reason=$1
	shift
	"$@" >/dev/null 2>&1 && return
	if [ "${STRICT:-0}" = 1 ]; then
		echo "STRICT=1, and this kernel lacks: $reason" >&2
		return 1
	fi
	skip "this kernel lacks: $reason"
}

sanitized() { grep -q __asan_init "$BIN/coso"; }

skip_if_sanitized() { ! sanitized || skip "sanitized: $1"; }

# Made once, by whoever comes first; again when a program is newer than what it made.
prepare_roots() {
	[ ! "$BIN/cosofs" -nt "$ROOTFS.done" ] && [ ! "$BIN/probe" -nt "$PROBE.done" ] && return
	mkdir -p "$CACHE"
	(
		flock 9
		if [ "$BIN/probe" -nt "$PROBE.done" ]; then
			rm -rf "$PROBE"
			mkdir -p "$PROBE"/{bin,dev,etc,proc,sys,tmp}
			cp "$BIN/probe" "$PROBE/bin/probe"
			printf 'root:x:0:0:root:/root:/bin/probe\nuser:x:1000:1000::/:/bin/probe\n' >"$PROBE/etc/passwd"
			printf 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n' >"$PROBE/etc/group"
			touch "$PROBE.done"
		fi
		if [ "$BIN/cosofs" -nt "$ROOTFS.done" ]; then
			local tarball
			tarball=$(compgen -G "$TOP/../shared/data/alpine-minirootfs-*-$(uname -m).tar.gz" | tail -n 1)
			rm -rf --one-file-system "$ROOTFS"
			COSO_MIRROR_TIMEOUT=3 "$BIN/cosofs" setup --rootfs "$ROOTFS" ${tarball:+--tarball "$tarball"} >&2
			touch "$ROOTFS.done"
		fi
	) 9>"$CACHE/lock"
}

# Prints FILE's lines behind its name, with no other program.
print_file() {
	local line
	[ -r "$1" ] || return 0
	while IFS= read -r line; do printf '%s: %s\n' "$1" "$line"; done <"$1" 2>/dev/null
}

# Firewall rules, without loading anything: legacy tables only where they exist, nf_tables only where it is there already.
print_rules() {
	local table tool
	for tool in ip ip6; do
		[ -s "/proc/net/${tool}_tables_names" ] || continue
		while read -r table; do
			${tool}tables-legacy-save -t "$table" 2>/dev/null | sed -e '/^#/d' -e 's/\[[0-9]*:[0-9]*\]//'
		done <"/proc/net/${tool}_tables_names"
	done
	if [ ! -e /proc/modules ] || [ -e /sys/module/nf_tables ] || grep -qs '^nf_tables ' /proc/modules; then
		nft -s list ruleset 2>/dev/null || true
	fi
}

print_network() {
	local file
	for file in /sys/class/net/*; do
		[ ! -e "$file" ] || printf 'link %s %s %s\n' "${file##*/}" "$(<"$file/address")" "$(<"$file/flags")"
	done
	print_file /proc/net/fib_trie
	print_file /proc/net/route
	print_file /proc/net/if_inet6
	for file in ip_forward conf/all/forwarding conf/default/forwarding conf/all/route_localnet conf/all/rp_filter conf/default/rp_filter; do
		print_file "/proc/sys/net/ipv4/$file"
	done
	for file in conf/all/forwarding conf/default/forwarding conf/all/disable_ipv6 conf/default/accept_ra; do
		print_file "/proc/sys/net/ipv6/$file"
	done
	print_rules
}

print_folders() {
	printf 'folder %s\n' /run/coso* /run/coso*/* /var/lib/coso* /var/lib/coso*/* /tmp/coso /tmp/coso/*
}

state_of_host() {
	cut -d' ' -f4- /proc/self/mountinfo
	print_network
	print_folders
	print_file /proc/sys/kernel/core_pattern
	print_file /proc/sys/kernel/domainname
	print_file /proc/sys/kernel/hostname
}

state_of_here() {
	state_of_host
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		find /sys/fs/cgroup -mindepth 1 -type d ! -path '/sys/fs/cgroup/shell*' 2>/dev/null # the sandbox's own
	else
		find /sys/fs/cgroup -mindepth 2 -type d 2>/dev/null
	fi
}

# The test's control group in each hierarchy.
groups_of_test() {
	local group
	for group in "/sys/fs/cgroup/${T##*/}" /sys/fs/cgroup/*/"${T##*/}"; do
		[ ! -d "$group" ] || echo "$group"
	done
}

# The pids in those and below, in any hierarchy.
pids_of_test() {
	groups_of_test | xargs -r -I@ find @ -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un || true
}

# Ends what the test left running and removes its groups. Fails if there was anything but the sandbox's keeper.
end_leftovers() {
	local keeper='' pid pids='' group status=0
	[ ! -e "$T/.keeper" ] || read -r keeper <"$T/.keeper"
	[ -n "$keeper" ] || return 0
	local end=$((SECONDS + 3)) # what was told to end gets two seconds to do so
	while pids=$(pids_of_test | grep -vx "$keeper") && ((SECONDS < end)); do
		sleep 0.02
	done
	for pid in $pids; do
		echo "still running after the test: $pid $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")" >&2
		kill -KILL "$pid" 2>/dev/null
		status=1
	done
	kill -KILL "$keeper" 2>/dev/null
	wait_for 5 no_pids_left || status=1
	while read -r group; do
		case ${group#*/"${T##*/}"} in
		'' | /shell | /coso | /coso-oci) ;;
		*) echo "control group left after the test: $group" >&2; status=1 ;;
		esac
	done < <(groups_of_test | xargs -r -I@ find @ -type d)
	# The kernel waits some 10 ms for each: the hierarchies at the same time.
	groups_of_test | xargs -r -P 16 -I@ find @ -depth -type d -exec rmdir {} \; || status=1
	return $status
}

no_pids_left() { [ -z "$(pids_of_test)" ]; }
