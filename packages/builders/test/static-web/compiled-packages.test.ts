import { describe, expect, it } from "vitest";
import { packagesOfNpm, packagesOfYarn } from "../../src/static-web/compiled-packages.js";
import { packagesOfPnpm } from "../../src/static-web/pnpm-packages.js";
import { parsePackageJson } from "../../src/static-web/package-json.js";

const manifest = (fields: object) => parsePackageJson("web", JSON.stringify(fields));

const YARN = `# yarn lockfile v1


"@scope/a@^1.0.0":
  version "1.2.3"
  integrity sha512-AA==
  dependencies:
    b "^2.0.0 || ^3.0.0"

alias@npm:@scope/real@^4.0.0:
  version "4.0.1"

"b@^2.0.0 || ^3.0.0":
  version "3.0.0"
  dependencies:
    "@scope/a" "^1.0.0"

b@^1.0.0:
  version "1.0.0"

vite@^7.0.0:
  version "7.0.1"
  dependencies:
    b "^1.0.0"
`;

describe("packages that are compiled into pages", () => {
  it("are those that package.json depends on in a yarn.lock, without tools", () => {
    const fields = {
      dependencies: { "@scope/a": "^1.0.0", alias: "npm:@scope/real@^4.0.0", local: "file:./local" },
      devDependencies: { vite: "^7.0.0" },
    };
    expect(packagesOfYarn(manifest(fields), YARN)).toEqual([
      { name: "@scope/a", version: "1.2.3", lock: "yarn.lock", integrity: "sha512-AA==" },
      { name: "@scope/real", version: "4.0.1", lock: "yarn.lock" },
      { name: "b", version: "3.0.0", lock: "yarn.lock" },
    ]);
  });

  it("are those in a package-lock.json that are not for development", () => {
    const packages = {
      "": { name: "web", version: "1.0.0" },
      "node_modules/vue": { version: "3.5.0", integrity: "sha512-AA==", license: "MIT" },
      "node_modules/vue/node_modules/@a/b": { version: "1.0.0" },
      "node_modules/alias": { name: "real", version: "2.0.0" },
      "node_modules/vite": { version: "7.0.0", dev: true },
      "node_modules/local": { resolved: "local", link: true },
      local: { version: "1.0.0" },
    };
    const lock = "package-lock.json";
    expect(packagesOfNpm(JSON.stringify({ lockfileVersion: 3, packages }))).toEqual([
      { name: "@a/b", version: "1.0.0", lock },
      { name: "real", version: "2.0.0", lock },
      { name: "vue", version: "3.5.0", lock, integrity: "sha512-AA==", license: "MIT" },
    ]);
  });

  it.each(["{", "[]", '{"lockfileVersion":1,"dependencies":{}}'])(
    "are unknown by the package-lock.json %s",
    (text) => {
      expect(packagesOfNpm(text)).toBeUndefined();
    },
  );

  const lock = "pnpm-lock.yaml";
  const expected = [
    { name: "@vue/shared", version: "3.5.0", lock, integrity: "sha512-BB==" },
    { name: "real", version: "4.0.1", lock },
    { name: "vue", version: "3.5.0", lock, integrity: "sha512-AA==" },
  ];
  const byName = (text: string) => packagesOfPnpm(text)?.sort((a, b) => (a.name < b.name ? -1 : 1));

  it("are those that a pnpm-lock.yaml of format 9 leads to, without tools", () => {
    expect(
      byName(`lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      alias: { specifier: 'npm:real@^4', version: real@4.0.1 }
      local: { specifier: 'link:../local', version: 'link:../local' }
      vue: { specifier: ^3, version: 3.5.0(typescript@5.0.0) }
    devDependencies:
      vite: { specifier: ^7, version: 7.0.1 }
packages:
  '@vue/shared@3.5.0': { resolution: { integrity: sha512-BB== } }
  real@4.0.1: { resolution: {} }
  typescript@5.0.0: { resolution: { integrity: sha512-CC== } }
  vite@7.0.1: { resolution: { integrity: sha512-DD== } }
  vue@3.5.0:
    resolution: { integrity: sha512-AA== }
    peerDependencies: { typescript: '*' }
snapshots:
  '@vue/shared@3.5.0': {}
  real@4.0.1: { dependencies: { vue: 3.5.0(typescript@5.0.0) } }
  typescript@5.0.0: {}
  vite@7.0.1: {}
  vue@3.5.0(typescript@5.0.0): { dependencies: { '@vue/shared': 3.5.0 } }
`),
    ).toEqual(expected);
  });

  it("are those of a pnpm-lock.yaml of format 6, which has one project at its top", () => {
    expect(
      byName(`lockfileVersion: '6.0'
dependencies:
  alias: { specifier: 'npm:real@^4', version: /real@4.0.1 }
  vue: { specifier: ^3, version: 3.5.0(typescript@5.0.0) }
devDependencies:
  vite: { specifier: ^7, version: 7.0.1 }
packages:
  /@vue/shared@3.5.0: { resolution: { integrity: sha512-BB== }, dev: false }
  /real@4.0.1: { resolution: {}, dev: false }
  /vite@7.0.1: { resolution: { integrity: sha512-DD== }, dev: true }
  /vue@3.5.0(typescript@5.0.0):
    resolution: { integrity: sha512-AA== }
    dependencies: { '@vue/shared': 3.5.0 }
`),
    ).toEqual(expected);
  });

  it.each(["lockfileVersion: 5.4", "[]", "a: b: c", "lockfileVersion: '9.0'\npackages: 1"])(
    "are unknown from %j",
    (text) => {
      expect(packagesOfPnpm(text)).toBeUndefined();
    },
  );
});
