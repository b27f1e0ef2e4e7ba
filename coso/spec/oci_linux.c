// SPDX-License-Identifier: GPL-2.0-or-later
// oci_linux.c - the section "linux" of a config.json. config-linux.md
#include "coso/spec/from_oci.h"
#include "shared/sys.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000, NAME_MOST = 64 }; // bytes of a domain name: __NEW_UTS_LEN

const struct oci_word oci_namespaces[] = {
	{ "cgroup", CLONE_NEWCGROUP }, { "ipc", CLONE_NEWIPC }, { "mount", CLONE_NEWNS },
	{ "network", CLONE_NEWNET },   { "pid", CLONE_NEWPID }, { "time", CLONE_NEWTIME },
	{ "user", CLONE_NEWUSER },     { "uts", CLONE_NEWUTS }, { NULL, 0 },
};

static const struct oci_word propagations[] = {
	{ "private", MS_PRIVATE },
	{ "rprivate", MS_PRIVATE | MS_REC },
	{ "shared", MS_SHARED },
	{ "rshared", MS_SHARED | MS_REC },
	{ "slave", MS_SLAVE },
	{ "rslave", MS_SLAVE | MS_REC },
	{ "unbindable", MS_UNBINDABLE },
	{ "runbindable", MS_UNBINDABLE | MS_REC },
	{ NULL, 0 },
};

bool oci_has(const struct spec *spec, unsigned long flag)
{
	for (size_t i = 0; i < spec->join_count; i++) {
		if (spec->joins[i].flag == flag)
			return true;
	}
	return spec->namespaces & flag;
}

static int namespaces(struct spec *spec, const struct oci_node *l, struct err *err)
{
	struct oci_node array, entry;
	if (oci_array(l, "namespaces", &array, err) < 0)
		return -1;
	for (size_t i = 0; i < oci_count(&array); i++) {
		struct spec_join join = { 0 };
		int64_t flag = 0;
		if (oci_entry(&array, i, &entry, err) < 0 || oci_require(&entry, "type", err) < 0 ||
		    oci_word(&entry, "type", oci_namespaces, "is no kind of namespace", &flag, err) < 0 ||
		    oci_string(spec->arena, &entry, "path", &join.path, err) < 0)
			return -1;
		join.flag = (unsigned long)flag;
		if (!flag)
			return oci_bad_member(&entry, "type", "is no kind of namespace", err);
		if (oci_has(spec, join.flag))
			return oci_bad_member(&entry, "type", "is there twice", err);
		if (!join.path) {
			spec->namespaces |= join.flag;
			continue;
		}
		if (*join.path != '/')
			return oci_bad_member(&entry, "path", "is not an absolute path", err);
		spec->joins = arena_grow(spec->arena, spec->joins, spec->join_count, sizeof(join));
		spec->joins[spec->join_count++] = join;
	}
	return 0;
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static int check_map(const struct oci_node *entry, const struct spec_idmaps *before, const struct spec_idmap *map, struct err *err)
{
	if (!map->size)
		return oci_bad_member(entry, "size", "maps nothing", err);
	if (map->size > UINT32_MAX - map->container || map->size > UINT32_MAX - map->host)
		return oci_bad_member(entry, "size", "goes beyond the last id", err);
	for (size_t i = 0; i < before->count; i++) {
		const struct spec_idmap *m = &before->items[i];
		if (overlap(map->container, map->size, m->container, m->size) || overlap(map->host, map->size, m->host, m->size))
			return oci_bad(entry, "overlaps with another map", err);
	}
	return 0;
}

int oci_idmaps(struct arena *arena, const struct oci_node *object, const char *key, struct spec_idmaps *out, struct err *err)
{
	enum { MOST = 340 }; // user_namespaces(7): UID_GID_MAP_MAX_EXTENTS
	static const char *const keys[] = { "containerID", "hostID", "size" };
	struct spec_idmaps maps = { 0 };
	struct oci_node array, entry;
	if (oci_array(object, key, &array, err) < 0)
		return -1;
	if (oci_count(&array) > MOST)
		return oci_bad(&array, "has more than 340 maps, the kernel's most", err);
	for (size_t i = 0; i < oci_count(&array); i++) {
		uint32_t values[3] = { 0 };
		if (oci_entry(&array, i, &entry, err) < 0)
			return -1;
		for (size_t n = 0; n < 3; n++) {
			if (oci_require(&entry, keys[n], err) < 0 || oci_u32(&entry, keys[n], &values[n], err) < 0)
				return -1;
		}
		const struct spec_idmap map = { values[0], values[1], values[2] };
		if (check_map(&entry, &maps, &map, err) < 0)
			return -1;
		maps.items = arena_grow(arena, maps.items, maps.count, sizeof(map));
		maps.items[maps.count++] = map;
	}
	*out = maps;
	return 0;
}

static bool maps_root(const struct spec_idmaps *maps)
{
	for (size_t i = 0; i < maps->count; i++) {
		if (maps->items[i].container == 0)
			return true;
	}
	return false;
}

// The caller's own id, as the root inside.
static void map_own(struct spec *spec)
{
	const struct spec_idmap own[] = { { 0, geteuid(), 1 }, { 0, getegid(), 1 } };
	struct spec_idmaps *const maps[] = { &spec->uid_maps, &spec->gid_maps };
	for (size_t i = 0; i < 2; i++) {
		maps[i]->items = arena_grow(spec->arena, NULL, 0, sizeof(own[i]));
		maps[i]->items[0] = own[i];
		maps[i]->count = 1;
	}
}

// Those of a user namespace that is joined are what they are; whether the configuration's agree is for the launch to see.
static int id_maps(struct spec *spec, const struct oci_node *l, struct err *err)
{
	static const char *const keys[] = { "uidMappings", "gidMappings" };
	struct spec_idmaps *const maps[] = { &spec->uid_maps, &spec->gid_maps };
	for (size_t i = 0; i < 2; i++) {
		if (oci_idmaps(spec->arena, l, keys[i], maps[i], err) < 0)
			return -1;
	}
	if ((spec->namespaces & CLONE_NEWUSER) && maps[0]->count + maps[1]->count == 0)
		map_own(spec);
	for (size_t i = 0; i < 2; i++) {
		if (maps[i]->count && !oci_has(spec, CLONE_NEWUSER))
			return oci_bad_member(l, keys[i],
					      "user namespace mappings specified, but user namespace isn't enabled in the config",
					      err);
		if ((spec->namespaces & CLONE_NEWUSER) && !maps_root(maps[i]))
			return oci_bad_member(l, keys[i], "has to map the container's id 0, which sets the container up", err);
	}
	return 0;
}

static int time_offsets(struct spec *spec, const struct oci_node *l, struct err *err)
{
	struct oci_node offsets;
	const char *clock;
	json_t *value;
	if (oci_object(l, "timeOffsets", &offsets, err) < 0)
		return -1;
	json_object_foreach((json_t *)offsets.value, clock, value) {
		const struct oci_node entry = { .value = value, .up = &offsets, .key = clock };
		struct spec_time_offset offset = { 0 };
		uint64_t nanoseconds = 0;
		if (json_is_null(value))
			continue;
		if (!str_eq(clock, "monotonic") && !str_eq(clock, "boottime"))
			return oci_bad(&entry, "belongs to no clock that has an offset (monotonic, boottime)", err);
		if (!json_is_object(value))
			return oci_bad(&entry, "is not an object", err);
		if (oci_i64(&entry, "secs", INT64_MIN, INT64_MAX, &offset.seconds, err) < 0 ||
		    oci_u64(&entry, "nanosecs", NS_PER_S - 1, &nanoseconds, err) < 0)
			return -1;
		offset.clock = str_eq(clock, "monotonic") ? "monotonic" : "boottime";
		offset.nanoseconds = (uint32_t)nanoseconds;
		spec->time_offsets = arena_grow(spec->arena, spec->time_offsets, spec->time_offset_count, sizeof(offset));
		spec->time_offsets[spec->time_offset_count++] = offset;
	}
	if (spec->time_offset_count && !(spec->namespaces & CLONE_NEWTIME))
		return oci_bad(&offsets, "needs a new time namespace", err);
	return 0;
}

// The namespace that a setting belongs to, or 0: the host's alone.
static unsigned long sysctl_owner(const char *name, const char **out_what)
{
	static const struct {
		const char *name, *what;
		unsigned long flag;
	} owned[] = {
		{ "net.", "network", CLONE_NEWNET },          { "fs.mqueue.", "IPC", CLONE_NEWIPC },
		{ "kernel.msgmax", "IPC", CLONE_NEWIPC },     { "kernel.msgmnb", "IPC", CLONE_NEWIPC },
		{ "kernel.msgmni", "IPC", CLONE_NEWIPC },     { "kernel.sem", "IPC", CLONE_NEWIPC },
		{ "kernel.shmall", "IPC", CLONE_NEWIPC },     { "kernel.shmmax", "IPC", CLONE_NEWIPC },
		{ "kernel.shmmni", "IPC", CLONE_NEWIPC },     { "kernel.shm_rmid_forced", "IPC", CLONE_NEWIPC },
		{ "kernel.domainname", "UTS", CLONE_NEWUTS }, { "kernel.hostname", "UTS", CLONE_NEWUTS },
	};
	for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) {
		size_t length = strlen(owned[i].name);
		bool family = owned[i].name[length - 1] == '.';
		if (family ? str_starts(name, owned[i].name) : str_eq(name, owned[i].name)) {
			*out_what = owned[i].what;
			return owned[i].flag;
		}
	}
	return 0;
}

// sysctl.d(5): what separates first is the separator, '.' or '/', and the other one stands for a dot in a name. Made "net.ipv4.conf.eth0/1"
// in any case. NULL: it is no name, or leads out of the folder.
static const char *sysctl_name(struct arena *arena, const char *key)
{
	char *name = arena_strdup(arena, key);
	if (name[strcspn(name, "./")] == '/') {
		for (char *c = name; *c; c++)
			*c = *c == '/' ? '.' : *c == '.' ? '/' : *c;
	}
	struct strv parts = str_split(arena, name, '.');
	for (size_t i = 0; i < parts.count; i++) {
		const char *part = parts.items[i];
		if (!*part || str_eq(part, "/") || str_eq(part, "//") || part[strcspn(part, "=\n")])
			return NULL;
	}
	return parts.count > 1 ? name : NULL;
}

// True if the namespace that is joined is the caller's own: engines say so by its path, too.
static bool is_callers(const struct spec *spec, unsigned long flag)
{
	const char *own = flag == CLONE_NEWNET ? "/proc/self/ns/net" :
			  flag == CLONE_NEWIPC ? "/proc/self/ns/ipc" :
						 "/proc/self/ns/uts";
	struct stat joined, callers;
	for (size_t i = 0; i < spec->join_count; i++) {
		if (spec->joins[i].flag == flag)
			return stat(spec->joins[i].path, &joined) == 0 && stat(own, &callers) == 0 &&
			       joined.st_dev == callers.st_dev && joined.st_ino == callers.st_ino;
	}
	return false;
}

static int one_sysctl(struct spec *spec, const struct oci_node *entry, struct err *err)
{
	const char *name = sysctl_name(spec->arena, entry->key), *what = NULL, *value;
	char place[OCI_PLACE];
	if (oci_text(entry, &value, err) < 0)
		return -1;
	oci_place(entry, place);
	unsigned long owner = name ? sysctl_owner(name, &what) : 0;
	if (!owner)
		return err_set(err, EPERM, "%s: sysctl \"%.80s\" is not in a separate kernel namespace", place, entry->key);
	if (!oci_has(spec, owner) || is_callers(spec, owner))
		return err_set(err, EPERM, "%s: sysctl \"%.80s\" not allowed in host %s namespace", place, name, what);
	if (str_eq(name, "kernel.hostname"))
		return err_set(err, EINVAL, "%s: sysctl \"%.80s\" is not allowed as it conflicts with the OCI \"hostname\" field",
			       place, name);
	if (!str_eq(name, "kernel.domainname")) {
		strv_push(spec->arena, &spec->sysctl, arena_printf(spec->arena, "%s=%s", name, value));
		return 0;
	}
	if (strlen(value) > NAME_MOST)
		return oci_bad(entry, "is longer than 64 bytes", err);
	spec->domainname = arena_strdup(spec->arena, value); // its file is the host's root's alone; setdomainname(2) isn't
	return 0;
}

static int sysctls(struct spec *spec, const struct oci_node *l, struct err *err)
{
	struct oci_node settings;
	const char *key;
	json_t *value;
	if (oci_object(l, "sysctl", &settings, err) < 0)
		return -1;
	json_object_foreach((json_t *)settings.value, key, value) {
		const struct oci_node entry = { .value = value, .up = &settings, .key = key };
		if (one_sysctl(spec, &entry, err) < 0)
			return -1;
	}
	return 0;
}

// Without a mount namespace they would be the host's that are covered.
static int covered_paths(struct spec *spec, const struct oci_node *l, const char *key, struct strv *out, struct err *err)
{
	const struct oci_node array = oci_member(l, key);
	if (oci_strings(spec->arena, l, key, out, err) < 0)
		return -1;
	for (size_t i = 0; i < out->count; i++) {
		const struct oci_node item = oci_item(&array, i);
		if (out->items[i][0] != '/')
			return oci_bad(&item, "is not an absolute path", err);
	}
	return out->count && !oci_has(spec, CLONE_NEWNS) ? oci_bad(&array, "needs a mount namespace", err) : 0;
}

static int resources(struct spec *spec, const struct oci_node *l, struct err *err)
{
	struct oci_node r, memory;
	if (oci_object(l, "resources", &r, err) < 0)
		return -1;
	if (r.value && (oci_resources(spec->arena, r.value, "linux.resources", &spec->resources, err) < 0 ||
			oci_object(&r, "memory", &memory, err) < 0))
		return -1;
	if (spec->resources.memory_swap > 0 && spec->resources.memory_limit <= 0)
		return oci_bad_member(&memory, "swap", "is set alone: unable to set swap limit without memory limit", err);
	return oci_rules(spec, &r, err);
}

// Only the listener is read here: the rest is compiled, or found compiled, at launch (seccomp_json.h).
static int seccomp(struct spec *spec, const struct oci_node *l, struct err *err)
{
	struct spec_process *p = &spec->process;
	struct oci_node s;
	p->seccomp = SPEC_SECCOMP_UNCONFINED;
	if (oci_object(l, "seccomp", &s, err) < 0)
		return -1;
	if (!s.value)
		return 0;
	p->seccomp = SPEC_SECCOMP_JSON;
	p->seccomp_json = s.value;
	if (oci_string(spec->arena, &s, "listenerPath", &p->seccomp_listener, err) < 0 ||
	    oci_string(spec->arena, &s, "listenerMetadata", &p->seccomp_metadata, err) < 0)
		return -1;
	if (p->seccomp_metadata && !p->seccomp_listener)
		return oci_bad_member(&s, "listenerMetadata", "goes with listenerPath only", err);
	if (p->seccomp_listener)
		p->seccomp_listener = oci_absolute(spec, p->seccomp_listener);
	return 0;
}

static int places(struct spec *spec, const struct oci_node *l, struct err *err)
{
	int64_t propagation = 0;
	if (oci_word(l, "rootfsPropagation", propagations, "is none of private, shared, slave, unbindable", &propagation, err) <
		    0 ||
	    covered_paths(spec, l, "maskedPaths", &spec->masked_paths, err) < 0 ||
	    covered_paths(spec, l, "readonlyPaths", &spec->readonly_paths, err) < 0 ||
	    oci_string(spec->arena, l, "mountLabel", &spec->mount_label, err) < 0 ||
	    oci_string(spec->arena, l, "cgroupsPath", &spec->cgroups_path, err) < 0)
		return -1;
	spec->root.propagation = (unsigned long)propagation;
	return 0;
}

int oci_linux(struct spec *spec, const struct oci_node *config, struct err *err)
{
	struct oci_node l;
	if (oci_object(config, "linux", &l, err) < 0 || namespaces(spec, &l, err) < 0 || id_maps(spec, &l, err) < 0 ||
	    time_offsets(spec, &l, err) < 0 || sysctls(spec, &l, err) < 0 || places(spec, &l, err) < 0 ||
	    seccomp(spec, &l, err) < 0)
		return -1;
	if (oci_devices(spec, &l, err) < 0 || resources(spec, &l, err) < 0 || oci_tuning(spec, &l, err) < 0)
		return -1;
	return 0;
}
