// SPDX-License-Identifier: GPL-2.0-or-later
// nftlib.c - libnftables, loaded when there is something for it to do
#include "cosonet/nftlib.h"

#include "shared/log.h"
#include "shared/str.h"

#include <dlfcn.h>
#include <errno.h>
#include <nftables/libnftables.h>
#include <string.h>

#define LIBRARY "libnftables.so.1"

struct library {
	void *handle;
	__typeof__(nft_ctx_new) *new;
	__typeof__(nft_ctx_free) *free;
	__typeof__(nft_ctx_buffer_output) *buffer_output;
	__typeof__(nft_ctx_buffer_error) *buffer_error;
	__typeof__(nft_ctx_get_output_buffer) *output;
	__typeof__(nft_ctx_get_error_buffer) *error;
	__typeof__(nft_ctx_output_set_flags) *set_flags;
	__typeof__(nft_run_cmd_from_buffer) *run;
};

static int load(struct library *lib, struct err *err)
{
	void *handle = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
	if (!handle) {
		err_set(err, ENOENT, "load %s: %s", LIBRARY, dlerror());
		return err_hint(err, "install libnftables, or use -firewall iptables");
	}
	*lib = (struct library){
		.handle = handle,
		.new = (__typeof__(lib->new))dlsym(handle, "nft_ctx_new"),
		.free = (__typeof__(lib->free))dlsym(handle, "nft_ctx_free"),
		.buffer_output = (__typeof__(lib->buffer_output))dlsym(handle, "nft_ctx_buffer_output"),
		.buffer_error = (__typeof__(lib->buffer_error))dlsym(handle, "nft_ctx_buffer_error"),
		.output = (__typeof__(lib->output))dlsym(handle, "nft_ctx_get_output_buffer"),
		.error = (__typeof__(lib->error))dlsym(handle, "nft_ctx_get_error_buffer"),
		.set_flags = (__typeof__(lib->set_flags))dlsym(handle, "nft_ctx_output_set_flags"),
		.run = (__typeof__(lib->run))dlsym(handle, "nft_run_cmd_from_buffer"),
	};
	if (lib->new && lib->free && lib->buffer_output && lib->buffer_error && lib->output && lib->error && lib->set_flags &&
	    lib->run)
		return 0;
	dlclose(handle);
	return err_set(err, ENOSYS, "%s lacks a function: install a release of nftables from 0.9.8 on", LIBRARY);
}

// The library's message goes over several lines, with the command repeated; the first line says what is wrong.
static int failed(const char *text, struct err *err)
{
	size_t length = strcspn(text, "\n");
	int code = strstr(text, "File exists") ? EEXIST : strstr(text, "No such file") ? ENOENT : EIO;
	if (strstr(text, "Operation not permitted"))
		code = EPERM;
	return err_set(err, code, "nftables: %.*s", length > 200 ? 200 : (int)length, text);
}

static int run(const char *commands, struct arena *arena, char **out_text, struct err *err)
{
	struct library lib = { 0 };
	if (load(&lib, err) < 0)
		return -1;
	int rc = -1;
	struct nft_ctx *ctx = lib.new(NFT_CTX_DEFAULT);
	if (!ctx) {
		err_set(err, ENOMEM, "nftables: no context");
		goto unload;
	}
	lib.buffer_output(ctx);
	lib.buffer_error(ctx);
	if (out_text)
		lib.set_flags(ctx, NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_NUMERIC_ALL);
	rc = lib.run(ctx, commands) == 0 ? 0 : failed(lib.error(ctx), err);
	if (rc == 0 && out_text)
		*out_text = arena_strdup(arena, lib.output(ctx));
	lib.free(ctx);
unload:
	dlclose(lib.handle);
	return rc;
}

int nftlib_run(const char *commands, struct err *err)
{
	log_debug("nft: %s", commands);
	return run(commands, NULL, NULL, err);
}

char *nftlib_ask(struct arena *arena, const char *command, struct err *err)
{
	char *text = NULL;
	return run(command, arena, &text, err) == 0 ? text : NULL;
}
