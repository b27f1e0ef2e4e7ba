// SPDX-License-Identifier: GPL-2.0-or-later
// selfexe.c - running from a copy that the container can't write
#include "coso/launch/selfexe.h"

#include "shared/fd.h"
#include "shared/installed.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static const char self[] = "/proc/self/exe";

static bool maps_id(const struct spec_idmaps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->count; i++) {
		if (id >= maps->items[i].host && id - maps->items[i].host < maps->items[i].size)
			return true;
	}
	return false;
}

// False: nobody can write the file. Else *out_st says whose it is; where that can't be known it is anybody's.
static bool is_writable(struct stat *out_st)
{
	own_fd int fd = open(self, O_RDONLY | O_CLOEXEC);
	*out_st = (struct stat){ .st_mode = S_IWOTH };
	return fd < 0 || fstat(fd, out_st) < 0 || !installed_is_unwritable(fd);
}

bool selfexe_is_exposed(const struct spec *spec)
{
	struct stat st;
	if (!is_writable(&st))
		return false;
	if (!(spec->namespaces & CLONE_NEWUSER))
		return true;
	return maps_id(&spec->uid_maps, st.st_uid) || maps_id(&spec->gid_maps, st.st_gid) || (st.st_mode & S_IWOTH);
}

bool selfexe_may_be_exposed(void)
{
	struct stat st;
	return is_writable(&st) && (geteuid() == 0 || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)));
}

// A clone of the file's mount, read-only. It is in no namespace, so no one can reach it to make it writable again.
static int readonly_clone(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	own_fd int fd = sys_open_tree(AT_FDCWD, self, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr) < 0)
		return -1;
	return take_fd(&fd);
}

static int sealed_memory(struct err *err)
{
	own_fd int from = open(self, O_RDONLY | O_CLOEXEC);
	own_fd int to = memfd_create("coso", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (to < 0 && errno == EINVAL) // before Linux 6.3
		to = memfd_create("coso", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (to < 0 && errno == EACCES) {
		err_sys(err, "make a copy of coso in memory");
		return err_hint(err, "vm.memfd_noexec forbids it; a coso that belongs to root needs no copy");
	}
	struct stat st;
	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		return errno == ENOENT ? err_set(err, ENOENT,
						 "/proc isn't mounted, and nothing works without it (mount -t proc proc /proc)") :
					 err_sys(err, "make a copy of coso in memory");
	for (off_t done = 0; done < st.st_size;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)(st.st_size - done));
		if (n <= 0)
			return err_sys(err, "copy coso to memory");
		done += n;
	}
	if (fcntl(to, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return err_sys(err, "seal the copy of coso");
	return take_fd(&to);
}

int selfexe_protect(char *const argv[], struct err *err)
{
	own_fd int fd = readonly_clone();
	if (fd < 0)
		fd = sealed_memory(err);
	if (fd < 0)
		return -1;
	own_arena struct arena arena = { 0 };
	if (setenv(INSTALLED_VARIABLE, installed_folder(&arena), 1) < 0) // a copy doesn't know where its original is
		return err_sys(err, "set " INSTALLED_VARIABLE);
	fexecve(fd, argv, environ);
	return err_sys(err, "run from a copy that can't be written");
}
