// SPDX-License-Identifier: GPL-2.0-or-later
// record.c - what a bridge remembers, in the kernel's alias of the link (pure)
#include "cosonet/record.h"

#include "shared/arena.h"
#include "shared/str.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const char *const fw_names[] = { [FW_AUTO] = "auto", [FW_IPTABLES] = "iptables", [FW_NFTABLES] = "nftables" };

const char *record_fw_name(enum fw_kind kind)
{
	return fw_names[kind];
}

bool record_fw_parse(const char *name, enum fw_kind *out)
{
	for (enum fw_kind kind = FW_AUTO; kind <= FW_NFTABLES; kind++) {
		if (str_eq(name, fw_names[kind])) {
			*out = kind;
			return true;
		}
	}
	return false;
}

const char *record_host(const struct num_cidr *cidr, char out[RECORD_ADDRESS])
{
	if (!inet_ntop(cidr->family, &cidr->addr, out, RECORD_ADDRESS))
		snprintf(out, RECORD_ADDRESS, "-");
	return out;
}

const char *record_cidr(const struct num_cidr *cidr, char out[RECORD_ADDRESS])
{
	record_host(cidr, out);
	size_t length = strlen(out);
	if (cidr->family)
		snprintf(out + length, RECORD_ADDRESS - length, "/%u", cidr->prefix);
	return out;
}

int record_print(const struct record *record, char out[RECORD_MAX])
{
	char net4[RECORD_ADDRESS], net6[RECORD_ADDRESS];
	int n = snprintf(out, RECORD_MAX, "coso1 %s net4=%s net6=%s fw=%s mtu=%u f4=%d r4=%d f6=%d",
			 record->ready ? "ready" : "begun", record_cidr(&record->net4, net4), record_cidr(&record->net6, net6),
			 fw_names[record->fw], record->mtu, record->forward4, record->redirects4, record->forward6);
	return n > 0 && n < RECORD_MAX ? 0 : -1;
}

// What comes after "name=" in a word that starts so, or NULL.
static const char *value_of(const char *word, const char *name)
{
	size_t length = strlen(name);
	return strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

static bool parse_state(const char *text, int *out)
{
	int64_t value = 0;
	if (num_i64("record", text, -1, 1, &value, NULL) < 0)
		return false;
	*out = (int)value;
	return true;
}

static bool parse_net(const char *text, int family, struct num_cidr *out)
{
	if (family == AF_INET6 && str_eq(text, "-"))
		return true;
	return num_cidr("record", text, out, NULL) == 0 && out->family == family;
}

static bool parse_word(const char *word, struct record *r)
{
	uint64_t mtu = 0;
	const char *value;
	if ((value = value_of(word, "net4")))
		return parse_net(value, AF_INET, &r->net4);
	if ((value = value_of(word, "net6")))
		return parse_net(value, AF_INET6, &r->net6);
	if ((value = value_of(word, "fw")))
		return record_fw_parse(value, &r->fw);
	if ((value = value_of(word, "f4")))
		return parse_state(value, &r->forward4);
	if ((value = value_of(word, "r4")))
		return parse_state(value, &r->redirects4);
	if ((value = value_of(word, "f6")))
		return parse_state(value, &r->forward6);
	if ((value = value_of(word, "mtu")) && num_u64("record", value, 0, 65535, &mtu, NULL) == 0) {
		r->mtu = (unsigned int)mtu;
		return true;
	}
	return false;
}

bool record_parse(const char *text, struct record *out)
{
	own_arena struct arena arena = { 0 };
	struct record r = { 0 };
	if (!text || !str_starts(text, "coso1 "))
		return false;
	struct strv words = str_split(&arena, text, ' ');
	r.ready = words.count > 1 && str_eq(words.items[1], "ready");
	for (size_t i = 2; i < words.count; i++) {
		if (!parse_word(words.items[i], &r))
			return false;
	}
	if (!r.net4.family)
		return false;
	*out = r;
	return true;
}
