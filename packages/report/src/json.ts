import type { Problem } from "@tgo/errors";
import { jsonText } from "./printable-text.js";
import type {
  CheckReport,
  GateReport,
  LinkSummary,
  MachineReport,
  RegistryReport,
  Report,
  ServiceReport,
  SmokeReport,
  TagReport,
  VariantReport,
} from "./report.js";

type Elf = NonNullable<VariantReport["elf"]>;
type Key =
  | keyof Report
  | keyof ServiceReport
  | keyof VariantReport
  | keyof CheckReport
  | keyof SmokeReport
  | keyof MachineReport
  | keyof RegistryReport
  | keyof TagReport
  | keyof GateReport
  | keyof Problem
  | keyof Elf
  | keyof LinkSummary
  | "schemaVersion";

/** Of docs/reference/report.schema.json. It rises when a field goes or changes its meaning, not when one is added. */
export const SCHEMA_VERSION = 1;

/** Every key of a report, in the order of writing; the compiler rejects a missing one. */
const KEYS = {
  command: true,
  ok: true,
  schemaVersion: true,
  version: true,
  engine: true,
  pipeline: true,
  began: true,
  next: true,
  nextInWords: true,
  service: true,
  platform: true,
  registry: true,
  reference: true,
  state: true,
  code: true,
  what: true,
  where: true,
  remedy: true,
  revision: true,
  source: true,
  tag: true,
  digest: true,
  size: true,
  uploaded: true,
  files: true,
  machine: true,
  name: true,
  lines: true,
  partial: true,
  native: true,
  emulator: true,
  recorded: true,
  signer: true,
  elf: true,
  foreign: true,
  links: true,
  roots: true,
  libraries: true,
  missing: true,
  smoke: true,
  machines: true,
  before: true,
  told: true,
  problem: true,
  open: true,
  existing: true,
  reasons: true,
  later: true,
  gate: true,
  services: true,
  variants: true,
  evidence: true,
  checks: true,
  registries: true,
  tags: true,
  problems: true,
  notes: true,
  durationMs: true,
  record: true,
} satisfies Record<Key, true>;

/** The report as JSON for programs: a {@link Report}, indented, with keys in a fixed order. */
export function renderJson({ record, ...report }: Report): string {
  // A record's keys include names of services and registries, which the list would drop.
  const versioned = { ...report, schemaVersion: SCHEMA_VERSION };
  const ordered = JSON.parse(JSON.stringify(versioned, Object.keys(KEYS))) as object;
  return jsonText(record === undefined ? ordered : { ...ordered, record });
}
