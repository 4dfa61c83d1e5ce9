import { describe, expect, test } from "vitest";
import { parseConfig, parseManifestOrIndex } from "../src/index.js";
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from "../src/media-types.js";

const DIGEST = `sha256:${"a".repeat(64)}`;
const MANIFEST = JSON.stringify({
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: { mediaType: OCI_CONFIG, digest: DIGEST, size: 2 },
  layers: [{ mediaType: OCI_LAYER, digest: DIGEST, size: 3, annotations: { a: "1", A: "2" } }],
  annotations: { title: "x", Title: "y" },
});
const INDEX = JSON.stringify({
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [
    {
      mediaType: OCI_MANIFEST,
      digest: DIGEST,
      size: 7,
      platform: { os: "linux", architecture: "arm64", variant: "v8" },
    },
  ],
});
const CONFIG = JSON.stringify({
  os: "linux",
  architecture: "arm64",
  created: "2026-01-02T03:04:05.678Z",
  config: {
    Env: ["A=B"],
    Cmd: null,
    Labels: { maintainer: "x", MAINTAINER: "y" },
    ExposedPorts: { "80/tcp": {} },
    Healthcheck: { Test: ["CMD", "true"], Interval: 30_000_000_000 },
  },
  rootfs: { type: "layers", diff_ids: [DIGEST] },
  history: [{ created: "2026-01-02T03:04:05+08:00", created_by: "RUN echo 1.5e3", empty_layer: true }],
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const manifest = (text: string): unknown => parseManifestOrIndex(bytes(text), "here");
const config = (text: string): unknown => parseConfig(bytes(text), "here");

test("documents that programs write are read; keys of annotations and labels differ by case", () => {
  for (const text of [MANIFEST, INDEX]) expect(() => manifest(text)).not.toThrow();
  expect(() => config(CONFIG)).not.toThrow();
});

describe("a manifest that others read differently is refused", () => {
  test.each([
    ["the same key twice", INDEX.replace(/^\{/, '{"manifests":[],'), 'the key "manifests" twice'],
    ["in another case", INDEX.replace(/^\{/, '{"Manifests":[],'), '"Manifests" for "manifests"'],
    ["in another case, after it", INDEX.replace(/\}$/, ',"MANIFESTS":[]}'), '"MANIFESTS" for "manifests"'],
    ["with a long s", INDEX.replace(/\}$/, ',"manifeſts":[]}'), "container engines take its key"],
    ["with an escape", INDEX.replace(/\}$/, ',"m\\u0061nifests":[]}'), 'the key "manifests" twice'],
    ["with a space before the colon", INDEX.replace(/\}$/, `,"Manifests"${" ".repeat(99)}:[]}`), "Manifests"],
    ["alone", INDEX.replace('"variant"', '"Variant"'), '"Variant" for "variant"'],
    ["in a descriptor", INDEX.replace('"size":7', '"size":7,"Size":8'), '"Size" for "size"'],
    ["in a platform", INDEX.replace('"os":', '"OS":"windows","os":'), '"OS" for "os"'],
    ["in a layer", MANIFEST.replace('"size":3', '"size":3,"URLs":["http://x"]'), '"URLs" for "urls"'],
    ["with a Kelvin sign", CONFIG.replace('"os":', '"worKingDir":"/x","os":'), "WorkingDir", config],
    [
      "in a config",
      CONFIG.replace('"os":', '"Architecture":"amd64","os":'),
      '"Architecture" for "architecture"',
      config,
    ],
    ["in its runtime", CONFIG.replace('"Env":', '"env":[],"Env":'), '"env" for "Env"', config],
    ["in its history", CONFIG.replace('"empty_layer"', '"Empty_Layer"'), '"empty_layer"', config],
    ["twice in a label", CONFIG.replace('"maintainer"', '"a":"1","a":"2","maintainer"'), "twice", config],
    ["in the list of layers of a config", CONFIG.replace('"diff_ids"', '"Diff_IDs"'), '"diff_ids"', config],
    [
      "in both cases in the list of layers of a config",
      CONFIG.replace('"diff_ids"', '"DIFF_IDS":[],"diff_ids"'),
      '"diff_ids"',
      config,
    ],
    ["for the root of a config", CONFIG.replace('"rootfs"', '"RootFS"'), '"rootfs"', config],
    [
      "in an unknown object, twice",
      CONFIG.replace('"os":', '"x":{"y":1,"Y":2},"os":'),
      '"Y" for "y"',
      config,
    ],
    ["twice, unknown", CONFIG.replace('"os":', '"x":{"y":1,"y":2},"os":'), 'the key "y" twice', config],
  ] as const)("%s", (_, text, why, parse = manifest) => {
    expect(() => parse(text)).toThrow(why);
  });

  test.each([
    ["an exponent", INDEX.replace('"size":7', '"size":70e-1'), "as an integer", manifest],
    ["a fraction", INDEX.replace('"size":7', '"size":7.0'), "as an integer", manifest],
    ["a capital exponent", INDEX.replace('"size":7', '"size":7E0'), "as an integer", manifest],
    ["a size as text", INDEX.replace('"size":7', '"size":"7"'), "size", manifest],
    ["a size that is no number", INDEX.replace('"size":7', '"size":NaN'), "expected a manifest", manifest],
    ["a size beyond all others", INDEX.replace('"size":7', '"size":9007199254740993'), "size", manifest],
    ["a negative size", INDEX.replace('"size":7', '"size":-7'), "size", manifest],
    ["a digest in capitals", INDEX.replace(DIGEST, DIGEST.toUpperCase()), "not a sha256", manifest],
    ["more text behind it", `${INDEX} {}`, "expected a manifest", manifest],
    ["layers of schema 1", MANIFEST.replace(/^\{/, '{"fsLayers":[],'), "schema 1", manifest],
    ["the same in another case", MANIFEST.replace(/^\{/, '{"FSLayers":[],'), '"FSLayers"', manifest],
    ["a history of schema 1", MANIFEST.replace(/^\{/, '{"history":[],'), "schema 1", manifest],
    ["an index with a history", INDEX.replace(/^\{/, '{"history":[],'), "schema 1", manifest],
    ["schema 1 itself", '{"schemaVersion":1,"fsLayers":[]}', "schema 1", manifest],
    ["an index and a manifest", INDEX.replace(/^\{/, '{"layers":[],'), "at once", manifest],
    ["half of a surrogate pair", CONFIG.replace('"A=B"', '"A=\\ud83d"'), "surrogate", config],
    ["the other half in a key", CONFIG.replace('"MAINTAINER"', '"\\uDE00"'), "surrogate", config],
    ["too deep", INDEX.replace(/\}$/, `,"x":${"[".repeat(101)}${"]".repeat(101)}}`), "levels deep", manifest],
    ["a byte order mark", `\ufeff${INDEX}`, "expected a manifest", manifest],
    ["a time that Go refuses", CONFIG.replace("2026-01-02T03:04:05.678Z", "yesterday"), "not a time", config],
    ["a command as text", CONFIG.replace('"Cmd":null', '"Cmd":"sh -c x"'), "config.Cmd", config],
    ["a port as text", CONFIG.replace('{"80/tcp":{}}', '["80/tcp"]'), "ExposedPorts", config],
    ["a diff_id that is none", CONFIG.replace(DIGEST, "sha256:x"), "not a sha256", config],
    ["a subject that is none", MANIFEST.replace(/\}$/, ',"subject":{}}'), "subject", manifest],
    ["an index as long as a book", longIndex(1001), "manifests", manifest],
  ])("%s", (_, text, why, parse) => {
    expect(() => parse(text)).toThrow(why);
  });

  test("bytes that are not UTF-8", () => {
    const text = bytes(MANIFEST);
    const at = MANIFEST.indexOf('"x"') + 1;
    text[at] = 0xff;
    expect(() => parseManifestOrIndex(text, "here")).toThrow("expected a manifest");
  });
});

test("a whole surrogate pair, and a backslash before what looks like half of one", () => {
  expect(() => config(CONFIG.replace('"A=B"', '"A=\\ud83d\\ude00 \\\\ud83d"'))).not.toThrow();
});

describe("what is too complex is refused before it is parsed", () => {
  test.each([
    ["arrays in arrays", "[".repeat(2_000_000) + "]".repeat(2_000_000), "nested more than 100 levels deep"],
    ["arrays that never end", "[".repeat(4_000_000), "nested more than 100 levels deep"],
    ["objects in objects", '{"a":'.repeat(500_000), "nested more than 100 levels deep"],
    ["a million values", `[${"0,".repeat(1_000_000)}0]`, "more than 50000 values"],
    [
      "a million annotations",
      MANIFEST.replace('"title":"x"', Array.from({ length: 300_000 }, (_, at) => `"${at}":""`).join()),
      "more than 50000 values",
    ],
  ])("%s", (_, text, why) => {
    for (const parse of [manifest, config]) {
      const started = performance.now();
      expect(() => parse(text)).toThrow(why);
      expect(performance.now() - started).toBeLessThan(1000);
    }
  });

  test("brackets and commas in a text are none", () => {
    const text = '[{,\\"'.repeat(60_000);
    expect(() => manifest(MANIFEST.replace('"title":"x"', `"title":"${text}"`))).not.toThrow();
  });
});

test("a thousand manifests are no reason to refuse an index", () => {
  expect(() => manifest(longIndex(1000))).not.toThrow();
});

function longIndex(length: number): string {
  const child = { mediaType: OCI_MANIFEST, digest: DIGEST, size: 1 };
  return JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: Array(length).fill(child) });
}
