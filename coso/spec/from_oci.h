// SPDX-License-Identifier: GPL-2.0-or-later
// from_oci.h - the spec that a config.json means: the OCI runtime specification 1.3, config.md and config-linux.md
//
// Errors name the place and the value; what can't be done is refused by name; unknown properties are ignored. Nothing here changes
// the system, and whether paths, interfaces and groups exist is for the launch to see. Parse with oci_json_parse (oci_json.h).
#pragma once

#include "coso/spec/oci_json.h"
#include "coso/spec/spec.h"
#include "shared/err.h"

#include <jansson.h>

// Reads a whole config.json. `bundle` is its folder, absolute: what is relative is relative to it. All is copied into `arena` but
// process.seccomp_json, which points into `config`: keep that. `process` may be missing: no args then. What a config.json can't
// say is set as an OCI runtime needs it (detach, interactive, cgroup; no etc_files, no check of the root).
//
// Capabilities that can't be granted are dropped with one warning. Without resources.devices the rules are the default ones.
int oci_to_spec(struct arena *arena, const json_t *config, const char *bundle, const char *id, struct spec *out_spec,
		struct err *err);

// Reads a `process` alone (exec --process). `container`: whose process it will be (its user namespace decides about capabilities and
// ids, its keep_groups holds), which also lends seccomp, and AppArmor and SELinux where the process names none. *out_home: see
// spec.home_slot.
int oci_process_to_spec(struct arena *arena, const json_t *process, const struct spec *container, struct spec_process *out_process,
			char **out_home, struct err *err);

// Reads a `resources` alone (update --resources), called `where` in messages; `devices` is not looked at. What isn't given is not set.
int oci_resources(struct arena *arena, const json_t *resources, const char *where, struct spec_resources *out_resources,
		  struct err *err);

// Parts of oci_to_spec, in this order. `config` is the whole; spec->bundle is set.
int oci_linux(struct spec *spec, const struct oci_node *config, struct err *err);     // linux, the three below included
int oci_devices(struct spec *spec, const struct oci_node *of_linux, struct err *err); // devices, netDevices
int oci_rules(struct spec *spec, const struct oci_node *resources, struct err *err);  // resources.devices
int oci_tuning(struct spec *spec, const struct oci_node *of_linux, struct err *err);  // intelRdt, memoryPolicy, personality
int oci_mounts(struct spec *spec, const struct oci_node *config, struct err *err);
int oci_process(struct arena *arena, const struct spec *container, const struct oci_node *process, struct spec_process *out,
		char **out_home, struct err *err);
int oci_hooks(struct spec *spec, const struct oci_node *config, struct err *err);

// Maps as linux.uidMappings has them: {containerID, hostID, size}, no two overlapping.
int oci_idmaps(struct arena *arena, const struct oci_node *object, const char *key, struct spec_idmaps *out, struct err *err);

// True if the container's namespace of a kind (CLONE_NEW*) isn't the caller's: it is new, or joined.
bool oci_has(const struct spec *spec, unsigned long flag);

// An absolute path: `path` itself, or what it is in the bundle.
const char *oci_absolute(const struct spec *spec, const char *path);

// Words of tables that `features` lists, each with NULL at its end.
extern const struct oci_word oci_namespaces[], oci_memory_modes[], oci_memory_flags[];
extern const char *const oci_hook_kinds[SPEC_HOOK_KINDS + 1];
