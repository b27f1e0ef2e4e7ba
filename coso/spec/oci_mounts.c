// SPDX-License-Identifier: GPL-2.0-or-later
// oci_mounts.c - the mounts of a config.json. config.md, "Mounts"
#include "coso/spec/defaults.h"
#include "coso/spec/from_oci.h"
#include "coso/spec/mountopt.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

// What options mean depends on it, so it is decided first. For a bind mount the type is a dummy.
static void decide_type(struct spec_mount *mount, const struct strv *options)
{
	for (size_t i = 0; i < options->count; i++) {
		if (str_eq(options->items[i], "bind") || str_eq(options->items[i], "rbind"))
			mount->type = "bind";
		mount->remount = mount->remount || str_eq(options->items[i], "remount");
	}
}

static int apply_options(const struct spec *spec, const struct oci_node *entry, const struct strv *options,
			 struct spec_mount *mount, struct err *err)
{
	const struct oci_node array = oci_member(entry, "options");
	for (size_t i = 0; i < options->count; i++) {
		const struct oci_node item = oci_item(&array, i);
		char place[OCI_PLACE];
		if (mountopt_apply(spec, mount, options->items[i], err) == 0)
			continue;
		oci_place(&item, place);
		return err_wrap(err, "%s", place);
	}
	return 0;
}

static int places(const struct spec *spec, const struct oci_node *entry, struct spec_mount *mount, struct err *err)
{
	bool bind = str_eq(mount->type, "bind");
	if (!mount->destination)
		return oci_bad_member(entry, "destination", oci_member(entry, "destination").value ? "is empty" : "is missing",
				      err);
	if (*mount->destination != '/') // deprecated, and then relative to "/"
		mount->destination = arena_printf(spec->arena, "/%s", mount->destination);
	if (!mount->type && !mount->remount)
		return oci_bad_member(entry, "type", "is missing", err);
	if (bind && !mount->source && !mount->remount)
		return oci_bad_member(entry, "source", "is missing: a bind mount needs it", err);
	if (bind && mount->source)
		mount->source = oci_absolute(spec, mount->source);
	return 0;
}

// The mappings are for the option, which only says whether they are for what is mounted below, too. Without them the container's own
// ones serve.
static int id_maps(const struct spec *spec, const struct oci_node *entry, struct spec_mount *mount, struct err *err)
{
	struct spec_idmaps uids = { 0 }, gids = { 0 };
	if (oci_idmaps(spec->arena, entry, "uidMappings", &uids, err) < 0 ||
	    oci_idmaps(spec->arena, entry, "gidMappings", &gids, err) < 0)
		return -1;
	if (!uids.count != !gids.count)
		return oci_bad(entry, "has to have both uidMappings and gidMappings, or neither", err);
	if (uids.count) {
		mount->uid_maps = uids;
		mount->gid_maps = gids;
		mount->idmap = mount->idmap ? mount->idmap : SPEC_IDMAP_MOUNT;
	}
	if (mount->idmap && !mount->uid_maps.count && !oci_has(spec, CLONE_NEWUSER))
		return oci_bad(entry, "is to be id-mapped, but has no mappings, and the container has no user namespace", err);
	return 0;
}

static int one_mount(struct spec *spec, const struct oci_node *entry, struct err *err)
{
	struct spec_mount mount = { 0 };
	struct strv options = { 0 };
	if (oci_string(spec->arena, entry, "destination", &mount.destination, err) < 0 ||
	    oci_string(spec->arena, entry, "type", &mount.type, err) < 0 ||
	    oci_string(spec->arena, entry, "source", &mount.source, err) < 0 ||
	    oci_strings(spec->arena, entry, "options", &options, err) < 0)
		return -1;
	decide_type(&mount, &options);
	if (places(spec, entry, &mount, err) < 0 || apply_options(spec, entry, &options, &mount, err) < 0 ||
	    id_maps(spec, entry, &mount, err) < 0)
		return -1;
	defaults_add_mount(spec, &mount);
	return 0;
}

int oci_mounts(struct spec *spec, const struct oci_node *config, struct err *err)
{
	struct oci_node array, entry;
	if (oci_array(config, "mounts", &array, err) < 0)
		return -1;
	for (size_t i = 0; i < oci_count(&array); i++) {
		if (oci_entry(&array, i, &entry, err) < 0 || one_mount(spec, &entry, err) < 0)
			return -1;
	}
	return 0;
}
