# SPDX-License-Identifier: GPL-2.0-or-later
# setup.bats - setup and teardown: again is fine, exactly undone, whatever was there before, and whenever they were killed
load ../helpers
load world

# What setup may touch, without counters and without tables that exist but say nothing.
state() {
	local tool table
	# Without what the kernel adds a moment later: link-local addresses, and whether a carrier is there.
	ip -o link | sed -e 's/^[0-9]*: //' -e 's/NO-CARRIER,//' -e 's/,LOWER_UP//' -e 's/ state [A-Z]*//' -e 's/@if[0-9]*//'
	ip address | grep inet | grep -v fe80:
	{ ip route; ip -6 route; } | grep -v fe80: | sed -e 's/ linkdown//'
	for tool in iptables ip6tables; do
		for table in nat filter; do $tool-legacy-save -t $table | sed -e '/^#/d' -e 's/\[.*\]//'; done
	done
	nft list ruleset
	grep -H . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/*/{forwarding,accept_redirects,route_localnet} \
		/proc/sys/net/ipv6/conf/*/{forwarding,accept_ra}
}

is_as() { diff -q "$T/$1" <(state) >/dev/null; }

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

# A router outside says: by way of me, for half an hour. ICMPv6 type 134, RFC 4861.
advertise() {
	inside outside python3 - <<-'END'
		import socket, struct
		s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
		s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
		s.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0), ("ff02::1", 0, 0, socket.if_nametoindex("out0")))
	END
}

advertised() { ip -6 route show default | grep -q 'dev up0 .*proto ra'; }
advertised_at_last() { advertise && advertised; }

# The host's way out by IPv6 is mostly of this kind, and its kernel forgets it when forwarding is turned on.
advertised_route() {
	world
	ip -6 route del default
	wait_for 5 advertised_at_last
	state >"$T/before"
	"$BIN/cosonet" setup -firewall "$1"
	advertised
	"$BIN/cosonet" setup
	advertised
	"$BIN/cosonet" setup -bridgeName second -subnet 10.77.0.0/24
	"$BIN/cosonet" teardown -bridgeName second
	"$BIN/cosonet" teardown
	advertised
	diff <(sed -E 's/expires [0-9]+sec//' "$T/before") <(state | sed -E 's/expires [0-9]+sec//')
}

@test "iptables: a default route that a router advertised stays" { in_ns advertised_route iptables; }
@test "nftables: a default route that a router advertised stays" { in_ns advertised_route nftables; }

# A VPN's two halves of everything are a default route; a host may have IPv6 off for new links.
odd_hosts() {
	world
	container a
	ip route add 0.0.0.0/1 via $OUT4
	ip route add 128.0.0.0/1 via $OUT4
	ip -6 route add fc00::/7 via $OUT6
	echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	"$BIN/cosonet" setup -mtu 1400
	fails 1 "bridge 'coso0' is set up with -mtu 1400, not 1500" "$BIN/cosonet" setup -mtu 1500
	attach a
	pings a "$(gateway a 0)"
	pings a "$(gateway a 1)"
}

@test "a VPN's routes to everything, and no IPv6 for new links, are no obstacle" { in_ns odd_hosts; }

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
		nft flush "${@:2}"
	fi
	attach b
	serve outside 7000
	says "outside $HOST4" a tcp $OUT4 7000
	says "outside $HOST4" b tcp $OUT4 7000
}

@test "iptables: reload-fail-closed: rules that were flushed are back with the next container" { in_ns flushed iptables; }
@test "nftables: reload-fail-closed: rules that were flushed are back with the next container" { in_ns flushed nftables ruleset; }
@test "nftables: reload-fail-closed: rules that were flushed out of our own table are back too" { in_ns flushed nftables table inet coso; }

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

# calls FILE CMD...: runs CMD, and writes each of its system calls as "name k", for the k-th call of that name (what strace counts).
calls() {
	local file=$1
	shift
	strace -qq -o "$T/strace" "$@" >/dev/null
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$T/strace" | awk '{ print $1, ++seen[$1] }' >"$file"
	[ "$(wc -l <"$file")" -gt 50 ]
}

# killed_at FILE N CMD...: CMD is killed at the start of that call. Fails if it was over before.
killed_at() {
	local call status=0
	read -r -a call < <(sed -n "$2p" "$1")
	shift 2
	[ ${#call[@]} -eq 2 ] || return 1
	strace -qq -o /dev/null -e "inject=${call[0]}:signal=KILL:when=${call[1]}" "$@" >/dev/null 2>&1 || status=$?
	[ "$status" -eq 137 ]
} 2>/dev/null

# step N: every N-th call; of a sanitized program, which makes more of them and takes its time, every fourth of these.
step() {
	local n=$1
	! sanitized || n=$((n * 4))
	echo "${COSO_KILL_STEP:-$n}"
}

# The first 40 calls are the dynamic linker's.
killed_everywhere() {
	world
	state >"$T/before"
	local n
	calls "$T/up.calls" "$BIN/cosonet" setup -firewall "$1"
	calls "$T/down.calls" "$BIN/cosonet" teardown
	for ((n = 40; n < $(wc -l <"$T/up.calls"); n += STEP)); do
		killed_at "$T/up.calls" $n "$BIN/cosonet" setup -firewall "$1" || true
		"$BIN/cosonet" setup
		"$BIN/cosonet" teardown
		diff "$T/before" <(state) || { echo "setup killed at call $n" >&2; return 1; }
	done
	for ((n = 40; n < $(wc -l <"$T/down.calls"); n += STEP)); do
		"$BIN/cosonet" setup -firewall "$1"
		killed_at "$T/down.calls" $n "$BIN/cosonet" teardown || true
		"$BIN/cosonet" teardown
		diff "$T/before" <(state) || { echo "teardown killed at call $n" >&2; return 1; }
	done
}

@test "iptables: setup and teardown killed at every n-th system call are mended by the next" { STEP=$(step 7) in_ns killed_everywhere iptables; }
@test "nftables: setup and teardown killed at every n-th system call are mended by the next" { STEP=$(step 17) in_ns killed_everywhere nftables; }

attach_killed() {
	world
	state >"$T/before"
	local n kills=0
	"$BIN/cosonet" setup -firewall "$1"
	state >"$T/up"
	export COSO_PUBLISH=8080:80
	container a
	COSO_ID=a calls "$T/calls" "$BIN/cosonet" -pid "$(pid_of a)"
	end_container a
	for ((n = 40; n < $(wc -l <"$T/calls"); n += STEP)); do
		container a
		if COSO_ID=a killed_at "$T/calls" $n "$BIN/cosonet" -pid "$(pid_of a)"; then kills=$((kills + 1)); fi
		end_container a # as coso does when its network executable fails
		container b
		attach b
		end_container b
		wait_for 3 is_alone
		"$BIN/cosonet" setup
		is_as up || { diff "$T/up" <(state) >&2 || echo "killed at call $n" >&2; return 1; }
	done
	((kills > 5))
	"$BIN/cosonet" teardown
	diff "$T/before" <(state)
}

is_alone() { [ "$("$BIN/cosonet" status --json | jq '.leases | length')" = 0 ]; }

@test "iptables: -pid killed at every n-th system call leaves nothing that the next doesn't mend" { STEP=$(step 7) in_ns attach_killed iptables; }
@test "nftables: -pid killed at every n-th system call leaves nothing that the next doesn't mend" { STEP=$(step 17) in_ns attach_killed nftables; }
