#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# user.bats - cosofs by an ordinary user: with a range of ids, with one id, without user namespaces
load ../helpers
bats_require_minimum_version 1.5.0

setup() {
	common_setup
	need python3 newuidmap newgidmap setpriv getfattr
	python3 "$TOP/tests/fs/corpus.py" good- "$T" "$T"
	chmod 644 "$T"/good-*
}

# Lines for in_ns: user 4242 exists, and has the range 300000 to 365535 if `ranges` is called.
exists() {
	cp /etc/passwd "$T/passwd"
	echo "tester:x:4242:4242::/nowhere:/bin/sh" >>"$T/passwd"
	mount --bind "$T/passwd" /etc/passwd
	: >"$T/none"
	mount --bind "$T/none" /etc/subuid
	mount --bind "$T/none" /etc/subgid
}

ranges() {
	echo "# comment
other:100000:65536
tester:300000:65536" >"$T/range"
	mount --bind "$T/range" /etc/subuid
	mount --bind "$T/range" /etc/subgid
}

fs() { as_user 4242 "$BIN/cosofs" "$@"; }
owners() { (cd "$HOME_OF/$1" && stat -c '%n %a %u:%g' "${@:2}"); }

@test "the default place is the user's data folder, and only theirs" {
	inside() {
		exists
		HOME_OF=$T/home-4242
		fs setup --builtin
		(cd "$HOME_OF" && stat -c '%n %a %u' .local .local/share .local/share/coso .local/share/coso/rootfs)
		as_user 4242 env XDG_DATA_HOME="$HOME_OF/data" "$BIN/cosofs" setup --builtin --quiet
		as_user 4242 env XDG_DATA_HOME=relative "$BIN/cosofs" setup --quiet
		as_user 4242 env -u HOME "$BIN/cosofs" setup --builtin 2>&1 || true
		ls "$HOME_OF/data/coso/rootfs/bin/busybox"
	}
	run in_ns inside
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "$T/home-4242/.local/share/coso/rootfs: COSO built-in root (BusyBox), ready" ]
	[ "${lines[1]}" = ".local 700 4242" ]
	[ "${lines[2]}" = ".local/share 700 4242" ]
	[ "${lines[3]}" = ".local/share/coso 700 4242" ]
	[ "${lines[4]}" = ".local/share/coso/rootfs 755 4242" ]
	[[ ${lines[5]} == *"HOME isn't set (give one: --rootfs DIR)"* ]]
	[[ ${lines[6]} == */data/coso/rootfs/bin/busybox ]]
}

@test "with a range of ids every file has its owner, and can be removed again" {
	inside() {
		exists
		ranges
		HOME_OF=$T/home-4242
		fs unpack -v "$T/good-setid" "$HOME_OF/in/a" 2>&1
		owners in/a su sg ids games
		fs unpack "$T/good-xattrs" "$HOME_OF/in/b" 2>&1
		getfattr --absolute-names -n user.note --only-values "$HOME_OF/in/b/f"
		getfattr -d -m - "$HOME_OF/in/b/f" 2>/dev/null | grep -c capability
		fs remove --force "$HOME_OF/in/a"
		fs remove --force "$HOME_OF/in/b"
		ls -A "$HOME_OF/in"
	}
	skip_unless "user namespaces" unshare -U true
	run in_ns inside
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
	[[ $output == *"in a mount namespace that holds nothing else"* ]]
	[[ $output == *"su 4755 4242:4242"*"sg 2755 4242:300004"*"ids 644 301233:304320"*"games 4755 300059:4242"* ]]
	[[ $output != *belong\ to\ you* ]]
	[[ $output == *hi1* ]]
	[ "${lines[-1]}" = "$T/home-4242/in/b: removed" ]
}

@test "without a range files are the user's, set-id bits of others go, and a warning says so" {
	inside() {
		exists
		HOME_OF=$T/home-4242
		fs unpack "$T/good-setid" "$HOME_OF/in/a" 2>&1
		owners in/a su sg ids games
		fs remove --force "$HOME_OF/in/a"
	}
	skip_unless "user namespaces" unshare -U true
	run in_ns inside
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
	[[ ${lines[0]} == *"3 entries belong to you instead of their owner"*/etc/subuid* ]]
	[[ $output == *"su 4755 4242:4242"*"sg 755 4242:4242"*"ids 644 4242:4242"*"games 755 4242:4242"* ]]
}

@test "without user namespaces it works all the same" {
	need strace
	denied() { as_user 4242 env ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null -e inject=unshare:error=EPERM "$BIN/cosofs" "$@"; }
	inside() {
		exists
		ranges
		HOME_OF=$T/home-4242
		denied unpack -v "$T/good-setid" "$HOME_OF/in/a" 2>&1
		owners in/a su ids
		denied unpack -v "$T/good-folder-twice" "$HOME_OF/in/b" 2>&1
		owners in/b d e
		denied remove --force "$HOME_OF/in/b"
	}
	run in_ns inside
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
	[[ $output == *"no user namespace: "* ]]
	[[ $output == *"su 755 4242:4242"*"ids 644 4242:4242"* ]]
	[[ $output == *"d 751 4242"*"e 555 4242"*removed* ]]
}

@test "every bad archive is refused for an ordinary user, too" {
	python3 "$TOP/tests/fs/corpus.py" bad- "$T" "$T"
	chmod 644 "$T"/bad-*
	inside() {
		exists
		ranges
		local file
		mkdir -p "$T/home-4242/in"
		as_user 4242 true
		for file in "$T"/bad-*; do
			! fs unpack "$file" "$T/home-4242/in/new" 2>/dev/null || { echo "taken: $file"; return 1; }
			[ -z "$(ls -A "$T/home-4242/in")" ] || { echo "left: $file"; return 1; }
			[ ! -e "$T/home-4242/escaped" ]
			[ ! -e "$T/escaped" ]
		done
	}
	in_ns inside
}

@test "layers: whiteouts and opaque folders that an overlay in a user namespace understands" {
	inside() {
		exists
		ranges
		fs unpack --layer "$T/good-whiteouts" "$T/home-4242/in/a"
		cd "$T/home-4242/in/a"
		stat -c '%F %t:%T' d/gone
		getfattr -n user.overlay.opaque --only-values o
	}
	skip_unless "user namespaces" unshare -U true
	run in_ns inside
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
	[ "${lines[-2]}" = "character special file 0:0" ]
	[ "${lines[-1]}" = y ]
}

@test "what isn't the user's isn't touched" {
	inside() {
		exists
		mkdir -p /tmp/theirs/root/bin
		touch /tmp/theirs/root/bin/sh
		chmod +x /tmp/theirs/root/bin/sh
		fs setup --builtin --rootfs /tmp/theirs/root 2>&1 || echo "code $?"
		fs setup --builtin --force --rootfs /tmp/theirs/root 2>&1 || echo "code $?"
		fs remove /tmp/theirs/root 2>&1 || echo "code $?"
		[ -e /tmp/theirs/root/bin/sh ]
		mkdir -m 1777 /tmp/sticky
		mkdir /tmp/sticky/.root.new
		touch /tmp/sticky/.root.new/x
		fs setup --builtin --rootfs /tmp/sticky/root 2>&1 || echo "code $?"
		[ -e /tmp/sticky/.root.new/x ]
		rm -r /tmp/sticky/.root.new
		touch /tmp/sticky/.root.lock
		fs setup --builtin --rootfs /tmp/sticky/root 2>&1 || echo "code $?"
		rm -r /tmp/theirs /tmp/sticky
	}
	run in_ns inside
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
	[ "$(grep -c '^code 1' <<<"$output")" = 4 ] || { echo "$output"; return 1; }
}
