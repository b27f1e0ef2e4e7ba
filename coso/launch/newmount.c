// SPDX-License-Identifier: GPL-2.0-or-later
// newmount.c - new mounts of file systems
#include "coso/launch/newmount.h"

#include "coso/launch/launch.h"
#include "coso/launch/mountattr.h"
#include "shared/fd.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <string.h>

enum { VALUE_MAX = 255 }; // fsconfig(2): strings have at most 256 bytes, with the NUL

static void add(struct launch *launch, struct mounts_item *item, const char *key, const char *value)
{
	item->options = arena_grow(launch->arena, item->options, item->option_count, sizeof(*item->options));
	item->options[item->option_count++] = (struct mounts_option){ key, value };
}

// proc, sysfs and cgroup have labels of their own.
static bool takes_label(const struct mounts_item *item)
{
	static const char *const none[] = { "proc", "sysfs", "mqueue" };
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (str_eq(item->mount->type, none[i]))
			return false;
	}
	return item->kind == MOUNTS_NEW;
}

void newmount_split(struct launch *launch, struct mounts_item *item)
{
	const char *data = item->mount->data;
	struct strv pieces = data && *data ? str_split(launch->arena, data, ',') : (struct strv){ 0 };
	for (size_t i = 0; i < pieces.count; i++) {
		char *key = pieces.items[i], *equals = strchr(key, '=');
		if (!*key)
			continue;
		if (equals)
			*equals = '\0';
		add(launch, item, key, equals ? equals + 1 : NULL);
	}
	if (launch->mounts.label.key && takes_label(item))
		add(launch, item, launch->mounts.label.key, launch->mounts.label.value);
}

static int set(int fs, const char *key, const char *value)
{
	return sys_fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0);
}

// An overlay's lower layers are too long for one value: one by one, since Linux 6.5. They are separated by ':', "\:" is one of a name's.
static int set_layers(int fs, const char *layers)
{
	char layer[VALUE_MAX + 1];
	size_t length = 0;
	for (const char *c = layers;; c++) {
		if (*c && *c != ':') {
			c += *c == '\\' && c[1];
			if (length == VALUE_MAX) {
				errno = ENAMETOOLONG;
				return -1;
			}
			layer[length++] = *c;
			continue;
		}
		layer[length] = '\0';
		if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", layer, 0) < 0)
			return -1;
		length = 0;
		if (!*c)
			return 0;
	}
}

static int set_option(int fs, const struct mounts_option *option)
{
	if (str_eq(option->key, "lowerdir") && option->value && strlen(option->value) > VALUE_MAX)
		return set_layers(fs, option->value);
	return set(fs, option->key, option->value);
}

static int set_options(int fs, const struct mounts_item *item, struct err *err)
{
	for (size_t i = 0; i < item->option_count; i++) {
		const struct mounts_option *o = &item->options[i];
		if (set_option(fs, o) < 0)
			return err_sys(err, "mount '%s' on '%s': option '%s%s%s'", item->mount->type, item->path, o->key,
				       o->value ? "=" : "", o->value ? o->value : "");
	}
	return 0;
}

int newmount_make(const struct mounts_item *item, const char *mode, struct err *err)
{
	const struct spec_mount *m = item->mount;
	const unsigned int attributes = mountattr_new(m) & ~(item->late_readonly ? (unsigned int)MOUNT_ATTR_RDONLY : 0);
	own_fd int fs = sys_fsopen(m->type, FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_sys(err, "mount '%s' on '%s'", m->type, item->path);
	if (set(fs, "source", m->source ? m->source : m->type) < 0)
		return err_sys(err, "set the source of '%s'", m->type);
	if (*mode && set(fs, "mode", mode) < 0)
		return err_sys(err, "mount '%s' on '%s': mode %s", m->type, item->path, mode);
	if (set_options(fs, item, err) < 0)
		return -1;
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(err, "mount '%s' on '%s'", m->type, item->path);
	int mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, attributes);
	return mount < 0 ? err_sys(err, "mount '%s' on '%s'", m->type, item->path) : mount;
}

int newmount_change(int mount, const struct mounts_item *item, struct err *err)
{
	const struct spec_mount *m = item->mount;
	if (mountattr_set(mount, m->deep_set, m->deep_clear, true, err) < 0 ||
	    mountattr_set(mount, m->attr_set, m->attr_clear, false, err) < 0)
		return err_wrap(err, "remount '%s'", item->path);
	if (m->propagation && mountattr_propagate(mount, m->propagation, err) < 0)
		return err_wrap(err, "remount '%s'", item->path);
	if (!item->option_count)
		return 0;
	own_fd int fs = sys_fspick(mount, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
	if (fs < 0)
		return err_sys(err, "remount '%s'", item->path);
	if (set_options(fs, item, err) < 0)
		return -1;
	return sys_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0 ? err_sys(err, "remount '%s'", item->path) : 0;
}
