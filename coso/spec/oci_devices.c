// SPDX-License-Identifier: GPL-2.0-or-later
// oci_devices.c - device nodes, which devices may be used, and network devices. config-linux.md
#include "coso/spec/caller.h"
#include "coso/spec/from_oci.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MAJOR_MOST = 0xfff, MINOR_MOST = 0xfffff }; // of a device node in Linux: 12 and 20 bits
enum { NODE_MODE = 0666, MODE_BITS = 07777 };

// Any node may be made, as other runtimes have it. What comes after the configuration's list is what no container can do without: it
// can't be denied. -1: any.
static const struct spec_device_rule nothing = { false, 'a', -1, -1, "rwm" };
static const struct spec_device_rule always[] = {
	{ true, 'c', -1, -1, "m" },    { true, 'b', -1, -1, "m" }, { true, 'c', 1, 3, "rwm" }, // null
	{ true, 'c', 1, 5, "rwm" },                                                            // zero
	{ true, 'c', 1, 7, "rwm" },                                                            // full
	{ true, 'c', 1, 8, "rwm" },                                                            // random
	{ true, 'c', 1, 9, "rwm" },                                                            // urandom
	{ true, 'c', 5, 0, "rwm" },                                                            // tty
	{ true, 'c', 5, 2, "rwm" },                                                            // ptmx
	{ true, 'c', 136, -1, "rwm" },                                                         // pts
};

static int node_numbers(const struct oci_node *entry, struct spec_device *device, struct err *err)
{
	int64_t major = 0, minor = 0;
	if (device->type == 'p')
		return 0;
	if (oci_require(entry, "major", err) < 0 || oci_require(entry, "minor", err) < 0 ||
	    oci_i64(entry, "major", 0, MAJOR_MOST, &major, err) < 0 || oci_i64(entry, "minor", 0, MINOR_MOST, &minor, err) < 0)
		return -1;
	device->major = (uint32_t)major;
	device->minor = (uint32_t)minor;
	return 0;
}

// Engines that give st_mode as it is have the type's bits in it.
static int node_mode(const struct oci_node *entry, struct spec_device *device, struct err *err)
{
	const mode_t type = device->type == 'p' ? S_IFIFO : device->type == 'b' ? S_IFBLK : S_IFCHR;
	uint32_t mode = NODE_MODE;
	if (oci_u32(entry, "fileMode", &mode, err) < 0)
		return -1;
	if ((mode & ~(uint32_t)MODE_BITS) && (mode & ~(uint32_t)MODE_BITS) != type)
		return oci_bad_member(entry, "fileMode", "is no mode of such a file (it is a decimal number)", err);
	device->mode = mode & MODE_BITS;
	return 0;
}

static int node(struct spec *spec, const struct oci_node *entry, struct err *err)
{
	static const struct oci_word types[] = { { "c", 'c' }, { "b", 'b' }, { "u", 'u' }, { "p", 'p' }, { NULL, 0 } };
	struct spec_device device = { 0 };
	int64_t type = 0;
	if (oci_require(entry, "type", err) < 0 || oci_require(entry, "path", err) < 0 ||
	    oci_word(entry, "type", types, "is none of c, b, u, p", &type, err) < 0 ||
	    oci_string(spec->arena, entry, "path", &device.path, err) < 0 || oci_u32(entry, "uid", &device.uid, err) < 0 ||
	    oci_u32(entry, "gid", &device.gid, err) < 0)
		return -1;
	device.type = (char)type;
	if (!type)
		return oci_bad_member(entry, "type", "is none of c, b, u, p", err);
	if (!device.path || *device.path != '/')
		return oci_bad_member(entry, "path", "is not an absolute path", err);
	if (node_numbers(entry, &device, err) < 0 || node_mode(entry, &device, err) < 0)
		return -1;
	spec->devices = arena_grow(spec->arena, spec->devices, spec->device_count, sizeof(device));
	spec->devices[spec->device_count++] = device;
	return 0;
}

// As the kernel takes names of interfaces (dev_valid_name); with %d it makes one up.
static bool is_interface(const char *name)
{
	const char *percent = strchr(name, '%');
	if (percent && (percent[1] != 'd' || strchr(percent + 1, '%')))
		return false;
	return *name && strlen(name) < IFNAMSIZ && !str_eq(name, ".") && !str_eq(name, "..") &&
	       !name[strcspn(name, "/: \t\n\v\f\r")];
}

static int net_device(struct spec *spec, const struct oci_node *entry, struct err *err)
{
	struct spec_net_device device = { 0 };
	if (!json_is_object(entry->value))
		return oci_bad(entry, "is not an object", err);
	if (oci_string(spec->arena, entry, "name", &device.name, err) < 0)
		return -1;
	if (!is_interface(entry->key) || strchr(entry->key, '%'))
		return oci_bad(entry, "belongs to no interface that can be", err);
	if (device.name && !is_interface(device.name))
		return oci_bad_member(entry, "name", "is no name of an interface", err);
	device.host = arena_strdup(spec->arena, entry->key);
	const char *name = device.name ? device.name : device.host;
	for (size_t i = 0; i < spec->net_device_count && !strchr(name, '%'); i++) {
		const struct spec_net_device *other = &spec->net_devices[i];
		if (str_eq(name, other->name ? other->name : other->host))
			return oci_bad(entry, "gets a name that another one has in the container", err);
	}
	spec->net_devices = arena_grow(spec->arena, spec->net_devices, spec->net_device_count, sizeof(device));
	spec->net_devices[spec->net_device_count++] = device;
	return 0;
}

int oci_devices(struct spec *spec, const struct oci_node *of_linux, struct err *err)
{
	struct oci_node array, entry, interfaces;
	const char *key;
	json_t *value;
	if (oci_array(of_linux, "devices", &array, err) < 0 || oci_object(of_linux, "netDevices", &interfaces, err) < 0)
		return -1;
	for (size_t i = 0; i < oci_count(&array); i++) {
		if (oci_entry(&array, i, &entry, err) < 0 || node(spec, &entry, err) < 0)
			return -1;
	}
	json_object_foreach((json_t *)interfaces.value, key, value) {
		const struct oci_node device = { .value = value, .up = &interfaces, .key = key };
		if (net_device(spec, &device, err) < 0)
			return -1;
	}
	if (spec->net_device_count && !oci_has(spec, CLONE_NEWNET))
		return oci_bad(&interfaces, "needs a network namespace of the container's own", err);
	return 0;
}

static void add_rule(struct spec *spec, struct spec_device_rule rule)
{
	struct spec_resources *r = &spec->resources;
	r->devices = arena_grow(spec->arena, r->devices, r->device_count, sizeof(rule));
	r->devices[r->device_count++] = rule;
}

static int one_rule(struct spec *spec, const struct oci_node *entry, struct err *err)
{
	static const struct oci_word types[] = { { "a", 'a' }, { "c", 'c' }, { "b", 'b' }, { NULL, 0 } };
	struct spec_device_rule rule = { .major = -1, .minor = -1, .access = "rwm" };
	int64_t type = 'a';
	if (oci_require(entry, "allow", err) < 0 || oci_bool(entry, "allow", &rule.allow, err) < 0 ||
	    oci_word(entry, "type", types, "is none of a, c, b", &type, err) < 0 ||
	    oci_i64(entry, "major", -1, UINT32_MAX, &rule.major, err) < 0 ||
	    oci_i64(entry, "minor", -1, UINT32_MAX, &rule.minor, err) < 0 ||
	    oci_string(spec->arena, entry, "access", &rule.access, err) < 0)
		return -1;
	if (rule.access[strspn(rule.access, "rwm")])
		return oci_bad_member(entry, "access", "is not of r, w and m", err);
	rule.type = (char)type;
	add_rule(spec, rule);
	return 0;
}

int oci_rules(struct spec *spec, const struct oci_node *resources, struct err *err)
{
	struct oci_node array, entry;
	if (oci_array(resources, "devices", &array, err) < 0)
		return -1;
	add_rule(spec, nothing);
	for (size_t i = 0; i < oci_count(&array); i++) {
		if (oci_entry(&array, i, &entry, err) < 0 || one_rule(spec, &entry, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		add_rule(spec, always[i]);
	// Who isn't root of the host can't make nodes either, and engines that run without root list rules all the same.
	spec->resources.devices_default = !oci_count(&array) || !caller_look().privileged;
	return 0;
}
