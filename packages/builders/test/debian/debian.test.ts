import { isTgoError } from "@tgo/errors";
import { describe, expect, it } from "vitest";
import { installFailure } from "../../src/debian/install-failure.js";
import { debianMirror, mirroredSources } from "../../src/debian/apt-mirror.js";

const DEB822 = `Types: deb
# http://snapshot.debian.org/archive/debian/20250520T000000Z
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

const ONE_LINE = `# deb http://deb.debian.org/debian bullseye main
deb http://deb.debian.org/debian bullseye main
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://security.debian.org/debian-security/ bullseye-security main
deb http://security.debian.org bullseye-security main
deb https://deb.nodesource.com/node_20.x nodistro main
deb http://deb.debian.org/debian-debug bullseye-debug main
`;

const rewritten = (name: string, text: string, mirrors: Parameters<typeof debianMirror>[0]): string => {
  const mirror = debianMirror(mirrors);
  if (mirror === undefined) throw new Error("no mirror");
  return mirroredSources(name, text, mirror);
};
const none = { images: {} };

describe("mirrors of the Debian archive", () => {
  it("are undefined without a setting", () => {
    expect(debianMirror(none)).toBeUndefined();
  });

  it("replace the addresses in deb822 stanzas, and nothing else", () => {
    const text = rewritten("sources.list.d/debian.sources", DEB822, {
      ...none,
      debian: "https://mirrors.example.com/debian/",
    });
    expect(text).toBe(
      DEB822.replace(
        "URIs: http://deb.debian.org/debian\n",
        "URIs: https://mirrors.example.com/debian\n",
      ).replace(
        "URIs: http://deb.debian.org/debian-security\n",
        "URIs: https://mirrors.example.com/debian-security\n",
      ),
    );
  });

  it("replace the addresses in one-line sources, but not in other archives and comments", () => {
    const text = rewritten("sources.list", ONE_LINE, {
      ...none,
      debian: "https://m.example/debian",
      debianSecurity: "https://sec.example",
    });
    expect(text).toBe(`# deb http://deb.debian.org/debian bullseye main
deb https://m.example/debian bullseye main
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://sec.example bullseye-security main
deb https://sec.example bullseye-security main
deb https://deb.nodesource.com/node_20.x nodistro main
deb http://deb.debian.org/debian-debug bullseye-debug main
`);
  });

  it("accept expired lists of a snapshot, for its own sources only", () => {
    const debian = "https://snapshot.debian.org/archive/debian/20250520T000000Z";
    const stanzas = rewritten("debian.sources", DEB822, { ...none, debian });
    expect(stanzas).toContain(`URIs: ${debian}\nCheck-Valid-Until: no\nSuites: bookworm bookworm-updates\n`);
    expect(stanzas).toContain(
      "URIs: https://snapshot.debian.org/archive/debian-security/20250520T000000Z\nCheck-Valid-Until: no\n",
    );
    const lines = rewritten("sources.list", ONE_LINE, { ...none, debian });
    expect(lines).toContain(`\ndeb [check-valid-until=no] ${debian} bullseye main\n`);
    expect(lines).toContain("\ndeb [check-valid-until=no signed-by=/usr/share/");
    expect(lines).toContain("\ndeb https://deb.nodesource.com/node_20.x nodistro main\n");
  });

  it("can be set for the security archive alone", () => {
    const text = rewritten("debian.sources", DEB822, { ...none, debianSecurity: "https://sec.example" });
    expect(text).toContain("URIs: http://deb.debian.org/debian\n");
    expect(text).toContain("URIs: https://sec.example\n");
  });
});

/** A failed command as the SDK throws it. */
function failure(stderr: string): Error {
  return Object.assign(new Error("exit code: 100"), { exitCode: 100, stdout: "", stderr });
}

const installation = { packages: ["curl", "libmagik1"], platform: "linux/arm64", mirrors: {} };

describe("packages that cannot be installed", () => {
  it.each<[string, string, Partial<typeof installation> & object, string[]]>([
    [
      "an unknown name, with the nearest",
      "E: Unable to locate package libmagik1\ntgo: suite bookworm\ntgo: missing libmagik1\ntgo: near libmagik1 libmagic1\n",
      {},
      [
        "SOURCE",
        "Debian bookworm has no package libmagik1 for linux/arm64",
        "Did you mean libmagic1 instead of libmagik1?",
      ],
    ],
    [
      "a package that exists only for the other architecture",
      "tgo: suite bookworm\ntgo: missing libquadmath0\ntgo: elsewhere libquadmath0 amd64\n",
      {},
      ["SOURCE", "no package libquadmath0 for linux/arm64", "exists only for linux/amd64"],
    ],
    [
      "an unreachable archive",
      "E: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease  Could not connect to deb.debian.org:80\nE: Some index files failed to download.\n",
      {},
      [
        "UNAVAILABLE",
        "http://deb.debian.org/debian/dists/bookworm/InRelease",
        "Could not connect",
        "set mirrors.debian",
      ],
    ],
    [
      "an unreachable mirror",
      "E: Failed to fetch https://m.example/debian/dists/bookworm/InRelease  Certificate verification failed\n",
      { mirrors: { debian: "https://m.example/debian" } },
      [
        "UNAVAILABLE",
        "https://m.example/debian/dists/bookworm/InRelease",
        "mirrors.debian and",
        "--ca-bundle",
      ],
    ],
    [
      "a full disk",
      "dpkg-deb: error: cannot copy: failed to write (No space left on device)\n",
      {},
      ["ENVIRONMENT", "disk is full"],
    ],
    [
      "a package whose script fails",
      "dpkg: error processing package odd (--configure):\n installed odd package post-installation script subprocess returned error exit status 3\n",
      {},
      ["BUILD", "a maintainer script of odd", "exit status 3"],
    ],
    [
      "a package that would remove others",
      "E: Packages need to be removed but remove is disabled.\n",
      {},
      ["SOURCE", "would remove packages of the base image"],
    ],
  ])("are reported: %s", (_, stderr, change, expected) => {
    const error = installFailure(failure(stderr), { ...installation, ...change });
    const [code, ...parts] = expected;
    expect(isTgoError(error) && error.code).toBe(code);
    for (const part of parts) expect(error.message).toContain(part);
  });

  it("are reported with apt's own output in all other cases", () => {
    const { message } = installFailure(failure("E: something new\n"), installation);
    expect(message).toContain("installing curl, libmagik1 for linux/arm64 failed with exit code 100");
    expect(message).toContain("E: something new");
  });
});
