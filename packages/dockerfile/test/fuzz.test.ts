import { join } from "node:path";
import { fuzz, FUZZ_TIMEOUT_MS } from "@tgo/testing";
import { expect, test } from "vitest";
import { imagesOf, neededStages, parseDockerfile, parseStages } from "../src/index.js";

test("Dockerfile: fuzz", { timeout: FUZZ_TIMEOUT_MS }, async () => {
  await fuzz({
    name: "Dockerfile",
    corpus: join(import.meta.dirname, "corpus"),
    words: [
      "FROM ",
      "AS ",
      "COPY --from=",
      "RUN --mount=type=cache,",
      "<<EOF\n",
      "# escape=`\n",
      "${X:-",
      "\\\n",
    ],
    parse: (input) => {
      const text = input.toString();
      const dockerfile = parseDockerfile(text);
      const lines = text.split("\n").length;
      for (const {
        lines: [first, last],
      } of dockerfile.instructions) {
        expect(first).toBeLessThan(last);
        expect(last).toBeLessThanOrEqual(lines);
      }
      const stages = parseStages(dockerfile, { TARGETPLATFORM: "linux/arm64" });
      imagesOf(stages);
      if (stages.length > 0) neededStages(stages, stages.length - 1);
    },
  });
});
