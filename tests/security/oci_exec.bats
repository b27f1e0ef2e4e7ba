# SPDX-License-Identifier: GPL-2.0-or-later
# oci_exec.bats - what of the OCI runtime's own a hostile process could get at while another is made beside it: memory, descriptors, the binary

load ../helpers
load common
load ../cli/common
load ../oci/common
load oci

# Half a megabyte of folders to look for the program in, with the program's rights already: time for whoever attacks.
long_path() { printf 'PATH=%s/bin' "$(printf '/x:%.0s' {1..30000})"; }

# While the container's first process attacks whatever appears, others are executed in it.
hunted() {
	local i path least=10
	path=$(long_path)
	hostile box
	up box "$1 | .process.args = [\"/bin/attack\", \"hunt\", \"12\"]"
	has box hunting
	for ((i = 0; i < 60; i++)); do
		oci exec --env "$path" "${@:2}" box probe exit 0 # killed by who traces it
		is_state box running || break
	done
	wait_for 15 grep -q '^written=' "$T/box.out"
	gone box
	cp "$T/box.out" "$T/out"
	! sanitized || least=2 # it takes its time
	[ "$(nproc)" -gt 1 ] || least=1 # both take turns, and mostly elsewhere
	[ "$(value seen)" -ge $least ] || { echo "only $(value seen) seen" >&2; return 1; }
	is traced 0
	is read 0
	is leaked 0
	is written 0
}

exec_race() {
	local capabilities='.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "CAP_DAC_OVERRIDE"])'
	hunted .
	hunted "$OWN_USERS | .root.readonly = true | $capabilities"
	hunted '.process.user = { uid: 1000, gid: 1000 }'
}

@test "exec-ptrace-race: OCI: what joins a container can't be traced or looked into before it has become the program" { in_ns clean exec_race; }

not_traced() {
	local name
	for name in seize mem root fd environ; do
		[[ $(value $name) =~ ^(EPERM|EACCES)$ ]] || { echo "$name: $(value $name)" >&2; return 1; }
	done
}

# A container that isn't started yet, and one whose hooks run: its first process is ours, with the rights of the program's in the end.
set_up() {
	local filter
	for filter in . '.process.user = { uid: 1000, gid: 1000 }' "$OWN_USERS"; do
		hostile box
		mkdir -m 777 "$ROOT/said"
		[ "$filter" != "$OWN_USERS" ] || chown -hR 100000:100000 "$ROOT"
		bundle box "$filter | .hooks.startContainer = [{ path: \"/bin/attack\", args: [\"attack\", \"into\", \"/said/hook\", \"trace\", \"1\"] }]" hold 0
		create box
		quiet
		oci exec box /bin/attack trace 1
		ended 0
		not_traced
		oci exec box /bin/attack exe /proc/1/exe
		lacks '^(write|reopen|truncate|chmod)=(ok|ETXTBSY)'
		oci start box
		quiet
		cp "$ROOT/said/hook" "$T/out"
		not_traced
		gone box
	done
}

@test "setup-nonptraceable: OCI: neither can the first process, before it is started and while its hooks run" { in_ns clean set_up; }

# own_copy: a coso-oci of the test's own, which may be harmed.
own_copy() {
	mkdir -p "$T/own"
	cp "$BIN/coso" "$T/own/coso"
	ln -sf coso "$T/own/coso-oci"
	OWN=$T/own/coso-oci
	chown -R "${1:-0:0}" "$T/own"
	sha256sum "$T/own/coso" >"$T/sum"
	stat -c '%a %Y %Z %i' "$T/own/coso" >"$T/stat"
}

unharmed() {
	sha256sum -c --quiet "$T/sum"
	diff "$T/stat" <(stat -c '%a %Y %Z %i' "$T/own/coso")
}

# Both the container's first program and one that is executed in it are the runtime's own binary, which waits for its log: a FIFO. The
# container's first process, or an exec's, goes for it meanwhile.
overwritten() {
	local filter=$1
	hostile box
	mkfifo "$ROOT/log"
	chmod 666 "$ROOT/log"
	printf '#!/proc/self/exe oci\n' >"$ROOT/entry"
	printf '#!/proc/self/exe --network=/bin/probe\n' >"$ROOT/other"
	chmod 755 "$ROOT/entry" "$ROOT/other"
	own_copy
	up box "$filter | .process.args = [\"/bin/attack\", \"hunt\", \"4\"]"
	has box hunting
	timeout 20 "$OWN" exec box /proc/self/exe oci --log /log list >/dev/null 2>&1 </dev/null &
	timeout 20 "$OWN" exec box /proc/thread-self/exe oci --log /log list >/dev/null 2>&1 </dev/null &
	"$OWN" exec box /entry || true
	"$OWN" exec box /other || true
	wait_for 15 grep -q '^written=' "$T/box.out"
	gone box
	cp "$T/box.out" "$T/out"
	wait
	[ "$(value seen)" -ge 2 ]
	is written 0
	unharmed
	bundle box "$filter | .process.args = [\"/proc/self/exe\", \"oci\", \"--log\", \"/log\", \"list\"]"
	"$OWN" create --bundle "$T/box" box >/dev/null 2>"$T/err" </dev/null
	oci exec box /bin/attack exe /proc/1/exe
	lacks '^(write|reopen|truncate|chmod)=(ok|ETXTBSY)'
	"$OWN" start box
	wait_for 5 is_executed "$(state box pid)"
	oci exec box /bin/attack exe /proc/1/exe
	ended 0
	is find ok
	for name in remount setattr write reopen truncate chmod; do
		[[ $(value $name) =~ ^(EROFS|EACCES|EPERM|ENOENT|ENXIO|EINVAL|EBADF|ELOOP)$ ]] || { echo "$name: $(value $name)" >&2; return 1; }
	done
	gone box
	unharmed
	bundle box "$filter | .process.args = [\"/entry\"]"
	"$OWN" run --bundle "$T/box" box >/dev/null 2>&1 </dev/null || true
	unharmed
}
is_executed() { [ "$(tr '\0' ' ' <"/proc/$1/cmdline")" = '/proc/self/exe oci --log /log list ' ]; }

@test "selfexe-overwrite: OCI: the runtime's binary can't be written from inside" {
	skip_if_sanitized "its program is dynamic, and can't run in the container's root"
	in_ns clean overwritten .
	in_ns clean overwritten '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SYS_PTRACE"])'
	in_ns clean overwritten "$OWN_USERS | .root.readonly = true | "'.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"])'
}

# An ordinary user's container: its root is that user, and so may be the binary's owner.
of_a_user() {
	local mine=$T/home-1000
	as_user 1000 true
	hostile box
	mkfifo "$ROOT/log"
	own_copy 1000:1000
	chown -R 1000:1000 "$T/box"
	(cd "$T/box" && as_user 1000 "$BIN/coso-oci" spec --rootless)
	jq '.process.args = ["/bin/attack", "hunt", "3"] | .process.terminal = false | .root.readonly = false' "$T/box/config.json" >"$mine/config.json"
	cp "$mine/config.json" "$T/box/config.json"
	as_user 1000 "$OWN" create --bundle "$T/box" box >"$T/box.out" 2>"$T/err" </dev/null || { cat "$T/err" "$T/box.out" >&2; return 1; }
	as_user 1000 "$OWN" start box
	has box hunting
	as_user 1000 timeout 20 "$OWN" exec box /proc/self/exe oci --log /log list >/dev/null 2>"$T/err" </dev/null &
	wait_for 15 grep -q '^written=' "$T/box.out"
	as_user 1000 "$OWN" delete --force box
	wait
	cp "$T/box.out" "$T/out"
	[ "$(value seen)" -ge 1 ] || { cat "$T/err" "$T/box.out" >&2; return 1; }
	is written 0
	unharmed
}

@test "selfexe-overwrite: OCI: nor an ordinary user's own" { in_ns of_a_user; }
