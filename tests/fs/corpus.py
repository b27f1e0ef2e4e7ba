#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# corpus.py - writes the archives that tests/fs unpacks, a file a case: corpus.py PREFIX FOLDER OUTSIDE
#
# All cases whose name starts with PREFIX are written to FOLDER. OUTSIDE is the folder that hostile links point to.
# Headers are built byte by byte, since no tar program writes what a hostile one would.
import gzip
import io
import lzma
import struct
import sys

CASES = {}


def case(function):
    CASES[function.__name__.replace("_", "-")] = function
    return function


def octal(value, width):
    return b"%0*o\0" % (width - 1, value)


def base256(value, width):
    return bytes([0x80]) + value.to_bytes(width - 1, "big", signed=value < 0)


def header(name, kind=b"0", size=0, mode=0o644, link=b"", uid=0, gid=0, mtime=1000000000, dev=(0, 0), raw=None):
    raw = raw or {}
    field = {
        "name": name[:100].ljust(100, b"\0"), "mode": octal(mode, 8),
        "uid": octal(uid, 8) if uid < 1 << 21 else base256(uid, 8), "gid": octal(gid, 8) if gid < 1 << 21 else base256(gid, 8),
        "size": octal(size, 12), "mtime": octal(mtime, 12) if 0 <= mtime < 1 << 33 else base256(mtime, 12),
        "sum": b" " * 8, "kind": kind, "link": link[:100].ljust(100, b"\0"), "magic": b"ustar\00000",
        "user": bytes(32), "group": bytes(32), "major": octal(dev[0], 8), "minor": octal(dev[1], 8), "prefix": bytes(155), "end": bytes(12),
    }
    field.update(raw)
    block = b"".join(field.values())
    assert len(block) == 512
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def padded(data):
    return data + bytes(-len(data) % 512)


def file(name, data=b"x", **more):
    return header(name, size=len(data), **more) + padded(data)


def folder(name, mode=0o755, **more):
    return header(name, b"5", mode=mode, **more)


def symlink(name, target):
    return header(name, b"2", mode=0o777, link=target)


def hardlink(name, target):
    return header(name, b"1", link=target)


def device(name, kind=b"3", dev=(1, 3)):
    return header(name, kind, mode=0o666, dev=dev)


def pax(records, entry):
    body = b""
    for key, value in records:
        text = b" " + key + b"=" + value + b"\n"
        size = len(text)
        while len(b"%d" % size) + len(text) != size:
            size += 1
        body += b"%d" % size + text
    return header(b"pax", b"x", size=len(body)) + padded(body) + entry


def gnu_long(name, entry, kind=b"L"):
    return header(b"././@LongLink", kind, size=len(name) + 1) + padded(name + b"\0") + entry


def tar(*entries):
    return b"".join(entries) + bytes(1024)


# What must be refused, as a whole.

@case
def bad_dotdot():
    return tar(file(b"../escaped"))


@case
def bad_dotdot_inside():
    return tar(folder(b"a"), file(b"a/b/../../../escaped"))


@case
def bad_dotdot_absolute():
    return tar(file(b"/../escaped"))


@case
def bad_dotdot_pax():
    return tar(pax([(b"path", b"a/../../escaped")], file(b"innocent")))


@case
def bad_dotdot_long():
    return tar(gnu_long(b"d/" * 60 + b"../" * 61 + b"escaped", file(b"innocent")))


@case
def bad_root_symlink():
    return tar(symlink(b"./", b"/etc"), file(b"./escaped"))


@case
def bad_root_symlink_dot():
    return tar(symlink(b".", b".."), file(b"escaped"))


@case
def bad_root_file():
    return tar(file(b"/"))


@case
def bad_root_fifo():
    return tar(header(b"./.", b"6"))


@case
def bad_root_hardlink():
    return tar(file(b"a"), hardlink(b".", b"a"))


@case
def bad_root_device():
    return tar(device(b"//"))


@case
def bad_through_symlink():
    return tar(symlink(b"out", b"@OUT@"), file(b"out/escaped"))


@case
def bad_through_symlink_relative():
    return tar(symlink(b"out", b"../out"), file(b"out/escaped"))


@case
def bad_through_symlink_nested():
    return tar(folder(b"a"), symlink(b"a/b", b"../c"), symlink(b"c", b"@OUT@"), file(b"a/b/escaped"))


@case
def bad_through_symlink_chain():
    links = [symlink(b"l%d" % i, b"l%d" % (i + 1)) for i in range(60)]
    return tar(*links, symlink(b"l60", b"@OUT@"), file(b"l0/escaped"))


@case
def bad_through_symlink_loop():
    return tar(symlink(b"a", b"b"), symlink(b"b", b"a"), file(b"a/escaped"))


@case
def bad_through_symlink_folder():
    return tar(symlink(b"out", b"@OUT@"), folder(b"out/escaped"))


@case
def bad_replaced_folder():
    return tar(folder(b"a"), file(b"a/x"), symlink(b"a", b"@OUT@"), file(b"a/escaped"))


@case
def bad_through_file():
    return tar(file(b"a"), file(b"a/b"))


@case
def bad_hardlink_dotdot():
    return tar(hardlink(b"a", b"../victim"))


@case
def bad_hardlink_outside():
    return tar(hardlink(b"a", b"@OUT@/victim"))


@case
def bad_hardlink_through_symlink():
    return tar(symlink(b"out", b"@OUT@"), hardlink(b"a", b"out/victim"))


@case
def bad_hardlink_forward():
    return tar(hardlink(b"a", b"later"), file(b"later"))


@case
def bad_hardlink_folder():
    return tar(folder(b"d"), hardlink(b"a", b"d"))


@case
def bad_hardlink_root():
    return tar(hardlink(b"a", b"/"))


@case
def bad_hardlink_pax():
    return tar(file(b"f"), pax([(b"linkpath", b"../victim")], hardlink(b"a", b"f")))


@case
def bad_symlink_empty():
    return tar(symlink(b"a", b""))


@case
def bad_whiteout_nothing():
    return tar(folder(b"d"), file(b"d/.wh.", b""))


@case
def bad_whiteout_dot():
    return tar(folder(b"d"), file(b"d/.wh..", b""))


@case
def bad_whiteout_dotdot():
    return tar(folder(b"d"), file(b"d/.wh...", b""))


@case
def bad_whiteout_below():
    return tar(file(b".wh.../x", b""))


@case
def bad_whiteout_folder():
    return tar(folder(b".wh.x"))


@case
def bad_whiteout_symlinked_parent():
    return tar(symlink(b"out", b"@OUT@"), file(b"out/.wh.victim", b""))


@case
def bad_name_64k():
    return tar(pax([(b"path", b"n" * 65536)], file(b"n")))


@case
def bad_name_component():
    return tar(pax([(b"path", b"n" * 256)], file(b"n")))


@case
def bad_name_deep():
    return tar(pax([(b"path", b"a/" * 1500 + b"f")], file(b"n")))


@case
def bad_uid_range():
    return tar(file(b"a", uid=1 << 32))


@case
def bad_uid_minus_one():
    return tar(file(b"a", uid=(1 << 32) - 1))


@case
def bad_size_negative():
    return tar(header(b"a", raw={"size": base256(-512, 12)}), bytes(512))


@case
def bad_size_huge():
    return tar(header(b"a", raw={"size": base256((1 << 62), 12)}), bytes(512))


@case
def bad_sparse_overflow():
    return tar(pax([(b"GNU.sparse.major", b"0"), (b"GNU.sparse.minor", b"1"), (b"GNU.sparse.name", b"s"),
                    (b"GNU.sparse.size", b"9223372036854775807"), (b"GNU.sparse.numblocks", b"1"),
                    (b"GNU.sparse.map", b"9223372036854775800,100")], file(b"s", b"y" * 100)))


@case
def bad_checksum():
    return tar(file(b"a")).replace(b"ustar", b"ustbr", 1)


@case
def bad_truncated():
    return tar(file(b"a", b"z" * 5000))[:2000]


@case
def bad_truncated_gzip():
    return gzip.compress(tar(file(b"a", bytes(range(256)) * 4000)))[:-900]


@case
def bad_truncated_gzip_trailer():
    return gzip.compress(tar(file(b"a")))[:-4]


@case
def bad_gzip_checksum():
    data = bytearray(gzip.compress(tar(file(b"a")), 0))
    data[-8] ^= 1
    return bytes(data)


@case
def bad_gzip_content():
    data = bytearray(gzip.compress(tar(file(b"a", b"q" * 700)), 0))
    data[data.index(b"qqqq") + 100] ^= 1
    return bytes(data)


@case
def bad_gzip_garbage():
    return gzip.compress(tar(file(b"a"))) + b"garbage"


@case
def bad_truncated_xz():
    return lzma.compress(tar(file(b"a", bytes(range(256)) * 400)))[:-20]


@case
def bad_zstd_window():
    # A frame header that asks for a window of 2 GiB, and one raw block.
    body = tar(file(b"a"))
    return b"\x28\xb5\x2f\xfd" + bytes([0x00, 21 << 3]) + struct.pack("<I", len(body) << 3 | 1)[:3] + body


@case
def bad_empty():
    return b""


@case
def bad_zeros():
    return bytes(10240)


@case
def bad_text():
    return b"this is no archive\n" * 100


@case
def bad_bzip2():
    import bz2
    return bz2.compress(tar(file(b"a")))


@case
def bad_zip():
    import zipfile
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("a", "x")
    return out.getvalue()


@case
def bad_gzip_of_text():
    return gzip.compress(b"hello")


# What must be unpacked, and how is in corpus.bats.

@case
def good_plain():
    return tar(folder(b"./"), folder(b"./d"), file(b"./d/f", b"hello\n", mode=0o640), symlink(b"./d/l", b"f"), hardlink(b"./h", b"./d/f"))


@case
def good_gzip():
    return gzip.compress(good_plain())


@case
def good_gzip_members():
    whole = good_plain()
    return gzip.compress(whole[:700]) + gzip.compress(b"") + gzip.compress(whole[700:])


@case
def good_gzip_padded():
    return gzip.compress(good_plain()) + bytes(5000)


@case
def good_xz():
    return lzma.compress(good_plain())


@case
def good_zstd():
    # zstd's raw blocks: the format without a compressor.
    body = good_plain()
    return b"\x28\xb5\x2f\xfd" + bytes([0x80 | 0x20]) + struct.pack("<I", len(body)) + struct.pack("<I", len(body) << 3 | 1)[:3] + body


@case
def good_absolute():
    return tar(file(b"/a/b", b"in\n"), file(b"//c", b"in\n"), file(b"./././d", b"in\n"))


@case
def good_hardlink_absolute():
    return tar(folder(b"bin"), file(b"bin/tool", b"tool\n"), hardlink(b"bin/same", b"/bin/tool"))


@case
def good_hardlink_symlink():
    return tar(symlink(b"l", b"@OUT@/victim"), hardlink(b"h", b"l"))


@case
def good_hardlink_self():
    return tar(file(b"a", b"kept\n"), hardlink(b"a", b"./a"))


@case
def good_replaced():
    return tar(file(b"a", b"one\n"), file(b"a", b"two\n"), folder(b"d"), file(b"d/x"), file(b"d", b"file\n"), file(b"e"), folder(b"e"),
               file(b"e/y", b"y\n"), symlink(b"s", b"@OUT@/victim"), file(b"s", b"new\n"), symlink(b"t", b"@OUT@"), folder(b"t"),
               file(b"t/z", b"z\n"))


@case
def good_folder_twice():
    return tar(folder(b"d", 0o700, mtime=1), file(b"d/x"), folder(b"d", 0o751, mtime=2000000000), folder(b"e", 0o555), file(b"e/f"))


@case
def good_symlinks_outside():
    return tar(symlink(b"l", b"/etc/passwd"), symlink(b"up", b"../../../.."), symlink(b"loop", b"loop"))


@case
def good_devices():
    return tar(folder(b"dev"), device(b"dev/null"), device(b"dev/disk", b"4", (8, 1)), header(b"dev/fifo", b"6", mode=0o600),
               device(b"dev/zero", dev=(1, 5)), hardlink(b"dev/nul2", b"dev/null"))


@case
def good_device_whiteout():
    return tar(device(b"gone", dev=(0, 0)), file(b"f"))


@case
def good_fifo_replaced():
    return tar(header(b"p", b"6", mode=0o600), file(b"p", b"file\n"))


@case
def good_setid():
    return tar(file(b"su", mode=0o4755), file(b"sg", mode=0o2755, gid=5), folder(b"sticky", 0o1777), file(b"ids", uid=1234, gid=4321),
               file(b"games", mode=0o4755, uid=60))


@case
def good_large_id():
    return tar(file(b"a", uid=4294967294, gid=4294967294))


@case
def good_bytes():
    return tar(file(b"latin-\xe9\xff"), pax([(b"path", b"pax-\xff\xfe")], file(b"n")), pax([(b"path", "grün".encode())], file(b"n")),
               file(b"new\nline"), file(b"esc\x1b[31m"))


@case
def good_long_names():
    pieces = [bytes([97 + i]) * 200 for i in range(10)]
    name = b"/".join(pieces)
    return tar(gnu_long(name + b"/gnu", file(b"cut")), pax([(b"path", name + b"/pax")], file(b"cut")),
               gnu_long(b"t" * 300, symlink(b"long-target", b"cut"), b"K"), pax([(b"path", b"n" * 255)], file(b"cut")))


@case
def good_times():
    return tar(pax([(b"mtime", b"1234567890.123456789")], file(b"ns")), pax([(b"mtime", b"-5.5")], file(b"before")),
               pax([(b"mtime", b"9" * 30)], file(b"overflow")), file(b"far", mtime=1 << 60), folder(b"d", mtime=1234), file(b"d/later"))


@case
def good_xattrs():
    caps = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)
    return tar(pax([(b"SCHILY.xattr.security.capability", caps), (b"SCHILY.xattr.user.note", b"hi"),
                    (b"SCHILY.xattr.user.overlay.redirect", b"/etc"), (b"SCHILY.xattr.user.overlay.opaque", b"y"),
                    (b"SCHILY.xattr.trusted.overlay.redirect", b"/etc"), (b"SCHILY.xattr.trusted.overlay.opaque", b"y"),
                    (b"SCHILY.xattr.trusted.other", b"y"), (b"SCHILY.xattr.security.selinux", b"label")], file(b"f")),
               pax([(b"SCHILY.xattr.trusted.overlay.opaque", b"y"), (b"SCHILY.xattr.user.overlay.opaque", b"y"),
                    (b"SCHILY.xattr.trusted.overlay.metacopy", b"")], folder(b"d")))


@case
def good_sparse():
    return tar(pax([(b"GNU.sparse.major", b"0"), (b"GNU.sparse.minor", b"1"), (b"GNU.sparse.name", b"s"),
                    (b"GNU.sparse.size", b"1073741824"), (b"GNU.sparse.numblocks", b"2"),
                    (b"GNU.sparse.map", b"4096,4,536870912,4")], file(b"s", b"headmidd")))


@case
def good_whiteouts():
    return tar(folder(b"d"), file(b"d/.wh.gone", b""), file(b"d/kept"), folder(b"o"), file(b"o/.wh..wh..opq", b""), file(b"o/x"),
               file(b".wh..wh.plnk", b""), file(b".wh.both", b""), folder(b"both"), file(b"both/x"), folder(b"back"), file(b"back/x"),
               file(b".wh.back", b""), file(b"only/.wh.deep", b""), file(b".wh.file", b""), file(b"file", b"new\n"), file(b"f2"),
               file(b".wh.f2", b""))


@case
def good_case_folding():
    return tar(file(b"Name", b"upper\n"), file(b"name", b"lower\n"), file(b"NAME", b"all\n"))


@case
def good_not_unified():
    return tar(file(b"only/in/a/file", b"deep\n"))


@case
def good_shell():
    return tar(folder(b"./", 0o777, uid=1000, gid=1000), folder(b"./bin"), file(b"./bin/sh", b"#!shell\n", mode=0o755))


@case
def good_second_archive():
    return tar(file(b"a", b"first\n")) + tar(file(b"b", b"second\n"))


@case
def good_nul_name():
    # A name ends at its first NUL; what is behind it is no part of it.
    return tar(header(b"a", raw={"name": b"safe\0/../../escaped".ljust(100, b"\0")}))


@case
def bomb():
    # 300 MB of zeros in 300 KB: a gzip member a megabyte, compressed once.
    return gzip.compress(header(b"bomb", size=300 << 20)) + gzip.compress(bytes(1 << 20)) * 301


@case
def bomb_behind():
    # The bomb stands behind the end of the archive, where only a decompressor sees it: 3 GB in 3 MB.
    return gzip.compress(tar(file(b"a"))) + gzip.compress(bytes(1 << 20)) * 3000


@case
def many():
    files = [header(b"d%d/f%d" % (i, j)) for i in range(50) for j in range(100)]
    return gzip.compress(tar(*[folder(b"d%d" % i) for i in range(50)], *files), 1)


def main():
    global symlink, hardlink
    prefix, target_folder, outside = sys.argv[1], sys.argv[2], sys.argv[3].encode()
    assert len(outside) < 80
    plain_symlink, plain_hardlink = symlink, hardlink
    symlink = lambda name, target: plain_symlink(name, target.replace(b"@OUT@", outside))
    hardlink = lambda name, target: plain_hardlink(name, target.replace(b"@OUT@", outside))
    chosen = [name for name in CASES if name.startswith(prefix)]
    assert chosen, prefix
    for name in chosen:
        with open(f"{target_folder}/{name}", "wb") as out:
            out.write(CASES[name]())


if __name__ == "__main__":
    main()
