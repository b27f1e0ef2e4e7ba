# SPDX-License-Identifier: GPL-2.0-or-later
# containerd.bats - containerd and its shim on the runtime under test, driven by ctr

load ../../helpers
load engines

setup() {
	common_setup
	engine containerd ctr containerd-shim-runc-v2 jq
}

# box NAME ARG...: ctr run, with the options before IMAGE in $OPTIONS.
OPTIONS=()
box() {
	local name=$1
	shift
	timeout -k 5 $((40 * ${COSO_TEST_PATIENCE:-1})) ctr run --runc-binary "$RUNTIME" "${OPTIONS[@]}" "$IMAGE" "$name" "$@"
}

# On a busy host ctr may end before it has printed what a container wrote, with any runtime: where nothing came, once more.
prints() { gives "$@" 2>"$T/first" || { [ ! -s "$T/out" ] && gives "$@"; }; }

runs() {
	OPTIONS=(--rm)
	prints 0 hi box one echo hi
	prints 0 'from outside' box one head -n 1 <<<'from outside' # ctr run itself never closes a container's input
	gives 7 '' box one sh -c 'exit 7'
	ends 0 script -qec "ctr run --rm -t --runc-binary $RUNTIME $IMAGE one sh -c 'test -t 0 && tty'" /dev/null
	says /dev/pts/0
}

@test "ctr run: output, input, exit status, terminal" { with containerd runs; }

fails() {
	OPTIONS=(--rm)
	gives 1 '' box one nope
	says 'executable file not found in \$PATH'
	gives 1 '' box one /nope
	says 'no such file or directory'
	gives 1 '' box one /etc/passwd
	says 'permission denied'
	lacks 'unable to retrieve OCI runtime error' "$T/err"
	OPTIONS=(--rm --mount "type=bind,src=/nope/nope,dst=/x,options=rbind:ro")
	gives 1 '' box one true
	says 'no such file or directory'
	gives 0 '' ctr task ls -q
}

@test "ctr run: what fails says why, and leaves nothing" { with containerd fails; }

options() {
	mkdir "$T/data" && echo data >"$T/data/file"
	OPTIONS=(--rm --env A=1 --cwd /tmp --read-only --mount "type=bind,src=$T/data,dst=/data,options=rbind:ro" --pid-file "$T/pid"
		--device /dev/null --no-pivot)
	prints 0 $'1 /tmp 0 0\ndata\nrefused\nrefused' box one \
		sh -c 'echo $A $(pwd) $(id -u) $(id -g); cat /data/file; touch /data/x 2>/dev/null || echo refused; touch /etc/x 2>/dev/null || echo refused'
	[[ $(<"$T/pid") =~ ^[0-9]+$ ]]
	OPTIONS=(--rm --seccomp --cap-add CAP_SYS_TIME --net-host)
	prints 0 "$(ls /sys/class/net)"$'\n2' box one sh -c 'ls /sys/class/net; sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status'
	OPTIONS=(--rm --uidmap 0:100000:65536 --gidmap 0:100000:65536)
	prints 0 '0 100000 65536' box one sh -c 'set -- $(cat /proc/self/uid_map); echo $*'
	unshare -n sh -c 'touch "$1/ready"; exec sleep 30' sh "$T" &
	wait_for 5 test -e "$T/ready"
	OPTIONS=(--rm --with-ns "network:/proc/$!/ns/net")
	prints 0 "$(readlink "/proc/$!/ns/net")" box one readlink /proc/self/ns/net
	kill $!
}

@test "ctr run: what its options mean inside" { with containerd options; }

task() { ctr task "$@"; }
status_of() { ctr task ls | awk -v name="$1" '$1 == name { print $3 }'; }

lives() {
	local pid
	OPTIONS=(-d --memory-limit 67108864 --cgroup /mine/one)
	box one sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done'
	pid=$(ctr task ls | awk '$1 == "one" { print $2 }')
	grep -q ':/mine/one$' "/proc/$pid/cgroup"
	gives 0 67108864 group_value "$pid" memory:memory.limit_in_bytes memory.max
	# ctr may lose output here, too: a status says whether all is well.
	ends 0 task exec --exec-id e1 one sh -c 'echo there'
	gives 9 '' task exec --exec-id e2 one sh -c 'exit 9'
	ends 0 task exec --exec-id e3 one sh -c '[ "$(cat)" = piped ]' <<<piped
	ends 0 task exec --exec-id e4 --user 1000 --cwd /tmp one sh -c '[ "$(id -u) $(pwd)" = "1000 /tmp" ]'
	ends 1 task exec --exec-id e5 one nope
	says 'executable file not found in \$PATH'
	ends 0 task ps one
	says "^$pid "
	ends 0 task metrics one
	says 'memory.*67108864|memory.usage'
	ctr task pause one
	gives 0 PAUSED status_of one
	ctr task resume one
	gives 0 RUNNING status_of one
	ctr task kill -s TERM one
	wait_for 5 is STOPPED status_of one
	ends 1 task kill -s TERM one
	says 'not found|already finished'
	ends 0 task delete one
	says 'exit code 3\b'
	ctr container rm one
	rmdir_mine
}

# ctr makes what --cgroup names, and leaves what is above it.
rmdir_mine() { find /sys/fs/cgroup -depth -type d -name mine -exec rmdir {} +; }

@test "ctr task: exec, ps, metrics, pause, resume, kill, delete" { with containerd lives; }

ends_hard() {
	OPTIONS=(-d)
	box one sleep 100
	ctr task pause one
	ctr task kill -s KILL one # what is paused ends, too
	wait_for 5 is STOPPED status_of one
	ends 0 task delete one
	says 'exit code 137\b'
	ctr container rm one
	unshare -p --fork sleep 30 &
	wait_for 5 pgrep -P $! >"$T/namespace"
	OPTIONS=(-d --with-ns "pid:/proc/$(<"$T/namespace")/ns/pid")
	box two sh -c "sleep 1$$ & sleep 2$$ & wait"
	wait_for 5 pgrep -f "^sleep 2$$\$" >/dev/null
	ctr task kill --all -s KILL two
	wait_for 5 is STOPPED status_of two
	ctr task delete two >/dev/null 2>&1
	wait_for 5 gone "^sleep [12]$$\$"
	ctr container rm two
	kill -KILL "$(<"$T/namespace")"
	wait $! || true
}

gone() { ! pgrep -f "$1" >/dev/null; }

@test "ctr task kill: of what is paused, and of all where there is no pid namespace" { with containerd ends_hard; }

survives() {
	OPTIONS=(-d)
	box one sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done'
	containerd_down
	containerd_start
	gives 0 RUNNING status_of one
	ends 0 task exec --exec-id e1 one true
	ctr task kill -s TERM one
	wait_for 5 is STOPPED status_of one
	ends 0 task delete one
	says 'exit code 3\b'
	ctr container rm one
}

@test "containerd stopped and started again: containers live on" { with containerd survives; }

many() {
	local i pids=()
	OPTIONS=(--rm)
	for i in {1..8}; do
		box "box$i" sh -c "exit $i" >"$T/out$i" 2>&1 &
		pids+=($!)
	done
	for i in {1..8}; do
		gives "$i" '' wait_pid "${pids[i - 1]}"
	done
}

wait_pid() { wait "$1"; }

@test "ctr run: eight at the same time" { with containerd many; }

# Its number is in its memory alone; the file goes with the image of the checkpoint.
checkpoints() {
	local n
	ends 0 ctr run -d --runc-binary "$RUNTIME" "$IMAGE" one sh -c 'i=0; while :; do i=$((i + 1)); echo $i >>/count; sleep 0.1; done'
	wait_for 10 counted one 3
	ends 0 ctr task checkpoint --image-path "$T/images" --work-path "$T/work" one # it goes on
	[ -s "$T/images/inventory.img" ]
	n=$(ctr task exec --exec-id now one tail -n 1 /count)
	wait_for 10 counted one $((n + 3))
	ends 0 ctr containers checkpoint --task --rw one checkpoint
	n=$(ctr task exec --exec-id now one tail -n 1 /count)
	ends 0 ctr task rm -f one
	ends 0 ctr containers rm one
	ends 0 ctr containers restore --rw --live two checkpoint
	wait_for 10 counted two $((n + 3))
	gives 0 '' ctr task exec --exec-id now two sh -c 'sort -n /count | uniq -d'
	ends 0 ctr task rm -f two
	ends 0 ctr containers rm two
	ends 0 ctr images rm checkpoint
}

counted() { ctr task exec --exec-id "count$RANDOM" "$1" grep -qx "$2" /count; }

@test "ctr checkpoint and restore" { use_criu; with containerd checkpoints; }
