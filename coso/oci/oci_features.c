// SPDX-License-Identifier: GPL-2.0-or-later
// oci_features.c - the command features
//
// Nothing that came after OCI_SPEC_VERSION may be in here, and each name that is listed is taken in a config.json.
#include "coso/launch/checkpoint.h"
#include "coso/launch/seccomp_words.h"
#include "coso/oci/features.h"
#include "coso/oci/oci.h"
#include "coso/oci/words.h"
#include "coso/spec/capset.h"
#include "coso/spec/from_oci.h"
#include "coso/spec/mountopt.h"
#include "shared/opts.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>

static json_t *texts(struct strv list)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list.count; i++)
		json_array_append_new(array, json_string(list.items[i]));
	return array;
}

static json_t *words(const struct oci_word *table)
{
	json_t *array = json_array();
	for (; table->name; table++)
		json_array_append_new(array, json_string(table->name));
	return array;
}

static json_t *hooks(void)
{
	json_t *array = json_array();
	for (const char *const *kind = oci_hook_kinds; *kind; kind++)
		json_array_append_new(array, json_string(*kind));
	return array;
}

static json_t *capabilities(void)
{
	json_t *array = json_array();
	for (int number = 0; capset_name(number); number++)
		json_array_append_new(array, json_string(capset_name(number)));
	return array;
}

static json_t *seccomp(struct arena *arena)
{
	json_t *object = json_pack("{s:b}", "enabled", 1);
	json_object_set_new(object, "actions", texts(seccomp_words_list(arena, SECCOMP_WORDS_ACTIONS)));
	json_object_set_new(object, "operators", texts(seccomp_words_list(arena, SECCOMP_WORDS_OPERATORS)));
	json_object_set_new(object, "archs", texts(seccomp_words_list(arena, SECCOMP_WORDS_ARCHS)));
	json_object_set_new(object, "knownFlags", texts(seccomp_words_list(arena, SECCOMP_WORDS_FLAGS)));
	json_object_set_new(object, "supportedFlags", texts(seccomp_words_list(arena, SECCOMP_WORDS_FLAGS)));
	return object;
}

static json_t *of_linux(struct arena *arena)
{
	json_t *object = json_object();
	json_object_set_new(object, "namespaces", words(oci_namespaces));
	json_object_set_new(object, "capabilities", capabilities());
	json_object_set_new(object, "cgroup",
			    json_pack("{s:b, s:b, s:b, s:b, s:b}", "v1", 1, "v2", 1, "systemd", 1, "systemdUser", 1, "rdma", 1));
	json_object_set_new(object, "seccomp", seccomp(arena));
	json_object_set_new(object, "apparmor", json_pack("{s:b}", "enabled", 1));
	json_object_set_new(object, "selinux", json_pack("{s:b}", "enabled", 1));
	json_object_set_new(object, "memoryPolicy",
			    json_pack("{s:o, s:o}", "modes", words(oci_memory_modes), "flags", words(oci_memory_flags)));
	json_object_set_new(object, "intelRdt", json_pack("{s:b, s:b, s:b}", "enabled", 1, "schemata", 1, "monitoring", 1));
	json_object_set_new(object, "mountExtensions", json_pack("{s:{s:b}}", "idmap", "enabled", 1));
	json_object_set_new(object, "netDevices", json_pack("{s:b}", "enabled", 1));
	return object;
}

static json_t *annotations(struct arena *arena)
{
	const struct scmp_version *library = seccomp_version();
	const char *version = arena_printf(arena, "%u.%u.%u", library->major, library->minor, library->micro);
	return json_pack("{s:s, s:s, s:s}", "coso.version", COSO_VERSION, "io.github.seccomp.libseccomp.version", version,
			 "org.opencontainers.runc.checkpoint.enabled", checkpoint_is_possible(arena) ? "true" : "false");
}

json_t *oci_features(void)
{
	own_arena struct arena arena = { 0 };
	json_t *object = json_pack("{s:s, s:s}", "ociVersionMin", "1.0.0", "ociVersionMax", OCI_SPEC_VERSION);
	json_object_set_new(object, "hooks", hooks());
	json_object_set_new(object, "mountOptions", texts(mountopt_names(&arena)));
	json_object_set_new(object, "linux", of_linux(&arena));
	json_object_set_new(object, "annotations", annotations(&arena));
	// A name that ends with '.' stands for all that begin with it.
	json_object_set_new(object, "potentiallyUnsafeConfigAnnotations", json_pack("[s, s]", "org.systemd.property.", "run.oci."));
	return object;
}

int oci_cmd_features(struct oci *oci, int *out_exit_code, struct err *err)
{
	static const struct opt table[] = { { 0 } };
	*out_exit_code = 0;
	int help = oci_options(oci, table, NULL, err);
	if (help)
		return help < 0 ? -1 : 0;
	if (oci->argc)
		return err_set(err, EINVAL, "features takes no argument: '%.80s'", oci->argv[0]);
	json_t *features = oci_features();
	json_dumpf(features, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(features);
	return 0;
}
