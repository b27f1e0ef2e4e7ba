// SPDX-License-Identifier: GPL-2.0-or-later
// oci_kill.c - kill and delete
#include "coso/oci/container.h"
#include "coso/oci/oci.h"
#include "shared/fd.h"
#include "shared/opts.h"
#include "shared/signame.h"
#include "shared/sys.h"

#include <errno.h>
#include <regex.h>
#include <signal.h>
#include <stddef.h>

enum { THAW_MS = 10000 };

struct options {
	const char *signal;
	bool all, force, regex;
};

static const struct opt kill_table[] = {
	{ "all", 'a', OPT_FLAG, offsetof(struct options, all), NULL, "signal all processes of the container" },
	{ "signal", 's', OPT_TEXT, offsetof(struct options, signal), "SIGNAL", NULL },
	{ 0 },
};
static const struct opt delete_table[] = {
	{ "force", 'f', OPT_FLAG, offsetof(struct options, force), NULL, "end it first; no error if there is none" },
	{ "regex", 'r', OPT_FLAG, offsetof(struct options, regex), NULL, "all whose ids an extended regular expression matches" },
	{ 0 },
};

static int signal_group(const struct container *c, int signal, struct err *err)
{
	struct cgroup cgroup;
	if (container_cgroup(c, &cgroup, err) < 0)
		return -1;
	int result = cgroup_signal(&cgroup, signal, err);
	if (result == 0 && signal == SIGKILL)
		result = cgroup_thaw_killed(&cgroup, THAW_MS, err);
	cgroup_close(&cgroup);
	return result;
}

static int signal_process(const struct container *c, int signal, struct err *err)
{
	own_fd int pidfd = container_pidfd(c);
	if (pidfd < 0 || sys_pidfd_send_signal(pidfd, signal) < 0)
		return err_set(err, ESRCH, "container not running: no such process");
	return 0;
}

static int send_signal(const struct container *c, int signal, bool all, struct err *err)
{
	bool stopped = container_status(c) == CONTAINER_STOPPED;
	if (stopped && !all)
		return err_set(err, ESRCH, "container not running: no such process");
	// With a pid namespace of its own the first process takes all others with it.
	if (all || (signal == SIGKILL && !c->pid_namespace && c->cgroup.count)) {
		if (c->cgroup.count)
			return signal_group(c, signal, err);
		return stopped ? 0 : signal_process(c, signal, err);
	}
	if (signal_process(c, signal, err) < 0)
		return -1;
	struct cgroup cgroup;
	if (signal != SIGKILL || container_cgroup(c, &cgroup, err) < 0)
		return 0;
	int result = cgroup_thaw_killed(&cgroup, THAW_MS, err);
	cgroup_close(&cgroup);
	return result;
}

int oci_cmd_kill(struct oci *oci, int *out_exit_code, struct err *err)
{
	struct options options = { 0 };
	struct container c;
	*out_exit_code = 0;
	int help = oci_options(oci, kill_table, &options, err);
	if (help)
		return help < 0 ? -1 : 0;
	const char *id = oci_id(oci, err), *name = oci->argc > 1 ? oci->argv[1] : options.signal;
	if (!id)
		return -1;
	int signal = name ? signame_parse(name) : SIGTERM;
	if (signal < 0)
		return err_set(err, EINVAL, "unknown signal \"%.40s\"", name);
	if (container_open(oci->arena, oci->root, id, &c, err) < 0)
		return -1;
	int result = send_signal(&c, signal, options.all, err);
	container_close(&c);
	return result;
}

static int check_ended(const struct container *c, struct err *err)
{
	enum container_status status = container_status(c);
	if (status == CONTAINER_RUNNING || status == CONTAINER_PAUSED)
		return err_set(err, EBUSY, "cannot delete container %s that is not stopped: %s", c->id,
			       container_status_name(status));
	return 0;
}

// What holds the lock may be creating it, starting it, or removing it: then it is gone once the lock is free.
static int delete (struct container *c, bool force, struct err *err)
{
	if ((!force && check_ended(c, err) < 0) || container_lock(c, err) < 0 || (!force && check_ended(c, err) < 0))
		return -1;
	return container_remove(c, err);
}

static int delete_one(struct oci *oci, const char *id, bool force, struct err *err)
{
	struct container c;
	if (container_open(oci->arena, oci->root, id, &c, err) < 0) {
		if (force && err->code == EBADMSG)
			return container_forget(oci->arena, oci->root, id, err);
		return force && err->code == ENOENT ? 0 : -1;
	}
	int result = delete (&c, force, err);
	container_close(&c);
	return result < 0 && force && err->code == ENOENT ? 0 : result;
}

struct matching {
	struct arena *arena;
	regex_t regex;
	struct strv ids;
};

static void note_match(const struct container *c, void *data)
{
	struct matching *m = data;
	if (regexec(&m->regex, c->id, 0, NULL, 0) == 0)
		strv_push(m->arena, &m->ids, c->id);
}

// All are tried; the first that couldn't be deleted is the error.
static int delete_matching(struct oci *oci, const char *pattern, bool force, struct err *err)
{
	struct matching matching = { .arena = oci->arena };
	struct err why;
	if (regcomp(&matching.regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return err_set(err, EINVAL, "--regex: '%.80s' is no extended regular expression", pattern);
	int result = container_each(oci->arena, oci->root, note_match, &matching, err);
	for (size_t i = 0; i < matching.ids.count; i++) {
		if (delete_one(oci, matching.ids.items[i], force, &why) < 0 && result == 0) {
			*err = why;
			result = -1;
		}
	}
	regfree(&matching.regex);
	return result;
}

int oci_cmd_delete(struct oci *oci, int *out_exit_code, struct err *err)
{
	struct options options = { 0 };
	*out_exit_code = 0;
	int help = oci_options(oci, delete_table, &options, err);
	if (help)
		return help < 0 ? -1 : 0;
	if (options.regex && oci->argc != 1)
		return err_set(err, EINVAL, "--regex takes one expression, in quotation marks if the shell would expand it");
	if (options.regex)
		return delete_matching(oci, oci->argv[0], options.force, err);
	const char *id = oci_id(oci, err);
	return id ? delete_one(oci, id, options.force, err) : -1;
}
