# SPDX-License-Identifier: GPL-2.0-or-later
# podman.bats - podman and conmon on the runtime under test

load ../../helpers
load engines

setup() {
	common_setup
	engine podman conmon jq
}

runs() {
	gives 0 hi podman run --rm box echo hi
	gives 0 'from outside' podman run --rm -i box cat <<<'from outside'
	gives 7 '' podman run --rm box sh -c 'exit 7'
	gives 0 '' podman --runtime-flag debug run --rm box true
	ends 0 podman info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}'
	says "^coso $RUNTIME\$"
}

@test "podman run: output, input, exit status" { with podman runs; }

fails() {
	gives 127 '' podman run --rm box nope
	says 'executable file .*not found in \$PATH|no such file or directory'
	gives 127 '' podman run --rm box /nope
	says '[nN]o such file or directory'
	gives 126 '' podman run --rm box /etc/passwd
	says '[pP]ermission denied'
	gives 126 '' podman run --rm box /etc
	gives 125 '' podman run --rm --no-such-flag box true
	gives 126 '' podman run --rm --workdir /etc/passwd box true
}

@test "podman run: 125, 126 and 127, and nothing is left of what failed" { with podman fails; }

options() {
	gives 0 '1 /tmp 1000 2000 box1 64 1 1,3 32768 5000 0077' podman run --rm --env A=1 --workdir /tmp --user 1000:2000 --hostname box1 \
		--ulimit nofile=64:128 --ulimit nproc=4096 --sysctl net.ipv4.ip_forward=1 --device /dev/null:/dev/nothing --shm-size 32m \
		--group-add 5000 --umask 077 box \
		sh -c 'echo $A $(pwd) $(id -u) $(id -g) $(hostname) $(ulimit -n) $(cat /proc/sys/net/ipv4/ip_forward) $(stat -c %t,%T /dev/nothing) \
			$(df -k /dev/shm | awk "END { print \$2 }") $(for g in $(id -G); do [ $g != 5000 ] || echo $g; done) $(umask)'
	mkdir "$T/data" && echo data >"$T/data/file"
	gives 0 $'written\nrefused\ndata\nrefused' podman run --rm --read-only --tmpfs /scratch -v "$T/data:/data:ro" box \
		sh -c 'echo written >/scratch/x; cat /scratch/x; touch /etc/x 2>/dev/null || echo refused
			cat /data/file; touch /data/x 2>/dev/null || echo refused'
	gives 0 inherited podman run --rm -v "$T/data:/data" --preserve-fds 1 box sh -c 'touch /data/new; cat <&3' 3<<<inherited
	[ -e "$T/data/new" ]
}

@test "podman run: what its options mean inside" { with podman options; }

security() {
	local status='s/^(Seccomp|NoNewPrivs|CapEff):[[:space:]]*//p'
	[ -n "$(head -c 1 /proc/timer_list | tr -d '\0')" ]
	gives 0 $'2\n0\nrefused' podman run --rm box sh -c 'sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status; wc -c </proc/timer_list
		echo 1 2>/dev/null >/proc/sys/kernel/dmesg_restrict || echo refused'
	gives 0 $'0000000000000001\n1\n0' podman run --rm --cap-drop ALL --cap-add CHOWN --security-opt no-new-privileges \
		--security-opt seccomp=unconfined box sed -rn "$status" /proc/self/status
	gives 0 0000000000000000 podman run --rm --cap-drop ALL box sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status
	gives 0 "$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status)" \
		podman run --rm --privileged box sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status
}

@test "podman run: seccomp, capabilities, no new privileges, masks, --privileged" { with podman security; }

users() {
	gives 0 $'0 100000 65536\n0:0' podman run --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 box \
		sh -c 'set -- $(cat /proc/self/uid_map); echo $*; touch /mine && rm /mine; stat -c %u:%g /etc/passwd'
}

@test "podman run --uidmap: a user namespace" { with podman users; }

terminal() {
	ends 0 podman run --rm -t box sh -c 'test -t 0 && test -t 1 && echo terminal; tty'
	says terminal /dev/pts/0
	podman run -d --name box box sleep 100 >/dev/null
	ends 0 podman exec -t box sh -c 'test -t 1 && echo terminal'
	says terminal
	podman rm -f -t 0 box >/dev/null
}

@test "podman run -t, exec -t: a terminal" { with podman terminal; }

executes() {
	podman run -d --name box --env A=1 box sleep 100 >/dev/null
	gives 0 '1 2' podman exec -e B=2 box sh -c 'echo $A $B'
	gives 0 '/tmp 1000' podman exec -w /tmp -u 1000 box sh -c 'echo $(pwd) $(id -u)'
	gives 0 piped podman exec -i box cat <<<piped
	gives 9 '' podman exec box sh -c 'exit 9'
	gives 127 '' podman exec box nope
	gives 126 '' podman exec box /etc/passwd
	ends 0 podman exec -d box touch /tmp/detached
	wait_for 5 podman exec box test -e /tmp/detached
	ends 0 podman top box
	says sleep
	podman kill box >/dev/null
	wait_for 5 is exited podman inspect -f '{{.State.Status}}' box
	ends 255 podman exec box true
	podman rm box >/dev/null
}

@test "podman exec: environment, user, input, exit status, in the background" { with podman executes; }

lives() {
	local pid
	podman run -d --name box box sh -c 'trap "echo term; exit 3" TERM; trap "echo usr1" USR1; echo out; echo err >&2
		while :; do sleep 0.1; done' >/dev/null
	wait_for 5 is $'out\nerr' sh -c 'podman logs box 2>&1'
	podman kill -s USR1 box >/dev/null
	wait_for 5 sh -c 'podman logs box 2>&1 | grep -q usr1'
	podman stop -t 10 box >/dev/null
	gives 0 'exited 3' podman inspect -f '{{.State.Status}} {{.State.ExitCode}}' box
	ends 0 podman logs box
	says term
	podman start box >/dev/null
	pid=$(podman inspect -f '{{.State.Pid}}' box)
	[ -d "/proc/$pid" ]
	podman kill box >/dev/null
	gives 0 137 podman wait box
	[ ! -d "/proc/$pid" ]
	podman restart -t 0 box >/dev/null
	gives 0 running podman inspect -f '{{.State.Status}}' box
	kill -KILL "$(podman inspect -f '{{.State.Pid}}' box)"
	gives 0 137 podman wait box
	podman rm box >/dev/null
	podman create --name never box true >/dev/null
	podman init never >/dev/null # created by the runtime, never started
	gives 0 initialized podman inspect -f '{{.State.Status}}' never
	podman rm never >/dev/null
}

@test "podman logs, kill, stop, start, wait, restart, rm" { with podman lives; }

changed() { ! cmp -s "$1" "$T/count"; }

pauses() {
	local before
	podman run -d --name box box sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/count; sleep 0.02; done' >/dev/null
	wait_for 5 podman exec box test -s /count
	podman pause box >/dev/null
	gives 0 paused podman inspect -f '{{.State.Status}}' box
	before=$(podman mount box)/count
	cp "$before" "$T/count"
	sleep 0.2
	cmp "$before" "$T/count"
	podman unpause box >/dev/null
	wait_for 5 changed "$before"
	podman pause box >/dev/null
	podman rm -f -t 0 box >/dev/null # what is paused ends, too
}

@test "podman pause, unpause, and the removal of what is paused" { with podman pauses; }

limits() {
	local pid
	podman run -d --name box --memory 64m --memory-swap 64m --cpus 0.5 --pids-limit 20 box sleep 100 >/dev/null
	pid=$(podman inspect -f '{{.State.Pid}}' box)
	gives 0 67108864 group_value "$pid" memory:memory.limit_in_bytes memory.max
	gives 0 20 group_value "$pid" pids:pids.max pids.max
	ends 0 podman stats --no-stream --format '{{.MemUsage}} {{.PIDS}}' box
	says '/ 67.11MB 1$'
	podman update --memory 32m --memory-swap 32m --cpus 0.25 box >/dev/null
	gives 0 33554432 group_value "$pid" memory:memory.limit_in_bytes memory.max
	podman rm -f -t 0 box >/dev/null
	ends 137 podman run --name oom --memory 16m --memory-swap 16m -v "$BIN/probe:/probe:ro" box \
		sh -c '/probe mem 100000000; code=$?; sleep 0.2; exit $code'
	# conmon has seen it. Some releases of it leave this file in the wrong folder.
	[ -e "$T/oom" ] || gives 0 true podman inspect -f '{{.State.OOMKilled}}' oom
	podman rm oom >/dev/null
	ends 1 podman run --rm --pids-limit 10 -v "$BIN/probe:/probe:ro" box /probe fork 50
	says '^forked=9$'
}

@test "podman: limits, stats, update, and the end of what exceeds its memory" { with podman limits; }

cpus() {
	gives 0 0 podman run --rm --cpuset-cpus 0 box sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status
}

@test "podman run --cpuset-cpus" {
	has_cpusets
	with podman cpus
}

no_groups() {
	gives 0 same podman run --rm --cgroups disabled --cgroupns host box sh -c 'grep -q libpod /proc/self/cgroup || echo same'
	podman run -d --name box --cgroups disabled box sleep 100 >/dev/null
	gives 0 there podman exec box echo there
	podman stop -t 0 box >/dev/null
	podman rm box >/dev/null
}

@test "podman run --cgroups disabled" {
	our_own "--cgroup-manager disabled"
	with podman no_groups
}

no_pid_namespace() {
	podman run -d --name box --pid host box sh -c "sleep 1$$ & sleep 2$$ & wait" >/dev/null
	wait_for 5 is 2 pgrep -c -f "^sleep [12]$$\$"
	podman stop -t 0 box >/dev/null
	podman rm box >/dev/null
	gives 1 0 pgrep -c -f "^sleep [12]$$\$"
}

@test "podman run --pid host: all of its processes end" { with podman no_pid_namespace; }

pods() {
	podman pod create --name pod --share net,ipc,uts >/dev/null
	podman run -d --pod pod --name one box sh -c 'echo shared >/dev/shm/x; while :; do echo served | nc -l -p 8080; done' >/dev/null
	wait_for 5 podman exec one test -s /dev/shm/x
	gives 0 $'pod\nshared' podman run --rm --pod pod box sh -c 'hostname; cat /dev/shm/x'
	wait_for 5 is served podman run --rm --pod pod box nc 127.0.0.1 8080
	podman pod pause pod >/dev/null
	gives 0 paused podman inspect -f '{{.State.Status}}' one
	podman pod unpause pod >/dev/null
	podman pod stop -t 0 pod >/dev/null
	podman pod start pod >/dev/null
	gives 0 running podman inspect -f '{{.State.Status}}' one
	podman pod rm -f -t 0 pod >/dev/null
}

@test "podman pod: containers that share network, IPC and name" {
	engine catatonit
	with podman pods
}

health() {
	podman run -d --name box --health-cmd 'test -e /well' --health-interval disable --health-retries 1 box sleep 100 >/dev/null
	ends 1 podman healthcheck run box
	podman exec box touch /well
	ends 0 podman healthcheck run box
	gives 0 healthy podman inspect -f '{{.State.Health.Status}}' box
	podman rm -f -t 0 box >/dev/null
}

@test "podman healthcheck" { with podman health; }

builds() {
	mkdir "$T/context"
	echo copied >"$T/context/file"
	cat >"$T/context/Containerfile" <<-FILE
		FROM $IMAGE
		ENV A=1
		COPY file /file
		RUN echo "\$A \$(id -u) \$(cat /file)" >/built && echo someone:x:1000:1000::/:/bin/sh >>/etc/passwd
		USER someone
		RUN id -un >/tmp/user
		CMD cat /built /tmp/user
	FILE
	ends 0 podman build -q --runtime "$RUNTIME" --isolation oci -t built "$T/context"
	gives 0 $'1 0 copied\nsomeone' podman run --rm built
	printf 'FROM %s\nRUN exit 3\n' "$IMAGE" >"$T/context/Containerfile"
	ends 3 podman build -q --runtime "$RUNTIME" --isolation oci "$T/context"
	podman run --name box box touch /new
	podman commit -q box changed >/dev/null
	podman rm box >/dev/null
	gives 0 /new podman run --rm changed ls /new
}

@test "podman build, commit" { with podman builds; }

networks() {
	podman run -d --name box --network bridge -p 8080:80 box sh -c 'while :; do echo served | nc -l -p 80; done' >/dev/null
	ends 0 podman exec box cat /sys/class/net/eth0/operstate
	wait_for 5 is served bash -c 'cat </dev/tcp/127.0.0.1/8080'
	gives 0 yes podman run --rm --network container:box box sh -c '[ -e /sys/class/net/eth0 ] && echo yes'
	podman rm -f -t 0 box >/dev/null
	gives 0 lo podman run --rm --network none box ls /sys/class/net
	gives 0 "$(ls /sys/class/net)" podman run --rm --network host box ls /sys/class/net
}

@test "podman run --network: bridge with a published port, container, none, host" {
	engine netavark
	with podman networks
}

holds() { jq -e "$2" "$1" >/dev/null || { echo "not so: $2: $(<"$1")" >&2; return 1; }; } # holds FILE FILTER

hooks() {
	local stage
	mkdir "$T/hooks"
	printf '#!/bin/sh\ncat >"%s/$1.json"\n' "$T" >"$T/hook"
	chmod +x "$T/hook"
	for stage in createRuntime createContainer poststart poststop; do
		jq -n --arg path "$T/hook" --arg stage $stage '{version: "1.0.0", hook: {path: $path, args: [$path, $stage]},
			when: {always: true}, stages: [$stage]}' >"$T/hooks/$stage.json"
	done
	gives 0 hi podman --hooks-dir "$T/hooks" run --annotation key=value --name box box echo hi
	wait_for 5 test -s "$T/poststop.json"
	podman rm box >/dev/null
	for stage in createRuntime createContainer poststart; do
		holds "$T/$stage.json" '.pid > 0 and .annotations.key == "value" and (.bundle | startswith("/"))'
	done
	holds "$T/poststop.json" '.status == "stopped"'
}

@test "podman --hooks-dir: hooks get the state" { with podman hooks; }

many() {
	local i pids=()
	for i in {1..8}; do
		podman run --rm --name "box$i" box sh -c "echo $i" >"$T/out$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" || true; done
	[ "$(cat "$T"/out[1-8])" = "$(seq 8)" ] || { grep . "$T"/out[1-8] >&2; return 1; }
}

@test "podman run: eight at the same time" { with podman many; }

# What it prints is one line a number, in its logs.
checkpoints() {
	local n
	ends 0 podman run -d --name box box sh -c 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.1; done'
	wait_for 10 logged 3
	ends 0 podman container checkpoint box
	gives 0 exited podman inspect --format '{{.State.Status}}' box
	n=$(podman logs box | tail -n 1)
	ends 0 podman container restore box
	wait_for 10 logged $((n + 3))
	[ -z "$(podman logs box | sort -n | uniq -d)" ]
	ends 0 podman container checkpoint --export "$T/box.tar.gz" box
	ends 0 podman rm box
	ends 0 podman container restore --import "$T/box.tar.gz" --name other
	gives 0 running podman inspect --format '{{.State.Status}}' other
	ends 0 podman rm -f -t 0 other
}

logged() { podman logs box | grep -qx "$1"; }

@test "podman container checkpoint and restore, and an archive of it" { use_criu; with podman checkpoints; }
