// SPDX-License-Identifier: GPL-2.0-or-later
// table.c - one legacy table of one family, read, or changed in one commit
#include "cosonet/table.h"

#include "shared/fd.h"
#include "shared/file.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <libiptc/libip6tc.h>
#include <libiptc/libiptc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ATTEMPTS = 50 };

// libiptc has the same functions twice, under two names; the handle's type is one.
struct library {
	struct xtc_handle *(*init)(const char *);
	void (*release)(struct xtc_handle *);
	int (*commit)(struct xtc_handle *);
	int (*is_chain)(const char *, struct xtc_handle *);
	int (*create_chain)(const char *, struct xtc_handle *);
	int (*delete_chain)(const char *, struct xtc_handle *);
	int (*flush)(const char *, struct xtc_handle *);
	int (*delete_num)(const char *, unsigned int, struct xtc_handle *);
	const char *(*error)(int);
};

static const struct library library4 = {
	iptc_init,         iptc_free,          iptc_commit,           iptc_is_chain, iptc_create_chain,
	iptc_delete_chain, iptc_flush_entries, iptc_delete_num_entry, iptc_strerror,
};

static const struct library library6 = {
	ip6tc_init,         ip6tc_free,          ip6tc_commit,           ip6tc_is_chain, ip6tc_create_chain,
	ip6tc_delete_chain, ip6tc_flush_entries, ip6tc_delete_num_entry, ip6tc_strerror,
};

static const struct library *library_of(int family)
{
	return family == AF_INET ? &library4 : &library6;
}

static const char *command_of(int family)
{
	return family == AF_INET ? "iptables" : "ip6tables";
}

static int failed(const struct table *table, const char *what, struct err *err)
{
	int code = errno;
	return err_set(err, code, "%s: %s in table '%s': %s", command_of(table->family), what, table->name,
		       library_of(table->family)->error(code));
}

static const void *first_entry(const struct table *table, const char *chain)
{
	return table->family == AF_INET ? (const void *)iptc_first_rule(chain, table->handle) :
					  (const void *)ip6tc_first_rule(chain, table->handle);
}

static const void *next_entry(const struct table *table, const void *entry)
{
	return table->family == AF_INET ? (const void *)iptc_next_rule(entry, table->handle) :
					  (const void *)ip6tc_next_rule(entry, table->handle);
}

bool table_offered(int family)
{
	return access(family == AF_INET ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names", F_OK) == 0;
}

bool table_exists(int family, const char *name)
{
	own_arena struct arena arena = { 0 };
	const char *path = family == AF_INET ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names";
	const char *text = file_read(&arena, AT_FDCWD, path, FILE_SMALL, NULL, NULL);
	if (!text)
		return false;
	struct strv lines = str_split(&arena, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		if (str_eq(lines.items[i], name))
			return true;
	}
	return false;
}

// struct ip6t_getinfo and ip6t_get_entries are the same but for their names.
static int read_entries(int fd, int family, const char *name, struct ipt_get_entries **out)
{
	struct ipt_getinfo info = { 0 };
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	socklen_t length = sizeof(info);
	memcpy(info.name, name, strlen(name) + 1);
	if (getsockopt(fd, level, IPT_SO_GET_INFO, &info, &length) < 0)
		return -1;
	length = (socklen_t)(sizeof(**out) + info.size);
	*out = calloc(1, length);
	if (!*out)
		return -1;
	memcpy((*out)->name, name, strlen(name) + 1);
	(*out)->size = info.size;
	return getsockopt(fd, level, IPT_SO_GET_ENTRIES, *out, &length);
}

static void free_entries(struct ipt_get_entries **entries)
{
	free(*entries);
}

static bool has_all(const struct ipt_get_entries *entries, const char *const *texts)
{
	for (; *texts; texts++) {
		if (!memmem(entries->entrytable, entries->size, *texts, strlen(*texts) + 1))
			return false;
	}
	return true;
}

int table_contains(int family, const char *name, const char *const *texts, struct err *err)
{
	own_fd int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "%s: socket", command_of(family));
	for (int i = 0; i < ATTEMPTS; i++) {
		__attribute__((cleanup(free_entries))) struct ipt_get_entries *entries = NULL;
		if (read_entries(fd, family, name, &entries) == 0)
			return has_all(entries, texts);
		if (errno == ENOENT || errno == ENOPROTOOPT)
			return 0;
		if (errno != EAGAIN) // the table changed between the two calls
			return err_sys(err, "%s: read table '%s'", command_of(family), name);
	}
	return err_set(err, EAGAIN, "%s: table '%s' changes all the time", command_of(family), name);
}

static int open_table(struct table *table, int family, const char *name, struct err *err)
{
	*table = (struct table){ family, name, NULL };
	table->handle = library_of(family)->init(name);
	if (table->handle)
		return 0;
	failed(table, "read", err);
	return err_hint(err, "-firewall nftables uses the kernel's other firewall");
}

int table_change(int family, const char *name, int (*change)(struct table *, void *, struct err *), void *arg, struct err *err)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		struct table table;
		if (open_table(&table, family, name, err) < 0)
			return -1;
		int rc = change(&table, arg, err);
		bool again = false;
		if (rc > 0) {
			rc = 0;
			if (!library_of(family)->commit(table.handle)) {
				again = errno == EAGAIN;
				rc = failed(&table, "commit", err);
			}
		}
		library_of(family)->release(table.handle);
		if (!again)
			return rc;
	}
	return -1;
}

void table_each(const struct table *table, const char *chain, void (*each)(const struct rule *, void *), void *arg)
{
	for (const void *e = first_entry(table, chain); e; e = next_entry(table, e)) {
		struct rule rule;
		rule_decode(e, table->family, &rule);
		each(&rule, arg);
	}
}

int table_read(int family, const char *name, const char *chain, void (*each)(const struct rule *, void *), void *arg,
	       struct err *err)
{
	struct table table;
	if (open_table(&table, family, name, err) < 0)
		return -1;
	if (table_has_chain(&table, chain))
		table_each(&table, chain, each, arg);
	library_of(family)->release(table.handle);
	return 0;
}

bool table_has_chain(const struct table *table, const char *chain)
{
	return library_of(table->family)->is_chain(chain, table->handle);
}

int table_add_chain(struct table *table, const char *chain, struct err *err)
{
	return library_of(table->family)->create_chain(chain, table->handle) ? 0 : failed(table, "make a chain", err);
}

int table_append(struct table *table, const char *chain, const struct rule *rule, struct err *err)
{
	_Alignas(max_align_t) unsigned char entry[RULE_MAX];
	rule_encode(rule, table->family, entry);
	int ok = table->family == AF_INET ? iptc_append_entry(chain, (const void *)entry, table->handle) :
					    ip6tc_append_entry(chain, (const void *)entry, table->handle);
	return ok ? 0 : failed(table, "add a rule", err);
}

int table_prepend(struct table *table, const char *chain, const struct rule *rule, struct err *err)
{
	_Alignas(max_align_t) unsigned char entry[RULE_MAX];
	rule_encode(rule, table->family, entry);
	int ok = table->family == AF_INET ? iptc_insert_entry(chain, (const void *)entry, 0, table->handle) :
					    ip6tc_insert_entry(chain, (const void *)entry, 0, table->handle);
	return ok ? 0 : failed(table, "add a rule", err);
}

bool table_is_empty(const struct table *table, const char *chain)
{
	return !first_entry(table, chain);
}

bool table_has_comment(const struct table *table, const char *chain, const char *comment)
{
	for (const void *e = first_entry(table, chain); e; e = next_entry(table, e)) {
		if (str_eq(rule_comment(e, table->family), comment))
			return true;
	}
	return false;
}

int table_remove(struct table *table, const char *chain, bool (*match)(const struct rule *, void *), void *arg, struct err *err)
{
	int removed = 0;
	unsigned int number = 0;
	const void *next;
	for (const void *e = first_entry(table, chain); e; e = next) {
		struct rule rule;
		rule_decode(e, table->family, &rule);
		next = next_entry(table, e);
		if (!match(&rule, arg)) {
			number++;
			continue;
		}
		if (!library_of(table->family)->delete_num(chain, number, table->handle))
			return failed(table, "remove a rule", err);
		removed++;
	}
	return removed;
}

int table_drop_chain(struct table *table, const char *chain, struct err *err)
{
	const struct library *lib = library_of(table->family);
	if (!lib->flush(chain, table->handle) || !lib->delete_chain(chain, table->handle))
		return failed(table, "remove a chain", err);
	return 0;
}
