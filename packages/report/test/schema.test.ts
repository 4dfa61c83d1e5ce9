import { Ajv2020 } from "ajv/dist/2020.js";
import { readFile } from "node:fs/promises";
import { createGenerator } from "ts-json-schema-generator";
import { describe, expect, it } from "vitest";
import type { Report } from "../src/index.js";
import { renderJson, SCHEMA_VERSION } from "../src/json.js";
import {
  closedGateReport,
  hostileReport,
  incompleteReport,
  partlyWrittenReport,
  releasedReport,
} from "./release-sample.js";
import { failedReport, report, without } from "./sample.js";

const FILE = new URL("../../../docs/reference/report.schema.json", import.meta.url);
const FOLDER = new URL("..", import.meta.url).pathname;

/** The schema of the JSON report, from its types and their comments. */
function generated(): string {
  const {
    properties = {},
    required = [],
    ...schema
  } = createGenerator({
    path: `${FOLDER}src/report.ts`,
    tsconfig: `${FOLDER}tsconfig.json`,
    type: "Report",
    topRef: false,
    // A field may be added to a report of this version.
    additionalProperties: true,
    skipTypeCheck: true,
  }).createSchema("Report");
  const versioned = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: `https://github.com/tgoai/tgo-pipelines/report-v${SCHEMA_VERSION}.schema.json`,
    title: `Report of a function, as --format json writes it, version ${SCHEMA_VERSION}`,
    ...without(schema, "$schema"),
    properties: {
      schemaVersion: {
        const: SCHEMA_VERSION,
        description: "It rises when a field goes or changes its meaning, not when one is added.",
      },
      ...properties,
    },
    required: ["schemaVersion", ...required],
  };
  return `${JSON.stringify(versioned, null, 2)}\n`
    .replaceAll("#/definitions/", "#/$defs/")
    .replace('"definitions":', '"$defs":');
}

it("docs/reference/report.schema.json says what the types say", async () => {
  await expect(generated()).toMatchFileSnapshot(FILE.pathname);
});

describe("the schema", () => {
  const valid = async (value: unknown): Promise<unknown> => {
    const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
    const validate = ajv.compile(JSON.parse(await readFile(FILE, "utf8")) as object);
    return validate(value)
      ? "valid"
      : validate.errors?.map(({ instancePath, message }) => `${instancePath} ${message ?? ""}`);
  };
  const written = (given: Report): unknown => JSON.parse(renderJson(given));

  it.each<[string, Report]>([
    ["a publish", report()],
    ["a failed publish", failedReport()],
    ["a release", { ...releasedReport(), record: { version: "1.2.3", services: {} } }],
    ["an incomplete release", incompleteReport()],
    ["a release behind a closed gate", closedGateReport()],
    ["a release written in part", partlyWrittenReport()],
    ["a report of hostile texts", hostileReport("\u001B[31m")],
    [
      "a run that failed before it began",
      report({ ok: false, services: [], problems: [{ code: "USAGE", what: "x" }] }),
    ],
  ])("accepts the JSON of %s", async (_, given) => {
    expect(await valid(written(given))).toBe("valid");
  });

  it.each<[string, (json: Record<string, unknown>) => unknown, string]>([
    [
      "without its version",
      (json) => without(json, "schemaVersion"),
      "must have required property 'schemaVersion'",
    ],
    [
      "of another version",
      (json) => ({ ...json, schemaVersion: 2 }),
      "/schemaVersion must be equal to constant",
    ],
    [
      "with an unknown function",
      (json) => ({ ...json, command: "push" }),
      "/command must be equal to one of",
    ],
    ["whose services are no list", (json) => ({ ...json, services: {} }), "/services must be array"],
  ])("refuses a report %s", async (_, change, problem) => {
    expect(JSON.stringify(await valid(change(written(report()) as Record<string, unknown>)))).toContain(
      problem,
    );
  });
});
