# SPDX-License-Identifier: GPL-2.0-or-later
# docker.bats - dockerd, its containerd and its builders on the runtime under test

load ../../helpers
load engines

setup() {
	common_setup
	engine dockerd docker containerd containerd-shim-runc-v2 iptables jq
}

runs() {
	gives 0 hi docker run --rm box echo hi
	gives 0 'from outside' docker run --rm -i box cat <<<'from outside'
	gives 7 '' docker run --rm box sh -c 'exit 7'
	gives 0 coso docker info -f '{{.DefaultRuntime}}'
	gives 0 "$RUNTIME" docker info -f '{{.Runtimes.coso.Path}}'
	gives 0 args docker run --rm --runtime coso-args box echo args
	gives 127 '' docker run --rm box nope
	says 'executable file not found in \$PATH'
	gives 127 '' docker run --rm box /nope
	says 'no such file or directory'
	gives 126 '' docker run --rm box /etc/passwd
	says 'permission denied'
	gives 126 '' docker run --rm box /etc
	gives 125 '' docker run --rm --no-such-flag box true
	gives 125 '' docker run --rm -v /etc/passwd:/etc box true
	says 'not a directory' 'Are you trying to mount a directory onto a file'
}

@test "docker run: output, input, exit status, 125, 126 and 127" { with docker runs; }

options() {
	gives 0 '1 /tmp 1000 2000 box1 64 1 1,3 32768 500' docker run --rm --env A=1 --workdir /tmp --user 1000:2000 --hostname box1 \
		--ulimit nofile=64:128 --sysctl net.ipv4.ip_forward=1 --device /dev/null:/dev/nothing --shm-size 32m --oom-score-adj 500 box \
		sh -c 'echo $A $(pwd) $(id -u) $(id -g) $(hostname) $(ulimit -n) $(cat /proc/sys/net/ipv4/ip_forward) $(stat -c %t,%T /dev/nothing) \
			$(df -k /dev/shm | awk "END { print \$2 }") $(cat /proc/self/oom_score_adj)'
	mkdir "$T/data" && echo data >"$T/data/file"
	gives 0 $'written\nrefused\ndata\nrefused\ndocker-init' docker run --rm --read-only --tmpfs /scratch -v "$T/data:/data:ro" -v kept:/kept --init box \
		sh -c 'echo written >/scratch/x; cat /scratch/x; touch /etc/x 2>/dev/null || echo refused
			cat /data/file; touch /data/x 2>/dev/null || echo refused; touch /kept/x; cat /proc/1/comm'
	gives 0 x docker run --rm -v kept:/kept --mount "type=bind,src=$T/data,dst=/data" box sh -c 'ls /kept; touch /data/new'
	[ -e "$T/data/new" ]
}

@test "docker run: what its options mean inside" {
	engine docker-init
	with docker options
}

security() {
	local status='s/^(Seccomp|NoNewPrivs|CapEff):[[:space:]]*//p'
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}' >"$T/no-mkdir.json"
	gives 0 $'2\n0\nrefused\nrefused' docker run --rm box sh -c 'sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status; wc -c </proc/timer_list
		echo 1 2>/dev/null >/proc/sys/kernel/dmesg_restrict || echo refused
		mknod /x b 7 0 && head -c 1 /x 2>/dev/null || echo refused'
	gives 0 $'0000000000000001\n1\n0' docker run --rm --cap-drop ALL --cap-add CHOWN --security-opt no-new-privileges \
		--security-opt seccomp=unconfined box sed -rn "$status" /proc/self/status
	ends 1 docker run --rm --cap-drop ALL --security-opt "seccomp=$T/no-mkdir.json" box sh -c "sed -rn '$status' /proc/self/status; mkdir /x"
	says '^0000000000000000$' '^2$' 'not permitted'
}

@test "docker run: seccomp, capabilities, no new privileges, masks, devices" { with docker security; }

privileged() {
	local asked
	docker run -d --privileged --name all box sleep 100 >/dev/null
	asked=$(jq '.process.capabilities.bounding | length' /run/docker/containerd/daemon/*/moby/*/config.json)
	((asked >= 38)) # the daemon of 2020 doesn't know the last three
	gives 0 "$(printf %016x $(((1 << asked) - 1)))" docker exec all sed -n 's/^CapEff:[[:space:]]*//p' /proc/1/status
	docker rm -f all >/dev/null
	docker run -d --name box box sleep 100 >/dev/null
	gives 0 "$(printf %016x $(((1 << asked) - 1)))" docker exec --privileged box sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status
	docker rm -f box >/dev/null
}

@test "docker run --privileged, exec --privileged" {
	# dockerd asks for every capability that the kernel knows, whatever it has itself.
	skip_unless "a capability that this host keeps to itself" all_capabilities
	with docker privileged
}

executes() {
	docker run -d --name box --env A=1 box sleep 100 >/dev/null
	gives 0 '1 2' docker exec -e B=2 box sh -c 'echo $A $B'
	gives 0 '/tmp 1000' docker exec -w /tmp -u 1000 box sh -c 'echo $(pwd) $(id -u)'
	gives 0 piped docker exec -i box cat <<<piped
	gives 9 '' docker exec box sh -c 'exit 9'
	gives 137 '' docker exec box sh -c 'kill -KILL $$'
	ends 127 docker exec box nope || ends 126 docker exec box nope # the daemon of 2020 doesn't tell these two apart
	says 'executable file not found in \$PATH'
	ends 126 docker exec box /etc/passwd
	says 'permission denied'
	docker exec -d box touch /tmp/detached
	wait_for 5 docker exec box test -e /tmp/detached
	ends 0 script -qec 'docker exec -it box sh -c "test -t 0 && tty"' /dev/null
	says /dev/pts/
	docker rm -f box >/dev/null
	ends 0 script -qec 'docker run --rm -it box sh -c "test -t 0 && tty"' /dev/null
	says /dev/pts/0
}

@test "docker exec: environment, user, input, exit status, in the background; terminals" { with docker executes; }

lists() {
	docker run -d --name box box sleep 100 >/dev/null
	ends 0 docker top box
	says 'sleep 100'
	docker rm -f box >/dev/null
}

@test "docker top" {
	skip_unless 'a time of boot that ps can read' ps -ef
	with docker lists
}

lives() {
	local pid
	docker run -d --name box box sh -c 'trap "echo term; exit 3" TERM; trap "echo usr1" USR1; echo out; echo err >&2
		while :; do sleep 0.1; done' >/dev/null
	wait_for 5 sh -c 'docker logs box 2>&1 | grep -q err'
	docker kill -s USR1 box >/dev/null
	wait_for 5 sh -c 'docker logs box 2>&1 | grep -q usr1'
	docker stop -t 10 box >/dev/null
	gives 0 'exited 3' docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' box
	ends 0 docker logs box
	says '^out$' '^err$' '^term$'
	docker start box >/dev/null
	pid=$(docker inspect -f '{{.State.Pid}}' box)
	docker kill box >/dev/null
	gives 0 137 docker wait box
	[ ! -d "/proc/$pid" ]
	docker restart -t 0 box >/dev/null
	kill -KILL "$(docker inspect -f '{{.State.Pid}}' box)"
	gives 0 137 docker wait box
	docker rm box >/dev/null
}

@test "docker logs, kill, stop, start, wait, restart, rm" { with docker lives; }

restarted() { [ "$(docker inspect -f '{{.RestartCount}}' box)" -ge "$1" ]; }

restarts() {
	docker run -d --name box --restart on-failure:2 box sh -c 'echo once more; exit 5' >/dev/null
	wait_for 10 is '2 exited 5' docker inspect -f '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}' box
	gives 0 $'once more\nonce more\nonce more' docker logs box
	docker rm box >/dev/null
	docker run -d --name box --restart always box sleep 100 >/dev/null
	kill -KILL "$(docker inspect -f '{{.State.Pid}}' box)"
	wait_for 10 restarted 1
	wait_for 10 is running docker inspect -f '{{.State.Status}}' box
	docker rm -f box >/dev/null
}

@test "docker run --restart" { with docker restarts; }

limits() {
	local pid
	docker run -d --name box --memory 64m --memory-swap 64m --cpus 0.5 --cpu-shares 512 --pids-limit 20 box sleep 100 >/dev/null
	pid=$(docker inspect -f '{{.State.Pid}}' box)
	gives 0 67108864 group_value "$pid" memory:memory.limit_in_bytes memory.max
	gives 0 20 group_value "$pid" pids:pids.max pids.max
	ends 0 docker stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' box
	says '/ 64MiB 1$'
	docker update --memory 32m --memory-swap 32m --cpus 0.25 --pids-limit 30 box >/dev/null
	gives 0 33554432 group_value "$pid" memory:memory.limit_in_bytes memory.max
	gives 0 30 group_value "$pid" pids:pids.max pids.max
	docker rm -f box >/dev/null
	# The daemon hears of it if its shim listens by then, and it does so after the start.
	mkdir "$T/go"
	docker run -d --name oom --memory 16m --memory-swap 16m -v "$BIN/probe:/probe:ro" -v "$T/go:/go" box \
		sh -c 'until [ -e /go/on ]; do sleep 0.1; done; exec /probe mem 100000000' >/dev/null
	touch "$T/go/on"
	gives 0 137 docker wait oom
	gives 0 'true 137' docker inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' oom
	docker rm oom >/dev/null
	ends 1 docker run --rm --pids-limit 10 -v "$BIN/probe:/probe:ro" box /probe fork 50
	says '^forked=9$'
}

@test "docker: limits, stats, update, and OOMKilled with 137" { with docker limits; }

cpus() {
	local pid
	docker run -d --name box --cpuset-cpus 0 box sleep 100 >/dev/null
	pid=$(docker inspect -f '{{.State.Pid}}' box)
	gives 0 0 group_value "$pid" cpuset:cpuset.cpus cpuset.cpus
	docker update --cpuset-cpus 0-1 box >/dev/null
	gives 0 0-1 group_value "$pid" cpuset:cpuset.cpus cpuset.cpus
	docker rm -f box >/dev/null
}

@test "docker run --cpuset-cpus, update" {
	has_cpusets
	with docker cpus
}

pauses() {
	docker run -d --name box box sh -c 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.02; done' >/dev/null
	wait_for 5 sh -c 'docker logs box | grep -q 5'
	docker pause box >/dev/null
	gives 0 paused docker inspect -f '{{.State.Status}}' box
	ends 1 docker exec box true
	sleep 0.2
	docker logs box >"$T/before"
	sleep 0.2
	gives 0 "$(<"$T/before")" docker logs box
	docker unpause box >/dev/null
	wait_for 5 sh -c 'docker logs box | cmp - "$T/before" 2>/dev/null; [ $? = 1 ]'
	docker pause box >/dev/null
	docker rm -f box >/dev/null
}

@test "docker pause, unpause, and the removal of what is paused" { with docker pauses; }

health() {
	docker run -d --name box --health-cmd 'test -e /well' --health-interval 0.2s --health-retries 2 box sleep 100 >/dev/null
	wait_for 10 is unhealthy docker inspect -f '{{.State.Health.Status}}' box
	docker exec box touch /well
	wait_for 10 is healthy docker inspect -f '{{.State.Health.Status}}' box
	docker rm -f box >/dev/null
}

@test "docker run --health-cmd" { with docker health; }

networks() {
	docker run -d --name box -p 8080:80 box sh -c 'while :; do echo served | nc -l -p 80; done' >/dev/null
	wait_for 5 is served bash -c 'cat </dev/tcp/127.0.0.1/8080'
	gives 0 yes docker run --rm --network container:box box sh -c 'nc 127.0.0.1 80 | grep -q served && echo yes'
	docker network create own >/dev/null
	docker network connect own box
	wait_for 5 is served docker run --rm --network own box nc box 80
	docker rm -f box >/dev/null
	docker network rm own >/dev/null
	gives 0 lo docker run --rm --network none box ls /sys/class/net
	ends 0 docker run --rm --network host box ls /sys/class/net
	says docker0
}

@test "docker run --network: bridge with a published port, names, container, none, host" { with docker networks; }

builds() {
	mkdir "$T/context"
	echo copied >"$T/context/file"
	cat >"$T/context/Dockerfile" <<-FILE
		FROM box
		ENV A=1
		COPY file /file
		RUN echo "\$A \$(id -u) \$(cat /file)" >/built && echo someone:x:1000:1000::/:/bin/sh >>/etc/passwd
		USER someone
		RUN id -un >/tmp/user
		CMD cat /built /tmp/user
	FILE
	DOCKER_BUILDKIT=0 ends 0 docker build -q -t classic "$T/context"
	gives 0 $'1 0 copied\nsomeone' docker run --rm classic
	DOCKER_BUILDKIT=1 ends 0 docker build --no-cache -q -t kit "$T/context"
	gives 0 $'1 0 copied\nsomeone' docker run --rm kit
	printf 'FROM box\nRUN exit 3\n' >"$T/context/Dockerfile"
	DOCKER_BUILDKIT=0 ends 3 docker build --force-rm -q "$T/context"
	DOCKER_BUILDKIT=1 ends 1 docker build -q "$T/context"
	says 'exit code: 3'
}

@test "docker build, with and without BuildKit" { with docker builds; }

composed() {
	mkdir "$T/project"
	cat >"$T/project/docker-compose.yml" <<-FILE
		version: "2.4"
		services:
		  back:
		    image: box
		    command: sh -c 'while :; do echo served | nc -l -p 80; done'
		    mem_limit: 64m
		    healthcheck: {test: ["CMD", "true"], interval: 0.2s}
		  front:
		    image: box
		    command: sleep 100
		    depends_on: {back: {condition: service_healthy}}
	FILE
	cd "$T/project" || return
	ends 0 compose up -d --scale front=2
	gives 0 served compose exec -T front nc back 80
	gives 0 3 sh -c 'docker ps -q | wc -l'
	ends 0 compose down -t 0
	cd "$T" || return
}

compose() { if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi; }

@test "docker compose: up, exec, down" {
	docker compose version >/dev/null 2>&1 || engine docker-compose
	with docker composed
}

remapped() {
	local pid
	docker_down
	echo remap:x:4242:4242::/:/bin/false >>/etc/passwd
	echo remap:x:4242: >>/etc/group
	echo remap:500000:65536 | tee -a /etc/subuid >>/etc/subgid
	docker_config '{"userns-remap": "remap"}'
	docker_start
	image_tar | docker import - box >/dev/null
	docker run -d --name box box sleep 100 >/dev/null
	pid=$(docker inspect -f '{{.State.Pid}}' box)
	gives 0 500000 stat -c %u "/proc/$pid"
	gives 0 '0 500000 65536' docker exec box sh -c 'set -- $(cat /proc/self/uid_map); echo $*'
	docker rm -f box >/dev/null
}

@test "dockerd --userns-remap: a user namespace for all" { with docker remapped; }

survives() {
	docker_config '{"live-restore": true}'
	docker_down
	docker_start
	docker run -d --name box box sleep 100 >/dev/null
	docker_down
	docker_start
	gives 0 running docker inspect -f '{{.State.Status}}' box
	gives 0 alive docker exec box echo alive
	docker rm -f box >/dev/null
}

@test "dockerd stopped and started again: with live-restore, containers live on" { with docker survives; }

many() {
	local i pids=()
	for i in {1..8}; do
		docker run --rm --network none box sh -c "echo $i" >"$T/out$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	[ "$(cat "$T"/out[1-8])" = "$(seq 8)" ]
}

@test "docker run: eight at the same time" { with docker many; }

# With a network: its device comes from the daemon again.
checkpoints() {
	local n
	docker run -d --name box box sh -c 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.1; done' >/dev/null
	wait_for 10 logged 3
	gives 0 one docker checkpoint create box one
	gives 0 exited docker inspect -f '{{.State.Status}}' box
	n=$(docker logs box | tail -n 1)
	ends 0 docker start --checkpoint one box
	wait_for 10 logged $((n + 3))
	[ -z "$(docker logs box | sort -n | uniq -d)" ]
	ends 0 docker exec box ip addr show eth0
	says "inet $(docker inspect -f '{{.NetworkSettings.IPAddress}}' box)/"
	docker rm -f box >/dev/null
}

logged() { docker logs box | grep -qx "$1"; }

@test "docker checkpoint and start --checkpoint" {
	use_criu
	docker_config '{"experimental": true}'
	with docker checkpoints
}
