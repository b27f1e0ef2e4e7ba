// SPDX-License-Identifier: GPL-2.0-or-later
// path.h - every path below a folder that somebody else controls: openat2(2), Linux 5.6
//
// Nothing else in COSO opens, makes or removes anything below a container's root or a layer.
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

// Opens `path` as a process with `root` as its "/" would: absolute symbolic links and ".." stay inside; magic links are refused.
// Returns a CLOEXEC descriptor or -1. RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS.
int path_open_in(int root, const char *path, int flags, mode_t mode, struct err *err);

// As path_open_in, but any symbolic link and any ".." that leads out is an error. RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS.
int path_open_beneath(int root, const char *path, int flags, mode_t mode, struct err *err);

// Makes the folders of `path` that are missing (mode 0755), following links inside the root, and opens the last as O_PATH. A link
// that leads nowhere gets its target made: images have /etc/resolv.conf and /var/run lead to places that a boot would make.
int path_mkdirs_in(int root, const char *path, struct err *err);

// Makes sure that something is at `path` that a mount can cover: a folder, or else an empty file. Returns it as O_PATH.
// What is there already is left as it is; a last component that is a symbolic link is followed inside the root.
int path_mountpoint_in(int root, const char *path, bool folder, struct err *err);

// How path_target_in goes about it.
enum {
	PATH_FILE = 1,     // what is missing is made as a file, else as a folder
	PATH_PLAIN = 2,    // any symbolic link on the way is an error (ELOOP)
	PATH_NOFOLLOW = 4, // the last component isn't followed, and may be a symbolic link itself
};

struct path_target {
	int fd;      // O_PATH
	bool made;   // it wasn't there
	bool linked; // the way to it leads through a symbolic link
};

// As path_mountpoint_in, for who has to know more. What is there already may be of either kind. 0 or -1.
int path_target_in(int root, const char *path, unsigned int how, struct path_target *out_target, struct err *err);

// A path in order, as text: absolute, without ".", ".." and doubled slashes, so "a//b/../c/" is "/a/c". Owned by the arena.
char *path_clean(struct arena *arena, const char *path);

// Opens a folder of the host for use as root, layer or state: every component must belong to root or to the caller, and none may
// be writable by others (a sticky folder like /tmp may). Returns an O_PATH|O_DIRECTORY descriptor or -1.
int path_open_trusted(const char *path, struct err *err);

// Makes the folders of a host path that are missing, each with `mode`. 0 or -1.
int path_mkdirs(const char *path, mode_t mode, struct err *err);

// Removes the folder or file at the path `name`, from `dir` on, and all that is in it, crossing no mount and following no link in it. A
// missing name is no error. EXDEV: something is mounted there; what lay beside it may be gone by then.
int path_remove_tree(int dir, const char *name, struct err *err);
