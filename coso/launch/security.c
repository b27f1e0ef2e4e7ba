// SPDX-License-Identifier: GPL-2.0-or-later
// security.c - filter, user, capabilities
#include "coso/launch/security.h"

#include "coso/launch/caps.h"
#include "coso/launch/idmap.h"
#include "coso/launch/label.h"
#include "coso/launch/launch.h"
#include "coso/launch/notify.h"
#include "coso/spec/capset.h"
#include "shared/fd.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int set_ids(struct launch *launch, struct err *err)
{
	const struct user *u = &launch->user;
	const struct spec_process *p = &launch->spec->process;
	const uint32_t *groups = p->user ? u->groups : p->groups;
	size_t count = p->user ? u->group_count : p->group_count;
	bool denied = launch->caller.no_groups ||
		      (launch_has_userns(launch) && idmap_denies_groups(&launch->caller, &launch->spec->gid_maps));
	if (launch->spec->bundle && attributes_give_streams(u->uid, u->gid, err) < 0)
		return -1;
	if ((launch->caller.privileged || launch_has_userns(launch)) &&
	    attributes_set_groups(&launch->attributes, groups, count, denied, err) < 0)
		return -1;
	if (syscall(SYS_setresgid, u->gid, u->gid, u->gid) < 0 || syscall(SYS_setresuid, u->uid, u->uid, u->uid) < 0) {
		err_sys(err, "become user %u:%u", u->uid, u->gid);
		return errno == EINVAL ? err_hint(err, "the id isn't in the user namespace's map") : -1;
	}
	return 0;
}

static int die_with_parent(struct launch *launch, struct err *err)
{
	if (launch->spec->detach) // it outlives its monitor
		return prctl(PR_SET_PDEATHSIG, 0) < 0 ? err_sys(err, "PR_SET_PDEATHSIG") : 0;
	// After the last change of credentials, which clears it. If the launcher died before, its end of the socket is closed. The exec
	// of a set-id program, or of one with file capabilities, clears it once more (prctl(2)): such a container outlives a launcher that
	// is killed until the next command mends that.
	char byte;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(err, "PR_SET_PDEATHSIG");
	if (recv(launch->gate[1], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
		return err_set(err, EPIPE, "the launcher is gone");
	return 0;
}

void security_describe(const struct launch *launch, FILE *out)
{
	fprintf(out, "             capabilities:");
	for (int i = 0; i < 64; i++) {
		if (launch->spec->process.caps.effective >> i & 1 && capset_name(i))
			fprintf(out, " %s", capset_name(i) + strlen("CAP_"));
	}
	fprintf(out, "%s\n", launch->spec->process.no_new_privileges ? "; no_new_privs" : "");
}

bool security_wants_proc(const struct launch *launch)
{
	const struct spec_process *p = &launch->spec->process;
	return (p->apparmor_profile && *p->apparmor_profile) || (p->selinux_label && *p->selinux_label);
}

// capabilities(7): execve leaves a user other than root only the ambient set. Before it, the program is already looked for with
// that user's rights alone.
static struct spec_caps own_caps(const struct launch *launch)
{
	struct spec_caps caps = launch->spec->process.caps;
	if (launch->no_devices) {
		const uint64_t kept = ~(UINT64_C(1) << CAP_MKNOD);
		caps.bounding &= kept, caps.effective &= kept, caps.permitted &= kept, caps.inheritable &= kept,
			caps.ambient &= kept;
	}
	if (launch->spec->process.user && launch->user.uid != 0)
		caps.effective = caps.permitted = caps.ambient;
	return caps;
}

static int apply_filter(struct launch *launch, struct err *err)
{
	if (!launch->spec->process.seccomp_listener)
		return seccomp_apply(&launch->seccomp, err);
	own_fd int listener = -1;
	if (seccomp_apply_listening(&launch->seccomp, &listener, err) < 0)
		return -1;
	int answers = launch->gate[1] >= 0 ? launch->gate[1] : launch->report[1]; // of start, once it came
	return listener < 0 ? 0 : notify_hand_over(&listener, launch->report[1], answers, err);
}

// Loading a filter needs CAP_SYS_ADMIN or no_new_privs, so without the latter it comes before the capabilities go. A filter that
// forbids what follows would break the launch, hence the order otherwise.
int security_apply(struct launch *launch, struct err *err)
{
	const struct spec_process *p = &launch->spec->process;
	const struct spec_caps caps = own_caps(launch);
	prctl(PR_SET_DUMPABLE, 0);
	if (security_wants_proc(launch) && label_apply(p, launch->proc, err) < 0)
		return -1;
	if (caps_drop_bounding(&caps, err) < 0)
		return -1;
	if (!p->no_new_privileges && apply_filter(launch, err) < 0)
		return -1;
	if (caps_keep_over_setuid(err) < 0 || set_ids(launch, err) < 0 || caps_apply(&caps, err) < 0 ||
	    die_with_parent(launch, err) < 0)
		return -1;
	if (!p->no_new_privileges)
		return 0;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? err_sys(err, "no_new_privs") : apply_filter(launch, err);
}
