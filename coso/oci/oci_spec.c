// SPDX-License-Identifier: GPL-2.0-or-later
// oci_spec.c - the command spec
#include "coso/oci/oci.h"
#include "coso/oci/spec_file.h"
#include "coso/oci/words.h"
#include "coso/spec/defaults.h"
#include "shared/fd.h"
#include "shared/opts.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

static const struct standard_mount {
	const char *destination, *type, *source, *options; // with a comma between
} standard[] = {
	{ "/proc", "proc", "proc", "" },
	{ "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k" },
	{ "/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k" },
	{ "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev" },
	{ "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro" },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro" },
};

// sysfs can't be mounted by a user namespace that doesn't own the network namespace.
static const struct standard_mount bound_sysfs = { "/sys", "none", "/sys", "rbind,nosuid,noexec,nodev,ro" };

static json_t *options(const char *text, bool rootless)
{
	own_arena struct arena arena = { 0 };
	struct strv words = str_split(&arena, text, ',');
	json_t *array = json_array();
	for (size_t i = 0; i < words.count; i++) {
		const char *word = words.items[i];
		if (!rootless || !(str_starts(word, "uid=") || str_starts(word, "gid="))) // such an id isn't mapped
			json_array_append_new(array, json_string(word));
	}
	return array;
}

static json_t *mounts(bool rootless)
{
	json_t *array = json_array();
	for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++) {
		const struct standard_mount *m = &standard[i];
		if (rootless && str_eq(m->type, "sysfs"))
			m = &bound_sysfs;
		json_t *mount = json_pack("{s:s, s:s, s:s}", "destination", m->destination, "type", m->type, "source", m->source);
		if (*m->options)
			json_object_set_new(mount, "options", options(m->options, rootless));
		json_array_append_new(array, mount);
	}
	return array;
}

static json_t *capabilities(void)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };
	json_t *object = json_object();
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		json_object_set_new(object, sets[i], json_pack("[s, s, s]", "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"));
	return object;
}

static json_t *process(void)
{
	return json_pack("{s:b, s:{s:i, s:i}, s:[s], s:[s, s], s:s, s:o, s:[{s:s, s:i, s:i}], s:b}", "terminal", 1, "user", "uid",
			 0, "gid", 0, "args", "sh", "env", "PATH=" DEFAULTS_PATH, "TERM=xterm", "cwd", "/", "capabilities",
			 capabilities(), "rlimits", "type", "RLIMIT_NOFILE", "hard", 1024, "soft", 1024, "noNewPrivileges", 1);
}

static json_t *texts(const struct strv *list)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, json_string(list->items[i]));
	return array;
}

static json_t *namespaces(bool rootless)
{
	static const char *const kinds[] = { "pid", "network", "ipc", "uts", "mount", "cgroup", "user" };
	struct statfs fs;
	bool v2 = statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
	json_t *array = json_array();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		bool missing = str_eq(kinds[i], "network") ? rootless :
			       str_eq(kinds[i], "cgroup")  ? !v2 :
							     str_eq(kinds[i], "user") && !rootless;
		if (!missing)
			json_array_append_new(array, json_pack("{s:s}", "type", kinds[i]));
	}
	return array;
}

static json_t *own_map(unsigned int id)
{
	return json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID", (json_int_t)id, "size", 1);
}

static json_t *of_linux(bool rootless)
{
	own_arena struct arena arena = { 0 };
	struct spec masks = { .arena = &arena };
	json_t *object = json_object();
	defaults_masks(&masks);
	if (rootless) {
		json_object_set_new(object, "uidMappings", own_map(geteuid()));
		json_object_set_new(object, "gidMappings", own_map(getegid()));
	} else
		json_object_set_new(object, "resources", json_pack("{s:[{s:b, s:s}]}", "devices", "allow", 0, "access", "rwm"));
	json_object_set_new(object, "namespaces", namespaces(rootless));
	json_object_set_new(object, "maskedPaths", texts(&masks.masked_paths));
	json_object_set_new(object, "readonlyPaths", texts(&masks.readonly_paths));
	return object;
}

static json_t *configuration(bool rootless)
{
	return json_pack("{s:s, s:o, s:{s:s, s:b}, s:s, s:o, s:o}", "ociVersion", OCI_SPEC_VERSION, "process", process(), "root",
			 "path", "rootfs", "readonly", 1, "hostname", "coso", "mounts", mounts(rootless), "linux",
			 of_linux(rootless));
}

static int write_text(int dir, const char *text, struct err *err)
{
	own_fd int fd = openat(dir, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0 && errno == EEXIST)
		return err_set(err, EEXIST, "File config.json exists. Remove it first");
	if (fd < 0)
		return err_sys(err, "make config.json");
	if (fd_write_full(fd, text, strlen(text)) == 0 && fd_write_full(fd, "\n", 1) == 0)
		return 0;
	err_sys(err, "write config.json");
	unlinkat(dir, "config.json", 0);
	return -1;
}

int oci_spec_write(const char *bundle, bool rootless, struct err *err)
{
	own_fd int dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, "open bundle '%.200s'", bundle);
	json_t *config = configuration(rootless);
	char *text = json_dumps(config, JSON_INDENT(4));
	int result = text ? write_text(dir, text, err) : err_set(err, ENOMEM, "make config.json");
	free(text);
	json_decref(config);
	return result;
}

struct spec_options {
	const char *bundle;
	bool rootless;
};

int oci_cmd_spec(struct oci *oci, int *out_exit_code, struct err *err)
{
	static const struct opt table[] = {
		{ "bundle", 'b', OPT_TEXT, offsetof(struct spec_options, bundle), "DIR", "folder to write it in (.)" },
		{ "rootless", 0, OPT_FLAG, offsetof(struct spec_options, rootless), NULL, "one for an ordinary user" },
		{ 0 },
	};
	struct spec_options o = { .bundle = "." };
	*out_exit_code = 0;
	int help = oci_options(oci, table, &o, err);
	if (help)
		return help < 0 ? -1 : 0;
	if (oci->argc)
		return err_set(err, EINVAL, "spec takes no argument: '%.80s'", oci->argv[0]);
	return oci_spec_write(o.bundle, o.rootless, err);
}
