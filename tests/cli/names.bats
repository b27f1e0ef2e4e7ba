# SPDX-License-Identifier: GPL-2.0-or-later
# names.bats - coso under the names of the programs that it unites takes their letters

load ../helpers
load comefrom

links() {
	host
	local name
	for name in barco MyDocker Gontainer; do ln -s "$BIN/coso" "$name"; done
}

# said CMD...: output and status of one of the links
said() {
	code=0
	timeout -k 5 30 "$@" >"$T/out" 2>"$T/err" || code=$?
}

barco_link() {
	links
	said ./barco -u 1000 -m ./root -c /bin/ls -a / </dev/null
	is status $code 0
	has '^marker$'
	said ./barco -u 1000 -m ./root -c "/bin/sh -c" -a 'id -u; id -g; cat /proc/self/status; ls /sys/class/net' -v </dev/null
	is status $code 0
	is ids "$(head -n 2 "$T/out" | paste -sd' ')" '1000 1000'
	has '^lo$'
	is Seccomp "$(value Seccomp)" 2
	is "capability 21" $((16#$(value CapBnd) >> 21 & 1)) 0
	has '^coso: pivot ' "$T/err"
	while_running './barco -u 0 -m ./root -c /bin/sh' limited 1073741824 64 2621 256
	said ./barco -u 0 -m
	is status $code 125
	has '^coso: flag needs an argument: -m' "$T/err"
	said ./barco -x
	is status $code 125
	has "barco: unknown option '-x'" "$T/err"
	said ./barco --help
	is status $code 0
	said ./barco -u 0 -m ./root -c /bin/false
	is status $code 1
}

@test "called as barco: -u -m -c -a -v" { in_ns barco_link; }

mydocker_link() {
	links
	said ./MyDocker -aU /bin/sh <<<"$LIST_NS; cat /proc/self/uid_map; ls /sys/class/net"
	is status $code 0
	new_namespaces $KINDS
	has '^lo$'
	said ./MyDocker -a /bin/sh <<<"$LIST_NS"
	is status $code 0
	new_namespaces pid mnt net uts ipc cgroup
	while_running './MyDocker -aUc -M 268435456 -C 50 -P 333 --rootfs=./root /bin/sh' mydocker_limits
	said ./MyDocker -aUc -C 101 /bin/sh
	is status $code 125
	has 'MyDocker: -C .percent.' "$T/err"
	said ./MyDocker -aUc -C
	is status $code 125
	has 'flag needs an argument: -C' "$T/err"
	said ./MyDocker -z
	is status $code 125
	has "MyDocker: unknown option '-z'" "$T/err"
	for word in '-M 0' '-M 4294967297' '-P 9' '-P 32769' '-I 9' '-I 1001' '-C 0'; do
		said ./MyDocker -aUc $word /bin/sh
		is "status of $word" $code 125
		is lines "$(wc -l <"$T/err")" 1
	done
}

mydocker_limits() { limited 268435456 333 512 59; }

@test "called as MyDocker: -a -U -c -M -C -P -I, with its ranges" {
	skip_unless "a controller of I/O weights" in_ns has_io_weight
	in_ns mydocker_link
}

gontainer_link() {
	links
	said ./Gontainer -run -uid -mnt=./root -uts -hostname=box -ipc -net -pid <<<"$LIST_NS; hostname; id -u; ls /marker; echo pid \$\$"
	is status $code 0
	new_namespaces user mnt uts ipc net pid
	for word in box 0 /marker 'pid 1'; do has "^$word\$"; done
	has '^coso: namespaces user pid mount network uts ipc$' "$T/err"
	said ./Gontainer -run -uid -uts <<<"$LIST_NS"
	new_namespaces user uts
	said ./Gontainer -v
	has '^coso [0-9]'
}

@test "called as Gontainer: -run -uid -mnt -uts -hostname -ipc -net -pid -v" { in_ns gontainer_link; }
