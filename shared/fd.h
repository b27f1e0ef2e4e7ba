// SPDX-License-Identifier: GPL-2.0-or-later
// fd.h - file descriptors: owned, handed over, read and written whole, sent to another process
#pragma once

#include "shared/err.h"

#include <stddef.h>
#include <sys/types.h>

// Closes *fd if it is open and sets it to -1; errno is left alone.
void fd_close(int *fd);

// Declares a descriptor that closes itself at the end of its scope: own_fd int fd = -1;
#define own_fd __attribute__((cleanup(fd_close)))

// Hands a descriptor over: returns *fd and leaves -1 in its place.
int take_fd(int *fd);

// Reads until `size` bytes or end of file. Returns the bytes read, or -1 with errno.
ssize_t fd_read_full(int fd, void *buffer, size_t size);

// Writes all of it. Returns 0, or -1 with errno.
int fd_write_full(int fd, const void *buffer, size_t size);

// Sends one message with `count` descriptors (at most 64) over a socket of type SOCK_SEQPACKET. unix(7), SCM_RIGHTS.
int fd_send(int socket, const void *data, size_t size, const int *fds, size_t count, struct err *err);

// Sends all of `data` over a socket of type SOCK_STREAM, with one descriptor at its first byte, in one message unless a signal cuts
// it. EAGAIN: the socket's SO_SNDTIMEO is over.
int fd_send_stream(int socket, const void *data, size_t size, int fd, struct err *err);

// Receives one message. Returns its size (0: the other side is gone), or -1. *out_count in: room in fds; out: how many came.
// The descriptors are CLOEXEC and belong to the caller.
ssize_t fd_recv(int socket, void *data, size_t size, int *fds, size_t *out_count, struct err *err);

// Marks every open descriptor from `first` on close-on-exec, also before Linux 5.11 (by way of /proc/self/fd). 0 or -1 with errno.
int fd_cloexec_from(int first);

// Closes every descriptor from `first` on but the `count` of `kept` (-1: none). Async-signal-safe.
void fd_close_others(int first, const int *kept, size_t count);

// Waits until `fd` is readable or hung up. Returns 1, 0 after `timeout_ms` (-1: for ever), or -1 with errno.
int fd_wait(int fd, int timeout_ms);
