# SPDX-License-Identifier: GPL-2.0-or-later
# files.bats - what a container reads and writes: root, volumes, mounts, read-only, --keep

load ../helpers
load common

tree_of() { (cd "$1" && find . -printf '%p %y %m %U %G %s %l %T@ %n\n' | sort && find . -type f -exec sha256sum {} + | sort); }

# A host folder with a file of root's and one of user 1000's.
make_volume() {
	mkdir -p "$T/vol/sub"
	echo from-host >"$T/vol/file"
	echo from-user >"$T/vol/user"
	chown 1000:1000 "$T/vol/user"
}

export changes='cd /; rm /etc/passwd; echo x >/etc/group; mkdir /new; mv /etc/shells /new; chmod 700 /bin; chown 7:7 /etc; ln /bin/busybox /hard
	rm -rf /usr; mkdir /usr; touch /usr/opaque; mknod /fifo p; ln -s /x /link; : >/etc/hosts'

never_written() {
	local flag
	tree_of "$ROOTFS" >"$T/before"
	for flag in '' '--userns=host' '--init' '--network=host'; do
		alpine $flag sh -c "$changes && ls -d /fifo /usr/*"
		ended 0
		[ "$(<"$T/out")" = $'/fifo\n/usr/opaque' ]
	done
	diff "$T/before" <(tree_of "$ROOTFS") >&2
	alpine ls /etc/passwd /usr/bin
	ended 0
}

@test "the rootfs is never written, whatever the container does to it, and nothing stays" { in_ns clean never_written; }

read_only_rootfs() {
	# The lower layer may be on a read-only mount, too.
	mkdir "$T/ro"
	mount --bind "$ROOTFS" "$T/ro"
	mount -o remount,bind,ro "$T/ro"
	status=0
	"$BIN/coso" --rootfs "$T/ro" --network none sh -c 'echo ok >/x && cat /x' >"$T/out" 2>"$T/err" </dev/null || status=$?
	silent
	said ok
	umount "$T/ro"
}

@test "a rootfs on a read-only mount serves" { in_ns clean read_only_rootfs; }

read_only() {
	coso --read-only /bin/probe write /tmp/x
	ended 1
	said 'error=/tmp/x: EROFS'
	coso --read-only /bin/probe write /x
	said 'error=/x: EROFS'
	# What is mounted of its own stays writable, and so does a tmpfs or a volume.
	make_volume
	coso --read-only --tmpfs /tmp --volume "$T/vol:/vol" /bin/probe write /tmp/x
	silent
	coso --read-only --volume "$T/vol:/vol" /bin/probe write /vol/new
	silent
	[ -e "$T/vol/new" ]
	coso --read-only /bin/probe write /dev/shm/x
	silent
	coso --read-only=false /bin/probe write /x
	silent
	coso --read-only --workdir /tmp /bin/probe cwd
	silent
}

@test "--read-only: the root, not what is mounted in it" { in_ns clean read_only; }

tmpfs() {
	coso --tmpfs /scratch /bin/probe mounts
	silent
	grep -qE '^mount=.* / /scratch rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw' "$T/out"
	coso --tmpfs /scratch:size=64k,mode=700,exec /bin/probe mounts stat
	grep -qE '^mount=.* / /scratch rw,nosuid,nodev,relatime - tmpfs tmpfs rw,size=64k,mode=700' "$T/out"
	alpine --tmpfs /s:size=64k dd if=/dev/zero of=/s/x bs=1k count=100
	ended 1
	grep -q 'No space left' "$T/err"
	alpine --tmpfs /s:ro touch /s/x
	ended 1
	alpine --mount type=tmpfs,dst=/s,tmpfs-size=64k,tmpfs-mode=1777 sh -c 'stat -c %a /s; df -k /s | tail -n1'
	silent
	said 1777
	grep -q ' 64 ' "$T/out"
}

@test "--tmpfs and its options" { in_ns clean tmpfs; }

volumes() {
	make_volume
	alpine --volume "$T/vol:/data" sh -c 'cat /data/file; stat -c "%n %u:%g" /data/file /data/user; echo new >/data/new; mkdir /data/dir'
	silent
	said from-host '/data/file 0:0' '/data/user 1000:1000'
	[ "$(stat -c %u:%g "$T/vol/new" "$T/vol/dir")" = $'0:0\n0:0' ]
	[ "$(<"$T/vol/new")" = new ]
	alpine --volume "$T/vol:/data:ro" touch /data/no
	ended 1
	grep -q 'Read-only' "$T/err"
	[ ! -e "$T/vol/no" ]
	# Docker's options for SELinux are taken, and do nothing.
	coso --volume "$T/vol:/data:z" /bin/probe read /data/file
	silent
	said from-host
	coso --volume "$T/vol:/data:Z,ro" /bin/probe write /data/no
	said 'error=/data/no: EROFS'
	coso --verbose --volume "$T/vol:/data:ro,Z" /bin/probe write /data/no
	said 'error=/data/no: EROFS'
	grep -q "^coso: --volume: option 'Z'.*SELinux" "$T/err"
	# A file on a file, which is made where it is missing; two volumes, one in the other; a relative source.
	coso --volume "$T/vol/file:/etc/deep/er/file:ro" /bin/probe read /etc/deep/er/file
	silent
	said from-host
	coso --volume "$T/vol:/v" --volume "$T/vol/sub:/v/sub:ro" /bin/probe write /v/sub/x
	said 'error=/v/sub/x: EROFS'
	(cd "$T/vol" && coso --volume ./file:/f --volume sub:/s /bin/probe read /f)
	said from-host
	ln -s file "$T/vol/link"
	coso --volume "$T/vol/link:/f" /bin/probe read /f
	said from-host
	coso --volume "$T/vol:/v:ro,noexec,nosuid" /bin/probe mounts
	grep -qE ' /v ro,nosuid,noexec,relatime[, ]' "$T/out"
}

@test "--volume: folders and files, read-only or not, and files made by its root are root's on the host" { in_ns clean volumes; }

recursive() {
	mkdir -p "$T/vol/sub"
	mount -t tmpfs -o size=64k below "$T/vol/sub"
	coso --volume "$T/vol:/v" --userns host /bin/probe write /v/sub/x
	silent
	[ -e "$T/vol/sub/x" ]
	local option
	for option in ro rro; do
		coso --volume "$T/vol:/v:$option" --userns host /bin/probe write /v/sub/x
		ended 1
		said 'error=/v/sub/x: EROFS'
	done
	coso --mount "type=bind,src=$T/vol,dst=/v,bind" --userns host /bin/probe stat /v/sub/x
	said '/v/sub/x=ENOENT'
	umount "$T/vol/sub"
}

@test "volumes take the mounts below them along, and read-only is for all of those" { in_ns clean recursive; }

mounts() {
	make_volume
	coso --mount "type=bind,src=$T/vol,dst=/v,ro" /bin/probe write /v/x
	said 'error=/v/x: EROFS'
	coso --mount "type=bind,source=$T/vol,target=/v,readonly=false" /bin/probe write /v/x
	silent
	coso --mount type=proc,dst=/proc2 /bin/probe read /proc2/self/comm
	silent
	said probe
	coso --mount type=mqueue,dst=/q /bin/probe mounts
	silent
	grep -q ' /q .* - mqueue ' "$T/out"
	coso --mount type=sysfs,dst=/sys2,ro /bin/probe mounts
	silent
	grep -q ' /sys2 ro,.* - sysfs ' "$T/out"
	coso --mount type=devpts,dst=/pts2,newinstance /bin/probe mounts
	silent
	# An overlay of folders that other mounts brought in; they are mounted in the order of the command line.
	mkdir -p "$T/low" "$T/lower"
	echo lower >"$T/low/l"
	coso --userns host --mount "type=bind,src=$T/low,dst=/low" --mount type=tmpfs,dst=/mem \
		--mount "type=overlay,dst=/merged,lowerdir=$T/low:$T/lower,ro" /bin/probe read /merged/l
	silent
	said lower
}

@test "--mount: bind, proc, mqueue, sysfs, devpts, overlay" { in_ns clean mounts; }

keep() {
	alpine --keep "$T/kept" sh -c 'echo 1 >/mine; rm /etc/group; mkdir /usr/kept'
	silent
	[ "$(<"$T/kept/upper/mine")" = 1 ]
	alpine --keep "$T/kept" sh -c 'cat /mine; ls /etc/group 2>&1; ls -d /usr/kept /usr/bin; echo 2 >>/mine'
	ended 0
	said 1 /usr/kept /usr/bin
	lacks '^/etc/group$'
	# The same under the other user namespaces, and the files are root's all along.
	alpine --keep "$T/kept" --userns host sh -c 'cat /mine; stat -c %u /mine; ls /etc/group || true'
	ended 0
	said 1 2 0
	alpine --keep "$T/kept" --userns 0:500000:65536 stat -c %u /mine
	silent
	said 0
	[ "$(stat -c %u "$T/kept/upper/mine")" = 0 ]
	rm -r "$T/kept"
	# A missing folder is made, with parents.
	alpine --keep "$T/a/b/c" touch /x
	silent
	[ -e "$T/a/b/c/upper/x" ]
	(cd "$T/a" && alpine --keep rel touch /y)
	silent
	[ -e "$T/a/rel/upper/y" ]
}

@test "--keep: what was written stays, and the next container begins with it" { in_ns clean keep; }

keep_in_use() {
	alpine --keep "$T/kept" --detach --name holder sleep 30
	silent
	alpine --keep "$T/kept" true
	fails 125 "^coso: root: --keep: '$T/kept' is in use"
	"$BIN/coso" rm --force holder
	alpine --keep "$T/kept" true
	silent
}

@test "--keep: a folder that another container uses is refused" { in_ns clean keep_in_use; }

in_memory() {
	# Where the disk can't hold an upper layer (here: an overlay), memory does.
	mkdir -p "$T/l" "$T/u" "$T/w" "$T/m"
	mount -t overlay -o "lowerdir=$T/l,upperdir=$T/u,workdir=$T/w" none "$T/m"
	status=0
	"$BIN/coso" --root "$T/m/state" --rootfs "$ROOTFS" --network none sh -c 'echo ok >/x; cat /x' >"$T/out" 2>"$T/err" </dev/null || status=$?
	ended 0
	said ok
	umount "$T/m"
}

@test "an upper layer where the disk can't hold one" { in_ns clean in_memory; }

root_folder() {
	local before
	before=$(find /run/coso /var/lib/coso | sort)
	coso --root "$T/mine" --name here /bin/probe host
	silent
	is hostname here
	[ -d "$T/mine/run" ]
	[ "$before" = "$(find /run/coso /var/lib/coso | sort)" ]
	[ -z "$(find "$T/mine/run" "$T/mine/lib/containers" -mindepth 1 ! -name .owners)" ]
}

@test "--root: COSO's own folders are there, and empty afterwards" { in_ns clean root_folder; }

umask_and_modes() {
	umask 077
	alpine sh -c 'umask; touch /f; mkdir /d; stat -c %a /f /d / /tmp /dev/shm /root'
	silent
	[ "$(<"$T/out")" = $'0022\n644\n755\n755\n1777\n1777\n700' ]
}

@test "the caller's umask is not the container's" { in_ns clean umask_and_modes; }
