// SPDX-License-Identifier: GPL-2.0-or-later
// fw_nft.h - the firewall's back end on nf_tables: one table of ours, "inet coso"
#pragma once

#include "cosonet/fw.h"

extern const struct fw_ops fw_nft;
