// SPDX-License-Identifier: GPL-2.0-or-later
// name.h - names of archive entries, judged before anything touches the disk
#pragma once

#include "shared/err.h"

#include <limits.h>
#include <stddef.h>

enum { NAME_DEPTH_MAX = 1000, NAME_SHOWN = 160 };

struct name {
	char path[PATH_MAX];    // normal form: no slash at either end, no empty component, no "."; "" is the root itself
	size_t parent;          // length of the parent's part of `path`; 0: the root
	const char *base;       // last component, inside `path`
	char shown[NAME_SHOWN]; // for messages: control characters replaced, shortened
};

// Takes `length` bytes as an archive has them. A leading slash is dropped: an archive's root is the folder that it is unpacked to.
// Returns 0, or -1 for a name with a ".." component, a NUL, a component over 255 bytes, or one that is too long or too deep.
int name_parse(const char *bytes, size_t length, struct name *out, struct err *err);

enum name_mark {
	NAME_PLAIN,    // an entry
	NAME_WHITEOUT, // ".wh.X": X of the layers below is gone
	NAME_OPAQUE,   // ".wh..wh..opq": nothing of the layers below is seen in this folder
	NAME_INTERNAL, // ".wh..wh.X": a union file system's own record, not content
};

// Classifies a parsed name, once, by the rules of an OCI image layer (image-spec, layer.md, "Whiteouts"). *out_target points to X.
// Returns 0, or -1 for a mark that could reach outside its folder (".wh.", ".wh..", ".wh...") or that has entries below it.
int name_mark(const struct name *name, enum name_mark *out_mark, const char **out_target, struct err *err);
