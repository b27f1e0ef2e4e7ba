# SPDX-License-Identifier: GPL-2.0-or-later
# users.bats - who a process becomes, when the image's passwd and group files are hostile

load ../helpers
load common

# user FLAG-VALUE UID GID GROUPS
user() {
	container "$ROOT" --user "$1" /bin/probe ids
	ended 0
	is uid "$2"
	is euid "$2"
	is suid "$2"
	is gid "$3"
	is egid "$3"
	is sgid "$3"
	is groups "$4"
}

no_user() {
	container "$ROOT" --user "$1" /bin/probe ids
	refused "--user '?$2"
}

numeric_trap() {
	fresh_root
	# Lines whose *names* are numbers, and names that strtol would take for one.
	printf '%s\n' '1000:x:0:0::/:/bin/sh' '0x1:x:0:0::/:/bin/sh' '2000:x:0:0::/:/bin/sh' 'real:x:1000:1001::/:/bin/sh' \
		'worse:x:-1:0::/:/bin/sh' 'wrap:x:4294967296:0::/:/bin/sh' >"$ROOT/etc/passwd"
	printf '%s\n' '1001:x:0:' 'team:x:1500:real' '2000:x:0:1000' >"$ROOT/etc/group"
	user 1000 1000 1001 1500
	user 2000 2000 0 ''
	user 1000:2000 1000 2000 ''
	user real 1000 1001 1500
	user real:team 1000 1500 ''
	no_user worse worse
	no_user wrap wrap
}

@test "user-numeric-passwd-trap: a number is a number, whatever names the image has" { in_ns numeric_trap; }

exec_user_matrix() {
	local text
	fresh_root
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'one:x:1:1::/:/bin/sh' >"$ROOT/etc/passwd"
	printf '%s\n' 'root:x:0:' 'one:x:1:' 'two:x:2:' >"$ROOT/etc/group"
	user 1 1 1 ''
	user 1: 1 1 ''
	user 01 1 1 ''
	user 1:2 1 2 ''
	user :2 0 2 ''
	user one:two 1 2 ''
	user 65534 65534 0 ''
	for text in 0x1 +1 ' 1' '1 ' -1 1:-1 1:+2 1:2:3 1:two: 1e0 1.0 nobody-here one:nobody-here 4294967295 1:4294967295; do
		no_user "$text" ''
	done
}

@test "exec-user-matrix: every way to write a user" { in_ns exec_user_matrix; }

uid_overflow() {
	local text
	fresh_root
	for text in 4294967295 4294967296 4294967297 18446744073709551615 18446744073709551616 99999999999999999999999; do
		printf '%s:x:0:0::/:/bin/sh\n' "$text" >"$ROOT/etc/passwd"
		no_user "$text" "$text"
		no_user "1:$text" ''
	done
	# Larger than an int, and a real id where the map has it.
	container "$ROOT" --userns host --user 2147483648:4294967294 /bin/probe ids
	is uid 2147483648
	is gid 4294967294
}

@test "uid-overflow: what doesn't fit is refused, and never becomes root" { in_ns uid_overflow; }

# A sanitized program reserves terabytes of addresses: there it's the single allocation that is limited.
little_memory() {
	if sanitized; then export ASAN_OPTIONS=${ASAN_OPTIONS-}:max_allocation_size_mb=50; else ulimit -v 400000; fi
}

# Hostile files; a numeric user needs neither, a named one is looked for within bounds of time and memory.
hostile_file() {
	local before=$SECONDS
	(little_memory; container "$ROOT" --user 1000:1000 /bin/probe ids; ended 0; is uid 1000; is gid 1000)
	(little_memory; container "$ROOT" --user someone /bin/probe ids; refused "--user 'someone'")
	((SECONDS - before < 5))
}

passwd_hostile() {
	fresh_root
	local file
	for file in passwd group; do
		fresh_root
		rm -f "$ROOT/etc/$file"
		mkfifo "$ROOT/etc/$file"
		hostile_file
		rm "$ROOT/etc/$file"
		truncate -s 10G "$ROOT/etc/$file"
		hostile_file
		rm "$ROOT/etc/$file"
		ln -s /dev/zero "$ROOT/etc/$file"
		hostile_file
		ln -sfn /proc/kmsg "$ROOT/etc/$file"
		hostile_file
		ln -sfn "$file" "$ROOT/etc/$file"
		hostile_file
		rm "$ROOT/etc/$file"
		mkdir "$ROOT/etc/$file"
		hostile_file
		rmdir "$ROOT/etc/$file"
		hostile_file
	done
}

@test "passwd-fifo, passwd-10GB, passwd-symlink-/dev/zero: none is waited for or read for ever" { in_ns passwd_hostile; }

long_lines() {
	local before
	fresh_root
	# A line of 1 GB, with what would be found behind it.
	rm "$ROOT/etc/group"
	truncate -s 1G "$ROOT/etc/group"
	printf '\nextra:x:4321:user\n' >>"$ROOT/etc/group"
	before=$(date +%s%3N)
	(little_memory; user user 1000 1000 '')
	(($(date +%s%3N) - before < 1000))
	{ echo 'user:x:1000:1000::/:/bin/sh'; head -c 100000 /dev/zero | tr '\0' u; printf ':x:0:0::/:/bin/sh\n'; } >"$ROOT/etc/passwd"
	echo 'extra:x:4321:user' >"$ROOT/etc/group"
	user user 1000 1000 4321
	printf 'user:x:1000:1000::/:/bin/sh' >"$ROOT/etc/passwd"
	user user 1000 1000 4321
	printf 'user:x:1000:1000' >"$ROOT/etc/passwd"
	no_user user user
}

@test "group-1GB-line: lines without an end cost neither memory nor time" { in_ns long_lines; }

links_outside() {
	make_canary
	fresh_root
	printf 'victim:x:0:0::/:/bin/sh\n' >"$CANARY/file"
	tree_of "$CANARY" >"$T/canary.before"
	ln -sf "$CANARY/file" "$ROOT/etc/passwd"
	no_user victim victim
	ln -sf "../../../../../../../../..$CANARY/file" "$ROOT/etc/passwd"
	no_user victim victim
	# An absolute link stays inside, and works there.
	mkdir -p "$ROOT$CANARY"
	printf 'victim:x:7:8::/:/bin/sh\n' >"$ROOT$CANARY/file"
	user victim 7 8 ''
	canary_lives
}

@test "passwd-symlink: a link out of the root finds nothing of the host" { in_ns links_outside; }
