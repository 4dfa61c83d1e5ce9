import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import {
  isRetryable,
  render,
  renderMarkdown,
  renderText,
  type ServiceReport,
  type VariantReport,
} from "../src/index.js";
import { closedGateReport, partlyWrittenReport, releasedReport } from "./release-sample.js";
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

  it("ends with the commit, the engine and the pipelines", () => {
    expect(renderText(report(), { width: 200 }).split("\n").at(-1)).toBe(
      "revision 3f2a9c1d5e7b8a6f4c2d1e0f9a8b7c6d5e4f3a2b · local engine (Buildah 1.28.2) · pipeline 89abcdef01234567",
    );
  });

  it("shows every service, platform and registry in one grid, right after what to do", () => {
    const lines = renderText(failedReport()).split("\n");
    const next = lines.findIndex((line) => line.startsWith("next: "));
    expect(lines.slice(next + 2, next + 6)).toEqual([
      "service  platforms                 tested  ghcr  dockerhub    acr",
      "tgo-api  linux/amd64, linux/arm64  ok      same  not started  FAILED",
      "tgo-web  linux/amd64, linux/arm64  ok      same  not started  FAILED",
      "tgo-rag  linux/amd64, linux/arm64  ok      done  done         done",
    ]);
  });

  it("has a row per platform where platforms fared differently, and names another image in a registry", () => {
    const [amd64, arm64] = service("tgo-api").variants;
    if (amd64 === undefined || arm64 === undefined) throw new Error("two variants");
    const variants = [amd64, { ...arm64, smoke: { ok: false, lines: [], recorded: false } }];
    const bad = { ...withDigests(DIGEST, OTHER, DIGEST), variants };
    const text = renderText(report({ ok: false, services: [bad] }));
    expect(text).toContain(
      [
        "service  platforms    tested  ghcr  dockerhub  acr",
        "tgo-api  linux/amd64  ok      done  DIFFERS    done",
        "         linux/arm64  FAILED  done  DIFFERS    done",
      ].join("\n"),
    );
  });

  it("says what was sent to each registry, equal ones once", () => {
    const text = renderText(failedReport());
    expect(text).toContain("  registries   ghcr nothing sent, 3.1 s; acr 34.2 MiB sent in 3.1 s\n");
    expect(text).toContain("  registries   ghcr, dockerhub, acr 34.2 MiB sent in 3.1 s\n");
  });

  it("names no image of a service that failed before it had a tag", async () => {
    const whole = service("tgo-api", { state: "failed", variants: [] });
    const registries = whole.registries.map((each) => ({
      ...without(each, "digest", "uploaded"),
      state: "not started" as const,
      reference: each.reference.replace(/:candidate.*/, ""),
    }));
    const failed = report({ ok: false, services: [{ ...without(whole, "digest", "tag"), registries }] });
    for (const format of ["text", "html"] as const)
      expect(await render(failed, format)).not.toContain("docker.io/tgoai/tgo-api");
  });

  it("marks the image references that do not exist", () => {
    const text = renderText(failedReport());
    expect(row(text, "   registry.cn-shanghai.aliyuncs.com/tgoai/tgo-api:")).toMatch(/\(failed\)$/);
    expect(row(text, "images       ghcr.io/tgoai/tgo-deploy/tgo-api:")).toMatch(/abcdef$/);
  });

  it("shows size, checked files, machine and smoke lines of each variant", () => {
    const text = renderText(report({ services: [service("tgo-api")] }));
    for (const platform of ["linux/amd64", "linux/arm64"])
      expect(text).toContain(`\n  ${platform}  54.2 MiB · 9120 checked, 812 ELF, all match\n`);
    expect(row(text, "smoke run")).toContain("ok (1.2 s) on x86_64 and aarch64");
    expect(text.match(/GET :8001\/health 200/g)).toHaveLength(1);
  });

  it("tells smoke runs of platforms apart where they did not do the same", () => {
    const [amd64, arm64] = service("tgo-api").variants;
    if (amd64 === undefined || arm64 === undefined) throw new Error("two variants");
    const smoke = { ok: false, machine: "aarch64", lines: ["GET :8000/health 500"], recorded: false };
    const failed = service("tgo-api", { variants: [amd64, { ...arm64, smoke }] });
    const text = renderText(report({ ok: false, services: [failed] }));
    expect(row(text, "smoke run")).toContain("linux/amd64: ok (1.2 s) on x86_64");
    expect(text).toContain("linux/arm64: FAILED on aarch64\n               GET :8000/health 500\n");
  });

  it("says on which promised machines a variant runs, and what kept it from others", async () => {
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
      "runs on Raspberry Pi 4, AWS Graviton2",
      "does not run on Raspberry Pi 5 (16 KiB pages): /app/x.so is aligned for pages of 4 KiB",
    ];
    const shown = report({ services: [service("tgo-api", { variants })] });
    const text = renderText(shown, { width: 200 });
    for (const line of lines) {
      expect(text).toContain(line);
      expect(await render(shown, "markdown")).toContain(line);
      expect(await render(shown, "html")).toContain(line);
    }
    expect(await render(shown, "json")).toContain(JSON.stringify("/app/x.so is aligned for pages of 4 KiB"));
  });

  it("says what was not checked instead of omitting it", () => {
    const bare = service("tgo-api", { variants: [{ platform: "linux/amd64", digest: DIGEST }] });
    const text = renderText(report({ services: [bare] }));
    expect(text).toMatch(/linux\/amd64\s+-\s+done/);
    expect(text).toContain("\n  linux/amd64  not checked\n  smoke run    not run\n");
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
    expect(row(text, "linux/arm64", "20 checked")).toContain("12 FOREIGN");
    expect(text).toContain("14 ELF, 12 FOREIGN");
    expect(text).toContain("/app/lib9.so");
    expect(text).not.toContain("/app/lib10.so");
    expect(text).toContain("and 2 more files");
  });

  it("says how many programs find their libraries, and what others lack", async () => {
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
    expect(renderText(bad)).toMatch(/not loadable +linux\/arm64:\n +\/app\/tool needs libpq/);
    expect(await render(bad, "markdown")).toContain(lacks);
    expect(await render(bad, "html")).toContain(lacks);
    expect(JSON.parse(await render(bad, "json"))).toMatchObject({
      services: [{ variants: variants([lacks]) }],
    });
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
    [80, [`  tgo-platform`, `    ${DIGEST}`]],
    [100, [`  tgo-platform  ${DIGEST}`]],
  ])("breaks no digest and no reference at %i columns", (width, lines) => {
    const text = renderText(report({ services: [service("tgo-platform")] }), { width });
    expect(text).toContain(`\n${lines.join("\n")}\n`);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(width);
  });

  it("puts references below their title where they do not fit beside it", () => {
    const text = renderText(failedReport(), { width: 72 });
    expect(text).toContain("\n  images\nghcr.io/tgoai/tgo-deploy/tgo-api:");
    expect(row(text, "registry.cn-shanghai.aliyuncs.com/tgoai/tgo-api:")).toBeDefined();
  });

  it("names no image of a registry that was never reached", () => {
    const [first, ...others] = service("tgo-api").registries;
    const registries = [first, ...others.map((each) => ({ ...each, state: "not started" as const }))];
    const text = renderText(
      report({
        ok: false,
        services: [service("tgo-api", { registries: registries.flatMap((each) => each ?? []) })],
      }),
    );
    expect(text).toContain("image        ghcr.io/tgoai/tgo-deploy/tgo-api:");
    expect(text).not.toContain("docker.io/tgoai/tgo-api:");
  });

  it("names a service once where a problem's place names it", () => {
    const problem = {
      code: "SMOKE" as const,
      what: "the service did not start",
      where: "tgo-api linux/amd64",
    };
    const text = renderText(report({ ok: false, services: [service("tgo-api", { problems: [problem] })] }));
    expect(text).toContain("\n  at  tgo-api linux/amd64\n");
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

  it("has the next command after the problem and before the tables when something is left to do", () => {
    const lines = renderText(failedReport()).split("\n");
    const at = lines.indexOf("next: npx --no-install tgo publish --service tgo-api,tgo-web");
    expect(at).toBeGreaterThan(lines.indexOf("problem"));
    expect(at).toBeLessThan(lines.findIndex((line) => line.startsWith("service ")));
    expect(renderText(report())).not.toContain("next:");
  });

  it("has words, and no command, where the command line is not known", async () => {
    const nextInWords = "run the same command again, with the same --catalog";
    const failed = { ...without(failedReport(), "next"), nextInWords };
    expect(renderText(failed)).toContain(`\nnext: ${nextInWords}\n`);
    expect(renderMarkdown(failed)).toContain(`**Next:** ${nextInWords}\n`);
    expect(await render(failed, "html")).toContain(`<p>Next: ${nextInWords}.</p>`);
  });

  it.each([60, 72, 80, 100, 120])("keeps every line within %i columns, apart from words to copy", (width) => {
    const note = "一段很长的备注 a long remark ".repeat(9).trim();
    const noted = {
      ...failedReport(),
      services: [service("tgo-api", { notes: [note] }), service("tgo-web")],
    };
    const reports = [noted, failedReport(), releasedReport(), closedGateReport(), partlyWrittenReport()];
    const lines = reports.flatMap((each) => renderText(each, { width }).split("\n"));
    const isCopied = (line: string): boolean =>
      /sha256:|candidate-|^ +\| |poetry lock/.test(line) || stringWidth(line) <= width;
    expect(lines.filter((line) => !isCopied(line))).toEqual([]);
  });

  it("says a note of several services or platforms once", () => {
    const note = (folder: string, platform: string): string =>
      `${platform}: loaded by nothing: /usr/lib/${folder}-linux-gnu/q.so needs libatm.so.1`;
    const notes = [note("x86_64", "linux/amd64"), note("aarch64", "linux/arm64")];
    const services = [service("tgo-api", { notes }), service("tgo-web", { notes: [...notes, "its own"] })];
    const text = renderText(report({ services }), { width: 200 });
    expect(text).toContain(
      [
        "notes",
        "  - linux/amd64 and linux/arm64: loaded by nothing: /usr/lib/{x86_64,aarch64}-linux-gnu/q.so needs libatm.so.1",
        "  - tgo-web: its own",
      ].join("\n"),
    );
  });

  it("says what checks of several services saw once, and names the services where they differ", () => {
    const found = { name: "found", state: "ok", evidence: [`ghcr.io/x: ${DIGEST}`] } as const;
    const layers = {
      name: "layers",
      state: "ok",
      evidence: ["linux/amd64: 7 labels", "linux/arm64: 7 labels"],
    } as const;
    const base = { name: "base", state: "note", evidence: ["unknown"] } as const;
    const services = [
      service("tgo-api", { checks: [found, layers, base] }),
      service("tgo-web", { checks: [found, layers, { ...base, state: "ok", evidence: ["python"] }] }),
    ];
    expect(renderText(report({ command: "verify", services }))).toContain(
      [
        "check   state  evidence",
        "found   ok     ghcr.io/x: a1b2c3d4e5f6",
        "layers  ok     linux/amd64, linux/arm64: 7 labels",
        "base    note   tgo-api:",
        "               unknown",
        "        ok     tgo-web:",
        "               python",
      ].join("\n"),
    );
  });

  it("shortens digests in evidence where they do not fit, and says once what many checks found", () => {
    const skippedOf = (name: string) => ({ name, state: "skipped", evidence: ["not read"] }) as const;
    const manifests = { name: "manifests", state: "ok", evidence: [`linux/amd64: ${OTHER}`] } as const;
    const checks = [manifests, skippedOf("layers"), skippedOf("parity")];
    const verified = report({ command: "verify", services: [service("tgo-api", { checks })] });
    expect(renderText(verified, { width: 60 })).toContain(
      [
        "check           state    evidence",
        "manifests       ok       linux/amd64: 0f0f0f0f0f0f",
        "layers, parity  skipped  not read",
      ].join("\n"),
    );
    expect(renderText(verified, { width: 120 })).toContain(`linux/amd64: ${OTHER}`);
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
