// SPDX-License-Identifier: GPL-2.0-or-later
// nft_elements.c - reads what libnftables prints as JSON (pure)
#include "cosonet/nft_elements.h"

#include "shared/str.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

enum { PARTS_MOST = 3 };

static void free_json(json_t **json)
{
	json_decref(*json);
}

#define own_json __attribute__((cleanup(free_json)))

static json_t *load(const char *text, struct err *err)
{
	json_error_t error;
	json_t *root = json_loads(text, 0, &error);
	if (!root)
		err_set(err, EPROTO, "nftables: its JSON can't be read: %s", error.text);
	return root;
}

static const char *prefix_text(struct arena *arena, json_t *prefix)
{
	const char *address = json_string_value(json_object_get(prefix, "addr"));
	return arena_printf(arena, "%s/%lld", address ? address : "",
			    (long long)json_integer_value(json_object_get(prefix, "len")));
}

// The parts of a key or value: of a concatenation, or the one itself. Returns how many; as text each.
static size_t parts_of(struct arena *arena, json_t *value, const char *parts[PARTS_MOST])
{
	json_t *concat = json_object_get(value, "concat");
	size_t count = concat ? json_array_size(concat) : 1;
	for (size_t i = 0; i < count && i < PARTS_MOST; i++) {
		json_t *part = concat ? json_array_get(concat, i) : value;
		if (json_is_integer(part))
			parts[i] = arena_printf(arena, "%lld", (long long)json_integer_value(part));
		else if (json_is_string(part))
			parts[i] = arena_strdup(arena, json_string_value(part));
		else if (json_is_object(json_object_get(part, "prefix")))
			parts[i] = prefix_text(arena, json_object_get(part, "prefix"));
		else
			return 0;
	}
	return count <= PARTS_MOST ? count : 0;
}

static uint8_t proto_of(const char *text)
{
	if (str_eq(text, "tcp") || str_eq(text, "6"))
		return IPPROTO_TCP;
	return IPPROTO_UDP;
}

static bool fill_port(struct nft_element *e, const char *key[], size_t keys, const char *to[], size_t tos)
{
	uint64_t host_port = 0, container_port = 0;
	struct fw_port port = { .count = 1, .proto = proto_of(key[keys - 2]) };
	if (keys == 3 && num_cidr("nftables", key[0], &port.host, NULL) < 0)
		return false;
	if (tos != 2 || num_cidr("nftables", to[0], &port.container, NULL) < 0 ||
	    num_u64("nftables", key[keys - 1], 0, 65535, &host_port, NULL) < 0 ||
	    num_u64("nftables", to[1], 0, 65535, &container_port, NULL) < 0)
		return false;
	port.host_port = (uint16_t)host_port;
	port.container_port = (uint16_t)container_port;
	e->port = port;
	return true;
}

// An element of a set is {"elem":{"val","comment"}}, of a map [that, value].
static void add_element(struct nft_elements *list, const char *set, json_t *item)
{
	struct nft_element e = { .set = arena_strdup(list->arena, set) };
	const char *key[PARTS_MOST], *to[PARTS_MOST];
	json_t *left = json_is_array(item) ? json_array_get(item, 0) : item;
	json_t *elem = json_object_get(left, "elem");
	const char *comment = json_string_value(json_object_get(elem, "comment"));
	if (!comment || !fw_owner_parse(comment, &e.owner))
		return;
	size_t keys = parts_of(list->arena, json_object_get(elem, "val"), key);
	size_t tos = json_is_array(item) ? parts_of(list->arena, json_array_get(item, 1), to) : 0;
	if (keys == 0 || (tos && (keys < 2 || !fill_port(&e, key, keys, to, tos))))
		return;
	e.key = key[0];
	for (size_t i = 1; i < keys; i++)
		e.key = arena_printf(list->arena, "%s . %s", e.key, key[i]);
	list->items = arena_grow(list->arena, list->items, list->count, sizeof(e));
	list->items[list->count++] = e;
}

static void add_set(struct nft_elements *list, json_t *set)
{
	const char *name = json_string_value(json_object_get(set, "name"));
	json_t *elements = json_object_get(set, "elem"), *item;
	size_t i;
	if (!name)
		return;
	json_array_foreach(elements, i, item) {
		if (!str_eq(name, "links")) {
			add_element(list, name, item);
		} else if (json_is_string(item)) {
			list->bridges = arena_grow(list->arena, list->bridges, list->bridge_count, sizeof(*list->bridges));
			list->bridges[list->bridge_count++] = arena_strdup(list->arena, json_string_value(item));
		}
	}
}

int nft_elements_parse(struct arena *arena, const char *json, struct nft_elements *out, struct err *err)
{
	own_json json_t *root = load(json, err);
	struct nft_elements list = { .arena = arena };
	json_t *entry;
	size_t i;
	if (!root)
		return -1;
	json_array_foreach(json_object_get(root, "nftables"), i, entry) {
		json_t *set = json_object_get(entry, "set");
		add_set(&list, set ? set : json_object_get(entry, "map"));
	}
	for (size_t n = 0; n < list.count; n++) { // only now do the items stay where they are
		list.items[n].port.veth = list.items[n].owner.veth;
		list.items[n].port.id = list.items[n].owner.id;
	}
	*out = list;
	return 0;
}

int nft_elements_handles(struct arena *arena, const char *json, const char *comment, struct nft_handles *out, struct err *err)
{
	own_json json_t *root = load(json, err);
	struct nft_handles list = { 0 };
	json_t *entry;
	size_t i;
	if (!root)
		return -1;
	json_array_foreach(json_object_get(root, "nftables"), i, entry) {
		json_t *rule = json_object_get(entry, "rule");
		const char *text = json_string_value(json_object_get(rule, "comment"));
		if (!text || !str_eq(text, comment))
			continue;
		list.items = arena_grow(arena, list.items, list.count, sizeof(*list.items));
		list.items[list.count++] = json_integer_value(json_object_get(rule, "handle"));
	}
	*out = list;
	return 0;
}
