import { describe, expect, it } from "vitest";
import { Redactor } from "../src/index.js";

const SECRET = `p@ss/w0rd "x'y\\z +é`;
const knowing = (...secrets: string[]): Redactor => {
  const redactor = new Redactor();
  secrets.forEach((secret) => {
    redactor.add(secret);
  });
  return redactor;
};

describe("a secret is masked", () => {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  it.each([
    ["as it is", SECRET],
    ["percent-encoded", encodeURIComponent(SECRET)],
    [
      "percent-encoded in lower case",
      encodeURIComponent(SECRET).replace(/%../g, (code) => code.toLowerCase()),
    ],
    ["percent-encoded in part", encodeURI(SECRET)],
    ["in a form", new URLSearchParams({ x: SECRET }).toString().slice(2)],
    ["by escape()", SECRET.replaceAll("é", "%E9").replaceAll(" ", "%20")],
    ["in JSON", JSON.stringify(SECRET).slice(1, -1)],
    ["in JSON within JSON", JSON.stringify(JSON.stringify(SECRET).slice(1, -1)).slice(1, -1)],
    [
      "in JSON of ASCII",
      JSON.stringify(SECRET).slice(1, -1).replaceAll("é", "\\u00e9").replaceAll("/", "\\/"),
    ],
    ["in a shell's single quotes", SECRET.replaceAll("'", `'\\''`)],
    ["after backslashes", SECRET.replaceAll(/[^\w]/g, "\\$&")],
    ["in HTML", SECRET.replaceAll('"', "&quot;").replaceAll("'", "&#39;")],
    ["in base64", base64(SECRET)],
    ["in base64 for URLs", Buffer.from(SECRET).toString("base64url")],
    ["in hexadecimal", Buffer.from(SECRET).toString("hex")],
    ["in upper-case hexadecimal", Buffer.from(SECRET).toString("hex").toUpperCase()],
  ])("%s", (_, spelling) => {
    expect(knowing(SECRET).clean(`before ${spelling} after`)).toBe("before *** after");
  });

  it.each(["u", "me", "bot", "robot"])("in the base64 of %s:password", (user) => {
    const text = `got ${base64(`${user}:${SECRET}`)}.`;
    const clean = knowing(SECRET).clean(text);
    expect(clean).toMatch(/^got [\w+/]{1,8}\*\*\*\.$/);
  });

  it("in the base64 of a text around it", () => {
    for (const before of ["", "a", "ab"]) {
      const clean = knowing("correct-horse-battery").clean(
        base64(`${before}{"k":"correct-horse-battery","l":1}`),
      );
      expect(Buffer.from(clean.replace("***", ""), "base64").toString()).not.toContain("horse");
    }
  });

  it("with no rest where it overlaps another", () => {
    const redactor = knowing("correct-horse", "horse-battery", "staple");
    expect(redactor.clean("a correct-horse-battery b")).toBe("a *** b");
    expect(knowing("abcdef", "xabcdefx").clean("xabcdefx abcdef")).toBe("*** ***");
  });

  it("line by line, without the lines of a PEM's frame", () => {
    const redactor = knowing("-----BEGIN KEY-----\nMIIEvQIBADAN\nBgkqhkiG9w0B\n-----END KEY-----\n");
    expect(redactor.clean("-----BEGIN KEY-----\n x BgkqhkiG9w0B y")).toBe("-----BEGIN KEY-----\n x *** y");
  });

  it("of several lines, as one where all of it is printed", () => {
    expect(knowing("first-line\nsecond-line\nx\n").clean("a first-line\r\nsecond-line\nx b")).toBe("a *** b");
  });
});

describe("ordinary output stays readable", () => {
  it.each(["1", "true", "abc", "12345", "", "  ", "production", "Localhost", "password"])(
    "%j is no secret",
    (value) => {
      const text = `${value} of ${value}: true 1 abc 12345 production localhost password`;
      expect(knowing(value).clean(text)).toBe(text);
    },
  );

  it("a short word or number is masked where it stands alone", () => {
    expect(knowing("hunter", "123456").clean("hunter hunters 123456 sha256:a123456b")).toBe(
      "*** hunters *** sha256:a123456b",
    );
    expect(knowing("hunter2").clean("--password=hunter2x")).toBe("--password=***x");
  });

  it.each([
    "Basic authentication is required",
    "docker.io/library/python@sha256:0123",
    "https://registry.npmjs.org:443/@scope/name",
    "ssh://git@github.com/tgoai/tgo",
    "https://example.com/a?mail=me@example.com",
    "npm_config_fetch_retry_mintimeout=1000",
    "someone@example.com",
  ])("%s", (text) => {
    expect(knowing().clean(text)).toBe(text);
  });
});

describe("what looks like a credential is masked, whoever it belongs to", () => {
  it.each([
    ["https://user:pa55@example.com/x", "https://***@example.com/x"],
    ["https://user:p@55:w@example.com/x", "https://***@example.com/x"],
    ["git+https://token0123@github.com/x", "git+https://***@github.com/x"],
    ["redis://:pa55@cache/0", "redis://***@cache/0"],
    ["Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"],
    ["authorization: bearer abc.def-123", "authorization: bearer ***"],
    [`npm_${"a1B2".repeat(9)}`, "***"],
    ["ghp_0123456789abcdef", "***"],
    ["eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "***"],
  ])("%s", (text, masked) => {
    expect(knowing().clean(text)).toBe(masked);
  });

  it.each([
    "basic   localhost:45835/tgoai/tgo-web",
    "bearer  registry-1.example.com:5000/x",
    "Basic authentication",
    'Basic realm="r"',
    'Bearer service="registry.docker.io",realm="https://auth.docker.io/token"',
  ])("not a registry's address, nor words, nor what a server asks for: %s", (text) => {
    expect(knowing().clean(text)).toBe(text);
  });

  it("also where a URL's password is printed without the URL", () => {
    const redactor = new Redactor();
    redactor.addUrls(["HTTP_PROXY=http://me:s3cr%2Ft!@proxy:3128", undefined, "none"]);
    expect(redactor.clean("user me, password s3cr/t! or s3cr%2Ft!")).toBe("user me, password *** or ***");
  });

  it.each(["me:a/b#c?d1@proxy:3128", "http://me:a/b#c?d1@proxy:3128", "socks5://me:a/b#c?d1@proxy"])(
    "and where the URL is not one: %s",
    (url) => {
      const redactor = new Redactor();
      redactor.addUrls([url]);
      expect(redactor.clean(`${url} a/b#c?d1`)).not.toContain("b#c");
    },
  );

  it("a path or a mail address is no URL with a password", () => {
    const redactor = new Redactor();
    const texts = [
      "/usr/bin:/opt/x@2.0/bin",
      "C:me@example.com",
      "git@github.com:tgoai/tgo.git",
      "https://host:8080/x@1.2.3",
    ];
    redactor.addUrls(texts);
    for (const text of texts) expect(redactor.clean(text)).toBe(text);
  });
});

it("takes time in proportion to the text", () => {
  const redactor = knowing(SECRET, "correct-horse-battery");
  const started = performance.now();
  for (const part of ["a.", "a://", "p@ss/", "\\\\", "%", "Basic ", "aa:a@"])
    redactor.clean(part.repeat(200_000));
  expect(performance.now() - started).toBeLessThan(5000);
});
