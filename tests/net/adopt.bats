# SPDX-License-Identifier: GPL-2.0-or-later
# adopt.bats - links of the host that become a container's, with all that they have; and those that can't
load ../helpers
load world

net() { "$BIN/cosonet" "$@"; }
adopt() { local name=$1; shift; net "$@" -pid "$(pid_of "$name")"; }

# link NAME: one end of a veth pair, with a MAC, an MTU and addresses of every kind; its other end is NAME-p.
link() {
	ip link add "$1" mtu 1400 address 02:00:00:00:0a:01 type veth peer name "$1-p"
	ip address add 198.18.0.9/24 brd 198.18.0.255 dev "$1"
	ip address add 198.18.0.10/24 dev "$1" noprefixroute
	ip address add 198.51.100.1 peer 198.51.100.2/32 dev "$1"
	ip address add 198.18.0.11/24 dev "$1" valid_lft 500 preferred_lft 500
	ip address add 203.0.113.12/24 dev "$1" scope link
	ip -6 address add 2001:db8:1::9/64 dev "$1" nodad
	ip -6 address add 2001:db8:1::a/64 dev "$1" nodad noprefixroute metric 77
	ip -6 address add 2001:db8:1::b/64 dev "$1" valid_lft 500 preferred_lft 500 nodad
	ip link set "$1-p" up
	ip link set "$1" up
}

# What there is to see of a link: name, state, MTU and MAC, then the addresses that count.
show() { ip -j address show dev "$1" | jq -r '.[0] | "\(.ifname) \(.flags | contains(["UP"])) \(.mtu) \(.address)",
	(.addr_info[] | select(.scope == "global") | "\(.local) \(.address // "-") \(.prefixlen) \(.broadcast // "-") \(.noprefixroute // false) \(.metric // 0) \(.tentative // false)")'; }
show_in() {
	declare -f show >"$T/.show"
	# shellcheck disable=SC2016 # the inner shell expands it
	inside "$1" bash -c 'source "$0"; show "$1"' "$T/.show" "$2"
}

all_of_it() {
	world
	container a
	link v0
	show v0 >"$T/before"
	adopt a -adopt v0 >"$T/out"
	[ ! -s "$T/out" ]
	show_in a v0 >"$T/after"
	# What was there for a time only isn't there any more.
	grep -Ev '198.18.0.11|2001:db8:1::b' "$T/before" | sort >"$T/expected"
	sort "$T/after" | diff "$T/expected" -
	[ "$(wc -l <"$T/expected")" = 6 ]
	lacks false <(head -n 1 "$T/after")
	! ip link show dev v0 2>/dev/null || return 1
	ip link set v0-p up
	ip address add 198.18.0.20/24 dev v0-p
	pings a 198.18.0.20
}

@test "ND-01 ND-02 ND-05 ND-06: MTU, MAC, permanent global addresses of both families; up, and reached" { in_ns all_of_it; }

names() {
	world
	container a
	local i new
	for i in 0 1 2 3 4; do ip link add "v$i" type veth peer name "p$i"; done
	adopt a -adopt v0:net0 -adopt v1:eth%d -adopt=v2:eth%d -adopt v3:a,b
	[ "$(inside a ip -j link | jq -r '[.[].ifname] | sort | join(" ")')" = 'a,b eth0 eth1 lo net0' ]
	[ "$(inside a ip -j link show up type veth | jq length)" = 4 ]
	# The name that it has is taken there, and a template gives it another.
	ip link add eth0 type veth peer name q0
	adopt a -adopt eth0:eth%d -v 2>"$T/err"
	new=$(sed -n "s/.*link 'eth0' of the host is '\(eth[2-9]\)' of the container/\1/p" "$T/err")
	inside a ip link show dev "$new"
	ip link property add dev v4 altname another-name-of-it 2>/dev/null || return 0
	adopt a -adopt another-name-of-it:short 2>/dev/null || adopt a -adopt v4:short
	inside a ip link show dev short
}

@test "ND-02 ND-04: another name, and templates" { in_ns names; }

refused() {
	world
	container a
	link v0
	ip link add taken type veth peer name taken-p
	inside a ip link add taken type veth peer name taken-p
	show v0 >"$T/before"
	local wrong
	fails 1 "adopt 'nothing': there is no such link on the host" adopt a -adopt nothing
	fails 1 "adopt 'taken': 'taken' is there already in the container's" adopt a -adopt taken
	fails 1 "adopt 'taken': 'lo' is there already" adopt a -adopt taken:lo
	fails 1 "adopt 'lo': " adopt a -adopt lo:lo1
	for wrong in '' . .. a/b 'a b' a:b 1234567890123456 $'a\tb' 'a%s' '%d%d' 'a%'; do
		fails 1 "invalid network device name" adopt a -adopt "v0:$wrong"
	done
	for wrong in '' . .. a/b 'a b' 1234567890123456 :x; do
		fails 1 "invalid network device name" adopt a -adopt "$wrong"
	done
	fails 1 'in our own network namespace' net -adopt v0 -pid $$
	fails 1 'no such process' net -adopt v0 -pid 2147483647
	fails 2 '-adopt goes with -pid PID' net -adopt v0 setup
	fails 2 'give one of' net -adopt v0
	show v0 | diff "$T/before" -
	[ "$(inside a ip -j link | jq length)" = 3 ]
}

@test "ND-01 ND-02 ND-03 ND-08: what can't be is said, and nothing is moved" { in_ns refused; }

undone() {
	world
	container a
	link v0
	ip link add v1 type veth peer name p1
	show v0 | grep -Ev '198.18.0.11|2001:db8:1::b' | sort >"$T/before"
	fails 1 "adopt 'nothing'" adopt a -adopt v0:x -adopt v1 -adopt nothing
	show v0 | sort | diff "$T/before" -
	[ "$(ip -j link show dev v1 | jq -r '.[0].flags | contains(["UP"])')" = false ]
	[ "$(inside a ip -j link | jq length)" = 1 ]
	# The second gets the first one's name, and the address of the third isn't possible there.
	fails 1 "adopt 'v1': 'x' is there already" adopt a -adopt v0:x -adopt v1:x
	inside a sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	fails 1 "adopt 'v0': add an address again" adopt a -adopt v1 -adopt v0
	show v0 | sort | diff "$T/before" -
	ip link show dev v1
	[ "$(inside a ip -j link | jq length)" = 1 ]
}

@test "all or nothing: what was moved comes back with its addresses" { in_ns undone; }

by_an_ordinary_user() {
	world
	container a
	ip link add v0 type veth peer name p0
	fails 1 'cosonet needs root\|isn.t yours' as_user 1000 "$BIN/cosonet" -adopt v0 -pid "$(pid_of a)"
	ip link show dev v0
}

@test "an ordinary user moves no link of the host" { in_ns by_an_ordinary_user; }
