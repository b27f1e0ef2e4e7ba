// SPDX-License-Identifier: GPL-2.0-or-later
// log.h - what a person who runs COSO wants to know, on stderr, one write(2) a line
#pragma once

#include <stdbool.h>

enum log_level { LOG_LEVEL_QUIET, LOG_LEVEL_WARNING, LOG_LEVEL_VERBOSE, LOG_LEVEL_DEBUG };

// The program's name, put before each line ("coso: …"), and what is printed. At first: "coso", LOG_LEVEL_WARNING.
void log_setup(const char *program, enum log_level level);
enum log_level log_level(void);

// Lines go to this descriptor, which stays the caller's, instead of stderr.
void log_to(int fd);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));   // always; only main calls it, once
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2))); // unless --quiet
void log_verbose(const char *format, ...) __attribute__((format(printf, 1, 2))); // with --verbose
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

// From true to false warnings and what is less than them are dropped: what was said once needn't be said again.
void log_mute(bool mute);

// Hands warnings and what is less than them to `sink` instead of printing them; NULL: they are printed.
void log_redirect(void (*sink)(enum log_level level, const char *line, void *data), void *data);
