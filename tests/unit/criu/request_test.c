// SPDX-License-Identifier: GPL-2.0-or-later
// request_test.c - command lines, right and wrong, as requests to criu
#include "coso/criu/request.h"
#include "shared/fd.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define PARSE(r, ...) parse(&arena, (const char *const[]){ __VA_ARGS__, NULL }, r, &err)

static int parse(struct arena *arena, const char *const *words, struct request *r, struct err *err)
{
	int count = 0;
	while (words[count])
		count++;
	*err = (struct err){ 0 };
	return request_parse(arena, count, (char *const *)words, r, err);
}

static void close_folders(struct request *r)
{
	fd_close(&r->options->images_dir_fd);
	fd_close(&r->options->work_dir_fd);
}

TEST(request, a_dump_with_all_there_is)
{
	own_arena struct arena arena = { 0 };
	struct err err;
	struct request r;
	CU_ASSERT_EQUAL_FATAL(PARSE(&r, "--criu", "/usr/bin/criu", "dump", "--pid", "4711", "--image-path", "/tmp", "--work-path",
				    "/", "--parent-path", "../before", "--root", "/r", "--leave-running", "--tcp-established",
				    "--tcp-skip-in-flight", "--ext-unix-sk", "--shell-job", "--file-locks", "--link-remap",
				    "--auto-dedup", "--track-mem", "--orphan-pts-master", "--page-server", "[::1]:77", "--empty-ns",
				    "network", "--manage-cgroups-mode", "soft", "--freeze-cgroup", "/f", "--external", "net[1]:key",
				    "--external", "pid[2]:x"),
			      0);
	const CriuOpts *o = r.options;
	CU_ASSERT(r.verb == REQUEST_DUMP && !r.help && r.channel == -1);
	CU_ASSERT_STRING_EQUAL(r.program, "/usr/bin/criu");
	CU_ASSERT_STRING_EQUAL(r.log, "//dump.log");
	CU_ASSERT(o->has_pid && o->pid == 4711);
	CU_ASSERT(o->has_work_dir_fd && o->images_dir_fd > 2 && o->work_dir_fd != o->images_dir_fd);
	CU_ASSERT(fcntl(o->images_dir_fd, F_GETFD) == FD_CLOEXEC);
	CU_ASSERT(o->has_leave_running && o->leave_running && o->has_tcp_established && o->tcp_established);
	CU_ASSERT(o->tcp_skip_in_flight && o->ext_unix_sk && o->shell_job && o->file_locks && o->link_remap);
	CU_ASSERT(o->auto_dedup && o->track_mem && o->orphan_pts_master && !o->has_tcp_close && !o->tcp_close);
	CU_ASSERT(!o->has_rst_sibling && !o->notify_scripts);
	CU_ASSERT(o->ps && o->ps->has_port && o->ps->port == 77 && strcmp(o->ps->address, "[::1]") == 0);
	CU_ASSERT(o->has_empty_ns && o->empty_ns == CLONE_NEWNET);
	CU_ASSERT(o->has_manage_cgroups_mode && o->manage_cgroups_mode == CRIU_CG_MODE__SOFT && o->manage_cgroups);
	CU_ASSERT_STRING_EQUAL(o->parent_img, "../before");
	CU_ASSERT_STRING_EQUAL(o->root, "/r");
	CU_ASSERT_STRING_EQUAL(o->freeze_cgroup, "/f");
	CU_ASSERT(o->n_external == 2 && strcmp(o->external[1], "pid[2]:x") == 0);
	close_folders(&r);
}

TEST(request, a_restore)
{
	own_arena struct arena arena = { 0 };
	struct err err;
	struct request r;
	int ends[2];
	char inherited[32], channel[16];
	CU_ASSERT_EQUAL(pipe2(ends, O_CLOEXEC), 0);
	snprintf(inherited, sizeof(inherited), "%d:pipe:[12]", ends[0]);
	snprintf(channel, sizeof(channel), "%d", ends[1]);
	CU_ASSERT_EQUAL(fcntl(ends[1], F_SETFD, 0), 0);
	CU_ASSERT_EQUAL_FATAL(PARSE(&r, "restore", "--image-path=/tmp", "--tcp-close", "--ext-mount", "/a:/b:c", "--ext-mount",
				    "/a\\:b\\\\c:/d", "--inherit-fd", inherited, "--join-ns", "net:/proc/1/ns/net", "--cgroup-root",
				    "cpu,cpuacct:/a", "--cgroup-root", "/b:c", "--channel", channel, "--lsm-profile", "apparmor:x",
				    "--lsm-mount-context", "ctx"),
			      0);
	const CriuOpts *o = r.options;
	CU_ASSERT(r.verb == REQUEST_RESTORE && o->has_rst_sibling && o->rst_sibling && o->tcp_close && !o->has_pid);
	CU_ASSERT_STRING_EQUAL(r.log, "/tmp/restore.log");
	CU_ASSERT_STRING_EQUAL(o->log_file, "restore.log");
	CU_ASSERT_EQUAL_FATAL(o->n_ext_mnt, 2);
	CU_ASSERT(strcmp(o->ext_mnt[0]->key, "/a") == 0 && strcmp(o->ext_mnt[0]->val, "/b:c") == 0);
	CU_ASSERT(strcmp(o->ext_mnt[1]->key, "/a:b\\c") == 0 && strcmp(o->ext_mnt[1]->val, "/d") == 0);
	CU_ASSERT(o->n_inherit_fd == 1 && o->inherit_fd[0]->fd == ends[0] && strcmp(o->inherit_fd[0]->key, "pipe:[12]") == 0);
	CU_ASSERT(o->n_join_ns == 1 && strcmp(o->join_ns[0]->ns, "net") == 0);
	CU_ASSERT_STRING_EQUAL(o->join_ns[0]->ns_file, "/proc/1/ns/net");
	CU_ASSERT_EQUAL_FATAL(o->n_cg_root, 2);
	CU_ASSERT(strcmp(o->cg_root[0]->ctrl, "cpu,cpuacct") == 0 && strcmp(o->cg_root[0]->path, "/a") == 0);
	CU_ASSERT(!o->cg_root[1]->ctrl && strcmp(o->cg_root[1]->path, "/b:c") == 0);
	CU_ASSERT(r.channel == ends[1] && o->notify_scripts);
	CU_ASSERT(strcmp(o->lsm_profile, "apparmor:x") == 0 && strcmp(o->lsm_mount_context, "ctx") == 0);
	// What is for criu goes to criu, what is for us doesn't.
	CU_ASSERT_EQUAL(fcntl(ends[0], F_GETFD), 0);
	CU_ASSERT_EQUAL(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
	close_folders(&r);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

TEST(request, modes_of_control_groups)
{
	static const struct {
		const char *word;
		CriuCgMode mode;
		bool manage;
	} modes[] = {
		{ "soft", CRIU_CG_MODE__SOFT, true },
		{ "full", CRIU_CG_MODE__FULL, true },
		{ "strict", CRIU_CG_MODE__STRICT, true },
		{ "ignore", CRIU_CG_MODE__IGNORE, false },
	};
	own_arena struct arena arena = { 0 };
	struct err err;
	struct request r;
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		CU_ASSERT_EQUAL_FATAL(PARSE(&r, "restore", "--image-path", "/", "--manage-cgroups-mode", modes[i].word), 0);
		CU_ASSERT(r.options->manage_cgroups_mode == modes[i].mode && r.options->manage_cgroups == modes[i].manage);
		close_folders(&r);
	}
	CU_ASSERT_EQUAL_FATAL(PARSE(&r, "check"), 0);
	CU_ASSERT(r.verb == REQUEST_CHECK && !r.options->has_manage_cgroups && !r.options->has_manage_cgroups_mode);
	CU_ASSERT_STRING_EQUAL(r.program, "criu");
}

#define WRONG(text, ...)                                                                                                           \
	CU_ASSERT_EQUAL(PARSE(&r, __VA_ARGS__), -1);                                                                               \
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, text));

TEST(request, command_lines_that_are_wrong)
{
	own_arena struct arena arena = { 0 };
	struct err err;
	struct request r = { .channel = 77 };
	WRONG("give one of check, dump", "--pid", "1");
	WRONG("give one of check, dump", "dupm");
	WRONG("one word too many: 'x'", "check", "x");
	WRONG("--pid is missing", "dump", "--image-path", "/");
	WRONG("--pid '0'", "pre-dump", "--pid", "0", "--image-path", "/");
	WRONG("--pid goes with dump", "restore", "--pid", "1", "--image-path", "/");
	WRONG("--image-path is missing", "restore");
	WRONG("--image-path '/nowhere': No such file", "restore", "--image-path", "/nowhere");
	WRONG("--work-path '/dev/null': Not a directory", "restore", "--image-path", "/", "--work-path", "/dev/null");
	WRONG("--parent-path '/x'", "dump", "--pid", "1", "--image-path", "/", "--parent-path", "/x");
	WRONG("--manage-cgroups-mode 'hard'", "restore", "--image-path", "/", "--manage-cgroups-mode", "hard");
	WRONG("--page-server '1'", "restore", "--image-path", "/", "--page-server", "1");
	WRONG("--page-server '0'", "restore", "--image-path", "/", "--page-server", "a:0");
	WRONG("--empty-ns 'pid'", "restore", "--image-path", "/", "--empty-ns", "pid");
	WRONG("--ext-mount '/a\\:b'", "restore", "--image-path", "/", "--ext-mount", "/a\\:b");
	WRONG("--inherit-fd '1'", "restore", "--image-path", "/", "--inherit-fd", "1");
	WRONG("--inherit-fd 'x'", "restore", "--image-path", "/", "--inherit-fd", "x:pipe");
	WRONG("--inherit-fd 999: Bad file", "restore", "--image-path", "/", "--inherit-fd", "999:pipe");
	WRONG("--join-ns 'net'", "restore", "--image-path", "/", "--join-ns", "net");
	WRONG("--channel 999: Bad file", "restore", "--image-path", "/", "--channel", "999");
	CU_ASSERT_EQUAL(r.channel, 77); // untouched
	WRONG("--image-path is missing", "restore", "--channel", "0");
	CU_ASSERT_EQUAL(r.channel, 0); // where that is told
}
