// SPDX-License-Identifier: GPL-2.0-or-later
// sys.h - system calls that a C library of 2020 doesn't wrap, under their own names with sys_ before them
//
// Each returns what the call returns, with errno set as usual. The man page of the same name is the source.
#pragma once

#include <linux/mount.h> // instead of <sys/mount.h>, which collides with it; sys_mount and sys_umount are here
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

int sys_openat2(int dir, const char *path, const struct open_how *how);
int sys_clone3(struct clone_args *args);                                        // Linux 5.3
int sys_close_range(unsigned int first, unsigned int last, unsigned int flags); // Linux 5.9 (CLOEXEC flag: 5.11)
int sys_pidfd_open(pid_t pid, unsigned int flags);                              // Linux 5.3
int sys_pidfd_send_signal(int pidfd, int signal);                               // Linux 5.1
int sys_pidfd_getfd(int pidfd, int fd, unsigned int flags);                     // Linux 5.6
int sys_pivot_root(const char *new_root, const char *put_old);

int sys_mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int sys_umount(const char *target, int flags);
int sys_open_tree(int dir, const char *path, unsigned int flags); // Linux 5.2, as the next five
int sys_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned int flags);
int sys_fsopen(const char *type, unsigned int flags);
int sys_fsconfig(int fs, unsigned int command, const char *key, const void *value, int aux);
int sys_fsmount(int fs, unsigned int flags, unsigned int attributes);
int sys_fspick(int dir, const char *path, unsigned int flags);
int sys_mount_setattr(int dir, const char *path, unsigned int flags, struct mount_attr *attr); // Linux 5.12

#ifndef MNT_DETACH // <linux/mount.h> has MS_RDONLY and its like, but not this
#define MNT_DETACH 2
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
