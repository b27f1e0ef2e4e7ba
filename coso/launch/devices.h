// SPDX-License-Identifier: GPL-2.0-or-later
// devices.h - what is in /dev: the nodes and links that the OCI runtime specification promises, and those of the spec
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

#include <stddef.h>

struct launch;

// Outside, before clone3 and once mounts are prepared, as root with a user namespace: makes all devices on a tmpfs of the host's user
// namespace, with owners of the container's, as a detached mount that the child inherits and binds from. The host's own nodes would be
// nobody's inside, or, where root of the host is mapped, the container's to change.
int devices_prepare(struct launch *launch, struct err *err);

// Inside, once /dev is mounted. Should: leave null, zero, full, random, urandom, tty, ptmx and the spec's devices, and, where there is
// a proc, fd, stdin, stdout and stderr. With a user namespace mknod(2) is refused, so nodes are bound. What is there already must be
// that very device. Where /dev is bound from the host, nothing is done. Mustn't: follow a link of the image.
int devices_make(struct launch *launch, struct err *err);

// The devices that a container gets, by the index that devices_prepare names their nodes by: the path, or NULL if there is no node of it.
size_t devices_count(const struct spec *spec);
const char *devices_path(const struct spec *spec, size_t index);
