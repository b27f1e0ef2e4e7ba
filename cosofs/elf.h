// SPDX-License-Identifier: GPL-2.0-or-later
// elf.h - what an ELF program needs: which machine, and whether a loader. elf(5)
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct elf {
	uint16_t machine; // EM_*
	bool wide;        // 64 bits
	bool loader;      // it names a loader (PT_INTERP), so it isn't static
};

// Reads the headers of an open file. False: not a sound ELF program of this machine's byte order.
bool elf_read(int fd, struct elf *out_elf);

// As uname -m has it, or "another machine".
const char *elf_machine_name(uint16_t machine);
