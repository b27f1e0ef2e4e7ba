# SPDX-License-Identifier: GPL-2.0-or-later
# connect.bats - containers reach each other, the bridge and the outside, and are reached by what they publish; both firewalls
load ../helpers
load world

two_containers() {
	world
	container a
	container b
	attach a -firewall "$1"
	attach b
	local to
	for to in "$(gateway a 0)" "$(gateway a 1)" "$(address b 0)" "$(address b 1)"; do
		pings a "$to"
	done
	pings b "$(address a 0)"
	pings b "$(address a 1)"
	[ "$("$BIN/cosonet" status --json | jq -r .firewall)" = "$1" ]
}

@test "iptables: two containers ping each other and the bridge, over IPv4 and IPv6" { in_ns two_containers iptables; }
@test "nftables: two containers ping each other and the bridge, over IPv4 and IPv6" { in_ns two_containers nftables; }

nat() {
	world
	container a
	attach a -firewall "$1"
	serve outside 7000
	serve a 7001
	# The outside sees the host's address, and can't reach the container's own.
	says "outside $HOST4" a tcp $OUT4 7000
	says "outside [$(printf '%s' '2001:0db8:0000:0000:0000:0000:0000:0001')]" a tcp $OUT6 7000
	says "outside $HOST4" a udp $OUT4 7000
	inside outside ip route add "$(address a 0)" via $HOST4
	inside outside ip -6 route add "$(address a 1)" via $HOST6
	silent outside tcp "$(address a 0)" 7001
	silent outside tcp "$(address a 1)" 7001
	says a host tcp "$(address a 0)" 7001
}

@test "iptables: NAT to the outside, and nothing unpublished is reached from there" { in_ns nat iptables; }
@test "nftables: NAT to the outside, and nothing unpublished is reached from there" { in_ns nat nftables; }

published() {
	world
	container a
	container b
	export COSO_PUBLISH=8080:80,8053:80/udp,8100-8103:90-93,$HOST4:8200:80,[$HOST6]:8300:80
	attach a -firewall "$1"
	unset COSO_PUBLISH
	attach b
	serve a 80
	serve a 92
	local who
	for who in outside host b a; do
		says a "$who" tcp $HOST4 8080
		says a "$who" tcp $HOST6 8080
		says a "$who" udp $HOST4 8053
		says a "$who" udp $HOST6 8053
		says a "$who" tcp $HOST4 8102
		says a "$who" tcp $HOST4 8200
		says a "$who" tcp $HOST6 8300
	done
	# With and without br_netfilter, which is where it is loaded: a container asks for its own port.
	for who in /proc/sys/net/bridge/bridge-nf-call-ip{,6}tables; do
		[ ! -e "$who" ] || echo $((1 - $(<"$who"))) >"$who"
	done
	says a a tcp $HOST4 8080
	says a a udp $HOST6 8053
	silent outside tcp $HOST6 8200
	silent outside tcp $HOST4 8300
	says "a $OUT4" outside tcp $HOST4 8080 # the source is the true one
	jq -e '.release == true' "$T/a.json"
	COSO_ID=a "$BIN/cosonet" -release
	silent outside tcp $HOST4 8080
	[ "$("$BIN/cosonet" status --json | jq '.published | length')" = 0 ]
}

@test "iptables: published TCP and UDP ports answer from outside, from the host and from a neighbour" { in_ns published iptables; }
@test "nftables: published TCP and UDP ports answer from outside, from the host and from a neighbour" { in_ns published nftables; }

# CVE-2025-67499: a rule that looks at the port alone takes whatever passes through the host.
dnat_fib_local() {
	world
	container a
	container b
	COSO_PUBLISH=7000:80,7000:80/udp attach a -firewall "$1"
	attach b
	serve a 80
	serve outside 7000
	local kind
	for kind in tcp udp; do
		says outside b $kind $OUT4 7000
		says outside b $kind $OUT6 7000
		says outside host $kind $OUT4 7000
		says a outside $kind $HOST4 7000
	done
}

# As WireGuard or a syslog client do: always from one port. Who answers then, by IPv4 and IPv6?
steady() {
	local to
	for to in "UDP4:$HOST4" "UDP6:[$HOST6]"; do
		echo | inside outside timeout 2 socat -t 0.3 - "$to:5000,sourceport=7777" 2>/dev/null | cut -d' ' -f1
	done | paste -sd' '
}

answers() { [ "$(steady)" = "$1" ] || { echo "'$(steady)' and not '$1': $2" >&2; return 1; }; }

steady_sender() {
	local name
	world
	for name in a b c; do container $name; done
	export COSO_PUBLISH=5000:5000/udp
	answers '' "before there is a container"
	attach a -firewall "$1"
	serve a 5000
	answers 'a a' "then"
	end_container a
	answers '' "after its end"
	COSO_ID=a "$BIN/cosonet" -release
	COSO_PUBLISH='' attach c # not by what was a's
	serve c 5000
	answers '' "after -release"
	attach b
	serve b 5000
	answers 'b b' "in its place"
}

@test "iptables: a published UDP port is the next container's, also for who sends on and on" { in_ns steady_sender iptables; }
@test "nftables: a published UDP port is the next container's, also for who sends on and on" { in_ns steady_sender nftables; }

@test "iptables: dnat-fib-local: a published port takes no packet that goes elsewhere" { in_ns dnat_fib_local iptables; }
@test "nftables: dnat-fib-local: a published port takes no packet that goes elsewhere" { in_ns dnat_fib_local nftables; }

# CVE-2019-9946: others' translations come first.
rule_order() {
	world
	container a
	container b
	attach b -firewall iptables
	COSO_PUBLISH=7000:80 attach a
	serve a 80
	serve b 81
	says a outside tcp $HOST4 7000
	iptables-legacy -t nat -A PREROUTING -p tcp --dport 7000 -j DNAT --to "$(address b 0):81"
	says a outside tcp $HOST4 7000 # appended behind ours
	iptables-legacy -t nat -F PREROUTING
	iptables-legacy -t nat -A PREROUTING -p tcp --dport 7000 -j DNAT --to "$(address b 0):81"
	"$BIN/cosonet" setup
	says b outside tcp $HOST4 7000 # there before ours
}

@test "rule-order: a third party's translation that was there first keeps its priority" { in_ns rule_order; }

docker_user() {
	world
	container a
	iptables-legacy -N DOCKER-USER
	iptables-legacy -A DOCKER-USER -j RETURN
	iptables-legacy -I FORWARD -j DOCKER-USER
	iptables-legacy -A FORWARD -j DROP
	iptables-legacy-save -t filter | grep -v '^[#:]' >"$T/before"
	COSO_PUBLISH=8080:80 attach a -firewall iptables
	serve a 80
	serve outside 7000
	says a outside tcp $HOST4 8080
	says outside a tcp $OUT4 7000
	end_container a
	"$BIN/cosonet" teardown
	diff "$T/before" <(iptables-legacy-save -t filter | grep -v '^[#:]')
}

@test "DOCKER-USER: where Docker drops what it doesn't know, legacy tables" { in_ns docker_user; }

docker_user_nft() {
	world
	container a
	nft -f - <<-'EOF'
		table ip filter {
			chain DOCKER-USER { return; }
			chain FORWARD { type filter hook forward priority 0; policy drop; jump DOCKER-USER; }
		}
	EOF
	nft list ruleset >"$T/before"
	COSO_PUBLISH=8080:80 attach a # auto sees that somebody keeps rules in nf_tables
	[ "$("$BIN/cosonet" status --json | jq -r .firewall)" = nftables ]
	serve a 80
	serve outside 7000
	says a outside tcp $HOST4 8080
	says outside a tcp $OUT4 7000
	end_container a
	"$BIN/cosonet" teardown
	diff "$T/before" <(nft list ruleset)
}

@test "DOCKER-USER: where Docker drops what it doesn't know, nf_tables" { in_ns docker_user_nft; }

# CVE-2020-10749: what a container says of itself as a router is not believed.
rogue_ra() {
	world
	container a
	attach a
	local link
	link=$(jq -r '.interfaces[0].host' "$T/a.json")
	[ "$(cat /proc/sys/net/ipv6/conf/coso0/accept_ra)" = 0 ]
	[ "$(cat "/proc/sys/net/ipv6/conf/$link/disable_ipv6")" = 1 ]
	[ "$(inside a cat /proc/sys/net/ipv6/conf/eth0/accept_ra)" = 0 ]
	ip -6 route >"$T/before"
	# ICMPv6 type 134, router lifetime 1800, one prefix 2001:db8:bad::/64 on link and autonomous. A raw socket sums it up.
	inside a python3 - <<-'EOF'
		import socket, struct
		s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
		s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
		prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xc0, 3600, 3600, 0) + socket.inet_pton(socket.AF_INET6, "2001:db8:bad::")
		s.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix, ("ff02::1", 0))
	EOF
	pings a "$(gateway a 1)" # behind the advertisement on the same way, so that has arrived
	diff "$T/before" <(ip -6 route)
	ip -6 address >"$T/out"
	lacks 2001:db8:bad
}

@test "rogue-ra: a container's router advertisement changes nothing on the host" { in_ns rogue_ra; }
