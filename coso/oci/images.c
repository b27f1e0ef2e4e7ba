// SPDX-License-Identifier: GPL-2.0-or-later
// images.c - the folder of a checkpoint
#include "coso/oci/images.h"

#include "shared/fd.h"
#include "shared/file.h"
#include "shared/path.h"
#include "shared/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARENTS_MAX = 256, FOLDER_MODE = 0750 }; // for what the group is: see restore.c

static const char streams_name[] = "descriptors.json", parent_name[] = "parent", inventory_name[] = "inventory.img",
		  place_name[] = "notify-place";

static int make_folder(struct arena *arena, const char *what, const char *given, const char **out_path, struct err *err)
{
	char full[PATH_MAX];
	if (path_mkdirs(given, FOLDER_MODE, err) < 0)
		return err_wrap(err, "%s", what);
	if (!realpath(given, full))
		return err_sys(err, "%s '%s'", what, given);
	*out_path = arena_strdup(arena, full);
	return 0;
}

static int open_folder(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "--image-path '%s'", path) : fd;
}

int images_make(struct arena *arena, const char *path, const char *work, struct images *out, struct err *err)
{
	struct images images = { .folder = -1 };
	if (make_folder(arena, "--image-path", path, &images.path, err) < 0)
		return -1;
	images.work = images.path;
	if (work && make_folder(arena, "--work-path", work, &images.work, err) < 0)
		return -1;
	images.folder = open_folder(images.path, err);
	*out = images;
	return images.folder < 0 ? -1 : 0;
}

// The images of a pre-dump before are in another folder, which "parent" leads to. It is opened beside `folder`, and not below it, and
// is nobody else's either: links could be put in it once it has been looked at.
static int open_parent(int folder, const char *where, struct err *err)
{
	own_arena struct arena arena = { 0 };
	char target[PATH_MAX], here[PATH_MAX];
	ssize_t length = readlinkat(folder, parent_name, target, sizeof(target) - 1);
	if (length < 0)
		return err_sys(err, "read '%s/%s'", where, parent_name);
	target[length] = '\0';
	if (target[0] == '/')
		return err_set(err, EPERM, "'%s/%s' leads to '%.200s': only what is relative is followed", where, parent_name,
			       target);
	if (!realpath(arena_printf(&arena, "/proc/self/fd/%d", folder), here))
		return err_sys(err, "find out where '%s' is", where);
	own_fd int trusted = path_open_trusted(arena_printf(&arena, "%s/%s", here, target), err);
	if (trusted < 0)
		return err_wrap(err, "'%s/%s'", where, parent_name);
	int fd = openat(trusted, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "open '%s/%s'", where, target) : fd;
}

static int check_entry(int folder, const char *where, const char *name, bool *out_parent, struct err *err)
{
	struct stat st;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "look at '%s/%s'", where, name);
	if (S_ISLNK(st.st_mode) && str_eq(name, parent_name)) {
		*out_parent = true;
		return 0;
	}
	if (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink == 1))
		return 0;
	return err_set(err, EPERM, "'%s/%s' is no plain file: an image may not lead elsewhere", where, name);
}

static DIR *open_list(int folder)
{
	own_fd int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
	if (list)
		copy = -1; // it is the list's
	return list;
}

// 1: there is a parent.
static int check_folder(int folder, const char *where, struct err *err)
{
	bool parent = false;
	int result = 0;
	DIR *list = open_list(folder);
	if (!list)
		return err_sys(err, "read folder '%s'", where);
	for (struct dirent *entry; result == 0 && (entry = readdir(list));) {
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			result = check_entry(folder, where, entry->d_name, &parent, err);
	}
	closedir(list);
	return result < 0 ? -1 : parent;
}

static int check_all(const struct images *images, struct err *err)
{
	own_fd int folder = fcntl(images->folder, F_DUPFD_CLOEXEC, 3);
	for (int depth = 0; depth < PARENTS_MAX; depth++) {
		int more = check_folder(folder, images->path, err);
		if (more <= 0)
			return more;
		int parent = open_parent(folder, images->path, err);
		if (parent < 0)
			return -1;
		fd_close(&folder);
		folder = parent;
	}
	return err_set(err, ELOOP, "'%s': more than %d folders of images", images->path, (int)PARENTS_MAX);
}

int images_open(struct arena *arena, const char *path, const char *work, struct images *out, struct err *err)
{
	char full[PATH_MAX];
	struct images images = { .folder = -1 };
	if (!realpath(path, full))
		return err_sys(err, "--image-path '%s'", path);
	images.path = images.work = arena_strdup(arena, full);
	if (work && make_folder(arena, "--work-path", work, &images.work, err) < 0)
		return -1;
	own_fd int trusted = path_open_trusted(images.path, err);
	if (trusted < 0)
		return err_wrap(err, "--image-path");
	images.folder = openat(trusted, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (images.folder < 0)
		return err_sys(err, "--image-path '%s'", images.path);
	int result = check_all(&images, err);
	if (result == 0 && faccessat(images.folder, inventory_name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		result = err_set(err, ENOENT, "'%s' holds no checkpoint: there is no %s", images.path, inventory_name);
	if (result < 0)
		images_close(&images);
	*out = images;
	return result;
}

bool images_have_network(const struct images *images)
{
	bool found = false;
	DIR *list = open_list(images->folder);
	for (struct dirent *entry; list && !found && (entry = readdir(list));)
		found = str_starts(entry->d_name, "netdev-");
	if (list)
		closedir(list);
	return found;
}

void images_close(struct images *images)
{
	fd_close(&images->folder);
}

int images_write_streams(const struct images *images, const char *const keys[EXTERNAL_STREAMS], struct err *err)
{
	json_t *array = json_array();
	for (int fd = 0; fd < EXTERNAL_STREAMS; fd++)
		json_array_append_new(array, json_string(keys[fd]));
	char *text = json_dumps(array, JSON_COMPACT);
	json_decref(array);
	if (!text)
		return err_set(err, ENOMEM, "write '%s'", streams_name);
	int result = file_replace(images->folder, streams_name, text, strlen(text), 0600, err);
	free(text);
	return result;
}

// Others have such a file, too, where a stream that is no key is the name of a file.
int images_read_streams(struct arena *arena, const struct images *images, const char *out_keys[EXTERNAL_STREAMS], struct err *err)
{
	struct err why;
	json_error_t error;
	size_t size = 0;
	for (int fd = 0; fd < EXTERNAL_STREAMS; fd++)
		out_keys[fd] = "";
	char *text = file_read(arena, images->folder, streams_name, FILE_SMALL, &size, &why);
	if (!text)
		return why.code == ENOENT ? 0 : err_set(err, why.code, "%s", why.msg);
	json_t *array = json_loadb(text, size, 0, &error);
	if (!json_is_array(array) || json_array_size(array) != EXTERNAL_STREAMS) {
		json_decref(array);
		return err_set(err, EBADMSG, "'%s/%s' isn't a list of %d descriptors", images->path, streams_name,
			       (int)EXTERNAL_STREAMS);
	}
	for (int fd = 0; fd < EXTERNAL_STREAMS; fd++) {
		const char *key = json_string_value(json_array_get(array, (size_t)fd));
		if (key && external_is_stream(key))
			out_keys[fd] = arena_strdup(arena, key);
	}
	json_decref(array);
	return 0;
}

int images_write_place(const struct images *images, const char *place, struct err *err)
{
	if (place)
		return file_replace(images->folder, place_name, place, strlen(place), 0600, err);
	return unlinkat(images->folder, place_name, 0) < 0 && errno != ENOENT ? err_sys(err, "remove '%s'", place_name) : 0;
}

int images_read_place(struct arena *arena, const struct images *images, const char **out_place, struct err *err)
{
	*out_place = file_read(arena, images->folder, place_name, FILE_SMALL, NULL, err);
	return *out_place || err->code == ENOENT ? 0 : -1;
}
