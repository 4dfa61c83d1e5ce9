import type { Container } from "@dagger.io/dagger";
import type { BuildContext, Variant } from "@tgo/builders";
import { applyOverride, type Service } from "@tgo/catalog";
import { Progress } from "@tgo/progress";
import { expect, it, vi } from "vitest";
import type { ImportReport } from "../src/imports.js";
import { NativeSibling, nativeSibling } from "../src/native-sibling.js";
import type { SmokeResult } from "../src/smoke-result.js";
import { smokeVariant } from "../src/smoke-variant.js";
import { testVariant } from "../src/test-variant.js";

const NATIVE: ImportReport = {
  machine: "x86_64",
  packages: 3,
  modules: 3,
  equal: { packages: 0, modules: 0 },
  skipped: [],
  optional: [],
  failed: [],
  looks: ["asks"],
  standard: { modules: ["_ssl"], files: ["ssl.py"] },
};
const FOREIGN: ImportReport = {
  ...NATIVE,
  machine: "aarch64",
  packages: 2,
  modules: 2,
  equal: { packages: 1, modules: 1 },
};

interface Answers {
  /** What commands print, by the start of the command; an Error fails it. */
  readonly exec?: Readonly<Record<string, string | Error>>;
  readonly server?: () => Promise<object>;
  /** The check of a variant's files. */
  readonly check?: () => Promise<string>;
}

/** An engine that answers commands of an image, and what ran on it. */
function engine({ exec = {}, server = () => Promise.resolve(OK), check }: Answers = {}) {
  const ran: string[] = [];
  let stopped = 0;
  const container = (platform: string): Container => {
    const self = {
      platform: () => Promise.resolve(platform),
      envVariable: () => Promise.resolve(""),
      exists: () => Promise.resolve(false),
      rootfs: () => ({}),
      withEnvVariable: () => self,
      withNewFile: () => self,
      withExec: (args: string[]) => {
        const command = args.join(" ");
        ran.push(`${platform} ${command}`);
        const imports = JSON.stringify(platform === "linux/amd64" ? NATIVE : FOREIGN);
        const [, answer = command.includes("imports.py") ? imports : ""] =
          Object.entries(exec).find(([start]) => `${platform} ${command}`.startsWith(start)) ?? [];
        return {
          stdout: () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)),
        };
      },
      entrypoint: () => Promise.resolve(["serve"]),
      defaultArgs: () => Promise.resolve([]),
      withoutDockerHealthcheck: () => self,
      withExposedPort: () => self,
      asService: () => ({
        stop: () => {
          stopped += 1;
          return Promise.resolve();
        },
      }),
    };
    return self as unknown as Container;
  };
  const tools = (stdout: () => Promise<string>): object => ({
    withNewFile: () => tools(stdout),
    withMountedDirectory: () => tools(stdout),
    withServiceBinding: () => tools(stdout),
    withExec: ([, , command]: string[]) =>
      tools(
        command === "scan-elf" && check !== undefined
          ? check
          : command === "equal-packages"
            ? () => Promise.resolve(JSON.stringify(["asks", "same"]))
            : async () => JSON.stringify(await server()),
      ),
    stdout,
  });
  const context = {
    native: "linux/amd64",
    client: {},
    bases: { container: () => Promise.resolve(tools(() => Promise.resolve(""))) },
    catalog: { machines: { "linux/amd64": [], "linux/arm64": [] } },
    progress: { note: () => undefined },
  } as unknown as BuildContext;
  const variants = (["linux/amd64", "linux/arm64"] as const).map((platform): Variant => ({
    platform,
    container: container(platform),
  }));
  return { context, variants, ran, stops: () => stopped };
}

const OK = { ok: true, responses: [{ url: "http://service:80/", status: 200 }] };

function service(smoke: object = {}): Service {
  const definition = {
    title: "Bot",
    build: { strategy: "python" },
    smoke: {
      http: [{ port: 80, path: "/" }],
      exec: [{ command: ["heads"], platforms: "one" }, ["check"]],
      ...smoke,
    },
  };
  const { bot } = applyOverride({ services: { bot: definition } }).services;
  if (bot === undefined) throw new Error("no service");
  return bot;
}

/** Runs both variants of a service as a build does. */
function runBoth(
  { context, variants }: Pick<ReturnType<typeof engine>, "context" | "variants">,
  definition = service(),
): Promise<PromiseSettledResult<SmokeResult>[]> {
  const sibling = nativeSibling(context, variants);
  return Promise.allSettled(
    variants.map(async (variant) => {
      try {
        return await smokeVariant(context, "bot", definition, variant, { sibling });
      } finally {
        if (variant.platform === sibling?.platform) sibling.imported(undefined);
      }
    }),
  );
}

const linesOf = (result: PromiseSettledResult<SmokeResult> | undefined): readonly string[] =>
  result?.status === "fulfilled" ? result.value.lines : [String(result?.reason)];

it("an emulated run leaves out what the native one tells, and says of each line how it is known", async () => {
  const { ran, ...both } = engine();
  const [native, foreign] = await runBoth(both);
  expect(linesOf(native)).toEqual([
    "heads: exit 0 [native]",
    "check: exit 0 [native]",
    "imports: 3 modules of 3 packages ok [native]",
    "GET :80/ 200 [native]",
  ]);
  expect(linesOf(foreign)).toEqual([
    "heads: exit 0 on linux/amd64, for every platform [native]",
    "check: exit 0 [emulated]",
    "imports: 2 modules of 2 packages ok [emulated]",
    "imports: 1 module of 1 package with the same files as on linux/amd64, imported there [equal bytes]",
    "GET :80/ 200 [emulated]",
  ]);
  expect(ran.filter((command) => command.includes("heads"))).toEqual(["linux/amd64 heads"]);
  // A package that looks at the machine is imported, although its files are the same.
  const given = ran.find((command) => /arm64.*imports\.py/.test(command)) ?? "";
  expect(given).toContain('"equal":["same"]');
  expect(given).toContain('"standard":{"modules":["_ssl"],"files":["ssl.py"]}');
});

it.each<
  [string, (both: ReturnType<typeof engine>) => Pick<ReturnType<typeof engine>, "context" | "variants">]
>([
  ["with --full-smoke", ({ context, variants }) => ({ context: { ...context, fullSmoke: true }, variants })],
  ["without a native variant", ({ context, variants }) => ({ context, variants: variants.slice(1) })],
])("%s everything runs under emulation", async (_, change) => {
  const both = engine();
  const results = await runBoth(change(both));
  expect(linesOf(results.at(-1))).toContain("heads: exit 0 [emulated]");
  expect(both.ran.find((command) => /arm64.*imports\.py/.test(command))).not.toContain("equal");
});

const failure = (stderr: string): Error =>
  Object.assign(new Error(stderr), { stderr, stdout: "", exitCode: 1 });
const failed = (error: string): string =>
  JSON.stringify({ ...FOREIGN, failed: [{ module: "fast", package: "fast 1.0", error }] });

it.each<[string, Answers["exec"], RegExp]>([
  [
    "a missing library",
    {
      "linux/arm64 /app/.venv/bin/python": failed("ImportError: libpq.so.5: cannot open shared object file"),
    },
    /bot linux\/arm64[^]*fast \(fast 1\.0\): ImportError: libpq\.so\.5/,
  ],
  [
    "a wrong extension beside identical Python files",
    { "linux/arm64 /app/.venv/bin/python": failed("ModuleNotFoundError: No module named 'fast._c'") },
    /bot linux\/arm64[^]*No module named 'fast\._c'/,
  ],
  ["a command", { "linux/arm64 check": failure("boom") }, /check failed/],
  [
    "another machine",
    { "linux/arm64 /app/.venv/bin/python": JSON.stringify({ ...FOREIGN, machine: "x86_64" }) },
    /reports the machine "x86_64", not aarch64/,
  ],
])(
  "%s on the foreign platform alone is found there, before its server's failure",
  async (_, exec, message) => {
    const hangs = (): Promise<object> => new Promise(() => undefined);
    const both = engine({ exec: exec ?? {}, server: hangs });
    const foreign = both.variants[1] as Variant;
    const sibling = new NativeSibling(both.context, both.variants[0] as Variant);
    sibling.imported(NATIVE);
    const run = smokeVariant(both.context, "bot", service(), foreign, { sibling });
    await expect(run).rejects.toThrow(message);
    // The server that nobody waits for any more is stopped.
    expect(both.stops()).toBe(1);
  },
);

const SHARED: ImportReport = { ...FOREIGN, shared: { commands: [true], servers: true } };
const ofShared = (report: ImportReport): Answers["exec"] => ({
  "linux/arm64 /app/.venv/bin/python": JSON.stringify(report),
});

it("commands and servers that ran in forks of the importing interpreter are not run again", async () => {
  const { ran, ...both } = engine({
    exec: ofShared(SHARED) ?? {},
    server: () => Promise.reject(failure("started")),
  });
  const sibling = new NativeSibling(both.context, both.variants[0] as Variant);
  sibling.imported(NATIVE);
  const run = await smokeVariant(both.context, "bot", service(), both.variants[1] as Variant, { sibling });
  expect(run.lines).toContain("check: exit 0 [emulated, one interpreter]");
  expect(run.lines.at(-1)).toBe("GET :80/ 200 [emulated, one interpreter]");
  expect(ran.filter((command) => !command.includes("imports.py"))).toEqual([]);
  const given = JSON.parse(ran[0]?.slice(ran[0].indexOf("{")) ?? "") as { share: object };
  expect(given.share).toMatchObject({
    commands: [["check"]],
    servers: [["serve"]],
    requests: [{ port: 80, path: "/", status: 200 }],
  });
});

it.each([
  ["that succeed by themselves pass", { server: () => Promise.resolve(OK) }, undefined],
  [
    "fail with the message of their own run",
    { server: () => Promise.reject(failure("Illegal instruction")) },
    /the service did not start[^]*Illegal instruction/,
  ],
])("servers that fail in a fork, and %s", async (_, answers, message) => {
  const both = engine({
    exec: ofShared({ ...SHARED, shared: { commands: [false], servers: false } }) ?? {},
    ...answers,
  });
  const sibling = new NativeSibling(both.context, both.variants[0] as Variant);
  sibling.imported(NATIVE);
  const run = smokeVariant(both.context, "bot", service(), both.variants[1] as Variant, { sibling });
  if (message !== undefined) return expect(run).rejects.toThrow(message);
  expect((await run).lines).toEqual(
    expect.arrayContaining(["check: exit 0 [emulated]", "GET :80/ 200 [emulated]"]),
  );
  expect(both.ran).toContain("linux/arm64 check");
});

it("a server that crashes on the foreign platform alone is found", async () => {
  const both = engine({ server: () => Promise.reject(failure("Illegal instruction")) });
  const sibling = new NativeSibling(both.context, both.variants[0] as Variant);
  sibling.imported(NATIVE);
  const run = smokeVariant(both.context, "bot", service(), both.variants[1] as Variant, { sibling });
  await expect(run).rejects.toThrow(/the service did not start[^]*Illegal instruction/);
});

it("a native run that fails leaves the foreign one complete, not waiting", async () => {
  const report = {
    ...NATIVE,
    failed: [{ module: "same", package: "same 1.0", error: "OSError: libx.so.1" }],
  };
  const both = engine({ exec: { "linux/amd64 /app/.venv/bin/python": JSON.stringify(report) } });
  const [native, foreign] = await runBoth(both);
  expect(linesOf(native)[0]).toMatch(/same \(same 1\.0\): OSError: libx\.so\.1/);
  expect(foreign?.status).toBe("fulfilled");
  expect(both.ran.find((command) => /arm64.*imports\.py/.test(command))).not.toContain("equal");
});

it("an emulated run begins beside the check of its files; a check that fails stops it, and is what is told", async () => {
  let fail = (): void => undefined;
  const check = new Promise<string>((_, reject) => {
    fail = () => {
      reject(new Error("the check found a file for another machine"));
    };
  });
  let isStarted = false;
  const hangs = (): Promise<object> => {
    isStarted = true;
    return new Promise(() => undefined);
  };
  const both = engine({ check: () => check, server: hangs });
  const ended: string[] = [];
  const context = {
    ...both.context,
    progress: new Progress(({ kind, step, state }) => {
      if (kind === "end") ended.push(`${step} ${state}`);
    }),
  };
  const foreign = both.variants[1] as Variant;
  const test = testVariant(context, { name: "bot", service: service() }, foreign);
  await vi.waitFor(() => {
    expect(isStarted).toBe(true);
  });
  fail();
  await expect(test).rejects.toThrow(/file for another machine/);
  await vi.waitFor(() => {
    expect(ended.sort()).toEqual(["check failed", "smoke stopped"]);
    expect(both.stops()).toBe(1);
  });
});

it("a run that fails before its check does is not run again", async () => {
  const both = engine({ exec: { "linux/arm64 check": failure("Exec format error") } });
  const checking = new Promise((_, reject) =>
    setTimeout(reject, 20, new Error("a file for another machine")),
  );
  const foreign = both.variants[1] as Variant;
  const run = smokeVariant(both.context, "bot", service(), foreign, { checking });
  await expect(run).rejects.toThrow(/file for another machine/);
  expect(both.ran.filter((command) => command === "linux/arm64 check")).toHaveLength(1);
});
