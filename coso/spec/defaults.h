// SPDX-License-Identifier: GPL-2.0-or-later
// defaults.h - what a container has unless something else was said: the OCI default mounts, masks and environment
#pragma once

#include "coso/spec/spec.h"

#define DEFAULTS_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// proc, dev, devpts, shm, mqueue, sysfs and cgroup, as config-linux.md "Default Filesystems" and Docker have them.
void defaults_mounts(struct spec *spec);

// Masked and read-only paths of the OCI default.
void defaults_masks(struct spec *spec);

// The same below another mount of proc or sysfs ("/proc" or "/sys") at `destination`.
void defaults_masks_below(struct spec *spec, const char *kind, const char *destination);

// A sysctl that lets ping work without CAP_NET_RAW: net.ipv4.ping_group_range, as wide as the groups that exist inside.
void defaults_ping(struct spec *spec);

// Adds one mount.
void defaults_add_mount(struct spec *spec, const struct spec_mount *mount);
