import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { ROOT } from "../src/samples.js";

it("npm run bench starts from source, and explains itself", async () => {
  const { stdout } = await promisify(execFile)("npm", ["run", "-s", "bench", "--", "--help"], { cwd: ROOT });
  expect(stdout).toContain("--quick");
}, 60_000);
