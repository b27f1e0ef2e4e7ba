# SPDX-License-Identifier: GPL-2.0-or-later
# engines.bash - engines of the field, each of a test's own, with the runtime under test below them
#
#   load ../../helpers
#   load engines
#
# $RUNTIME is what is tested: $COSO_OCI_RUNTIME if that is set (/usr/bin/runc proves the tests themselves right), else coso-oci.
#
#   engine PROG...               skips where the engine isn't installed
#   our_own REASON               skips where the runtime under test is a stand-in that lacks this
#   has_cpusets                  skips where the kernel has none
#   with ENGINE CMD...           runs CMD, a function of the test, in namespaces of its own with ENGINE (podman, docker, containerd,
#                                buildah) up and an image "box" in it; afterwards nothing of the engine or the runtime may be left
# Inside:
#   gives STATUS TEXT CMD...     CMD ends with STATUS and prints TEXT, and nothing else, on standard output; $T/err has the rest
#   ends STATUS CMD...           CMD ends with STATUS; $T/out and $T/err have what it printed
#   says PATTERN...              each is found in a line of $T/out or $T/err
#   is TEXT CMD...              for wait_for: CMD prints TEXT
#   group_value PID CONTROLLER:V1-FILE V2-FILE   what the limit of a process is, on v1 or v2
#
# The engines use their default places: /run, /var/lib and /tmp are the test's own in there, and what they write to /etc goes to a
# layer that ends with the test.

RUNTIME=${COSO_OCI_RUNTIME:-$BIN/coso-oci}
IMAGE=docker.io/library/box:latest # what `box` means where short names aren't understood
COSO_TEST_PATHS+=:${RUNTIME%/*}
export RUNTIME IMAGE COSO_TEST_PATHS

engine() {
	local prog PATH=$PATH:/usr/lib/podman:/usr/libexec/podman
	[ "$(id -u)" = 0 ] || skip "root's engines need root"
	for prog; do
		command -v "$prog" >/dev/null || skip "$prog isn't installed (scripts/deps engines does it)"
	done
	[ -x "$RUNTIME" ] || { echo "no runtime to test: $RUNTIME" >&2; return 1; }
}

our_own() { [ -z "${COSO_OCI_RUNTIME:-}" ] || [[ ${COSO_OCI_RUNTIME##*/} == coso* ]] || skip "the stand-in ${COSO_OCI_RUNTIME##*/} lacks: $1"; }

# Has engines find a criu that works: $COSO_TEST_CRIU, or that of PATH.
use_criu() {
	our_own "checkpoints by coso-criu"
	[ -z "${COSO_TEST_CRIU:-}" ] || { mkdir "$T/criu"; ln -s "$COSO_TEST_CRIU" "$T/criu/criu"; export PATH=$T/criu:$PATH; }
	skip_unless "a criu that works on it" "$BIN/coso-criu" check
}

# Whether root may give away every capability that the kernel knows.
all_capabilities() {
	local bounding
	bounding=$((16#$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status)))
	((bounding == (1 << ($(</proc/sys/kernel/cap_last_cap) + 1)) - 1))
}

has_cpusets() { skip_unless 'the cgroup controller cpuset' grep -q '^cpuset' /proc/cgroups; }

with() { in_ns engine_session "$@"; }

# Here begins what runs inside.

engine_session() { # engine_session ENGINE CMD...
	local name=$1
	shift
	engine_world
	trap 'engine_end $?' EXIT
	ENGINE=$name
	"${name}_up"
	"$@"
	"${name}_left_nothing"
}

engine_world() {
	exec </dev/null 3>&- 4>&- # bats waits for whoever holds these
	mkdir -p "$T/etc/upper" "$T/etc/work"
	mount -t overlay overlay -o "lowerdir=/etc,upperdir=$T/etc/upper,workdir=$T/etc/work" /etc
	mount -t tmpfs -o mode=755 none /run
	export HOME=$T XDG_RUNTIME_DIR=
	cd "$T" || return
	unset DOCKER_HOST CONTAINER_HOST DOCKER_CONFIG
	# crun takes a hybrid host's v2 hierarchy for one that it could use.
	case $RUNTIME in
	*crun*) ! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified ;;
	esac
}

engine_end() { # engine_end STATUS
	trap - EXIT
	if [ "$1" != 0 ]; then
		tail -n 30 "$T"/{dockerd,containerd}.log >&2 2>/dev/null || true
		"${ENGINE}_clear" >/dev/null 2>&1 || true
	fi
	"${ENGINE}_down" || true
	remove_groups
	exit "$1"
}

# The groups that engines make for themselves, and leave. A container's is none of these, and fails the test.
remove_groups() {
	find /sys/fs/cgroup -depth -mindepth 1 -type d \( -path '*/libpod_parent' -o -path '*/libpod_parent/conmon' -o -path '*/libpod_parent/[0-9a-f]*' -o \
		-path '*/docker' -o -path '*/docker/buildkit' -o -path '*/default' -o -path '*/buildkit' \) -exec rmdir {} + 2>/dev/null || true
}

ends() {
	local want=$1 status=0
	shift
	case $(type -t "$1") in
	function) "$@" >"$T/out" 2>"$T/err" || status=$? ;;
	*) timeout -k 5 $((40 * ${COSO_TEST_PATIENCE:-1})) "$@" >"$T/out" 2>"$T/err" || status=$? ;;
	esac
	[ "$status" = "$want" ] || { printf 'ended with %s instead of %s: %s\n%s\n' "$status" "$want" "$*" "$(<"$T/out")$(<"$T/err")" >&2; return 1; }
}

gives() {
	local want=$1 text=$2
	shift 2
	ends "$want" "$@"
	[ "$(<"$T/out")" = "$text" ] ||
		{ printf "printed instead of '%s': %s\n%s\n%s\n" "$text" "$*" "$(<"$T/out")" "$(<"$T/err")" >&2; return 1; }
}

says() {
	local pattern
	for pattern; do
		grep -qE -- "$pattern" "$T/out" "$T/err" || { printf "no '%s' in:\n%s\n" "$pattern" "$(<"$T/out")$(<"$T/err")" >&2; return 1; }
	done
}

is() { # is TEXT CMD...: for wait_for
	local text=$1
	shift
	[ "$("$@" 2>/dev/null)" = "$text" ]
}

# group_value PID CONTROLLER:V1-FILE V2-FILE: what the group of that process says, on v1 or v2.
group_value() {
	local controller=${2%%:*} path
	path=$(sed -n "s/^[0-9]*:\(.*,\)\?$controller\(,.*\)\?:\(.*\)/\3/p" "/proc/$1/cgroup")
	if [ -n "$path" ]; then
		cat "/sys/fs/cgroup/$controller$path/${2#*:}"
	else
		cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")/$3"
	fi
}

# nothing_in DIR...: no container's state is in there, and no container's root is mounted anywhere.
nothing_in() {
	local left
	left=$(find "$@" -mindepth 1 -maxdepth 1 ! -name '.*' 2>/dev/null) || true
	[ -z "$left" ] || { echo "state left: $left" >&2; return 1; }
	cut -d' ' -f5 /proc/self/mountinfo >"$T/mounted"
	lacks '/(merged|rootfs)(/|$)' "$T/mounted"
}

image_tar() { tar -C "$ROOTFS" -c .; }

# --- podman and buildah

podman_up() {
	cat >"$T/containers.conf" <<-CONF
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
		netns = "none"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "coso"
		runtime_supports_json = ["coso"]
		runtime_supports_nocgroup = ["coso"]
		[engine.runtimes]
		coso = ["$RUNTIME"]
		[network]
		network_backend = "netavark"
		network_config_dir = "$T/networks"
	CONF
	export CONTAINERS_CONF=$T/containers.conf
	image_tar | podman import -q - "$IMAGE" >/dev/null
}

podman_clear() { podman rm -af -t 0; }
podman_down() { :; }

podman_left_nothing() {
	gives 0 '' podman ps -aq
	wait_for 5 nothing_in /run/coso-oci /run/runc /run/crun
}

buildah_up() {
	export BUILDAH_RUNTIME=$RUNTIME BUILDAH_ISOLATION=oci
	cat >"$T/containers.conf" <<-CONF
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
		[engine]
		cgroup_manager = "cgroupfs"
		[network]
		network_backend = "netavark"
		network_config_dir = "$T/networks"
	CONF
	export CONTAINERS_CONF=$T/containers.conf
	mkdir "$T/base"
	image_tar >"$T/base/root.tar"
	printf 'FROM scratch\nADD root.tar /\n' | buildah bud -q -t "$IMAGE" -f - "$T/base" >/dev/null
}

buildah_clear() { buildah rm -a; }
buildah_down() { :; }

buildah_left_nothing() {
	gives 0 '' buildah containers -q
	nothing_in /run/coso-oci /run/runc /run/crun
}

# --- docker, with a containerd that it starts itself

docker_up() {
	mkdir -p "$T/bin"
	# The daemon's own client: another one may lack the builder.
	ln -sf "$(PATH=/usr/bin:$PATH command -v docker)" "$T/bin/docker"
	export PATH=$T/bin:$PATH DOCKER_HOST=unix:///run/docker.sock DOCKER_BUILDKIT_RUNC_COMMAND=$RUNTIME
	[ -e "$T/daemon.json" ] || docker_config '{}'
	docker_start
	image_tar | docker import - box >/dev/null
}

docker_config() { # docker_config JSON: that, and the runtime
	jq -n --arg path "$RUNTIME" --argjson more "$1" \
		'{runtimes: {coso: {path: $path}, "coso-args": {path: $path, runtimeArgs: ["--debug"]}}, "default-runtime": "coso"} + $more' >"$T/daemon.json"
}

docker_start() {
	dockerd --config-file "$T/daemon.json" --host "$DOCKER_HOST" --data-root /var/lib/docker --exec-root /run/docker \
		--pidfile /run/docker.pid >>"$T/dockerd.log" 2>&1 &
	wait_for 30 docker info >/dev/null 2>&1
}

docker_clear() { docker ps -aq | xargs -r docker rm -f; }

docker_down() {
	[ ! -e /run/docker.pid ] || kill "$(</run/docker.pid)" 2>/dev/null
	wait
}

docker_left_nothing() {
	gives 0 '' docker ps -aq
	wait_for 5 nothing_in /run/docker/runtime-*/moby /run/coso-oci
	docker_down
}

# --- containerd, driven by ctr

containerd_up() {
	printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' >"$T/containerd.toml"
	export CONTAINERD_ADDRESS=/run/containerd/containerd.sock
	containerd_start
	image_archive | ctr images import - >/dev/null
}

containerd_start() {
	containerd --config "$T/containerd.toml" --address "$CONTAINERD_ADDRESS" --root /var/lib/containerd --state /run/containerd \
		>>"$T/containerd.log" 2>&1 &
	echo $! >"$T/containerd.pid"
	wait_for 30 ctr version >/dev/null 2>&1
}

# What `docker save` would write.
image_archive() {
	local sum
	mkdir -p "$T/archive"
	image_tar >"$T/archive/layer.tar"
	sum=$(sha256sum <"$T/archive/layer.tar")
	jq -n --arg id "sha256:${sum%% *}" '{architecture: "amd64", os: "linux", rootfs: {type: "layers", diff_ids: [$id]},
		config: {Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], Cmd: ["sh"]}}' >"$T/archive/config.json"
	jq -n --arg name "$IMAGE" '[{Config: "config.json", RepoTags: [$name], Layers: ["layer.tar"]}]' >"$T/archive/manifest.json"
	tar -C "$T/archive" -c manifest.json config.json layer.tar
}

containerd_clear() {
	local name
	for name in $(ctr container ls -q); do
		ctr task delete -f "$name"
		ctr container rm "$name"
	done
}

containerd_down() {
	[ ! -e "$T/containerd.pid" ] || kill "$(<"$T/containerd.pid")" 2>/dev/null
	wait
}

containerd_left_nothing() {
	gives 0 '' ctr container ls -q
	gives 0 '' ctr task ls -q
	wait_for 5 nothing_in /run/containerd/runc/default /run/containerd/io.containerd.runtime.v2.task/default /run/coso-oci
	containerd_down
}
