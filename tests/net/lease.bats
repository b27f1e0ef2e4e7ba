# SPDX-License-Identifier: GPL-2.0-or-later
# lease.bats - addresses: each once, many at a time, none left, given back; names as netsetgo has them
load ../helpers
load world

# containers COUNT: c0, c1, ...
containers() {
	local i
	for ((i = 0; i < $1; i++)); do container "c$i"; done
}

concurrent() {
	world
	containers 50
	local i pids=()
	# The bridge isn't there yet: one of them makes it, the others wait for that.
	for ((i = 0; i < 50; i++)); do
		COSO_ID=same "$BIN/cosonet" -pid "$(pid_of "c$i")" "$@" >"$T/c$i.json" 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	[ "$(cat "$T"/c*.json | jq -r '.interfaces[0].addresses[0]' | sort -u | wc -l)" = 50 ]
	[ "$(cat "$T"/c*.json | jq -r '.interfaces[0].addresses[1]' | sort -u | wc -l)" = 50 ]
	[ "$("$BIN/cosonet" status --json | jq '.leases | length')" = 50 ]
	pings c0 "$(address c49 0)"
	pings c49 "$(address c0 1)"
}

@test "50 at once, with one id, get 50 addresses" { in_ns concurrent; }
@test "50 at once with a -vethNamePrefix get 50 addresses" { in_ns concurrent -vethNamePrefix veth; }

concurrent_publish() {
	world
	containers 20
	local i pids=()
	for ((i = 0; i < 20; i++)); do
		COSO_ID=c$i COSO_PUBLISH=$((9000 + i)):80 "$BIN/cosonet" -pid "$(pid_of "c$i")" -firewall "$1" >"$T/c$i.json" 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	[ "$("$BIN/cosonet" status --json | jq '[.published[] | select(.family == "ipv4")] | length')" = 20 ]
}

@test "iptables: 20 at once publish a port each, and none is lost" { in_ns concurrent_publish iptables; }
@test "nftables: 20 at once publish a port each, and none is lost" { in_ns concurrent_publish nftables; }

exhausted() {
	world
	containers 6
	local i
	for ((i = 0; i < 5; i++)); do attach "c$i" -subnet 10.1.0.0/29; done
	fails 1 'network 10.1.0.0/29 of bridge .coso0. is exhausted: its 5 addresses are taken' attach c5
	[ ! -s "$T/c5.json" ]
	# A place that becomes free while one waits is taken.
	(sleep 0.3 && kill -KILL "$(pid_of c2)") 3>&- &
	attach c5
	[ "$(address c5 0)" = "$(address c2 0)" ]
	wait
}

@test "a full network says so, and waits for a place that becomes free" { in_ns exhausted; }

by_wish() {
	world
	containers 4
	attach c0 -bridgeName brg0 -bridgeAddress 10.10.10.1/24 -containerAddress 10.10.10.2/24 -vethNamePrefix veth
	[ "$(address c0 0)" = 10.10.10.2 ]
	[ "$(gateway c0 0)" = 10.10.10.1 ]
	ip link show veth0
	pings c0 10.10.10.1
	# What one way of naming took, the other doesn't give away.
	fails 1 '10.10.10.2: another container has it' attach c1 -bridgeName brg0 -containerAddress 10.10.10.2
	fails 1 '10.10.10.2: another container has it' attach c1 -bridgeName brg0 -containerAddress 10.10.10.2 -vethNamePrefix veth
	attach c1 -bridgeName brg0 -containerAddress 10.10.10.3 -ifname net1 -mtu 1400
	inside c1 ip link show net1 | grep -q "mtu 1400"
	fails 1 '10.10.10.3: another container has it' attach c2 -bridgeName brg0 -containerAddress 10.10.10.3 -vethNamePrefix veth
	for wrong in 10.10.10.1 10.10.10.0 10.10.10.255 10.10.11.5; do
		fails 1 "$wrong: not an address for a container" attach c2 -bridgeName brg0 -containerAddress $wrong
	done
	fails 1 "has an interface 'net1' already" attach c1 -bridgeName brg0 -ifname net1
	attach c2 -no-ipv6 -bridgeName four -subnet 10.20.0.0/24
	[ "$(jq '.gateways | length' "$T/c2.json")" = 1 ]
	inside c2 ip -6 address show dev eth0 >"$T/out" # v6-off-means-off
	lacks inet6
	ip -6 address show dev four >"$T/out"
	lacks inet6
}

@test "addresses, names and MTU as they are asked for; IPv6 off means off" { in_ns by_wish; }

# A rule that outlived its container points at an address: whoever gets that next must not get the rule.
stale_rules() {
	world
	containers 3
	COSO_PUBLISH=8080:80 attach c0 -firewall "$1" "${@:2}"
	local old
	old=$(address c0 0)
	end_container c0
	wait_for 3 is_unlinked "$(jq -r '.interfaces[0].host' "$T/c0.json")"
	attach c1
	[ "$(address c1 0)" != "$old" ] || [ "$("$BIN/cosonet" status --json | jq '.published | length')" = 0 ]
	COSO_ID=c0 COSO_PUBLISH=9090:80 "$BIN/cosonet" -pid "$(pid_of c2)" >"$T/c2.json"
	[ "$("$BIN/cosonet" status --json | jq -c '[.published[].host_port] | unique')" = '[9090]' ] ||
		[ "$(address c2 0)" != "$old" ]
	"$BIN/cosonet" setup # any later run sweeps the dead
	[ "$("$BIN/cosonet" status --json | jq -c '[.published[].host_port] | unique')" = '[9090]' ]
}

is_unlinked() { ! ip link show "$1" 2>/dev/null; }

@test "iptables: rules of a container that was killed don't serve the next" { in_ns stale_rules iptables; }
@test "nftables: rules of a container that was killed don't serve the next" { in_ns stale_rules nftables; }
@test "iptables: nor in a network too small to be halved" { in_ns stale_rules iptables -subnet 10.1.0.0/29; }
@test "nftables: nor in a network too small to be halved" { in_ns stale_rules nftables -subnet 10.1.0.0/29; }

too_many_ports() {
	world
	containers 2
	attach c0
	local i
	{
		for ((i = 0; i < 1022; i++)); do echo "link add p$i master coso0 type veth peer name q$i"; done
	} >"$T/batch"
	ip -batch "$T/batch"
	fails 1 "bridge 'coso0' is full: the kernel takes 1,023 ports per bridge" attach c1
	! inside c1 ip link show eth0 || return 1
	ip link delete p7
	attach c1
}

@test "the kernel's 1,023 ports per bridge are a clear error" { in_ns too_many_ports; }
