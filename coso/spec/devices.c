// SPDX-License-Identifier: GPL-2.0-or-later
// devices.c - devices that flags give, and what else a container may open
#include "coso/spec/flags.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// Any node may be made, as Docker has it; only these may be opened. -1: any.
static const struct spec_device_rule standard[] = {
	{ false, 'a', -1, -1, "rwm" }, { true, 'c', -1, -1, "m" }, { true, 'b', -1, -1, "m" }, { true, 'c', 1, 3, "rwm" }, // null
	{ true, 'c', 1, 5, "rwm" },                                                                                        // zero
	{ true, 'c', 1, 7, "rwm" },                                                                                        // full
	{ true, 'c', 1, 8, "rwm" },                                                                                        // random
	{ true, 'c', 1, 9, "rwm" },    // urandom
	{ true, 'c', 5, 0, "rwm" },    // tty
	{ true, 'c', 5, 2, "rwm" },    // ptmx
	{ true, 'c', 136, -1, "rwm" }, // pts
};

static void add_rule(struct spec *spec, struct spec_device_rule rule)
{
	struct spec_resources *r = &spec->resources;
	r->devices = arena_grow(spec->arena, r->devices, r->device_count, sizeof(rule));
	r->devices[r->device_count++] = rule;
}

static void add_device(struct spec *spec, struct spec_device device)
{
	spec->devices = arena_grow(spec->arena, spec->devices, spec->device_count, sizeof(device));
	spec->devices[spec->device_count++] = device;
}

// HOST[:CONTAINER[:PERMISSIONS]]
static int one_device(struct spec *spec, const char *text, const char **out_access, struct err *err)
{
	struct strv f = str_split(spec->arena, text, ':');
	const char *inside = f.count > 1 ? f.items[1] : f.items[0], *access = f.count > 2 ? f.items[2] : "rwm";
	struct stat st;
	if (f.count > 3 || f.items[0][0] != '/' || inside[0] != '/' || !*access || access[strspn(access, "rwm")])
		return err_set(err, EINVAL, "--device '%.80s': not HOST[:CONTAINER[:rwm]] with absolute paths", text);
	if (stat(f.items[0], &st) < 0)
		return err_sys(err, "--device '%.80s'", f.items[0]);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(err, ENODEV, "--device '%.80s': not a device", f.items[0]);
	struct spec_device device = {
		.path = inside,
		.host_path = f.items[0],
		.type = S_ISCHR(st.st_mode) ? 'c' : 'b',
		.major = major(st.st_rdev),
		.minor = minor(st.st_rdev),
		.mode = st.st_mode & 07777,
	};
	add_device(spec, device);
	*out_access = access;
	return 0;
}

// In a user namespace no node can be made, and those of the host that are bound there are all that is to be had: then rules are
// needed only to narrow what --device gives.
int flags_devices(const struct flags *flags, struct spec *spec, struct err *err)
{
	const unsigned long both = CLONE_NEWUSER | CLONE_NEWNS;
	bool needed = (spec->namespaces & both) == CLONE_NEWNS && geteuid() == 0, narrowed = false;
	if (flags->device.count && !(spec->namespaces & CLONE_NEWNS))
		return err_set(err, EINVAL, "--device '%.80s': without a mount namespace the host's /dev is used",
			       flags->device.items[0]);
	for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++)
		add_rule(spec, standard[i]);
	for (size_t i = 0; i < flags->device.count; i++) {
		const char *access = NULL;
		if (one_device(spec, flags->device.items[i], &access, err) < 0)
			return -1;
		const struct spec_device *d = &spec->devices[spec->device_count - 1];
		add_rule(spec, (struct spec_device_rule){ true, d->type, d->major, d->minor, access });
		narrowed = narrowed || !strchr(access, 'r') || !strchr(access, 'w');
	}
	if (!needed && !narrowed)
		spec->resources.device_count = 0;
	spec->resources.devices_default = !narrowed;
	return 0;
}
