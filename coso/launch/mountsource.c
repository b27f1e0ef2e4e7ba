// SPDX-License-Identifier: GPL-2.0-or-later
// mountsource.c - what is bound into the container
#include "coso/launch/mountsource.h"

#include "coso/launch/idmount.h"
#include "coso/launch/launch.h"
#include "coso/launch/mountattr.h"
#include "coso/launch/newmount.h"
#include "shared/fd.h"
#include "shared/path.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned int tree_flags(const struct spec_mount *mount)
{
	return OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (mount->recursive ? AT_RECURSIVE : 0) |
	       (mount->source_nofollow ? AT_SYMLINK_NOFOLLOW : 0);
}

static int bind_failed(const struct mounts_item *item, struct err *err)
{
	return err_sys(err, "bind '%s' on '%s'", item->mount->source, item->path);
}

// Returns 1 if the source is a symbolic link, which is made anew.
static int copy_link(struct launch *launch, struct mounts_item *item, struct err *err)
{
	char link[PATH_MAX];
	ssize_t length = readlink(item->mount->source, link, sizeof(link) - 1);
	if (length < 0 && errno != EINVAL)
		return bind_failed(item, err);
	if (length < 0)
		return 0;
	item->kind = MOUNTS_LINK;
	item->link = arena_strndup(launch->arena, link, (size_t)length);
	return 1;
}

// What is in the container's root is seen as the container will, with the mounts before it; and links there lead nowhere else.
static const char *below_root(const struct launch *launch, const char *source)
{
	const char *root = launch->spec->root.path;
	size_t length = strlen(root);
	while (length > 1 && root[length - 1] == '/')
		length--;
	if (launch->spec->root.overlay || strncmp(source, root, length) != 0 || source[length] != '/' || strstr(source, "/.."))
		return NULL;
	return source + length;
}

// With enough privilege: what is id-mapped, or stays a peer of the host's mounts, or can't be found from another mount namespace, or
// only perhaps by the container's root.
static bool clone_outside(const struct launch *launch, const struct spec_mount *m)
{
	if (!launch->caller.privileged)
		return false;
	return idmount_is_wanted(m) || (m->propagation & MS_SHARED) || launch_has_userns(launch) ||
	       launch_joined(launch, CLONE_NEWNS);
}

static int prepare_bind(struct launch *launch, struct mounts_item *item, struct err *err)
{
	const struct spec_mount *m = item->mount;
	if (!m->source || !*m->source)
		return err_set(err, EINVAL, "mount on '%s': a bind mount needs a source", item->path);
	if (m->copy_symlink) {
		int copied = copy_link(launch, item, err);
		if (copied != 0)
			return copied < 0 ? -1 : 0;
	}
	item->within = below_root(launch, m->source);
	if (item->within || !clone_outside(launch, m))
		return 0;
	item->source = sys_open_tree(AT_FDCWD, m->source, tree_flags(m));
	return item->source < 0 ? bind_failed(item, err) : 0;
}

int mountsource_prepare(struct launch *launch, struct mounts_item *item, struct err *err)
{
	const struct spec_mount *m = item->mount;
	struct stat st;
	if (item->kind == MOUNTS_BIND)
		return prepare_bind(launch, item, err);
	if (item->kind != MOUNTS_NEW || !launch->caller.privileged || !m->source || m->source[0] != '/' ||
	    stat(m->source, &st) < 0 || !S_ISBLK(st.st_mode))
		return 0;
	// On a device, read-only is for the file system itself: it may not be able to write.
	if (mountattr_is_readonly(m)) {
		item->options = arena_grow(launch->arena, item->options, item->option_count, sizeof(*item->options));
		item->options[item->option_count++] = (struct mounts_option){ "ro", NULL };
	}
	item->source = newmount_make(item, "", err);
	return item->source < 0 ? -1 : 0;
}

static int clone_within(struct launch *launch, struct mounts_item *item, struct err *err)
{
	const struct spec_mount *m = item->mount;
	own_fd int there = path_open_in(launch->rootfs.root, item->within, O_PATH | (m->source_nofollow ? O_NOFOLLOW : 0), 0, err);
	if (there < 0)
		return err_wrap(err, "bind '%s' on '%s'", m->source, item->path);
	int tree = sys_open_tree(there, "", AT_EMPTY_PATH | (tree_flags(m) & ~(unsigned int)AT_SYMLINK_NOFOLLOW));
	return tree < 0 ? bind_failed(item, err) : tree;
}

// In a user namespace, mounts that were copied into it keep what the host's administrator made of them: no flag can be taken back,
// and nothing below can be unmounted (mount_namespaces(7)). That is lost for a clone that comes from outside, so it serves only where
// the container's root can't get at the source.
static bool prefers_own(const struct launch *launch, const struct mounts_item *item)
{
	return !idmount_is_wanted(item->mount) && !launch->spec->root.overlay && !launch_joined(launch, CLONE_NEWNS) &&
	       launch_has_userns(launch);
}

static int open_bind(struct launch *launch, struct mounts_item *item, struct err *err)
{
	if (item->within)
		return clone_within(launch, item, err);
	int tree = -1;
	if (item->source < 0 || prefers_own(launch, item))
		tree = sys_open_tree(AT_FDCWD, item->mount->source, tree_flags(item->mount));
	if (tree < 0 && item->source >= 0)
		return take_fd(&item->source);
	fd_close(&item->source);
	return tree < 0 ? bind_failed(item, err) : tree;
}

int mountsource_open(struct launch *launch, struct mounts_item *item, struct err *err)
{
	struct stat st;
	if (item->kind != MOUNTS_BIND)
		return take_fd(&item->source);
	own_fd int tree = open_bind(launch, item, err);
	if (tree < 0)
		return -1;
	if (fstat(tree, &st) < 0)
		return bind_failed(item, err);
	item->file = !S_ISDIR(st.st_mode);
	return take_fd(&tree);
}

int mountsource_host(const char *path, struct err *err)
{
	int tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	return tree < 0 ? err_sys(err, "bind '%s'", path) : tree;
}
