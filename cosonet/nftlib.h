// SPDX-License-Identifier: GPL-2.0-or-later
// nftlib.h - libnftables, loaded when there is something for it to do
//
// Loading it with its five libraries takes 0.4 ms, as long as all the rest of an ordinary launch, which has no use for it. So it is
// no library of the program's (the linker would load it at every start) but is opened by its stable name where a rule is written.
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

// Runs commands in the nft language, as one transaction. err->code: EEXIST where the kernel said "File exists", ENOENT for
// "No such file or directory". 0 or -1.
int nftlib_run(const char *commands, struct err *err);

// As nftlib_run, and returns what they print, as JSON text, owned by the arena; NULL on failure.
char *nftlib_ask(struct arena *arena, const char *command, struct err *err);
