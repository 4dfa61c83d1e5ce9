import { createHash, randomUUID } from "node:crypto";
import { toolsContainer, type BuildContext } from "@tgo/builders";
import type { Service } from "@tgo/catalog";
import { smokePlan } from "./smoke-plan.js";
import type { VariantProof } from "./test-variant.js";

/** Name of the cache volume that keeps proofs on an engine. */
export const PROOF_VOLUME = "tgo-proofs";

const FOLDER = "/var/lib/tgo/proofs";

/** Prints the records that exist, one a line. */
const READ = `cd "$0" && for name; do if [ -f "$name" ]; then cat "$name"; echo; fi; done`;
/** Writes pairs of name and record, each in one step. */
const WRITE = `cd "$0" && while [ $# -gt 1 ]; do printf %s "$2" > "$1.$$" && mv "$1.$$" "$1" || exit 1; shift 2; done`;

/** A proof as the store keeps it: what was tested, and by which definition. */
interface ProofRecord {
  /** Digest of the variant's manifest. */
  readonly manifest: string;
  /** Hash of what the definition says is tested. */
  readonly tests: string;
  readonly proof: VariantProof;
}

/**
 * Proofs by manifest digest, in a cache volume of the engine. A proof counts only for the tests it was made with: a
 * definition with other smoke commands needs another one.
 */
export class ProofStore {
  constructor(private readonly context: BuildContext) {}

  /**
   * @param manifests digests of variants' manifests
   * @returns proofs by manifest digest; what is missing or unreadable is left out
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
        // The volume changes between runs: an engine must not answer this step from its cache.
        .withEnvVariable("TGO_RUN", randomUUID())
        .withExec(["sh", "-c", script, FOLDER, ...args])
        .stdout()
    );
  }
}

/** Hash of the tests that a definition asks for. */
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
    // Written by this class alone; half a record of a full disk is no JSON.
    return JSON.parse(line) as ProofRecord;
  } catch {
    return undefined;
  }
}
