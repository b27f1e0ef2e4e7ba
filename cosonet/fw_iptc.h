// SPDX-License-Identifier: GPL-2.0-or-later
// fw_iptc.h - the firewall's back end on legacy tables (iptables-legacy shows them)
#pragma once

#include "cosonet/fw.h"

extern const struct fw_ops fw_iptc;
