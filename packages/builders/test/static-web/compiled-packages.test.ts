import { describe, expect, it } from "vitest";
import { packagesOfNpm, packagesOfYarn } from "../../src/static-web/compiled-packages.js";
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
});
