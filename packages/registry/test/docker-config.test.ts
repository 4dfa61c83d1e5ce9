import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { credentialHelper, keychain, parseDockerConfig, type Exec } from "../src/index.js";
import { rejection } from "@tgo/testing";

const auth = (user: string, password: string): { auth: string } => ({
  auth: Buffer.from(`${user}:${password}`).toString("base64"),
});
const config = (value: unknown): ReturnType<typeof parseDockerConfig> =>
  parseDockerConfig(JSON.stringify(value));

describe("credentials in the file", () => {
  test.each([
    ["auth", auth("u", "p:with:colons"), { username: "u", password: "p:with:colons" }],
    ["user name and password", { username: "u", password: "p" }, { username: "u", password: "p" }],
    ["an identity token", { ...auth("u", ""), identitytoken: "t" }, { identityToken: "t" }],
    ["nothing", {}, undefined],
    ["null", null, undefined],
  ])("%s", async (_, entry, expected) => {
    expect(await keychain(config({ auths: { "ghcr.io": entry } }))("ghcr.io")).toEqual(expected);
  });

  test.each([
    "https://index.docker.io/v1/",
    "https://index.docker.io/v1",
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "https://docker.io",
    "http://registry-1.docker.io/v2/",
  ])("Docker Hub is found under %s", async (key) => {
    const find = keychain(config({ auths: { [key]: auth("u", "p") } }));
    for (const host of ["docker.io", "index.docker.io", "registry-1.docker.io"])
      expect(await find(host)).toEqual({ username: "u", password: "p" });
  });

  test("Docker Hub's own key wins over other spellings, in any order", async () => {
    const entries = [
      ["docker.io", auth("a", "x")],
      ["https://index.docker.io/v1/", auth("b", "x")],
      ["https://registry-1.docker.io", auth("c", "x")],
    ] as const;
    for (const auths of [entries, [...entries].reverse()]) {
      expect(await keychain(config({ auths: Object.fromEntries(auths) }))("docker.io")).toEqual({
        username: "b",
        password: "x",
      });
    }
  });

  test("the CLI's own session and an entry for a namespace are not a host's credentials", () => {
    const { auths } = config({
      auths: {
        "https://index.docker.io/v1/access-token": auth("u", "session"),
        "https://index.docker.io/v1/refresh-token": auth("u", "session"),
        "quay.io/namespace": auth("u", "p"),
      },
    });
    expect([...auths.keys()]).toEqual([]);
  });

  test("a port belongs to the host", async () => {
    const find = keychain(config({ auths: { "localhost:5001": auth("u", "p") } }));
    expect(await find("localhost:5001")).toBeDefined();
    expect(await find("localhost:5002")).toBeUndefined();
  });

  test("an empty file is an empty config", () => {
    expect(parseDockerConfig("").auths.size).toBe(0);
  });
});

describe("an error about a broken file does not show its content", () => {
  test.each([
    ["not JSON", '{"auths": {"ghcr.io": {"auth": "c2VjcmV0"', "it is not JSON"],
    [
      "no base64 of user:password",
      JSON.stringify({ auths: { "ghcr.io": { auth: Buffer.from("c2VjcmV0").toString("base64") } } }),
      'auths["ghcr.io"].auth is not the base64',
    ],
    ["another type", JSON.stringify({ auths: { "ghcr.io": { auth: ["c2VjcmV0"] } } }), "auths.ghcr.io.auth"],
  ])("%s", async (_, text, why) => {
    const error = await rejection(Promise.resolve().then(() => parseDockerConfig(text)));
    expect(error.message).toContain(why);
    expect(inspect(error, { depth: 10 })).not.toContain("c2VjcmV0");
  });
});

describe("helpers", () => {
  const printing = (stdout: string, exitCode = 0): { exec: Exec; calls: unknown[] } => {
    const calls: unknown[] = [];
    return {
      calls,
      exec: (...call) => {
        calls.push(call);
        return Promise.resolve({ stdout, stderr: "", exitCode });
      },
    };
  };

  test("the host's own helper before the store, and either before the file", async () => {
    const calls: string[] = [];
    const find = keychain(
      config({
        credsStore: "store",
        credHelpers: { "ghcr.io": "own" },
        auths: { "ghcr.io": auth("file", "p"), "quay.io": auth("file", "p"), "x.io": auth("file", "p") },
      }),
      {
        helper: (name, host) => {
          calls.push(`${name} ${host}`);
          return Promise.resolve(host === "x.io" ? undefined : { username: name, password: "p" });
        },
      },
    );
    expect(await find("ghcr.io")).toMatchObject({ username: "own" });
    expect(await find("quay.io")).toMatchObject({ username: "store" });
    expect(await find("x.io")).toMatchObject({ username: "file" });
    await find("ghcr.io");
    expect(calls).toEqual(["own ghcr.io", "store quay.io", "store x.io"]);
  });

  test("the server's name is the standard input; for Docker Hub, the CLI's own key", async () => {
    const { exec, calls } = printing(JSON.stringify({ ServerURL: "x", Username: "u", Secret: "s" }));
    const helper = credentialHelper(exec);
    expect(await helper("pass", "docker.io")).toEqual({ username: "u", password: "s" });
    await helper("pass", "ghcr.io");
    expect(calls).toEqual([
      ["docker-credential-pass", ["get"], "https://index.docker.io/v1/"],
      ["docker-credential-pass", ["get"], "ghcr.io"],
    ]);
  });

  test("the user <token> means an identity token", async () => {
    const { exec } = printing(JSON.stringify({ Username: "<token>", Secret: "s" }));
    expect(await credentialHelper(exec)("x", "ghcr.io")).toEqual({ identityToken: "s" });
  });

  test("no stored credentials, reported on standard output, are not an error", async () => {
    const { exec } = printing("credentials not found in native keychain\n", 1);
    expect(await credentialHelper(exec)("x", "ghcr.io")).toBeUndefined();
  });

  test.each([
    [
      "a locked store",
      printing("error getting credentials - err: exit status 1, out: locked", 1).exec,
      "docker-credential-pass failed (exit code 1)",
    ],
    ["no JSON", printing("hello").exec, "did not return a user name"],
    [
      "not installed",
      (() => Promise.reject(Object.assign(new Error("spawn"), { code: "ENOENT" }))) satisfies Exec,
      "docker-credential-pass is not installed",
    ],
  ])("%s is an error", async (_, exec, why) => {
    expect((await rejection(credentialHelper(exec)("pass", "ghcr.io"))).message).toContain(why);
  });

  test("a failed one's standard output is never shown; its standard error is, on one line and without secrets", async () => {
    const secret = "hunter2-s3cr3t";
    const exec: Exec = () =>
      Promise.resolve({
        stdout: JSON.stringify({ Username: "robot", Secret: secret }),
        stderr: `\u001B[31mthe keyring is locked\u001B[0m\r\n\u202Enot ${secret}\u0007\n${"x".repeat(500)}`,
        exitCode: 2,
      });
    const { message } = await rejection(credentialHelper(exec)("pass", "ghcr.io"));
    expect(message).toContain(
      "docker-credential-pass failed (exit code 2): the keyring is locked \\u202enot ***\\u0007 x",
    );
    expect(message).not.toMatch(/hunter2|robot|x{201}/);
    // eslint-disable-next-line no-control-regex
    expect(message).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/);
  });

  test.each(["plain-s3cr3t-of-a-helper", '{"Username":"u","Secret":"s3cr3t-in-broken-json"'])(
    "nor is %j, which is not JSON",
    async (stdout) => {
      const exec: Exec = () => Promise.resolve({ stdout, stderr: stdout, exitCode: 1 });
      const { message } = await rejection(credentialHelper(exec)("pass", "docker.io"));
      expect(message).not.toContain("s3cr3t");
      expect(message).toContain("echo https://index.docker.io/v1/ | docker-credential-pass get");
    },
  );

  test("a helper name with a path is not run", async () => {
    const { exec, calls } = printing("");
    expect((await rejection(credentialHelper(exec)("../evil", "ghcr.io"))).message).toContain(
      "is not the name of a credential helper",
    );
    expect(calls).toEqual([]);
  });

  test("where no helper can run, credentials that only the helper has are an error with a remedy", async () => {
    const find = keychain(config({ credsStore: "desktop", auths: { "ghcr.io": {} } }));
    expect(await rejection(find("ghcr.io"))).toMatchObject({
      code: "UNAUTHORIZED",
      what: expect.stringContaining('the helper "desktop"') as string,
    });
    expect(await find("quay.io")).toBeUndefined();
  });
});
