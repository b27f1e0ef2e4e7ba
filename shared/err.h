// SPDX-License-Identifier: GPL-2.0-or-later
// err.h - the one error value: made where something fails, passed up, printed once by main
#pragma once

// Fixed size, no heap, and well below PIPE_BUF: one write(2) carries it from a child to its parent.
struct err {
	int code;       // an errno value, or 0 where the reason is our own
	char msg[1020]; // action + object + reason + what to do; one line of UTF-8 without control characters
};

// Each returns -1, so that `return err_set(…);` ends a function that failed. `err` may be NULL: nothing is recorded.

// A reason of our own; `code` is the errno value that fits, or 0.
int err_set(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

// A failed system call: errno is read first, and ": " with its text is added.
int err_sys(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Puts context before a message that is there already: "while …: message".
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Adds a remedy behind a message: "message (hint)".
int err_hint(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#if defined(__clang_analyzer__) &&                                                                                                 \
	!defined(ERR_PLAIN) // it sees one file at a time: this tells it that they return -1, and so which paths there are
#define err_set(...) (err_set(__VA_ARGS__), -1)
#define err_sys(...) (err_sys(__VA_ARGS__), -1)
#define err_wrap(...) (err_wrap(__VA_ARGS__), -1)
#define err_hint(...) (err_hint(__VA_ARGS__), -1)
#endif
