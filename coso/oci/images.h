// SPDX-License-Identifier: GPL-2.0-or-later
// images.h - the folder of a checkpoint: criu's images, and which of them stand for the streams of the first process
//
// Whatever the images say, criu does, with root's rights: processes get the users, capabilities and filters that are in them. So who
// wrote them must be root, or the caller; and nothing in the folder leads out of it. What is mounted, and where the root is, the
// bundle says.
#pragma once

#include "coso/launch/external.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>

struct images {
	const char *path, *work; // absolute; of the log
	int folder;              // open
};

// For checkpoint: makes what is missing. `work` NULL: that of the images. Returns 0 or -1.
int images_make(struct arena *arena, const char *path, const char *work, struct images *out, struct err *err);

// For restore: what can't be trusted, or holds no checkpoint, is an error.
int images_open(struct arena *arena, const char *path, const char *work, struct images *out, struct err *err);

// Whether they say what is in a network namespace.
bool images_have_network(const struct images *images);

void images_close(struct images *images);

// The keys of external.h, in "descriptors.json" beside the images; "": none.
int images_write_streams(const struct images *images, const char *const keys[EXTERNAL_STREAMS], struct err *err);
int images_read_streams(struct arena *arena, const struct images *images, const char *out_keys[EXTERNAL_STREAMS], struct err *err);

// Where the container has its socket for its manager (sdnotify.h), in "notify-place". NULL: it has none. What is read may be anything.
int images_write_place(const struct images *images, const char *place, struct err *err);
int images_read_place(struct arena *arena, const struct images *images, const char **out_place, struct err *err);
