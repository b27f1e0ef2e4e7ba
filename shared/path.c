// SPDX-License-Identifier: GPL-2.0-or-later
// path.c - paths below folders that somebody else controls
#include "shared/path.h"

#include "shared/fd.h"
#include "shared/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { RETRIES = 128, LINKS_MAX = 40, DEPTH_MAX = 64 };

static int open_how(int root, const char *path, int flags, mode_t mode, uint64_t resolve, struct err *err)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
		.resolve = resolve,
	};
	int fd = -1;
	// EAGAIN: a rename or mount elsewhere raced with ".."; openat2(2) says to try again.
	for (int i = 0; i < RETRIES; i++) {
		fd = sys_openat2(root, path, &how);
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd >= 0 ? fd : err_sys(err, "open '%s' in its root", path);
}

int path_open_in(int root, const char *path, int flags, mode_t mode, struct err *err)
{
	return open_how(root, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, err);
}

int path_open_beneath(int root, const char *path, int flags, mode_t mode, struct err *err)
{
	return open_how(root, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS, err);
}

static int make_missing(int root, const char *path, int depth, struct err *err);

// The path that a link stands for, as the root sees it. `before` is the path of the link's folder.
static int read_link(int folder, const char *before, const char *name, char target[PATH_MAX], struct err *err)
{
	char link[PATH_MAX];
	ssize_t length = readlinkat(folder, name, link, sizeof(link) - 1);
	if (length < 0)
		return err_sys(err, "read link '%s/%s'", before, name);
	link[length] = '\0';
	int n = link[0] == '/' ? snprintf(target, PATH_MAX, "%s", link) : snprintf(target, PATH_MAX, "%s/%s", before, link);
	return n >= PATH_MAX ? err_set(err, ENAMETOOLONG, "link '%s/%s' leads to too long a path", before, name) : 0;
}

// Makes one component. A link that is there already and leads nowhere gets its target made, inside the root.
static int make_folder(int root, const char *before, const char *name, int depth, struct err *err)
{
	char target[PATH_MAX];
	own_fd int parent = path_open_in(root, *before ? before : "/", O_PATH | O_DIRECTORY, 0, err);
	if (parent < 0)
		return -1;
	if (mkdirat(parent, name, 0755) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, "make folder '%s/%s'", before, name);
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISLNK(st.st_mode))
		return 0;
	if (depth >= LINKS_MAX)
		return err_set(err, ELOOP, "make folder '%s/%s': too many symbolic links", before, name);
	if (read_link(parent, before, name, target, err) < 0)
		return -1;
	return make_missing(root, target, depth + 1, err);
}

// Most often only the last folder is missing. Returns 1 if that was so.
static int make_last(int root, char *path, int depth, struct err *err)
{
	struct err why = { 0 };
	size_t length = strlen(path);
	while (length > 1 && path[length - 1] == '/')
		path[--length] = '\0';
	char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	if (!slash || !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	*slash = '\0';
	int result = make_folder(root, path, name, depth, &why);
	*slash = '/';
	if (result == 0 || why.code == ENOENT)
		return result == 0;
	if (err)
		*err = why;
	return -1;
}

static int make_missing(int root, const char *path, int depth, struct err *err)
{
	char done[PATH_MAX] = "", copy[PATH_MAX];
	if ((size_t)snprintf(copy, sizeof(copy), "%s", path) >= sizeof(copy))
		return err_set(err, ENAMETOOLONG, "make folder '%.80s…': the path is too long", path);
	int last = make_last(root, copy, depth, err);
	if (last != 0)
		return last < 0 ? -1 : 0;
	size_t length = 0;
	char *save = NULL;
	for (char *name = strtok_r(copy, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") != 0 && make_folder(root, done, name, depth, err) < 0)
			return -1;
		length += (size_t)snprintf(done + length, sizeof(done) - length, "/%s", name);
	}
	return 0;
}

static int mkdirs_in(int root, const char *path, int depth, struct err *err)
{
	int fd = path_open_in(root, path, O_PATH | O_DIRECTORY, 0, NULL);
	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return err_sys(err, "open folder '%s' in its root", path);
	return make_missing(root, path, depth, err) < 0 ? -1 : path_open_in(root, path, O_PATH | O_DIRECTORY, 0, err);
}

int path_mkdirs_in(int root, const char *path, struct err *err)
{
	return mkdirs_in(root, path, 0, err);
}

static int make_file(int root, const char *path, int depth, struct err *err)
{
	char parent[PATH_MAX], target[PATH_MAX];
	struct stat st;
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int length = slash ? (int)(slash - path) : 0;
	if (snprintf(parent, sizeof(parent), "%.*s", length, path) >= (int)sizeof(parent))
		return err_set(err, ENAMETOOLONG, "make '%.80s…': the path is too long", path);
	own_fd int folder = mkdirs_in(root, *parent ? parent : "/", depth, err);
	if (folder < 0)
		return -1;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode)) {
		if (depth >= LINKS_MAX)
			return err_set(err, ELOOP, "make '%s': too many symbolic links", path);
		return read_link(folder, parent, name, target, err) < 0 ? -1 : make_file(root, target, depth + 1, err);
	}
	// O_NONBLOCK and O_NOCTTY for what may have appeared meanwhile.
	own_fd int created = openat(folder, name, O_CREAT | O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);
	return created < 0 ? err_sys(err, "make file '%s'", path) : 0;
}

static int file_in(int root, const char *path, struct err *err)
{
	int fd = path_open_in(root, path, O_PATH, 0, NULL);
	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return err_sys(err, "open '%s' in its root", path);
	return make_file(root, path, 0, err) < 0 ? -1 : path_open_in(root, path, O_PATH, 0, err);
}

int path_mountpoint_in(int root, const char *path, bool folder, struct err *err)
{
	return folder ? mkdirs_in(root, path, 0, err) : file_in(root, path, err);
}

// First without any link, which most paths have none of: then it is known that there is none.
static int open_target(int root, const char *path, unsigned int how, struct path_target *target, struct err *err)
{
	const uint64_t inside = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	const int flags = O_PATH | (how & PATH_NOFOLLOW ? O_NOFOLLOW : 0);
	target->linked = false;
	target->fd = open_how(root, path, flags, 0, inside | RESOLVE_NO_SYMLINKS, err);
	if (target->fd >= 0 || err->code != ELOOP || (how & PATH_PLAIN))
		return target->fd < 0 ? -1 : 0;
	target->linked = true;
	target->fd = open_how(root, path, flags, 0, inside, err);
	return target->fd < 0 ? -1 : 0;
}

int path_target_in(int root, const char *path, unsigned int how, struct path_target *out_target, struct err *err)
{
	struct path_target target = { .fd = -1 };
	int result = open_target(root, path, how, &target, err);
	if (result < 0 && err->code == ENOENT) {
		target.made = true;
		result = how & PATH_FILE ? make_file(root, path, 0, err) : make_missing(root, path, 0, err);
		if (result == 0)
			result = open_target(root, path, how, &target, err);
	}
	if (result == 0)
		*out_target = target;
	return result;
}

char *path_clean(struct arena *arena, const char *path)
{
	size_t length = 0;
	char *clean = arena_alloc(arena, strlen(path) + 2);
	while (*(path += strspn(path, "/"))) {
		size_t size = strcspn(path, "/");
		if (size == 2 && strncmp(path, "..", 2) == 0) {
			while (length > 0 && clean[--length] != '/')
				;
		} else if (size != 1 || *path != '.') {
			clean[length++] = '/';
			memcpy(clean + length, path, size);
			length += size;
		}
		path += size;
	}
	if (length == 0)
		clean[length++] = '/';
	clean[length] = '\0';
	return clean;
}

// In a user namespace, whoever isn't in it looks like this, root of the host too.
static bool is_outsider(uid_t uid)
{
	enum { OVERFLOW_ID = 65534 };
	static const char whole[] = "         0          0 4294967295";
	char map[sizeof(whole) - 1];
	if (uid != OVERFLOW_ID)
		return false;
	own_fd int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	return fd >= 0 && fd_read_full(fd, map, sizeof(map)) > 0 && memcmp(map, whole, sizeof(map)) != 0;
}

// `shared`: others may write to the folder that it is in, so its owner may be anybody who put it there.
static int check_trusted(const char *path, const struct stat *st, bool shared, struct err *err)
{
	uid_t self = geteuid();
	if (st->st_uid != 0 && st->st_uid != self && (shared || !is_outsider(st->st_uid)))
		return err_set(err, EPERM,
			       "'%s' belongs to user %u: only root's folders and your own are used (chown it, or choose another)",
			       path, (unsigned int)st->st_uid);
	if (S_ISLNK(st->st_mode))
		return 0;
	bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) && !sticky)
		return err_set(err, EPERM, "'%s' may be written by other users (chmod go-w '%s')", path, path);
	return 0;
}

struct walk {
	char path[PATH_MAX]; // where we are, for messages
	char rest[PATH_MAX]; // what is still to be walked
	int fd;
	int links;
	bool shared; // others may write to `fd`, which is sticky
};

// Puts a link's target before what is left of the path.
static int follow(struct walk *walk, int link, const char *rest, struct err *err)
{
	char target[PATH_MAX], joined[PATH_MAX];
	ssize_t length = readlinkat(link, "", target, sizeof(target) - 1);
	if (length < 0)
		return err_sys(err, "read link '%s'", walk->path);
	target[length] = '\0';
	if (++walk->links > LINKS_MAX)
		return err_set(err, ELOOP, "'%s': too many symbolic links", walk->path);
	if ((size_t)snprintf(joined, sizeof(joined), "%s/%s", target, rest) >= sizeof(joined))
		return err_set(err, ENAMETOOLONG, "'%s': the path is too long", walk->path);
	memcpy(walk->rest, joined, sizeof(joined));
	if (target[0] == '/') {
		fd_close(&walk->fd);
		walk->path[0] = '\0';
		walk->shared = false;
		walk->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (walk->fd < 0)
			return err_sys(err, "open '/'");
	} else {
		*strrchr(walk->path, '/') = '\0'; // the link's own name; its folder is still walk->fd
	}
	return 0;
}

static int step(struct walk *walk, const char *name, const char *rest, struct err *err)
{
	size_t length = strlen(walk->path);
	if ((size_t)snprintf(walk->path + length, sizeof(walk->path) - length, "/%s", name) >= sizeof(walk->path) - length)
		return err_set(err, ENAMETOOLONG, "'%s': the path is too long", walk->path);
	own_fd int next = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (next < 0 || fstat(next, &st) < 0)
		return err_sys(err, "open '%s'", walk->path);
	if (check_trusted(walk->path, &st, walk->shared, err) < 0)
		return -1;
	if (S_ISLNK(st.st_mode))
		return follow(walk, next, rest, err);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ENOTDIR, "'%s': not a folder", walk->path);
	fd_close(&walk->fd);
	walk->shared = st.st_mode & (S_IWGRP | S_IWOTH);
	walk->fd = take_fd(&next);
	memmove(walk->rest, rest, strlen(rest) + 1);
	return 0;
}

int path_open_trusted(const char *path, struct err *err)
{
	struct walk walk = { .fd = -1 };
	if (!*path)
		return err_set(err, ENOENT, "the path is empty");
	if (path[0] != '/' && !getcwd(walk.rest, sizeof(walk.rest)))
		return err_sys(err, "find the working folder");
	size_t length = strlen(walk.rest);
	if ((size_t)snprintf(walk.rest + length, sizeof(walk.rest) - length, "/%s", path) >= sizeof(walk.rest) - length)
		return err_set(err, ENAMETOOLONG, "'%.80s…': the path is too long", path);
	walk.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (walk.fd < 0)
		return err_sys(err, "open '/'");

	while (walk.fd >= 0) {
		char *start = walk.rest + strspn(walk.rest, "/");
		if (!*start)
			return walk.fd;
		char name[NAME_MAX + 1], rest[PATH_MAX];
		size_t size = strcspn(start, "/");
		if (size > NAME_MAX) {
			err_set(err, ENAMETOOLONG, "'%.80s…': the name is too long", start);
			break;
		}
		memcpy(name, start, size);
		name[size] = '\0';
		memmove(rest, start + size, strlen(start + size) + 1);
		if (step(&walk, name, rest, err) < 0)
			break;
	}
	fd_close(&walk.fd);
	return -1;
}

int path_mkdirs(const char *path, mode_t mode, struct err *err)
{
	char copy[PATH_MAX];
	if ((size_t)snprintf(copy, sizeof(copy), "%s", path) >= sizeof(copy))
		return err_set(err, ENAMETOOLONG, "make folder '%.80s…': the path is too long", path);
	for (char *slash = copy + 1;; slash++) {
		slash = strchrnul(slash, '/');
		char saved = *slash;
		*slash = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return err_sys(err, "make folder '%s'", copy);
		*slash = saved;
		if (!saved)
			return 0;
	}
}

// What a container left may be nested as deep as it liked: what lies deeper than descriptors should be spent on is moved up, to be
// removed in another pass.
struct removal {
	int top;              // the folder that is being removed
	struct statx mount;   // of what it is in
	unsigned long secret; // of the names that folders are moved up to, so that nobody has put something there
	unsigned int moved;
};

static int remove_below(int folder, struct removal *removal, int depth, struct err *err);

static int open_to_remove(int dir, const char *name)
{
	enum { HOW = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
	int fd = openat(dir, name, HOW);
	// An ordinary user's own folder without r or x.
	return fd < 0 && errno == EACCES && fchmodat(dir, name, 0700, AT_SYMLINK_NOFOLLOW) == 0 ? openat(dir, name, HOW) : fd;
}

// Another mount may be of the same file system: it is told by its number (Linux 5.8), and by its device where a sandbox hides that.
static bool same_mount(const struct statx *a, const struct statx *b)
{
	if (a->stx_mask & b->stx_mask & STATX_MNT_ID)
		return a->stx_mnt_id == b->stx_mnt_id;
	return a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor;
}

static int move_up(int dir, const char *name, struct removal *removal, struct err *err)
{
	char where[64];
	snprintf(where, sizeof(where), ".%lx.%u", removal->secret, ++removal->moved);
	if (renameat(dir, name, removal->top, where) < 0)
		return err_sys(err, "move '%s' to remove it", name);
	return 0;
}

static int remove_entry(int dir, const char *name, struct removal *removal, int depth, struct err *err)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(err, "remove '%s'", name);
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	if (depth == DEPTH_MAX)
		return move_up(dir, name, removal, err);
	own_fd int child = open_to_remove(dir, name);
	if (child < 0 && errno == ENOTDIR) { // a file, then: another's in a sticky folder, or one that is immutable
		errno = EPERM;
		return err_sys(err, "remove '%s'", name);
	}
	if (child < 0)
		return err_sys(err, "open '%s' to remove it", name);
	if (remove_below(child, removal, depth + 1, err) < 0)
		return -1;
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(err, "remove '%s'", name);
	return 0;
}

static int remove_below(int folder, struct removal *removal, int depth, struct err *err)
{
	struct statx st;
	if (statx(folder, "", AT_EMPTY_PATH, STATX_MODE | STATX_MNT_ID, &st) < 0)
		return err_sys(err, "look at a folder to remove it");
	if (!same_mount(&st, &removal->mount))
		return err_set(err, EXDEV, "remove a folder: something is mounted there");
	if ((st.stx_mode & 0700) != 0700) // an ordinary user's own folder that is read-only: what is in it couldn't be removed
		(void)fchmod(folder, 0700);
	int copy = fcntl(folder, F_DUPFD_CLOEXEC, 3);
	DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
	if (!list) {
		err_sys(err, "read a folder to remove it");
		fd_close(&copy);
		return -1;
	}
	rewinddir(list); // the copy shares its position with the passes before
	int result = 0;
	struct dirent *entry;
	while (result == 0 && (entry = readdir(list))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			result = remove_entry(folder, entry->d_name, removal, depth, err);
	}
	closedir(list);
	return result;
}

static int remove_tree(int dir, const char *name, struct err *err)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "look at '%s'", name);
	if (!S_ISDIR(st.st_mode))
		return unlinkat(dir, name, 0) == 0 || errno == ENOENT ? 0 : err_sys(err, "remove '%s'", name);

	own_fd int top = open_to_remove(dir, name);
	struct removal removal = { .top = top };
	if (top < 0)
		return err_sys(err, "open '%s' to remove it", name);
	if (statx(dir, "", AT_EMPTY_PATH, STATX_MNT_ID, &removal.mount) < 0)
		return err_sys(err, "look at where '%s' is", name);
	if (getrandom(&removal.secret, sizeof(removal.secret), 0) < 0)
		return err_sys(err, "get random bytes");
	unsigned int moved;
	do {
		moved = removal.moved;
		if (remove_below(top, &removal, 0, err) < 0)
			return -1;
	} while (removal.moved != moved);
	return unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : err_sys(err, "remove '%s'", name);
}

int path_remove_tree(int dir, const char *name, struct err *err)
{
	const char *slash = strrchr(name, '/');
	if (!slash)
		return remove_tree(dir, name, err);
	char above[PATH_MAX];
	size_t length = slash == name ? 1 : (size_t)(slash - name);
	if (length >= sizeof(above))
		return err_set(err, ENAMETOOLONG, "remove '%.80s…': the path is too long", name);
	memcpy(above, name, length);
	above[length] = '\0';
	own_fd int parent = openat(dir, above, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return errno == ENOENT ? 0 : err_sys(err, "open '%s'", above);
	return remove_tree(parent, slash + 1, err);
}
