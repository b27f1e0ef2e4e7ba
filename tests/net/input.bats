# SPDX-License-Identifier: GPL-2.0-or-later
# input.bats - every flag and variable wrong in every way: one line, the right status, and nothing left behind
load ../helpers
load world

net() { "$BIN/cosonet" "$@"; }

# Whatever is wrong, neither bridge nor rule is made.
nothing_made() {
	[ "$(ip -o link | wc -l)" = "$1" ]
	[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ]
	[ -z "$(nft list ruleset)" ]
	iptables-legacy-save >"$T/rules" 2>/dev/null
	lacks COSO "$T/rules"
}

table() {
	world
	container a
	local links pid
	links=$(ip -o link | wc -l)
	pid=$(pid_of a)

	# The command line.
	fails 2 'give one of -pid PID, setup' net
	fails 2 "unknown command 'setpu' (did you mean setup?)" net setpu
	fails 2 "unknown option '--brigdeName' (did you mean --bridgeName?)" net -pid 1 --brigdeName x
	fails 2 'flag needs an argument: --pid' net -pid
	fails 2 'one word too many' net setup teardown
	fails 2 'give one of' net setup -pid "$pid"
	fails 2 'neither true nor false' net setup --json=perhaps

	# Pids.
	for wrong in '' abc -1 0 1.5 ' 1' 0x1 1x 4294967296 99999999999999999999; do
		fails 1 "-pid '.*': not a whole number" net -pid "$wrong"
	done
	fails 1 "-pid 2147483647: no such process" net -pid 2147483647
	fails 1 "in our own network namespace" net -pid $$

	# Networks.
	for wrong in '' 10 10.0.0 10.0.0.0.0 300.0.0.1/24 abc 10.0.0.1/x 10.0.0.1/33 ::1/129 fd00::1/x; do
		fails 1 '-subnet' net setup -subnet "$wrong"
		fails 1 '-bridgeAddress' net setup -bridgeAddress "$wrong"
	done
	fails 1 'the prefix length is missing' net setup -subnet 10.0.0.0
	fails 1 'a prefix from /8 to /30' net setup -subnet 10.0.0.0/31
	fails 1 'a prefix from /8 to /30' net setup -subnet 10.0.0.0/7
	fails 1 'a prefix from /48 to /96' net setup -subnet 10.0.0.0/24,fd00::/97
	fails 1 'two networks of one family' net setup -subnet 10.0.0.0/24,10.1.0.0/24
	fails 1 'an IPv4 network is needed' net setup -subnet fd00::/64
	fails 1 "or its broadcast" net setup -bridgeAddress 10.0.0.0/24
	fails 1 "or its broadcast" net setup -bridgeAddress 10.0.0.255/24
	fails 1 'not a network that can be routed to' net setup -subnet 127.0.0.0/24
	fails 1 'not a network that can be routed to' net setup -subnet 224.0.0.0/24
	fails 1 'not a network that can be routed to' net setup -subnet 169.254.1.0/24
	fails 1 'take a unique local' net setup -subnet 10.0.0.0/24,fe80::/64
	fails 1 'say the same thing' net setup -subnet 10.0.0.0/24 -bridgeAddress 10.0.0.1/24
	fails 1 'collides with the route to 192.0.2.0/24' net setup -subnet 192.0.2.128/25
	fails 1 '-containerAddress' net -pid "$pid" -containerAddress nonsense
	fails 1 'give the IPv4 address' net -pid "$pid" -containerAddress fd00::2

	# Names and numbers.
	for flag in -bridgeName -ifname -vethNamePrefix; do
		for wrong in '' a/b 'a b' 'a:b' sixteen-letters- $'a\nb' '"; drop' .. -x all lo; do
			fails 1 "$flag" net -pid "$pid" "$flag=$wrong"
		done
	done
	for wrong in '' abc -1 0 1279 65536; do fails 1 "-mtu '.*': not a whole number" net setup -mtu "$wrong"; done
	fails 1 'neither auto, iptables nor nftables' net setup -firewall pf
	fails 1 'COSO_ID' env COSO_ID='a b' "$BIN/cosonet" -pid "$pid"
	fails 1 'COSO_ID' env COSO_ID="$(printf 'x%.0s' {1..65})" "$BIN/cosonet" -pid "$pid"
	fails 1 "COSO_ID isn't set" env -u COSO_ID "$BIN/cosonet" -release

	# Ports.
	for wrong in 80 80: :80 a:80 80:b 0:80 80:0 65536:80 80:65536 -1:80 80-79:80-79 80-81:80 80:80/sctp 80:80/ "80:80," ",80:80" 1.2.3:80:80 \
		300.1.1.1:80:80 ::1:80:80 1.2.3.4/24:80:80 80:80,80:81 80-90:80-90,85:1 " 80:80"; do
		fails 1 'COSO_PUBLISH' env COSO_PUBLISH="$wrong" "$BIN/cosonet" -pid "$pid"
	done
	nothing_made "$links"
	[ "$(inside a ip -o link | wc -l)" = 1 ]
}

@test "the command line and every value: one line, status 1 or 2, nothing made" { in_ns table; }

# CVE-2020-8554, and ports that somebody has.
ports() {
	world
	container a
	container b
	net setup -firewall "$1"
	publish() { COSO_ID=$1 COSO_PUBLISH=$2 net -pid "$(pid_of "$1")"; }
	fails 1 "8.8.8.8:53:53': the address isn't one of this host's" publish a 8.8.8.8:53:53
	fails 1 "the address isn't one of this host's" publish a $OUT4:53:53
	fails 1 "the address isn't one of this host's" publish a "[$OUT6]:53:53"
	fails 1 'a loopback address' publish a 127.0.0.1:80:80
	fails 1 'a loopback address' publish a '[::1]:80:80'
	socat TCP4-LISTEN:7070,bind=$HOST4 - >/dev/null 2>&1 3>&- </dev/zero &
	keep $!
	wait_for 3 has_port 7070
	fails 1 'a program of this host uses port 7070/tcp' publish a 7070:80
	fails 1 'a program of this host uses port 7070/tcp' publish a 7000-7100:7000-7100
	publish a 8080:80,$HOST4:8081:80 >/dev/null
	for taken in 8080:1 8000-8100:8000-8100 $HOST4:8080:1 "[$HOST6]:8080:1" 8081:1 0.0.0.0:8081:1; do
		fails 1 "container 'a' has published that port already" publish b "$taken"
	done
	[ "$(inside b ip -o link | wc -l)" = 1 ]
	publish b 8080:1/udp >/dev/null
	[ "$(net status --json | jq '.leases | length')" = 2 ]
}

has_port() { [ -n "$(ss -Hltn "sport = :$1")" ]; }

@test "iptables: publish-foreign-ip, and ports that a program or a container has, are refused" { in_ns ports iptables; }
@test "nftables: publish-foreign-ip, and ports that a program or a container has, are refused" { in_ns ports nftables; }

# The class of lxc-user-nic's holes: a namespace that the caller has no right to.
foreign() {
	world
	container a
	net setup
	# Root of a user namespace of its own, with a network namespace of its own, asks for a namespace of the host's.
	fails 1 "isn't yours to open" unshare -U -r -n "$BIN/cosonet" -pid "$(pid_of a)"
	# An ordinary user; also one to whom somebody lent capabilities.
	fails 1 'cosonet: ' setpriv --reuid 1000 --regid 1000 --clear-groups "$BIN/cosonet" -pid "$(pid_of a)"
	fails 1 'belongs to uid 0, not to you' setpriv --reuid 1000 --regid 1000 --clear-groups \
		--inh-caps +net_admin,+sys_admin,+sys_ptrace --ambient-caps +net_admin,+sys_admin,+sys_ptrace "$BIN/cosonet" -pid "$(pid_of a)"
	[ "$(inside a ip -o link | wc -l)" = 1 ]
	[ "$(net status --json | jq '.leases | length')" = 0 ]
}

@test "a pid in a network namespace that the caller has no right to is refused" { in_ns foreign; }
