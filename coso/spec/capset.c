// SPDX-License-Identifier: GPL-2.0-or-later
// capset.c - capability names, and COSO's sets of them
#include "coso/spec/capset.h"

#include "shared/opts.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#define BIT(number) (UINT64_C(1) << (number))

// linux/capability.h of the oldest supported distributions lacks the last three.
enum { PERFMON = 38, BPF = 39, CHECKPOINT_RESTORE = 40 };

enum { NUMBERS = 64 }; // what a set can hold; the kernel's last capability is below it

static const char *const names[CAPSET_NAMED + 1] = {
	[CAP_CHOWN] = "CAP_CHOWN",
	[CAP_DAC_OVERRIDE] = "CAP_DAC_OVERRIDE",
	[CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH",
	[CAP_FOWNER] = "CAP_FOWNER",
	[CAP_FSETID] = "CAP_FSETID",
	[CAP_KILL] = "CAP_KILL",
	[CAP_SETGID] = "CAP_SETGID",
	[CAP_SETUID] = "CAP_SETUID",
	[CAP_SETPCAP] = "CAP_SETPCAP",
	[CAP_LINUX_IMMUTABLE] = "CAP_LINUX_IMMUTABLE",
	[CAP_NET_BIND_SERVICE] = "CAP_NET_BIND_SERVICE",
	[CAP_NET_BROADCAST] = "CAP_NET_BROADCAST",
	[CAP_NET_ADMIN] = "CAP_NET_ADMIN",
	[CAP_NET_RAW] = "CAP_NET_RAW",
	[CAP_IPC_LOCK] = "CAP_IPC_LOCK",
	[CAP_IPC_OWNER] = "CAP_IPC_OWNER",
	[CAP_SYS_MODULE] = "CAP_SYS_MODULE",
	[CAP_SYS_RAWIO] = "CAP_SYS_RAWIO",
	[CAP_SYS_CHROOT] = "CAP_SYS_CHROOT",
	[CAP_SYS_PTRACE] = "CAP_SYS_PTRACE",
	[CAP_SYS_PACCT] = "CAP_SYS_PACCT",
	[CAP_SYS_ADMIN] = "CAP_SYS_ADMIN",
	[CAP_SYS_BOOT] = "CAP_SYS_BOOT",
	[CAP_SYS_NICE] = "CAP_SYS_NICE",
	[CAP_SYS_RESOURCE] = "CAP_SYS_RESOURCE",
	[CAP_SYS_TIME] = "CAP_SYS_TIME",
	[CAP_SYS_TTY_CONFIG] = "CAP_SYS_TTY_CONFIG",
	[CAP_MKNOD] = "CAP_MKNOD",
	[CAP_LEASE] = "CAP_LEASE",
	[CAP_AUDIT_WRITE] = "CAP_AUDIT_WRITE",
	[CAP_AUDIT_CONTROL] = "CAP_AUDIT_CONTROL",
	[CAP_SETFCAP] = "CAP_SETFCAP",
	[CAP_MAC_OVERRIDE] = "CAP_MAC_OVERRIDE",
	[CAP_MAC_ADMIN] = "CAP_MAC_ADMIN",
	[CAP_SYSLOG] = "CAP_SYSLOG",
	[CAP_WAKE_ALARM] = "CAP_WAKE_ALARM",
	[CAP_BLOCK_SUSPEND] = "CAP_BLOCK_SUSPEND",
	[CAP_AUDIT_READ] = "CAP_AUDIT_READ",
	[PERFMON] = "CAP_PERFMON",
	[BPF] = "CAP_BPF",
	[CHECKPOINT_RESTORE] = "CAP_CHECKPOINT_RESTORE",
};

static const uint64_t docker_less_net_raw = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) |
					    BIT(CAP_KILL) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) |
					    BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT) | BIT(CAP_MKNOD) |
					    BIT(CAP_AUDIT_WRITE) | BIT(CAP_SETFCAP);

static const uint64_t barco_dropped = BIT(CAP_AUDIT_CONTROL) | BIT(CAP_AUDIT_READ) | BIT(CAP_AUDIT_WRITE) | BIT(CAP_BLOCK_SUSPEND) |
				      BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FSETID) | BIT(CAP_IPC_LOCK) | BIT(CAP_MAC_ADMIN) |
				      BIT(CAP_MAC_OVERRIDE) | BIT(CAP_MKNOD) | BIT(CAP_SETFCAP) | BIT(CAP_SYSLOG) |
				      BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_BOOT) | BIT(CAP_SYS_MODULE) | BIT(CAP_SYS_NICE) |
				      BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_RESOURCE) | BIT(CAP_SYS_TIME) | BIT(CAP_WAKE_ALARM);

// "net_raw" and "Cap_Net_Raw" become "CAP_NET_RAW". False if it is too long to be a name.
static bool name_normalise(const char *name, char out[32])
{
	bool bare = strncasecmp(name, "CAP_", 4) != 0;
	int length = snprintf(out, 32, "%s%s", bare ? "CAP_" : "", name);

	if (length < 0 || length >= 32)
		return false;
	for (char *c = out; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return true;
}

// The bits that `name` stands for: one capability, or all of them.
static int name_bits(const char *name, uint64_t *out_bits, struct err *err)
{
	char full[32];
	int number = capset_number(name);

	if (!strcasecmp(name, "ALL")) {
		*out_bits = capset_all();
		return 0;
	}
	if (number >= 0 && !(capset_all() & BIT(number)))
		return err_set(err, EINVAL, "capability '%s': this kernel doesn't know it", name);
	if (number >= 0) {
		*out_bits = BIT(number);
		return 0;
	}
	const char *near = name_normalise(name, full) ? opts_nearest(full, names) : NULL;

	err_set(err, EINVAL, "capability '%s': no such capability", name);
	return near ? err_hint(err, "did you mean %s?", near) : -1;
}

static struct spec_caps capset_plain(uint64_t bits)
{
	return (struct spec_caps){ .bounding = bits, .effective = bits, .permitted = bits };
}

struct spec_caps capset_default(void)
{
	return capset_plain(docker_less_net_raw);
}

struct spec_caps capset_barco(void)
{
	return capset_plain(capset_all() & ~barco_dropped);
}

int capset_add(struct spec_caps *caps, const char *name, struct err *err)
{
	uint64_t bits = 0;

	if (name_bits(name, &bits, err))
		return -1;
	caps->bounding |= bits;
	caps->effective |= bits;
	caps->permitted |= bits;
	return 0;
}

int capset_drop(struct spec_caps *caps, const char *name, struct err *err)
{
	uint64_t bits = 0;

	if (name_bits(name, &bits, err))
		return -1;
	caps->bounding &= ~bits;
	caps->effective &= ~bits;
	caps->permitted &= ~bits;
	caps->inheritable &= ~bits; // a capability that was dropped stays dropped over execve
	caps->ambient &= ~bits;
	return 0;
}

int capset_number(const char *name)
{
	char full[32];

	if (!name_normalise(name, full))
		return -1;
	for (int number = 0; number < CAPSET_NAMED; number++)
		if (!strcmp(names[number], full))
			return number;
	return -1;
}

const char *capset_name(int number)
{
	return number >= 0 && number < CAPSET_NAMED ? names[number] : NULL;
}

// Asked by prctl(2), since /proc may be missing or somebody else's.
uint64_t capset_all(void)
{
	uint64_t all = 0;

	for (int number = 0; number < NUMBERS && prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++)
		all |= BIT(number);
	return all;
}

uint64_t capset_bounding(void)
{
	uint64_t bounding = 0;
	int has;

	for (int number = 0; number < NUMBERS && (has = prctl(PR_CAPBSET_READ, number, 0, 0, 0)) >= 0; number++)
		bounding |= has ? BIT(number) : 0;
	return bounding;
}
