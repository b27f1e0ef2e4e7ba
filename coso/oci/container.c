// SPDX-License-Identifier: GPL-2.0-or-later
// container.c - what is known of a container between commands
#include "coso/oci/container.h"

#include "coso/launch/hooks.h"
#include "coso/launch/rdt.h"
#include "coso/launch/start.h"
#include "coso/launch/user.h"
#include "coso/oci/bundle.h"
#include "coso/spec/caller.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/log.h"
#include "shared/path.h"
#include "shared/proc.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_MS = 10000, END_MS = 10000 };

// Of an ordinary user: sticky, so that whoever tidies such folders up leaves it alone. XDG base directory specification
static const char *user_root(struct arena *arena)
{
	const char *value = getenv("XDG_RUNTIME_DIR"), *standard = arena_printf(arena, "/run/user/%u", (unsigned int)geteuid());
	if (value && *value == '/')
		return arena_printf(arena, "%s/coso-oci", value);
	if (access(standard, W_OK) == 0)
		return arena_printf(arena, "%s/coso-oci", standard);
	return arena_printf(arena, "/tmp/coso-oci-%u", (unsigned int)geteuid());
}

int container_root(struct arena *arena, const char *given, const char **out_root, struct err *err)
{
	char here[PATH_MAX];
	if (!given || !*given) {
		*out_root = caller_owns_system() ? "/run/coso-oci" : user_root(arena);
		return 0;
	}
	if (!given[strspn(given, "/")])
		return err_set(err, EINVAL, "--root '%s': not the root folder itself", given);
	if (*given != '/' && !getcwd(here, sizeof(here)))
		return err_sys(err, "--root '%s': find the working folder", given);
	*out_root = *given == '/' ? given : arena_printf(arena, "%s/%s", here, given);
	return 0;
}

int container_check_id(const char *id, struct err *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-";
	if (!*id)
		return err_set(err, EINVAL, "container id cannot be empty");
	const char *other = id + strspn(id, letters);
	if (*other)
		return err_set(err, EINVAL, "invalid container ID format: \"%.200s\": invalid character at %zu", id,
			       (size_t)(other - id) + 1);
	if (str_eq(id, ".") || str_eq(id, "..") || strlen(id) > NAME_MAX)
		return err_set(err, EINVAL, "invalid container ID format: \"%.200s\"", id);
	return 0;
}

// The root must be nobody else's: what is read there decides what is killed and removed.
static int open_root(const char *root, bool make, struct err *err)
{
	struct err why = { 0 };
	int fd = path_open_trusted(root, &why);
	if (fd >= 0)
		return fd;
	if (why.code != ENOENT || !make)
		return err_set(err, why.code, "%s", why.msg);
	if (path_mkdirs(root, 0700, err) < 0)
		return -1;
	if (geteuid() != 0)
		(void)chmod(root, S_IRWXU | S_ISVTX);
	return path_open_trusted(root, err);
}

// True if its folder is still the one of that name in the root, `parent`.
static bool is_there(const struct container *c, int parent)
{
	struct stat own, found;
	return fstat(c->folder, &own) == 0 && fstatat(parent, c->id, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
	       own.st_ino == found.st_ino;
}

// Who asks for its state holds the lock for a moment, who changes or removes it for longer.
static int lock_folder(const struct container *c, int parent, struct err *err)
{
	int64_t deadline = proc_now_ms() + LOCK_MS;
	while (flock(c->folder, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, "lock container '%s'", c->id);
		if (proc_now_ms() > deadline)
			return err_set(err, EBUSY, "container '%s' is being changed by another command", c->id);
		fd_wait(-1, 2);
	}
	return is_there(c, parent) ? 0 : err_set(err, ENOENT, "container '%s' does not exist", c->id);
}

int container_make(struct arena *arena, const char *root, const char *id, struct container *out, struct err *err)
{
	struct container made = { .arena = arena, .root = root, .id = id, .folder = -1, .locked = true, .owner = geteuid() };
	own_fd int parent = open_root(root, true, err);
	if (parent < 0)
		return err_wrap(err, "--root");
	if (mkdirat(parent, id, 0700) < 0) {
		if (errno == EEXIST)
			return err_set(err, EEXIST, "container with given ID already exists: '%s'", id);
		return err_sys(err, "make folder '%s/%s'", root, id);
	}
	made.folder = openat(parent, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (made.folder < 0) {
		err_sys(err, "open folder '%s/%s'", root, id);
		unlinkat(parent, id, AT_REMOVEDIR);
		return -1;
	}
	if (lock_folder(&made, parent, err) < 0) { // who holds it may have removed it, and a third made it anew
		fd_close(&made.folder);
		return -1;
	}
	*out = made;
	return 0;
}

static const char *text_of(struct arena *arena, const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));
	return text ? arena_strdup(arena, text) : NULL;
}

static void read_lists(struct container *c, const json_t *json)
{
	const char *key;
	json_t *value;
	size_t i;
	c->cgroup = (struct strv){ 0 };
	c->annotation_count = 0;
	json_array_foreach(json_object_get(json, "cgroup"), i, value)
		strv_push(c->arena, &c->cgroup, arena_strdup(c->arena, json_string_value(value)));
	json_object_foreach(json_object_get(json, "annotations"), key, value) {
		c->annotations = arena_grow(c->arena, c->annotations, c->annotation_count, sizeof(*c->annotations));
		c->annotations[c->annotation_count++] =
			(struct spec_annotation){ arena_strdup(c->arena, key), arena_strdup(c->arena, json_string_value(value)) };
	}
}

// Below a root that outlives the machine's power: processes and groups of those names are others' by now.
static void forget_lives(struct container *c, const json_t *json)
{
	if (!proc_is_other_boot(json_string_value(json_object_get(json, "boot"))))
		return;
	c->pid = 0;
	c->cgroup = (struct strv){ 0 };
	c->rdt = false;
}

static int read_state(struct container *c, struct err *err)
{
	size_t size;
	char *text = file_read(c->arena, c->folder, "state.json", FILE_CONFIG, &size, err);
	json_error_t error;
	json_t *json = text ? json_loadb(text, size, 0, &error) : NULL;
	if (!text)
		return -1;
	if (!json)
		return err_set(err, EBADMSG, "state.json of '%s': %s", c->id, error.text);
	c->oci_version = text_of(c->arena, json, "ociVersion");
	c->bundle = text_of(c->arena, json, "bundle");
	c->rootfs = text_of(c->arena, json, "rootfs");
	c->created = text_of(c->arena, json, "created");
	c->owner = (uint32_t)json_integer_value(json_object_get(json, "owner"));
	c->pid = (pid_t)json_integer_value(json_object_get(json, "pid"));
	c->pid_start = (uint64_t)json_integer_value(json_object_get(json, "pidStart"));
	c->pid_namespace = json_is_true(json_object_get(json, "pidNamespace"));
	c->has_process = json_is_true(json_object_get(json, "hasProcess"));
	c->rdt = json_is_true(json_object_get(json, "rdt"));
	c->poststart = json_is_true(json_object_get(json, "poststart"));
	c->poststop = json_is_true(json_object_get(json, "poststop"));
	c->notify = json_is_true(json_object_get(json, "notify"));
	c->manager = text_of(c->arena, json, "manager");
	c->notify_place = text_of(c->arena, json, "notifyPlace");
	read_lists(c, json);
	forget_lives(c, json);
	json_decref(json);
	return 0;
}

int container_open(struct arena *arena, const char *root, const char *id, struct container *out, struct err *err)
{
	struct container c = { .arena = arena, .root = root, .id = id, .folder = -1 };
	own_fd int parent = open_root(root, false, err);
	if (parent >= 0)
		c.folder = openat(parent, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c.folder < 0 && (parent >= 0 ? errno : err->code) == ENOENT)
		return err_set(err, ENOENT, "container '%s' does not exist", id);
	if (c.folder < 0)
		return parent < 0 ? -1 : err_sys(err, "open folder '%s/%s'", root, id);
	if (read_state(&c, err) < 0 && err->code != ENOENT) {
		fd_close(&c.folder);
		return -1;
	}
	*out = c;
	return 0;
}

int container_lock(struct container *c, struct err *err)
{
	own_fd int parent = open_root(c->root, false, err);
	if (parent < 0 || lock_folder(c, parent, err) < 0)
		return -1;
	c->locked = true;
	return read_state(c, err) < 0 && err->code != ENOENT ? -1 : 0;
}

void container_unlock(struct container *c)
{
	flock(c->folder, LOCK_UN);
	c->locked = false;
}

static json_t *annotations_json(const struct container *c)
{
	json_t *object = json_object();
	for (size_t i = 0; i < c->annotation_count; i++)
		json_object_set_new(object, c->annotations[i].key, json_string(c->annotations[i].value));
	return object;
}

int container_write(const struct container *c, struct err *err)
{
	json_t *cgroup = json_array();
	for (size_t i = 0; i < c->cgroup.count; i++)
		json_array_append_new(cgroup, json_string(c->cgroup.items[i]));
	json_t *json = json_pack(
		"{s:s*, s:s, s:s*, s:s*, s:s*, s:s, s:I, s:i, s:I, s:b, s:b, s:b, s:b, s:b, s:b, s:s*, s:s*, s:o, s:o}",
		"ociVersion", c->oci_version, "id", c->id, "bundle", c->bundle, "rootfs", c->rootfs, "created", c->created, "boot",
		proc_boot_id(), "owner", (json_int_t)c->owner, "pid", (int)c->pid, "pidStart", (json_int_t)c->pid_start,
		"pidNamespace", (int)c->pid_namespace, "hasProcess", (int)c->has_process, "poststart", (int)c->poststart,
		"poststop", (int)c->poststop, "notify", (int)c->notify, "rdt", (int)c->rdt, "manager", c->manager, "notifyPlace",
		c->notify_place, "cgroup", cgroup, "annotations", annotations_json(c));
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!text)
		return err_set(err, EINVAL, "write the state of '%s': a path or annotation isn't UTF-8", c->id);
	int result = file_replace(c->folder, "state.json", text, strlen(text), 0600, err);
	free(text);
	return result;
}

enum container_status container_status(const struct container *c)
{
	own_arena struct arena arena = { 0 };
	// First: delete ends the process before it removes what it awaits.
	bool awaited = start_is_awaited(c->folder);
	bool lives = proc_lives(c->pid, c->pid_start);
	struct cgroup cgroup;
	if (start_is_being_made(c->folder) || !c->pid) // by a create that lives, and holds the lock
		return !c->locked && flock(c->folder, LOCK_SH | LOCK_NB) < 0 ? CONTAINER_CREATING : CONTAINER_STOPPED;
	if (!lives)
		return CONTAINER_STOPPED;
	if (cgroup_reopen(&arena, &c->cgroup, &cgroup, NULL) == 0) {
		bool frozen = cgroup_is_frozen(&cgroup);
		cgroup_close(&cgroup);
		if (frozen)
			return CONTAINER_PAUSED;
	}
	return awaited ? CONTAINER_CREATED : CONTAINER_RUNNING;
}

const char *container_status_name(enum container_status status)
{
	static const char *const names[] = {
		[CONTAINER_CREATING] = "creating", [CONTAINER_CREATED] = "created", [CONTAINER_RUNNING] = "running",
		[CONTAINER_PAUSED] = "paused",     [CONTAINER_STOPPED] = "stopped",
	};
	return names[status];
}

int container_pidfd(const struct container *c)
{
	return proc_open(c->pid, c->pid_start);
}

static const char *owner_name(uint32_t uid, char *name, size_t size)
{
	own_fd int root = uid ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	snprintf(name, size, "%s", uid ? "" : "root");
	if (root >= 0)
		user_find_name(root, uid, name, size);
	return name;
}

json_t *container_json(const struct container *c)
{
	char owner[256];
	enum container_status status = container_status(c);
	return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:o, s:s}", "ociVersion", c->oci_version ? c->oci_version : "1.0.0",
			 "id", c->id, "pid", status == CONTAINER_STOPPED ? 0 : (int)c->pid, "status", container_status_name(status),
			 "bundle", c->bundle ? c->bundle : "", "rootfs", c->rootfs ? c->rootfs : "", "created",
			 c->created ? c->created : "0001-01-01T00:00:00Z", "annotations", annotations_json(c), "owner",
			 owner_name(c->owner, owner, sizeof(owner)));
}

int container_spec(const struct container *c, struct spec *out_spec, json_t **out_config, struct err *err)
{
	log_mute(true); // create has told what is odd about it
	const struct bundle_file file = { c->folder, "config.json", c->bundle ? c->bundle : "/", c->id };
	struct bundle bundle = { 0 };
	int result = bundle_read(c->arena, &file, out_spec, &bundle, err);
	*out_config = bundle.config;
	log_mute(false);
	return result;
}

int container_cgroup(const struct container *c, struct cgroup *out_cgroup, struct err *err)
{
	return cgroup_reopen(c->arena, &c->cgroup, out_cgroup, err);
}

static int end_process(const struct container *c, struct err *err)
{
	own_fd int pidfd = container_pidfd(c);
	if (pidfd < 0)
		return 0;
	sys_pidfd_send_signal(pidfd, SIGKILL);
	return fd_wait(pidfd, END_MS) == 1 ? 0 :
					     err_set(err, ETIMEDOUT, "the first process of '%s', %d, doesn't end", c->id, c->pid);
}

static int remove_rdt(const struct container *c, struct err *err)
{
	struct spec spec;
	json_t *config = NULL;
	int result = container_spec(c, &spec, &config, err);
	const char *root = result == 0 ? rdt_find(c->arena, NULL, err) : NULL;
	if (root) {
		const struct rdt rdt = rdt_locate(c->arena, root, &spec.rdt, c->id);
		result = rdt_remove(&rdt, err);
	}
	json_decref(config);
	return result;
}

static void run_poststop(const struct container *c)
{
	struct spec spec;
	struct err err;
	json_t *config = NULL;
	if (container_spec(c, &spec, &config, &err) == 0)
		hooks_run_all(c->arena, &spec, SPEC_HOOK_POSTSTOP, hooks_state(c->arena, &spec, "stopped", 0));
	else
		log_warning("poststop hooks of '%s': %s", c->id, err.msg);
	json_decref(config);
}

// The state goes last: without it, and locked, the folder looks as if the container were just being made.
static int remove_folder(const struct container *c, int parent, struct err *err)
{
	static const char *const before[] = { "config.json", "start", "start.new", "notify" };
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		if (path_remove_tree(c->folder, before[i], err) < 0)
			return -1;
	}
	return path_remove_tree(parent, c->id, err);
}

int container_remove(struct container *c, struct err *err)
{
	struct cgroup cgroup;
	own_fd int parent = open_root(c->root, false, err);
	if (parent < 0 || container_cgroup(c, &cgroup, err) < 0)
		return -1;
	bool frozen = cgroup_is_frozen(&cgroup);
	if (frozen && cgroup_signal(&cgroup, SIGKILL, err) < 0) // not even SIGKILL reaches the frozen of v1
		return -1;
	int result = end_process(c, err);
	if (result == 0)
		result = cgroup_remove(&cgroup, END_MS, err);
	cgroup_close(&cgroup);
	if (result < 0 || (c->rdt && remove_rdt(c, err) < 0))
		return -1;
	if (c->poststop)
		run_poststop(c);
	return remove_folder(c, parent, err);
}

int container_forget(struct arena *arena, const char *root, const char *id, struct err *err)
{
	struct cgroup cgroup;
	own_fd int parent = open_root(root, false, err);
	if (parent < 0 || cgroup_detect(arena, &cgroup, err) < 0)
		return -1;
	const char *group = cgroup_id(arena, parent, ".", id);
	int result = cgroup_find(&cgroup, group, err) == 0 ? cgroup_remove(&cgroup, END_MS, err) : -1;
	cgroup_close(&cgroup);
	log_warning("the state of '%s' can't be read: what it has outside of /coso/%s is left as it is", id, group);
	return result < 0 ? -1 : path_remove_tree(parent, id, err);
}

int container_each(struct arena *arena, const char *root, void (*visit)(const struct container *container, void *data), void *data,
		   struct err *err)
{
	own_fd int parent = open_root(root, false, err);
	if (parent < 0)
		return err->code == ENOENT ? 0 : -1;
	int copy = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
	if (!list)
		return err_sys(err, "read folder '%s'", root);
	for (struct dirent *entry; (entry = readdir(list));) {
		struct container c;
		struct err why;
		if (container_check_id(entry->d_name, NULL) < 0)
			continue;
		if (container_open(arena, root, arena_strdup(arena, entry->d_name), &c, &why) < 0) {
			log_warning("%s", why.msg);
			continue;
		}
		visit(&c, data);
		container_close(&c);
	}
	closedir(list);
	return 0;
}

void container_close(struct container *c)
{
	fd_close(&c->folder);
}
