/**
 * Which package may import which. The dependency check in `npm run lint`, the graph in docs/background/architecture.md and the
 * test of the table there all read this file.
 */
export const SDK = "@dagger.io/dagger";

/** Packages in order: a package imports only from above itself. */
export const PACKAGES = {
  redaction: { may: [] },
  errors: { may: ["redaction"] },
  schemas: { may: [] },
  dockerfile: { may: ["errors"] },
  "release-rules": { may: ["errors", "schemas"] },
  registry: { may: ["errors", "redaction", "schemas"] },
  catalog: { may: ["errors", "redaction", "schemas", "release-rules"] },
  image: { may: ["errors", "registry", "schemas"] },
  attestation: { may: ["errors", "registry", "image", "schemas"] },
  report: { may: ["errors", "release-rules"] },
  progress: { may: ["errors", "report"] },
  builders: {
    may: ["errors", "redaction", "schemas", "catalog", "dockerfile", "image", "progress", "registry"],
    sdk: true,
  },
  proof: { may: ["errors", "catalog", "image", "builders", "progress"], sdk: true },
  publishing: {
    may: [
      ...["errors", "release-rules", "registry", "catalog", "image", "report", "progress"],
      ...["builders", "proof", "redaction", "schemas", "dockerfile", "attestation"],
    ],
    sdk: true,
  },
  inspection: { may: ["errors", "schemas", "release-rules", "registry", "image", "report"] },
  functions: {
    may: [
      ...["errors", "release-rules", "registry", "catalog", "image", "report", "progress"],
      ...["builders", "proof", "publishing", "inspection", "redaction", "schemas", "dockerfile"],
      "attestation",
    ],
    sdk: true,
  },
  scaffold: { may: ["errors", "schemas", "dockerfile", "catalog"] },
  host: { may: ["errors"] },
  git: { may: ["errors", "host"] },
  "local-engine": { may: ["errors", "redaction", "dockerfile", "registry", "image", "host"] },
  doctor: { may: ["errors", "report", "registry", "publishing"] },
  testing: { may: ["errors", "registry", "image"] },
};

/** What apps and pipelines may import: functions, and what a shell shows or parses by itself. */
const SHELL = ["functions", "report", "errors", "catalog", "progress", "registry", "release-rules"];

export const SHELLS = {
  "apps/tgo": {
    may: [...SHELL, "git", "host", "local-engine", "redaction", "scaffold", "doctor"],
    sdk: true,
  },
  "pipelines/tgo": { may: SHELL, sdk: true },
  "pipelines/multiarch": { may: ["functions"], sdk: true },
};

/** What tests of a package may import besides `testing` and the SDK: builds need an engine to run on. */
export const TESTS = {
  builders: ["local-engine"],
  functions: ["local-engine"],
};

/** Folders whose code may import `testing`, and any other package's index. */
export const USERS_OF_TESTING = ["bench", "demo", "e2e", "scripts"];
