// SPDX-License-Identifier: GPL-2.0-or-later
// request.c - what the command line and COSO_* ask for, parsed and checked before the system is touched (pure)
#include "cosonet/request.h"

#include "cosonet/ipam.h"
#include "shared/opts.h"
#include "shared/str.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#define DEFAULT_BRIDGE "coso0"
#define DEFAULT_NET4 "10.209.0.1/20"
#define DEFAULT_ULA "fd5c:0a50:c050::1/64" // the fourth group becomes a hash of the bridge's name

enum { ID_MOST = 64, MTU_LEAST = 1280, MTU_MOST = 65535 };

struct words {
	const char *pid, *bridge, *address, *container, *prefix, *subnet, *mtu, *ifname, *firewall;
	struct strv adopt;
	bool release, json, no_ipv6, verbose, help, version;
};

static const struct opt options[] = {
	{ "pid", 0, OPT_TEXT, offsetof(struct words, pid), "PID", "connect the network namespace of this process" },
	{ "adopt", 0, OPT_LIST, offsetof(struct words, adopt), "LINK[:NAME]",
	  "move this link there instead, with its addresses (again: more)" },
	{ "release", 0, OPT_FLAG, offsetof(struct words, release), NULL, "remove what the container COSO_ID owns" },
	{ "bridgeName", 0, OPT_TEXT, offsetof(struct words, bridge), "NAME", "the bridge (" DEFAULT_BRIDGE ")" },
	{ "bridgeAddress", 0, OPT_TEXT, offsetof(struct words, address), "CIDR[,CIDR]",
	  "its addresses (" DEFAULT_NET4 ", and a ULA)" },
	{ "subnet", 0, OPT_TEXT, offsetof(struct words, subnet), "CIDR[,CIDR]",
	  "its networks; it takes the first address of each" },
	{ "containerAddress", 0, OPT_TEXT, offsetof(struct words, container), "CIDR", "this address, instead of a free one" },
	{ "vethNamePrefix", 0, OPT_TEXT, offsetof(struct words, prefix), "TEXT", "names the host's end TEXT0, TEXT1, ..." },
	{ "ifname", 0, OPT_TEXT, offsetof(struct words, ifname), "NAME", "the interface in the container (eth0)" },
	{ "mtu", 0, OPT_TEXT, offsetof(struct words, mtu), "BYTES", "as the host's way out, unless given" },
	{ "no-ipv6", 0, OPT_FLAG, offsetof(struct words, no_ipv6), NULL, "IPv4 alone" },
	{ "firewall", 0, OPT_TEXT, offsetof(struct words, firewall), "KIND", "auto, iptables or nftables" },
	{ "json", 0, OPT_FLAG, offsetof(struct words, json), NULL, "status as JSON" },
	{ "verbose", 'v', OPT_FLAG, offsetof(struct words, verbose), NULL, "say what is done" },
	{ "help", 'h', OPT_FLAG, offsetof(struct words, help), NULL, "this text" },
	{ "version", 0, OPT_FLAG, offsetof(struct words, version), NULL, "the version" },
	{ 0 },
};

static const struct {
	const char *name;
	enum request_verb verb;
	const char *help;
} verbs[] = {
	{ "setup", REQUEST_SETUP, "make the bridge, forwarding and NAT (again is fine)" },
	{ "teardown", REQUEST_TEARDOWN, "undo exactly that" },
	{ "status", REQUEST_STATUS, "bridge, networks, leases and published ports" },
};

void request_help(FILE *out)
{
	fprintf(out, "usage: cosonet -pid PID [options]\n       cosonet -adopt LINK[:NAME] [-adopt ...] -pid PID\n");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		fprintf(out, "       cosonet %-9s [options]   %s\n", verbs[i].name, verbs[i].help);
	fprintf(out, "       cosonet -release\n\noptions:\n");
	opts_help(options, out);
	fprintf(out,
		"\nenvironment: COSO_ID, COSO_STATE, COSO_METADATA=yes|no, and COSO_PUBLISH=[ip:]host[-end]:container[-end][/tcp|/udp],...\n");
}

// A link name that the kernel takes (dev_valid_name) and that can't be mistaken for anything else in a rule or on a terminal.
static int check_ifname(const char *what, const char *name, size_t most, struct err *err)
{
	size_t length = strlen(name);
	if (length == 0 || length > most)
		return err_set(err, EINVAL, "%s '%.40s': a link name has 1 to %zu characters", what, name, most);
	for (const char *c = name; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
			return err_set(err, EINVAL, "%s '%s': only letters, digits, '-', '_' and '.' can be used", what, name);
	}
	if (!isalnum((unsigned char)name[0]) || str_eq(name, "all") || str_eq(name, "default") || str_eq(name, "lo"))
		return err_set(err, EINVAL, "%s '%s': not a name for a link; choose another", what, name);
	return 0;
}

// As the kernel has it: dev_valid_name and __dev_alloc_name. A NUL ends the name before.
static int check_link(const char *word, const char *name, bool template, struct err *err)
{
	const char *percent = strchr(name, '%');
	if (!*name || strlen(name) >= IFNAMSIZ || str_eq(name, ".") || str_eq(name, ".."))
		return err_set(err, EINVAL, "-adopt '%.80s': invalid network device name '%.40s'", word, name);
	for (const char *c = name; *c; c++) {
		if (*c == '/' || *c == ':' || isspace((unsigned char)*c))
			return err_set(err, EINVAL, "-adopt '%.80s': invalid network device name '%.40s'", word, name);
	}
	if (template && percent && (percent[1] != 'd' || strchr(percent + 1, '%')))
		return err_set(err, EINVAL, "-adopt '%.80s': invalid network device name '%.40s': after a '%%' comes one 'd', once",
			       word, name);
	return 0;
}

static int parse_adopts(struct arena *arena, const struct strv *words, struct request *r, struct err *err)
{
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i], *colon = strchr(word, ':');
		struct request_adopt adopt = { .host = colon ? arena_strndup(arena, word, (size_t)(colon - word)) : word,
					       .name = colon ? colon + 1 : NULL };
		if (check_link(word, adopt.host, false, err) < 0 || (colon && check_link(word, adopt.name, true, err) < 0))
			return -1;
		r->adopts = arena_grow(arena, r->adopts, r->adopt_count, sizeof(adopt));
		r->adopts[r->adopt_count++] = adopt;
	}
	return 0;
}

static int check_id(const char *id, struct err *err)
{
	if (strlen(id) > ID_MOST)
		return err_set(err, EINVAL, "COSO_ID '%.80s': longer than %d characters", id, ID_MOST);
	for (const char *c = id; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
			return err_set(err, EINVAL, "COSO_ID '%s': only letters, digits, '-', '_' and '.' can be used", id);
	}
	return 0;
}

static int check_net4(const char *what, const char *text, const struct num_cidr *net, struct err *err)
{
	uint32_t host = ipam_host(net, net), address = ntohl(net->addr.v4.s_addr);
	if (net->prefix < 8 || net->prefix > 30)
		return err_set(err, EINVAL, "%s '%s': an IPv4 network of containers has a prefix from /8 to /30", what, text);
	if (host == 0 || host == ~0U >> net->prefix)
		return err_set(err, EINVAL,
			       "%s '%s': the bridge needs an address in the network, not the network's own or its broadcast", what,
			       text);
	if (address >> 24 == 127 || address >> 28 >= 14 || address >> 24 == 0 || address >> 16 == 0xa9fe)
		return err_set(err, EINVAL,
			       "%s '%s': not a network that can be routed to; take a private one such as 10.209.0.1/20", what,
			       text);
	return 0;
}

static int check_net6(const char *what, const char *text, const struct num_cidr *net, struct err *err)
{
	if (net->prefix < 48 || net->prefix > 96)
		return err_set(err, EINVAL, "%s '%s': an IPv6 network of containers has a prefix from /48 to /96", what, text);
	const unsigned char *b = net->addr.v6.s6_addr;
	if ((b[0] & 0xfe) != 0xfc && (b[0] & 0xe0) != 0x20)
		return err_set(err, EINVAL, "%s '%s': take a unique local (fd..) or a global network", what, text);
	return 0;
}

// "CIDR[,CIDR]", one of each family at most; for -subnet the bridge gets the first address.
static int parse_nets(struct arena *arena, const char *what, const char *text, bool subnet, struct request *r, struct err *err)
{
	struct strv words = str_split(arena, text, ',');
	for (size_t i = 0; i < words.count; i++) {
		struct num_cidr net = { 0 };
		const char *word = words.items[i];
		if (num_cidr(what, word, &net, err) < 0)
			return -1;
		if (!strchr(word, '/'))
			return err_set(err, EINVAL, "%s '%s': the prefix length is missing (%s/24)", what, word, word);
		struct num_cidr *slot = net.family == AF_INET ? &r->net4 : &r->net6;
		if (slot->family)
			return err_set(err, EINVAL, "%s '%s': two networks of one family; give one IPv4 and at most one IPv6", what,
				       text);
		*slot = subnet ? ipam_address(&net, 1) : net;
		if ((net.family == AF_INET ? check_net4 : check_net6)(what, word, slot, err) < 0)
			return -1;
	}
	if (!r->net4.family)
		return err_set(err, EINVAL, "%s '%s': an IPv4 network is needed", what, text);
	return 0;
}

static int choose_nets(struct arena *arena, const struct words *w, struct request *r, struct err *err)
{
	r->nets_given = w->address || w->subnet;
	if (w->address && w->subnet)
		return err_set(err, EINVAL, "-bridgeAddress and -subnet say the same thing; give one of them");
	if (w->address && parse_nets(arena, "-bridgeAddress", w->address, false, r, err) < 0)
		return -1;
	if (w->subnet && parse_nets(arena, "-subnet", w->subnet, true, r, err) < 0)
		return -1;
	if (!r->nets_given && parse_nets(arena, "-bridgeAddress", DEFAULT_NET4, false, r, err) < 0)
		return -1;
	if (w->no_ipv6) {
		r->net6 = (struct num_cidr){ 0 };
		r->nets_given = true;
	} else if (!r->net6.family) {
		num_cidr("-bridgeAddress", DEFAULT_ULA, &r->net6, NULL);
		uint32_t hash = ipam_hash(r->bridge);
		r->net6.addr.v6.s6_addr[6] = (unsigned char)(hash >> 8);
		r->net6.addr.v6.s6_addr[7] = (unsigned char)hash;
	}
	return 0;
}

static int parse_container(const char *text, struct request *r, struct err *err)
{
	struct num_cidr address = { 0 };
	if (num_cidr("-containerAddress", text, &address, err) < 0)
		return -1;
	if (address.family != AF_INET)
		return err_set(err, EINVAL, "-containerAddress '%s': give the IPv4 address; the IPv6 one follows from it", text);
	if (strchr(text, '/') && r->nets_given && address.prefix != r->net4.prefix)
		return err_set(err, EINVAL, "-containerAddress '%s': the bridge's network has the prefix /%u", text,
			       r->net4.prefix);
	r->container = address;
	return 0;
}

static int parse_values(struct arena *arena, const struct words *w, struct request *r, struct err *err)
{
	uint64_t number = 0;
	if (w->pid) {
		if (num_u64("-pid", w->pid, 1, INT_MAX, &number, err) < 0)
			return -1;
		r->pid = (pid_t)number;
	}
	if (check_ifname("-bridgeName", r->bridge, IFNAMSIZ - 1, err) < 0 ||
	    check_ifname("-ifname", r->ifname, IFNAMSIZ - 1, err) < 0)
		return -1;
	if (w->prefix && check_ifname("-vethNamePrefix", w->prefix, IFNAMSIZ - 5, err) < 0)
		return -1;
	if (w->mtu) {
		if (num_u64("-mtu", w->mtu, MTU_LEAST, MTU_MOST, &number, err) < 0)
			return -1;
		r->mtu = (unsigned int)number;
		r->mtu_given = true;
	}
	if (w->firewall && !record_fw_parse(w->firewall, &r->fw))
		return err_set(err, EINVAL, "-firewall '%.40s': neither auto, iptables nor nftables", w->firewall);
	if (choose_nets(arena, w, r, err) < 0)
		return -1;
	if (w->container && parse_container(w->container, r, err) < 0)
		return -1;
	return parse_adopts(arena, &w->adopt, r, err);
}

static int parse_verb(const char *word, struct request *r, struct err *err)
{
	const char *names[sizeof(verbs) / sizeof(*verbs) + 1];
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		names[i] = verbs[i].name;
		if (str_eq(word, verbs[i].name)) {
			r->verb = verbs[i].verb;
			return 0;
		}
	}
	names[sizeof(verbs) / sizeof(*verbs)] = NULL;
	const char *near = opts_nearest(word, names);
	err_set(err, EINVAL, "unknown command '%.40s'", word);
	return near ? err_hint(err, "did you mean %s?", near) : err_hint(err, "see cosonet --help");
}

// Options may stand before and after the verb.
static int parse_words(struct arena *arena, int argc, char *const argv[], struct words *w, struct request *r, struct err *err)
{
	int next = 0, seen = 0;
	bool verb = false;
	while (seen < argc) {
		if (opts_parse(options, arena, argc - seen, argv + seen, w, &next, err) < 0)
			return -1;
		seen += next;
		if (seen >= argc)
			break;
		if (verb)
			return err_set(err, EINVAL, "one word too many: '%.40s' (see cosonet --help)", argv[seen]);
		if (parse_verb(argv[seen++], r, err) < 0)
			return -1;
		verb = true;
	}
	if (w->help || w->version)
		r->verb = w->help ? REQUEST_HELP : REQUEST_VERSION;
	else if ((verb + !!w->pid + w->release) != 1)
		return err_set(err, EINVAL, "give one of -pid PID, setup, teardown, status, -release (see cosonet --help)");
	else if (w->adopt.count && !w->pid)
		return err_set(err, EINVAL, "-adopt goes with -pid PID (see cosonet --help)");
	else if (w->release)
		r->verb = REQUEST_RELEASE;
	else if (w->adopt.count)
		r->verb = REQUEST_ADOPT;
	return 0;
}

static int parse_metadata(const char *text, bool *out_none, struct err *err)
{
	if (!text || !*text || str_eq(text, "yes"))
		return 0;
	if (!str_eq(text, "no"))
		return err_set(err, EINVAL, "COSO_METADATA '%.80s': yes or no is needed", text);
	*out_none = true;
	return 0;
}

int request_parse(struct arena *arena, int argc, char *const argv[], const char *(*env)(const char *), struct request *out,
		  struct err *err)
{
	struct words w = { 0 };
	struct request r = { .verb = REQUEST_ATTACH };
	if (parse_words(arena, argc, argv, &w, &r, err) < 0)
		return 2;
	r.bridge = w.bridge ? w.bridge : DEFAULT_BRIDGE;
	r.ifname = w.ifname ? w.ifname : "eth0";
	r.veth_prefix = w.prefix;
	r.json = w.json;
	r.verbose = w.verbose;
	if (parse_values(arena, &w, &r, err) < 0)
		return 1;
	const char *id = env("COSO_ID");
	r.id = id && *id ? id : arena_printf(arena, "pid-%d", r.pid);
	if (check_id(r.id, err) < 0)
		return 1;
	const char *state = env("COSO_STATE");
	r.owner = !state ? r.id : arena_printf(arena, "%s@%08x", r.id, (unsigned int)ipam_hash(state));
	if (r.verb == REQUEST_RELEASE && (!id || !*id)) {
		err_set(err, EINVAL, "-release: COSO_ID isn't set, so nothing says whose rules to remove");
		return 1;
	}
	if (parse_metadata(env("COSO_METADATA"), &r.no_metadata, err) < 0)
		return 1;
	if ((r.verb == REQUEST_ATTACH || r.verb == REQUEST_RELEASE) &&
	    publish_parse(arena, env("COSO_PUBLISH"), &r.publish, err) < 0)
		return 1;
	*out = r;
	return 0;
}
