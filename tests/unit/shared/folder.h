// SPDX-License-Identifier: GPL-2.0-or-later
// folder.h - a temporary folder for one unit test
#pragma once

#include <stddef.h>

// Makes a folder with an absolute name and returns it open (O_PATH); writes its name into `name`. Aborts if it can't.
int folder_make(char *name, size_t size);

// Closes the descriptor and removes the folder with all that is in it, by its own means: not by what is being tested.
void folder_remove(int *fd, const char *name);

// Runs a line of shell with the folder as $1 and as the working folder. Aborts if the line fails.
void folder_shell(const char *name, const char *line);
