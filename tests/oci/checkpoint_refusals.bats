# SPDX-License-Identifier: GPL-2.0-or-later
# checkpoint_refusals.bats - what can't be written to disk, or made again, and a criu that can't do it

load ../helpers
load ../cli/common
load common
load criu

# A container that can't be, or a checkpoint that isn't: one line says so, all is as it was, and nothing is left.
refusals() {
	bundle c . count
	create c
	oci checkpoint --image-path "$T/images" c
	fails 1 "container 'c' cannot be checkpointed: it is created"
	oci start c
	[ ! -e "$T/images" ]
	oci checkpoint --image-path "$T/images" --lazy-pages c
	fails 1 '--lazy-pages: memory is always restored at once'
	oci checkpoint --image-path "$T/images" --parent-path /elsewhere c
	fails 1 '--parent-path' 'relative'
	oci checkpoint --image-path "$T/images" --manage-cgroups-mode some c
	fails 1 "--manage-cgroups-mode 'some'"
	oci checkpoint --image-path "$T/images" nobody
	fails 1 'does not exist'
	mkfifo "$T/fifo"
	is_state c running
	gone c
	oci checkpoint --help
	silent
	grep -q -- --leave-running "$T/out"
	oci restore --help
	silent
	oci restore --lsm-mount-context
	fails 1 'flag needs an argument'
	bundle c
	chown -R 100000:100000 "$T/c/rootfs"
	chmod 755 "$T"
	up c "$USERNS | .mounts += [{ destination: \"/data\", type: \"bind\", source: \"/etc\", options: [\"bind\", \"idmap\"] }]" count
	oci checkpoint --image-path "$T/images" c
	fails 1 "mount on '/data': with the ids of the container's own user namespace it can't be restored"
	is_state c running
	gone c
}

@test "what can't be written to disk is refused, and goes on" { there_is_one; as_engine clean refusals; }

# without PATH-FOLDER WORD...: where nothing but that is in PATH.
without() {
	status=0
	env PATH="$1" "$BIN/coso-oci" "${@:2}" >"$T/out" 2>"$T/err" </dev/null || status=$?
}

missing() {
	counts c
	mkdir "$T/bare"
	without "$T/bare" checkpoint --image-path "$T/images" c
	fails 1 "execute 'criu': no such file or directory \(criu has to be installed, and in PATH\)"
	is_state c running
	printf '#!/bin/sh\nexit 3\n' >"$T/bare/criu"
	chmod 755 "$T/bare/criu"
	without "$T/bare" checkpoint --image-path "$T/images" c
	fails 1 'coso checkpoint failed: criu ended without an answer'
	is_state c running
	gone c
	touch "$T/images/inventory.img"
	rm "$T/bare/criu"
	without "$T/bare" restore --bundle "$T/c" --image-path "$T/images" c
	fails 1 "execute 'criu'"
	is_unknown c
}

@test "criu isn't there, or is none: one line says so, the container goes on, and nothing is left" { there_is_one; as_engine clean missing; }

# A criu that neither answers nor ends, and no group to end it by.
hangs() {
	local pid
	bundle c . count
	mkdir "$T/images" "$T/bare"
	touch "$T/images/inventory.img"
	printf '#!/bin/sh\ntouch "%s/began"\nexec sleep 60\n' "$T" >"$T/bare/criu"
	chmod 755 "$T/bare/criu"
	env PATH="$T/bare:$PATH" "$BIN/coso-oci" --cgroup-manager disabled restore --bundle "$T/c" --image-path "$T/images" c >"$T/out" 2>"$T/err" </dev/null &
	pid=$!
	wait_for 5 test -e "$T/began"
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	fails 1 'it was interrupted'
	is_unknown c
}

@test "a criu that hangs: restore can be interrupted, and nothing is left" { there_is_one; as_engine clean hangs; }

not_built() {
	local command
	cp "$BIN/coso" "$T/coso-oci"
	[ "$("$T/coso-oci" features | jq -r '.annotations["org.opencontainers.runc.checkpoint.enabled"]')" = false ]
	for command in "checkpoint --help" "checkpoint c" "restore --lsm-mount-context" "restore c"; do
		status=0
		# shellcheck disable=SC2086 # words
		"$T/coso-oci" $command >"$T/out" 2>"$T/err" || status=$?
		fails 1 "this build of coso can't drive criu"
		lacks 'flag needs an argument' "$T/err"
	done
}

@test "without coso-criu there are no checkpoints, and none are promised" { in_ns not_built; }

as_others() {
	as_user 1000 "$BIN/coso-oci" --root "$T/home-1000/run/x" checkpoint c 2>"$T/err" && return 1
	grep -q "criu takes the rights of the host's root" "$T/err"
	as_user 1000 "$BIN/coso-oci" --root "$T/home-1000/run/x" restore c 2>"$T/err" && return 1
	grep -q "criu takes the rights of the host's root" "$T/err"
}

@test "an ordinary user is refused" { there_is_one; in_ns as_others; }

bad_images() {
	local said
	bundle c . count
	restore_fails() {
		oci restore --detach --bundle "$T/c" --image-path "$T/images" --work-path "$T/work" c
		fails 1 "$@"
		is_unknown c
		[ ! -e /run/coso-oci/c ]
	}
	restore_fails images 'no such file or directory'
	mkdir "$T/images" "$T/work"
	restore_fails "'$T/images' holds no checkpoint: there is no inventory.img"
	echo nonsense >"$T/images/inventory.img"
	! works >"$T/works" 2>&1 || said="Magic doesn't match for inventory.img"
	restore_fails "criu: ${said:-}" "log file: $T/work/restore.log"
	ln -s /etc/shadow "$T/images/pages-1.img"
	restore_fails "'$T/images/pages-1.img' is no plain file"
	rm "$T/images/pages-1.img"
	echo secret >"$T/secret"
	ln "$T/secret" "$T/images/pages-1.img"
	restore_fails "'$T/images/pages-1.img' is no plain file"
	rm "$T/images/pages-1.img"
	mkfifo "$T/images/core-1.img"
	restore_fails "'$T/images/core-1.img' is no plain file"
	rm "$T/images/core-1.img"
	ln -s /etc "$T/images/parent"
	restore_fails "leads to '/etc'"
	rm "$T/images/parent"
	mkdir "$T/first"
	ln -s ../first "$T/images/parent"
	ln -s /etc/shadow "$T/first/pages-1.img"
	restore_fails "pages-1.img' is no plain file"
	rm "$T/first/pages-1.img"
	chown 1000 "$T/first"
	restore_fails "/images/parent'" 'belongs to user 1000'
	rm "$T/images/parent"
	echo '{}' >"$T/images/descriptors.json"
	restore_fails "descriptors.json' isn't a list"
	rm "$T/images/descriptors.json"
	chmod 777 "$T/images"
	restore_fails --image-path "$T/images"
	chmod 755 "$T/images"
	chown 1000 "$T/images"
	restore_fails --image-path "$T/images"
}

@test "images that lead elsewhere, or are somebody else's, or none, are refused, and nothing is left" { there_is_one; as_engine clean bad_images; }
