import { escapeControls, TgoError } from "@tgo/errors";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FunctionFailed, tgo, type RunOptions } from "./fixture.js";

/** Clears the screen, sets the title, hides text, reverses the direction, has no width. */
const HOSTILE = "\u001B[2J\u001B]0;pwned\u0007\u001B[8m\u009B31m\u202Egnp\u200B.exe\r";
// eslint-disable-next-line no-control-regex
const RAW = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2066-\u2069]/;
const failing = (error: Error): RunOptions => ({ behave: () => Promise.reject(error) });

describe("text from outside reaches no terminal as it is:", () => {
  it.each([
    ["an error's", new TgoError("DENIED", `evil ${HOSTILE}`, { where: HOSTILE, remedy: HOSTILE })],
    ["another error's", new Error(`evil ${HOSTILE}`)],
    [
      "a failed command's",
      Object.assign(new Error("x"), {
        name: "ExecError",
        cmd: ["sh", HOSTILE],
        exitCode: 1,
        stderr: `evil ${HOSTILE}`,
      }),
    ],
    ["a report's", new FunctionFailed(`evil ${HOSTILE}`)],
  ])("%s", async (_, error) => {
    const { stdout, stderr } = await tgo("smoke --verbose", failing(error));
    expect(stdout + stderr).toContain("evil");
    expect(stdout + stderr).toContain(String.raw`\u001b[2J\u001b]0;pwned\u0007`);
    expect(stdout + stderr).not.toMatch(RAW);
  });

  it.each(["plain", "live", "quiet"])("progress (%s) and the engine's log", async (mode) => {
    const { stderr } = await tgo(`smoke --verbose --progress ${mode}`, {
      tty: true,
      behave: (_call, { progress }) => {
        const names = { id: "1", step: HOSTILE, service: HOSTILE, registry: HOSTILE };
        progress?.({ kind: "begin", ...names });
        progress?.({ kind: "note", ...names, id: "2", detail: HOSTILE });
        progress?.({ kind: "end", ...names, state: "failed", detail: HOSTILE });
        return Promise.resolve("");
      },
      connection: async (run, { LogOutput }) => {
        LogOutput?.write(`log ${HOSTILE}\n`);
        await run();
      },
      env: { _EXPERIMENTAL_DAGGER_RUNNER_HOST: "x" },
    });
    expect(stderr).toContain(String.raw`log \u001b[2J`);
    if (mode !== "quiet") expect(stderr).toContain(String.raw`\u202egnp\u200b.exe`);
    // The live display moves the cursor itself.
    // eslint-disable-next-line no-control-regex
    expect(stderr).not.toMatch(/\u001B\[2J|\u001B\]|\u001B\[8m|\u009B|\u202E|\u200B|\u0007/);
  });

  it("a flag's, a variable's and a misspelt name's", async () => {
    const runs = [
      tgo(["smoke", "--format", HOSTILE]),
      tgo(["smoke", `--${HOSTILE}`]),
      tgo([HOSTILE]),
      tgo("smoke", { env: { TGO_CATALOG: HOSTILE } }),
      tgo("smoke", { env: { TGO_DOCKERCONFIG: `x${HOSTILE}:` } }),
    ];
    for (const { code, stdout, stderr } of await Promise.all(runs)) {
      expect(code).toBe(2);
      expect(stderr).not.toBe("");
      expect(stdout + stderr).not.toMatch(RAW);
    }
  });

  it("a list's, with a report's own colours kept", async () => {
    const text = `\u001B[31mred\u001B[39m ${HOSTILE}`;
    const { stdout } = await tgo("smoke", {
      env: { FORCE_COLOR: "1" },
      behave: () => Promise.resolve(text),
    });
    expect(stdout).toContain("\u001B[31mred\u001B[39m ");
    // eslint-disable-next-line no-control-regex
    expect(stdout.replaceAll(/\u001B\[\d+m/g, "")).not.toMatch(RAW);
    expect((await tgo("smoke", { behave: () => Promise.resolve(text) })).stdout).not.toMatch(RAW);
  });

  it("JSON's, which still says the same", async () => {
    const value = { [HOSTILE]: [HOSTILE, "服务"] };
    const { stdout } = await tgo("smoke --format json", {
      behave: () => Promise.resolve(JSON.stringify(value, null, 2)),
    });
    expect(stdout).not.toMatch(RAW);
    expect(JSON.parse(stdout)).toEqual(value);
    const error = new TgoError("DENIED", HOSTILE);
    const failed = await tgo("services --format json", failing(error));
    expect(failed.stdout).not.toMatch(RAW);
    expect(JSON.parse(failed.stdout)).toMatchObject({ problems: [{ what: HOSTILE }] });
  });
});

describe("a credential with such characters", () => {
  let folder: string;
  const password = "pass\u200Bword\u001B[2J\u0007!";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tgo-text-"));
    const auth = Buffer.from(`robot:${password}`).toString("base64");
    await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { "ghcr.io": { auth } } }));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("is redacted in every spelling", async () => {
    const { stdout, stderr } = await tgo("smoke --format json --docker-config config.json", {
      cwd: folder,
      ...failing(new TgoError("DENIED", `wrong: ${password}.`)),
    });
    for (const text of [stdout, stderr]) {
      expect(text).toContain("wrong: ***.");
      expect(text).not.toContain(escapeControls(password));
    }
  });
});
