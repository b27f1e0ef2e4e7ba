# SPDX-License-Identifier: GPL-2.0-or-later
# input.bats - every flag and file, wrong in every way: one line that names the thing and the reason, 125, and nothing left

load ../helpers
load common

# refuses FLAG VALUE [PATTERN...]: that value of that flag ends in one line that names both.
refuses() {
	local flag=$1 value=$2
	shift 2
	coso "$flag" "$value" /bin/probe exit 0
	fails 125 '^coso: ' "$@" || { echo "with $flag '$value'" >&2; return 1; }
	grep -qF -- "$flag" "$T/err" || { echo "$flag '$value': the flag isn't named: $(<"$T/err")" >&2; return 1; }
}

# never FLAG VALUE...: each is refused.
never() {
	local flag=$1 value
	shift
	for value; do
		refuses "$flag" "$value"
	done
}


numbers() {
	local not_numbers=('' ' ' abc 1x 0x10 -2 +5 '1 ' ' 1' 1e3 99999999999999999999 18446744073709551616 '1;2' ٣)
	never --memory "${not_numbers[@]}" 0 1 100k 1.5g 1q 8589934592g
	never --memory-swap "${not_numbers[@]}" 64m
	never --memory-reservation "${not_numbers[@]}" 0
	never --cpus "${not_numbers[@]}" 0 0.001 1001 1.2.3 1,5 . 1.
	never --cpu-weight "${not_numbers[@]}" 0 10001 0% 101% % -1% 50%%
	never --pids-limit "${not_numbers[@]}" 0 4194305
	never --io-weight "${not_numbers[@]}" 0 9 1001
	never --cpuset-cpus '' a 0-x 0:1 ' ' -1 1- 5-2 , 0,,1 99999999999
	never --cpuset-mems '' a 0-x 0:1 -1
}

@test "numbers: not one, negative, too large, too small, empty" { in_ns clean numbers; }

relations() {
	coso --memory 64m --memory-swap 32m /bin/probe exit 0
	fails 125 "--memory-swap '32m': less than --memory"
	coso --memory 64m --memory-reservation 128m /bin/probe exit 0
	fails 125 "--memory-reservation '128m': more than --memory"
	coso --cpuset-cpus 0 --cpuset-mems x /bin/probe exit 0
	fails 125 "--cpuset-mems 'x'"
}

@test "limits that contradict each other" { in_ns clean relations; }

lists() {
	never --ulimit '' nofile nofile= =5 nofile=a nofile=5:a nofile=5: nofile=:5 nofile=5:4 nofile=1:2:3 none=5 NOFILE=5 nofile=-2 \
		nofile=99999999999999999999 'nofile=1=2' nofile=unlimited:5
	never --env '' =x =
	never --cap-add '' NOPE CAP_ 'CHOWN ' CHOWN,KILL 0 -1 99
	never --cap-drop '' NOPE cap_nope CAP_CAP_CHOWN
	never --uidmap '' 0 0:1: a:0:1 0:a:1 0:0:a 0:0:0 0:0:4294967296 4294967295:0:1 0:4294967295:2 -1:0:1 0:0:1:1 0,0,1 ' 0:0:1'
	never --gidmap '' 0 x:y:z 0:0:0 0:0:-1
	never --userns '' nope 0 0:0:0 autos host: 'host ' 0:1:2:3
	never --add-host '' name name: :1.2.3.4 name:1.2.3 name:1.2.3.4/24 name:1.2.3.400 'na me:1.2.3.4' $'name\n:1.2.3.4' name:localhost 'a#b:1.2.3.4'
	never --dns '' localhost 1.2.3 1.2.3.4/24 1.2.3.4.5 fe80::1%eth0 '1.2.3.4 '
	never --ns '' pids pid, ,pid 'pid uts' pid,,uts PID all none
	coso --uidmap 0:0:10 --uidmap 5:100:10 /bin/probe exit 0
	fails 125 "--uidmap '5:100:10': overlaps"
	coso --uidmap 0:1000:10 --uidmap 20:1005:10 /bin/probe exit 0
	fails 125 "--uidmap '20:1005:10': overlaps"
	coso --userns host --uidmap 0:0:1 /bin/probe exit 0
	fails 125 '--userns host' --uidmap
	coso --userns 0:5:1 --gidmap 0:0:1 /bin/probe exit 0
	fails 125 "--userns '0:5:1'" --gidmap
	# The container's root sets it up.
	coso --uidmap 1:100000:10 /bin/probe exit 0
	fails 125 "^coso: --uidmap: .*id 0" 'add 0:HOST:SIZE'
	coso --uidmap 0:100000:10 --gidmap 1:100000:10 --gidmap 20:200000:10 /bin/probe exit 0
	fails 125 "^coso: --gidmap: .*id 0" 'add 0:HOST:SIZE'
	coso --gidmap 1:100000:10 /bin/probe exit 0
	fails 125 "^coso: --gidmap: .*id 0"
	coso --userns 5:100000:10 /bin/probe exit 0
	fails 125 "^coso: --userns: .*id 0"
	coso --uidmap 1:100000:10 --uidmap 0:200000:1 /bin/probe exit 0
	silent
}

@test "lists and maps: malformed, unknown, overlapping" { in_ns clean lists; }

names() {
	local long
	long=$(head -c 65 /dev/zero | tr '\0' a)
	never --hostname '' "$long" 'a b' a/b -a .a $'a\nb' ä 'a;b'
	never --name '' "$long" 'a b' a/b ../x .hidden -x $'a\nb' ä .. .
	never --profile '' nope BARCO 'barco '
	never --user nobody-here 1:nobody-here -1 4294967295 4294967296 0x0 1:2:3 $'a\nb' "$(head -c 300 /dev/zero | tr '\0' u)"
	never --workdir '' relative ./x ../x
	coso --name "$(head -c 64 /dev/zero | tr '\0' a)" /bin/probe host
	silent
	is hostname "$(head -c 64 /dev/zero | tr '\0' a)"
}

@test "names: empty, too long, with what doesn't belong in one" { in_ns clean names; }

flags() {
	local flag
	for flag in --read-only --init --tty --detach --rm --pid --net --verbose --no-new-privileges; do
		coso "$flag=maybe" /bin/probe exit 0
		fails 125 -- "$flag 'maybe': neither true nor false"
		coso "$flag=" /bin/probe exit 0
		fails 125 -- "$flag ''"
	done
	for flag in --rootfs --network --env --memory --volume --name --trace --pid-file; do
		status=0
		"$BIN/coso" "$flag" >"$T/out" 2>"$T/err" </dev/null || status=$?
		fails 125 "flag needs an argument: $flag"
	done
	coso --memroy 5m /bin/probe exit 0
	fails 125 "unknown option '--memroy'" 'did you mean --memory'
	coso --=x /bin/probe exit 0
	fails 125 "unknown option '--=x'"
	coso -Z /bin/probe exit 0
	fails 125 "unknown option '-Z'"
	coso ---verbose /bin/probe exit 0
	fails 125 "unknown option '---verbose'"
	coso "--$(head -c 3000 /dev/zero | tr '\0' x)" /bin/probe exit 0
	fails 125 'unknown option'
	coso $'--\033[31mred' /bin/probe exit 0
	fails 125 'unknown option'
	lacks $'\033' "$T/err"
	coso --name $'a\033[31m' /bin/probe exit 0
	fails 125
	lacks $'\033' "$T/err"
}

@test "flags: unknown, without a value, neither true nor false; nothing typed reaches the terminal raw" { in_ns clean flags; }

contradictions() {
	coso --ns pid --hostname x /bin/probe exit 0
	fails 125 mount
	status=0
	"$BIN/coso" --ns pid --hostname x true >"$T/out" 2>"$T/err" </dev/null || status=$?
	fails 125 '--hostname' 'UTS'
	"$BIN/coso" --ns pid --volume /:/x true >"$T/out" 2>"$T/err" </dev/null || status=$?
	fails 125 'mount namespace' '--volume'
	"$BIN/coso" --ns pid --user daemon true >"$T/out" 2>"$T/err" </dev/null || status=$?
	fails 125 "--user 'daemon'" 'numbers'
	"$BIN/coso" --ns pid --tty true >"$T/out" 2>"$T/err" </dev/null || status=$?
	fails 125 '--tty' 'mount namespace'
	"$BIN/coso" --ns pid --device /dev/null true >"$T/out" 2>"$T/err" </dev/null || status=$?
	fails 125 "--device '/dev/null'" 'mount namespace'
	coso --uts=false --hostname x /bin/probe exit 0
	fails 125 "--hostname 'x'" host
	coso --publish 80:80 /bin/probe exit 0
	fails 125 "--publish '80:80'" network
	coso --network host --publish 80:80 /bin/probe exit 0
	fails 125 "--publish '80:80'"
	never --network '' bridge nothing container: container:no-such container:../x 'container:a b'
	never --publish '' 80 x:80 80:x 99999:80 80:99999 0:80 80:80/icmp
}

@test "flags that exclude each other, and networks that aren't" { in_ns clean contradictions; }

mount_words() {
	mkdir "$T/d"
	never --volume '' : a :/x /x: "$T/d" "$T/d:" "$T/d:rel" "$T/d:/" "$T/d:/.." "$T/d:/x:nope" "$T/d:/x:ro:rw" /no/such:/x "$T/d:/x:size=5"
	never --mount '' type=bind "type=bind,src=$T/d" "src=$T/d,dst=/x" "type=,dst=/x" type=bind,dst=/x "type=bind,src=$T/d,dst=x" \
		"type=bind,src=$T/d,dst=/x,nope" type=bind,src=/no/such,dst=/x type=tmpfs type=tmpfs,dst= type=tmpfs,dst=rel type=tmpfs,dst=/
	never --tmpfs '' rel / : :size=5 /../
	# What only the kernel can judge names mount point and reason, too.
	coso --tmpfs /x:size=abc /bin/probe exit 0
	fails 125 tmpfs /x size=abc
	coso --tmpfs /x:nope /bin/probe exit 0
	fails 125 tmpfs /x nope
	coso --mount type=nosuchfs,dst=/x /bin/probe exit 0
	fails 125 nosuchfs /x
	coso --mount "type=overlay,dst=/x,lowerdir=/no/such" /bin/probe exit 0
	fails 125 overlay /x
	coso --mount "type=ext4,src=$T/d,dst=/x" /bin/probe exit 0
	fails 125 ext4 /x
	coso --tmpfs /bin/probe/x /bin/probe exit 0
	fails 125 /bin/probe/x
	coso --volume "$T/d:/bin/probe" /bin/probe exit 0
	fails 125 /bin/probe
	never --device '' rel /no/such /dev/null:rel /dev/null:/x:z /dev/null:/x: "$T/d" /dev/null:/x:r:w /etc/passwd
}

@test "mounts, volumes, devices: malformed, missing, of the wrong kind" { in_ns clean mount_words; }

rootfs_of() {
	coso_in "$1" /bin/probe exit 0 </dev/null
	shift
	fails 125 --rootfs "$@"
}

roots() {
	mkdir -p "$T/empty" "$T/theirs" "$T/open" "$T/a/root" "$T/shut"
	rootfs_of "$T/none" "$T/none" 'No such file' 'fs-setup|cosofs setup'
	rootfs_of '' ''
	rootfs_of "$PROBE/bin/probe" 'Not a directory|not a folder'
	ln -s loop "$T/loop"
	rootfs_of "$T/loop" loop 'symbolic links|symlink'
	chown 4242 "$T/theirs"
	rootfs_of "$T/theirs" "$T/theirs" 4242 'belongs|owner'
	chmod 777 "$T/open"
	rootfs_of "$T/open" "$T/open" 'writ'
	cp -a "$PROBE" "$T/open/root"
	rootfs_of "$T/open/root" "$T/open" 'writ'
	chown 4242 "$T/a"
	cp -a "$PROBE/." "$T/a/root"
	rootfs_of "$T/a/root" "$T/a" 4242
	rootfs_of "$(head -c 5000 /dev/zero | tr '\0' x)" 'too long'
	rootfs_of /dev/null
	# An empty one has nothing to run.
	coso_in "$T/empty" </dev/null
	fails 127 '/bin/sh'
	[ -z "$(ls -A "$T/empty")" ]
	coso_in "$T/empty" sh </dev/null
	fails 127 '"sh"'
	# Relative paths serve, and so do links that belong to the caller.
	(cd "$PROBE/.." && coso_in "${PROBE##*/}" /bin/probe exit 3 </dev/null; ended 3)
	ln -s "$PROBE" "$T/link"
	coso_in "$T/link" /bin/probe exit 3 </dev/null
	ended 3
	(cd / && coso_in "..$PROBE" /bin/probe exit 3 </dev/null; ended 3)
}

@test "--rootfs: missing, a file, a loop, somebody else's, writable by others, empty" { in_ns clean roots; }

no_default_root() {
	status=0
	"$BIN/coso" --network none true >"$T/out" 2>"$T/err" </dev/null || status=$?
	fails 125 /tmp/coso/rootfs 'make fs-setup'
	mkdir -p /tmp/coso/rootfs
	chown 4242 /tmp/coso
	"$BIN/coso" --network none true >"$T/out" 2>"$T/err" </dev/null || status=$?
	fails 125 /tmp/coso 4242
	rm -r /tmp/coso
}

@test "the default rootfs: not set up, or put there by another user" { in_ns clean no_default_root; }

keep_folders() {
	mkdir -p "$T/theirs" "$T/open" "$T/half"
	chown 4242 "$T/theirs"
	refuses --keep "$T/theirs" 4242
	chmod 777 "$T/open"
	refuses --keep "$T/open" writ
	refuses --keep ''
	: >"$T/file"
	refuses --keep "$T/file" 'Not a directory|not a folder'
	refuses --keep /proc/no/such
	: >"$T/half/upper"
	refuses --keep "$T/half"
	ln -s loop "$T/loop"
	refuses --keep "$T/loop"
	ln -s "$T/theirs" "$T/half/work" && rm "$T/half/upper"
	refuses --keep "$T/half"
}

@test "--keep: a file, somebody else's, writable by others, a loop, with links in it" { in_ns clean keep_folders; }

files() {
	local flag
	mkdir "$T/dir"
	ln -s loop "$T/loop"
	: >"$T/empty"
	for flag in --pid-file --trace; do
		refuses "$flag" ''
		refuses "$flag" "$T/dir" 'directory|folder'
		refuses "$flag" "$T/no/such" 'No such file'
		refuses "$flag" "$T/empty/x" 'Not a directory'
		refuses "$flag" /proc/version
	done
	refuses --trace "$T/loop" 'symbolic'
	for flag in "$T/none" "$T/dir" "$T/loop" "$T/empty" /dev/zero /dev/null ''; do
		refuses --seccomp "$flag"
	done
	for text in '[]' '{' '{"defaultAction": 5}' '{"defaultAction": "SCMP_ACT_NOPE"}' '{"syscalls": []}' 'null' \
		'{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "nope"}]}' $'\xff\xfe'; do
		echo "$text" >"$T/profile"
		refuses --seccomp "$T/profile" "$T/profile"
	done
	head -c 3000000 /dev/zero >"$T/profile"
	refuses --seccomp "$T/profile"
	mkfifo "$T/fifo"
	refuses --seccomp "$T/fifo"
	refuses --root ''
	refuses --root "$T/empty"
	refuses --root "$T/loop"
	refuses --root /proc/x
	mkdir "$T/open"
	chmod 777 "$T/open"
	coso --root "$T/open" /bin/probe exit 0
	fails 125 "$T/open" writ
}

@test "files: --pid-file, --trace, --seccomp, --root" { in_ns clean files; }

full() {
	local path
	# A full disk at every place that is written to.
	mount -t tmpfs -o size=4k,nr_inodes=6 none "$T/small"
	head -c 100000 /dev/zero >"$T/small/fill" 2>/dev/null || true
	coso --root "$T/small" /bin/probe exit 0
	fails 125 'No space left'
	coso --pid-file "$T/small/pid" /bin/probe exit 0
	fails 125 --pid-file 'No space left'
	coso --keep "$T/small/k" /bin/probe exit 0
	[ "$status" = 125 ] || [ "$status" = 0 ]
	umount "$T/small"
	rmdir "$T/small"
}

full_there() { mkdir "$T/small"; full; }

@test "a full disk" { in_ns clean full_there; }

unreadable() {
	mkdir -p "$T/home-12345"
	cp -a "$PROBE" "$T/home-12345/root"
	mkdir -m 700 "$T/shut" "$T/shut/in"
	local words
	as_them() {
		status=0
		as_user 12345 "$BIN/coso" "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
	}
	as_them --rootfs "$T/shut/in" /bin/probe exit 0
	fails 125 --rootfs "$T/shut" 'denied'
	as_them --rootfs "$T/home-12345/root" --volume "$T/shut/in:/x" /bin/probe exit 0
	fails 125 --volume denied
	as_them --rootfs "$T/home-12345/root" --keep "$T/shut/k" /bin/probe exit 0
	fails 125 "$T/shut" denied
	as_them --rootfs "$T/home-12345/root" --pid-file "$T/shut/k" /bin/probe exit 0
	fails 125 --pid-file denied
	as_them --rootfs "$T/home-12345/root" --trace "$T/shut/k" /bin/probe exit 0
	fails 125 --trace denied
	as_them --rootfs "$T/home-12345/root" --seccomp "$T/shut/k" /bin/probe exit 0
	fails 125 --seccomp denied
	as_them --rootfs "$T/home-12345/root" --root "$T/shut/k" /bin/probe exit 0
	fails 125 --root denied
	as_them --rootfs "$PROBE" /bin/probe exit 4 # root's own root serves everybody who may read it
	[ "$status" = 4 ] || fails 125 --rootfs
	mkdir -m 777 "$T/open"
	as_them --rootfs "$T/open" /bin/probe exit 0
	fails 125 --rootfs
}

@test "what an ordinary user may not read" { in_ns unreadable; }
