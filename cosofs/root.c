// SPDX-License-Identifier: GPL-2.0-or-later
// root.c - what a folder is
#include "cosofs/root.h"

#include "cosofs/elf.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/log.h"
#include "shared/path.h"
#include "shared/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OS_RELEASE_MAX = 16 << 10 };

static bool has_shell(int root)
{
	struct stat st;
	own_fd int fd = path_open_in(root, "/bin/sh", O_PATH, 0, NULL);
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

// Whether the folder has nothing but these names (NULL-terminated).
static bool holds_only(int dir, const char *const *names)
{
	own_fd int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
	if (!list)
		return false;
	take_fd(&copy);
	bool only = true;
	const struct dirent *entry;
	while (only && (entry = readdir(list))) {
		const char *const *name = names;
		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		while (*name && !str_eq(*name, entry->d_name))
			name++;
		only = *name != NULL;
	}
	closedir(list);
	return only;
}

enum root_kind root_kind(int parent, const char *name)
{
	static const char *const nothing[] = { NULL }, *const kept[] = { "upper", "work", NULL };
	own_fd int root = openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return errno == ENOENT ? ROOT_MISSING : ROOT_NO_DIR;
	if (has_shell(root))
		return ROOT_GOOD;
	if (holds_only(root, nothing))
		return ROOT_EMPTY;
	bool both = faccessat(root, "upper", F_OK, 0) == 0 && faccessat(root, "work", F_OK, 0) == 0;
	return both && holds_only(root, kept) ? ROOT_KEPT : ROOT_OTHER;
}

const char *root_title(struct arena *arena, int root)
{
	static const char key[] = "PRETTY_NAME=";
	own_fd int fd = path_open_in(root, "/etc/os-release", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, NULL);
	char *text = fd >= 0 ? file_read_fd(arena, fd, "os-release", OS_RELEASE_MAX, NULL, NULL) : NULL;
	char *line = text;
	while (line && !str_starts(line, key)) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line)
		return "a root file system";
	line += strlen(key);
	line += *line == '"';
	line[strcspn(line, "\"\n")] = '\0';
	str_clean(line);
	return line;
}

void root_warn_machine(int root)
{
	struct elf shell, self;
	own_fd int fd = path_open_in(root, "/bin/sh", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, NULL);
	own_fd int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || own < 0 || !elf_read(fd, &shell) || !elf_read(own, &self))
		return;
	if (shell.machine != self.machine)
		log_warning("its programs are for %s, and this machine is %s: they run only under an emulator",
			    elf_machine_name(shell.machine), elf_machine_name(self.machine));
}
