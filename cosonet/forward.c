// SPDX-License-Identifier: GPL-2.0-or-later
// forward.c - the host forwards packets: turned on with a memory of what was, and turned back
//
// Not remembered: IPv4 forwarding of single links while it was off for the rest. The kernel makes all of them alike. ip-sysctl.rst
#include "cosonet/forward.h"

#include "cosonet/sysctl.h"
#include "shared/arena.h"
#include "shared/file.h"
#include "shared/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ipv6_route.h>
#include <stdio.h>
#include <string.h>

#define FORWARD4 "ipv4/ip_forward"
#define REDIRECTS4 "ipv4/conf/all/accept_redirects"
#define FORWARD6 "ipv6/conf/all/forwarding"

struct setting {
	const char *link;
	int value;
};

struct settings {
	struct setting *items;
	size_t count;
};

int forward_observe(struct record *record, struct err *err)
{
	int forward4 = 1, redirects4 = 0, forward6 = 1;
	if (sysctl_get(FORWARD4, &forward4, err) < 0 || sysctl_get(REDIRECTS4, &redirects4, err) < 0 ||
	    sysctl_get(FORWARD6, &forward6, err) < 0)
		return -1;
	record->forward4 = forward4 ? -1 : 0;
	record->redirects4 = forward4 ? -1 : redirects4;
	record->forward6 = forward6 ? -1 : 0;
	return 0;
}

static void add_setting(struct arena *arena, struct settings *list, const char *link, int value)
{
	list->items = arena_grow(arena, list->items, list->count, sizeof(*list->items));
	list->items[list->count++] = (struct setting){ arena_strdup(arena, link), value };
}

// The IPv6 setting of every link, and of "default".
static struct settings read_links(struct arena *arena)
{
	struct settings list = { 0 };
	DIR *dir = opendir("/proc/sys/net/ipv6/conf");
	const struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		char name[128];
		int value = 0;
		if (entry->d_name[0] == '.' || str_eq(entry->d_name, "all"))
			continue;
		snprintf(name, sizeof(name), "ipv6/conf/%.64s/forwarding", entry->d_name);
		if (sysctl_get(name, &value, NULL) != 1)
			continue;
		add_setting(arena, &list, entry->d_name, value);
	}
	if (dir)
		closedir(dir);
	return list;
}

static unsigned int hexadecimal(const char *digits)
{
	static const char all[] = "0123456789abcdef";
	unsigned int value = 0;
	for (const char *found; *digits && (found = strchr(all, *digits)); digits++)
		value = value << 4 | (unsigned int)(found - all);
	return value;
}

// Links whose default route a router advertised, and accept_ra is 1. A line of that file: ADDRESS LENGTH ADDRESS LENGTH ADDRESS METRIC
// COUNT COUNT FLAGS LINK, the numbers in hexadecimal.
static struct settings read_advertised(struct arena *arena)
{
	enum { LENGTH = 1, FLAGS = 8 };
	struct settings list = { 0 };
	char *text = file_read(arena, AT_FDCWD, "/proc/net/ipv6_route", FILE_CONFIG, NULL, NULL);
	struct strv lines = text ? str_split(arena, text, '\n') : (struct strv){ 0 };
	for (size_t i = 0; i < lines.count; i++) {
		struct strv fields = str_split(arena, lines.items[i], ' ');
		int value = 0;
		if (fields.count <= FLAGS + 1 || !str_eq(fields.items[LENGTH], "00") ||
		    (~hexadecimal(fields.items[FLAGS]) & (RTF_ADDRCONF | RTF_DEFAULT)))
			continue;
		const char *link = fields.items[fields.count - 1];
		if (sysctl_get(arena_printf(arena, "ipv6/conf/%s/accept_ra", link), &value, NULL) == 1 && value == 1)
			add_setting(arena, &list, link, value);
	}
	return list;
}

// Whenever forwarding is turned on, be it for one link, the kernel drops all default routes that routers advertised, but for links with
// accept_ra 2. For that moment they have it.
static void hold_advertised(const struct settings *links, bool hold)
{
	for (size_t i = 0; i < links->count; i++)
		sysctl_set_link("ipv6", links->items[i].link, "accept_ra", hold ? 2 : links->items[i].value, NULL);
}

// Writes "all", which the kernel copies to every link, and gives each its own value back. A link may be gone meanwhile.
static int write_all(int value, const struct settings *links, struct err *err)
{
	if (sysctl_set(FORWARD6, value, err) < 0)
		return -1;
	for (size_t i = 0; i < links->count; i++) {
		if (links->items[i].value != value)
			sysctl_set_link("ipv6", links->items[i].link, "forwarding", links->items[i].value, NULL);
	}
	return 0;
}

static int turn_on6(struct arena *arena, const struct record *record, const char *bridge, struct err *err)
{
	int now = 0, own = 0;
	if (sysctl_get(FORWARD6, &now, err) < 0)
		return -1;
	struct settings links = read_links(arena);
	// On, not ready, and off before: a run was killed between the two steps of write_all; its first step is known.
	bool halfway = now && !record->ready && record->forward6 == 0;
	for (size_t i = 0; halfway && i < links.count; i++)
		links.items[i].value = 0;
	if ((!now || halfway) && write_all(1, &links, err) < 0)
		return -1;
	sysctl_get(arena_printf(arena, "ipv6/conf/%s/forwarding", bridge), &own, NULL);
	return own == 1 ? 0 : sysctl_set_link("ipv6", bridge, "forwarding", 1, err);
}

int forward_on(const struct record *record, const char *bridge, struct err *err)
{
	own_arena struct arena arena = { 0 };
	int now = 0;
	if (sysctl_get(FORWARD4, &now, err) < 0 || (!now && sysctl_set(FORWARD4, 1, err) < 0))
		return -1;
	if (!record->net6.family)
		return 0;
	struct settings advertised = read_advertised(&arena);
	hold_advertised(&advertised, true);
	int result = turn_on6(&arena, record, bridge, err);
	hold_advertised(&advertised, false);
	return result;
}

int forward_off(const struct record *record, struct err *err)
{
	own_arena struct arena arena = { 0 };
	if (record->forward4 == 0) {
		if (sysctl_set(FORWARD4, 0, err) < 0)
			return -1;
		if (record->redirects4 >= 0 && sysctl_set(REDIRECTS4, record->redirects4, err) < 0)
			return -1;
	}
	if (record->forward6 != 0 || !record->net6.family)
		return 0;
	struct settings links = read_links(&arena), advertised = read_advertised(&arena);
	hold_advertised(&advertised, true);
	int result = write_all(0, &links, err);
	hold_advertised(&advertised, false);
	return result;
}
