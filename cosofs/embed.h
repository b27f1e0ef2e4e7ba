// SPDX-License-Identifier: GPL-2.0-or-later
// embed.h - the files of rootfs/ as they were when the program was built
#pragma once

extern const char embed_alpine[];  // rootfs/alpine.txt, NUL-terminated
extern const char embed_builtin[]; // rootfs/builtin.txt
