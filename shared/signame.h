// SPDX-License-Identifier: GPL-2.0-or-later
// signame.h - signals by name and number. signal(7)
#pragma once

// "9", "KILL", "SIGKILL" in either case, "RTMIN", "RTMIN+n", "RTMAX-n". Returns the number, or -1.
int signame_parse(const char *text);
