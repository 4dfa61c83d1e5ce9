/**
 * Holds the verdicts of other programs beside ours: crane, regctl, oras and skopeo on images that nobody should publish and
 * on published ones; and tries the client on other registries, with the OCI conformance program beside it.
 *
 * npm run judges [-- REFERENCE...]   references of published images, on registries of this machine without credentials
 *
 * Go builds the programs, in the cache folder, once.
 */
import { hasJudge } from "@tgo/testing";
import { judgeBadImages, judgeGoodImages } from "./judges/images.js";
import { hasGo, installPrograms } from "./judges/programs.js";
import { judgeRegistries } from "./judges/registries.js";

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

async function main(references: readonly string[]): Promise<number> {
  const missing = [...((await hasGo()) ? [] : ["Go"]), ...(hasJudge("skopeo") ? [] : ["skopeo"])];
  if (missing.length > 0) {
    print(`SKIPPED: nothing was judged, because ${missing.join(" and ")} is not installed.`);
    return 0;
  }
  const programs = await installPrograms(print);
  const judges = { ...programs, skopeo: "skopeo" };
  print("\n== Images that nobody should publish\n");
  const found = await judgeBadImages(judges, print);
  if (references.length > 0) {
    print("\n== Published images\n");
    found.push(...(await judgeGoodImages(judges, references, print)));
  }
  print("\n== Registries\n");
  found.push(...(await judgeRegistries(programs, print)));
  print(
    found.length === 0 ? "\nAs listed." : `\nDifferences:\n${found.map((text) => `- ${text}`).join("\n")}`,
  );
  return found.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
