// SPDX-License-Identifier: GPL-2.0-or-later
// mountopt.h - mounts as people write them: --mount, --volume, --tmpfs, and option words as mount(8) has them
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

// Takes one option word ("ro", "noexec", "rbind", "rslave", "size=1m" …) into a mount, whose type is known; what has no meaning here goes
// to `data`, and is an error on a bind mount. Later words win. The table is that of config.md "Linux mount options", and what Podman adds.
// `word` stays in use. An idmap= that is relative to the container's ids ('@') needs the maps of `spec`.
int mountopt_apply(const struct spec *spec, struct spec_mount *mount, const char *word, struct err *err);

// Every word that has a meaning here, sorted.
struct strv mountopt_names(struct arena *arena);

// SOURCE:DESTINATION[:OPTIONS], a bind mount with what is mounted below (--volume). Docker's `z` and `Z` are ignored.
int mountopt_volume(struct spec *spec, const char *text, struct err *err);

// type=TYPE,src=SOURCE,dst=DESTINATION[,OPTION…] (--mount). `source`, `destination`, `target` and `readonly` serve too.
int mountopt_mount(struct spec *spec, const char *text, struct err *err);

// DESTINATION[:OPTIONS] (--tmpfs): nosuid, nodev, noexec unless said otherwise.
int mountopt_tmpfs(struct spec *spec, const char *text, struct err *err);
