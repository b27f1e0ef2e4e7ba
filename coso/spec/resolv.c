// SPDX-License-Identifier: GPL-2.0-or-later
// resolv.c - /etc/resolv.conf for a container. resolv.conf(5)
#include "coso/spec/flags.h"
#include "shared/file.h"
#include "shared/num.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static const char own_file[] = "/etc/resolv.conf";
static const char resolved_file[] = "/run/systemd/resolve/resolv.conf"; // the servers that systemd-resolved's 127.0.0.53 asks

// On the host's loopback, or by one of its links.
static bool is_host_only(const char *address)
{
	return str_starts(address, "127.") || str_starts(address, "::ffff:127.") || str_eq(address, "::1") ||
	       str_eq(address, "0.0.0.0") || str_eq(address, "::") || strchr(address, '%');
}

// Copies the lines, but for name servers that a container can't reach. Counts the servers that stay.
static char *reachable(struct arena *arena, const char *text, size_t *out_servers)
{
	char *out = arena_strdup(arena, "");
	struct strv lines = str_split(arena, text, '\n');
	*out_servers = 0;
	for (size_t i = 0; i < lines.count; i++) {
		char *line = lines.items[i], *save = NULL, *copy = arena_strdup(arena, line);
		char *key = strtok_r(copy, " \t", &save), *value = strtok_r(NULL, " \t", &save);
		if (!key || *key == '#' || *key == ';')
			continue;
		if (str_eq(key, "nameserver")) {
			if (!value || is_host_only(value))
				continue;
			(*out_servers)++;
		}
		out = arena_printf(arena, "%s%s\n", out, line);
	}
	return out;
}

int flags_resolv_conf(struct arena *arena, const struct strv *list, bool host_network, const char **out_text, struct err *err)
{
	char *text = arena_strdup(arena, "");
	for (size_t i = 0; i < list->count; i++) {
		struct num_cidr address;
		if (strchr(list->items[i], '/') || num_cidr("--dns", list->items[i], &address, err) < 0)
			return err_set(err, EINVAL, "--dns '%.80s': not an IP address", list->items[i]);
		text = arena_printf(arena, "%snameserver %s\n", text, list->items[i]);
	}
	if (list->count) {
		*out_text = text;
		return 0;
	}
	const char *own = file_read(arena, AT_FDCWD, own_file, FILE_SMALL, NULL, NULL);
	if (!own)
		own = "";
	if (host_network) {
		*out_text = own;
		return 0;
	}
	size_t servers;
	text = reachable(arena, own, &servers);
	if (!servers) {
		const char *behind = file_read(arena, AT_FDCWD, resolved_file, FILE_SMALL, NULL, NULL);
		if (behind)
			text = reachable(arena, behind, &servers);
	}
	*out_text = text;
	return 0;
}
