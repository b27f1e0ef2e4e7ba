# SPDX-License-Identifier: GPL-2.0-or-later
# swarm.bats - Docker's swarm mode, with the runtime under test as the node's default

load ../../helpers
load engines

setup() {
	common_setup
	engine dockerd docker containerd containerd-shim-runc-v2 iptables jq
}

swarm() {
	docker swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377 >/dev/null
	"$@"
	docker service ls -q | xargs -r docker service rm >/dev/null
	wait_for 20 no_containers
	docker swarm leave --force >/dev/null
}

no_containers() { [ -z "$(docker ps -aq)" ]; }
replicas() { docker service ls --filter "name=$1" --format '{{.Replicas}}'; }
logged() { [ "$(docker service logs --raw "$1" 2>/dev/null | grep -c "$2")" = "$3" ]; }
tasks() { docker ps -q --filter "name=$1"; }

# The kernel may lack IPVS: dnsrr does without.
service() { docker service create --quiet --detach --endpoint-mode dnsrr "$@" >/dev/null 2>&1; }

replicated() {
	local killed
	service --name web --replicas 3 box sh -c 'trap exit TERM; echo started; while :; do sleep 0.1; done'
	wait_for 20 is 3/3 replicas web
	gives 0 $'coso\ncoso\ncoso' sh -c 'docker inspect -f "{{.HostConfig.Runtime}}" $(docker ps -q)'
	wait_for 10 logged web started 3
	# What dies is replaced, and what is asked for is there.
	killed=$(tasks web | head -n 1)
	docker kill "$killed" >/dev/null
	wait_for 20 logged web started 4
	wait_for 20 is 3/3 replicas web
	docker service scale --detach web=1 >/dev/null
	wait_for 20 is 1 sh -c 'docker ps -q | wc -l'
	# A new environment is a new container.
	docker service update --detach --env-add NEW=1 --update-delay 0s web >/dev/null
	wait_for 20 is 1 sh -c 'docker exec "$(docker ps -q | head -n 1)" sh -c "echo \$NEW"'
}

@test "docker service: replicas, logs, replacement, scale, update" { with docker swarm replicated; }

configured() {
	local task
	echo secret | docker secret create word - >/dev/null
	echo configured | docker config create file - >/dev/null
	service --name set --secret word --config source=file,target=/etc/file,mode=0440 --limit-memory 64m --limit-pids 20 --read-only \
		--mount type=tmpfs,dst=/scratch --hostname 'node-{{.Task.Slot}}' --user 1000 --group 5000 --init --cap-drop ALL \
		--health-cmd 'test -e /scratch/well' --health-interval 0.2s --health-retries 100 \
		box sh -c 'trap exit TERM; touch /scratch/well; cat /run/secrets/word; hostname; grep CapEff /proc/self/status; while :; do sleep 0.1; done'
	wait_for 20 is 1/1 replicas set
	task=$(tasks set)
	wait_for 10 is healthy docker inspect -f '{{.State.Health.Status}}' "$task"
	ends 0 docker service logs --raw set
	says '^secret$' '^node-1$' '^CapEff:.*0000000000000000$'
	gives 0 configured docker exec -u 0 "$task" cat /etc/file
	gives 0 67108864 group_value "$(docker inspect -f '{{.State.Pid}}' "$task")" memory:memory.limit_in_bytes memory.max
	docker service rm set >/dev/null
	wait_for 20 no_containers
	docker secret rm word >/dev/null
	docker config rm file >/dev/null
}

@test "docker service: secrets, configs, limits, health, users" { with docker swarm configured; }
