import { execFileSync } from "node:child_process";
import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import { asker } from "../src/own/ask.js";
import { tgo } from "./fixture.js";

const root = await mkdtemp(join(tmpdir(), "tgo-own-"));
afterAll(() => rm(root, { recursive: true, force: true }));

let count = 0;

async function checkout(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(root, `bot-${count++}`);
  await mkdir(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

const DOCKERFILE = { Dockerfile: "FROM scratch\nEXPOSE 80\nHEALTHCHECK CMD curl http://localhost/\n" };

describe("tgo init", () => {
  it("writes a catalog that check accepts, named like the remote, and says how to go on", async () => {
    const cwd = await checkout(DOCKERFILE);
    execFileSync("git", ["init", "-q", cwd]);
    execFileSync("git", ["-C", cwd, "remote", "add", "origin", "https://u:secret@github.com/Me/Shop.git"]);
    const { code, stdout, stderr } = await tgo("init", { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("tgo.catalog.jsonc has been written");
    expect(stdout).toContain("published to ghcr.io/me/{service}");
    expect(stdout).toContain("tgo publish --service shop --catalog tgo.catalog.jsonc --source .");
    expect(stdout + (await readFile(join(cwd, "tgo.catalog.jsonc"), "utf8"))).not.toContain("secret");

    const check = await tgo("catalog check", { cwd });
    expect(check.stdout).toBe(
      "tgo.catalog.jsonc is valid: 1 service, 1 registry, linux/amd64 and linux/arm64\n",
    );
    expect(check.code).toBe(0);
  });

  it.each(["tgo.catalog.jsonc", "tgo.catalog.json"])("never writes over %s, or beside it", async (name) => {
    const cwd = await checkout({ ...DOCKERFILE, [name]: "{}" });
    const { code, stderr } = await tgo("init --yes", { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain(`${name}: it exists`);
    expect(await readFile(join(cwd, name), "utf8")).toBe("{}");
  });

  it("with a question and no terminal ends at once, and says what to add; nothing is written", async () => {
    const cwd = await checkout(DOCKERFILE);
    const { code, stderr } = await tgo("init", { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/no terminal to ask it on: Registry[^]*--yes/);
    expect((await tgo("init --yes", { cwd })).stdout).toMatch(/could not be told[^]*registries/);
  });

  it("in a checkout with nothing to ship says what an image is made from", async () => {
    const { code, stderr } = await tgo("init --yes", { cwd: await checkout({ "a.txt": "" }) });
    expect(code).toBe(1);
    expect(stderr).toMatch(/there is nothing to ship\n.*Dockerfile/);
  });

  it.each([
    ["init nowhere", "no such folder"],
    ["init --registry nonsense", 'registry "nonsense" is not a registry'],
    ["init --yse", "Did you mean --yes?"],
    ["init --output", "--output needs a value"],
    ["init --yes=no", "--yes takes no value"],
    ["init a b", 'too many arguments: "b"'],
  ])("%s is a usage error", async (line, message) => {
    const { code, stderr } = await tgo(line, { cwd: await checkout(DOCKERFILE) });
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

describe("a question", () => {
  const terminal = (): { stdin: PassThrough & { isTTY: boolean }; stderr: PassThrough } => ({
    stdin: Object.assign(new PassThrough(), { isTTY: true }),
    stderr: new PassThrough(),
  });

  it("takes a choice, asks again after one that there is not, and takes the default for nothing", async () => {
    const streams = terminal();
    let said = "";
    const { ask, close } = asker(streams, false, (text) => (said += text));
    const question = { text: "How", choices: ["dockerfile", "python"], fallback: "dockerfile" };
    const first = ask(question);
    streams.stdin.write("pyton\n");
    await new Promise((resolve) => setTimeout(resolve, 20));
    streams.stdin.write("python\n");
    expect(await first).toBe("python");
    expect(said).toContain('did you mean "python"?');
    const second = ask(question);
    streams.stdin.write("\n");
    expect(await second).toBe("dockerfile");
    close();
  });

  it("ends when the terminal is closed", async () => {
    const streams = terminal();
    const { ask } = asker(streams, false, () => undefined);
    const asked = ask({ text: "Registry", fallback: "" });
    streams.stdin.end();
    await expect(asked).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});

describe("tgo catalog", () => {
  const BROKEN = '{\n  // ours\n  "services": { "a": { "title": 1 } },\n  "registrys": 3\n}';

  it("check names every problem with its field, as text and as JSON", async () => {
    const cwd = await checkout({ "tgo.catalog.jsonc": BROKEN });
    const text = await tgo("catalog check", { cwd });
    expect(text.code).toBe(1);
    expect(text.stderr).toMatch(
      /tgo\.catalog\.jsonc: 3 problems:\n {2}- services\.a\.title.*\n.*build.*\n {2}- registrys/,
    );
    const json = await tgo("catalog check --format json", { cwd });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      file: "tgo.catalog.jsonc",
      problems: [
        expect.stringContaining("services.a.title") as string,
        expect.stringContaining("services.a.build") as string,
        expect.stringContaining("registrys") as string,
      ],
    });
  });

  it("show says where each entry is from", async () => {
    const cwd = await checkout({
      "my.json": JSON.stringify({
        services: { bot: { title: "Bot", build: { strategy: "dockerfile" } }, "tgo-api": { title: "Mine" } },
        registries: { acr: null },
        platforms: ["linux/arm64"],
      }),
    });
    const { stdout } = await tgo("catalog show --catalog my.json", { cwd });
    expect(stdout).toMatch(
      /TGO's own, changed by my\.json\nplatforms: linux\/arm64\nsettings from my\.json: platforms/,
    );
    expect(stdout).toMatch(/tgo-api +python +repos\/tgo-api +built-in; my\.json: title\n/);
    expect(stdout).toMatch(/bot +dockerfile +repos\/bot +my\.json\n/);
    expect(stdout).not.toContain("aliyuncs");
    const { stdout: json } = await tgo("catalog show --format json", {
      cwd,
      env: { TGO_CATALOG: "my.json" },
    });
    expect(JSON.parse(json)).toMatchObject({
      services: { bot: { smoke: { timeoutSeconds: 180 } } },
      origins: { base: "tgo", services: { bot: "my.json" } },
    });
  });

  it("of a newer version is refused with the remedy", async () => {
    const cwd = await checkout({ "new.json": '{ "version": 2, "extends": "galaxy" }' });
    const { code, stderr } = await tgo("catalog check --catalog new.json", { cwd });
    expect(code).toBe(1);
    expect(stderr).toBe(
      "tgo: new.json: its format is version 2, and this version of tgo reads 1\n" +
        "  Update the pipelines to the version that the catalog was written for.\n",
    );
  });

  it.each([
    ["catalog", "catalog needs one of: check, show"],
    ["catalog shw", 'did you mean "show"?'],
    ["catalog check --catalog missing.json", "no such file"],
    ["catalog check --format yaml", '--format cannot be "yaml"'],
  ])("%s is a usage error", async (line, message) => {
    const { code, stderr } = await tgo(line, { cwd: root });
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

describe("tgo doctor", () => {
  const OWN = { catalog: JSON.stringify({ extends: "none", services: {}, platforms: ["linux/amd64"] }) };
  const CLOSED = "http://user:secret@127.0.0.1:9";

  it("names what is broken on this machine, as text and as JSON, and never a password", async () => {
    const cwd = await checkout({ "tgo.catalog.json": OWN.catalog, "ca.pem": "nothing" });
    const env = { HTTPS_PROXY: CLOSED, NODE_EXTRA_CA_CERTS: "ca.pem", PATH: "/nowhere" };
    const line = "doctor --engine local --registry mine=127.0.0.1:9/me --mirror npm=http://127.0.0.1:9";
    const { code, stdout } = await tgo(line, { cwd, env });
    expect(code).toBe(1);
    expect(stdout).toMatch(/failed {2}registry mine +cannot reach 127\.0\.0\.1:9[^\n]*\n +-> /);
    expect(stdout).toMatch(/failed {2}mirror npm +cannot be reached at 127\.0\.0\.1:9: connection refused/);
    expect(stdout).toMatch(/failed {2}CA certificates +NODE_EXTRA_CA_CERTS has no certificate in PEM/);
    expect(stdout).toMatch(
      /failed {2}proxy HTTPS_PROXY +cannot be reached[^\n]*\n +-> Correct or unset HTTPS_PROXY/,
    );
    expect(stdout).toMatch(/warn +git +not installed/);
    expect(stdout).not.toContain("secret");

    const json = await tgo(`${line} --format json`, { cwd, env });
    expect(json.code).toBe(1);
    const { ok, rows } = JSON.parse(json.stdout) as { ok: boolean; rows: { check: string; state: string }[] };
    expect(ok).toBe(false);
    expect(rows).toContainEqual(expect.objectContaining({ check: "mirror npm", state: "failed" }));
  });

  it("has a broken catalog as a row, and looks at the rest", async () => {
    const cwd = await checkout({ "tgo.catalog.json": '{"registrys": 1}' });
    const { code, stdout } = await tgo("doctor --engine local", { cwd });
    expect(code).toBe(1);
    expect(stdout).toMatch(/failed {2}catalog +1 problem:\n +- registrys: unknown field/);
    expect(stdout).toMatch(/disk/);
  });
});
