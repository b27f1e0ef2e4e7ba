// SPDX-License-Identifier: GPL-2.0-or-later
// config.c - fuzz target: a config.json, and its parts that come alone (exec --process, update --resources)
#include "coso/spec/from_oci.h"
#include "shared/log.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static size_t touched;

// Looks at every byte, so that a string of what was freed is seen.
static void touch(const char *text)
{
	touched += text ? strlen(text) : 0;
}

static void touch_all(const struct strv *list)
{
	for (size_t i = 0; i < list->count; i++)
		touch(list->items[i]);
}

static void look_at_process(const struct spec_process *p, const char *home)
{
	touch_all(&p->args);
	touch_all(&p->env);
	touch(p->cwd);
	touch(p->apparmor_profile);
	touch(p->selinux_label);
	touch(p->cpus_initial);
	touch(p->cpus_final);
	touch(home);
	if (p->args.count && (!p->cwd || *p->cwd != '/' || p->rlimit_count > SPEC_RLIMITS_MAX))
		abort();
	for (size_t i = 0; i < p->group_count; i++)
		touched += p->groups[i];
}

static void look_at_resources(const struct spec_resources *r)
{
	touch(r->cpuset_cpus);
	touch(r->cpuset_mems);
	touch_all(&r->unified);
	for (size_t i = 0; i < r->hugepage_count; i++)
		touch(r->hugepages[i].size);
	for (size_t i = 0; i < r->rdma_count; i++)
		touch(r->rdma[i].device);
	for (size_t i = 0; i < r->net_priority_count; i++)
		touch(r->net_priorities[i].interface);
	for (size_t i = 0; i < r->device_count; i++)
		touch(r->devices[i].access);
}

static void look_at_mounts(const struct spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *m = &spec->mounts[i];
		touch(m->type);
		touch(m->source);
		touch(m->data);
		touch(m->destination);
		if (*m->destination != '/' || (!m->type && !m->remount))
			abort();
	}
}

static void look_at_hooks(const struct spec *spec)
{
	for (size_t kind = 0; kind < SPEC_HOOK_KINDS; kind++) {
		for (size_t i = 0; i < spec->hooks[kind].count; i++) {
			const struct spec_hook *hook = &spec->hooks[kind].items[i];
			touch_all(&hook->args);
			touch_all(&hook->env);
			if (*hook->path != '/')
				abort();
		}
	}
}

static void look_at_lists(const struct spec *spec)
{
	for (size_t i = 0; i < spec->join_count; i++)
		touch(spec->joins[i].path);
	for (size_t i = 0; i < spec->device_count; i++)
		touch(spec->devices[i].path);
	for (size_t i = 0; i < spec->net_device_count; i++) {
		touch(spec->net_devices[i].host);
		touch(spec->net_devices[i].name);
	}
	for (size_t i = 0; i < spec->annotation_count; i++) {
		touch(spec->annotations[i].key);
		touch(spec->annotations[i].value);
	}
	touch_all(&spec->sysctl);
	touch_all(&spec->masked_paths);
	touch_all(&spec->readonly_paths);
	touch_all(&spec->rdt.schemata);
}

static void look_at(const struct spec *spec)
{
	if (*spec->root.path != '/')
		abort();
	const char *const texts[] = {
		spec->hostname,    spec->domainname, spec->oci_version,         spec->root.path,    spec->cgroups_path,
		spec->mount_label, spec->rdt.class,  spec->memory_policy.nodes, spec->rdt.l3_cache, spec->process.seccomp_listener,
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		touch(texts[i]);
	look_at_process(&spec->process, spec->home_slot);
	look_at_resources(&spec->resources);
	look_at_mounts(spec);
	look_at_hooks(spec);
	look_at_lists(spec);
}

// The tree is gone when what was made of it is looked at: all but seccomp_json is a copy.
static void read_config(json_t *tree)
{
	own_arena struct arena arena = { 0 };
	struct spec spec;
	struct err err = { 0 };
	int result = oci_to_spec(&arena, tree, "/bundle", "id", &spec, &err);
	json_decref(tree);
	if (result < 0)
		fuzz_check_error(&err);
	else
		look_at(&spec);
}

static void read_parts(const json_t *tree)
{
	own_arena struct arena arena = { 0 };
	const struct spec container = { .arena = &arena };
	const json_t *process = json_object_get(tree, "process"), *r = json_object_get(json_object_get(tree, "linux"), "resources");
	struct spec_process p;
	struct spec_resources resources;
	char *home = NULL;
	struct err err = { 0 };
	if (oci_process_to_spec(&arena, process ? process : tree, &container, &p, &home, &err) < 0)
		fuzz_check_error(&err);
	else
		look_at_process(&p, home);
	if (oci_resources(&arena, r ? r : tree, "resources", &resources, &err) < 0)
		fuzz_check_error(&err);
	else
		look_at_resources(&resources);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	log_setup("fuzz", LOG_LEVEL_QUIET);
	json_t *tree = oci_json_parse("config.json", (const char *)data, size, &err);
	if (!tree) {
		fuzz_check_error(&err);
		return 0;
	}
	read_parts(tree);
	read_config(tree);
	return 0;
}
