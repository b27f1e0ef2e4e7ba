#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# setup.bats - cosofs setup: where the root comes from, and that it appears whole or not at all
load ../helpers
bats_require_minimum_version 1.5.0

setup() {
	common_setup
	need python3
	mkdir -m 700 "$T/in"
	python3 "$TOP/tests/fs/corpus.py" good-shell "$T" "$T/in"
	SHA=$(sha256sum <"$T/good-shell" | cut -d' ' -f1)
	export SHA
}

# Lines for in_ns: a server on its loopback, and $URL.
serve() {
	python3 "$TOP/tests/fs/server.py" "$1" "$T/port" "$T/requests" 3>&- &
	SERVER=$!
	trap 'kill $SERVER' EXIT
	wait_for 10 test -s "$T/port"
	URL=http://127.0.0.1:$(cat "$T/port")
}

# A release file with one line for this machine.
pin() { printf '%s 9.9 %s %s\n' "$(uname -m)" "$1" "$2" >"$T/release"; }

fs() { "$BIN/cosofs" "$@"; }

@test "a tarball becomes the root, whole, and a second run leaves it" {
	run --separate-stderr fs setup --rootfs "$T/in/root" --tarball "$T/good-shell"
	[ "$status" -eq 0 ]
	[ "$output" = "$T/in/root: a root file system, ready" ]
	[ -z "$stderr" ]
	[ "$(ls -A "$T/in")" = root ]
	# Whoever made the archive, the root is the caller's, and others can't write to it.
	[ "$(stat -c '%a %u:%g' "$T/in/root")" = "755 0:0" ]
	local before
	before=$(stat -c '%i %Z' "$T/in/root")
	run --separate-stderr fs setup --rootfs "$T/in/root/" --tarball "$T/no-such-file"
	[ "$status" -eq 0 ]
	[[ $output == *"was there already (--force replaces it)" ]]
	[ "$(stat -c '%i %Z' "$T/in/root")" = "$before" ]
}

# Alpine's release; without it an archive of what `make fs-setup` gets.
@test "a whole root file system is unpacked as tar does it" {
	local tarball=$TOP/../shared/data/alpine-minirootfs-3.20.3-x86_64.tar.gz name='Alpine Linux v3.20'
	if [ -e "$tarball" ]; then
		grep -q "^x86_64 *3.20.3 $(sha256sum <"$tarball" | cut -d' ' -f1) " "$TOP/rootfs/alpine.txt"
	else
		prepare_roots
		tarball=$T/root.tar.gz name=$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' "$ROOTFS/etc/os-release")
		tar -C "$ROOTFS" -czf "$tarball" .
	fi
	run --separate-stderr fs setup --rootfs "$T/in/root" --tarball "$tarball"
	[ "$status" -eq 0 ]
	[ "$output" = "$T/in/root: $name, ready" ]
	mkdir "$T/tar"
	tar -xzf "$tarball" -C "$T/tar"
	list() { (cd "$1" && find . -printf '%p %y %m %U:%G %s %l %T@\n' | sed 's/^\(\S* d \S* \S*\) [0-9]*/\1/' | sort); }
	diff <(list "$T/tar") <(list "$T/in/root")
	diff -r --no-dereference "$T/tar" "$T/in/root"
}

@test "the default place of root is /tmp/coso/rootfs, which nobody else can enter" {
	in_ns fs setup --builtin
	inside() { stat -c '%a %u' /tmp/coso /tmp/coso/rootfs; }
	run in_ns inside
	[ "$output" = "$(printf '700 0\n755 0')" ]
}

@test "a place that others could change is refused" {
	foreign() { mkdir -p /tmp/coso && chown 1000 /tmp/coso && ! fs setup --builtin 2>"$T/said" && chown 0 /tmp/coso; }
	in_ns foreign
	[[ $(cat "$T/said") == *"'/tmp/coso' belongs to user 1000"* ]]
	shared() { chmod 777 /tmp/coso && ! fs setup --builtin 2>"$T/said"; }
	in_ns shared
	[[ $(cat "$T/said") == *"'/tmp/coso' may be written by other users (chmod go-w"* ]]
	root_of_another() { chmod 700 /tmp/coso && fs setup --builtin && chown 1000 /tmp/coso/rootfs && ! fs setup --builtin 2>"$T/said"; }
	in_ns root_of_another
	[[ $(cat "$T/said") == *"'/tmp/coso/rootfs' belongs to user 1000"* ]]
	inside() { ls -A /tmp/coso; }
	run in_ns inside
	[ "$output" = rootfs ]
}

@test "something else in its place is not touched" {
	mkdir "$T/in/root"
	echo mine >"$T/in/root/file"
	run --separate-stderr fs setup --rootfs "$T/in/root" --tarball "$T/good-shell"
	[ "$status" -eq 1 ]
	[[ $stderr == *"is there and no root file system: it has no /bin/sh"*--force* ]]
	[ "$(cat "$T/in/root/file")" = mine ]
	[ "$(ls -A "$T/in")" = root ]
	echo mine >"$T/in/plain"
	run --separate-stderr fs setup --rootfs "$T/in/plain" --tarball "$T/good-shell"
	[ "$status" -eq 1 ]
	[ "$(cat "$T/in/plain")" = mine ]
	run --separate-stderr fs setup --rootfs "$T/in/root" --tarball "$T/good-shell" --force
	[ "$status" -eq 0 ]
	[ ! -e "$T/in/root/file" ]
	[ -x "$T/in/root/bin/sh" ]
}

@test "--force replaces a root in one step, and a failure keeps the old one" {
	fs setup --rootfs "$T/in/root" --builtin
	echo broken >"$T/broken"
	run --separate-stderr fs setup --rootfs "$T/in/root" --tarball "$T/broken" --force
	[ "$status" -eq 1 ]
	[ -x "$T/in/root/bin/busybox" ]
	fs setup --rootfs "$T/in/root" --tarball "$T/good-shell" --force
	[ ! -e "$T/in/root/bin/busybox" ]
	[ "$(ls -A "$T/in")" = root ]
}

@test "bad arguments: exit 2, one line" {
	local line
	while read -r line; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr fs $line
		[ "$status" -eq 2 ] || { echo "status $status: $line"; return 1; }
		[ "${#stderr_lines[@]}" -eq 1 ] || [ -z "$line" ] || { echo "$stderr"; return 1; }
	done <<-'EOF'

		setpu
		setup word
		setup --nonsense
		setup --rootfs
		setup --sha256 12 --tarball x
		setup --sha256 0000000000000000000000000000000000000000000000000000000000000000
		setup --builtin --tarball x
		setup --tarball=
		setup --tarball ftp://127.0.0.1/x
		setup --force=perhaps
		unpack
		unpack one
		unpack one two three
		unpack --max-size -1 one two
		unpack --max-size 12q one two
		unpack --max-entries 0 one two
		prepare
		prepare a b
		remove
		help nothing
	EOF
}

@test "bad files and folders: exit 1, one line that names them, nothing left" {
	mkdir "$T/folder"
	mkfifo "$T/fifo"
	ln -s loop "$T/loop"
	printf '#!/bin/sh\n' | tar -C "$T" -cf "$T/no-shell" folder
	local file
	for file in no-such folder fifo loop no-shell; do
		run --separate-stderr timeout 10 "$BIN/cosofs" setup --rootfs "$T/in/root" --tarball "$T/$file"
		[ "$status" -eq 1 ]
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == *"$T/$file"* ]] || { echo "$stderr"; return 1; }
		[ -z "$(ls -A "$T/in")" ]
	done
	run --separate-stderr fs setup --rootfs "$T/in/root" --tarball /dev/zero
	[ "$status" -eq 1 ]
	for file in "" / . .. "$T/good-shell/x" "$T/loop/x" "$T/in/$(printf 'n%.0s' {1..300})" "$T/in/$(printf 'n%.0s' {1..252})"; do
		run --separate-stderr fs setup --rootfs "$file" --tarball "$T/good-shell"
		[ "$status" -eq 1 ] || { echo "'$file': $status"; return 1; }
		[ "${#stderr_lines[@]}" -eq 1 ]
	done
}

@test "help and version" {
	run fs help
	[ "$status" -eq 0 ]
	[[ $output == *setup*unpack*prepare*remove* ]]
	run fs setup --help
	[[ $output == *--tarball*--sha256* ]]
	run fs version
	[[ $output == cosofs\ [0-9]* ]]
	run --separate-stderr fs setpu
	[[ $stderr == *"did you mean 'setup'?"* ]]
}

@test "the pinned release is downloaded, checked and unpacked" {
	download() {
		serve "$T/good-shell"
		pin "$SHA" "$URL/good/x.tar"
		fs setup --rootfs "$T/in/root" --release-file "$T/release"
	}
	run --separate-stderr in_ns download
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ -x "$T/in/root/bin/sh" ]
	[ "$(ls -A "$T/in")" = root ]
	[ "$(cat "$T/requests")" = "/good/x.tar - 200" ]
}

@test "a wrong checksum is refused, and no root is made instead" {
	download() {
		serve "$T/good-shell"
		pin "${SHA/[0-9]/f}" "$URL/good/x.tar"
		fs setup --rootfs "$T/in/root" --release-file "$T/release"
	}
	SHA=0${SHA:1}
	run --separate-stderr in_ns download
	[ "$status" -eq 1 ]
	[[ $stderr == *"its SHA-256 is "*" and not "* ]]
	[ -z "$(ls -A "$T/in")" ]
	run --separate-stderr fs setup --rootfs "$T/in/root" --tarball "$T/good-shell" --sha256 "${SHA/[1-9]/0}"
	[ "$status" -eq 1 ]
	[[ $stderr == *"its SHA-256 is "* ]]
	[ -z "$(ls -A "$T/in")" ]
}

@test "an archive that changes once its checksum was compared: what was compared is unpacked" {
	local at sum
	mkdir -p "$T/tree/bin"
	head -c 100M /dev/zero >"$T/tree/big"
	printf '#!good' >"$T/tree/bin/sh"
	chmod 755 "$T/tree/bin/sh"
	tar -C "$T/tree" -cf "$T/archive" big bin
	at=$(grep -abo '#!good' "$T/archive" | cut -d: -f1) sum=$(sha256sum <"$T/archive" | cut -d' ' -f1)
	"$BIN/cosofs" setup --quiet --rootfs "$T/in/root" --tarball "$T/archive" --sha256 "$sum" 3>&- &
	until [ -e "$T/in/.root.new/big" ]; do kill -0 $!; done
	printf '#!evil' | dd of="$T/archive" bs=1 seek="$at" conv=notrunc status=none
	wait $!
	[ "$(sha256sum <"$T/archive" | cut -d' ' -f1)" != "$sum" ]
	[ "$(<"$T/in/root/bin/sh")" = '#!good' ]
	[ "$(ls -A "$T/in")" = root ]
}

@test "a download that broke off goes on where it stopped" {
	download() {
		serve "$T/good-shell"
		! fs setup --rootfs "$T/in/root" --tarball "$URL/cut/500/x" --sha256 "$SHA" || return 1
		[ "$(stat -c '%s %a' "$T/in/.root.part")" = "1500 600" ] || return 1
		fs setup --rootfs "$T/in/root" --tarball "$URL/good/x" --sha256 "$SHA"
	}
	run --separate-stderr in_ns download
	[ "$status" -eq 0 ]
	[ -x "$T/in/root/bin/sh" ]
	[ "$(ls -A "$T/in")" = root ]
	[ "$(tail -n 1 "$T/requests")" = "/good/x bytes=1500- 206" ]
	[ "$(wc -l <"$T/requests")" = 4 ]
}

@test "a connection that always breaks, to a server without ranges, comes to an end" {
	download() {
		serve "$T/good-shell"
		timeout 20 "$BIN/cosofs" setup --rootfs "$T/in/root" --tarball "$URL/cut-norange/500/x" --sha256 "$SHA"
	}
	run --separate-stderr in_ns download
	[ "$status" -eq 1 ]
	[ ! -e "$T/in/root" ]
}

@test "a connection that breaks now and then is enough" {
	download() {
		serve "$T/good-shell"
		fs setup --rootfs "$T/in/root" --tarball "$URL/cut/2000/x" --sha256 "$SHA"
	}
	run --separate-stderr in_ns download
	[ "$status" -eq 0 ]
	[ -x "$T/in/root/bin/sh" ]
	[ "$(ls -A "$T/in")" = root ]
}

@test "a part of something else, a server without ranges, a part that is too long: from the start, and right" {
	download() {
		serve "$T/good-shell"
		head -c "$1" /dev/urandom >"$T/in/.root.part"
		fs setup --rootfs "$T/in/root" --tarball "$URL/$2/x" --sha256 "$SHA"
	}
	local case
	for case in "700 good" "700 norange" "99999 good" "99999 norange"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr in_ns download $case
		[ "$status" -eq 0 ] || { echo "$case: $stderr"; return 1; }
		[ -x "$T/in/root/bin/sh" ]
		[ "$(ls -A "$T/in")" = root ]
		rm -r "$T/in/root" "$T/port"
	done
}

@test "a part that is whole already is used as it is" {
	cp "$T/good-shell" "$T/in/.root.part"
	download() { fs setup --rootfs "$T/in/root" --tarball http://127.0.0.1:9/x --sha256 "$SHA"; }
	in_ns download
	[ -x "$T/in/root/bin/sh" ]
	[ "$(ls -A "$T/in")" = root ]
}

@test "somebody else's file in the part's place is not written to" {
	echo mine >"$T/victim"
	download() { fs setup --rootfs "$T/in/root" --tarball http://127.0.0.1:9/x; }
	ln -s "$T/victim" "$T/in/.root.part"
	run --separate-stderr in_ns download
	[ "$status" -eq 1 ]
	rm "$T/in/.root.part"
	ln "$T/victim" "$T/in/.root.part"
	run --separate-stderr in_ns download
	[ "$status" -eq 1 ]
	[ "$(cat "$T/victim")" = mine ]
}

@test "redirects are followed, but not for ever and not to files" {
	download() {
		serve "$T/good-shell"
		fs setup --rootfs "$T/in/root" --tarball "$URL/$1"
	}
	run --separate-stderr in_ns download redirect/3/x
	[ "$status" -eq 0 ]
	rm -r "$T/in/root"
	local to
	for to in redirect/20/x "to/file://$T/good-shell" to/ftp://127.0.0.1/x status/404/x status/500/x cut/100/x; do
		rm -f "$T/port"
		run --separate-stderr in_ns download "$to"
		[ "$status" -eq 1 ] || { echo "$to: $status"; return 1; }
		[ "${#stderr_lines[@]}" -eq 1 ]
		[ ! -e "$T/in/root" ]
	done
}

@test "file URLs are files" {
	cp "$T/good-shell" "$T/with space"
	fs setup --rootfs "$T/in/root" --tarball "file://$T/with%20space"
	[ -x "$T/in/root/bin/sh" ]
}

@test "where the mirror can't be reached: within seconds, one line, and the built-in root" {
	need busybox
	local begin=$SECONDS
	nowhere() { fs setup --rootfs "$T/in/root"; }
	run --separate-stderr in_ns nowhere
	[ "$status" -eq 0 ]
	((SECONDS - begin < 8))
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == *"making the built-in root instead"* ]]
	[ "$output" = "$T/in/root: COSO built-in root (BusyBox), ready" ]
	[ "$(ls -A "$T/in")" = root ]
	cd "$T/in/root"
	grep -q '^NAME="COSO built-in root"' etc/os-release
	[ "$(stat -c %a tmp root . proc)" = "$(printf '1777\n700\n755\n555')" ]
	[ "$(chroot . /bin/sh -c 'id -un; ls -d /proc /sys /dev /run /var /home; cat /etc/hosts' | tr '\n' ' ')" \
		= "root /dev /home /proc /run /sys /var 127.0.0.1	localhost ::1	localhost " ]
	[ "$(chroot . busybox --list | wc -l)" = "$(($(find . -type l -lname /bin/busybox | wc -l) + 2))" ] # busybox itself and linuxrc
}

@test "a mirror that drops packets, or goes silent, is given up within seconds" {
	drops() {
		ip link add test0 type veth peer name test1
		ip address add 192.0.2.1/24 dev test0
		ip link set test0 up
		ip link set test1 up
		ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev test0
		pin "$SHA" http://192.0.2.9/x
		fs setup --rootfs "$T/in/root" --release-file "$T/release"
	}
	local begin=$SECONDS
	run --separate-stderr in_ns drops
	[ "$status" -eq 0 ]
	((SECONDS - begin < 8))
	[[ $stderr == *"making the built-in root instead"* ]]
	silent() {
		serve "$T/good-shell"
		pin "$SHA" "$URL/stall/x"
		fs setup --rootfs "$T/in/root2" --release-file "$T/release"
	}
	begin=$SECONDS
	run --separate-stderr in_ns silent
	[ "$status" -eq 0 ]
	((SECONDS - begin < 10))
	[[ $stderr == *"making the built-in root instead"* ]]
}

@test "without a mirror and without BusyBox it says what to do" {
	bare() {
		mount -t tmpfs none "$T/out"
		mkdir "$T/out/bin"
		mount --bind /dev/null /bin/busybox
		fs setup --rootfs "$T/in/root"
	}
	mkdir "$T/out"
	run --separate-stderr in_ns bare
	[ "$status" -eq 1 ]
	[[ ${stderr_lines[-1]} == *"static BusyBox"*"apt install busybox-static"*--tarball* ]]
	[ -z "$(ls -A "$T/in")" ]
}

@test "a dynamic BusyBox, or one of another machine, is not taken" {
	fake() {
		mount --bind "$1" /bin/busybox
		fs setup --rootfs "$T/in/root" --builtin
	}
	run --separate-stderr in_ns fake /bin/ls
	[ "$status" -eq 1 ]
	cp /bin/busybox "$T/foreign"
	printf '\x16' | dd of="$T/foreign" bs=1 seek=18 conv=notrunc status=none # e_machine: s390
	run --separate-stderr in_ns fake "$T/foreign"
	[ "$status" -eq 1 ]
	[[ $stderr == *"static BusyBox"* ]]
}

@test "a release file that is wrong is refused, with its line" {
	local text
	for text in "x" "$(uname -m) 1 zz http://x/" "$(uname -m) 1 $SHA nourl" "$(uname -m) 1 $SHA http://x/ more" "other 1 $SHA http://x/"; do
		printf '# comment\n%s\n' "$text" >"$T/release"
		run --separate-stderr fs setup --rootfs "$T/in/root" --release-file "$T/release"
		[ "$status" -eq 1 ] || { echo "$text"; return 1; }
		[[ $stderr == *"$T/release"* ]]
		[ -z "$(ls -A "$T/in")" ]
	done
}

@test "prepare makes upper and work, twice, and nothing where others could see" {
	fs prepare "$T/in/keep"
	fs prepare "$T/in/keep"
	[ "$(cd "$T/in/keep" && stat -c '%n %a %u' . upper work)" = "$(printf '. 700 0\nupper 755 0\nwork 700 0')" ]
	mkdir -m 755 "$T/in/open"
	run --separate-stderr fs prepare "$T/in/open"
	[ "$status" -eq 1 ]
	[[ $stderr == *"chmod 700"* ]]
	mkdir -m 700 "$T/in/taken"
	ln -s /etc "$T/in/taken/upper"
	run --separate-stderr fs prepare "$T/in/taken"
	[ "$status" -eq 1 ]
	run --separate-stderr fs prepare ""
	[ "$status" -eq 1 ]
}

@test "remove takes a root and a kept container, and nothing else unless it is told to" {
	fs setup --rootfs "$T/in/root" --builtin
	fs prepare "$T/in/keep"
	touch "$T/in/keep/upper/file"
	mkdir "$T/in/mine"
	touch "$T/in/mine/file"
	fs remove "$T/in/root"
	fs remove "$T/in/keep"
	run --separate-stderr fs remove "$T/in/mine"
	[ "$status" -eq 1 ]
	[ -e "$T/in/mine/file" ]
	run --separate-stderr fs remove "$T/in/nothing"
	[ "$status" -eq 1 ]
	[[ $stderr == *"there is no "* ]]
	local folder
	for folder in / "" . .. "$T/in/mine/.." /proc; do
		run --separate-stderr fs remove "$folder"
		[ "$status" -eq 1 ]
	done
	fs remove --force "$T/in/mine"
	[ -z "$(ls -A "$T/in")" ]
	mkdir -p "$T/in/mine/work" # somebody's, and no layer
	run --separate-stderr fs remove "$T/in/mine"
	[ "$status" -eq 1 ]
	[ -e "$T/in/mine/work" ]
	fs prepare "$T/in/keep"
	run --separate-stderr flock "$T/in/keep" "$BIN/cosofs" remove "$T/in/keep" # as a container that lives has it
	[ "$status" -eq 1 ]
	[[ $stderr == *"in use by a container"* ]]
	touch "$T/in/keep/stray" # whatever else it looks like
	for folder in 'remove --force' 'setup --builtin --force --rootfs'; do
		# shellcheck disable=SC2086 # words are meant
		run --separate-stderr flock "$T/in/keep" "$BIN/cosofs" $folder "$T/in/keep"
		[ "$status" -eq 1 ]
		[[ $stderr == *"in use by a container"* ]]
	done
	[ -d "$T/in/keep/upper" ] && [ -e "$T/in/keep/stray" ]
	fs setup --rootfs "$T/in/root" --builtin
	flock "$T/in/root" "$BIN/cosofs" setup --builtin --force --rootfs "$T/in/root" # anybody can lock what everybody may read
}

@test "remove, and setup --force, touch nothing where something is mounted" {
	refused() { # WORDS...: `cosofs WORDS` names the mount, and leaves the root whole
		fs "$@" >"$T/out" 2>&1 && return 1
		grep -q "'$T/in/root/mnt' .*mounted.*umount" "$T/out" && "$T/in/root/bin/sh" -c : && [ -e "$T/in/root/mnt/precious" ]
	}
	mounted() {
		local kind
		fs setup --rootfs "$T/in/root" --builtin
		mkdir "$T/in/home"
		for kind in "-t tmpfs none" "--bind $T/in/home"; do
			# shellcheck disable=SC2086 # words
			mount $kind "$T/in/root/mnt"
			touch "$T/in/root/mnt/precious"
			refused remove "$T/in/root"
			refused setup --builtin --force --rootfs "$T/in/root"
			umount "$T/in/root/mnt"
		done
		fs remove "$T/in/root"
		[ -e "$T/in/home/precious" ]
	}
	in_ns mounted
}
