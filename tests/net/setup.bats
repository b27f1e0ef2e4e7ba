# SPDX-License-Identifier: GPL-2.0-or-later
# setup.bats - setup and teardown: again is fine, exactly undone, whatever was there before, and whenever they were killed
load ../helpers
load world

# What setup may touch, without counters and without tables that exist but say nothing.
state() {
	local tool table
	ip -o link | cut -d' ' -f2-
	ip address | grep inet
	ip route
	ip -6 route
	for tool in iptables ip6tables; do
		for table in nat filter; do $tool-legacy-save -t $table | sed -e '/^#/d' -e 's/\[.*\]//'; done
	done
	nft list ruleset
	grep -H . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/*/{forwarding,accept_redirects,route_localnet} \
		/proc/sys/net/ipv6/conf/*/{forwarding,accept_ra}
}

exact() {
	world
	iptables-legacy -t nat -A PREROUTING -p tcp --dport 99 -j REDIRECT --to 98
	echo "${2:-0}" >/proc/sys/net/ipv4/conf/all/accept_redirects
	state >"$T/before"
	"$BIN/cosonet" setup -firewall "$1"
	[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
	[ "$(cat /proc/sys/net/ipv6/conf/up0/forwarding)" = 0 ] # or the uplink would stop listening to its router
	state >"$T/up"
	"$BIN/cosonet" setup
	"$BIN/cosonet" setup -firewall "$1"
	diff "$T/up" <(state)
	"$BIN/cosonet" setup -bridgeName second -subnet 10.77.0.0/24
	"$BIN/cosonet" teardown
	[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] # the second needs it
	"$BIN/cosonet" teardown -bridgeName second
	diff "$T/before" <(state)
	"$BIN/cosonet" teardown
	diff "$T/before" <(state)
}

@test "iptables: setup twice is setup once, and teardown undoes exactly that" { in_ns exact iptables; }
@test "nftables: setup twice is setup once, and teardown undoes exactly that" { in_ns exact nftables 1; }

was_on() {
	world
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	state >"$T/before"
	"$BIN/cosonet" setup
	"$BIN/cosonet" teardown
	diff "$T/before" <(state)
}

@test "forwarding that was on before stays on" { in_ns was_on; }

# no-global-route_localnet is part of state() in "exact"; here: rules that somebody flushed come back with the next container.
flushed() {
	world
	container a
	container b
	attach a -firewall "$1"
	if [ "$1" = iptables ]; then
		iptables-legacy -t nat -F
		iptables-legacy -F
	else
		nft flush ruleset
	fi
	attach b
	serve outside 7000
	says "outside $HOST4" a tcp $OUT4 7000
	says "outside $HOST4" b tcp $OUT4 7000
}

@test "iptables: reload-fail-closed: rules that were flushed are back with the next container" { in_ns flushed iptables; }
@test "nftables: reload-fail-closed: rules that were flushed are back with the next container" { in_ns flushed nftables; }

collisions() {
	world
	ip route add 10.209.8.0/24 via $OUT4
	state >"$T/before"
	fails 1 'collides with the route to 10.209.8.0/24 by .up0.: choose another with -subnet' "$BIN/cosonet" setup
	ip link add coso0 type bridge
	fails 1 "link 'coso0' exists, and cosonet didn't make it" "$BIN/cosonet" setup
	fails 1 "link 'coso0' exists, and cosonet didn't make it" "$BIN/cosonet" teardown
	ip link delete coso0
	diff "$T/before" <(state)
	"$BIN/cosonet" setup -subnet 10.50.0.0/24
	fails 1 'set up with the address 10.50.0.1/24, not 10.51.0.1/24' "$BIN/cosonet" setup -subnet 10.51.0.0/24
	container a
	attach a
	fails 1 "bridge 'coso0' has 1 container: end it first" "$BIN/cosonet" teardown
	end_container a
	"$BIN/cosonet" teardown
	diff "$T/before" <(state)
}

@test "networks and links that are in use are refused, and left alone" { in_ns collisions; }

# killed_at N CMD...: CMD is killed at the start of its N-th system call. Fails once CMD has fewer.
killed_at() {
	local n=$1 status=0
	shift
	strace -f -o /dev/null -e trace=all -e inject=all:signal=KILL:when="$n" "$@" >/dev/null 2>&1 || status=$?
	[ "$status" -eq 137 ]
}

# Every n-th call from the first that does anything on; the dynamic linker's come before.
killed_everywhere() {
	world
	state >"$T/before"
	local n=20 kills=0
	while killed_at "$n" "$BIN/cosonet" setup -firewall "$1"; do
		"$BIN/cosonet" setup
		"$BIN/cosonet" teardown
		diff "$T/before" <(state) || { echo "setup killed at call $n" >&2; return 1; }
		"$BIN/cosonet" setup -firewall "$1"
		if killed_at "$n" "$BIN/cosonet" teardown; then "$BIN/cosonet" teardown; fi
		diff "$T/before" <(state) || { echo "teardown killed at call $n" >&2; return 1; }
		n=$((n + STEP)) kills=$((kills + 1))
		((n < 3000)) || return 1
	done
	((kills > 5))
}

@test "iptables: setup and teardown killed at every n-th system call are mended by the next" { STEP=${COSO_KILL_STEP:-7} in_ns killed_everywhere iptables; }
@test "nftables: setup and teardown killed at every n-th system call are mended by the next" { STEP=${COSO_KILL_STEP:-23} in_ns killed_everywhere nftables; }

attach_killed() {
	world
	state >"$T/before"
	local n=20 kills=0
	"$BIN/cosonet" setup -firewall "$1"
	state >"$T/up"
	export COSO_PUBLISH=8080:80
	while container a && COSO_ID=a killed_at "$n" "$BIN/cosonet" -pid "$(pid_of a)"; do
		end_container a # as coso does when its network executable fails
		container b
		attach b
		end_container b
		"$BIN/cosonet" setup
		wait_for 3 diff -q "$T/up" <(state) || { diff "$T/up" <(state) >&2 || echo "killed at call $n" >&2; return 1; }
		n=$((n + STEP)) kills=$((kills + 1))
		((n < 3000)) || return 1
	done
	((kills > 5))
	end_container a
	"$BIN/cosonet" teardown
	diff "$T/before" <(state)
}

@test "iptables: -pid killed at every n-th system call leaves nothing that the next doesn't mend" { STEP=${COSO_KILL_STEP:-7} in_ns attach_killed iptables; }
@test "nftables: -pid killed at every n-th system call leaves nothing that the next doesn't mend" { STEP=${COSO_KILL_STEP:-23} in_ns attach_killed nftables; }
