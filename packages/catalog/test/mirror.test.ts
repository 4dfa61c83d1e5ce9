import { describe, expect, it } from "vitest";
import { applyOverride, withMirrorFlags } from "../src/index.js";

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
});
