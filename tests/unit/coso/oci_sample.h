// SPDX-License-Identifier: GPL-2.0-or-later
// oci_sample.h - configurations for the tests of their reader, written with ' for "
#pragma once

#include "coso/spec/from_oci.h"

// A configuration that is complete but for `parts`, each with a comma behind it.
#define SAMPLE(parts) "{" parts "'ociVersion':'1.0.0','root':{'path':'rootfs'}}"
#define SAMPLE_LINUX(parts) SAMPLE("'linux':{" parts "'cgroupsPath':''},")
#define SAMPLE_PROCESS(parts) SAMPLE("'process':{" parts "'args':['a'],'cwd':'/'},")
#define SAMPLE_NAMESPACES "'namespaces':[{'type':'mount'},{'type':'uts'},{'type':'ipc'},{'type':'network'}],"

// Reads a configuration of the bundle /b, the container "id". The tree is gone afterwards: process.seccomp_json isn't to be followed.
int sample_read(struct arena *arena, const char *text, struct spec *out, struct err *err);

// The spec of a configuration that is right; a failed assertion, and an empty spec, if it isn't.
struct spec sample_spec(struct arena *arena, const char *text);

// JSON of a text written with ' for "; the caller frees it.
json_t *sample_json(const char *text);

// Configurations that are refused, and what the message has to have in it.
struct sample_wrong {
	const char *text, *message;
};
void sample_refused(const struct sample_wrong *wrong, size_t count);
#define SAMPLE_REFUSED(table) sample_refused(table, sizeof(table) / sizeof((table)[0]))
