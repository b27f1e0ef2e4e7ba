// SPDX-License-Identifier: GPL-2.0-or-later
// caps_test.c - names and sets against libcap; the kernel's sets of a child that applied them
#include "coso/launch/caps.h"
#include "coso/spec/capset.h"
#include "tests/unit/unit.h"

#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIT(number) (UINT64_C(1) << (number))

// Runs `check` in a child and returns its exit status: 0 is what a check wants.
static int in_child(int (*check)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) // an ordinary user has the capabilities of a user namespace to give away
		_exit(geteuid() && unshare(CLONE_NEWUSER) ? 99 : check());
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static uint64_t status_set(const char *field)
{
	char line[256];
	unsigned long long value = ~0ULL;
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof line, file))
		if (!strncmp(line, field, strlen(field)))
			sscanf(line + strlen(field), ":%llx", &value);
	if (file)
		fclose(file);
	return value;
}

// What this process could give to a child in its own user namespace.
static uint64_t held(void)
{
	return status_set("CapBnd") & status_set("CapPrm");
}

static int sets_are(const struct spec_caps *caps)
{
	return status_set("CapBnd") == caps->bounding && status_set("CapPrm") == caps->permitted &&
	       status_set("CapEff") == caps->effective && status_set("CapInh") == caps->inheritable &&
	       status_set("CapAmb") == caps->ambient;
}

TEST(caps, names_are_those_of_libcap)
{
	for (int number = 0; number < CAPSET_NAMED; number++) {
		char *theirs = cap_to_name(number);
		const char *ours = capset_name(number);

		CU_ASSERT_PTR_NOT_NULL_FATAL(ours);
		CU_ASSERT(!strcasecmp(ours, theirs));
		CU_ASSERT_EQUAL(capset_number(ours), number);
		CU_ASSERT_EQUAL(capset_number(ours + 4), number);
		CU_ASSERT_EQUAL(capset_number(theirs), number);
		cap_free(theirs);
	}
	CU_ASSERT_PTR_NULL(capset_name(-1));
	CU_ASSERT_PTR_NULL(capset_name(CAPSET_NAMED));
}

TEST(caps, no_number_for_what_is_no_name)
{
	const char *wrong[] = {
		"", "CAP_", "13", "NET_RAW ", " NET_RAW", "NET", "CAP_CAP_NET_RAW", "ALL", "CAP_CHECKPOINT_RESTORE_AND_MORE"
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CU_ASSERT_EQUAL(capset_number(wrong[i]), -1);
}

TEST(caps, default_set_is_dockers_less_net_raw)
{
	struct spec_caps caps = capset_default();

	CU_ASSERT_EQUAL(caps.bounding, 0xa80425fbULL & ~BIT(CAP_NET_RAW));
	CU_ASSERT_EQUAL(caps.effective, caps.bounding);
	CU_ASSERT_EQUAL(caps.permitted, caps.bounding);
	CU_ASSERT_EQUAL(caps.inheritable, 0);
	CU_ASSERT_EQUAL(caps.ambient, 0);
}

TEST(caps, barco_drops_its_twenty)
{
	struct spec_caps caps = capset_barco();

	CU_ASSERT_EQUAL(__builtin_popcountll(capset_all() & ~caps.bounding), 20);
	CU_ASSERT(!(caps.bounding & (BIT(CAP_SYS_ADMIN) | BIT(CAP_MKNOD) | BIT(CAP_AUDIT_READ) | BIT(CAP_WAKE_ALARM))));
	CU_ASSERT(caps.bounding & BIT(CAP_NET_ADMIN) && caps.bounding & BIT(CAP_SYS_PTRACE) && caps.bounding & BIT(CAP_NET_RAW));
	CU_ASSERT_EQUAL(caps.inheritable, 0);
}

TEST(caps, add_and_drop_change_the_right_sets)
{
	struct err err = { 0 };
	struct spec_caps caps = capset_default();

	CU_ASSERT_EQUAL(capset_add(&caps, "net_raw", &err), 0);
	CU_ASSERT_EQUAL(caps.bounding, 0xa80425fbULL);
	CU_ASSERT_EQUAL(caps.effective, caps.bounding);
	CU_ASSERT_EQUAL(caps.permitted, caps.bounding);
	CU_ASSERT_EQUAL(caps.inheritable | caps.ambient, 0);
	caps.inheritable = caps.ambient = BIT(CAP_NET_RAW) | BIT(CAP_KILL);
	CU_ASSERT_EQUAL(capset_drop(&caps, "Cap_Net_Raw", &err), 0);
	CU_ASSERT_EQUAL(caps.inheritable, BIT(CAP_KILL));
	CU_ASSERT_EQUAL(caps.ambient, BIT(CAP_KILL));
	CU_ASSERT_EQUAL(capset_drop(&caps, "all", &err), 0);
	CU_ASSERT_EQUAL(caps.bounding | caps.effective | caps.permitted | caps.inheritable | caps.ambient, 0);
	CU_ASSERT_EQUAL(capset_add(&caps, "ALL", &err), 0);
	CU_ASSERT_EQUAL(caps.bounding, capset_all());
	CU_ASSERT((capset_all() & BIT(CAPSET_NAMED - 1)) != 0);
}

TEST(caps, unknown_name_is_an_error_with_the_nearest)
{
	struct err err = { 0 };
	struct spec_caps caps = capset_default(), before = caps;

	CU_ASSERT_EQUAL(capset_add(&caps, "sys_amdin", &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "'sys_amdin'"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "CAP_SYS_ADMIN"));
	CU_ASSERT_EQUAL(capset_drop(&caps, "", &err), -1);
	CU_ASSERT_EQUAL(capset_drop(&caps, "0", &err), -1);
	CU_ASSERT(!memcmp(&caps, &before, sizeof caps));
}

// What a child does: bounding set, user, then the other sets.
static int applied(const struct spec_caps *caps, uid_t uid)
{
	struct err err = { 0 };

	if (caps_drop_bounding(caps, &err) || caps_keep_over_setuid(&err))
		return 10;
	if (uid && (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)))
		return 11;
	if (caps_apply(caps, &err))
		return 12;
	return sets_are(caps) && prctl(PR_GET_KEEPCAPS) == 0 ? 0 : 13;
}

static int applied_as_root(void)
{
	struct spec_caps caps = capset_default();

	return applied(&caps, 0);
}

static int applied_as_user(void)
{
	struct spec_caps caps = capset_default();

	return applied(&caps, 12345);
}

static int applied_ambient(void)
{
	struct spec_caps caps = capset_default();

	caps.inheritable = caps.ambient = BIT(CAP_KILL);
	return applied(&caps, 12345);
}

static int applied_none(void)
{
	struct spec_caps caps = { 0 };

	return applied(&caps, 0);
}

static int applied_over_inherited(void)
{
	struct spec_caps inherited = {
		.bounding = held(), .effective = held(), .permitted = held(), .inheritable = held(), .ambient = held()
	};
	struct spec_caps caps = capset_default();
	struct err err = { 0 };

	caps.inheritable = BIT(CAP_KILL); // what is still inheritable keeps its ambient bit unless that is cleared too
	if (caps_apply(&inherited, &err) || status_set("CapAmb") != held())
		return 20;
	return applied(&caps, 0);
}

TEST(caps, kernel_has_exactly_the_five_sets)
{
	CU_ASSERT_EQUAL(in_child(applied_as_root), 0);
	CU_ASSERT_EQUAL(in_child(applied_none), 0);
	CU_ASSERT_EQUAL(in_child(applied_over_inherited), 0);
}

TEST(caps, kernel_has_exactly_the_five_sets_after_a_change_of_user)
{
	if (geteuid()) {
		printf("skipped: changing the user takes root ");
		return;
	}
	CU_ASSERT_EQUAL(in_child(applied_as_user), 0);
	CU_ASSERT_EQUAL(in_child(applied_ambient), 0);
}

static int refused_by_name(void)
{
	struct spec_caps few = { .permitted = BIT(CAP_KILL), .effective = BIT(CAP_KILL) };
	struct spec_caps more = { .permitted = BIT(CAP_KILL) | BIT(CAP_SYS_TIME) };
	struct err err = { 0 };

	if (caps_apply(&few, &err))
		return 30;
	if (!caps_apply(&more, &err) || err.code != 1)
		return 31;
	return strstr(err.msg, "CAP_SYS_TIME") && strstr(err.msg, "--cap-drop SYS_TIME") ? 0 : 32;
}

TEST(caps, a_capability_that_is_not_held_is_named)
{
	CU_ASSERT_EQUAL(in_child(refused_by_name), 0);
}
