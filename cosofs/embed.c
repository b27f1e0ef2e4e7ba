// SPDX-License-Identifier: GPL-2.0-or-later
// embed.c - the files of rootfs/, put into the program by the assembler (the path is relative to where make runs)
#include "cosofs/embed.h"

__asm__(".pushsection .rodata\n"
	".global embed_alpine\n.type embed_alpine, %object\nembed_alpine:\n.incbin \"rootfs/alpine.txt\"\n.byte 0\n"
	".size embed_alpine, . - embed_alpine\n"
	".global embed_builtin\n.type embed_builtin, %object\nembed_builtin:\n.incbin \"rootfs/builtin.txt\"\n.byte 0\n"
	".size embed_builtin, . - embed_builtin\n"
	".popsection\n");
