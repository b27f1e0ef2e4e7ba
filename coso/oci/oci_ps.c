// SPDX-License-Identifier: GPL-2.0-or-later
// oci_ps.c - ps: the processes of a container, as the host numbers them
#include "coso/oci/container.h"
#include "coso/oci/oci.h"
#include "shared/num.h"
#include "shared/opts.h"
#include "shared/proc.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PS_MS = 30000, PS_CAP = 16 << 20 };

struct options {
	const char *format;
};

static bool has(const struct cgroup_pids *pids, uint64_t pid)
{
	for (size_t i = 0; i < pids->count; i++) {
		if ((uint64_t)pids->items[i] == pid)
			return true;
	}
	return false;
}

static void print_json(const struct cgroup_pids *pids)
{
	printf("[");
	for (size_t i = 0; i < pids->count; i++)
		printf("%s%d", i ? "," : "", (int)pids->items[i]);
	printf("]\n");
}

// The words of a line of ps; which of them is the pid, its header tells.
static struct strv words_of(struct arena *arena, const char *line)
{
	struct strv words = { 0 };
	char *copy = arena_strdup(arena, line), *save = NULL;
	for (char *word = strtok_r(copy, " \t", &save); word; word = strtok_r(NULL, " \t", &save))
		strv_push(arena, &words, word);
	return words;
}

static int find_column(struct arena *arena, const char *header, size_t *out)
{
	struct strv words = words_of(arena, header);
	for (size_t i = 0; i < words.count; i++) {
		if (str_eq(words.items[i], "PID")) {
			*out = i;
			return 0;
		}
	}
	return -1;
}

static int filter(struct arena *arena, const char *text, const struct cgroup_pids *pids, struct err *err)
{
	struct strv lines = str_split(arena, text, '\n');
	size_t column = 0;
	if (!lines.count || find_column(arena, lines.items[0], &column) < 0)
		return err_set(err, EINVAL, "ps: its first line has no column PID");
	printf("%s\n", lines.items[0]);
	for (size_t i = 1; i < lines.count; i++) {
		struct strv words = words_of(arena, lines.items[i]);
		uint64_t pid;
		if (words.count > column && num_u64("pid", words.items[column], 1, INT32_MAX, &pid, NULL) == 0 && has(pids, pid))
			printf("%s\n", lines.items[i]);
	}
	return 0;
}

static const char *find_ps(void)
{
	static const char *const paths[] = { "/usr/bin/ps", "/bin/ps" };
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	}
	return NULL;
}

static int print_table(struct oci *oci, const struct cgroup_pids *pids, struct err *err)
{
	struct strv argv = { 0 };
	struct proc_result result;
	const char *ps = find_ps();
	if (!ps)
		return err_set(err, ENOENT, "ps isn't installed (--format json does without)");
	strv_push(oci->arena, &argv, "ps");
	for (int i = 1; i < oci->argc; i++)
		strv_push(oci->arena, &argv, oci->argv[i]);
	if (argv.count == 1)
		strv_push(oci->arena, &argv, "-ef");
	const struct proc_run run = { .path = ps, .argv = argv.items, .timeout_ms = PS_MS, .cap = PS_CAP };
	if (proc_run(oci->arena, &run, &result, err) < 0)
		return -1;
	if (proc_exit_code(result.status) != 0)
		return err_set(err, EIO, "ps failed: %.400s", result.err);
	return filter(oci->arena, result.out, pids, err);
}

static int print(struct oci *oci, const struct container *c, const char *format, struct err *err)
{
	struct cgroup cgroup;
	struct cgroup_pids pids = { 0 };
	enum container_status status = container_status(c);
	if (status == CONTAINER_STOPPED)
		return err_set(err, ESRCH, "container not running");
	if (container_cgroup(c, &cgroup, err) < 0)
		return -1;
	pid_t first = c->pid;
	int result = c->cgroup.count ? cgroup_list(&cgroup, oci->arena, &pids, err) : 0;
	cgroup_close(&cgroup);
	if (!c->cgroup.count)
		pids = (struct cgroup_pids){ &first, 1 };
	if (result < 0)
		return -1;
	if (str_eq(format, "json"))
		print_json(&pids);
	else
		result = print_table(oci, &pids, err);
	return result;
}

int oci_cmd_ps(struct oci *oci, int *out_exit_code, struct err *err)
{
	static const struct opt table[] = {
		{ "format", 'f', OPT_TEXT, offsetof(struct options, format), "table|json", "as ps prints it, or pids (table)" },
		{ 0 },
	};
	struct options options = { .format = "table" };
	struct container c;
	*out_exit_code = 0;
	int help = oci_options(oci, table, &options, err);
	if (help)
		return help < 0 ? -1 : 0;
	if (!str_eq(options.format, "table") && !str_eq(options.format, "json"))
		return err_set(err, EINVAL, "--format '%.40s': neither table nor json", options.format);
	const char *id = oci_id(oci, err);
	if (!id || container_open(oci->arena, oci->root, id, &c, err) < 0)
		return -1;
	int result = print(oci, &c, options.format, err);
	container_close(&c);
	return result;
}
