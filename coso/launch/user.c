// SPDX-License-Identifier: GPL-2.0-or-later
// user.c - looks a user up in two hostile files, without memory
#include "coso/launch/user.h"

#include "shared/fd.h"
#include "shared/num.h"
#include "shared/path.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE = 8 << 10, FIELDS = 8, FILE_MOST = 8 << 20, NAME_LEN = 256 };

// A line at a time out of a file of at most FILE_MOST bytes; longer lines are skipped.
struct lines {
	int fd;
	size_t start, end, total;
	bool skipping;
	char buffer[LINE];
};

static int lines_open(struct lines *lines, int root, const char *path)
{
	struct stat st;
	memset(lines, 0, offsetof(struct lines, buffer));
	// O_PATH first: opening a FIFO or a device could block or act.
	own_fd int look = path_open_in(root, path, O_PATH, 0, NULL);
	lines->fd = -1;
	if (look < 0 || fstat(look, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	lines->fd = path_open_in(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, NULL);
	if (lines->fd >= 0 && (fstat(lines->fd, &st) < 0 || !S_ISREG(st.st_mode)))
		fd_close(&lines->fd);
	return lines->fd < 0 ? -1 : 0;
}

static bool lines_fill(struct lines *lines)
{
	if (lines->start) {
		memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
		lines->end -= lines->start;
		lines->start = 0;
	}
	if (lines->end == LINE) { // no end of line in all of it
		lines->skipping = true;
		lines->end = 0;
	}
	if (lines->total >= FILE_MOST)
		return false;
	ssize_t n = read(lines->fd, lines->buffer + lines->end, LINE - lines->end);
	if (n <= 0)
		return false;
	lines->end += (size_t)n;
	lines->total += (size_t)n;
	return true;
}

// The next line, without its end; a last line that has none counts.
static char *lines_next(struct lines *lines)
{
	for (;;) {
		char *line = lines->buffer + lines->start;
		char *end = memchr(line, '\n', lines->end - lines->start);
		if (end) {
			*end = '\0';
			lines->start = (size_t)(end - lines->buffer) + 1;
			bool tail = lines->skipping;
			lines->skipping = false;
			if (!tail)
				return line;
			continue;
		}
		if (lines_fill(lines))
			continue;
		if (lines->skipping || lines->start == lines->end || lines->end == LINE)
			return NULL;
		lines->buffer[lines->end] = '\0';
		line = lines->buffer + lines->start;
		lines->start = lines->end;
		return line;
	}
}

static size_t split(char *line, char *fields[FIELDS])
{
	size_t count = 0;
	while (count < FIELDS) {
		fields[count++] = line;
		line = strchr(line, ':');
		if (!line)
			break;
		*line++ = '\0';
	}
	return count;
}

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

struct passwd_entry {
	char name[NAME_LEN], home[NAME_LEN];
	uint32_t uid, gid;
};

// By name, or (name NULL) by uid. The first line that fits and is whole counts.
static bool find_passwd(int root, const char *name, uint32_t uid, struct passwd_entry *out)
{
	struct lines lines;
	if (lines_open(&lines, root, "/etc/passwd") < 0)
		return false;
	bool found = false;
	for (char *line; !found && (line = lines_next(&lines));) {
		char *f[FIELDS];
		struct passwd_entry e;
		if (split(line, f) < 6 || num_id("uid", f[2], &e.uid, NULL) < 0 || num_id("gid", f[3], &e.gid, NULL) < 0)
			continue;
		if (name ? strcmp(f[0], name) != 0 : e.uid != uid)
			continue;
		if (strlen(f[0]) >= NAME_LEN || strlen(f[5]) >= NAME_LEN)
			continue;
		snprintf(e.name, sizeof(e.name), "%s", f[0]);
		snprintf(e.home, sizeof(e.home), "%s", f[5]);
		*out = e;
		found = true;
	}
	fd_close(&lines.fd);
	return found;
}

static bool find_group(int root, const char *name, uint32_t *out_gid)
{
	struct lines lines;
	if (lines_open(&lines, root, "/etc/group") < 0)
		return false;
	bool found = false;
	for (char *line; !found && (line = lines_next(&lines));) {
		char *f[FIELDS];
		found = split(line, f) >= 3 && strcmp(f[0], name) == 0 && num_id("gid", f[2], out_gid, NULL) == 0;
	}
	fd_close(&lines.fd);
	return found;
}

static bool is_member(char *members, const char *name)
{
	char *save = NULL;
	for (char *m = strtok_r(members, ",", &save); m; m = strtok_r(NULL, ",", &save)) {
		if (strcmp(m, name) == 0)
			return true;
	}
	return false;
}

static void add_memberships(int root, const char *name, struct user *user)
{
	struct lines lines;
	if (lines_open(&lines, root, "/etc/group") < 0)
		return;
	for (char *line; user->group_count < USER_GROUPS_MAX && (line = lines_next(&lines));) {
		char *f[FIELDS];
		uint32_t gid;
		if (split(line, f) >= 4 && num_id("gid", f[2], &gid, NULL) == 0 && gid != user->gid && is_member(f[3], name))
			user->groups[user->group_count++] = gid;
	}
	fd_close(&lines.fd);
}

int user_lookup(int root, const char *text, struct user *out_user, struct err *err)
{
	char name[NAME_LEN] = "0";
	struct user user = { 0 };
	struct passwd_entry entry;
	const char *colon = strchrnul(text, ':'), *group = *colon ? colon + 1 : "";
	size_t length = (size_t)(colon - text);
	if (length >= sizeof(name))
		return err_set(err, EINVAL, "--user '%.80s…': the name is too long", text);
	if (length) {
		memcpy(name, text, length);
		name[length] = '\0';
	}
	if (is_number(name) && num_id("--user", name, &user.uid, err) < 0)
		return -1;
	bool known = find_passwd(root, is_number(name) ? NULL : name, user.uid, &entry);
	if (!known && !is_number(name))
		return err_set(err, ENOENT, "--user '%s': no such user in the container's /etc/passwd", name);
	if (known) {
		user.uid = entry.uid;
		user.gid = entry.gid;
		snprintf(user.home, sizeof(user.home), "%s", entry.home);
	}
	if (is_number(group)) {
		if (num_id("--user", group, &user.gid, err) < 0)
			return -1;
	} else if (*group && !find_group(root, group, &user.gid)) {
		return err_set(err, ENOENT, "--user '%.80s': no group '%.80s' in the container's /etc/group", text, group);
	}
	if (known && !*group) // with a group of its own choice the user asked for just that one, as Docker has it
		add_memberships(root, entry.name, &user);
	*out_user = user;
	return 0;
}

void user_find_home(int root, struct user *user)
{
	struct passwd_entry entry;
	if (find_passwd(root, NULL, user->uid, &entry))
		snprintf(user->home, sizeof(user->home), "%s", entry.home);
}

void user_find_name(int root, uint32_t uid, char *out_name, size_t size)
{
	struct passwd_entry entry = { .name = "" };
	find_passwd(root, NULL, uid, &entry);
	snprintf(out_name, size, "%s", entry.name);
}
