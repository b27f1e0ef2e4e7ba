// SPDX-License-Identifier: GPL-2.0-or-later
// elf.c - the headers of ELF programs
#include "cosofs/elf.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum { SEGMENTS_MAX = 128 };

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { OWN_ORDER = ELFDATA2LSB };
#else
enum { OWN_ORDER = ELFDATA2MSB };
#endif

// Looks for a loader among `count` program headers of `size` bytes; the first field of both kinds is the type.
static bool find_loader(int fd, uint64_t offset, unsigned int count, unsigned int size, bool *out_loader)
{
	if (count > SEGMENTS_MAX || size < sizeof(uint32_t) || offset > INT64_MAX / 2)
		return false;
	bool loader = false;
	for (unsigned int i = 0; i < count; i++) {
		uint32_t type;
		if (pread(fd, &type, sizeof(type), (off_t)(offset + (uint64_t)i * size)) != (ssize_t)sizeof(type))
			return false;
		loader = loader || type == PT_INTERP;
	}
	*out_loader = loader;
	return true;
}

bool elf_read(int fd, struct elf *out_elf)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf64_Ehdr wide;
		Elf32_Ehdr narrow;
	} head;
	struct elf elf;
	if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) || memcmp(head.ident, ELFMAG, SELFMAG) != 0 ||
	    head.ident[EI_DATA] != OWN_ORDER)
		return false;
	elf.wide = head.ident[EI_CLASS] == ELFCLASS64;
	elf.machine = elf.wide ? head.wide.e_machine : head.narrow.e_machine;
	bool ok = elf.wide ? find_loader(fd, head.wide.e_phoff, head.wide.e_phnum, head.wide.e_phentsize, &elf.loader) :
			     find_loader(fd, head.narrow.e_phoff, head.narrow.e_phnum, head.narrow.e_phentsize, &elf.loader);
	if (ok)
		*out_elf = elf;
	return ok;
}

const char *elf_machine_name(uint16_t machine)
{
	switch (machine) {
	case EM_X86_64:
		return "x86_64";
	case EM_AARCH64:
		return "aarch64";
	case EM_386:
		return "i386";
	case EM_ARM:
		return "arm";
	case EM_RISCV:
		return "riscv64";
	case EM_PPC64:
		return "ppc64le";
	case EM_S390:
		return "s390x";
	}
	return "another machine";
}
