# SPDX-License-Identifier: GPL-2.0-or-later
# oci.bash - what the tests of attacks on the OCI runtime share. Load it behind common, ../cli/common and ../oci/common.
#
#   hostile [NAME]               bundle NAME, "c" without one, gets a fresh root file system: $ROOT (see fresh_root)
#   attempt FILTER WORD...       `run` of bundle "c", which may fail, but not crash or hang; $T/out, $T/err, $status
#   untouched                    no mount of the last `attempt ... mounts` is of the canary's, and the canary is as it was
#   $OWN_USERS                   a filter: a user namespace, whose root's ids are 100000

export OWN_USERS='.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] |
	.linux.gidMappings = .linux.uidMappings'

hostile() { fresh_root "$T/${1:-c}/rootfs"; }

attempt() {
	bundle c "$@"
	oci run --bundle "$T/c" c
	ended 0 2>/dev/null || ended 1
}

untouched() {
	if awk '{ print $4 }' "$T/out" | grep -vF "$ROOT" | grep -F "$CANARY"; then # a link of that name leads to one in the root
		echo "the container has a mount of the host's" >&2
		return 1
	fi
	canary_lives
}

# swapping A B: from now on, until `swapped`, the two change names as fast as it goes.
swapping() {
	"$BIN/attack" swap "$1" "$2" $((100 * ${COSO_TEST_PATIENCE:-1})) >"$T/swaps" &
	SWAPPER=$!
}

swapped() {
	kill "$SWAPPER"
	wait "$SWAPPER" || true
}
