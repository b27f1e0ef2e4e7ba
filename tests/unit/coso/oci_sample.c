// SPDX-License-Identifier: GPL-2.0-or-later
// oci_sample.c - reads configurations for tests
#include "tests/unit/coso/oci_sample.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

json_t *sample_json(const char *text)
{
	own_arena struct arena arena = { 0 };
	struct err err = { 0 };
	char *json = arena_strdup(&arena, text);
	for (char *c = json; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	json_t *tree = oci_json_parse("config.json", json, strlen(json), &err);
	if (!tree)
		printf("\n%s", err.msg);
	CU_ASSERT_PTR_NOT_NULL_FATAL(tree);
	return tree;
}

int sample_read(struct arena *arena, const char *text, struct spec *out, struct err *err)
{
	json_t *tree = sample_json(text);
	*err = (struct err){ 0 };
	int result = oci_to_spec(arena, tree, "/b", "id", out, err);
	CU_ASSERT_EQUAL(result < 0, err->msg[0] != '\0');
	json_decref(tree);
	return result;
}

struct spec sample_spec(struct arena *arena, const char *text)
{
	struct spec spec = { 0 };
	struct err err;
	if (sample_read(arena, text, &spec, &err) < 0) {
		printf("\n%s: %s", text, err.msg);
		CU_FAIL("a configuration that is right");
	}
	return spec;
}

void sample_refused(const struct sample_wrong *wrong, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		own_arena struct arena arena = { 0 };
		struct spec spec = { .id = "untouched" };
		struct err err;
		int result = sample_read(&arena, wrong[i].text, &spec, &err);
		if (result < 0 && strstr(err.msg, wrong[i].message) && strcmp(spec.id, "untouched") == 0)
			continue;
		printf("\n%s: '%s' isn't in '%s'", wrong[i].text, wrong[i].message, err.msg);
		CU_FAIL("a configuration that is wrong");
	}
}
