// SPDX-License-Identifier: GPL-2.0-or-later
// err.c - messages are built here and nowhere else
#define ERR_PLAIN
#include "shared/err.h"

#include "shared/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int code, const char *format, ...)
{
	if (!err)
		return -1;
	char msg[sizeof(err->msg)];
	va_list args;
	va_start(args, format);
	vsnprintf(msg, sizeof(msg), format, args); // first, since an argument may be err->msg itself
	va_end(args);
	memcpy(err->msg, msg, sizeof(msg));
	str_clean(err->msg); // names and words from anywhere may be in it
	err->code = code;
	return -1;
}

int err_sys(struct err *err, const char *format, ...)
{
	int code = errno;
	if (!err)
		return -1;
	char msg[sizeof(err->msg)];
	va_list args;
	va_start(args, format);
	vsnprintf(msg, sizeof(msg), format, args);
	va_end(args);
	const char *name = strerrordesc_np(code); // not strerror: this also runs between clone3 and exec
	snprintf(err->msg, sizeof(err->msg), "%.960s: %s", msg, name ? name : "unknown error");
	str_clean(err->msg);
	err->code = code;
	return -1;
}

int err_wrap(struct err *err, const char *format, ...)
{
	if (!err)
		return -1;
	char msg[sizeof(err->msg)], old[sizeof(err->msg)];
	va_list args;
	va_start(args, format);
	vsnprintf(msg, sizeof(msg), format, args);
	va_end(args);
	memcpy(old, err->msg, sizeof(old));
	snprintf(err->msg, sizeof(err->msg), "%.400s: %.600s", msg, old);
	str_clean(err->msg);
	return -1;
}

int err_hint(struct err *err, const char *format, ...)
{
	if (!err)
		return -1;
	char hint[sizeof(err->msg)], old[sizeof(err->msg)];
	va_list args;
	va_start(args, format);
	vsnprintf(hint, sizeof(hint), format, args);
	va_end(args);
	memcpy(old, err->msg, sizeof(old));
	snprintf(err->msg, sizeof(err->msg), "%.600s (%.400s)", old, hint);
	str_clean(err->msg);
	return -1;
}
