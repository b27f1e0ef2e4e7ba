// SPDX-License-Identifier: GPL-2.0-or-later
// words.h - messages in the words that engines look for
#pragma once

#define OCI_SPEC_VERSION "1.3.0" // of the runtime specification

// Reasons of the kernel begin with a capital letter in the C library's words, and in no engine's: "No such file or directory" becomes
// "no such file or directory", wherever it stands behind ": ".
void words_lower(char *message);
