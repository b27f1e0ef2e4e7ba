// SPDX-License-Identifier: GPL-2.0-or-later
// devices.h - what is in /dev: the nodes and links that the OCI runtime specification promises, and those of the spec
#pragma once

#include "shared/err.h"

struct launch;

// Outside, before clone3, as root with a user namespace: makes all devices on a tmpfs of the host's user namespace, owned by the
// container's root, as a detached mount that the child inherits and binds from. The host's own nodes would be nobody's inside, or, where
// root of the host is mapped, the container's to change.
int devices_prepare(struct launch *launch, struct err *err);

// Inside, once /dev is mounted. Should: leave null, zero, full, random, urandom, tty, ptmx, fd, stdin, stdout, stderr and the
// spec's devices. With a user namespace mknod(2) is refused, so the host's nodes are bound. Mustn't: follow a link of the image.
int devices_make(struct launch *launch, struct err *err);
