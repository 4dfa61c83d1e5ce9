/**
 * The program the stages run in a native Node container, next to a mounted file system. One file, no
 * dependencies, one JSON document on stdout.
 */
import { commitTime } from "./commit-time.js";
import { hashTree } from "./hash-tree.js";
import { installFiles } from "./install-files.js";
import { installedPackages } from "./installed-packages.js";
import { probe } from "./probe.js";
import { scan } from "./scan-elf.js";
import { normalizeMetadata } from "./normalize-metadata.js";

const [command, argument] = process.argv.slice(2);
const input: unknown = JSON.parse(argument ?? "null");
const commands: Record<string, (input: never) => Promise<unknown>> = {
  "commit-time": commitTime,
  inspect: hashTree,
  lay: installFiles,
  packages: installedPackages,
  probe,
  scan,
  stamp: normalizeMetadata,
};
const run = commands[command ?? ""];
if (run === undefined) throw new Error(`unknown command ${String(command)}`);
process.stdout.write(JSON.stringify(await run(input as never)));
