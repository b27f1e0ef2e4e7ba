// SPDX-License-Identifier: GPL-2.0-or-later
// newmount.h - new mounts of file systems, mounted nowhere yet. fsopen(2), fsconfig(2), fsmount(2)
#pragma once

#include "shared/err.h"

struct launch;
struct mounts_item;

// Outside: splits the options of the file system, and adds the label.
void newmount_split(struct launch *launch, struct mounts_item *item);

// Makes one. `mode` is for a tmpfs whose options have none: that of the folder that it covers; "": the kernel's own.
int newmount_make(const struct mounts_item *item, const char *mode, struct err *err);

// Changes the options of the file system whose mount is open as `mount`, and the attributes of that mount (mount(8)'s "remount").
int newmount_change(int mount, const struct mounts_item *item, struct err *err);
