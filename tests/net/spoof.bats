# SPDX-License-Identifier: GPL-2.0-or-later
# spoof.bats - a container can't send as its neighbour or as its gateway, with either firewall
load ../helpers
load world

# forge FROM KIND: frames from a container's own end, with a raw socket, as its neighbour b or as the gateway.
forge() {
	inside "$1" python3 - "$2" "$(address b 0)" "$(address b 1)" "$(gateway b 0)" "$(gateway b 1)" \
		"$(jq -r '.interfaces[0].mac' "$T/b.json")" "$(jq -r '.interfaces[0].mac' "$T/$1.json")" "$(address "$1" 0)" "$(address "$1" 1)" <<-'EOF'
		import socket, struct, sys
		kind, b4, b6, gateway4, gateway6, mac_b, mac, own4, own6 = sys.argv[1:]
		b4, gateway4, own4 = (socket.inet_aton(a) for a in (b4, gateway4, own4))
		b6, gateway6, own6 = (socket.inet_pton(socket.AF_INET6, a) for a in (b6, gateway6, own6))
		mac, mac_b = (bytes.fromhex(m.replace(":", "")) for m in (mac, mac_b))
		all_macs, all_nodes = b"\xff" * 6, socket.inet_pton(socket.AF_INET6, "ff02::1")

		def total(data):
		    data += b"\0" * (len(data) % 2)
		    rest = sum(struct.unpack(f"!{len(data) // 2}H", data))
		    while rest >> 16:
		        rest = (rest & 0xffff) + (rest >> 16)
		    return ~rest & 0xffff

		def arp(of):
		    return all_macs + mac + struct.pack("!HHHBBH", 0x806, 1, 0x800, 6, 4, 2) + mac + of + all_macs + of

		def advertise(of, source, options=b""):
		    body = struct.pack("!BBHI", 136, 0, 0, 0x20000000) + of + b"\2\1" + mac
		    pseudo = source + all_nodes + struct.pack("!II", len(body), 58)
		    body = body[:2] + struct.pack("!H", total(pseudo + body)) + body[4:]
		    head = struct.pack("!IHBB", 6 << 28, len(options) + len(body), 60 if options else 58, 255)
		    return b"\x33\x33\0\0\0\1" + mac + b"\x86\xdd" + head + source + all_nodes + options + body

		def ping(source_mac, source):
		    body = struct.pack("!BBHHH", 8, 0, 0, 77, 1)
		    body = body[:2] + struct.pack("!H", total(body)) + body[4:]
		    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, 1, 0) + source + gateway4
		    head = head[:10] + struct.pack("!H", total(head)) + head[12:]
		    return all_macs + source_mac + b"\x08\x00" + head + body

		frames = {
		    "arp": [arp(b4), arp(gateway4)],
		    "nd": [advertise(b6, b6), advertise(b6, own6), advertise(b6, own6, bytes([58, 0, 1, 4, 0, 0, 0, 0])), advertise(gateway6, own6)],
		    "mac": [ping(mac_b, own4)],
		    "ip": [ping(mac, b4)],
		}
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
		s.bind(("eth0", 0))
		for frame in frames[kind]:
		    for _ in range(3):
		        s.send(frame)
	EOF
}

# What the host and the neighbour c know of each other's MAC addresses, and of those of b and of the gateway.
neighbours() {
	ip neighbour show to "$(address b "$1")" dev coso0 | grep -o 'lladdr [^ ]*'
	inside c ip neighbour show to "$(address b "$1")" | grep -o 'lladdr [^ ]*'
	inside c ip neighbour show to "$(gateway b "$1")" | grep -o 'lladdr [^ ]*'
}

echoes() { awk '/^Icmp: [0-9]/ { print $10 }' /proc/net/snmp; } # InEchos
port_of() { bridge fdb show br coso0 | awk -v mac="$1" '$1 == mac && !/permanent/ { print $3 }'; }

spoof_off() {
	local family before at
	world
	container a
	container b
	container c
	attach a -firewall "$1" $2
	attach b $2
	attach c $2
	# All know each other.
	for family in 0 1; do
		pings b "$(gateway b $family)"
		pings c "$(gateway b $family)"
		pings c "$(address b $family)"
		ping -n -q -c 1 -W 2 "$(address b $family)" >/dev/null
	done
	at=$(port_of "$(jq -r '.interfaces[0].mac' "$T/b.json")")
	[ "$at" = "$(jq -r '.interfaces[0].host' "$T/b.json")" ]
	for family in 0 1; do
		before=$(neighbours $family)
		[ "$(wc -l <<<"$before")" = 3 ]
		forge a "$([ $family = 0 ] && echo arp || echo nd)"
		pings a "$(gateway a $family)" # behind them on the same way, so they have arrived
		pings a "$(address c $family)"
		[ "$(neighbours $family)" = "$before" ] || { diff <(echo "$before") <(neighbours $family) >&2; return 1; }
	done
	before=$(echoes)
	forge a mac
	forge a ip
	pings a "$(gateway a 0)"
	[ "$(echoes)" = $((before + 1)) ] || { echo "the host took forged packets: $before, $(echoes)" >&2; return 1; }
	[ "$(port_of "$(jq -r '.interfaces[0].mac' "$T/b.json")")" = "$at" ]
	# An address or a MAC that a container gives itself leads nowhere.
	inside a ip address add "$(address b 0)/32" dev eth0
	! inside a ping -n -q -c 1 -W 1 -I "$(address b 0)" "$(gateway a 0)" >/dev/null || return 1
	inside a ip link set eth0 address "$(jq -r '.interfaces[0].mac' "$T/b.json")"
	! inside a ping -n -q -c 1 -W 1 "$(gateway a 0)" >/dev/null || return 1
	pings b "$(gateway b 0)"
}

@test "iptables: spoof-off: no container sends with another's MAC or addresses" { in_ns spoof_off iptables ''; }
@test "nftables: spoof-off: no container sends with another's MAC or addresses" { in_ns spoof_off nftables ''; }
@test "spoof-off: nor where the links have names of their own" { in_ns spoof_off auto '-vethNamePrefix cov'; }

# A cloud's metadata service, and its name server, played by the outside: whoever isn't kept from it reaches it, on both families.
metadata() {
	local box port
	world
	inside outside ip address add 169.254.169.254/32 dev lo
	inside outside ip -6 address add fd00:ec2::254/128 dev lo nodad
	ip route add 169.254.169.254 via $OUT4
	ip -6 route add fd00:ec2::254 via $OUT6
	serve outside 80
	for port in 53 80; do # answers by UDP have to come from that address
		nsenter -n -t "$(pid_of outside)" socat UDP4-LISTEN:$port,bind=169.254.169.254,fork,reuseaddr 'SYSTEM:read line && echo outside' >/dev/null 2>&1 3>&- &
		keep $!
	done
	container a
	container b
	attach a -firewall "$1"
	COSO_METADATA=no attach b -firewall "$1"
	says outside a tcp 169.254.169.254 80
	says outside a tcp fd00:ec2::254 80
	says outside a udp 169.254.169.254 80
	says outside b udp 169.254.169.254 53 # names are still looked up
	for box in a b; do
		says outside $box tcp $OUT4 80
		says outside $box udp $OUT6 80
	done
	silent b tcp 169.254.169.254 80
	silent b udp 169.254.169.254 80
	silent b tcp fd00:ec2::254 80
	silent b udp fd00:ec2::254 80
	# Not as the container's own link-local address, nor past a router that it chooses.
	inside b ip address add 169.254.1.1/16 dev eth0
	silent b tcp 169.254.169.254 80
	fails 1 COSO_METADATA env COSO_METADATA=never "$BIN/cosonet" -pid "$(pid_of b)"
	# The launcher passes it on.
	! "$BIN/coso" --rootfs "$PROBE" --network none --no-metadata /bin/probe true 2>"$T/err" || return 1
	grep -q -- '--no-metadata: there is no network' "$T/err"
	"$BIN/coso" --rootfs "$ROOTFS" --network "$BIN/cosonet" sh -c 'echo | nc -w 2 169.254.169.254 80' | grep -q outside
	! "$BIN/coso" --rootfs "$ROOTFS" --network "$BIN/cosonet" --no-metadata sh -c 'echo | nc -w 2 169.254.169.254 80' | grep -q outside || return 1
}

@test "iptables: metadata-blocked: --no-metadata" { in_ns metadata iptables; }
@test "nftables: metadata-blocked: --no-metadata" { in_ns metadata nftables; }

# A kernel without cls_bpf: cosonet asks for a classifier that none has.
lesser_kernel() {
	local run=("$BIN/coso" --rootfs "$PROBE" --network)
	"${run[@]}" "$BIN/cosonet" /bin/probe exit 0 2>"$T/err"
	[ ! -s "$T/err" ]
	sed -z 's/^bpf$/bqf/' "$BIN/cosonet" >"$T/cosonet"
	chmod 755 "$T/cosonet"
	"${run[@]}" "$T/cosonet" /bin/probe ping 10.209.0.1 >"$T/out" 2>"$T/err"
	[ "$(wc -l <"$T/err")" = 1 ]
	grep -q "^coso: warning: network: containers can send under each other's addresses: this kernel lacks .*cls_bpf" "$T/err"
}

@test "spoof-off: a kernel that can't do it: the container runs, and its user is warned" { in_ns lesser_kernel; }
