// SPDX-License-Identifier: GPL-2.0-or-later
// restore.h - a launch whose processes come from criu's images
//
// Theory of operation. Outside, all is as in a launch but for the child: the rootfs is opened, the control group made and limited, the
// bundle's mounts prepared. The process that becomes coso-criu joins the group, and with a mount namespace of its own puts the root and
// each bind mount in their places, as the bundle has them; nothing of that is ever seen on the host. There criu makes the container's
// namespaces, mounts and processes of its images; it asks on the way (checkpoint.h), and while it waits for the answer the state is
// noted and hooks run. What it has made becomes a child of this process, which is a subreaper.
#pragma once

#include "coso/launch/external.h"
#include "shared/err.h"
#include "shared/str.h"

#include <stdbool.h>

struct launch;

struct restore {
	const struct strv *words;              // for coso-criu restore: images, and what the caller asks for
	const char *images;                    // their folder, absolute
	bool empty_network;                    // they say nothing of the network namespace: hooks put its devices there
	const char *streams[EXTERNAL_STREAMS]; // keys that our stdin, stdout and stderr are for; "": none
};

// For launch_start: launch->outside and launch->restore. launch->pid, pidfd and console are those of what runs afterwards. The launch's
// namespaces, process, devices and masks are as the images have them, and not as the spec.
void restore_init(struct launch *launch, const struct restore *restore);
