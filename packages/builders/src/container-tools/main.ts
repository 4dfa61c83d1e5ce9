/**
 * The program that runs in a native Node container, with the file system to work on mounted. It is bundled into one
 * file, and prints one JSON document to stdout.
 */
import { checkRangesOfFile } from "./check-ranges.js";
import { commitTime } from "./commit-time.js";
import { compareVariants } from "./compare-variants.js";
import { copySource } from "./copy-source.js";
import { equalPackages } from "./equal-packages.js";
import { installFiles } from "./install-files.js";
import { installedPackages } from "./installed-packages.js";
import { normalizeMetadata } from "./normalize-metadata.js";
import { probe } from "./probe.js";
import { scanElf } from "./scan-elf.js";

const [command, argument] = process.argv.slice(2);
const input: unknown = JSON.parse(argument ?? "null");
const commands: Record<string, (input: never) => Promise<unknown>> = {
  "check-ranges": checkRangesOfFile,
  "commit-time": commitTime,
  "compare-variants": compareVariants,
  "copy-source": copySource,
  "equal-packages": equalPackages,
  "install-files": installFiles,
  "installed-packages": installedPackages,
  "normalize-metadata": normalizeMetadata,
  probe,
  "scan-elf": scanElf,
};
const run = commands[command ?? ""];
if (run === undefined) throw new Error(`unknown command ${String(command)}`);
process.stdout.write(JSON.stringify(await run(input as never)));
