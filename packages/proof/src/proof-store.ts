import { createHash, randomUUID } from "node:crypto";
import { toolsContainer, type BuildContext } from "@tgo/builders";
import type { Service } from "@tgo/catalog";
import { smokePlan } from "./smoke-plan.js";
import type { VariantProof } from "./test-variant.js";

/** Name of the cache volume that keeps proofs on an engine. */
export const PROOF_VOLUME = "tgo-proofs";

const FOLDER = "/var/lib/tgo/proofs";

/** Prints the existing records, one per line. */
const READ = `cd "$0" && for name; do if [ -f "$name" ]; then cat "$name"; echo; fi; done`;
/** Writes pairs of name and record, each atomically. */
const WRITE = `cd "$0" && while [ $# -gt 1 ]; do printf %s "$2" > "$1.$$" && mv "$1.$$" "$1" || exit 1; shift 2; done`;

/** A stored proof, with the tests that it covers. */
interface ProofRecord {
  /** Digest of the variant's manifest. */
  readonly manifest: string;
  /** Hash of the tests in the service's definition. */
  readonly tests: string;
  readonly proof: VariantProof;
}

/**
 * Proofs by manifest digest, in a cache volume of the engine. A proof is valid only for the tests that were run: a
 * definition with other smoke commands needs a new one.
 */
export class ProofStore {
  constructor(private readonly context: BuildContext) {}

  /**
   * @param manifests digests of variants' manifests
   * @returns proofs by manifest digest, without those that are missing or unreadable
   */
  async read(service: Service, manifests: readonly string[]): Promise<ReadonlyMap<string, VariantProof>> {
    if (manifests.length === 0) return new Map();
    const output = await this.#run(READ, manifests.map(fileOf));
    const tests = testsOf(service);
    const records = output
      .split("\n")
      .flatMap((line) => parseRecord(line) ?? [])
      .filter((record) => record.tests === tests && manifests.includes(record.manifest));
    return new Map(records.map(({ manifest, proof }) => [manifest, proof]));
  }

  /** @param proofs by manifest digest */
  async write(service: Service, proofs: ReadonlyMap<string, VariantProof>): Promise<void> {
    const tests = testsOf(service);
    const pairs = [...proofs].flatMap(([manifest, proof]) => {
      const record: ProofRecord = { manifest, tests, proof };
      return [fileOf(manifest), JSON.stringify(record)];
    });
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

/** Hash of the tests in a definition. */
function testsOf(service: Service): string {
  const { smoke, allowForeign } = service;
  const tests = { plan: smokePlan(service), env: smoke.env, allowForeign };
  return createHash("sha256").update(JSON.stringify(tests)).digest("hex").slice(0, 16);
}

function fileOf(manifest: string): string {
  return manifest.replace(":", "-");
}

function parseRecord(line: string): ProofRecord | undefined {
  if (line.trim() === "") return undefined;
  try {
    // Only this class writes records. A record that a full disk cut off is invalid JSON.
    return JSON.parse(line) as ProofRecord;
  } catch {
    return undefined;
  }
}
