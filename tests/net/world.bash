# SPDX-License-Identifier: GPL-2.0-or-later
# world.bash - a small world for the network tests, all of it inside in_ns: a host, an outside, and containers
#
# The sandbox's network namespace plays the host. `world` gives it an uplink to a namespace that plays the outside and knows no way
# to the containers' addresses, so that only NAT brings an answer back. A container is a process in a network namespace of its own.

HOST4=192.0.2.1 OUT4=192.0.2.2 HOST6=2001:db8::1 OUT6=2001:db8::2

# Ends what the test started, by pid, when its function returns or fails.
end_world() {
	local pid
	while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done <"$T/pids"
	while read -r pid; do wait_for 3 is_gone "$pid"; done <"$T/pids"
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }
keep() { echo "$1" >>"$T/pids"; }
in_own_ns() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

# container NAME: its pid is then in $T/NAME.pid
container() {
	unshare -n sleep 600 >/dev/null 2>&1 3>&- &
	keep $!
	disown $!
	echo $! >"$T/$1.pid"
	wait_for 3 in_own_ns $!
}

pid_of() { cat "$T/$1.pid"; }
inside() { local name=$1; shift; nsenter -n -t "$(pid_of "$name")" "$@"; }

# With its servers, which are in its namespace too.
end_container() {
	local pid
	for pid in "$(pid_of "$1")" $(cat "$T/$1.servers" 2>/dev/null); do
		kill -KILL "$pid"
		wait_for 3 is_gone "$pid"
	done
}

world() {
	HOST4=192.0.2.1 OUT4=192.0.2.2 HOST6=2001:db8::1 OUT6=2001:db8::2
	: >"$T/pids"
	trap end_world EXIT
	ip link set lo up
	container outside
	ip link add up0 type veth peer name out0 netns "$(pid_of outside)"
	ip address add $HOST4/24 dev up0
	ip -6 address add $HOST6/64 dev up0 nodad
	ip link set up0 up
	ip route add default via $OUT4
	inside outside ip link set lo up
	inside outside ip address add $OUT4/24 dev out0
	inside outside ip -6 address add $OUT6/64 dev out0 nodad
	inside outside ip link set out0 up
	ip -6 route add default via $OUT6
}

# attach NAME [OPTIONS]: cosonet's answer is then in $T/NAME.json
attach() {
	local name=$1
	shift
	COSO_ID=$name "$BIN/cosonet" -pid "$(pid_of "$name")" "$@" >"$T/$name.json"
}

# The container's address, of family 0 (IPv4) or 1 (IPv6); the gateway likewise.
address() { jq -er ".interfaces[0].addresses[$2]" "$T/$1.json" | cut -d/ -f1; }
gateway() { jq -er ".gateways[$2]" "$T/$1.json"; }

pings() { inside "$1" ping -n -q -c 1 -W 2 "$2" >/dev/null; }

# serve NAME PORT: over TCP and UDP, IPv4 and IPv6, answers with its name and the address that asked.
serve() {
	local kind
	for kind in TCP4-LISTEN:$2 UDP4-LISTEN:$2 TCP6-LISTEN:$2,ipv6only=1 UDP6-LISTEN:$2,ipv6only=1; do
		# Not by `inside`: $! has to be socat's own pid.
		nsenter -n -t "$(pid_of "$1")" socat "$kind,fork,reuseaddr" "SYSTEM:read line && echo $1 \$SOCAT_PEERADDR" >/dev/null 2>&1 3>&- &
		keep $!
		disown $!
		echo $! >>"$T/$1.servers"
	done
	wait_for 3 listens "$1" "$2"
}

listens() { [ "$(inside "$1" ss -Hlntu "sport = :$2" | wc -l)" -ge 4 ]; }

# ask WHO tcp|udp ADDRESS PORT: what the server says, or failure within a second. WHO is "host" or a container.
ask() {
	local who=$1 kind=$2 where=$3 port=$4 answer
	local run=(inside "$who")
	[ "$who" != host ] || run=()
	[[ $where != *:* ]] || where="[$where]"
	answer=$(echo | "${run[@]}" timeout 1 socat -t 1 -T 1 - "${kind^^}:$where:$port" 2>/dev/null | head -n 1) || true
	[ -n "$answer" ] && echo "$answer"
}

silent() { ! ask "$@"; }

says() {
	local expected=$1
	shift
	wait_for 2 ask "$@" >/dev/null
	[[ $(ask "$@") == "$expected"* ]] || { echo "expected '$expected' from: $*" >&2; return 1; }
}

# fails STATUS PATTERN CMD...: exactly one line on stderr, nothing on stdout, and that status.
fails() {
	local expected=$1 pattern=$2 status=0
	shift 2
	"$@" >"$T/stdout" 2>"$T/stderr" || status=$?
	if [ "$status" -ne "$expected" ] || [ -s "$T/stdout" ] || [ "$(wc -l <"$T/stderr")" -ne 1 ] || ! grep -q -e "$pattern" "$T/stderr"; then
		echo "expected status $expected and '$pattern' from: $*; got $status and:" >&2
		cat "$T/stdout" "$T/stderr" >&2
		return 1
	fi
}
