// SPDX-License-Identifier: GPL-2.0-or-later
// attrs.c - owner, permissions, extended attributes and times
#include "cosofs/attrs.h"

#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/xattr.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { SET_ID = S_ISUID | S_ISGID, NANOSECONDS = 1000000000 };

// Returns 1 if the entry has the archive's owner, 0 if it keeps the caller's (no permission, or an id that this user namespace
// doesn't have), -1 on failure. `base` "" means the descriptor itself.
static int set_owner(struct extract *x, int fd, const char *base, const struct tarball_entry *entry, struct err *err)
{
	uid_t uid = (uid_t)entry->uid;
	gid_t gid = (gid_t)entry->gid;
	if (uid == x->uid && gid == x->gid)
		return 1;
	if (fchownat(fd, base, uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	if (errno != EPERM && errno != EINVAL)
		return err_sys(err, "set its owner to %u:%u", uid, gid);
	x->count.owners++;
	return 0;
}

// A program that would be set-id for the wrong owner is worse than one that isn't.
static mode_t permissions(struct extract *x, const struct tarball_entry *entry, int owned)
{
	mode_t mode = entry->mode & 07777;
	if (!owned && !S_ISDIR(entry->mode))
		mode &= ~(mode_t)SET_ID;
	if (S_ISREG(entry->mode) && (mode & SET_ID))
		x->count.setid++;
	return mode;
}

// An archive decides about a file's own attributes (user.) and a program's capabilities. Overlayfs's attributes would let it
// decide what other layers show, and security labels belong to the host.
static bool wanted(const char *name)
{
	if (str_starts(name, "user."))
		return !str_starts(name, "user.overlay.");
	return str_eq(name, XATTR_NAME_CAPS);
}

static int set_xattrs(struct extract *x, int fd, struct err *err)
{
	const char *name;
	const void *value;
	size_t size;
	while (tarball_xattr(x->tarball, &name, &value, &size)) {
		if (!wanted(name))
			continue;
		if (fsetxattr(fd, name, value, size, 0) == 0) {
			x->count.setid += str_eq(name, XATTR_NAME_CAPS);
			continue;
		}
		if (errno == ENOSPC || errno == EDQUOT || errno == EIO)
			return err_sys(err, "set its attribute '%.80s'", name);
		x->count.xattrs++;
	}
	return 0;
}

int attrs_set_fd(struct extract *x, int fd, const struct tarball_entry *entry, struct err *err)
{
	int owned = set_owner(x, fd, "", entry, err);
	if (owned < 0)
		return -1;
	// After the owner: a change of owner takes the set-id bits and capabilities away. A folder's mode comes at the end.
	mode_t mode = permissions(x, entry, owned);
	if (S_ISREG(entry->mode) && (mode & ~0777U) && fchmod(fd, mode) < 0)
		return err_sys(err, "set its mode to %04o", mode);
	return set_xattrs(x, fd, err);
}

int attrs_set_at(struct extract *x, int parent, const char *base, const struct tarball_entry *entry, struct err *err)
{
	int owned = set_owner(x, parent, base, entry, err);
	if (owned < 0)
		return -1;
	if (!S_ISLNK(entry->mode) && (entry->mode & 07000) && fchmodat(parent, base, permissions(x, entry, owned), 0) < 0)
		return err_sys(err, "set its mode");
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, entry->mtime };
	if (entry->mtime.tv_nsec >= 0 && entry->mtime.tv_nsec < NANOSECONDS)
		(void)utimensat(parent, base, times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

void attrs_times(int fd, struct timespec mtime)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, mtime };
	if (mtime.tv_nsec >= 0 && mtime.tv_nsec < NANOSECONDS)
		(void)futimens(fd, times);
}
