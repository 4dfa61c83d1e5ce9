import {
  attest,
  SIGNATURE_PREDICATE,
  type Attestation,
  type AttestationTarget,
  type AttestResult,
  type Signer,
  type Trust,
} from "@tgo/attestation";
import { isIndex } from "@tgo/registry";
import { artifactConfig, repositoryOf, type Target } from "../targets/target.js";
import type { AttestationRow, Attested, AttestedImage, Attestor, ImageSubjects } from "./attestor.js";
import { proofStatements, readClaims, readProofs } from "./proof-statements.js";

export interface AttestorOptions {
  /** All registries of the catalog. */
  readonly targets: readonly Target[];
  readonly signer: Signer | undefined;
  readonly trust: Trust;
  readonly required: boolean;
  /** Whether everything that trusted signers said of an image is copied to registries that lack it. */
  readonly carriesAll?: boolean;
  /** What is said of an image besides that it is signed. */
  readonly statements?: readonly ((image: ImageSubjects) => Promise<readonly Attestation[]>)[];
}

export function createAttestor(options: AttestorOptions): Attestor {
  const { targets: all, signer, trust, required, carriesAll = false, statements = [] } = options;
  const known: Uint8Array<ArrayBuffer>[] = [];
  const attach = async (image: AttestedImage, targets: readonly Target[]): Promise<Attested> => {
    const taking = targets.filter(({ registry }) => registry.referrers !== false);
    const skipped = targets.filter((target) => !taking.includes(target));
    if (taking.length === 0) return { rows: skipped.map(skippedRow), notes: skippedNotes(skipped) };
    const subjects = await readSubjects(image, taking);
    const more = await Promise.all(statements.map((source) => source(subjects)));
    const attestations = [
      ...signatures(subjects),
      ...proofStatements(subjects, image.proofs),
      ...more.flat(),
    ];
    const others = all.filter((target) => !targets.includes(target) && target.registry.referrers !== false);
    const toTarget = (target: Target): AttestationTarget => attestationTarget(target, image.service);
    const result = await attest(taking.map(toTarget), attestations, {
      signer,
      trust,
      sources: others.map(toTarget),
      known,
      carriesAll,
    });
    known.push(...result.bundles.filter((bundle) => !known.includes(bundle)));
    return {
      rows: [...rowsOf(result), ...skipped.map(skippedRow)],
      notes: [...notesOf(result), ...skippedNotes(skipped)],
    };
  };
  return {
    required,
    signs: signer !== undefined,
    attach,
    proofs: (from, variants) => readProofs(trust, from, variants),
    claims: (from, variant) => readClaims(trust, from, variant),
  };
}

function attestationTarget(target: Target, service: string): AttestationTarget {
  const { name, client, anonymous, registry } = target;
  return {
    name,
    registry: client,
    repository: repositoryOf(target, service),
    ...(anonymous === undefined ? {} : { anonymous }),
    config: artifactConfig(registry),
  };
}

/** The index says which manifests it lists; its digest is in every registry the same. */
async function readSubjects(
  { service, digest }: AttestedImage,
  targets: readonly Target[],
): Promise<ImageSubjects> {
  let failure: unknown;
  for (const target of targets) {
    try {
      const { descriptor, value } = await target.client.manifest(repositoryOf(target, service), digest);
      const children = isIndex(value) ? value.manifests : [];
      const platforms = children.map((child) => ({
        platform: child.platform === undefined ? "" : `${child.platform.os}/${child.platform.architecture}`,
        descriptor: child,
      }));
      return { service, index: descriptor, platforms, target };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** One statement a manifest: whoever pulls one platform by its digest can verify it too. */
function signatures({ index, platforms }: ImageSubjects): Attestation[] {
  const subjects = [index, ...platforms.map(({ descriptor }) => descriptor)];
  return subjects.map((subject) => ({ subject, predicateType: SIGNATURE_PREDICATE, predicate: {} }));
}

function rowsOf({ statements, targets }: AttestResult): AttestationRow[] {
  // Further statements are made by whoever signs; without a signer none is due.
  const isMissing = statements.some(
    ({ state, predicateType }) => state === "missing" && predicateType === SIGNATURE_PREDICATE,
  );
  return targets.map(({ name, attached, present, problem }) => {
    const count = attached + present;
    if (problem !== undefined) return { registry: name, state: "failed", count, problem };
    if (isMissing) return { registry: name, state: "missing", count, problem: UNSIGNED };
    return { registry: name, state: attached > 0 ? "done" : "already there", count };
  });
}

/** The same command would fail again: it needs a flag. */
const UNSIGNED = {
  code: "USAGE",
  what: "no trusted signature of the image was found, and there is no key to sign it with",
  remedy: "Add --signing-key to the command, or --identity-token in CI.",
} as const;

function notesOf({ statements }: AttestResult): string[] {
  const signers = [...new Set(statements.flatMap(({ signer }) => signer ?? []))];
  const signed = statements.filter(({ state }) => state === "signed").length;
  const found = statements.filter(({ state }) => state === "found").length;
  const parts = [
    ...(signed > 0 ? [`${signed} signed`] : []),
    ...(found > 0 ? [`${found} of an earlier run`] : []),
  ];
  return parts.length === 0 ? [] : [`attestations: ${parts.join(", ")}, by ${signers.join(" and ")}`];
}

function skippedRow({ name }: Target): AttestationRow {
  return { registry: name, state: "skipped", count: 0 };
}

function skippedNotes(skipped: readonly Target[]): string[] {
  return skipped.map(
    ({ name }) => `${name} takes no attestations: "referrers" is false in its catalog entry`,
  );
}
