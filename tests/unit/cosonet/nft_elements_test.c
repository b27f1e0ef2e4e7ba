// SPDX-License-Identifier: GPL-2.0-or-later
// nft_elements_test.c - libnftables' JSON: elements with their owners, handles by comment
#include "cosonet/nft_elements.h"
#include "tests/unit/unit.h"

static const char table[] =
	"{\"nftables\":[{\"metainfo\":{}},{\"table\":{\"name\":\"coso\"}},"
	"{\"set\":{\"name\":\"links\",\"elem\":[\"coso0\",\"two\"]}},"
	"{\"set\":{\"name\":\"nets4\",\"elem\":[{\"elem\":{\"val\":{\"prefix\":{\"addr\":\"10.0.0.0\",\"len\":24}},\"comment\":\"coso coso0\"}}]}},"
	"{\"map\":{\"name\":\"any4\",\"elem\":[[{\"elem\":{\"val\":{\"concat\":[\"tcp\",80]},\"comment\":\"coso coso0 v i\"}},"
	"{\"concat\":[\"10.0.0.2\",8080]}],[{\"elem\":{\"val\":{\"concat\":[\"tcp\",81]}}},{\"concat\":[\"10.0.0.3\",1]}]]}},"
	"{\"map\":{\"name\":\"one4\",\"elem\":[[{\"elem\":{\"val\":{\"concat\":[\"1.2.3.4\",\"udp\",53]},\"comment\":\"coso coso0 v i\"}},"
	"{\"concat\":[\"10.0.0.2\",53]}]]}},"
	"{\"rule\":{\"handle\":7,\"comment\":\"coso coso0\"}},{\"rule\":{\"handle\":8}}]}";

TEST(nft_elements, are_read_with_their_owners)
{
	own_arena struct arena arena = { 0 };
	struct nft_elements all;
	CU_ASSERT_EQUAL_FATAL(nft_elements_parse(&arena, table, &all, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(all.count, 3); // the one without a comment isn't ours
	CU_ASSERT_EQUAL(all.bridge_count, 2);
	CU_ASSERT_STRING_EQUAL(all.items[0].key, "10.0.0.0/24");
	CU_ASSERT_EQUAL(all.items[0].port.count, 0);
	CU_ASSERT_STRING_EQUAL(all.items[1].key, "tcp . 80");
	CU_ASSERT_STRING_EQUAL(all.items[1].port.id, "i");
	CU_ASSERT_EQUAL(all.items[1].port.container_port, 8080);
	CU_ASSERT_STRING_EQUAL(all.items[2].key, "1.2.3.4 . udp . 53");
	CU_ASSERT_EQUAL(all.items[2].port.proto, IPPROTO_UDP);
	CU_ASSERT_EQUAL(all.items[2].port.host.family, AF_INET);
}

TEST(nft_elements, handles_by_comment_and_broken_text)
{
	own_arena struct arena arena = { 0 };
	struct nft_handles handles;
	struct nft_elements all;
	CU_ASSERT_EQUAL_FATAL(nft_elements_handles(&arena, table, "coso coso0", &handles, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(handles.count, 1);
	CU_ASSERT_EQUAL(handles.items[0], 7);
	CU_ASSERT_EQUAL(nft_elements_parse(&arena, "{\"nftables\":", &all, NULL), -1);
	CU_ASSERT_EQUAL(nft_elements_parse(&arena, "[]", &all, NULL), 0);
	CU_ASSERT_EQUAL(nft_elements_parse(&arena, "{\"nftables\":[{\"set\":{\"name\":\"any4\",\"elem\":[1,[],{}]}}]}", &all, NULL),
			0);
}
