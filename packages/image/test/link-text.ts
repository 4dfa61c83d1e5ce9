import type { ElfFacts } from "../src/elf/elf-facts.js";
import type { LinkTree } from "../src/link/link-tree.js";

/**
 * A root file system as text, for inputs that are changed: a line is `PATH -> TARGET`, `PATH = CONTENT`, or an ELF file
 * with what its loader reads, `PATH KEY VALUE KEY VALUE`. Keys: interpreter, soname, rpath, runpath, needed (`a,b`),
 * defines (`V1,V2`), needs (`lib:V1+V2,lib:V3`), flags (`nodeflib,module`). Other lines are left out.
 */
export function linkTreeOf(text: string): LinkTree {
  const elf = new Map<string, ElfFacts>();
  const links = new Map<string, string>();
  const contents = new Map<string, Buffer>();
  for (const line of text.split("\n")) {
    const [path = "", ...words] = line.split(" ");
    if (!path.startsWith("/")) continue;
    if (words[0] === "->") links.set(path, words.slice(1).join(" "));
    else if (words[0] === "=") contents.set(path, Buffer.from(words.slice(1).join(" ")));
    else elf.set(path, factsOf(words));
  }
  for (const path of links.keys()) elf.delete(path);
  return { elf, linkTarget: (path) => links.get(path), loaderFile: (path) => contents.get(path) };
}

function factsOf(words: readonly string[]): ElfFacts {
  const values = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2) values.set(words[at] ?? "", words[at + 1] ?? "");
  const text = <K extends string>(key: K): Partial<Record<K, string>> => {
    const value = values.get(key);
    return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
  };
  const list = (key: string): string[] => values.get(key)?.split(",") ?? [];
  const versionsNeeded = list("needs").map((need) => {
    const [library = "", versions = ""] = need.split(":");
    return { library, versions: versions.split("+") };
  });
  return {
    ...{ class: 64, endianness: "little", machine: 62, type: 3 },
    ...{ ...text("interpreter"), ...text("soname"), ...text("rpath"), ...text("runpath") },
    ...(values.has("needed") ? { needed: list("needed") } : {}),
    ...(values.has("defines") ? { versionsDefined: list("defines") } : {}),
    ...(versionsNeeded.length === 0 ? {} : { versionsNeeded }),
    ...(list("flags").includes("nodeflib") ? { noDefaultLibraries: true as const } : {}),
    ...(list("flags").includes("module") ? { pythonModule: true as const } : {}),
  };
}
