# SPDX-License-Identifier: GPL-2.0-or-later
# coso.bats - coso and cosonet together: containers that reach each other and the outside, and are reached, over both firewalls

load ../helpers
load world

needs_firewall() {
	case $1 in
	iptables) skip_unless "legacy iptables with NAT" in_ns iptables-legacy -t nat -S ;;
	nftables) skip_unless "nftables with NAT" in_ns nft 'add table ip x; add chain ip x y { type nat hook postrouting priority 100; }' ;;
	esac
}

# start FIREWALL: the world, and $NETWORK: cosonet with this back end. The environment of a network executable is clean, so that
# options come by way of a script.
start() {
	NETWORK=$T/cosonet
	printf '#!/bin/sh\nexec "%s/cosonet" -firewall %s "$@"\n' "$BIN" "$1" >"$NETWORK"
	chmod 755 "$NETWORK"
	world
	"$NETWORK" setup
	coso true
	wait_for 5 settled
}

# No veth of a container that has ended, no address whose duplicate is still looked for.
settled() { no_veth && [ -z "$(ip -6 address show tentative)" ]; }
no_veth() { [ -z "$(ip -o link show master coso0)" ]; }

# The probe as a volume, from a file system that can be id-mapped.
coso() {
	[ -e "$T/probe" ] || cp "$BIN/probe" "$T/probe"
	"$BIN/coso" --rootfs "$ROOTFS" --network "$NETWORK" --volume "$T/probe:/bin/probe:ro" "$@" </dev/null
}

# up NAME [FLAG...] [COMMAND...]: a detached container; its addresses are then in $NAME4 and $NAME6.
up() {
	local name=$1
	shift
	coso --detach --rm --name "$name" "$@" >/dev/null
	printf -v "${name}4" %s "$(address_of "$name" '[0-9.]*')"
	printf -v "${name}6" %s "$(address_of "$name" 'fd[0-9a-f:]*')"
}

address_of() { "$BIN/coso" logs "$1" >/dev/null && in_container "$1" cat /etc/hosts | sed -n "s/^\($2\)[[:space:]]$1\$/\1/p"; }
pid_in() { "$BIN/coso" ps --json | jq -er ".[] | select(.id == \"$1\") | .pid"; }

# In the container's namespaces, but as the host's root.
in_container() {
	local pid
	pid=$(pid_in "$1")
	shift
	nsenter -t "$pid" -n -m -p "$@"
}

down() {
	local name
	for name; do "$BIN/coso" rm --force "$name"; done
	for name; do wait_for 5 test ! -e "/run/coso/$name"; done
}

# asks WHO tcp|udp ADDRESS PORT: whether it echoes; WHO is host, or a namespace of the world's.
asks() {
	local who=$1 run=()
	shift
	[ "$who" = host ] || run=(inside "$who")
	"${run[@]}" "$BIN/probe" send "$@" "from $who" >"$T/answer" && grep -qxF "answer=from $who" "$T/answer"
}

answered() { wait_for 3 asks "$@"; }
refuses() { ! asks "$@" || { echo "answered: $*" >&2; return 1; }; }
is() { [ "$2" = "$3" ] || { echo "$1 is '$2' instead of '$3'" >&2; return 1; }; }

neighbours() {
	start "$1"
	session() {
		up left sleep 60
		up right sleep 60
		[ -n "$left4" ]
		[ -n "$left6" ]
		[ "$left4" != "$right4" ]
		[ "$left6" != "$right6" ]
		local to
		for to in "$right4" 10.209.0.1; do in_container left ping -c 1 -W 3 "$to"; done
		for to in "$right6" "$(ip -6 -br address show coso0 | grep -o 'fd[0-9a-f:]*' | head -n 1)"; do
			in_container left ping -6 -c 1 -W 3 "$to"
		done
		in_container right ping -c 1 -W 3 "$left4"
		in_container right ping -6 -c 1 -W 3 "$left6"
		# As a program of the container would, with no more than its own rights.
		coso probe ping "$right4"
		coso probe ping "$right6"
		coso --user 1000:1000 probe ping "$right4"
		down left right
	}
	unchanged session >"$T/log"
}

@test "iptables: two containers ping each other and the bridge, over IPv4 and IPv6" {
	needs_firewall iptables
	in_ns neighbours iptables
}

@test "nftables: two containers ping each other and the bridge, over IPv4 and IPv6" {
	needs_firewall nftables
	in_ns neighbours nftables
}

nat() {
	start "$1"
	nsenter -n -t "$(pid_of outside)" "$BIN/probe" tcp 7000 >"$T/served" 2>&1 3>&- &
	keep $!
	disown $!
	wait_for 3 grep -q listening "$T/served"
	unchanged coso /bin/probe send tcp $OUT4 7000 hello >"$T/out"
	grep -qx 'answer=hello' "$T/out"
	unchanged coso /bin/probe send tcp $OUT6 7000 hello >"$T/out"
	grep -qx 'answer=hello' "$T/out"
	# The outside saw the host's addresses, and has no way to a container's.
	is peers "$(sed -n 's/^peer=\(::ffff:\)\?//p' "$T/served" | paste -sd' ')" "$HOST4 $HOST6"
	session() {
		up box /bin/probe tcp 80
		answered host tcp "$box4" 80
		answered host tcp "$box6" 80
		inside outside ip route replace "$box4" via $HOST4
		inside outside ip -6 route replace "$box6" via $HOST6
		refuses outside tcp "$box4" 80
		refuses outside tcp "$box6" 80
		down box
	}
	unchanged session
}

@test "iptables: NAT to the outside, and nothing unpublished is reached from there" {
	needs_firewall iptables
	in_ns nat iptables
}

@test "nftables: NAT to the outside, and nothing unpublished is reached from there" {
	needs_firewall nftables
	in_ns nat nftables
}

published() {
	start "$1"
	session() {
		local who to
		up web --publish 8080:80 --publish 8090-8092:90-92 --publish $HOST4:8200:80 /bin/probe tcp 80
		up dns --publish 8053:53/udp /bin/probe udp 53
		for who in outside host; do
			for to in $HOST4 $HOST6; do
				answered "$who" tcp "$to" 8080
				answered "$who" udp "$to" 8053
				refuses "$who" tcp "$to" 8053
				refuses "$who" tcp "$to" 8091 # published, but nothing listens there
			done
			answered "$who" tcp $HOST4 8200
			refuses "$who" tcp $HOST6 8200
		done
		coso /bin/probe send tcp $HOST4 8080 hello >"$T/out"
		grep -qx 'answer=hello' "$T/out"
		# A port that is taken is an error, and nothing of that container is left.
		! coso --name late --publish 8080:81 true 2>"$T/err" || return 1
		is lines "$(wc -l <"$T/err")" 1
		grep -q 8080 "$T/err"
		[ ! -e /run/coso/late ]
		down web dns
		refuses outside tcp $HOST4 8080
		coso --publish 8080:80 true
	}
	unchanged session
}

@test "iptables: published TCP and UDP ports answer from outside and from the host" {
	needs_firewall iptables
	in_ns published iptables
}

@test "nftables: published TCP and UDP ports answer from outside and from the host" {
	needs_firewall nftables
	in_ns published nftables
}

files() {
	start auto
	unchanged coso --name box --hostname web --add-host db:192.0.2.9 sh -c 'cat /etc/hosts /etc/hostname; ip -o address show eth0' >"$T/out"
	local address
	for address in $(sed -n 's/.*inet6\? \([0-9a-f.:]*\)\/.*/\1/p' "$T/out" | grep -v '^fe80'); do
		grep -qx "${address}[[:space:]]web" "$T/out"
	done
	is addresses "$(grep -cx '.*[[:space:]]web' "$T/out")" 2
	grep -qx '192.0.2.9[[:space:]]db' "$T/out"
	grep -qx 'web' "$T/out"
	coso --cap-add NET_RAW --hostname web ping -c 1 -W 3 web >/dev/null
	is resolv.conf "$(coso --dns 192.0.2.53 --dns 2001:db8::53 cat /etc/resolv.conf | paste -sd' ')" \
		"nameserver 192.0.2.53 nameserver 2001:db8::53"
	coso cat /etc/resolv.conf >"$T/out"
	lacks '^nameserver (127\.|::1)'
}

@test "/etc/hosts has the container's addresses, and /etc/resolv.conf the name servers" { in_ns files; }

other_networks() {
	start auto
	links() { "$BIN/coso" --rootfs "$ROOTFS" --network "$1" ls /sys/class/net | paste -sd' '; }
	is "links with none" "$(links none)" lo
	is "links with host" "$(links host)" "$(ls /sys/class/net | paste -sd' ')"
	# lo is up and works in each.
	coso --network none sh -c 'probe ping 127.0.0.1 && probe ping ::1' >/dev/null
	session() {
		up first /bin/probe tcp 80
		is "address in container:first" "$(coso --network container:first ip -o -4 address show eth0 | grep -o "$first4/")" "$first4/"
		coso --network container:first /bin/probe send tcp 127.0.0.1 80 neighbour >"$T/out"
		grep -qx answer=neighbour "$T/out"
		coso --network container:first --userns host /bin/probe send tcp "$first6" 80 neighbour >"$T/out"
		grep -qx answer=neighbour "$T/out"
		down first
	}
	unchanged session
	printf 'nameserver 127.0.0.53\nnameserver 192.0.2.53\n' >"$T/resolv"
	mount --bind "$T/resolv" /etc/resolv.conf
	up first sleep 100
	coso --network container:first cat /etc/resolv.conf >"$T/out"
	lacks '127\.'
	grep -qx 'nameserver 192.0.2.53' "$T/out"
	! coso --network container:first --publish 80:80 true 2>"$T/err" || return 1
	grep -q 'no network to publish from (--network container:first)' "$T/err"
	down first
	! coso --network container:first true 2>"$T/err" || return 1
	grep -q 'no such container runs' "$T/err"
	! coso --network none --publish 80:80 true 2>"$T/err" || return 1
	grep -q -- --publish "$T/err"
}

@test "--network none, host and container:ID" { in_ns other_networks; }

# Ids are of one folder of states: another's container of that name keeps its ports.
same_names() {
	start "$1"
	"$BIN/coso" --root "$T/other" --rootfs "$PROBE" --network "$NETWORK" --detach --rm --name box --publish 8080:80 /bin/probe tcp 80 >/dev/null
	answered outside tcp $HOST4 8080
	coso --name box --publish 8081:80 true
	"$BIN/cosonet" status >"$T/out"
	grep -q 8080 "$T/out"
	lacks 8081
	answered outside tcp $HOST4 8080
	"$BIN/coso" --root "$T/other" rm --force box
	refuses outside tcp $HOST4 8080
}

@test "iptables: a container of the same name below another --root keeps its ports" {
	needs_firewall iptables
	in_ns same_names iptables
}

@test "nftables: a container of the same name below another --root keeps its ports" {
	needs_firewall nftables
	in_ns same_names nftables
}

many() {
	start "$1"
	crowd() {
		local i pids=()
		for i in {1..12}; do
			coso --name "many$i" --publish $((9000 + i)):80 sh -c 'ip -o -4 address show eth0; probe ping 10.209.0.1' >"$T/many$i" 2>&1 &
			pids+=($!)
		done
		for i in "${pids[@]}"; do wait "$i" || { cat "$T"/many*; return 1; }; done
	}
	unchanged crowd
	is addresses "$(cat "$T"/many* | grep -o 'inet [0-9.]*' | sort -u | wc -l)" 12
}

@test "iptables: twelve at a time, each with an address and a port of its own; nothing is left" {
	needs_firewall iptables
	in_ns many iptables
}

@test "nftables: twelve at a time, each with an address and a port of its own; nothing is left" {
	needs_firewall nftables
	in_ns many nftables
}

killed() {
	start "$1"
	session() {
		"$BIN/coso" --rootfs "$PROBE" --network "$NETWORK" --name box --publish 8080:80 /bin/probe tcp 80 </dev/null >"$T/out" &
		local pid=$! # coso's own, not a subshell's
		answered outside tcp $HOST4 8080
		kill -KILL $pid
		wait $pid || true
		"$BIN/coso" ps >/dev/null
		refuses outside tcp $HOST4 8080
		wait_for 5 no_veth
		coso --name box --publish 8080:80 true
	}
	unchanged session
}

@test "iptables: after kill -9 of coso the next command takes the port and the lease back" {
	needs_firewall iptables
	in_ns killed iptables
}

@test "nftables: after kill -9 of coso the next command takes the port and the lease back" {
	needs_firewall nftables
	in_ns killed nftables
}
