// SPDX-License-Identifier: GPL-2.0-or-later
// mounts.c - mounts by descriptor: nothing of the container's root is ever named by a path of the host
#include "coso/launch/mounts.h"

#include "coso/launch/cgroupmount.h"
#include "coso/launch/copyup.h"
#include "coso/launch/idmount.h"
#include "coso/launch/launch.h"
#include "coso/launch/mountattr.h"
#include "coso/launch/mountsource.h"
#include "coso/launch/mounttarget.h"
#include "coso/launch/newmount.h"
#include "shared/fd.h"
#include "shared/path.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <unistd.h>

#define QUIET (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static enum mounts_kind kind_of(const struct spec_mount *m)
{
	if (m->remount)
		return MOUNTS_REMOUNT;
	if (str_eq(m->type, "bind"))
		return MOUNTS_BIND;
	return str_eq(m->type, "cgroup") || str_eq(m->type, "cgroup2") ? MOUNTS_CGROUP : MOUNTS_NEW;
}

// SELinux: mountLabel. Where the kernel has none, a label means nothing.
static void prepare_label(struct launch *launch)
{
	const struct spec *spec = launch->spec;
	if (!spec->mount_label || access("/sys/fs/selinux/enforce", F_OK) < 0)
		return;
	launch->mounts.label = (struct mounts_option){ "context", spec->mount_label };
	for (size_t i = 0; i < spec->annotation_count; i++) {
		if (str_eq(spec->annotations[i].key, "run.oci.mount_context_type"))
			launch->mounts.label.key = spec->annotations[i].value;
	}
}

// More is put into a tmpfs, and into /dev, than this one mount.
static bool waits(const struct mounts_item *item)
{
	return item->kind == MOUNTS_NEW && mountattr_is_readonly(item->mount) && !str_eq(item->path, "/") &&
	       (str_eq(item->mount->type, "tmpfs") || str_eq(item->path, "/dev"));
}

static int prepare_item(struct launch *launch, struct mounts_item *item, struct err *err)
{
	item->kind = kind_of(item->mount);
	newmount_split(launch, item);
	if (mountsource_prepare(launch, item, err) < 0 || mounttarget_check(item, err) < 0)
		return -1;
	if (item->mount->copy_up && (!str_eq(item->mount->type, "tmpfs") || str_eq(item->path, "/")))
		return err_set(err, EINVAL, "mount on '%s': tmpcopyup is for a tmpfs below the root", item->path);
	if (str_eq(item->path, "/") && item > launch->mounts.items && !str_eq(item[-1].path, "/"))
		return err_set(err, EINVAL, "mount on '/': it must come first, as what is mounted before it is out of reach");
	item->late_readonly = waits(item);
	// "rbind,ro" is for the top alone; but a /sys that is looked at has the host's control groups below it (CVE-2023-25809).
	item->whole_readonly = item->kind == MOUNTS_BIND && item->mount->recursive && mountattr_is_readonly(item->mount) &&
			       str_eq(path_clean(launch->arena, item->mount->source), "/sys");
	return idmount_prepare(launch, item, err);
}

int mounts_prepare(struct launch *launch, struct err *err)
{
	const struct spec *spec = launch->spec;
	struct mounts *m = &launch->mounts;
	int result = 0;
	*m = (struct mounts){ .items = arena_alloc(launch->arena, (spec->mount_count + 1) * sizeof(*m->items)), .userns.fd = -1 };
	prepare_label(launch);
	for (size_t i = 0; result == 0 && i < spec->mount_count; i++) {
		struct mounts_item *item = &m->items[m->count++];
		item->mount = &spec->mounts[i];
		item->path = path_clean(launch->arena, item->mount->destination);
		item->source = item->attached = -1;
		result = prepare_item(launch, item, err);
	}
	fd_close(&m->userns.fd);
	return result;
}

void mounts_close(struct launch *launch)
{
	for (size_t i = 0; i < launch->mounts.count; i++)
		fd_close(&launch->mounts.items[i].source);
	launch->mounts.count = 0;
}

const struct mounts_item *mounts_find(const struct launch *launch, const char *path)
{
	const struct mounts_item *found = NULL;
	for (size_t i = 0; i < launch->mounts.count; i++) {
		if (str_eq(launch->mounts.items[i].path, path))
			found = &launch->mounts.items[i];
	}
	return found;
}

static bool shows_kernel(const struct spec_mount *m)
{
	return str_eq(m->type, "proc") || str_eq(m->type, "sysfs");
}

// Where the namespace that it shows is the caller's own, a user namespace may not mount it afresh: the caller's mount serves.
static const char *host_instead(const struct launch *launch, const struct spec_mount *m)
{
	if (str_eq(m->type, "proc") && !launch_has(launch, CLONE_NEWPID))
		return "/proc";
	return str_eq(m->type, "sysfs") && !(launch->spec->namespaces & CLONE_NEWNET) ? "/sys" : NULL;
}

// mount_namespaces(7): a user namespace may not have a proc or sysfs that shows more than its maker saw, and in a container parts of
// the maker's are covered. Without a user namespace, root of the host may.
static int explain_covered(const struct launch *launch, const struct mounts_item *item, struct err *err)
{
	if (!launch_has_userns(launch))
		return -1;
	err_hint(err, "parts of the caller's '%s' are covered, as in a container: that one has to leave it uncovered%s", item->path,
		 launch->spec->userns_auto ? "; or --userns host" : " (--privileged)");
	err->code = launch->spec->userns_auto ? EUSERS : err->code;
	return -1;
}

// A mount that is there, mounted nowhere yet.
struct made {
	int fd;
	enum {
		MADE_NEW,
		MADE_BOUND,
		MADE_HOSTS,
		MADE_JOINED
	} how; // by us; of the host's; the caller's proc or sysfs; see launch.sysfs
};

// The mode of the folder that a tmpfs covers is the tmpfs's, unless its options say another.
static bool takes_mode(const struct mounts_item *item)
{
	if (item->kind != MOUNTS_NEW || !str_eq(item->mount->type, "tmpfs"))
		return false;
	for (size_t i = 0; i < item->option_count; i++) {
		if (str_eq(item->options[i].key, "mode"))
			return false;
	}
	return true;
}

static int make_new(struct launch *launch, const struct mounts_item *item, const struct path_target *target, struct made *made,
		    struct err *err)
{
	struct stat st;
	char mode[8] = "";
	if (str_eq(item->mount->type, "sysfs") && launch->sysfs >= 0) {
		made->how = MADE_JOINED;
		made->fd = fcntl(launch->sysfs, F_DUPFD_CLOEXEC, 3);
		return made->fd < 0 ? err_sys(err, "mount sysfs") : 0;
	}
	if (takes_mode(item) && target->fd >= 0 && !target->made && fstat(target->fd, &st) == 0 && S_ISDIR(st.st_mode))
		snprintf(mode, sizeof(mode), "%o", st.st_mode & 07777);
	made->fd = newmount_make(item, mode, err);
	const char *instead = host_instead(launch, item->mount);
	if (made->fd < 0 && err->code == EPERM && instead) {
		made->how = MADE_HOSTS;
		made->fd = mountsource_host(instead, err);
	}
	if (made->fd < 0)
		return err->code == EPERM && shows_kernel(item->mount) ? explain_covered(launch, item, err) : -1;
	return 0;
}

static int make_mount(struct launch *launch, struct mounts_item *item, const struct path_target *target, struct made *made,
		      struct err *err)
{
	if (item->kind == MOUNTS_BIND || item->source >= 0) {
		made->how = item->kind == MOUNTS_BIND ? MADE_BOUND : MADE_NEW;
		made->fd = mountsource_open(launch, item, err);
		return made->fd < 0 ? -1 : 0;
	}
	return make_new(launch, item, target, made, err);
}

// The caller's own proc or sysfs: what is mounted below it is for looking at, such as its control groups.
static int finish_hosts(const struct spec_mount *m, int mount, struct err *err)
{
	struct err ignored;
	if (mountattr_propagate(mount, MS_PRIVATE | MS_REC, err) < 0 ||
	    mountattr_set(mount, QUIET | MOUNT_ATTR_RDONLY, 0, true, err) < 0 ||
	    mountattr_set(mount, m->attr_set, m->attr_clear & ~(uint64_t)MOUNT_ATTR_RDONLY, false, err) < 0)
		return -1;
	if (!mountattr_is_readonly(m)) // where it is locked, it stays
		(void)mountattr_set(mount, 0, MOUNT_ATTR_RDONLY, false, &ignored);
	return 0;
}

// mqueue takes no option for a label.
static int label(const struct launch *launch, const struct mounts_item *item, int mount, struct err *err)
{
	const char *value = launch->mounts.label.value;
	if (!launch->mounts.label.key || !str_eq(item->mount->type, "mqueue"))
		return 0;
	own_fd int folder = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || fsetxattr(folder, "security.selinux", value, strlen(value) + 1, 0) < 0)
		return err_sys(err, "label '%s'", item->path);
	return 0;
}

// ENOSYS: before Linux 5.12 only once it is attached.
static int finish(const struct launch *launch, const struct mounts_item *item, const struct made *made, struct err *err)
{
	const struct spec_mount *m = item->mount;
	switch (made->how) {
	case MADE_BOUND:
		if (mountattr_bind(made->fd, m, launch_has_userns(launch), err) < 0)
			return -1;
		return item->whole_readonly ? mountattr_set(made->fd, MOUNT_ATTR_RDONLY, 0, true, err) : 0;
	case MADE_HOSTS:
		return finish_hosts(m, made->fd, err);
	case MADE_JOINED:
		return mountattr_is_readonly(m) ? 0 : mountattr_set(made->fd, 0, MOUNT_ATTR_RDONLY, false, err);
	case MADE_NEW:
	default:
		if (label(launch, item, made->fd, err) < 0)
			return -1;
		return m->propagation & ~(unsigned long)(MS_PRIVATE | MS_REC) ? mountattr_propagate(made->fd, m->propagation, err) :
										0;
	}
}

static bool same_kind(int mount, int target)
{
	struct stat a, b;
	return fstat(mount, &a) < 0 || fstat(target, &b) < 0 || S_ISDIR(a.st_mode) == S_ISDIR(b.st_mode);
}

static int attach_failed(const struct launch *launch, const struct mounts_item *item, const struct made *made, int target,
			 struct err *err)
{
	const struct spec_mount *m = item->mount;
	struct utsname kernel = { 0 };
	if (errno == EINVAL && !same_kind(made->fd, target))
		errno = ENOTDIR;
	err_sys(err, "mount '%s' on '%s'", m->source ? m->source : m->type, item->path);
	if (err->code == ENOTDIR)
		return err_hint(err, "a folder can't be mounted on a file, nor a file on a folder");
	if (err->code != EINVAL || launch_has_mountns(launch))
		return -1;
	uname(&kernel);
	return err_hint(err, "a container without a mount namespace takes Linux 6.15, and this is %s", kernel.release);
}

static int attach(struct launch *launch, struct mounts_item *item, struct made *made, int target, struct err *err)
{
	struct err early;
	const struct spec_mount *m = item->mount;
	int finished = finish(launch, item, made, &early);
	if (finished < 0 && early.code != ENOSYS) {
		*err = early;
		return err_wrap(err, "mount '%s' on '%s'", m->source ? m->source : m->type, item->path);
	}
	if (sys_move_mount(made->fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return attach_failed(launch, item, made, target, err);
	if (finished < 0 && finish(launch, item, made, err) < 0)
		return err_wrap(err, "mount '%s' on '%s'", m->source ? m->source : m->type, item->path);
	if (str_eq(item->path, "/")) {
		fd_close(&launch->rootfs.root);
		launch->rootfs.root = take_fd(&made->fd);
	} else if (item->late_readonly) {
		item->source = take_fd(&made->fd);
	} else if (str_eq(item->path, "/proc") || str_eq(item->path, "/sys")) {
		item->attached = take_fd(&made->fd);
	}
	return 0;
}

static int attach_mount(struct launch *launch, struct mounts_item *item, struct path_target *target, struct made *made,
			struct err *err)
{
	const bool first = takes_mode(item) || item->mount->copy_up; // what is there decides what is made
	if (first && mounttarget_open(launch, item, target, err) < 0)
		return -1;
	if (make_mount(launch, item, target, made, err) < 0)
		return item->mount->optional ? 0 : -1;
	if (!first && mounttarget_open(launch, item, target, err) < 0)
		return -1;
	if (item->mount->copy_up && !target->made && copyup_tree(target->fd, made->fd, err) < 0)
		return err_wrap(err, "mount '%s' on '%s': tmpcopyup", item->mount->type, item->path);
	return attach(launch, item, made, target->fd, err);
}

static int attach_cgroup(struct launch *launch, const struct mounts_item *item, struct path_target *target, struct err *err)
{
	if (mounttarget_open(launch, item, target, err) < 0)
		return -1;
	return cgroupmount_attach(launch, item, target->fd, err) < 0 && !item->mount->optional ? -1 : 0;
}

static int make_link(struct launch *launch, const struct mounts_item *item, struct err *err)
{
	char folder[4096];
	const char *slash = strrchr(item->path, '/');
	if (snprintf(folder, sizeof(folder), "%.*s/", (int)(slash - item->path), item->path) >= (int)sizeof(folder))
		return err_set(err, ENAMETOOLONG, "make link '%.80s…': the path is too long", item->path);
	own_fd int parent = path_mkdirs_in(launch->rootfs.root, folder, err);
	if (parent < 0)
		return err_wrap(err, "make link '%s'", item->path);
	if (symlinkat(item->link, parent, slash + 1) == 0)
		return 0;
	char there[sizeof(folder)];
	const bool taken = errno == EEXIST;
	ssize_t length = taken ? readlinkat(parent, slash + 1, there, sizeof(there)) : -1;
	if (length == (ssize_t)strlen(item->link) && memcmp(there, item->link, (size_t)length) == 0)
		return 0;
	errno = taken ? EEXIST : errno;
	return err_sys(err, "make link '%s'", item->path);
}

static int change(struct launch *launch, const struct mounts_item *item, struct err *err)
{
	own_fd int mount = path_open_in(launch->rootfs.root, item->path, O_PATH, 0, err);
	return mount < 0 ? err_wrap(err, "remount '%s'", item->path) : newmount_change(mount, item, err);
}

static int attach_one(struct launch *launch, struct mounts_item *item, struct err *err)
{
	struct path_target target = { .fd = -1 };
	struct made made = { .fd = -1 };
	int result = 0;
	switch (item->kind) {
	case MOUNTS_LINK:
		return make_link(launch, item, err);
	case MOUNTS_REMOUNT:
		return change(launch, item, err);
	case MOUNTS_CGROUP:
		result = attach_cgroup(launch, item, &target, err);
		break;
	case MOUNTS_NEW:
	case MOUNTS_BIND:
	default:
		result = attach_mount(launch, item, &target, &made, err);
	}
	fd_close(&target.fd);
	fd_close(&made.fd);
	return result;
}

int mounts_attach(struct launch *launch, struct err *err)
{
	for (size_t i = 0; i < launch->mounts.count; i++) {
		if (attach_one(launch, &launch->mounts.items[i], err) < 0)
			return -1;
	}
	return 0;
}

int mounts_open_bind(struct launch *launch, struct mounts_item *item, struct err *err)
{
	struct made made = { .fd = mountsource_open(launch, item, err), .how = MADE_BOUND };
	if (made.fd >= 0 && finish(launch, item, &made, err) < 0) {
		fd_close(&made.fd);
		return err_wrap(err, "bind '%s' on '%s'", item->mount->source, item->path);
	}
	return made.fd;
}

// The attributes of a mount that is attached to a detached one can't be changed; what is mounted there can.
static int protect_detached(int mount)
{
	own_fd int fs = sys_fspick(mount, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
	if (fs < 0 || sys_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
		return -1;
	return sys_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
}

int mounts_protect(struct launch *launch, struct err *err)
{
	for (size_t i = 0; i < launch->mounts.count; i++) {
		struct mounts_item *item = &launch->mounts.items[i];
		if (!item->late_readonly || item->source < 0)
			continue;
		if (!launch_has_mountns(launch) ? protect_detached(item->source) < 0 && err_sys(err, "set ro") < 0 :
						  mountattr_set(item->source, MOUNT_ATTR_RDONLY, 0, false, err) < 0)
			return err_wrap(err, "make '%s' read-only", item->path);
		fd_close(&item->source);
	}
	return 0;
}

int mounts_open(const struct launch *launch, const char *path, struct err *err)
{
	for (size_t i = launch->mounts.count; i > 0; i--) {
		const struct mounts_item *item = &launch->mounts.items[i - 1];
		size_t length = strlen(item->path);
		if (item->attached >= 0 && str_starts(path, item->path) && path[length] == '/')
			return path_open_in(item->attached, path + length, O_PATH, 0, err);
	}
	return path_open_in(launch->rootfs.root, path, O_PATH, 0, err);
}

int mounts_make_readonly(const struct launch *launch, const char *path, struct err *err)
{
	own_fd int target = mounts_open(launch, path, err);
	if (target < 0)
		return err->code == ENOENT ? 0 : -1;
	own_fd int copy = sys_open_tree(target, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (copy < 0)
		return err_sys(err, "bind '%s' over itself", path);
	int early = mountattr_set(copy, MOUNT_ATTR_RDONLY, 0, true, err);
	if (early < 0 && err->code != ENOSYS)
		return err_wrap(err, "make '%s' read-only", path);
	if (sys_move_mount(copy, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "bind '%s' over itself", path);
	// Before Linux 5.12: once it is attached, and without what is mounted below.
	return early < 0 && mountattr_set(copy, MOUNT_ATTR_RDONLY, 0, false, err) < 0 ? err_wrap(err, "make '%s' read-only", path) :
											0;
}
