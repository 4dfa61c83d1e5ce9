import { execFileSync } from "node:child_process";
import { TgoError } from "@tgo/errors";
import { render, type Report } from "@tgo/report";
import { EventEmitter } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FunctionFailed, tgo, type RunOptions } from "./fixture.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-reports-"));
});
afterEach(() => rm(folder, { recursive: true }));

const written = (name: string): Promise<string> => readFile(join(folder, name), "utf8");

const REPORT: Report = {
  command: "publish",
  ok: true,
  engine: "local engine (fake)",
  pipeline: "0123456789abcdef",
  durationMs: 1200,
  services: [
    {
      service: "tgo-api",
      state: "published",
      variants: [],
      registries: [],
      problems: [],
      notes: ["built with hunter2hunter2"],
      durationMs: 1000,
    },
  ],
};
const FAILED: Report = {
  ...REPORT,
  ok: false,
  services: REPORT.services.map((service) => ({
    ...service,
    state: "failed",
    problems: [{ code: "UNAVAILABLE", what: "the registry answered 503" }],
  })),
};

/** As the functions do it: the host gets the report, what it returns is rendered, and a failure is thrown. */
const making =
  (report: Report): NonNullable<RunOptions["behave"]> =>
  async (_, host) => {
    const text = await render(host.report?.(report) ?? report, "text");
    return report.ok ? Promise.resolve(text) : Promise.reject(new FunctionFailed(text));
  };

describe("--report", () => {
  const ALL = ["report.html", "report.md", "report.json", "report.txt"];

  it.each([
    ["a success", REPORT, 0, "published"],
    ["a failure", FAILED, 1, "the registry answered 503"],
  ])(
    "writes the report of %s to every file, in the format of its extension",
    async (_, report, expected, words) => {
      const line = `publish --service a --report ${ALL.slice(0, 2).join(",")} --report report.json --report report.txt`;
      const { code, stdout } = await tgo(line, { cwd: folder, behave: making(report) });
      expect(code).toBe(expected);
      expect(stdout).toContain(words);
      for (const name of ALL) expect(await written(name)).toContain(words);
      expect(await written("report.html")).toMatch(/^<!doctype html>/);
      expect(await written("report.md")).toMatch(/^## `publish`/);
      expect(JSON.parse(await written("report.json"))).toEqual({ ...report, schemaVersion: 1 });
      expect(await written("report.txt")).toMatch(/^publish (ok|FAILED) · /);
    },
  );

  it("covers a run that failed before its function made a report", async () => {
    const lacking = new TgoError("ENVIRONMENT", "crun is missing", { remedy: "apt-get install crun" });
    const { code, stderr } = await tgo("publish --service a --report report.json,report.html", {
      cwd: folder,
      engines: { startLocalEngine: () => Promise.reject(lacking) },
    });
    expect(code).toBe(1);
    expect(stderr).toContain("tgo: crun is missing");
    expect(JSON.parse(await written("report.json"))).toMatchObject({
      command: "publish",
      ok: false,
      services: [],
      problems: [{ code: "ENVIRONMENT", what: "crun is missing", remedy: "apt-get install crun" }],
      next: "tgo publish --service a --report report.json,report.html",
    });
    expect(await written("report.html")).toContain("crun is missing");
  });

  it("covers an interruption", async () => {
    const signals = new EventEmitter();
    const { code } = await tgo("publish --service a --report report.md", {
      cwd: folder,
      signals,
      behave: (_, host) =>
        new Promise((_resolve, reject) => {
          host.signal?.addEventListener("abort", () => {
            reject(host.signal?.reason as Error);
          });
          signals.emit("SIGTERM");
        }),
    });
    expect(code).toBe(143);
    expect(await written("report.md")).toContain("**INTERRUPTED** interrupted");
    expect(await written("report.md")).toContain("```sh\ntgo publish --service a");
  });

  it("reports a failure that came after the function's report", async () => {
    await tgo("publish --service a --report report.json", {
      cwd: folder,
      behave: (_, host) => {
        host.report?.(REPORT);
        return Promise.reject(new TgoError("INTERNAL", "the engine did not end"));
      },
    });
    expect(JSON.parse(await written("report.json"))).toMatchObject({
      ok: false,
      services: [{ service: "tgo-api" }],
      problems: [{ what: "the engine did not end" }],
    });
  });

  it.each([
    ["report.pdf", /--report report\.pdf: unknown file extension\n +Known extensions: \.html, \.md/],
    ["missing/report.md", /cannot write the report \(--report\): no such folder: .*missing/],
    ["folder.md", /cannot write the report \(--report\): it is a folder/],
    ["pipe.md", /cannot write the report \(--report\): it is not a regular file/],
  ])("refuses %s before anything is started", async (name, words) => {
    await mkdir(join(folder, "folder.md"));
    execFileSync("mkfifo", [join(folder, "pipe.md")]);
    const { code, stderr, loaded } = await tgo(`publish --service a --report ${name}`, { cwd: folder });
    expect({ code, loaded }).toEqual({ code: 2, loaded: false });
    expect(stderr).toMatch(words);
  });

  it("fails the run if a file cannot be written in the end", async () => {
    const { code, stdout, stderr } = await tgo("publish --service a --report sub/report.md", {
      cwd: await mkdir(join(folder, "sub")).then(() => folder),
      behave: async (call, host) => {
        await rm(join(folder, "sub"), { recursive: true });
        return making(REPORT)(call, host);
      },
    });
    expect(code).toBe(1);
    expect(stdout).toContain("publish ok");
    expect(stderr).toContain("cannot write the report (--report): ENOENT");
  });

  it("is a flag of functions that make a report only", async () => {
    expect((await tgo("publish --help")).stdout).toContain("--report <file,...>");
    const { code, stderr } = await tgo("services --report report.md", { cwd: folder });
    expect(code).toBe(2);
    expect(stderr).toContain("--report");
  });
});

describe("the job summary", () => {
  it.each([
    ["a success", REPORT, 0],
    ["a failure", FAILED, 1],
  ])("gets the Markdown of %s appended, and stdout stays as it is", async (_, report, expected) => {
    await writeFile(join(folder, "summary.md"), "no line end");
    const env = { GITHUB_STEP_SUMMARY: join(folder, "summary.md") };
    const { code, stdout } = await tgo("publish --service a", { env, cwd: folder, behave: making(report) });
    expect(code).toBe(expected);
    expect(await written("summary.md")).toBe(`no line end\n${await render(report, "markdown")}`);
    expect(stdout).toMatch(/^publish (ok|FAILED)/);
  });

  it("gets the failure of a run without a report", async () => {
    const env = { GITHUB_STEP_SUMMARY: join(folder, "summary.md") };
    await tgo("publish --service a", {
      env,
      behave: () => Promise.reject(new TgoError("USAGE", "no service a")),
    });
    expect(await written("summary.md")).toContain("**USAGE** no service a");
  });

  it("gets nothing from a function that makes no report", async () => {
    const env = { GITHUB_STEP_SUMMARY: join(folder, "summary.md") };
    expect((await tgo("services", { env })).code).toBe(0);
    await expect(written("summary.md")).rejects.toThrow("ENOENT");
  });

  it.each([
    ["a success", REPORT, 0],
    ["a failure", FAILED, 1],
  ])("that cannot be written is a warning and does not change %s", async (_, report, expected) => {
    const env = { GITHUB_STEP_SUMMARY: join(folder, "no/such/folder.md") };
    const { code, stderr } = await tgo("publish --service a", { env, behave: making(report) });
    expect(code).toBe(expected);
    expect(stderr).toContain("warning: cannot write the job summary (GITHUB_STEP_SUMMARY): no such folder");
  });

  it("that is a pipe is a warning, and nothing waits for its reader", async () => {
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    const env = { GITHUB_STEP_SUMMARY: path };
    const { code, stderr } = await tgo("publish --service a", { env, behave: making(REPORT) });
    expect(code).toBe(0);
    expect(stderr).toContain("(GITHUB_STEP_SUMMARY): it is not a regular file");
  });
});

describe("the step's output", () => {
  const [service] = REPORT.services;
  const made = (...digests: readonly string[]): typeof REPORT => ({
    ...REPORT,
    services: digests.map(
      (digest, at) => ({ ...service, service: `svc-${at}`, digest }) as typeof service & object,
    ),
  });

  it.each([
    [made("sha256:a", "sha256:b"), 'digests={"svc-0":"sha256:a","svc-1":"sha256:b"}\n'],
    [made("sha256:a"), 'digests={"svc-0":"sha256:a"}\ndigest=sha256:a\n'],
  ])("gets the digests of a success", async (report, expected) => {
    await writeFile(join(folder, "output"), "earlier=1");
    const env = { GITHUB_OUTPUT: join(folder, "output") };
    const { code } = await tgo("publish --service a", { env, cwd: folder, behave: making(report) });
    expect(code).toBe(0);
    expect(await written("output")).toBe(`earlier=1\n${expected}`);
  });

  it("gets nothing of a failure: no job goes on with what is not published", async () => {
    const env = { GITHUB_OUTPUT: join(folder, "output") };
    const failed = { ...made("sha256:a"), ok: false };
    expect((await tgo("publish --service a", { env, cwd: folder, behave: making(failed) })).code).toBe(1);
    await expect(written("output")).rejects.toThrow("ENOENT");
  });
});

describe("a run for a pull request from a fork", () => {
  const denied: Report = {
    ...FAILED,
    services: FAILED.services.map((service) => ({
      ...service,
      problems: [{ code: "UNAUTHORIZED", what: "the registry wants credentials" }],
    })),
  };
  const runIn = async (env: Record<string, string>, report: Report = denied): Promise<string> =>
    (await tgo("publish --service a", { env, cwd: folder, behave: making(report) })).stderr;
  const githubRun = async (head: object): Promise<Record<string, string>> => {
    const path = join(folder, "event.json");
    const repository = { full_name: "tgoai/tgo" };
    await writeFile(path, JSON.stringify({ pull_request: { head }, repository }));
    return { GITHUB_EVENT_NAME: "pull_request", GITHUB_EVENT_PATH: path };
  };
  const LINE = "it gets no secrets, so it cannot push";

  it("says once that it cannot push, and what it can do", async () => {
    const stderr = await runIn(await githubRun({ repo: { full_name: "me/tgo" } }));
    expect(stderr.split(LINE)).toHaveLength(2);
    expect(await runIn(await githubRun({ repo: null }))).toContain(LINE);
    expect(
      await runIn({
        CI_MERGE_REQUEST_SOURCE_PROJECT_PATH: "me/tgo",
        CI_MERGE_REQUEST_PROJECT_PATH: "tgoai/tgo",
      }),
    ).toContain(LINE);
  });

  it("is not what a pull request of the repository itself is, nor a failure for another reason", async () => {
    expect(await runIn(await githubRun({ repo: { full_name: "tgoai/tgo" } }))).not.toContain(LINE);
    expect(await runIn({ GITHUB_EVENT_NAME: "pull_request", GITHUB_EVENT_PATH: folder })).not.toContain(LINE);
    expect(await runIn(await githubRun({ repo: { full_name: "me/tgo" } }), FAILED)).not.toContain(LINE);
  });
});

describe("a credential in a report", () => {
  it("is redacted in every format", async () => {
    const config = {
      auths: { "localhost:1": { auth: Buffer.from("robot:hunter2hunter2").toString("base64") } },
    };
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    const env = { GITHUB_STEP_SUMMARY: join(folder, "summary.md") };
    const line = "publish --service a --docker-config config.json --report report.html,report.json";
    const { stdout } = await tgo(line, { env, cwd: folder, behave: making(REPORT) });
    for (const text of [
      stdout,
      ...(await Promise.all(["summary.md", "report.html", "report.json"].map(written))),
    ]) {
      expect(text).not.toContain("hunter2hunter2");
      expect(text).toMatch(/(?:\\?\*){3}/);
    }
  });
});

describe("--format", () => {
  it.each([
    ["html", /^<!doctype html>[^]*no service a/],
    ["markdown", /^## `publish` ❌ failed[^]*no service a/],
  ])("%s is the format on stdout of a failure without a report", async (format, words) => {
    const { stdout, code } = await tgo(`publish --service a --format ${format}`, {
      behave: () => Promise.reject(new TgoError("USAGE", "no service a")),
    });
    expect(code).toBe(2);
    expect(stdout).toMatch(words);
  });

  it("html is rejected by a function that makes no report", async () => {
    const { code, stderr } = await tgo("services --format html");
    expect(code).toBe(2);
    expect(stderr).toMatch(/format.*html/);
    expect(stderr).toContain("text, json, markdown");
  });
});
