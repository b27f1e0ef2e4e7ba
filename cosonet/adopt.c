// SPDX-License-Identifier: GPL-2.0-or-later
// adopt.c - a link of the host becomes the container's
//
// Theory of operation. A netlink socket stays in the namespace in which it was opened, so two of them do it all: one of the host's
// namespace, one of the container's. The move takes a link down and its addresses away; they are read before it.
#include "cosonet/adopt.h"

#include "cosonet/addr.h"
#include "cosonet/link.h"
#include "cosonet/netns.h"
#include "shared/log.h"

#include <errno.h>
#include <string.h>

struct world {
	struct arena arena;
	struct netns netns;
	struct netlink host, inside;
};

// A link on its way.
struct adoption {
	struct link before; // on the host
	struct addr_list addresses;
	struct link after; // index 0: it is still on the host
};

static void world_end(struct world *w)
{
	netlink_close(&w->host);
	netlink_close(&w->inside);
	netns_close(&w->netns);
	arena_free(&w->arena);
}

#define own_world __attribute__((cleanup(world_end)))

static int open_world(struct world *w, pid_t pid, struct err *err)
{
	struct err back;
	if (netns_open(&w->netns, pid, err) < 0 || netlink_open(&w->host, NETLINK_ROUTE, err) < 0 ||
	    netns_enter(&w->netns, err) < 0)
		return -1;
	int rc = netlink_open(&w->inside, NETLINK_ROUTE, err);
	if (netns_leave(&w->netns, &back) < 0 && rc == 0) {
		*err = back;
		rc = -1;
	}
	return rc;
}

struct indices {
	struct arena *arena;
	int *items;
	size_t count;
};

static void note_index(const struct link *link, void *arg)
{
	struct indices *known = arg;
	known->items = arena_grow(known->arena, known->items, known->count, sizeof(*known->items));
	known->items[known->count++] = link->index;
}

struct search {
	const struct indices *known;
	struct link found;
};

static void keep_unknown(const struct link *link, void *arg)
{
	struct search *search = arg;
	for (size_t i = 0; i < search->known->count; i++) {
		if (search->known->items[i] == link->index)
			return;
	}
	search->found = *link;
}

// The link that wasn't there before: what the kernel made of a template, it tells nobody.
static int find_new(struct world *w, const struct indices *known, struct link *out, struct err *err)
{
	struct search search = { .known = known };
	if (link_each(&w->inside, keep_unknown, &search, err) < 0)
		return -1;
	if (!search.found.index)
		return err_set(err, ENODEV, "it isn't in the container's network namespace after the move");
	*out = search.found;
	return 0;
}

static int check_free(struct world *w, const char *name, struct err *err)
{
	struct link there;
	int found = strchr(name, '%') ? 0 : link_find(&w->inside, name, &there, err);
	return found > 0 ? err_set(err, EEXIST, "'%s' is there already in the container's network namespace", name) : found;
}

static int restore(struct netlink *nl, int index, const struct addr_list *addresses, struct err *err)
{
	for (size_t i = 0; i < addresses->count; i++) {
		if (addr_restore(nl, index, &addresses->items[i], err) < 0)
			return -1;
	}
	return 0;
}

static int adopt(struct world *w, const struct request_adopt *wanted, struct adoption *a, struct err *err)
{
	struct indices known = { .arena = &w->arena };
	int found = link_find(&w->host, wanted->host, &a->before, err);
	if (found <= 0)
		return found < 0 ? -1 : err_set(err, ENODEV, "there is no such link on the host");
	const char *name = wanted->name ? wanted->name : a->before.name;
	if (check_free(w, name, err) < 0 || addr_list(&w->host, &w->arena, a->before.index, &a->addresses, err) < 0 ||
	    link_each(&w->inside, note_index, &known, err) < 0)
		return -1;
	int moved = link_move(&w->host, a->before.index, w->netns.fd, name, err);
	struct err lost;
	if (find_new(w, &known, &a->after, &lost) < 0 && moved == 0)
		*err = lost;
	if (moved < 0 || !a->after.index)
		return -1;
	if (restore(&w->inside, a->after.index, &a->addresses, err) < 0 || link_set_up(&w->inside, a->after.index, err) < 0)
		return -1;
	log_verbose("link '%s' of the host is '%s' of the container", a->before.name, a->after.name);
	return 0;
}

// As it was, but for what nobody can know: its routes.
static int give_back(struct world *w, const struct adoption *a, struct err *err)
{
	struct link link;
	if (!a->after.index)
		return 0;
	if (link_move(&w->inside, a->after.index, w->netns.own, a->before.name, err) < 0)
		return -1;
	int found = link_find(&w->host, a->before.name, &link, err);
	if (found <= 0)
		return found < 0 ? -1 : err_set(err, ENODEV, "it isn't in our own network namespace after the move");
	if (restore(&w->host, link.index, &a->addresses, err) < 0)
		return -1;
	return a->before.up ? link_set_up(&w->host, link.index, err) : 0;
}

int adopt_run(const struct request *request, struct err *err)
{
	own_world struct world w = { .netns = NETNS_NONE };
	if (open_world(&w, request->pid, err) < 0)
		return -1;
	struct adoption *all = arena_alloc(&w.arena, (request->adopt_count + 1) * sizeof(*all));
	for (size_t i = 0; i < request->adopt_count; i++) {
		if (adopt(&w, &request->adopts[i], &all[i], err) == 0)
			continue;
		err_wrap(err, "adopt '%s'", request->adopts[i].host);
		for (size_t back = i + 1; back-- > 0;) {
			struct err why;
			if (give_back(&w, &all[back], &why) < 0)
				log_warning("give '%s' back to the host: %s", all[back].before.name, why.msg);
		}
		return -1;
	}
	return 0;
}
