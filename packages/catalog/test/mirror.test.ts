import { describe, expect, it } from "vitest";
import { applyOverride, parseRegistryFlag } from "../src/index.js";
import { withMirrorFlags } from "../src/mirror.js";

const { mirrors } = applyOverride(
  { services: {} },
  {
    mirrors: {
      images: { "docker.io": "old.example.com", "ghcr.io": "g.example.com" },
      npm: "https://npm.example.com",
    },
  },
);

describe("--mirror", () => {
  it("overrides the catalog's mirrors, one per name", () => {
    const flags = [
      "pypi=https://pypi.example.com/simple?a=b",
      "debian=http://deb.example.com/debian",
      "debian-security=http://deb.example.com/debian-security",
      "docker.io=mirror.example.com:5000/hub/",
      "localhost:5000=other.example.com",
    ];
    expect(withMirrorFlags(mirrors, flags)).toEqual({
      images: {
        "docker.io": "mirror.example.com:5000/hub",
        "ghcr.io": "g.example.com",
        "localhost:5000": "other.example.com",
      },
      npm: "https://npm.example.com",
      pypi: "https://pypi.example.com/simple?a=b",
      debian: "http://deb.example.com/debian",
      debianSecurity: "http://deb.example.com/debian-security",
    });
  });

  it.each<[string, RegExp]>([
    ["pypi", /is not NAME=ADDRESS/],
    ["=https://x.example", /is not NAME=ADDRESS/],
    [
      "pipy=https://x.example",
      /"pipy" is neither one of pypi, npm, debian, debian-security nor a registry host/,
    ],
    ["pypi=pypi.example.com", /not an http or https URL/],
    ["npm=https://", /not an http or https URL/],
    ["docker.io=https://mirror.example.com", /without a scheme/],
    ["docker.io=", /without a scheme/],
    ["docker.io=mirror.example.com/Hub", /without a scheme/],
  ])("rejects %s with the reason and the grammar", (flag, message) => {
    const read = (): unknown => withMirrorFlags(mirrors, [flag]);
    expect(read).toThrow(message);
    expect(read).toThrow("docker.io=mirror.example.com/hub");
  });

  it("rejects an address with a password without printing it", () => {
    const read = (): unknown => withMirrorFlags(mirrors, ["pypi=https://me:hunter2@pypi.example.com/simple"]);
    expect(read).toThrow(/--netrc/);
    expect(read).not.toThrow(/hunter2/);
  });

  it.each(["docker.io=me:hunter2@mirror.example.com", "docker.io=https://me:hunter2@mirror.example.com/hub"])(
    "rejects %s without printing the password",
    (flag) => {
      const read = (): unknown => withMirrorFlags(mirrors, [flag]);
      expect(read).toThrow(/is not a mirror/);
      expect(read).not.toThrow(/hunter2/);
    },
  );
});

describe("an address with a password", () => {
  const LONG = "hunter2".repeat(20);
  const url = `https://me:${LONG}@example.com/x`;
  it.each([
    ["mirrors.pypi", { mirrors: { pypi: url } }],
    ["mirrors.npm", { mirrors: { npm: "https://token0123456@npm.example.com" } }],
    ["mirrors.debianSecurity", { mirrors: { debianSecurity: url } }],
    ["mirrors.images.docker.io", { mirrors: { images: { "docker.io": "me:hunter2@mirror.example.com" } } }],
    [
      "services.x.source.repository",
      { services: { x: { title: "x", build: { strategy: "dockerfile" }, source: { repository: url } } } },
    ],
  ])("in %s is refused, because labels, plans and logs would show it", (at, override) => {
    const read = (): unknown => applyOverride({ services: {} }, override);
    expect(read).toThrow(at);
    expect(read).toThrow(/must not contain credentials/);
    expect(read).not.toThrow(/hunter2|token0123456/);
  });

  it("in --registry is not printed", () => {
    const read = (): unknown => parseRegistryFlag("x=me:hunter2@ghcr.io/tgoai", {});
    expect(read).toThrow(/is not a registry/);
    expect(read).not.toThrow(/hunter2/);
  });
});
