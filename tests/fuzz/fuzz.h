// SPDX-License-Identifier: GPL-2.0-or-later
// fuzz.h - what a fuzz target is: one function that takes any bytes and returns
//
// Built with clang -fsanitize=fuzzer, libFuzzer calls it with bytes of its own making (`make fuzz`). Built with driver.c by any compiler
// the program runs files, such as those of a corpus or of a crash.
#pragma once

#include "shared/err.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Ends the program unless a failure says why, in one line of UTF-8, as logs and people need it.
void fuzz_check_error(const struct err *err);
