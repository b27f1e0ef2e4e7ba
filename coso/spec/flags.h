// SPDX-License-Identifier: GPL-2.0-or-later
// flags.h - a container as flags say it, and the spec that comes of it
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

#include <stdbool.h>

// Texts as they were typed, NULL where nothing was. The front end's option table fills this.
struct flags {
	const char *rootfs, *network, *network_join, *network_timeout, *hostname, *namespaces, *userns, *keep, *name, *profile;
	const char *workdir, *user, *seccomp;
	const char *memory, *memory_swap, *memory_reservation, *cpus, *cpu_weight, *pids_limit, *io_weight, *cpuset_cpus,
		*cpuset_mems;
	struct strv env, volume, mount, tmpfs, cap_add, cap_drop, ulimit, sysctl, device, uidmap, gidmap, dns, add_host, publish;
	bool ns_uts, ns_ipc, ns_net, ns_pid, ns_mount, ns_cgroup;
	bool no_metadata, read_only, init, tty, interactive, detach, remove, no_new_privileges;
	char *const *command; // NULL-terminated; empty: /bin/sh
};

// Makes *out_spec, whose parts live in `arena` and in what `flags` points at. Checks everything that can be checked without
// touching the system; an error names the flag. `id` is the container's id.
int flags_to_spec(struct arena *arena, const struct flags *flags, const char *id, struct spec *out_spec, struct err *err);

// Limits and rlimits (limits.c), a part of the above.
int flags_resources(const struct flags *flags, struct spec_resources *resources, struct err *err);
int flags_ulimits(const struct strv *list, struct spec_process *process, struct err *err);

// Devices (devices.c): those of --device, and rules for what may be opened. Namespaces are decided by then.
int flags_devices(const struct flags *flags, struct spec *spec, struct err *err);

// Text of /etc/resolv.conf (resolv.c): the servers of `list`, or the host's without those that only the host can reach.
int flags_resolv_conf(struct arena *arena, const struct strv *list, bool host_network, const char **out_text, struct err *err);
