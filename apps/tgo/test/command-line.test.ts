import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CHINESE_ERROR_CODES, ERROR_CODES } from "@tgo/errors";
import { textWidth } from "@tgo/report";
import { explain, languageOf } from "../src/explain.js";
import { MODULE_API, tgo } from "./fixture.js";

/** Without its line breaks, wherever the width put them. */
function flat(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

describe("help", () => {
  it("of the command lists every function in groups, examples and exit codes, and loads nothing", async () => {
    const { code, stdout, stderr, loaded } = await tgo("--help");
    expect([code, stderr, loaded]).toEqual([0, "", false]);
    expect(stdout).toMatch(/\n\nBuild and publish:\n {2}publish +Publishes services\n/);
    expect(stdout).toMatch(/\n\nMore functions:\n {2}verify-tag +Verifies\n/);
    for (const { command } of MODULE_API.functions)
      expect(stdout).toMatch(new RegExp(`^ {2}${command} `, "m"));
    for (const word of ["explain [CODE]", "completion bash|zsh|fish", "Exit codes:", "Examples:"])
      expect(stdout).toContain(word);
    expect(stdout).not.toContain("--catalog");
    expect(flat(stdout)).toContain("tgo --help all the flags that every function takes");
  });

  it.each(["--help all", "help all", "-h all"])("of everything: %s", async (line) => {
    const { code, stdout } = await tgo(line);
    expect(code).toBe(0);
    for (const word of ["--registry-service <address,...>", "--engine", "Environment:", "DOCKER_CONFIG"])
      expect(stdout).toContain(word);
  });

  it("of a function has its documentation, own flags, defaults, choices and examples", async () => {
    const stdout = flat((await tgo("publish --help")).stdout);
    expect(stdout).toContain("Publishes services. Nothing is tagged before it is verified.");
    expect(stdout).toMatch(/--service <text,...>\s+Services of the catalog, or all\./);
    expect(stdout).toContain("[required]");
    expect(stdout).toContain("[one of: text, json, markdown, html]");
    expect(stdout).toContain("[default: text]");
    expect(stdout).toContain("[default: 4]");
    expect(stdout).toContain("tgo publish --service tgo-api");
  });

  it("of a function has the flags of every function behind one line", async () => {
    const { stdout } = await tgo("publish --help");
    expect(stdout).not.toContain("--docker-config <secret>");
    expect(flat(stdout)).toContain(
      "Every function also takes --catalog, --registry, --platform, --docker-config, --engine, --progress and more: " +
        "tgo publish --help all.",
    );
    for (const line of ["publish --help all", "help publish all"]) {
      const all = (await tgo(line)).stdout;
      expect(all).toContain("Flags of every function (before or after its name):");
      expect(all).toContain("--docker-config <secret>");
      expect(flat(all)).toContain("[default: the checkout around the current folder]");
    }
  });

  it("writes its examples as the command was started", async () => {
    const { stdout } = await tgo("publish --help", { env: { npm_command: "exec" } });
    expect(stdout).toMatch(/^ {2}npx --no-install tgo publish --service tgo-api +from repos\/tgo-api/m);
    expect((await tgo("--help")).stdout).toMatch(/^ {2}tgo services {3,}/m);
  });

  it("has an example of every function, if only of what it needs", async () => {
    for (const { command } of MODULE_API.functions)
      expect((await tgo(`${command} --help`)).stdout).toMatch(
        new RegExp(`^Examples:\\n {2}tgo ${command}`, "m"),
      );
    expect((await tgo("fetch --help")).stdout).toContain("  tgo fetch --reference TEXT\n");
  });

  it("is the same through the help command", async () => {
    expect((await tgo("help publish")).stdout).toBe((await tgo("publish --help")).stdout);
  });

  it("shows --output only for a function that returns an image", async () => {
    expect((await tgo("build --help")).stdout).toContain("--output <file>");
    expect((await tgo("publish --help")).stdout).not.toContain("--output");
  });

  it("fits its 100 columns", async () => {
    for (const line of [
      "--help",
      "--help all",
      "publish --help",
      "publish --help all",
      "build --help",
      "explain",
    ]) {
      const { stdout } = await tgo(line);
      expect(stdout.split("\n").filter((each) => each.length > 100)).toEqual([]);
    }
  });

  it("is what a bare command shows, on stderr and as a usage error", async () => {
    const { code, stdout, stderr } = await tgo("");
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("Build and publish:");
  });
});

describe("explain", () => {
  it("says what a code means, with its examples and what to do, however it is written", async () => {
    const { code, stdout, loaded } = await tgo("explain unavailable");
    expect([code, loaded]).toEqual([0, false]);
    const { cause, remedy, examples } = ERROR_CODES.UNAVAILABLE;
    expect(stdout.split("\n").slice(0, 2)).toEqual(["UNAVAILABLE", cause]);
    for (const text of [
      remedy,
      ...examples.flatMap((each) => [each.situation, each.what, each.remedy ?? ""]),
    ])
      expect(flat(stdout)).toContain(text);
    expect(await tgo("explain invalid-response")).toMatchObject({ code: 0 });
  });

  it("speaks Chinese to a reader of Chinese, with messages as they are printed", () => {
    const text = explain(["unavailable"], { width: 60, language: languageOf({ LANG: "zh_CN.UTF-8" }) });
    const { cause, remedy, situations } = CHINESE_ERROR_CODES.UNAVAILABLE;
    for (const part of [cause, `如何处理：  ${remedy}`, `例如，${situations[0] ?? ""}：`])
      expect(text.replaceAll(/\s/g, "")).toContain(part.replaceAll(/\s/g, ""));
    expect(text).toContain(ERROR_CODES.UNAVAILABLE.examples[2]?.what);
    for (const line of text.split("\n")) expect(textWidth(line)).toBeLessThanOrEqual(60);
    expect(explain([], { width: 60, language: "zh" })).toContain("  UNAVAILABLE       镜像仓库无法访问");
  });

  it.each([
    [{ LANG: "zh_CN.UTF-8" }, "zh"],
    [{ LANG: "zh_CN.UTF-8", LC_ALL: "C" }, "en"],
    [{ LC_ALL: "", LANG: "zh" }, "zh"],
    [{}, "en"],
  ])("reads the language from %j", (env, language) => {
    expect(languageOf(env)).toBe(language);
  });

  it("lists all codes without one", async () => {
    const { stdout } = await tgo("explain");
    for (const code of Object.keys(ERROR_CODES)) expect(stdout).toMatch(new RegExp(`^ {2}${code} +\\S`, "m"));
  });
});

it("has the exit codes that docs/reference/exit-codes.md has", async () => {
  const page = await readFile(new URL("../../../docs/reference/exit-codes.md", import.meta.url), "utf8");
  const [, ...rows] = page.split(/^\| (?=\d)/m);
  const codes = rows.flatMap((row) => row.slice(0, row.indexOf("|")).match(/\d+/g) ?? []);
  const { stdout } = await tgo("--help");
  const [, help = ""] = stdout.split("Exit codes:\n");
  const shown = [...help.matchAll(/^ {2}(\d+) {2,}.*?(?:\((\d+): .*)?$/gm)].flatMap(([, one, other]) => [
    one,
    other,
  ]);
  expect(shown.filter((code) => code !== undefined)).toEqual(codes);
  expect(codes.length).toBeGreaterThan(4);
});

it("prints its version", async () => {
  expect(await tgo("--version")).toMatchObject({ code: 0, stdout: "1.2.3\n" });
});

describe("words without a flag are references of images", () => {
  it.each([
    ["inspect a/b:1 c/d@x", ["a/b:1", "c/d@x"]],
    ["inspect --format json a/b", ["a/b"]],
    ["inspect a/b --reference c/d,e/f", ["a/b", "c/d", "e/f"]],
    ["inspect --reference c/d", ["c/d"]],
  ])("%s", async (line, expected) => {
    const { code, calls } = await tgo(line);
    expect(code).toBe(0);
    expect(calls[0]?.arguments[0]).toEqual(expected);
  });

  it("one where the function takes one", async () => {
    expect((await tgo("fetch a/b:1")).calls[0]?.arguments).toEqual(["a/b:1"]);
    expect(await tgo("fetch a/b c/d")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("too many arguments") as string,
    });
    expect((await tgo("fetch a/b --reference c/d")).stderr).toContain(
      'fetch takes one reference, and "a/b" is a second one',
    );
    expect((await tgo("fetch")).stderr).toContain("fetch needs --reference <text>");
    expect((await tgo(["inspect", ""])).stderr).toContain("--reference is empty");
  });

  it("and help says so", async () => {
    expect((await tgo("inspect --help")).stdout).toContain("inspect [reference...] [flags]");
  });
});

describe("a function that returns a folder", () => {
  const folder = (written: string[]): unknown => ({
    export: (path: string) => {
      written.push(path);
      return Promise.resolve(path);
    },
  });

  it("writes it to --output, which is new or empty", async () => {
    const root = await mkdtemp(join(tmpdir(), "tgo-output-"));
    try {
      const written: string[] = [];
      const options = { cwd: root, behave: () => Promise.resolve(folder(written)) };
      expect(await tgo("export a/b --output new", options)).toMatchObject({
        code: 0,
        stdout: `written: ${join(root, "new")}\n`,
      });
      expect(written).toEqual([join(root, "new")]);
      await mkdir(join(root, "empty"));
      expect(await tgo("export a/b --output empty", options)).toMatchObject({ code: 0 });
      await writeFile(join(root, "empty/file"), "");
      const full = await tgo("export a/b --output empty", options);
      expect(full).toMatchObject({ code: 2, calls: [] });
      expect(full.stderr).toContain("the folder is not empty");
    } finally {
      await rm(root, { recursive: true });
    }
  });

  it("needs --output", async () => {
    expect(await tgo("export a/b")).toMatchObject({
      code: 2,
      loaded: false,
      stderr: expect.stringContaining("export needs --output <folder>") as string,
    });
  });
});

describe("a wrong command line is explained, with exit code 2, and nothing is loaded:", () => {
  it.each([
    [
      "publsh --service a",
      ['unknown function "publsh"', 'did you mean "publish"?', "Functions: services, smoke"],
    ],
    ["publish --servce a", ['unknown option "--servce"', "Did you mean --service?", "tgo publish --help"]],
    ["publish --regstry a=b", ['unknown option "--regstry"', "Did you mean --registry?"]],
    ["publish", ["publish needs --service <text,...>", "tgo publish --help"]],
    ["publish --service", ["--service", "argument missing"]],
    [
      "publish --service a --format jsn",
      ['--format cannot be "jsn"', 'did you mean "json"?', "text, json, markdown"],
    ],
    ["publish --service a --engine docker", ['--engine cannot be "docker"', "auto, dagger, local"]],
    ["publish --service a --progress lve", ['did you mean "live"?']],
    [
      "publish --service a --jobs many",
      ['--jobs must be a whole number, not "many"', "For example: --jobs 4."],
    ],
    ["publish --service a --jobs -5", ['--jobs must be from 0 to 2147483647, not "-5"']],
    ["publish --service a --jobs 99999999999999999999", ["--jobs must be from 0 to 2147483647"]],
    ...["1.5", "1e3", "NaN", "0x10"].map((text): [string, string[]] => [
      `publish --service a --jobs ${text}`,
      [`--jobs must be a whole number, not "${text}"`],
    ]),
    ["relase --version 1.2.3", ['unknown function "relase"; did you mean "release"?']],
    ["relase --version", ['unknown function "relase"; did you mean "release"?']],
    ["relase --help", ['unknown function "relase"; did you mean "release"?']],
    ["help relase", ['unknown function "relase"; did you mean "release"?']],
    ["release --version", ["--version", "argument missing", "tgo release --help"]],
    ["release --version 1.2.x", ['--version: "1.2.x" is not a version: "x" is not a number']],
    ["--version 1.2.3", ["--version must come after the name of a function", "These do: publish, release."]],
    ["--version=1.2.3", ["--version must come after the name of a function"]],
    ["--version 1.2.3 release", ["--version must come after the name of a function"]],
    [
      "services --version 1.2.3",
      ["services does not take --version", "These do: publish, release.", "tgo services --help"],
    ],
    ["publish --service a extra", ["too many arguments", '"extra"', 'did you mean "--service extra"?']],
    ["publish tgo-api", ['did you mean "--service tgo-api"?', "\n  tgo publish --service tgo-api\n"]],
    ["publish tgo-api tgo-web", ['did you mean "--service tgo-api,tgo-web"?']],
    ["publish service tgo-api", ['did you mean "--service tgo-api"?']],
    ["publish platfrm linux/arm64 --service a", ['did you mean "--platform linux/arm64"?']],
    ["services extra", ["too many arguments", "Run tgo services --help for the flags."]],
    ["push --service a", ['unknown function "push"; did you mean "publish"?']],
    ["exlpain USAGE", ['did you mean "explain"?']],
    ["publish --service a --format md", ['did you mean "markdown"?']],
    ["smoke --value a=b", ["smoke does not take --value", "These do: publish"]],
    ["release --output a.json", ["release does not take --output", "tgo release --help"]],
    ["explain DENID", ['there is no error code "DENID"; did you mean "DENIED"?', "Codes: USAGE, "]],
    ["explain DENIED USAGE", ['explain takes one code, and "USAGE" is a second one']],
    ["completion", ["completion needs a shell", "One of: bash, zsh, fish."]],
    ["completion bsh", ['did you mean "bash"?']],
    [
      "publish --service a --registry-service localhost",
      ['"localhost" is not a service address', "tcp://HOST:PORT"],
    ],
    ["publish --service a --registry-service http://localhost:1", ["is not a service address"]],
    ["publish --service a --registry-service tcp://localhost:99999", ["is not a service address"]],
    ["publish --service a --docker-config vault:x", ['"vault:" is not a secret source', "file:PATH"]],
    ["publish --service a --docker-config env:NOT_SET", ["the environment variable NOT_SET is not set"]],
    [
      "publish --service a --docker-config file:/no/such",
      ["the file cannot be read (--docker-config)", "/no/such"],
    ],
    ["publish --service a --source /no/such", ["no such folder (--source)", "/no/such"]],
    ["publish --service a --source /etc/hostname", ["this is not a folder (--source)"]],
    ["publish --service a --catalog /no/such.json", ["no such file (--catalog)", "/no/such.json"]],
    ["publish --service a --catalog /etc", ["this is not a file (--catalog)"]],
    ["publish --service a --ca-bundle /no/such.pem", ["no such file (--ca-bundle)", "/no/such.pem"]],
  ])("tgo %s", async (line, words) => {
    const { code, stdout, stderr, loaded } = await tgo(line);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(loaded).toBe(false);
    for (const word of words) expect(stderr).toContain(word);
    expect(stderr).not.toMatch(/\n\s+at .*\(/);
  });
});

describe("a value from a variable that is not set is refused:", () => {
  const flags = [
    ...MODULE_API.constructor.arguments,
    ...MODULE_API.functions.flatMap((fn) => (fn.command === "publish" ? fn.arguments : [])),
  ].filter(({ type }) => type.kind !== "boolean");
  const own = ["engine", "progress", "ca-bundle", "report"];

  it.each([...new Set([...flags.map(({ flag }) => flag), ...own])])('--%s "" and " "', async (flag) => {
    for (const empty of ["", " ", ...(flag === "registry" ? [",", '""'] : [])]) {
      const line = ["publish", ...(flag === "service" ? [] : ["--service", "a"]), `--${flag}`, empty];
      const { code, stderr, loaded } = await tgo(line);
      expect([code, loaded]).toEqual([2, false]);
      expect(stderr).toContain(`tgo: --${flag} is empty\n`);
    }
  });

  it("--output", async () => {
    const { code, stderr } = await tgo(["build", "--service", "a", "--output", ""]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--output is empty")]);
  });
});

describe("values", () => {
  const SERVICE = 0;
  const VALUE = 3;

  it.each([
    ["--service a,b", ["a", "b"]],
    ["--service a --service b", ["a", "b"]],
    ["--service=a,b --service c", ["a", "b", "c"]],
    ["--service a, --service b", ["a", "b"]],
  ])("of a list are separated by commas or flags: %s", async (flags, expected) => {
    const { calls } = await tgo(`publish ${flags}`);
    expect(calls[0]?.arguments[SERVICE]).toEqual(expected);
  });

  it("of a list may contain commas in double quotes, as for the dagger command", async () => {
    const { calls } = await tgo(["publish", "--service", "a", "--value", '"K=1,2",L=3']);
    expect(calls[0]?.arguments[VALUE]).toEqual(["K=1,2", "L=3"]);
  });

  it("reach the module in the order of its arguments, undefined where its own default applies", async () => {
    const { calls } = await tgo("publish --format json --dry-run --revision r1 --service a");
    const [service, , revision, value, jobs, dryRun, format] = calls[0]?.arguments ?? [];
    expect([service, revision, value, jobs, dryRun, format]).toEqual([
      ["a"],
      "r1",
      undefined,
      undefined,
      true,
      "json",
    ]);
  });

  it.each(["JSON", "Json", "json"])("of an enum are its name or value, in any case: %s", async (text) => {
    const { calls } = await tgo(`services --format ${text}`);
    expect(calls[0]?.arguments).toEqual(["json"]);
  });

  it.each([
    ["--dry-run=true", true],
    ["--dry-run=false", false],
    ["--no-dry-run", false],
    ["--dry-run", true],
  ])("of a switch may be written as for the dagger command: %s", async (flag, expected) => {
    const { calls } = await tgo(`publish --service a ${flag}`);
    expect(calls[0]?.arguments[5]).toBe(expected);
  });

  it.each([
    "--platform linux/arm64 --registry x=y services",
    "services --platform linux/arm64 --registry x=y",
    "--platform linux/arm64 services --registry x=y",
  ])("of the constructor go before or after the function: %s", async (line) => {
    const { calls } = await tgo(line);
    expect(calls[0]?.constructorArguments).toEqual([
      undefined,
      ["x=y"],
      undefined,
      ["linux/arm64"],
      undefined,
      undefined,
    ]);
  });

  it("become the engine's objects: services, files, folders and secrets", async () => {
    const { calls } = await tgo(
      "publish --service a --source /etc --catalog /etc/hostname --registry-service tcp://localhost:5001,127.0.0.1:5002 --docker-config cmd:true",
      { cwd: "/", env: { PATH: process.env.PATH ?? "" } },
    );
    const [catalog, , registryService, , dockerConfig] = calls[0]?.constructorArguments ?? [];
    expect(catalog).toEqual({ file: "/etc/hostname" });
    expect(registryService).toEqual([
      { ports: [{ frontend: 5001, backend: 5001 }], options: { host: "localhost" } },
      { ports: [{ frontend: 5002, backend: 5002 }], options: { host: "127.0.0.1" } },
    ]);
    expect(dockerConfig).toEqual({ secret: "dockerConfig", plaintext: "" });
    expect(calls[0]?.arguments[1]).toEqual({ directory: "/etc" });
  });
});
