# SPDX-License-Identifier: GPL-2.0-or-later
# userns.bats - whose ids a container's are: maps, id-mapped layers and volumes, ordinary users

load ../helpers
load common

maps_to() { # maps_to INSIDE OUTSIDE SIZE: the only line of both maps
	silent
	[ "$(value uid_map | tr -s ' ')" = "$1 $2 $3" ] || [ "$(value uid_map | tr -s ' ')" = " $1 $2 $3" ] || { cat "$T/out" >&2; return 1; }
	[ "$(value gid_map | tr -s ' ')" = "$(value uid_map | tr -s ' ')" ]
}

modes() {
	local first
	coso /bin/probe ids
	silent
	first=$(value uid_map | awk '{ print $2 }')
	((first >= 65536))
	[ "$(value uid_map | awk '{ print $1, $3 }')" = '0 65536' ]
	coso --userns auto /bin/probe ids
	silent
	isnt uid_map "$(cat /proc/self/uid_map)"
	coso --userns host /bin/probe ids
	silent
	[ "$(value uid_map | xargs)" = "$(xargs </proc/self/uid_map)" ]
	coso --userns 0:300000:1000 /bin/probe ids
	maps_to 0 300000 1000
	coso --uidmap 0:300000:1000 /bin/probe ids
	maps_to 0 300000 1000
	coso --gidmap 0:300000:1000 /bin/probe ids
	maps_to 0 300000 1000
	coso --uidmap 0:300000:10 --uidmap 10:400000:10 --gidmap 0:500000:20 /bin/probe ids
	silent
	[ "$(value uid_map | xargs)" = '0 300000 10 10 400000 10' ]
	[ "$(value gid_map | xargs)" = '0 500000 20' ]
	coso --userns 0:300000:1000 --user 5000 /bin/probe ids
	fails 125 '5000' "isn't in the user namespace's map"
}

@test "--userns auto, host and a map; --uidmap and --gidmap" { in_ns clean modes; }

range_of_root() {
	printf 'root:700000:65536\n' >"$T/sub"
	mount --bind "$T/sub" /etc/subuid
	mount --bind "$T/sub" /etc/subgid
	coso /bin/probe ids
	maps_to 0 700000 65536
	printf '# nothing\nroot:abc:1\nroot:1\nother:5:5\n' >"$T/sub"
	coso /bin/probe ids
	silent
	umount /etc/subuid /etc/subgid
}

@test "root's own range in /etc/subuid and /etc/subgid is used" {
	skip_unless "/etc/subuid and /etc/subgid to cover" test -e /etc/subuid -a -e /etc/subgid
	in_ns clean range_of_root
}

apart() {
	coso --name one /bin/probe ids
	local first
	first=$(value uid_map)
	coso --name two /bin/probe ids
	isnt uid_map "$first"
	coso --name one /bin/probe ids
	is uid_map "$first"
}

@test "containers have ids apart from each other, the same for one name" {
	skip_unless "a host where root has no range of its own" bash -c '! grep -qs ^root: /etc/subuid'
	in_ns clean apart
}

owners() {
	mkdir "$T/vol"
	echo x >"$T/vol/mine"
	chown 1000:1000 "$T/vol/mine"
	local map
	for map in auto host 0:300000:65536; do
		alpine --userns "$map" --volume "$T/vol:/v" sh -c 'stat -c %u:%g /v /v/mine; touch "/v/'"$map"'"; mkdir /v/d; chown 7:8 /v/d; cat /v/mine'
		silent
		[ "$(<"$T/out")" = $'0:0\n1000:1000\nx' ]
		[ "$(stat -c %u:%g "$T/vol/$map" "$T/vol/d" "$T/vol/mine")" = $'0:0\n7:8\n1000:1000' ]
		rmdir "$T/vol/d"
	done
	alpine --volume "$T/vol:/v" --user 1000 sh -c 'touch /v/mine; echo y >>/v/mine; touch /v/no'
	[ "$status" != 0 ]
	[ "$(<"$T/vol/mine")" = $'x\ny' ]
	[ ! -e "$T/vol/no" ]
	# Only some ids are mapped: what belongs to others is nobody's.
	alpine --userns 0:300000:500 --volume "$T/vol:/v" stat -c %u:%g /v/mine
	said 65534:65534
	# A host file that is root's alone stays out of reach of a user namespace's processes.
	echo secret >"$T/secret"
	chmod 600 "$T/secret"
	alpine --volume "$T/secret:/s" --user 1000 cat /s
	[ "$status" != 0 ]
}

@test "volumes are id-mapped: what root makes inside is root's on the host" { in_ns clean owners; }

layers() {
	local map root=$T/root
	cp -a "$ROOTFS" "$root"
	touch "$root/etc/shadow" # the built-in root has none
	chown 0:42 "$root/etc/shadow"
	chmod 640 "$root/etc/shadow"
	for map in auto host 0:300000:65536; do
		coso_in "$root" --userns "$map" sh -c 'stat -c "%u:%g %n" / /bin/busybox /etc/shadow /tmp; touch /x; stat -c %u:%g /x; chown 33:33 /etc/passwd && stat -c %u /etc/passwd'
		silent
		said '0:0 /' '0:0 /bin/busybox' '0:42 /etc/shadow' 0:0 33
	done
	coso_in "$root" --user nobody sh -c 'cat /etc/shadow'
	ended 1
	[ "$(stat -c %u:%g "$root/etc/shadow" "$root/etc/passwd" | paste -sd' ')" = '0:42 0:0' ] # nothing was chowned
}

@test "the root's files keep their owners under every map" { in_ns clean layers; }

# as USER... : coso as an ordinary user, in that user's home.
as() {
	status=0
	as_user 12345 "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
}

own_rootfs() {
	mkdir -p "$T/home-12345"
	[ -e "$T/home-12345/root" ] || cp -a "$ROOTFS" "$T/home-12345/root"
	RUN=("$BIN/coso" --rootfs "$T/home-12345/root")
}

nothing_left() {
	[ -z "$(find "$T/home-12345/run/coso" -mindepth 1 -maxdepth 1 ! -name .owners)" ]
	[ -z "$(find "$T"/home-12345/.local/share/coso/sessions/*/containers -mindepth 1)" ] || { find "$T/home-12345/.local/share/coso" >&2; return 1; }
}

ordinary() {
	own_rootfs
	as "${RUN[@]}" --hostname mine sh -c 'id -u; cat /proc/self/uid_map; touch /new; stat -c %u /new; hostname; rm /etc/passwd; rm -rf /usr; mkdir -p /a/b'
	ended 0
	[ "$(tr -s ' ' <"$T/out")" = $'0\n 0 12345 1\n0\nmine' ] || { cat "$T/out" "$T/err" >&2; return 1; }
	[ -e "$T/home-12345/root/etc/passwd" ]
	[ ! -e "$T/home-12345/root/new" ]
	nothing_left
	as "${RUN[@]}" /no/such
	fails 127 '"/no/such"'
	nothing_left
	as "${RUN[@]}" sh -c 'echo $$; ls /proc | grep -c "^[0-9]"'
	said 1
	as "${RUN[@]}" sh -c 'grep -c : /proc/net/dev; cat /sys/class/net/lo/flags'
	said 1 0x9
	as "${RUN[@]}" sh -c 'mkdir /p; chmod 0 /p; mkdir /q; touch /q/x; chmod 0 /q'
	ended 0
	nothing_left
}

@test "an ordinary user's own id is root, on an overlay, with nothing but that one id" {
	in_ns ordinary
}

ordinary_more() {
	own_rootfs
	mkdir "$T/home-12345/vol"
	as "${RUN[@]}" --volume "$T/home-12345/vol:/v" --tmpfs /t --read-only --hostname hh sh -c 'touch /v/made; touch /t/x; touch /no; hostname'
	ended 0
	said hh
	[ "$(stat -c %u "$T/home-12345/vol/made")" = 12345 ]
	as "${RUN[@]}" --keep "$T/home-12345/kept" touch /stays
	silent
	as "${RUN[@]}" --keep "$T/home-12345/kept" ls /stays
	silent
	as "${RUN[@]}" --init --cap-drop ALL --no-new-privileges --env A=b sh -c 'echo $A'
	said b
	as "${RUN[@]}" --network host true
	ended 0
	as "${RUN[@]}" --user 5 true
	fails 125 '5' 'map'
	# What takes more rights says so.
	as "${RUN[@]}" --memory 64m true
	fails 125 'memory' 'delegat|cgroup|control group'
	as "${RUN[@]}" --userns host true
	fails 125 'namespace|CAP_SYS_ADMIN'
	as "${RUN[@]}" --pid=false sh -c 'sleep 62 &' # which nobody would end
	fails 125 '^coso: --pid=false: .*control group' 'leave it out'
	as "${RUN[@]}" --userns 0:0:1 true
	[ "$status" = 125 ]
	[ "$(wc -l <"$T/err")" = 1 ]
	as "${RUN[@]}" --userns 0:100000:65536 true
	[ "$status" = 125 ]
	[ "$(wc -l <"$T/err")" = 1 ]
	nothing_left
	# The default place for a rootfs.
	as "$BIN/coso" true
	fails 125 "/home-12345/.local/share/coso/rootfs" 'fs-setup|cosofs setup'
	mkdir -p "$T/home-12345/.local/share/coso"
	mv "$T/home-12345/root" "$T/home-12345/.local/share/coso/rootfs"
	as_user 12345 "$BIN/coso" echo works >"$T/out"
	said works
}

@test "an ordinary user: volumes, --keep, limits that take delegation, maps that are not theirs" { in_ns ordinary_more; }

ordinary_detached() {
	own_rootfs
	as "${RUN[@]}" --detach --name bg sh -c 'echo logged; exec sleep 100'
	silent
	as "$BIN/coso" ps
	grep -q '^bg .*running' "$T/out"
	as "$BIN/coso" logs bg
	said logged
	as "$BIN/coso" rm --force bg
	silent
	nothing_left
}

@test "an ordinary user's containers in the background" { in_ns ordinary_detached; }

# Without a session, as in cron's jobs, states have another folder. What is mended there isn't the session's of that name, nor is that
# another session's.
two_sessions() {
	local data=$T/home-12345/.local/share/coso state ours
	own_rootfs
	as env -u XDG_RUNTIME_DIR "${RUN[@]}" --detach --name box sleep 100
	ended 0
	state=$data/run/box/state.json
	kill -KILL "$(jq .pid "$state")" "$(jq .owner "$state")"
	as "${RUN[@]}" --detach --name box sh -c 'echo ours >/mark; exec sleep 100'
	ended 0
	ours=("$data"/sessions/*/containers/box)
	[ ${#ours[@]} = 1 ]
	wait_for 5 grep -q ours "${ours[0]}/data/upper/mark"
	as env -u XDG_RUNTIME_DIR "$BIN/coso" rm box
	ended 0
	[ ! -e "$state" ] && [ ! -e "$data/lib/containers/box" ]
	as mkdir -m 700 "$T/home-12345/other"
	as env XDG_RUNTIME_DIR="$T/home-12345/other/" "${RUN[@]}" --name box sh -c '[ ! -e /mark ]'
	ended 0
	ours+=("$data"/sessions/*/containers)
	[ ${#ours[@]} = 3 ]
	grep -q ours "${ours[0]}/data/upper/mark"
	as "$BIN/coso" rm --force box
	ended 0
	nothing_left
}

@test "an ordinary user's containers without a session, and those of two sessions" { in_ns two_sessions; }

delegate() {
	printf 'user12345:400000:65536\n12345:600000:100\n' >"$T/sub"
	mount --bind "$T/sub" /etc/subuid
	mount --bind "$T/sub" /etc/subgid
	cp /etc/passwd "$T/passwd"
	echo "user12345:x:12345:12345::$T/home-12345:/bin/sh" >>"$T/passwd"
	mount --bind "$T/passwd" /etc/passwd
}

ordinary_range() {
	delegate
	own_rootfs
	as "${RUN[@]}" sh -c 'cat /proc/self/uid_map; touch /x /y; chown 1000:1000 /x; stat -c %u:%g /x; su nobody -s /bin/sh -c "id -u; touch /tmp/n"; stat -c %u /tmp/n'
	ended 0
	tr -s ' ' <"$T/out" | tr '\n' ';' | grep -q '^ 0 12345 1; 1 400000 65536;1000:1000;65534;65534;$' || { cat "$T/out" "$T/err" >&2; return 1; }
	nothing_left # although files were another id's
	as "${RUN[@]}" sh -c 'mkdir -m 1777 /d; chown 5:5 /d; touch /d/f; chown 6:6 /d/f' # a sticky folder
	silent
	nothing_left
	as "${RUN[@]}" --user nobody sh -c 'id -u; mkdir -p /tmp/a/b; chmod 700 /tmp/a'
	said 65534
	nothing_left
	as "${RUN[@]}" --userns 0:12345:1 sh -c 'cat /proc/self/uid_map'
	ended 0
	as "${RUN[@]}" --userns 0:400000:65536 true
	[ "$status" = 125 ] || [ "$status" = 0 ]
	as "${RUN[@]}" --userns 0:0:65536 true # not theirs
	fails 125 'newuidmap'
	umount /etc/subuid /etc/subgid /etc/passwd
}

@test "an ordinary user with a range of ids: all of it is there, and all is removed" {
	skip_unless "newuidmap (package uidmap)" command -v newuidmap
	skip_unless "/etc/subuid and /etc/subgid to cover" test -e /etc/subuid -a -e /etc/subgid
	in_ns ordinary_range
}

no_helper() {
	delegate
	own_rootfs
	mount --bind /dev/null "$(command -v newuidmap)"
	as "${RUN[@]}" id -u
	if [ "$status" = 0 ]; then
		said 0 # their own id alone
	else
		fails 125 newuidmap
	fi
	umount "$(command -v newuidmap)" /etc/subuid /etc/subgid /etc/passwd
}

@test "an ordinary user with a range, and no newuidmap" {
	skip_unless "newuidmap (package uidmap)" command -v newuidmap
	in_ns no_helper
}

kill_minus_9() {
	own_rootfs
	as_user 12345 "${RUN[@]}" --name victim sh -c 'mkdir -p /d/e; chmod 0 /d; echo up; sleep 100' >"$T/out" 2>"$T/err" </dev/null &
	wait_for 10 grep -q up "$T/out"
	kill -9 "$(sed -n 's/.*"owner": \([0-9]*\),.*/\1/p' "$T/home-12345/run/coso/victim/state.json")"
	wait || true
	as "$BIN/coso" ps
	lacks victim
	nothing_left
}

@test "what a killed launcher of an ordinary user leaves, the next command removes" { in_ns kill_minus_9; }
