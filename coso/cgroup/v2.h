// SPDX-License-Identifier: GPL-2.0-or-later
// v2.h - limits in the files of cgroup v2, and handing controllers down. Documentation/admin-guide/cgroup-v2.rst
#pragma once

#include "coso/cgroup/settings.h"

// Each adds the settings that `resources` asks of one controller, in the order in which the kernel takes them.
void v2_memory(struct settings *settings, const struct spec_resources *resources);
void v2_cpu(struct settings *settings, const struct spec_resources *resources);
void v2_cpuset(struct settings *settings, const struct spec_resources *resources);
void v2_pids(struct settings *settings, const struct spec_resources *resources);
void v2_io(struct settings *settings, const struct spec_resources *resources);

// Enables `controllers` for the children of `folder` where they aren't yet.
int v2_enable(struct arena *arena, const char *folder, const struct strv *controllers, struct err *err);
