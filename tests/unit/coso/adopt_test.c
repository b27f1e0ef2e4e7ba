// SPDX-License-Identifier: GPL-2.0-or-later
// adopt_test.c - the cosonet that lies beside this program is asked for links, and what it says is passed on
#include "coso/launch/adopt.h"
#include "coso/launch/launch.h"
#include "shared/file.h"
#include "shared/installed.h"
#include "shared/sys.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct spec_net_device devices[] = { { "v0", "inside%d" }, { "v1", NULL } };
static const struct spec spec = { .net_devices = devices, .net_device_count = 2 };

static void ip_link(const char *command, const char *name)
{
	char peer[IFNAMSIZ];
	int status = -1;
	snprintf(peer, sizeof(peer), "%s-p", name);
	pid_t pid = fork();
	if (pid == 0) {
		execlp("ip", "ip", "link", command, name, "type", "veth", "peer", "name", peer, NULL);
		_exit(127);
	}
	CU_ASSERT(waitpid(pid, &status, 0) == pid && status == 0);
}

static void check_links(void)
{
	own_arena struct arena arena = { 0 };
	struct launch launch;
	struct err err = { 0 };
	struct clone_args args = { .flags = CLONE_NEWNET, .exit_signal = SIGCHLD };
	CU_ASSERT_EQUAL(unshare(CLONE_NEWNET), 0);
	ip_link("add", "v0");
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	launch_init(&launch, &arena, &spec);
	CU_ASSERT(adopt_wanted(&launch));
	launch.pid = getpid();
	CU_ASSERT_EQUAL(adopt_run(&launch, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "netDevices: -pid "));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "in our own network namespace"));

	launch.pid = pid;
	CU_ASSERT_EQUAL(adopt_run(&launch, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "netDevices: adopt 'v1': there is no such link on the host");
	CU_ASSERT(if_nametoindex("v0") != 0);

	ip_link("add", "v1");
	int rc = adopt_run(&launch, &err);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.msg);
	CU_ASSERT_EQUAL(rc, 0);
	CU_ASSERT(if_nametoindex("v0") == 0 && if_nametoindex("v1") == 0);
	CU_ASSERT(if_nametoindex("v0-p") != 0 && if_nametoindex("v1-p") != 0);
	const char *inside = file_read(&arena, AT_FDCWD, arena_printf(&arena, "/proc/%d/net/dev", pid), FILE_SMALL, NULL, NULL);
	CU_ASSERT(inside && strstr(inside, "inside0:") && strstr(inside, "v1:"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST(adopt, links_are_moved_by_cosonet)
{
	own_arena struct arena arena = { 0 };
	struct launch launch;
	const struct spec none = { 0 };
	launch_init(&launch, &arena, &none);
	CU_ASSERT_FALSE(adopt_wanted(&launch));
	if (geteuid() || access(arena_printf(&arena, "%s/cosonet", installed_folder(&arena)), X_OK) < 0)
		printf("skipped: it takes root, and a cosonet that was built ");
	else
		unit_in_child(check_links);
}
