import type { Report } from "@tgo/report";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { annotations } from "../src/annotations.js";

const down = {
  code: "UNAVAILABLE",
  what: "503: 100% down,\nreally",
  where: "ghcr.io/x/tgo-api",
  remedy: "Wait.",
} as const;
const lock = { code: "SOURCE", what: "the lock is old", where: "repos/tgo-api/poetry.lock" } as const;

function report(change: Partial<Report>): Report {
  return { command: "publish", ok: false, engine: undefined, durationMs: 1, services: [], ...change };
}

it("a problem is annotated once with its registry, and one in a file of the checkout on that file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tgo-annotations-"));
  try {
    await mkdir(join(folder, "repos/tgo-api"), { recursive: true });
    await writeFile(join(folder, lock.where), "");
    const registry = {
      registry: "ghcr",
      reference: "ghcr.io/x/tgo-api",
      state: "failed",
      durationMs: 1,
    } as const;
    const services = ["tgo-api", "tgo-web"].map((service) => ({
      ...({ service, state: "failed", variants: [], notes: [], durationMs: 1 } as const),
      problems: service === "tgo-api" ? [lock] : [],
      registries: [{ ...registry, problems: [down] }],
    }));
    expect(annotations(report({ services }), folder)).toEqual([
      "::error file=repos/tgo-api/poetry.lock,title=SOURCE%3A tgo-api::the lock is old",
      "::error title=UNAVAILABLE%3A tgo-api in ghcr::503: 100%25 down,%0Areally%0Aat ghcr.io/x/tgo-api%0AWait.",
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("a location outside the checkout is no file of it", () => {
  const problems = [
    { ...lock, where: "../../etc/passwd" },
    { ...lock, what: "two", where: "/etc/passwd" },
  ];
  expect(annotations(report({ problems }), "/nowhere")).toEqual([
    "::error title=SOURCE::the lock is old%0Aat ../../etc/passwd",
    "::error title=SOURCE::two%0Aat /etc/passwd",
  ]);
});
