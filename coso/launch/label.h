// SPDX-License-Identifier: GPL-2.0-or-later
// label.h - what the program becomes for AppArmor and SELinux: apparmorProfile and selinuxLabel. apparmor(7), selinux(8)
//
// Both are told beforehand, by a file of the process in proc, what the next exec is to be. That file is only reached through procfs.h:
// over /proc of a container anything may lie, and then the label goes nowhere (CVE-2019-16884) or into a file that does harm
// (CVE-2025-52881).
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

#include <stdbool.h>

// Whether the kernel has it switched on. `sys` is the folder of sysfs: "/sys".
bool label_has_apparmor(const char *sys);
bool label_has_selinux(const char *sys);

// Outside, before anything is made: a profile or a label that this kernel can't give is an error. Empty ones are none.
int label_check(const struct spec_process *process, const char *sys, struct err *err);

// Inside: sets both for the next exec, of this process or of one that it forks. `proc` is of procfs_open, called while the host's mounts
// were still there. Should: be called before the filter, after the last exec but the program's. Async-signal-safe.
int label_apply(const struct spec_process *process, int proc, struct err *err);
