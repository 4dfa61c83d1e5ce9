import { describe, expect, it } from "vitest";
import {
  isRetryable,
  render,
  renderMarkdown,
  renderText,
  type ServiceReport,
  type VariantReport,
} from "../src/index.js";
import { DIGEST, failedReport, OTHER, report, service, without } from "./sample.js";

/** The row of a table that starts with, or continues, the given words. */
function row(text: string, ...words: string[]): string {
  const found = text.split("\n").find((line) => words.every((word) => line.includes(word)));
  if (found === undefined) throw new Error(`no line with ${words.join(" and ")} in:\n${text}`);
  return found;
}

function withDigests(...digests: (string | undefined)[]): ServiceReport {
  const whole = service("tgo-api");
  return {
    ...whole,
    registries: whole.registries.map((each, index) => {
      const digest = digests[index];
      return digest === undefined ? without(each, "digest") : { ...each, digest };
    }),
  };
}

describe("the text report", () => {
  it("starts with the function, its outcome and its scope", () => {
    expect(renderText(report()).split("\n")[0]).toBe(
      "publish ok · 2 services × 3 registries × 2 platforms in 41.2 s",
    );
  });

  it("says in its first lines which services failed", () => {
    const [first, second] = renderText(failedReport()).split("\n");
    expect(first).toContain("publish FAILED");
    expect(second).toBe("2 of 3 services failed: tgo-api, tgo-web");
  });

  it("names the engine", () => {
    expect(renderText(report())).toContain("local engine (Buildah 1.28.2) · pipeline 89abcdef01234567");
  });

  it("shows every service, registry, state and short digest in one table", () => {
    const text = renderText(failedReport());
    expect(row(text, "tgo-api", "ghcr", "already there")).toContain("a1b2c3d4e5f6");
    expect(row(text, "dockerhub", "not started")).not.toContain("a1b2c3d4e5f6");
    expect(row(text, "acr", "failed")).toContain("34.2 MiB");
  });

  it("says where nothing was sent", () => {
    expect(row(renderText(failedReport()), "already there")).toContain("nothing");
  });

  it("marks the image references that do not exist", () => {
    const text = renderText(failedReport());
    expect(row(text, "  registry.cn-shanghai.aliyuncs.com/tgoai/tgo-api:")).toMatch(/\(failed\)$/);
    expect(row(text, "  ghcr.io/tgoai/tgo-deploy/tgo-api:")).toMatch(/abcdef$/);
  });

  it("shows size, checked files, machine and smoke lines of each variant", () => {
    const text = renderText(report({ services: [service("tgo-api")] }));
    for (const [platform, machine] of [
      ["linux/amd64", "x86_64"],
      ["linux/arm64", "aarch64"],
    ] as const) {
      const line = row(text, platform);
      expect(line).toContain("54.2 MiB");
      expect(line).toContain("9120 checked");
      expect(line).toContain(machine);
      expect(line).toContain("ok (1.2 s)");
    }
    expect(text.match(/812 ELF, all match/g)).toHaveLength(2);
    expect(text).toContain("GET :8001/health 200");
  });

  it("says on which promised machines a variant runs, and what kept it from others", () => {
    const [amd64, arm64] = service("tgo-api").variants;
    if (amd64 === undefined || arm64 === undefined) throw new Error("two variants");
    const weak = "it ran on a stronger processor, x86-64-v4";
    const variants: VariantReport[] = [
      {
        ...amd64,
        machines: [
          { name: "an old PC", state: "not proven", told: weak },
          { name: "x86-64-v2 servers", state: "not proven", told: weak },
        ],
      },
      {
        ...arm64,
        machines: [
          { name: "Raspberry Pi 4", state: "ok" },
          {
            name: "Raspberry Pi 5 (16 KiB pages)",
            state: "failed",
            told: "/app/x.so is aligned for pages of 4 KiB",
          },
          { name: "AWS Graviton2", state: "ok" },
        ],
      },
    ];
    const lines = [
      `not proven on an old PC, x86-64-v2 servers: ${weak}`,
      "runs on: Raspberry Pi 4, AWS Graviton2",
      "does not run on Raspberry Pi 5 (16 KiB pages): /app/x.so is aligned for pages of 4 KiB",
    ];
    const shown = report({ services: [service("tgo-api", { variants })] });
    const text = renderText(shown, { width: 200 });
    for (const line of lines) {
      expect(text).toContain(line);
      expect(render(shown, "markdown")).toContain(line);
      expect(render(shown, "html")).toContain(line);
    }
    expect(render(shown, "json")).toContain(JSON.stringify("/app/x.so is aligned for pages of 4 KiB"));
  });

  it("says what was not checked instead of omitting it", () => {
    const bare = service("tgo-api", { variants: [{ platform: "linux/amd64", digest: DIGEST }] });
    const line = row(renderText(report({ services: [bare] })), "linux/amd64");
    expect(line).toMatch(/-\s+not checked\s+-\s+not run/);
  });

  it("has no rows for unknown variants", () => {
    const failed = service("tgo-api", { state: "failed", variants: [{ platform: "linux/amd64" }] });
    expect(renderText(report({ ok: false, services: [failed] }))).not.toContain("smoke run");
  });

  it("lists foreign files by path, and counts those beyond the tenth", () => {
    const foreign = Array.from({ length: 12 }, (_, index) => `/app/lib${index}.so`);
    const bad = service("tgo-api", {
      variants: [{ platform: "linux/arm64", elf: { files: 20, elf: 14, foreign } }],
    });
    const text = renderText(report({ ok: false, services: [bad] }));
    expect(row(text, "linux/arm64")).toContain("20 checked");
    expect(text).toContain("14 ELF, 12 FOREIGN");
    expect(text).toContain("/app/lib9.so");
    expect(text).not.toContain("/app/lib10.so");
    expect(text).toContain("and 2 more files");
  });

  it("says how many programs find their libraries, and what others lack", () => {
    const elf = (missing: string[]): NonNullable<VariantReport["elf"]> => ({
      files: 20,
      elf: 14,
      foreign: [],
      links: { roots: 9, libraries: 5, missing, notes: ["/usr/lib/plugin.so needs libgone.so"] },
    });
    const variants = (missing: string[]): VariantReport[] => [{ platform: "linux/arm64", elf: elf(missing) }];
    const good = report({ services: [service("tgo-api", { variants: variants([]) })] });
    expect(renderText(good)).toContain("9 loadable");
    const lacks = "/app/tool needs libpq.so.5, which is not in the image";
    const bad = report({ ok: false, services: [service("tgo-api", { variants: variants([lacks]) })] });
    expect(renderText(bad)).toContain("1 NOT LOADABLE");
    expect(renderText(bad)).toContain(`cannot be loaded in tgo-api linux/arm64:\n  ${lacks}`);
    expect(render(bad, "markdown")).toContain(lacks);
    expect(render(bad, "html")).toContain(lacks);
    expect(JSON.parse(render(bad, "json"))).toMatchObject({ services: [{ variants: variants([lacks]) }] });
  });

  it("distinguishes a recorded smoke run from one that ran now", () => {
    const smoke = { ok: true, machine: "aarch64", lines: [], recorded: true };
    const old = service("tgo-api", { variants: [{ platform: "linux/arm64", smoke }] });
    expect(renderText(report({ services: [old] }))).toContain("ok, recorded by an earlier run");
  });

  it("prints the full digest once when all registries agree", () => {
    const text = renderText(report({ services: [service("tgo-api")] }));
    expect(text.split(DIGEST)).toHaveLength(2);
    expect(text).toContain("(the same in all 3 registries)");
  });

  it.each([
    ["one registry lacks it", [DIGEST, DIGEST, undefined], "(in 2 of 3 registries; not seen in acr)"],
    ["no registry was asked", [undefined, undefined, undefined], "(not seen in any registry)"],
  ])("is exact about the digest when %s", (_, digests, remark) => {
    const text = renderText(report({ services: [withDigests(...digests)] }));
    expect(text).toContain(remark);
    expect(text).not.toContain("the same in all");
  });

  it("lists every digest with its registries when they differ", () => {
    const text = renderText(report({ services: [withDigests(DIGEST, OTHER, DIGEST)] }));
    expect(text).toContain("DIFFERS");
    expect(text).toContain(`${DIGEST} in ghcr, acr`);
    expect(text).toContain(`${OTHER} in dockerhub`);
    expect(text).not.toContain("the same");
  });

  it("notices a registry with another digest than the service's", () => {
    const text = renderText(report({ services: [withDigests(OTHER, OTHER, OTHER)] }));
    expect(text).toContain(`${DIGEST} in no registry`);
  });

  it("lists a shared problem once, with every location and the remedy", () => {
    const text = renderText(failedReport());
    expect(text.split('the registry refused the password of user "robot"')).toHaveLength(2);
    expect(text).toContain("at  tgo-api in acr: registry.cn-shanghai.aliyuncs.com/tgoai/tgo-api:");
    expect(text).toContain("at  tgo-web in acr: registry.cn-shanghai.aliyuncs.com/tgoai/tgo-web:");
    expect(text).toContain("-> docker login registry.cn-shanghai.aliyuncs.com");
    expect(text).toContain("UNAUTHORIZED");
  });

  it("wraps a remedy's prose but never its commands", () => {
    const sentence = `${"Look at what the registry says about it ".repeat(4).trim()}.`;
    const command = `docker login ${"registry.example.com/with/a/very/long/path ".repeat(4).trim()}`;
    const problem = { code: "DENIED", what: "refused", remedy: `${sentence}\n${command}` } as const;
    const text = renderText(report({ ok: false, services: [service("tgo-api", { problems: [problem] })] }));
    expect(text).not.toContain(sentence);
    expect(text).toContain(command);
  });

  it("ends with the next command when something is left to do", () => {
    expect(renderText(failedReport()).split("\n").at(-1)).toBe(
      "next: npx --no-install tgo publish --service tgo-api,tgo-web",
    );
    expect(renderText(report())).not.toContain("next:");
  });

  it("ends with words, and no command, where the command line is not known", () => {
    const nextInWords = "run the same command again, with the same --catalog";
    const failed = { ...without(failedReport(), "next"), nextInWords };
    expect(renderText(failed).split("\n").at(-1)).toBe(`next: ${nextInWords}`);
    expect(renderMarkdown(failed)).toContain(`**Next:** ${nextInWords}\n`);
    expect(render(failed, "html")).toContain(`<p>Next: ${nextInWords}.</p>`);
  });

  it("keeps every line of its tables and prose within the width", () => {
    const note = "a long remark ".repeat(20).trim();
    const long = { ...failedReport(), services: [service("tgo-api", { notes: [note] }), service("tgo-web")] };
    const lines = renderText(long, { width: 100 }).split("\n");
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  });

  it("uses colours only on request, with the same words", () => {
    const plain = renderText(failedReport());
    const coloured = renderText(failedReport(), { color: true });
    expect(plain).not.toContain("\u001B");
    expect(coloured).toContain("\u001B[31m");
    // eslint-disable-next-line no-control-regex
    expect(coloured.replaceAll(/\u001B\[\d+m/g, "").replaceAll(/ +$/gm, "")).toBe(plain);
  });
});

describe("what a release or promotion says it did", () => {
  const closed = (existing?: "same" | "other"): string[] => {
    const gate = { open: false, ...(existing === undefined ? {} : { existing }), reasons: ["x"], later: [] };
    const services = [service("tgo-api", { state: "not released" })];
    return renderText(report({ command: "release", version: "1.0.0", ok: false, services, gate })).split(
      "\n",
    );
  };

  it.each([
    [undefined, "1.0.0 is not released: no version tag and no latest was moved"],
    ["same", "this run tagged nothing; 1.0.0 exists from an earlier run"],
    [
      "other",
      "1.0.0 was released before with other content, and a version's tag never changes: this run tagged nothing",
    ],
  ] as const)("with a closed gate, and the version there as %s", (existing, words) => {
    expect(closed(existing).slice(1, 3).join(" ")).toContain(words);
  });

  it("is NOT MOVED where a promotion left latest on a newer version", () => {
    const gate = { open: true, reasons: [], later: [] };
    const services = [service("tgo-api", { state: "not moved" }), service("tgo-web", { state: "released" })];
    const [first, second] = renderText(
      report({ command: "promote", version: "1.0.0", ok: false, services, gate }),
    ).split("\n");
    expect(first).toContain("promote 1.0.0 NOT MOVED");
    expect(second).toBe("tags of tgo-api were not moved to 1.0.0: a newer version has them");
  });
});

describe("the command to run again", () => {
  it.each([
    ["publish", "UNAVAILABLE", true],
    ["verify", "UNAVAILABLE", true],
    ["publish", "VERIFY", true],
    ["verify", "VERIFY", false],
    ["verify", "NOT_FOUND", false],
    ["promote", "CONFLICT", false],
  ] as const)("%s that found %s: %s", (command, code, again) => {
    const problems = [{ code, what: "x" }];
    const registries = service("tgo-api").registries.map((row, at) =>
      at === 0 ? { ...row, problems } : row,
    );
    const services = [{ ...service("tgo-api"), registries }];
    expect(isRetryable({ command, services })).toBe(again);
  });

  it("is none while something else needs a change: it would fail again", () => {
    const services = [service("tgo-api", { problems: [{ code: "BUILD", what: "x" }] })];
    const problems = [{ code: "UNAVAILABLE", what: "x" }] as const;
    expect(isRetryable({ command: "publish", services, problems })).toBe(false);
    expect(isRetryable({ command: "publish", services: [], problems })).toBe(true);
  });
});
