import { AARCH64, elfFile } from "@tgo/testing";
import { END_OF_ARCHIVE, paxRecord, tarEntry, tarHeader } from "./tar-header.js";

/** Layers, the lowest first, that no builder writes; they test what an image is unpacked to. */
export interface Planted {
  readonly name: string;
  readonly layers: readonly Buffer[];
}

/** Every regular file that is left: its path, and whether it is the ELF file of the layers below. */
export interface Accepted extends Planted {
  readonly files: readonly string[];
}

/** Docker, containerd and skopeo refuse it, or overlayfs and other drivers show different files. */
export interface Refused extends Planted {
  readonly why: string;
}

const ELF = elfFile(AARCH64);
const file = (name: string, content: string | Buffer = "text"): Buffer => tarEntry({ name }, content);
const elf = (name: string): Buffer => file(name, ELF);
const dir = (name: string): Buffer => tarHeader({ name: `${name}/`, type: "5" });
const sym = (name: string, target: string): Buffer => tarHeader({ name, type: "2", target });
const link = (name: string, target: string): Buffer => tarHeader({ name, type: "1", target });
const device = (name: string, type = "3"): Buffer => tarHeader({ name, type });
/** An octal mode, in an otherwise usual header. */
const mode = (name: string, octal: string, content: string | Buffer): Buffer =>
  tarEntry({ name, mode: octal }, content);
const pax = (key: string, value: string): Buffer =>
  tarEntry({ name: "pax", type: "x" }, paxRecord(key, value));
const tar = (...entries: Buffer[]): Buffer => Buffer.concat([...entries, END_OF_ARCHIVE]);
/** The lower layer of most: files, a directory, and a link to it. */
const BELOW = tar(dir("d"), elf("d/low"), elf("f"), dir("d/e"), elf("d/e/low"), sym("s", "d"));
const BELOW_FILES = ["/d/e/low ELF", "/d/low ELF", "/f ELF"];

function accepted(name: string, files: readonly string[], ...layers: readonly Buffer[]): Accepted {
  return { name, files, layers };
}

function refused(name: string, why: string, ...layers: readonly Buffer[]): Refused {
  return { name, why, layers };
}

export const ACCEPTED: readonly Accepted[] = [
  accepted(
    "paths that leave the root stay in it",
    ["/a", "/b", "/etc/x"],
    tar(file("../a"), file("/b"), file("../../etc/x")),
  ),
  accepted("a path with .. in its middle", ["/b"], tar(dir("a"), file("a/../b"))),
  accepted(
    "dots and double slashes",
    ["/a/b", "/a/c"],
    tar(dir("."), dir("./a"), file(".//a/./b"), file("a//c")),
  ),
  accepted(
    "a hard link by odd paths",
    ["/b ELF", "/c ELF", "/x ELF"],
    tar(elf("x"), link("../b", "../../x"), link("c", "/x/")),
  ),
  accepted("a hard link to a symbolic link is one", ["/t ELF"], tar(elf("t"), sym("s", "t"), link("h", "s"))),
  accepted(
    "a hard link over a directory",
    ["/d ELF", "/q ELF", "/f ELF"].sort(),
    BELOW,
    tar(elf("q"), link("d", "q")),
  ),
  accepted("a symbolic link over a directory", ["/f ELF"], BELOW, tar(sym("d", "/b"))),
  accepted("a directory over a symbolic link", [...BELOW_FILES, "/s/y"], BELOW, tar(dir("s"), file("s/y"))),
  accepted("a file over an implied directory", ["/n"], tar(elf("n/x"), file("n"))),
  accepted("a directory after what is in it", ["/n/x ELF"], tar(elf("n/x"), dir("n"))),
  accepted(
    "a directory over a file",
    ["/d/e/low ELF", "/d/low ELF", "/f/y"],
    BELOW,
    tar(dir("f"), file("f/y")),
  ),
  accepted(
    "a whiteout, then the file again",
    ["/d/e/low ELF", "/d/low ELF", "/f"],
    BELOW,
    tar(file(".wh.f"), file("f")),
  ),
  accepted("a whiteout of a symbolic link", BELOW_FILES, BELOW, tar(file(".wh.s"))),
  accepted("a whiteout of nothing", BELOW_FILES, BELOW, tar(file("d/.wh.none"))),
  accepted("a whiteout with content", ["/d/e/low ELF", "/d/low ELF"], BELOW, tar(elf(".wh.f"))),
  accepted("a whiteout that is a directory", ["/d/e/low ELF", "/d/low ELF"], BELOW, tar(dir(".wh.f"))),
  accepted(
    "a whiteout of a directory, which a higher layer makes again",
    ["/d/n", "/f ELF"],
    BELOW,
    tar(file(".wh.d")),
    tar(dir("d"), file("d/n")),
  ),
  accepted(
    "an opaque whiteout first",
    ["/d/n", "/f ELF"],
    BELOW,
    tar(dir("d"), file("d/.wh..wh..opq"), file("d/n")),
  ),
  accepted(
    "an opaque whiteout without the directory",
    ["/d/e/n", "/f ELF"],
    BELOW,
    tar(file("d/.wh..wh..opq"), file("d/e/n")),
  ),
  accepted(
    "an opaque whiteout last",
    ["/d/n", "/f ELF"],
    BELOW,
    tar(dir("d"), file("d/n"), file("d/.wh..wh..opq")),
  ),
  accepted(
    "an opaque whiteout of a new directory",
    [...BELOW_FILES, "/n/x"],
    BELOW,
    tar(file("n/.wh..wh..opq"), file("n/x")),
  ),
  accepted(
    "devices and pipes",
    ["/x ELF"],
    tar(device("dev/sda", "4"), device("dev/tty"), device("p", "6"), elf("x")),
  ),
  accepted("a pipe over a file", ["/d/e/low ELF", "/d/low ELF"], BELOW, tar(device("f", "6"))),
  accepted(
    "a comment for all",
    ["/x ELF"],
    tar(tarEntry({ name: "pax_global_header", type: "g" }, paxRecord("comment", "x")), elf("x")),
  ),
  accepted(
    "a name and a long one",
    ["/long ELF"],
    tar(tarEntry({ type: "L" }, "long\0"), pax("path", "other"), elf("x")),
  ),
  accepted("two extended headers", ["/x ELF"], tar(pax("path", "one"), pax("comment", "two"), elf("x"))),
  accepted("an archive behind its end", ["/x"], Buffer.concat([tar(file("x")), tar(elf("y"))])),
  accepted("no end at all", ["/x ELF"], elf("x")),
  accepted("an old file", ["/x ELF"], tar(tarEntry({ name: "x", type: "\0" }, ELF))),
  accepted("a file with a slash at its end", ["/x ELF"], tar(elf("x/"))),
  accepted("a name of 255 bytes", [`/${"n".repeat(255)} ELF`], tar(pax("path", "n".repeat(255)), elf("x"))),
  accepted("a backslash", ["/a\\b ELF"], tar(elf("a\\b"))),
  accepted("an empty layer", [], Buffer.alloc(0)),
  accepted(
    "an attribute of another kind",
    ["/x ELF"],
    tar(pax("SCHILY.xattr.user.mime_type", "x"), elf("x")),
  ),
  accepted("a name that is empty in its extended header", ["/x ELF"], tar(pax("path", ""), elf("x"))),
  accepted(
    "set-user-id and sticky bits",
    ["/x ELF"],
    tar(dir("t"), mode("x", "0007755", ELF), sym("s", "x")),
  ),
  accepted("a name that begins with a full stop", ["/.whx", "/a/.w/h ELF"], tar(file(".whx"), elf("a/.w/h"))),
];

export const REFUSED: readonly Refused[] = [
  refused("a file twice", "twice", tar(file("a"), elf("a"))),
  refused("a file twice, spelled differently", "twice", tar(elf("a"), file("/a"))),
  refused("a directory twice", "twice", tar(dir("a"), elf("a/b"), dir("a"))),
  refused("the root twice", "twice", tar(dir("."), elf("a"), dir("."))),
  refused("a hard link whose target is replaced", "twice", tar(elf("q"), link("h", "q"), file("q"))),
  refused("a file over a directory", "twice", BELOW, tar(dir("d"), elf("d/y"), file("d"))),
  refused("a directory over a file", "twice", tar(elf("n"), dir("n"), elf("n/y"))),
  refused("a directory over a symbolic link of its layer", "twice", tar(dir("r"), sym("s", "r"), dir("s"))),
  refused("an opaque whiteout twice", "twice", BELOW, tar(file("d/.wh..wh..opq"), file("d/.wh..wh..opq"))),
  refused("a hard link to a file of a lower layer", "does not have before it", BELOW, tar(link("h", "f"))),
  refused(
    "the same with a whiteout of its target",
    "does not have before it",
    BELOW,
    tar(link("h", "f"), file(".wh.f")),
  ),
  refused(
    "a hard link to a symbolic link of a lower layer",
    "does not have before it",
    BELOW,
    tar(link("h", "s")),
  ),
  refused("a hard link before its target", "does not have before it", tar(link("h", "x"), elf("x"))),
  refused("a hard link to itself", "does not have before it", tar(link("x", "x"))),
  refused("a hard link to a directory", "does not have before it", tar(dir("r"), link("h", "r"))),
  refused("a hard link to nothing", "does not have before it", tar(link("h", ""))),
  refused("a hard link to a whiteout", "does not have before it", BELOW, tar(file(".wh.f"), link("h", "f"))),
  refused(
    "a hard link through a symbolic link",
    "does not have before it",
    tar(dir("r"), elf("r/t"), sym("s", "r"), link("h", "s/t")),
  ),
  refused(
    "a path through a symbolic link of a lower layer",
    "a path through a symbolic link",
    BELOW,
    tar(elf("s/x")),
  ),
  refused("a whiteout through one", "a path through a symbolic link", BELOW, tar(file("s/.wh.low"))),
  refused(
    "a path through a symbolic link",
    "a path through a symbolic link",
    tar(dir("r"), sym("s", "r"), elf("s/x")),
  ),
  refused("a path through a file of a lower layer", "a path through a file", BELOW, tar(elf("f/x"))),
  refused("a path through a file", "a path through a file", tar(elf("x"), elf("x/y"))),
  refused(
    "a directory after what is in it, over a file",
    "a path through a file",
    BELOW,
    tar(elf("f/x"), dir("f")),
  ),
  refused(
    "a directory that is removed and made again",
    "removes and adds",
    BELOW,
    tar(file(".wh.d"), dir("d"), file("d/n")),
  ),
  refused("a path through a whiteout", "a path through a whiteout", BELOW, tar(file(".wh.d"), file("d/n"))),
  refused(
    "a whiteout after the file",
    "a whiteout of what the same layer has",
    BELOW,
    tar(file("f"), file(".wh.f")),
  ),
  refused(
    "a whiteout after the directory",
    "a whiteout of what the same layer has",
    BELOW,
    tar(dir("d"), file("d/n"), file(".wh.d")),
  ),
  refused(
    "a whiteout twice",
    "a whiteout of what the same layer has",
    BELOW,
    tar(file(".wh.f"), file(".wh.f")),
  ),
  refused("a whiteout of the directory it is in", "an invalid whiteout", BELOW, tar(file("d/.wh.."))),
  refused("a whiteout of the directory above", "an invalid whiteout", BELOW, tar(file("d/.wh..."))),
  refused("a whiteout of no name", "an invalid whiteout", BELOW, tar(file("d/.wh."))),
  refused("a whiteout of AUFS's", "an invalid whiteout", BELOW, tar(file(".wh..wh.aufs"))),
  refused("a directory of AUFS's", "the reserved name", BELOW, tar(elf(".wh..wh.plnk/1"))),
  refused(
    "a file in a directory that fuse-overlayfs takes for a whiteout",
    "the reserved name",
    BELOW,
    tar(elf(".wh.d/x")),
  ),
  refused("the same after the whiteout", "the reserved name", BELOW, tar(dir(".wh.d"), elf(".wh.d/x"))),
  refused("a hard link to AUFS's", "does not have before it", BELOW, tar(link("h", ".wh..wh.plnk/1"))),
  refused(
    "a hard link to a whiteout's name",
    "does not have before it",
    BELOW,
    tar(file(".wh.f"), link("h", ".wh.f")),
  ),
  refused(
    "an opaque whiteout of the root",
    "an opaque whiteout of the root",
    BELOW,
    tar(file(".wh..wh..opq"), file("n")),
  ),
  refused("an opaque whiteout of a file", "a path through a file", BELOW, tar(file("f/.wh..wh..opq"))),
  refused(
    "an opaque whiteout after implied directories",
    "after the files beside it",
    BELOW,
    tar(elf("d/e/n"), file("d/.wh..wh..opq")),
  ),
  refused(
    "overlayfs's own opaque mark",
    "overlayfs",
    BELOW,
    tar(pax("SCHILY.xattr.trusted.overlay.opaque", "y"), dir("d")),
  ),
  refused(
    "fuse-overlayfs's own opaque mark",
    "overlayfs",
    BELOW,
    tar(pax("SCHILY.xattr.user.fuseoverlayfs.opaque", "y"), dir("d")),
  ),
  refused(
    "another type for rootless engines",
    "overlayfs",
    tar(pax("SCHILY.xattr.user.containers.override_stat", "0:0:0120777"), elf("x")),
  ),
  refused("overlayfs's own whiteout", "a device 0:0", BELOW, tar(device("f"))),
  refused("a file that is the root", "replaces the root", BELOW, tar(file("."))),
  refused("a symbolic link that is the root", "replaces the root", BELOW, tar(sym("./", "/d"))),
  refused("a file without a name", "replaces the root", BELOW, tar(pax("comment", "x"), file("/"))),
  refused("a symbolic link to nothing", "a symbolic link to nothing", tar(sym("s", ""))),
  refused("a contiguous file", "unsupported type", tar(tarEntry({ name: "x", type: "7" }, ELF))),
  refused("a sparse file of GNU tar", "unsupported type", tar(tarEntry({ name: "x", type: "S" }, ELF))),
  refused(
    "a sparse file of pax",
    "sparse",
    tar(pax("GNU.sparse.name", "usr/bin/x"), elf("GNUSparseFile.0/x")),
  ),
  refused(
    "a name for all",
    "a global pax header",
    tar(tarEntry({ name: "pax_global_header", type: "g" }, paxRecord("path", "x")), elf("y")),
  ),
  refused(
    "a comment for all that is named after a file",
    "a global pax header",
    BELOW,
    tar(tarEntry({ name: "f", type: "g" }, paxRecord("comment", "x"))),
  ),
  refused("a name of 256 bytes", "too long", tar(pax("path", "n".repeat(256)), elf("x"))),
  refused("a name of 128 letters of two bytes", "too long", tar(pax("path", "ü".repeat(128)), elf("x"))),
  ...["\x1f\x8b\x08", "BZh91AY", "\x28\xb5\x2f\xfd", "\x50\x2a\x4d\x18"].map((magic) =>
    refused(
      `a first name that begins as ${Buffer.from(magic, "latin1").toString("hex")}`,
      "taken for the beginning of a compressed archive",
      tar(tarEntry({ name: Buffer.from(magic, "latin1") }, ELF)),
    ),
  ),
  refused(
    "the same for xz, of which the name ends at its NUL",
    "taken for the beginning of a compressed archive",
    tar(tarEntry({ name: Buffer.from("\xfd7zXZ\0", "latin1") }, ELF)),
  ),
  refused(
    "a pax header without a key",
    "malformed",
    tar(tarEntry({ name: "pax", type: "x" }, "5 =x\n"), elf("x")),
  ),
  refused(
    "a thousand records and one",
    "too many records",
    tar(tarEntry({ name: "pax", type: "x" }, paxRecord("a", "b").repeat(1001)), elf("x")),
  ),
  refused(
    "seventeen extended headers",
    "too many extended headers",
    tar(...Array.from({ length: 17 }, () => pax("comment", "x")), elf("x")),
  ),
  refused(
    "seventeen comments for all",
    "too many extended headers",
    tar(
      ...Array.from({ length: 17 }, () =>
        tarEntry({ name: "pax_global_header", type: "g" }, paxRecord("comment", "x")),
      ),
      elf("x"),
    ),
  ),
  refused("a group with a NUL byte", "NUL", tar(pax("gname", "a\0b"), elf("x"))),
  refused("a path of 4200 bytes", "too long", tar(pax("path", `${"d/".repeat(2100)}x`), elf("x"))),
];
