// SPDX-License-Identifier: GPL-2.0-or-later
// exec.c - finds and executes the container's program
#include "coso/launch/exec.h"

#include "coso/launch/launch.h"
#include "shared/fd.h"
#include "shared/str.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#elif defined(__riscv)
#define OWN_MACHINE EM_RISCV
#else
#define OWN_MACHINE EM_NONE
#endif

static const char *machine_name(unsigned int machine)
{
	switch (machine) {
	case EM_X86_64:
		return "x86_64";
	case EM_AARCH64:
		return "aarch64";
	case EM_ARM:
		return "arm";
	case EM_386:
		return "i386";
	case EM_RISCV:
		return "riscv";
	case EM_PPC64:
		return "ppc64";
	case EM_S390:
		return "s390x";
	default:
		return "another machine";
	}
}

// ENOENT though the file is there: the interpreter of its first line, or of its ELF header, isn't.
static int explain_missing(const char *path, const char *where, char *head, ssize_t size, struct err *err)
{
	if (size < 3 || memcmp(head, "#!", 2) != 0)
		return err_set(err, ENOENT, "'%s' is there, but its dynamic loader isn't %s", path, where);
	head[size] = '\0';
	char *line = head + 2 + strspn(head + 2, " \t");
	line[strcspn(line, "\n")] = '\0';
	size_t length = strlen(line);
	if (length && line[length - 1] == '\r')
		return err_set(err, ENOENT,
			       "'%s' has Windows line ends (CRLF), so its interpreter isn't found (convert it with dos2unix)",
			       path);
	line[strcspn(line, " \t")] = '\0';
	return err_set(err, ENOENT, "'%s': its interpreter '%.200s' isn't %s", path, line, where);
}

static int explain_format(const char *path, const char *head, ssize_t size, struct err *err)
{
	if (size >= (ssize_t)sizeof(Elf32_Ehdr) && memcmp(head, ELFMAG, SELFMAG) == 0) {
		unsigned int machine = ((const Elf32_Ehdr *)(const void *)head)->e_machine; // at the same place in both classes
		if (machine != OWN_MACHINE)
			return err_set(err, ENOEXEC, "'%s' is a program for %s, which this machine isn't", path,
				       machine_name(machine));
		return err_set(err, ENOEXEC, "'%s' is a damaged program", path);
	}
	return err_set(err, ENOEXEC, "'%s' is neither a program nor a script that begins with #!", path);
}

int exec_explain(const char *path, const char *where, int code, struct err *err)
{
	_Alignas(Elf64_Ehdr) char head[256];
	struct stat st;
	own_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t size = fd >= 0 ? read(fd, head, sizeof(head) - 1) : -1;

	if (code == ENOENT && stat(path, &st) == 0)
		return explain_missing(path, where, head, size, err);
	if (code == ENOEXEC)
		return explain_format(path, head, size, err);
	if (code == EACCES && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return err_set(err, code, "'%s' is a folder", path);
	errno = code;
	err_sys(err, "execute '%s'", path);
	if (code == EACCES && fd >= 0 && fstat(fd, &st) == 0 && !(st.st_mode & 0111))
		err_hint(err, "chmod +x it");
	return -1;
}

static int explain(struct launch *launch, const char *path, int code, struct err *err)
{
	launch->exit_code = code == ENOENT || code == ENOTDIR ? 127 : 126;
	return exec_explain(path, "in this root file system", code, err);
}

static int search(struct launch *launch, const char *name, struct err *err)
{
	const struct spec_process *process = &launch->spec->process;
	const char *folders = strv_getenv(&process->env, "PATH");
	char path[PATH_MAX], denied[PATH_MAX] = "";
	int code = ENOENT;

	for (const char *c = folders ? folders : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";; c++) {
		size_t length = strcspn(c, ":");
		int n = snprintf(path, sizeof(path), "%.*s%s%s", (int)length, c, length ? "/" : "./", name);
		if (n > 0 && (size_t)n < sizeof(path)) {
			execve(path, process->args.items, process->env.items);
			if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
				return explain(launch, path, errno, err);
			struct stat st;
			int failed = errno;
			if ((failed == EACCES || stat(path, &st) == 0) && !denied[0]) {
				code = failed;
				memcpy(denied, path, sizeof(path));
			}
		}
		c += length;
		if (!*c)
			break;
	}
	if (denied[0])
		return explain(launch, denied, code, err);
	launch->exit_code = 127;
	return err_set(err, ENOENT, "'%.200s' isn't in this root file system (PATH=%.300s)", name, folders ? folders : "");
}

int exec_program(struct launch *launch, struct err *err)
{
	const struct spec_process *process = &launch->spec->process;
	const char *name = process->args.items[0];
	if (!*name) {
		launch->exit_code = 127;
		return err_set(err, ENOENT, "the command is empty");
	}
	if (!strchr(name, '/'))
		return search(launch, name, err);
	execve(name, process->args.items, process->env.items);
	return explain(launch, name, errno, err);
}
