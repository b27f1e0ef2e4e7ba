// SPDX-License-Identifier: GPL-2.0-or-later
// fetch.h - downloads a file over https or http, going on where an earlier download stopped
#pragma once

#include "shared/err.h"

#include <stdbool.h>
#include <stdint.h>

struct fetch {
	const char *url;
	const char *sha256; // what it must be; NULL: anything, and then nothing is resumed
	uint64_t max;       // bytes
	const char *what;   // for the progress line
};

enum fetch_result {
	FETCH_OK,
	FETCH_FAILED,      // wrong checksum, too large, full disk, interrupted: there is no going on
	FETCH_UNREACHABLE, // the server or the file on it can't be had; what came so far stays in the file, for the next time
};

// Downloads into the file `fd` (read and write, its content an earlier part or empty), and checks it as a whole. Gives up on a server that
// doesn't answer within three seconds, or sends less than 1 KB/s for ten.
// https never becomes http by a redirect, and neither becomes anything else. Uses the proxy of the environment, as curl does.
enum fetch_result fetch_file(const struct fetch *fetch, int fd, struct err *err);
