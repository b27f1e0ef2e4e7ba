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
		return err_set(err, ENOENT, "\"%s\" is there, but its dynamic loader isn't %s: No such file or directory", path,
			       where);
	head[size] = '\0';
	char *line = head + 2 + strspn(head + 2, " \t");
	line[strcspn(line, "\n")] = '\0';
	size_t length = strlen(line);
	if (length && line[length - 1] == '\r')
		return err_set(err, ENOENT,
			       "\"%s\" has Windows line ends (CRLF), so its interpreter isn't found (convert it with dos2unix)",
			       path);
	line[strcspn(line, " \t")] = '\0';
	return err_set(err, ENOENT, "\"%s\": its interpreter '%.200s' isn't %s: No such file or directory", path, line, where);
}

static int explain_format(const char *path, const char *head, ssize_t size, struct err *err)
{
	if (size >= (ssize_t)sizeof(Elf32_Ehdr) && memcmp(head, ELFMAG, SELFMAG) == 0) {
		unsigned int machine = ((const Elf32_Ehdr *)(const void *)head)->e_machine; // at the same place in both classes
		if (machine != OWN_MACHINE)
			return err_set(err, ENOEXEC, "\"%s\" is a program for %s, which this machine isn't", path,
				       machine_name(machine));
		return err_set(err, ENOEXEC, "\"%s\" is a damaged program", path);
	}
	return err_set(err, ENOEXEC, "\"%s\" is neither a program nor a script that begins with #!", path);
}

int exec_explain(const char *path, const char *where, int code, struct err *err)
{
	_Alignas(Elf64_Ehdr) char head[256];
	struct stat st;
	own_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t size = fd >= 0 ? read(fd, head, sizeof(head) - 1) : -1;
	bool there = stat(path, &st) == 0;

	if (code == ENOENT && there)
		return explain_missing(path, where, head, size, err);
	if (code == ENOEXEC)
		return explain_format(path, head, size, err);
	if (code == EACCES && there && S_ISDIR(st.st_mode))
		return err_set(err, code, "\"%s\": is a directory: %s", path, strerrordesc_np(code));
	if (code == ENOENT)
		return err_set(err, code, "\"%s\": stat %s: %s", path, path, strerrordesc_np(code));
	err_set(err, code, "\"%s\": %s", path, strerrordesc_np(code));
	return code == EACCES && there && !(st.st_mode & 0111) ? err_hint(err, "chmod +x it") : -1;
}

static int explain(struct launch *launch, const char *path, int code, struct err *err)
{
	launch->exit_code = code == ENOENT || code == ENOTDIR ? 127 : 126;
	return exec_explain(path, "in this root file system", code, err);
}

// Returns 0, or the errno that the path fails with.
typedef int attempt(const struct launch *launch, const char *path);

static int attempt_exec(const struct launch *launch, const char *path)
{
	execve(path, launch->spec->process.args.items, launch->spec->process.env.items);
	return errno;
}

static int attempt_look(const struct launch *launch, const char *path)
{
	(void)launch;
	struct stat st;
	if (stat(path, &st) < 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	return access(path, X_OK) < 0 ? errno : 0;
}

static int search(struct launch *launch, const char *name, attempt *try, struct err *err)
{
	const char *given = strv_getenv(&launch->spec->process.env, "PATH");
	const char *folders = given ? given : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char path[PATH_MAX], denied[PATH_MAX] = "";
	int code = ENOENT;

	for (const char *c = folders;; c++) {
		size_t length = strcspn(c, ":");
		int n = snprintf(path, sizeof(path), "%.*s%s%s", (int)length, c, length ? "/" : "./", name);
		if (n > 0 && (size_t)n < sizeof(path)) {
			int failed = try(launch, path);
			if (failed == 0)
				return 0;
			if (failed != ENOENT && failed != ENOTDIR && failed != EACCES)
				return explain(launch, path, failed, err);
			struct stat st;
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
	return err_set(err, ENOENT, "\"%.200s\": executable file not found in $PATH (PATH=%.300s)", name, folders);
}

static int find(struct launch *launch, attempt *try, struct err *err)
{
	const char *name = launch->spec->process.args.items[0];
	if (!*name) {
		launch->exit_code = 127;
		return err_set(err, ENOENT, "the command is empty: executable file not found in $PATH");
	}
	if (!strchr(name, '/'))
		return search(launch, name, try, err);
	int failed = try(launch, name);
	return failed ? explain(launch, name, failed, err) : 0;
}

int exec_check(struct launch *launch, struct err *err)
{
	return launch->spec->process.args.count ? find(launch, attempt_look, err) : 0;
}

int exec_program(struct launch *launch, struct err *err)
{
	return find(launch, attempt_exec, err);
}
