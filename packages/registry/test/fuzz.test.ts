import { join } from "node:path";
import { fuzz, FUZZ_TIMEOUT_MS, type FuzzTarget } from "@tgo/testing";
import { expect, test } from "vitest";
import { parseChallenges, type Challenge } from "../src/auth/challenge.js";
import { parseDockerConfig } from "../src/auth/docker-config.js";
import { Connection } from "../src/http/connection.js";
import type { RegistryResponse } from "../src/http/response.js";
import { formatReference, parseConfig, parseManifestOrIndex, parseReference } from "../src/index.js";
import { extendList, parseList } from "../src/referrers-list.js";
import { nextPage } from "../src/tags.js";

const corpus = (name: string): string => join(import.meta.dirname, "corpus", name);
const never = (): boolean => false;
const again = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** With every value quoted. */
function formatChallenges(challenges: readonly Challenge[]): string {
  const quoted = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&")}"`;
  return challenges
    .map(({ scheme, parameters }) => {
      const all = Object.entries(parameters).map(([name, value]) => `${name}=${quoted(value)}`);
      return `${scheme} ${all.join(", ")}`;
    })
    .join(", ");
}

const connection = new Connection({ host: "ghcr.io" });

const TARGETS: FuzzTarget[] = [
  {
    name: "reference",
    corpus: corpus("reference"),
    words: ["docker.io/", "@sha256:", ":latest", "[::1]:5000/", "library/", "localhost/"],
    parse: (input) => {
      const reference = parseReference(input.toString());
      expect(parseReference(formatReference(reference))).toEqual(reference);
    },
  },
  {
    name: "challenge",
    corpus: corpus("challenge"),
    words: ["Bearer ", "Basic ", 'realm="', "scope=", ", ", '\\"', "error=", "=="],
    declares: never,
    parse: (input) => {
      // As fetch gives headers: without line breaks and NUL.
      const challenges = parseChallenges(input.toString("latin1").replace(/[\r\n\0]/g, " "));
      expect(parseChallenges(formatChallenges(challenges))).toEqual(challenges);
    },
  },
  {
    name: "Link header",
    corpus: corpus("link"),
    words: ["<", ">", ";", 'rel="next"', "rel=next", "//", "?last=", "https://other.example/v2/"],
    parse: (input) => {
      const link = input.toString("latin1");
      const response = {
        call: { url: new URL("https://ghcr.io/v2/a/b/tags/list?n=1000"), where: "ghcr.io/a/b" },
        headers: { get: () => link },
      } as unknown as RegistryResponse;
      const url = nextPage(connection, response, "tags");
      if (url !== undefined) expect(url.origin).toBe("https://ghcr.io");
    },
  },
  {
    name: "manifest and index",
    corpus: corpus("manifest"),
    words: ['"manifests":[', '"layers":[', '"config":{', '"mediaType":', '"size":', "null", "[[[["],
    parse: (input) => {
      const value = parseManifestOrIndex(input, "fuzz");
      expect(parseManifestOrIndex(again(value), "fuzz")).toEqual(value);
    },
  },
  {
    name: "config",
    corpus: corpus("config"),
    words: ['"rootfs":', '"diff_ids":', '"Env":', '"history":', '"created":', "null", "{}"],
    parse: (input) => {
      const value = parseConfig(input, "fuzz");
      expect(parseConfig(again(value), "fuzz")).toEqual(value);
    },
  },
  {
    name: "list of referrers",
    corpus: corpus("referrers"),
    words: ['"manifests":[', '"Manifests":[', '"digest":"', '"platform":', "\\u006d"],
    declares: never,
    parse: (input) => {
      const list = parseList(input);
      if (list === undefined) return;
      const digest = `sha256:${"9".repeat(64)}`;
      const extended = parseList(extendList(list, [`{"digest":"${digest}"}`]));
      expect([...(extended?.entries.keys() ?? [])]).toEqual([
        ...[...list.entries.keys()].filter((key) => key !== digest),
        digest,
      ]);
    },
  },
  {
    name: "docker config",
    corpus: corpus("docker-config"),
    words: ['"auths":', '"auth":', '"credHelpers":', '"https://', "/v1/", "null"],
    parse: (input) => parseDockerConfig(input.toString()),
  },
];

test.each(TARGETS)("$name: fuzz", { timeout: FUZZ_TIMEOUT_MS }, fuzz);
