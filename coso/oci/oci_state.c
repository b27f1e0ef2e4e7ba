// SPDX-License-Identifier: GPL-2.0-or-later
// oci_state.c - state and list
#include "coso/oci/container.h"
#include "coso/oci/oci.h"
#include "shared/opts.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

int oci_cmd_state(struct oci *oci, int *out_exit_code, struct err *err)
{
	static const struct opt table[] = { { 0 } };
	struct container c;
	*out_exit_code = 0;
	int help = oci_options(oci, table, NULL, err);
	if (help)
		return help < 0 ? -1 : 0;
	const char *id = oci_id(oci, err);
	if (!id || container_open(oci->arena, oci->root, id, &c, err) < 0)
		return -1;
	json_t *state = container_json(&c);
	json_dumpf(state, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(state);
	container_close(&c);
	return 0;
}

struct list_options {
	const char *format;
	bool quiet;
};

static void add(const struct container *c, void *data)
{
	json_array_append_new(data, container_json(c));
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));
	return value ? value : "";
}

static void print_table(const json_t *list)
{
	size_t i;
	json_t *c;
	printf("%-20s %-8s %-10s %-40s %-32s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER");
	json_array_foreach(list, i, c)
		printf("%-20s %-8d %-10s %-40s %-32s %s\n", text(c, "id"), (int)json_integer_value(json_object_get(c, "pid")),
		       text(c, "status"), text(c, "bundle"), text(c, "created"), text(c, "owner"));
}

static int print_list(const json_t *list, const struct list_options *options, struct err *err)
{
	size_t i;
	json_t *c;
	if (options->quiet) {
		json_array_foreach(list, i, c)
			printf("%s\n", text(c, "id"));
	} else if (!options->format || str_eq(options->format, "table")) {
		print_table(list);
	} else if (str_eq(options->format, "json")) {
		json_dumpf(list, stdout, JSON_COMPACT);
		printf("\n");
	} else {
		return err_set(err, EINVAL, "--format '%.40s': neither table nor json", options->format);
	}
	return 0;
}

int oci_cmd_list(struct oci *oci, int *out_exit_code, struct err *err)
{
	static const struct opt table[] = {
		{ "format", 'f', OPT_TEXT, offsetof(struct list_options, format), "table|json", "form of the list (table)" },
		{ "quiet", 'q', OPT_FLAG, offsetof(struct list_options, quiet), NULL, "print ids only" },
		{ 0 },
	};
	struct list_options options = { 0 };
	*out_exit_code = 0;
	int help = oci_options(oci, table, &options, err);
	if (help)
		return help < 0 ? -1 : 0;
	json_t *list = json_array();
	int result = container_each(oci->arena, oci->root, add, list, err);
	if (result == 0)
		result = print_list(list, &options, err);
	json_decref(list);
	return result;
}
