#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# corpus.bats - hostile and odd archives: what is refused leaves nothing, what is taken is exact
load ../helpers
bats_require_minimum_version 1.5.0

setup() {
	common_setup
	need python3 getfattr setfattr
	mkdir -m 700 "$T/in" "$T/out"
	echo victim >"$T/out/victim"
	chmod 640 "$T/out/victim"
}

archive() { python3 "$TOP/tests/fs/corpus.py" "$1" "$T" "$T/out"; }

# Unpacks a case to $T/in/CASE.
unpack() {
	local name=$1
	shift
	archive "$name"
	run --separate-stderr "$BIN/cosofs" unpack "$@" "$T/$name" "$T/in/$name"
}

outside_is_whole() {
	[ "$(cat "$T/out/victim")" = victim ]
	[ "$(stat -c '%a %h %u' "$T/out/victim")" = "640 1 0" ]
	[ "$(ls -A "$T/out")" = victim ]
	[ ! -e "$T/escaped" ]
	[ ! -e "$T/in/escaped" ]
}

refused() {
	[ "$status" -eq 1 ] || { echo "status $status: $output $stderr"; return 1; }
	[ "${#stderr_lines[@]}" -eq 1 ] || { echo "not one line: $stderr"; return 1; }
	[[ $stderr == cosofs:\ unpack\ * ]] || { echo "$stderr"; return 1; }
	[ -z "$(ls -A "$T/in")" ] || { ls -A "$T/in"; return 1; }
	outside_is_whole
}

taken() {
	[ "$status" -eq 0 ] || { echo "status $status: $stderr"; return 1; }
	[ -d "$T/in/$1" ]
	[ "$(ls -A "$T/in")" = "$1" ]
	outside_is_whole
	cd "$T/in/$1" || return
}

@test "every bad archive is refused with one line, and leaves nothing" {
	local file count=0
	archive bad-
	for file in "$T"/bad-*; do
		run --separate-stderr "$BIN/cosofs" unpack "$file" "$T/in/new"
		refused || { echo "case $file"; return 1; }
		run --separate-stderr "$BIN/cosofs" unpack --layer "$file" "$T/in/new"
		refused || { echo "case $file, as a layer"; return 1; }
		count=$((count + 1))
	done
	[ "$count" -gt 50 ]
}

@test "every bad archive is refused without a mount namespace, too" {
	local file
	archive bad-
	for file in "$T"/bad-*; do
		run --separate-stderr setpriv --bounding-set -sys_admin,-sys_chroot --inh-caps -all "$BIN/cosofs" unpack "$file" "$T/in/new"
		refused || { echo "case $file"; return 1; }
	done
}

@test "plain, gzip, several members, padding, xz and zstd give the same" {
	local name
	for name in good-plain good-gzip good-gzip-members good-gzip-padded good-xz good-zstd; do
		unpack "$name"
		taken "$name"
		[ "$(cat d/f)" = hello ]
		[ "$(stat -c '%a %h %Y' d/f)" = "640 2 1000000000" ]
		[ d/f -ef h ]
		[ "$(readlink d/l)" = f ]
		cd "$T"
		rm -r "$T/in/$name"
	done
}

@test "absolute names are inside" {
	unpack good-absolute
	taken good-absolute
	[ "$(cat a/b c d)" = "$(printf 'in\nin\nin')" ]
	[ "$(stat -c '%a %u' a)" = "755 0" ]
}

@test "hard links: absolute targets are inside, a link itself is linked, one to itself is kept" {
	unpack good-hardlink-absolute
	taken good-hardlink-absolute
	[ bin/tool -ef bin/same ]
	cd "$T" && rm -r "$T/in/good-hardlink-absolute"
	unpack good-hardlink-symlink
	taken good-hardlink-symlink
	[ -L h ]
	[ "$(readlink h)" = "$T/out/victim" ]
	cd "$T" && rm -r "$T/in/good-hardlink-symlink"
	unpack good-hardlink-self
	taken good-hardlink-self
	[ "$(cat a)" = kept ]
}

@test "a later entry replaces an earlier one and is never written through it" {
	unpack good-replaced
	taken good-replaced
	[ "$(cat a d e/y s t/z)" = "$(printf 'two\nfile\ny\nnew\nz')" ]
	[ ! -L s ]
	[ ! -L t ]
}

@test "of two entries for a folder the later counts, and read-only folders are filled" {
	unpack good-folder-twice
	taken good-folder-twice
	[ "$(stat -c '%a %Y' d)" = "751 2000000000" ]
	[ "$(stat -c %a e)" = 555 ]
	[ -f e/f ]
}

@test "links that lead outside are kept and not followed" {
	unpack good-symlinks-outside
	taken good-symlinks-outside
	[ "$(readlink l)" = /etc/passwd ]
	[ "$(readlink up)" = ../../../.. ]
	[ "$(readlink loop)" = loop ]
}

@test "root makes devices, but no device 0:0, which would hide files in an overlay" {
	unpack good-devices
	taken good-devices
	[ "$(stat -c '%F %t:%T %a' dev/null)" = "character special file 1:3 666" ]
	[ "$(stat -c '%F %t:%T' dev/disk)" = "block special file 8:1" ]
	[ -p dev/fifo ]
	[ dev/null -ef dev/nul2 ]
	cd "$T" && rm -r "$T/in/good-devices"
	unpack good-device-whiteout --layer
	taken good-device-whiteout
	[ ! -e gone ]
	[[ $stderr == *"1 devices were left out"* ]]
}

@test "without the right to make devices they are left out, counted, and so are links to them" {
	archive good-devices
	run --separate-stderr setpriv --bounding-set -mknod --inh-caps -all "$BIN/cosofs" unpack "$T/good-devices" "$T/in/good-devices"
	taken good-devices
	[[ $stderr == *"4 devices were left out"* ]]
	[ ! -e dev/null ]
	[ ! -e dev/nul2 ]
	[ -p dev/fifo ]
}

@test "a FIFO is not opened" {
	archive good-fifo-replaced
	run --separate-stderr timeout 10 "$BIN/cosofs" unpack "$T/good-fifo-replaced" "$T/in/good-fifo-replaced"
	taken good-fifo-replaced
	[ "$(cat p)" = file ]
}

@test "owners and set-id bits" {
	unpack good-setid
	taken good-setid
	[ "$(stat -c '%a %u:%g' su)" = "4755 0:0" ]
	[ "$(stat -c '%a %u:%g' sg)" = "2755 0:5" ]
	[ "$(stat -c '%a' sticky)" = 1777 ]
	[ "$(stat -c '%u:%g' ids)" = 1234:4321 ]
	[ "$(stat -c '%a %u' games)" = "4755 60" ]
	cd "$T" && rm -r "$T/in/good-setid"
	unpack good-large-id
	taken good-large-id
	[ "$(stat -c '%u:%g' a)" = 4294967294:4294967294 ]
}

@test "who may not give files away keeps them, without set-id bits for the wrong owner" {
	archive good-setid
	run --separate-stderr setpriv --bounding-set -chown --inh-caps -all "$BIN/cosofs" unpack "$T/good-setid" "$T/in/good-setid"
	taken good-setid
	[[ $stderr == *"3 entries belong to you"* ]]
	[ "$(stat -c '%a %u' games)" = "755 0" ]
	[ "$(stat -c '%a %u' su)" = "4755 0" ]
}

@test "names are bytes" {
	unpack good-bytes
	taken good-bytes
	[ -f $'latin-\xe9\xff' ]
	[ -f $'pax-\xff\xfe' ]
	[ -f grün ]
	[ -f $'new\nline' ]
	[ -f $'esc\x1b[31m' ]
}

@test "long names, of GNU and of pax, and long targets" {
	unpack good-long-names
	taken good-long-names
	[ "$(find . -name gnu | wc -c)" -gt 2000 ]
	[ "$(find . -name pax | wc -l)" = 1 ]
	[ "$(readlink long-target | wc -c)" = 301 ]
	[ -f "$(printf 'n%.0s' {1..255})" ]
}

@test "times to the nanosecond, before 1970, impossible ones, and those of folders" {
	unpack good-times
	taken good-times
	[ "$(stat -c %.9Y ns)" = 1234567890.123456789 ]
	[ "$(stat -c %Y before)" -lt 0 ]
	[ -f overflow ]
	[ -f far ]
	[ "$(stat -c %Y d)" = 1234 ]
}

@test "capabilities and user attributes are kept, overlayfs's and security labels are not" {
	unpack good-xattrs
	taken good-xattrs
	[ "$(getfattr --absolute-names -n user.note --only-values f)" = hi ]
	getfattr -n security.capability f
	[ "$(getfattr -d -m - f | grep -c =)" = 2 ]
	[ -z "$(getfattr -d -m - d)" ]
}

@test "holes stay holes" {
	unpack good-sparse
	taken good-sparse
	[ "$(stat -c %s s)" = 1073741824 ]
	[ "$(stat -c %b s)" -lt 100 ]
	[ "$(dd if=s bs=1 skip=4096 count=4 status=none)" = head ]
	[ "$(dd if=s bs=1 skip=536870912 count=4 status=none)" = midd ]
}

@test "a layer's whiteouts become overlayfs's, and an overlay shows them so" {
	skip_unless "user attributes on this disk" setfattr -n user.test -v 1 "$T/out"
	unpack good-whiteouts --layer
	taken good-whiteouts
	[ "$(stat -c '%F %t:%T' d/gone only/deep | sort -u)" = "character special file 0:0" ]
	local folder
	for folder in o both back; do
		[ "$(getfattr -n trusted.overlay.opaque --only-values "$folder")" = y ]
		[ "$(getfattr -n user.overlay.opaque --only-values "$folder")" = y ]
	done
	[ -z "$(getfattr -d -m - d)" ]
	[ -f file ]
	[ -f f2 ]
	[ "$(cat file)" = new ]
	[ -z "$(find . -name '.wh.*')" ]

	mkdir -p "$T/low"/{d,o,both,back,only} "$T/show"
	touch "$T/low"/{d/gone,d/old,o/old,both/old,back/old,only/deep,only/old,file}
	overlay() {
		mount -t overlay overlay -o "lowerdir=$T/in/good-whiteouts:$T/low" "$T/show"
		cd "$T/show"
		echo d/* o/* both/* back/* only/* *
	}
	run in_ns overlay
	[ "$output" = "d/kept d/old o/x both/x back/x only/old back both d f2 file o only" ]
}

@test "whiteouts of a plain archive have nothing to hide and are passed over" {
	unpack good-whiteouts
	taken good-whiteouts
	[ -z "$(find . -name '.wh.*' -o -type c)" ]
	[ -f d/kept ]
	[ -f o/x ]
	[ -z "$(getfattr -d -m - o)" ]
}

@test "names that differ in case are different files" {
	unpack good-case-folding
	taken good-case-folding
	[ "$(cat Name name NAME)" = "$(printf 'upper\nlower\nall')" ]
}

@test "folders that the archive doesn't have are made, an archive behind the archive is ignored, a name ends at NUL" {
	unpack good-not-unified
	taken good-not-unified
	[ "$(cat only/in/a/file)" = deep ]
	cd "$T" && rm -r "$T/in/good-not-unified"
	unpack good-second-archive
	taken good-second-archive
	[ "$(ls -A)" = a ]
	cd "$T" && rm -r "$T/in/good-second-archive"
	unpack good-nul-name
	taken good-nul-name
	[ "$(ls -A)" = safe ]
}

@test "a bomb ends at --max-size, whether in a file or behind the archive's end" {
	archive bomb
	[ "$(stat -c %s "$T/bomb")" -lt 1000000 ]
	run --separate-stderr "$BIN/cosofs" unpack --max-size 10m "$T/bomb" "$T/in/bomb"
	refused
	[[ $stderr == *"more than 10485760 bytes"*--max-size* ]]
	archive bomb-behind
	run --separate-stderr "$BIN/cosofs" unpack --max-size 1m "$T/bomb-behind" "$T/in/bomb-behind"
	refused
	[[ $stderr == *--max-size* ]]
}

@test "too many entries end at --max-entries" {
	archive many
	run --separate-stderr "$BIN/cosofs" unpack --max-entries 5000 "$T/many" "$T/in/many"
	refused
	[[ $stderr == *"more than 5000 entries (--max-entries)"* ]]
	run --separate-stderr "$BIN/cosofs" unpack --max-entries 5050 "$T/many" "$T/in/many"
	taken many
	[ "$(find . -type f | wc -l)" = 5000 ]
}

@test "what reads the archive sees the folder alone, has few rights, and no other system call" {
	need strace
	skip_if_sanitized "it looks at /proc when it ends, so cosofs has no filter then"
	archive good-plain
	run --separate-stderr strace -f -o "$T/trace" "$BIN/cosofs" unpack -v "$T/good-plain" "$T/in/good-plain"
	taken good-plain
	[[ $stderr == *"in a mount namespace that holds nothing else"* ]]
	grep -q 'pivot_root(".", ".") *= 0' "$T/trace"
	grep -q 'capset(.*CAP_SYS_ADMIN' "$T/trace" && false
	grep -q 'seccomp(SECCOMP_SET_MODE_FILTER, .*{len=.*= 0' "$T/trace"
	# The first byte of the archive is read after all of that.
	[ "$(grep -n 'SECCOMP_SET_MODE_FILTER, 0, {' "$T/trace" | head -1 | cut -d: -f1)" -lt "$(grep -n 'pread64(.*, 6, 0)' "$T/trace" | tail -1 | cut -d: -f1)" ]
}
