// SPDX-License-Identifier: GPL-2.0-or-later
// external.h - what a container has of the outside, in the words in which criu is told of it: bind mounts, namespaces, streams
//
// criu writes whatever belongs to the container, and makes it again. What doesn't has a key in the images, and whoever restores says
// what the key stands for: that is the configuration's affair, and never the images'. https://criu.org/External_resources
#pragma once

#include "coso/spec/spec.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <sys/types.h>

// criu's own words for a namespace that was joined.
#define EXTERNAL_NET "extRootNetNS"
#define EXTERNAL_PID "extRootPidNS"

enum { EXTERNAL_STREAMS = 3 };

struct external {
	struct strv words;                     // for coso-criu dump
	const char *streams[EXTERNAL_STREAMS]; // keys of stdin, stdout and stderr; "": it is the container's own
};

// Whether criu can write such a container at all, or make it again: 0, or -1 with what it can't.
int external_check(const struct spec *spec, struct err *err);

// Looks at a container that runs. A mount's key is its destination, unless it has another.
int external_look(struct arena *arena, const struct spec *spec, pid_t pid, struct external *out, struct err *err);

// Whether a key is one that external_look gives a stream.
bool external_is_stream(const char *key);
