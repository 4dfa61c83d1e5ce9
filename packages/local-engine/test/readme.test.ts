import { connect } from "@dagger.io/dagger";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { checkHost, startEngine } from "../src/index.js";

const problems = checkHost();
if (problems.length > 0)
  console.info(`readme test: the example does not run here: ${problems.map(({ what }) => what).join("; ")}`);

it.runIf(problems.length === 0)("the README's example reads a file through the SDK", async () => {
  const home = mkdtempSync(join(tmpdir(), "tgo-engine-readme-"));
  let contents = "";

  const engine = await startEngine({ home });
  process.env.DAGGER_SESSION_PORT = String(engine.port);
  process.env.DAGGER_SESSION_TOKEN = engine.token;
  await connect(async (client) => {
    contents = await client.directory().withNewFile("hello", "world").file("hello").contents();
  });
  await engine.close();

  expect(contents).toBe("world");
  rmSync(home, { recursive: true });
});

it("the README contains the example", () => {
  const [, own = ""] =
    /let contents = "";\n\n([^]*?\n {2}await engine\.close\(\);\n)/.exec(read("readme.test.ts")) ?? [];
  expect(own).toContain("startEngine");
  expect(read("../README.md")).toContain(`\`\`\`ts\n${own.replaceAll(/^ {2}/gm, "")}\`\`\`\n`);
});

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), "utf8");
}
