// SPDX-License-Identifier: GPL-2.0-or-later
// manager.c - systemd's manager over D-Bus
//
// Starting and stopping are jobs: the method returns the job's path at once, and the signal JobRemoved tells how it ended. The signal is
// asked for before the method is called. What a manager of another age doesn't know of our properties is in its error message: an
// optional one is left out, and it is tried again.
#include "coso/scope/manager.h"

#include "shared/proc.h"
#include "shared/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_MS = 30000, US_PER_MS = 1000 };

static const char service[] = "org.freedesktop.systemd1", object[] = "/org/freedesktop/systemd1",
		  interface[] = "org.freedesktop.systemd1.Manager";

struct job {
	const char *path;
	char result[32]; // "done", "failed", …; "": it isn't finished
};

static void free_message(sd_bus_message **message)
{
	*message = sd_bus_message_unref(*message);
}

static void free_slot(sd_bus_slot **slot)
{
	*slot = sd_bus_slot_unref(*slot);
}

#define own_message __attribute__((cleanup(free_message))) sd_bus_message
#define own_slot __attribute__((cleanup(free_slot))) sd_bus_slot
#define own_error __attribute__((cleanup(sd_bus_error_free))) sd_bus_error

// `result` is a negative errno of sd-bus.
static int fail(struct err *err, int result, const sd_bus_error *error, const char *what)
{
	const char *why = error && error->message ? error->message : strerrordesc_np(-result);
	return err_set(err, -result, "%s: %s", what, why);
}

static int open_direct(const char *address, sd_bus **out_bus)
{
	sd_bus *bus = NULL;
	int result = sd_bus_new(&bus);
	if (result >= 0)
		result = sd_bus_set_address(bus, address);
	if (result >= 0)
		result = sd_bus_start(bus);
	if (result < 0)
		bus = sd_bus_close_unref(bus);
	*out_bus = bus;
	return result;
}

int manager_open(bool user, sd_bus **out_bus, struct err *err)
{
	own_arena struct arena arena = { 0 };
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	sd_bus *bus = NULL;
	int result = -ENOENT;
	// Without a bus in between there is nothing to wait for but the manager. Only root may do so with that of the system.
	if (!user && geteuid() == 0)
		result = open_direct("unix:path=/run/systemd/private", &bus);
	else if (user && runtime && *runtime == '/' && !strpbrk(runtime, ",;=%"))
		result = open_direct(arena_printf(&arena, "unix:path=%s/systemd/private", runtime), &bus);
	if (result < 0)
		result = user ? sd_bus_open_user(&bus) : sd_bus_open_system(&bus);
	if (result < 0)
		return fail(err, result, NULL, user ? "reach the systemd manager of this user" : "reach systemd");
	sd_bus_set_method_call_timeout(bus, (uint64_t)TIMEOUT_MS * US_PER_MS);
	*out_bus = bus;
	return 0;
}

void manager_close(sd_bus **bus)
{
	*bus = sd_bus_flush_close_unref(*bus);
}

static int on_removed(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct job *job = data;
	uint32_t id;
	const char *path, *unit, *result;
	(void)error;
	if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0 || !job->path || !str_eq(path, job->path))
		return 0;
	snprintf(job->result, sizeof(job->result), "%s", result);
	return 0;
}

static int listen_for(sd_bus *bus, struct job *job, sd_bus_slot **out_slot, struct err *err)
{
	int result = sd_bus_match_signal(bus, out_slot, service, object, interface, "JobRemoved", on_removed, job);
	if (result < 0)
		return fail(err, result, NULL, "listen for the end of a job");
	sd_bus_call_method(bus, service, object, interface, "Subscribe", NULL, NULL, NULL); // the bus may carry it already
	return 0;
}

static int wait_for(sd_bus *bus, const struct job *job, const char *unit, struct err *err)
{
	int64_t deadline = proc_now_ms() + TIMEOUT_MS;
	while (!*job->result) {
		int result = sd_bus_process(bus, NULL);
		int64_t left = deadline - proc_now_ms();
		if (result == 0 && left <= 0)
			return err_set(err, ETIMEDOUT, "wait for systemd's job for '%s': it isn't done after %d s", unit,
				       TIMEOUT_MS / 1000);
		if (result == 0)
			result = sd_bus_wait(bus, (uint64_t)left * US_PER_MS);
		if (result < 0)
			return fail(err, result, NULL, "wait for systemd's job");
	}
	if (str_eq(job->result, "done"))
		return 0;
	return err_set(err, EIO, "systemd's job for '%s' ended as '%s'", unit, job->result);
}

static int append(sd_bus_message *message, const struct variant *value)
{
	const uint8_t byte = (uint8_t)value->number;
	const uint16_t half = (uint16_t)value->number;
	const uint32_t word = (uint32_t)value->number;
	const int boolean = value->number != 0;
	switch (value->type) {
	case 'b':
		return sd_bus_message_append_basic(message, 'b', &boolean);
	case 'y':
		return sd_bus_message_append_basic(message, 'y', &byte);
	case 'n':
	case 'q':
		return sd_bus_message_append_basic(message, value->type, &half);
	case 'i':
	case 'u':
		return sd_bus_message_append_basic(message, value->type, &word);
	case 'x':
	case 't':
		return sd_bus_message_append_basic(message, value->type, &value->number);
	case 'd':
		return sd_bus_message_append_basic(message, 'd', &value->real);
	case 'a':
	case '(':
		break;
	default:
		return sd_bus_message_append_basic(message, value->type, value->text);
	}
	// A container is opened by what is in it: "s" of "as", "ss" of "(ss)".
	own_arena struct arena arena = { 0 };
	size_t length = strlen(value->signature);
	const char *inside = arena_strndup(&arena, value->signature + 1, value->type == 'a' ? length - 1 : length - 2);
	int result = sd_bus_message_open_container(message, value->type == 'a' ? 'a' : 'r', inside);
	for (size_t i = 0; i < value->count && result >= 0; i++)
		result = append(message, &value->items[i]);
	return result < 0 ? result : sd_bus_message_close_container(message);
}

static int append_all(sd_bus_message *message, const struct properties *properties, const bool *left_out)
{
	int result = sd_bus_message_open_container(message, 'a', "(sv)");
	for (size_t i = 0; i < properties->count && result >= 0; i++) {
		const struct property *property = &properties->items[i];
		if (left_out[i])
			continue;
		if ((result = sd_bus_message_open_container(message, 'r', "sv")) >= 0 &&
		    (result = sd_bus_message_append_basic(message, 's', property->name)) >= 0 &&
		    (result = sd_bus_message_open_container(message, 'v', property->value.signature)) >= 0 &&
		    (result = append(message, &property->value)) >= 0 && (result = sd_bus_message_close_container(message)) >= 0)
			result = sd_bus_message_close_container(message);
	}
	return result < 0 ? result : sd_bus_message_close_container(message);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Leaves out the optional property that the message of an error names. False: there is none.
static bool leave_out(const struct properties *properties, bool *left_out, const char *message)
{
	for (size_t i = 0; i < properties->count; i++) {
		const char *name = properties->items[i].name;
		for (const char *at = message; !left_out[i] && properties->items[i].optional && (at = strstr(at, name)); at++)
			if ((at == message || !is_letter(at[-1])) && !is_letter(at[strlen(name)])) // not a part of a longer name
				return left_out[i] = true;
	}
	return false;
}

static void forget(sd_bus *bus, const char *unit)
{
	sd_bus_call_method(bus, service, object, interface, "ResetFailedUnit", NULL, NULL, "s", unit);
}

static int start_once(sd_bus *bus, const char *unit, const struct properties *properties, const bool *left_out, sd_bus_error *error,
		      sd_bus_message **out_reply)
{
	own_message *call = NULL;
	int result = sd_bus_message_new_method_call(bus, &call, service, object, interface, "StartTransientUnit");
	if (result >= 0)
		result = sd_bus_message_append(call, "ss", unit, "replace");
	if (result >= 0)
		result = append_all(call, properties, left_out);
	if (result >= 0)
		result = sd_bus_message_append(call, "a(sa(sv))", 0);
	return result < 0 ? result : sd_bus_call(bus, call, 0, error, out_reply);
}

static int start(sd_bus *bus, const char *unit, const struct properties *properties, sd_bus_message **out_reply, struct err *err)
{
	own_arena struct arena arena = { 0 };
	bool *left_out = arena_alloc(&arena, properties->count + 1), forgotten = false;
	for (;;) {
		own_error error = SD_BUS_ERROR_NULL;
		int result = start_once(bus, unit, properties, left_out, &error, out_reply);
		if (result >= 0)
			return 0;
		bool exists = sd_bus_error_has_name(&error, "org.freedesktop.systemd1.UnitExists");
		if (exists && !forgotten) {
			forget(bus, unit);
			forgotten = true;
			continue;
		}
		if (error.message && leave_out(properties, left_out, error.message))
			continue;
		fail(err, exists ? -EEXIST : result, &error, arena_printf(&arena, "start the unit '%s'", unit));
		return -1;
	}
}

static const char *group_of(sd_bus *bus, struct arena *arena, const char *unit, struct err *err)
{
	own_error error = SD_BUS_ERROR_NULL;
	own_message *reply = NULL;
	const char *path = NULL, *dot = strrchr(unit, '.');
	char *group = NULL;
	int result = sd_bus_call_method(bus, service, object, interface, "GetUnit", &error, &reply, "s", unit);
	if (result >= 0)
		result = sd_bus_message_read(reply, "o", &path);
	const char *type = str_eq(dot, ".slice") ? "org.freedesktop.systemd1.Slice" : "org.freedesktop.systemd1.Scope";
	if (result >= 0)
		result = sd_bus_get_property_string(bus, service, path, type, "ControlGroup", &error, &group);
	if (result < 0) {
		fail(err, result, &error, arena_printf(arena, "ask for the control group of '%s'", unit));
		return NULL;
	}
	const char *copy = arena_strdup(arena, group);
	free(group);
	if (*copy != '/')
		err_set(err, ENOENT, "ask for the control group of '%s': it has none", unit);
	return *copy == '/' ? copy : NULL;
}

const char *manager_start(sd_bus *bus, struct arena *arena, const char *unit, const struct properties *properties, struct err *err)
{
	struct job job = { 0 };
	own_slot *slot = NULL;
	own_message *reply = NULL;
	if (listen_for(bus, &job, &slot, err) < 0 || start(bus, unit, properties, &reply, err) < 0)
		return NULL;
	int result = sd_bus_message_read(reply, "o", &job.path);
	if (result < 0) {
		fail(err, result, NULL, "start a unit");
		return NULL;
	}
	return wait_for(bus, &job, unit, err) < 0 ? NULL : group_of(bus, arena, unit, err);
}

int manager_stop(sd_bus *bus, const char *unit, struct err *err)
{
	own_arena struct arena arena = { 0 };
	own_error error = SD_BUS_ERROR_NULL;
	struct job job = { 0 };
	own_slot *slot = NULL;
	own_message *reply = NULL;
	if (listen_for(bus, &job, &slot, err) < 0)
		return -1;
	int result = sd_bus_call_method(bus, service, object, interface, "StopUnit", &error, &reply, "ss", unit, "replace");
	bool gone = sd_bus_error_has_name(&error, "org.freedesktop.systemd1.NoSuchUnit");
	if (result < 0 && !gone)
		return fail(err, result, &error, arena_printf(&arena, "stop the unit '%s'", unit));
	if (!gone && (sd_bus_message_read(reply, "o", &job.path) < 0 || wait_for(bus, &job, unit, err) < 0))
		return -1;
	forget(bus, unit);
	return 0;
}

int manager_set(sd_bus *bus, const char *unit, const struct properties *properties, struct err *err)
{
	own_arena struct arena arena = { 0 };
	bool *left_out = arena_alloc(&arena, properties->count + 1);
	for (;;) {
		own_error error = SD_BUS_ERROR_NULL;
		own_message *call = NULL;
		int result = sd_bus_message_new_method_call(bus, &call, service, object, interface, "SetUnitProperties");
		if (result >= 0)
			result = sd_bus_message_append(call, "sb", unit, 1);
		if (result >= 0)
			result = append_all(call, properties, left_out);
		if (result >= 0)
			result = sd_bus_call(bus, call, 0, &error, NULL);
		if (result >= 0)
			return 0;
		if (!error.message || !leave_out(properties, left_out, error.message))
			return fail(err, result, &error, arena_printf(&arena, "set properties of the unit '%s'", unit));
	}
}
