import { createHash, randomUUID } from "node:crypto";
import { toolsContainer, type BuildContext } from "@tgo/builders";
import type { Catalog, Service } from "@tgo/catalog";
import { smokePlan } from "./smoke-plan.js";
import type { VariantProof } from "./test-variant.js";

/** Name of the cache volume that keeps proofs on an engine. */
export const PROOF_VOLUME = "tgo-proofs";

/** Raised when a check is added or finds more: what earlier checks passed is tested again. */
const CHECKS = 2;

const FOLDER = "/var/lib/tgo/proofs";

/** Prints the existing records, one per line. */
const READ = `cd "$0" && for name; do if [ -f "$name" ]; then cat "$name"; echo; fi; done`;
/** Writes pairs of name and record, each atomically; `sync` is for a power cut, and not every image's takes a file. */
const WRITE = `cd "$0" && while [ $# -gt 1 ]; do
printf %s "$2" > "$1.$$" && { sync "$1.$$" 2>/dev/null || :; } && mv "$1.$$" "$1" || exit 1
shift 2; done`;

/** A stored proof, with the tests that it covers. */
interface ProofRecord {
  /** Digest of the variant's manifest. */
  readonly manifest: string;
  /** Hash of the tests in the service's definition. */
  readonly tests: string;
  readonly proof: VariantProof;
}

/** An image that this engine built. */
export interface BuiltImageRecord {
  /** Tag of the candidate. */
  readonly candidate: string;
  /** Digest of its index. */
  readonly index: string;
}

/** What the store has of an image. */
export interface StoredProofs {
  /** By manifest digest, without those that are missing or unreadable. */
  readonly proofs: ReadonlyMap<string, VariantProof>;
  /** Digest of the index that this engine built for the candidate; undefined if it built none. */
  readonly built: string | undefined;
}

/**
 * Proofs by manifest digest, and the images this engine built, in a cache volume of the engine. A proof is valid only for
 * the tests that were run: a definition with other smoke commands needs a new one.
 */
export class ProofStore {
  constructor(private readonly context: BuildContext) {}

  /**
   * @param manifests digests of variants' manifests
   * @param candidate tag of the candidate
   */
  async read(service: Service, manifests: readonly string[], candidate?: string): Promise<StoredProofs> {
    const names = [...manifests, ...(candidate === undefined ? [] : [candidate])].map(fileOf);
    const output = names.length === 0 ? "" : await this.#run(READ, names);
    const records = output.split("\n").flatMap((line) => parseRecord(line) ?? []);
    const tests = testsOf(this.context.catalog, service);
    return {
      proofs: new Map(
        records.flatMap((record) =>
          "proof" in record &&
          record.tests === tests &&
          manifests.includes(record.manifest) &&
          // A run that left something out is none where everything is to be run.
          !(this.context.fullSmoke === true && record.proof.smoke?.partial === true)
            ? [[record.manifest, record.proof]]
            : [],
        ),
      ),
      built: records.flatMap((record) => ("index" in record ? [record.index] : []))[0],
    };
  }

  /** @param proofs by manifest digest */
  async write(
    service: Service,
    proofs: ReadonlyMap<string, VariantProof>,
    built?: BuiltImageRecord,
  ): Promise<void> {
    const tests = testsOf(this.context.catalog, service);
    const records: readonly (readonly [string, StoredRecord])[] = [
      ...[...proofs].map(([manifest, proof]) => [manifest, { manifest, tests, proof }] as const),
      ...(built === undefined ? [] : [[built.candidate, built] as const]),
    ];
    const pairs = records.flatMap(([name, record]) => [fileOf(name), withSum(JSON.stringify(record))]);
    if (pairs.length > 0) await this.#run(WRITE, pairs);
  }

  async #run(script: string, args: readonly string[]): Promise<string> {
    const tools = await toolsContainer(this.context);
    return (
      tools
        .withMountedCache(FOLDER, this.context.client.cacheVolume(PROOF_VOLUME))
        // The volume changes between runs, so the engine must not reuse a cached result of this step.
        .withEnvVariable("TGO_RUN", randomUUID())
        .withExec(["sh", "-c", script, FOLDER, ...args])
        .stdout()
    );
  }
}

/** Hash of the tests of a definition, on the machines that are promised: a proof is of these tests only. */
export function testsOf({ machines }: Pick<Catalog, "machines">, service: Service): string {
  const { smoke, allowForeign, allowDifferences } = service;
  const tests = {
    checks: CHECKS,
    plan: smokePlan(service),
    env: smoke.env,
    allowForeign,
    allowDifferences,
    machines,
  };
  return createHash("sha256").update(JSON.stringify(tests)).digest("hex").slice(0, 16);
}

type StoredRecord = ProofRecord | BuiltImageRecord;

function fileOf(name: string): string {
  return name.replace(":", "-");
}

/** A record with its hash before it: one that was damaged is none. */
function withSum(record: string): string {
  return `${createHash("sha256").update(record).digest("hex")} ${record}`;
}

function parseRecord(line: string): StoredRecord | undefined {
  const record = line.slice(line.indexOf(" ") + 1);
  // Only this class writes records.
  return line === withSum(record) ? (JSON.parse(record) as StoredRecord) : undefined;
}
