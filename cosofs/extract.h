// SPDX-License-Identifier: GPL-2.0-or-later
// extract.h - makes the entries of an archive below a folder: no path leads out of it, whatever the archive says
//
// Rules: every path is resolved by openat2 beneath the folder and through no symbolic link; a parent that isn't a folder is an
// error; what is there already is replaced, never written through; nothing that exists is opened. The target of a hard link is
// found the same way, and "/x" means x in the folder. The root's own entry must be a folder.
// What the caller isn't allowed to make (devices, other owners, attributes) is left out and counted.
#pragma once

#include "cosofs/tarball.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct extract_options {
	bool layer;         // an image layer: whiteouts become overlayfs's; the root's owner and mode are the archive's
	uint64_t max_bytes; // of file content
	uint64_t max_entries;
};

struct extract_count {
	uint64_t entries, bytes;
	uint64_t devices; // left out: device nodes, and hard links to them
	uint64_t owners;  // made, but with the caller's own owner or group (and without set-id bits)
	uint64_t xattrs;  // extended attributes left out, since the file system or the kernel refused them
	uint64_t marks;   // whiteouts of a plain archive: there is nothing below them
	uint64_t setid;   // programs that were made set-user-id, set-group-id or with capabilities
};

struct extract_folder;

struct extract {
	int root; // of the caller, as is the tarball
	struct tarball *tarball;
	struct extract_options options;
	struct extract_count count;
	uint32_t uid, gid; // what new files have by themselves
	int parent;        // the folder of the entry before, kept open
	char parent_path[PATH_MAX];
	struct extract_folder *folders; // whose mode and times are set at the end
	size_t folder_count;
	struct arena arena;
};

void extract_begin(struct extract *x, int root, struct tarball *tarball, const struct extract_options *options);

// Makes the entry that the tarball gave last, with its data. 0, or -1 with a message that names it.
int extract_entry(struct extract *x, const struct tarball_entry *entry, struct err *err);

// Gives the folders their modes and times. 0 or -1.
int extract_finish(struct extract *x, struct err *err);

void extract_free(struct extract *x);
