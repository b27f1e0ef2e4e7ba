// SPDX-License-Identifier: GPL-2.0-or-later
// mountinfo.h - a line of /proc/PID/mountinfo. proc_pid_mountinfo(5)
#pragma once

#include <stdbool.h>

struct mountinfo {
	char *root, *point, *type, *source;
	char *options; // of the super block
};

// Cuts the line up in place, and undoes the \ooo of its paths; no memory is taken. False if it isn't such a line.
bool mountinfo_parse(char *line, struct mountinfo *out);
