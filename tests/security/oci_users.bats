# SPDX-License-Identifier: GPL-2.0-or-later
# oci_users.bats - who a process of the OCI runtime becomes, and what it may do then

load ../helpers
load common
load ../cli/common
load ../oci/common
load oci

# A root whose passwd and group have lines with numbers for names, all of which would make one root.
trap_users() {
	hostile "$1"
	printf '%s:x:0:0::/:/bin/sh\n' 1000 1 01 0x1 +1 -1 4294967295 4294967296 '' one >"$ROOT/etc/passwd"
	printf '%s:x:0:\n' 1000 1 01 0x1 +1 -1 4294967295 4294967296 '' one >"$ROOT/etc/group"
}

ids_are() {
	local name
	for name in uid euid suid; do
		is $name "$1"
	done
	for name in gid egid sgid; do
		is $name "$2"
	done
	is groups "$3"
}

numeric_trap() {
	trap_users box
	up box '.process.user = { uid: 1000, gid: 1000, additionalGids: [1] }' hold 0
	oci exec box /bin/probe ids
	ids_are 1000 1000 1
	oci exec --user 1000 box /bin/probe ids
	ids_are 1000 1000 1
	oci exec --user 1 --additional-gids 1 box /bin/probe ids
	ids_are 1 1000 1
	jq '.process | .args = ["/bin/probe", "ids"] | .user = { uid: 1, gid: 1 }' "$T/box/config.json" >"$T/process"
	oci exec --process "$T/process" box
	ids_are 1 1 ''
	gone box
	trap_users c
	runs '.process.user = { uid: 1000, gid: 1000, additionalGids: [1] }' ids
	ids_are 1000 1000 1
}

@test "user-numeric-passwd-trap: OCI: a number is a number, whatever names the image has" { in_ns clean numeric_trap; }

# Refused before anything runs.
no_user() {
	oci exec "--user=$1" box /bin/probe ids
	fails 255 --user
}

user_matrix() {
	local text
	trap_users box
	up box '.process.user = { uid: 5, gid: 6 }' hold 0
	oci exec --user 1 box /bin/probe ids
	ids_are 1 6 ''
	oci exec --user 01 box /bin/probe ids
	ids_are 1 6 ''
	oci exec --user 1:2 box /bin/probe ids
	ids_are 1 2 ''
	oci exec --user 2147483648:4294967294 box /bin/probe ids
	ids_are 2147483648 4294967294 ''
	for text in '' : 1: :1 0x1 +1 ' 1' '1 ' $'1\n' -1 1:-1 1:+2 '1: 2' 1:2:3 1e0 1.0 root one one:one 1:one 4294967295 1:4294967295 4294967296 \
		4294967297 18446744073709551615 18446744073709551616 99999999999999999999999; do
		no_user "$text" || { echo "(--user '$text')" >&2; return 1; }
		[ "$text" = '' ] || [[ $text =~ ^[0-9]+:[0-9]+$ ]] || {
			oci exec "--additional-gids=${text#1:}" box /bin/probe ids
			fails 255 --additional-gids || { echo "(--additional-gids '$text')" >&2; return 1; }
		}
	done
	gone box
}

@test "exec-user-matrix, uid-overflow: OCI: every way to write a user" { in_ns clean user_matrix; }

config_matrix() {
	local value key
	hostile box
	up box . hold 0
	hostile
	for value in '"1"' '"root"' '"one"' -1 1.5 1e0 true '[]' '{}' 4294967295 4294967296 18446744073709551616 -2147483648; do
		for key in uid gid; do
			bundle c "del(.process.user.$key)" ids
			sed -i "0,/\"user\": {/s//&\"$key\": $value,/" "$T/c/config.json" # as it is written: jq would round it
			oci create --bundle "$T/c" c
			[ $status = 1 ] || { echo "$key $value: $status $(<"$T/out")" >&2; return 1; }
			fails 1 "user.*$key|config.json"
			printf '{ "args": ["/bin/probe", "ids"], "cwd": "/", "user": { "%s": %s } }' $key "$value" >"$T/process"
			oci exec --process "$T/process" box
			fails 255 "user.*$key|process" || { echo "(exec with $key $value)" >&2; return 1; }
		done
	done
	gone box
}

@test "uid-overflow: OCI: what isn't an id in a configuration is refused, and never becomes root" { in_ns clean config_matrix; }

other_passwd() {
	rm -rf "${ROOT:?}/etc/passwd"
	case $1 in
	fifo) mkfifo "$ROOT/etc/passwd" ;;
	giant) truncate -s 10G "$ROOT/etc/passwd" ;;
	zero) ln -s /dev/zero "$ROOT/etc/passwd" ;;
	kmsg) ln -s /proc/kmsg "$ROOT/etc/passwd" ;;
	loop) ln -s passwd "$ROOT/etc/passwd" ;;
	folder) mkdir "$ROOT/etc/passwd" ;;
	outside) echo 'u:x:1000:1000::/of-the-host:/bin/sh' >"$CANARY/file" && ln -s "../../../../../../../../../..$CANARY/file" "$ROOT/etc/passwd" ;;
	esac
}

# The home folder is looked for in the image's passwd: within bounds of time and memory, and never outside.
hostile_passwd() {
	local kind before=$SECONDS
	make_canary
	for kind in fifo giant zero kmsg loop folder outside; do
		hostile
		other_passwd $kind
		runs '.process.user = { uid: 1000, gid: 1000 } | .process.env = ["PATH=/bin"]' ids env
		ids_are 1000 1000 ''
		is env.HOME /
	done
	hostile box
	up box '.process.env = ["PATH=/bin"]' hold 0
	for kind in fifo giant zero kmsg loop folder outside; do
		other_passwd $kind
		oci exec --user 1000:1000 box /bin/probe ids env
		ended 0
		ids_are 1000 1000 ''
		is env.HOME /
	done
	gone box
	((SECONDS - before < 15 * ${COSO_TEST_PATIENCE:-1}))
}

@test "passwd-fifo, passwd-10GB, passwd-symlink: OCI: none is waited for, read for ever, or the host's" { in_ns clean hostile_passwd; }

# sets_are INHERITABLE PERMITTED EFFECTIVE BOUNDING AMBIENT: in hexadecimal.
sets_are() {
	local name
	for name in CapInh CapPrm CapEff CapBnd CapAmb; do
		is $name "$(printf %016x "0x$1")"
		shift
	done
	is securebits 0
	is keepcaps 0
}

export no_caps='.process.capabilities = {}'
export all_caps='.process.capabilities = (["CAP_CHOWN", "CAP_KILL"] | { bounding: ., effective: ., permitted: ., inheritable: ., ambient: . })'

caps_exact() {
	local user='.process.user = { uid: 1000, gid: 1000 }' filter
	for filter in . "$OWN_USERS | .root.readonly = true"; do
		hostile
		runs "$filter" caps
		sets_are 0 20000420 20000420 20000420 0
		runs "$filter | $user" caps
		sets_are 0 0 0 20000420 0
		runs "$filter | $no_caps" caps
		sets_are 0 0 0 0 0
		runs "$filter | del(.process.capabilities)" caps
		sets_are 0 0 0 0 0
		runs "$filter | $all_caps" caps
		sets_are 21 21 21 21 21
		runs "$filter | $all_caps | $user" caps
		sets_are 21 21 21 21 21
		up box "$filter | .process.noNewPrivileges = false" hold 0
		oci exec box /bin/probe caps
		sets_are 0 20000420 20000420 20000420 0
		oci exec --user 1000:1000 box /bin/probe caps
		sets_are 0 0 0 20000420 0
		oci exec --cap CAP_CHOWN box /bin/probe caps
		sets_are 0 20000421 20000421 20000421 0
		oci exec --cap CAP_CHOWN --user 1000 box /bin/probe caps
		sets_are 0 0 0 20000421 0
		jq "$no_caps | .process | .args = [\"/bin/probe\", \"caps\"]" "$T/box/config.json" >"$T/process"
		oci exec --process "$T/process" box
		sets_are 0 0 0 0 0
		gone box
	done
}

@test "caps-exact: OCI: the five sets are what was asked for, at run, exec and exec --cap" { in_ns clean caps_exact; }

with_inheritable() {
	local some=+chown,+net_raw,+sys_admin
	hostile box
	bundle box '.process.noNewPrivileges = false' caps
	setpriv --inh-caps $some --ambient-caps $some "$BIN/coso-oci" run --bundle "$T/box" box >"$T/out" 2>"$T/err" </dev/null
	sets_are 0 20000420 20000420 20000420 0
	up box '.process.noNewPrivileges = false' hold 0
	setpriv --inh-caps $some --ambient-caps $some "$BIN/coso-oci" exec --cap CAP_CHOWN box /bin/probe caps >"$T/out" 2>"$T/err" </dev/null
	sets_are 0 20000421 20000421 20000421 0
	gone box
}

@test "caps-exact: OCI: inheritable and ambient capabilities of the caller stay outside" { in_ns clean with_inheritable; }

