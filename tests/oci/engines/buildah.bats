# SPDX-License-Identifier: GPL-2.0-or-later
# buildah.bats - buildah, which calls the runtime itself, without a monitor between

load ../../helpers
load engines

setup() {
	common_setup
	engine buildah jq
}

runs() {
	local box
	box=$(buildah from "$IMAGE")
	gives 0 hi buildah run "$box" echo hi
	gives 0 'from outside' buildah run "$box" cat <<<'from outside'
	gives 7 '' buildah run "$box" sh -c 'exit 7'
	ends 1 buildah run "$box" nope || ends 127 buildah run "$box" nope
	says 'executable file .*not found in \$PATH|no such file or directory'
	buildah config --env A=1 --workingdir /tmp --user 1000:2000 "$box"
	mkdir "$T/data" && echo data >"$T/data/file"
	gives 0 $'1 /tmp 1000 2000 box1\ndata\nrefused' buildah run --hostname box1 -v "$T/data:/data:ro" "$box" \
		sh -c 'echo $A $(pwd) $(id -u) $(id -g) $(hostname); cat /data/file; touch /data/x 2>/dev/null || echo refused'
	gives 0 0000000000000000 buildah run --user 0 --cap-drop all "$box" sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status
	ends 0 script -qec "buildah run -t $box sh -c 'test -t 0 && tty'" /dev/null
	says /dev/pts/0
	buildah rm "$box" >/dev/null
}

@test "buildah run: output, input, exit status, options, terminal" { with buildah runs; }

builds() {
	local box
	mkdir "$T/context"
	echo copied >"$T/context/file"
	cat >"$T/context/Containerfile" <<-FILE
		FROM $IMAGE AS first
		COPY file /file
		RUN echo "built \$(id -u) \$(cat /file)" >/built
		FROM $IMAGE
		COPY --from=first /built /built
		RUN --mount=type=tmpfs,target=/scratch touch /scratch/x && ls /scratch >>/built
		CMD cat /built
	FILE
	ends 0 buildah bud -q -t built "$T/context"
	box=$(buildah from localhost/built)
	gives 0 $'built 0 copied\nx' buildah run "$box" cat /built
	buildah run "$box" touch /new
	buildah commit -q "$box" changed >/dev/null
	buildah rm "$box" >/dev/null
	box=$(buildah from localhost/changed)
	gives 0 /new buildah run "$box" ls /new
	buildah rm "$box" >/dev/null
	printf 'FROM %s\nRUN exit 3\n' "$IMAGE" >"$T/context/Containerfile"
	ends 3 buildah bud -q "$T/context"
}

@test "buildah bud, commit: stages, mounts, and a step that fails" { with buildah builds; }
