// SPDX-License-Identifier: GPL-2.0-or-later
// user.h - who the program runs as: USER[:GROUP] looked up in the container's own /etc/passwd and /etc/group. passwd(5), group(5)
//
// Both files are hostile: a part that is all digits is a number whatever they say, a file that isn't regular is ignored, lines are
// bounded, and no memory is taken.
#pragma once

#include "shared/err.h"

#include <stddef.h>
#include <stdint.h>

enum { USER_GROUPS_MAX = 128 };

struct user {
	uint32_t uid, gid;
	uint32_t groups[USER_GROUPS_MAX];
	size_t group_count;
	char home[256]; // "" if unknown
};

// `text` as Docker takes it: "", "user", "uid", "user:group", "uid:gid" …. `root` is the container's root. Async-signal-safe.
int user_lookup(int root, const char *text, struct user *out_user, struct err *err);

// The name of `uid`, or "". Async-signal-safe.
void user_find_name(int root, uint32_t uid, char *out_name, size_t size);

// Fills in the home folder of user->uid if the container's /etc/passwd has it. Async-signal-safe.
void user_find_home(int root, struct user *user);
