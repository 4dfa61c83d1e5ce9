import { describe, expect, it } from "vitest";
import { Redactor } from "../src/index.js";

const PEM = `-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEF
AASCBKcwggSjAgEAAoIBAQC7VJTU
q3M=
-----END PRIVATE KEY-----
`;
const KEY_LINE = "AASCBKcwggSjAgEAAoIBAQC7VJTU";

/** What a document's owner sees of a text that some program printed. */
function shown(document: string, text: string): string {
  const redactor = new Redactor();
  redactor.addText(document);
  return redactor.clean(text);
}

describe("of a document, the credentials are secret", () => {
  const serviceAccount = JSON.stringify(
    {
      type: "service_account",
      project_id: "tgo-project",
      private_key_id: "0123456789abcdef",
      private_key: PEM,
      client_email: "ci@tgo-project.iam.gserviceaccount.com",
      token_uri: "https://oauth2.googleapis.com/token",
    },
    null,
    2,
  );
  const dockerConfig = JSON.stringify({
    auths: {
      "registry.example.com": { auth: Buffer.from("robot:correct-horse").toString("base64") },
      "other.example.com": { identitytoken: "identity-token-1", email: "me@example.com" },
    },
    HttpHeaders: { "User-Agent": "Docker-Client/19.03.1 (linux)" },
    proxies: { default: { httpProxy: "http://me:proxy-pass-1@proxy:3128" } },
  });
  it.each([
    ["a Docker config's password", dockerConfig, "correct-horse"],
    ["a Docker config's auth", dockerConfig, Buffer.from("robot:correct-horse").toString("base64")],
    ["a Docker config's identity token", dockerConfig, "identity-token-1"],
    ["a Docker config's proxy", dockerConfig, "proxy-pass-1"],
    ["a service account's key", serviceAccount, KEY_LINE],
    ["a service account's key id", serviceAccount, "0123456789abcdef"],
    ["JSON under any name", '{"data":{"list":["correct-horse"]}}', "correct-horse"],
    [
      "a webhook",
      '{"hook":"https://hooks.example.com/services/T0/0123456789abcdefXYZ"}',
      "0123456789abcdefXYZ",
    ],
    ["a PEM key", PEM, KEY_LINE],
    ["a PEM key among values", `A=1\nKEY="${PEM}"\nB=2\n`, KEY_LINE],
    ["an escaped PEM key", `KEY="${PEM.replaceAll("\n", "\\n")}"`, KEY_LINE],
    [
      "an escaped PEM key as JSON shows it",
      `KEY="${PEM.replaceAll("\n", "\\n")}"`,
      JSON.stringify(`\n${KEY_LINE}\n`),
    ],
    ["JSON among values", `A=1\nSA='${serviceAccount}'\n`, KEY_LINE],
    ["a value", "# mine\nTOKEN=correct-horse\nOTHER=1\n", "correct-horse"],
    ["a quoted value", "TOKEN='correct-horse'", "correct-horse"],
    ["an exported value", `export TOKEN="correct-horse"\nB=2`, "correct-horse"],
    ["a value with escapes", String.raw`TOKEN="corr\"ect\\horse"`, String.raw`corr"ect\horse`],
    ["a value's later line", `NOTE="first line\nY29ycmVjdA==\nlast line"\nB=2\n`, "Y29ycmVjdA=="],
    ["a value with =", "TOKEN=a=b==c=d\nB=2", "a=b==c=d"],
    ["a URL's password", "DATABASE_URL=postgres://me:correct-horse@db/x\nB=2", "correct-horse"],
    ["YAML", "password: correct-horse\nuser: me\n", "correct-horse"],
    [
      "an .npmrc's token",
      "registry=https://npm.example.com/\n//npm.example.com/:_authToken=correct-horse\n",
      "correct-horse",
    ],
    [
      "an .npmrc's password",
      `//npm.example.com/:_password="${Buffer.from("correct-horse").toString("base64")}"`,
      "correct-horse",
    ],
    ["an .npmrc's _auth", `_auth=${Buffer.from("me:correct-horse").toString("base64")}`, "correct-horse"],
    ["an .npmrc's key", String.raw`//npm.example.com/:key="-----BEGIN KEY-----\n${KEY_LINE}\n"`, KEY_LINE],
    [
      "an .npmrc's proxy",
      "registry=https://npm.example.com/\nproxy=http://me:correct-horse@proxy/",
      "correct-horse",
    ],
    ["a netrc's password", "machine pypi.example.com login me\n  password correct-horse\n", "correct-horse"],
    ["a quoted netrc password", `default login me password "correct horse"`, "correct horse"],
    [
      "a pip.conf",
      "[global]\nindex-url = https://me:correct-horse@pypi.example.com/simple\n",
      "correct-horse",
    ],
    ["a token in no format", "correct-horse\n", "correct-horse"],
    ["base64 in no format", "Y29ycmVjdC1ob3JzZQ==", "Y29ycmVjdC1ob3JzZQ=="],
    ["a text of lines", "correct horse battery\nstaple 0123456\n", "staple 0123456"],
  ])("%s", (_, document, secret) => {
    expect(shown(document, `got <${secret}>.`)).not.toContain(secret);
    expect(shown(document, `got <${secret}>.`)).toContain("***");
    expect(shown(document, document)).not.toContain(secret);
  });

  it.each([
    [
      "an .npmrc's registry",
      "registry=https://npm.example.com/\n//npm.example.com/:_authToken=correct-horse\n",
      "registry=https://npm.example.com/",
    ],
    ["an .npmrc of public lines", "registry=https://npm.example.com/\n", "registry=https://npm.example.com/"],
    [
      "an .npmrc's scope",
      "@tgo:registry=https://npm.example.com/\nalways-auth=true\nemail=me@example.com",
      "@tgo:registry=https://npm.example.com/ me@example.com always-auth=true",
    ],
    ["an .npmrc's reference to a variable", "//npm.example.com/:_authToken=${NPM_TOKEN}", "set ${NPM_TOKEN}"],
    [
      "a netrc's machine",
      "machine pypi.example.com login buildbot password correct-horse\n",
      "pypi.example.com login buildbot",
    ],
    [
      "a netrc's machine on a line of its own",
      "machine pypi.example.com\nlogin buildbot\npassword correct-horse\n",
      "machine pypi.example.com",
    ],
    [
      "a Docker config's host",
      dockerConfig,
      "registry.example.com me@example.com Docker-Client/19.03.1 (linux)",
    ],
    [
      "a service account's project",
      serviceAccount,
      "tgo-project service_account private_key https://oauth2.googleapis.com/token",
    ],
    ["a PEM's frame", PEM, "-----BEGIN PRIVATE KEY-----"],
    ["a certificate", PEM.replaceAll("PRIVATE KEY", "CERTIFICATE"), KEY_LINE],
    ["a name", "# the registry\nNPM_TOKEN=correct-horse\nB=2", "the registry NPM_TOKEN"],
  ])("not %s", (_, document, text) => {
    expect(shown(document, text)).toBe(text);
  });
});
