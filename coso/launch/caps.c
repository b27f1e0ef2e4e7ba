// SPDX-License-Identifier: GPL-2.0-or-later
// caps.c - capability sets on their way into the kernel, by raw system calls
#include "coso/launch/caps.h"

#include "coso/spec/capset.h"

#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(number) (UINT64_C(1) << (number))

enum { NUMBERS = 64 }; // what a set can hold; the kernel's last capability is below it

static uint64_t sets_permitted(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data) ? 0 : (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

static int sets_write(const struct spec_caps *caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int half = 0; half < 2; half++)
		data[half] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(caps->effective >> (32 * half)),
			.permitted = (uint32_t)(caps->permitted >> (32 * half)),
			.inheritable = (uint32_t)(caps->inheritable >> (32 * half)),
		};
	return (int)syscall(SYS_capset, &header, data);
}

// Says which capability the kernel refused: the first one asked for that the process doesn't hold.
static int sets_refused(const struct spec_caps *caps, struct err *err)
{
	int code = errno;
	uint64_t missing = (caps->effective | caps->permitted | caps->inheritable) & ~sets_permitted();

	for (int number = 0; code == EPERM && number < CAPSET_NAMED; number++)
		if (missing & BIT(number)) {
			err_set(err, code, "give capability %s to the container: %s", capset_name(number), strerror(code));
			return err_hint(err, "the caller doesn't have it; drop it with --cap-drop %s", capset_name(number) + 4);
		}
	errno = code;
	return err_sys(err, "set the capabilities");
}

int caps_drop_bounding(const struct spec_caps *caps, struct err *err)
{
	for (int number = 0; number < NUMBERS; number++) {
		int present = prctl(PR_CAPBSET_READ, number, 0, 0, 0);

		if (present < 0)
			break; // EINVAL: past the kernel's last capability
		if (!present || caps->bounding & BIT(number))
			continue;
		if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0))
			return err_sys(err, "drop capability %d from the bounding set", number);
	}
	return 0;
}

int caps_keep_over_setuid(struct err *err)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return err_sys(err, "keep capabilities over the change of user");
	return 0;
}

int caps_apply(const struct spec_caps *caps, struct err *err)
{
	if (sets_write(caps))
		return sets_refused(caps, err);
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0))
		return err_sys(err, "end keeping capabilities over a change of user");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		return err_sys(err, "clear the ambient capabilities");
	for (int number = 0; number < NUMBERS; number++)
		if (caps->ambient & BIT(number) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0))
			return err_sys(err, "raise ambient capability %d", number);
	return 0;
}
