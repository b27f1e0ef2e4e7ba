// SPDX-License-Identifier: GPL-2.0-or-later
// fw.c - the firewall: which back end, and what marks a rule as ours
#include "cosonet/fw.h"

#include "cosonet/fw_iptc.h"
#include "cosonet/fw_nft.h"
#include "cosonet/nft.h"
#include "cosonet/table.h"
#include "shared/arena.h"
#include "shared/proc.h"
#include "shared/str.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct fw_ops *fw_back_end(enum fw_kind kind)
{
	return kind == FW_IPTABLES ? &fw_iptc : &fw_nft;
}

// Modules of legacy tables come when asked for by name, or not at all; where they are built in, or there is no modprobe, this is
// a question without an answer.
static void load_legacy(void)
{
	own_arena struct arena arena = { 0 };
	char *const argv[] = { "modprobe", "-qa", "iptable_nat", "iptable_filter", "ip6table_nat", "ip6table_filter", NULL };
	struct proc_run run = { .path = "/sbin/modprobe", .argv = argv, .timeout_ms = 5000, .cap = 4096 };
	struct proc_result result;
	if (access(run.path, X_OK) == 0)
		proc_run(&arena, &run, &result, NULL);
}

static bool legacy_offered(void)
{
	bool six = access("/proc/net/if_inet6", F_OK) == 0;
	return table_offered(AF_INET) && (!six || table_offered(AF_INET6));
}

int fw_choose(enum fw_kind wish, enum fw_kind *out, struct err *err)
{
	if (wish != FW_NFTABLES && !legacy_offered())
		load_legacy();
	bool legacy = legacy_offered();
	bool nft = nft_offered();
	if (wish == FW_IPTABLES && !legacy)
		return err_set(err, ENOTSUP,
			       "-firewall iptables: this kernel has no legacy tables (modules iptable_nat, ip6table_nat); "
			       "use -firewall nftables");
	if (wish == FW_NFTABLES && !nft)
		return err_set(err, ENOTSUP, "-firewall nftables: this kernel has no nf_tables; use -firewall iptables");
	if (!legacy && !nft)
		return err_set(err, ENOTSUP,
			       "this kernel has neither nf_tables nor legacy iptables tables: load module nf_tables or "
			       "iptable_nat, or run without a network");
	if (wish != FW_AUTO) {
		*out = wish;
		return 0;
	}
	int others = nft ? nft_has_rules_of_others(err) : 0;
	if (others < 0)
		return -1;
	*out = legacy && !others ? FW_IPTABLES : FW_NFTABLES;
	if (*out == FW_NFTABLES && !nft)
		*out = FW_IPTABLES;
	return 0;
}

void fw_comment(char out[FW_COMMENT], const char *bridge, const struct fw_lease *lease)
{
	if (lease)
		snprintf(out, FW_COMMENT, "coso %s %s %s", bridge, lease->veth, lease->owner);
	else
		snprintf(out, FW_COMMENT, "coso %s", bridge);
}

static bool take_word(const char **text, char *out, size_t size)
{
	size_t length = strcspn(*text, " ");
	if (!length || length >= size)
		return false;
	memcpy(out, *text, length);
	out[length] = 0;
	*text += length;
	return true;
}

bool fw_owner_parse(const char *comment, struct fw_owner *out)
{
	struct fw_owner owner = { 0 };
	if (!str_starts(comment, "coso "))
		return false;
	comment += 5;
	if (!take_word(&comment, owner.bridge, sizeof(owner.bridge)))
		return false;
	if (*comment == ' ') {
		comment++;
		if (!take_word(&comment, owner.veth, sizeof(owner.veth)) || *comment++ != ' ' ||
		    !take_word(&comment, owner.owner, sizeof(owner.owner)))
			return false;
		memcpy(owner.id, owner.owner, strcspn(owner.owner, "@"));
	}
	if (*comment)
		return false;
	*out = owner;
	return true;
}

bool fw_sweep_takes(const struct fw_sweep *sweep, const struct fw_owner *owner)
{
	if (sweep->bridge && !str_eq(sweep->bridge, owner->bridge))
		return false;
	if (sweep->everything)
		return true;
	if (!owner->veth[0])
		return false;
	return (sweep->veth && str_eq(sweep->veth, owner->veth)) || (sweep->owner && str_eq(sweep->owner, owner->owner)) ||
	       (sweep->dead && if_nametoindex(owner->veth) == 0);
}
