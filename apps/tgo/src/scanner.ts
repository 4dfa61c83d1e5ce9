import type { ScanResult } from "@tgo/functions";
import { runProgram } from "@tgo/host";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Scanners of vulnerabilities that read bills of materials, the preferred first; with the arguments for a file. Not quiet:
 * they would not say why they failed either, such as without a database.
 */
const SCANNERS: readonly (readonly [program: string, args: (file: string) => readonly string[]])[] = [
  ["grype", (file) => [`sbom:${file}`]],
  ["trivy", (file) => ["sbom", "--no-progress", file]],
];

/** The first scan downloads a database of some 100 MB. */
const TIMEOUT_MS = 15 * 60_000;
const MAX_BYTES = 64 << 20;

/**
 * Runs the first scanner that PATH has over a bill of materials.
 * @returns undefined where there is none
 */
export async function scan(
  document: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ScanResult | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "tgo-scan-"));
  try {
    const file = join(folder, "bill.json");
    await writeFile(file, document);
    for (const [program, args] of SCANNERS) {
      const result = await runProgram(program, {
        args: args(file),
        env,
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_BYTES,
        showsErrors: true,
      }).catch((error: unknown) => {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
        throw error;
      });
      if (result === undefined) continue;
      const { stdout: output, stderr: errors, exitCode } = result;
      return { program, output, errors, exitCode };
    }
    return undefined;
  } finally {
    await rm(folder, { recursive: true });
  }
}
