// SPDX-License-Identifier: GPL-2.0-or-later
// external.c - what a container has of the outside
#include "coso/launch/external.h"

#include "coso/launch/checkpoint.h"
#include "coso/launch/devices.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/mountinfo.h"
#include "shared/num.h"
#include "shared/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { MEMORY_DEVICES = 1 }; // major number of /dev/null and its kin

int external_check(const struct spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->join_count; i++) {
		if (spec->joins[i].flag == CLONE_NEWUSER)
			return err_set(err, ENOTSUP, "a container that joined a user namespace can't be written to disk");
	}
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *m = &spec->mounts[i];
		if (m->idmap != SPEC_IDMAP_NONE && !m->uid_maps.count)
			return err_set(err, ENOTSUP,
				       "mount on '%s': with the ids of the container's own user namespace it can't be restored",
				       m->destination);
	}
	if (!spec->root.path || !(spec->namespaces & CLONE_NEWNS))
		return err_set(err, ENOTSUP, "a container without a mount namespace of its own can't be written to disk");
	if (spec->rdt.given)
		return err_set(err, ENOTSUP, "linux.intelRdt: a container that has it can't be written to disk");
	return 0;
}

// Where a path leads may be elsewhere, by links of the image: *out_point is where the container's list of mounts has it. 0: it is no
// mount, or not there.
static int find_point(struct arena *arena, int root, const char *path, const char **out_point)
{
	char link[64], point[PATH_MAX];
	struct statx st;
	own_fd int fd = path_open_in(root, path, O_PATH, 0, NULL);
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0 || !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, point, sizeof(point) - 1);
	if (length <= 0 || point[0] != '/')
		return 0;
	*out_point = arena_strndup(arena, point, (size_t)length);
	return 1;
}

// A container and its mounts, as they are looked at; and those of the host.
struct look {
	struct arena *arena;
	const struct spec *spec;
	int root;
	struct mountinfo *mounts, *hosts;
	size_t mount_count, host_count;
	struct strv *words;
};

static int read_mounts(struct arena *arena, const char *path, struct mountinfo **out, size_t *out_count, struct err *err)
{
	char *text = file_read(arena, AT_FDCWD, path, FILE_CONFIG, NULL, err);
	if (!text)
		return -1;
	struct strv lines = str_split(arena, text, '\n');
	struct mountinfo *mounts = arena_alloc(arena, (lines.count + 1) * sizeof(*mounts));
	size_t count = 0;
	for (size_t i = 0; i < lines.count; i++)
		count += mountinfo_parse(lines.items[i], &mounts[count]);
	*out = mounts;
	*out_count = count;
	return 0;
}

static void tell_mount(const struct look *look, const char *point, const char *key)
{
	strv_push(look->arena, look->words, "--ext-mount");
	strv_push(look->arena, look->words, checkpoint_mount(look->arena, point, key));
}

static bool host_has(const struct look *look, const char *path)
{
	for (size_t i = 0; i < look->host_count; i++) {
		if (str_eq(look->hosts[i].point, path))
			return true;
	}
	return false;
}

// What came with a recursive bind mount has a key below its key.
static void look_below(const struct look *look, const char *source, const char *point, const char *key)
{
	const size_t length = strlen(point);
	for (size_t i = 0; i < look->mount_count; i++) {
		const char *path = look->mounts[i].point;
		if (str_starts(path, point) && path[length] == '/' &&
		    host_has(look, arena_printf(look->arena, "%s%s", source, path + length)))
			tell_mount(look, path, arena_printf(look->arena, "%s%s", key, path + length));
	}
}

static void look_at_bind(const struct look *look, const struct spec_mount *m)
{
	const char *path = path_clean(look->arena, m->destination), *key = m->key ? m->key : path, *point;
	if (!find_point(look->arena, look->root, path, &point))
		return;
	tell_mount(look, point, key);
	if (m->recursive && m->source)
		look_below(look, path_clean(look->arena, m->source), point, key);
}

// Control groups that are seen without a cgroup namespace are bind mounts.
static void look_at_groups(const struct look *look, const struct spec_mount *m)
{
	const struct spec *spec = look->spec;
	const char *path = path_clean(look->arena, m->destination);
	bool own = spec->namespaces & CLONE_NEWCGROUP;
	for (size_t i = 0; i < spec->join_count; i++)
		own |= spec->joins[i].flag == CLONE_NEWCGROUP;
	for (size_t i = 0; !own && i < look->mount_count; i++) {
		const struct mountinfo *line = &look->mounts[i];
		if (str_starts(line->type, "cgroup") && str_starts(line->point, path))
			tell_mount(look, line->point, line->point);
	}
}

static int look_at_mounts(struct arena *arena, const struct spec *spec, pid_t pid, struct strv *words, struct err *err)
{
	const char *path = arena_printf(arena, "/proc/%d/root", (int)pid);
	own_fd int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct look look = { .arena = arena, .spec = spec, .root = root, .words = words };
	if (root < 0)
		return err_sys(err, "open '%s'", path);
	path = arena_printf(arena, "/proc/%d/mountinfo", (int)pid);
	if (read_mounts(arena, path, &look.mounts, &look.mount_count, err) < 0 ||
	    read_mounts(arena, "/proc/self/mountinfo", &look.hosts, &look.host_count, err) < 0)
		return -1;
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *m = &spec->mounts[i];
		if (str_eq(m->type, "bind") && !m->remount)
			look_at_bind(&look, m);
		else if (str_eq(m->type, "cgroup") || str_eq(m->type, "cgroup2"))
			look_at_groups(&look, m);
	}
	// With a user namespace devices are mounts, too.
	for (size_t i = 0; i < devices_count(spec); i++) {
		const struct spec_mount device = { .destination = devices_path(spec, i) };
		if (device.destination)
			look_at_bind(&look, &device);
	}
	return 0;
}

static int look_at_namespaces(struct arena *arena, const struct spec *spec, pid_t pid, struct strv *words, struct err *err)
{
	struct stat st;
	for (size_t i = 0; i < spec->join_count; i++) {
		const bool net = spec->joins[i].flag == CLONE_NEWNET;
		if (!net && spec->joins[i].flag != CLONE_NEWPID)
			continue;
		const char *path = arena_printf(arena, "/proc/%d/ns/%s", (int)pid, net ? "net" : "pid");
		if (stat(path, &st) < 0)
			return err_sys(err, "look at '%s'", path);
		strv_push(arena, words, "--external");
		strv_push(arena, words,
			  arena_printf(arena, "%s[%lu]:%s", net ? "net" : "pid", (unsigned long)st.st_ino,
				       net ? EXTERNAL_NET : EXTERNAL_PID));
	}
	return 0;
}

// Those that any new network namespace may have.
static bool is_native(const char *device)
{
	static const char *const names[] = { "lo",      "sit0",    "tunl0",   "ip6tnl0",  "gre0",
					     "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6gre0" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_eq(device, names[i]))
			return true;
	}
	return false;
}

// Who gave it devices, an engine or a hook of its, does so again; criu leaves such a namespace alone. proc_pid_net(5)
static int look_at_network(struct arena *arena, const struct spec *spec, pid_t pid, struct strv *words, struct err *err)
{
	if (!(spec->namespaces & CLONE_NEWNET))
		return 0;
	char *text = file_read(arena, AT_FDCWD, arena_printf(arena, "/proc/%d/net/dev", (int)pid), FILE_CONFIG, NULL, err);
	if (!text)
		return -1;
	struct strv lines = str_split(arena, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		char *name = lines.items[i] + strspn(lines.items[i], " "), *colon = strchr(name, ':');
		if (!colon)
			continue;
		*colon = '\0';
		if (is_native(name))
			continue;
		strv_push(arena, words, "--empty-ns");
		strv_push(arena, words, "network");
		return 0;
	}
	return 0;
}

// "mnt_id:\tN" of proc_pid_fdinfo(5), as text.
static const char *mount_of(struct arena *arena, pid_t pid, int fd)
{
	static const char label[] = "\nmnt_id:\t";
	char *text = file_read(arena, AT_FDCWD, arena_printf(arena, "/proc/%d/fdinfo/%d", (int)pid, fd), FILE_SMALL, NULL, NULL);
	char *id = text ? strstr(text, label) : NULL;
	return id ? arena_strndup(arena, id + strlen(label), strspn(id + strlen(label), "0123456789")) : NULL;
}

static bool has_mount(const char *mountinfo, const char *id)
{
	const size_t length = strlen(id);
	for (const char *line = mountinfo; *line; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n')) {
		if (strncmp(line, id, length) == 0 && line[length] == ' ')
			return true;
	}
	return false;
}

// A pipe or socket has a name that criu knows by itself; a file of the host, or its /dev/null, is named by mount and inode.
static int look_at_stream(struct arena *arena, pid_t pid, int fd, struct external *out, struct err *err)
{
	char link[PATH_MAX];
	const char *path = arena_printf(arena, "/proc/%d/fd/%d", (int)pid, fd);
	struct stat st;
	uint64_t number;
	out->streams[fd] = "";
	ssize_t length = readlink(path, link, sizeof(link) - 1);
	if (length < 0 || stat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "look at '%s'", path);
	link[length] = '\0';
	if (external_is_stream(link)) {
		out->streams[fd] = arena_strdup(arena, link);
		return 0;
	}
	if (!S_ISREG(st.st_mode) && !(S_ISCHR(st.st_mode) && major(st.st_rdev) == MEMORY_DEVICES))
		return 0;
	const char *mounts =
		file_read(arena, AT_FDCWD, arena_printf(arena, "/proc/%d/mountinfo", (int)pid), FILE_CONFIG, NULL, err);
	const char *id = mount_of(arena, pid, fd);
	if (!mounts)
		return -1;
	if (!id || has_mount(mounts, id) || num_u64("mount", id, 0, INT_MAX, &number, err) < 0)
		return 0;
	out->streams[fd] = arena_printf(arena, "file[%x:%lx]", (unsigned int)number, (unsigned long)st.st_ino);
	strv_push(arena, &out->words, "--external");
	strv_push(arena, &out->words, out->streams[fd]);
	return 0;
}

int external_look(struct arena *arena, const struct spec *spec, pid_t pid, struct external *out, struct err *err)
{
	struct external found = { 0 };
	if (look_at_mounts(arena, spec, pid, &found.words, err) < 0 ||
	    look_at_namespaces(arena, spec, pid, &found.words, err) < 0 || look_at_network(arena, spec, pid, &found.words, err) < 0)
		return -1;
	for (int fd = 0; fd < EXTERNAL_STREAMS; fd++) {
		if (look_at_stream(arena, pid, fd, &found, err) < 0)
			return -1;
	}
	*out = found;
	return 0;
}

bool external_is_stream(const char *key)
{
	static const struct {
		const char *begin, *letters;
	} kinds[] = { { "pipe:[", "0123456789" }, { "socket:[", "0123456789" }, { "file[", "0123456789abcdef:" } };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!str_starts(key, kinds[i].begin))
			continue;
		const char *number = key + strlen(kinds[i].begin);
		size_t length = strspn(number, kinds[i].letters);
		return length && str_eq(number + length, "]");
	}
	return false;
}
