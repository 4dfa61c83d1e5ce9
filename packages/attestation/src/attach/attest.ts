import { problemOf, type Problem } from "@tgo/errors";
import { digestOf, type Artifact, type Descriptor } from "@tgo/registry";
import { BUNDLE_TYPE, statementOf } from "../bundle.js";
import type { Signer } from "../sign/signer.js";
import { statementBytes, type Attestation } from "../statement.js";
import type { Trust } from "../verify/trust.js";
import { verifyBundle } from "../verify/verify-bundle.js";
import { readAttestations, type FoundAttestation } from "./read-attestations.js";
import type { AttestationTarget } from "./target.js";

/** How statements are attached. */
export interface AttestOptions {
  /** Signs what nobody trusted has signed yet; without one, only what is found is copied. */
  readonly signer: Signer | undefined;
  /** Whose bundles count as found. A signer's own key should be in it. */
  readonly trust: Trust;
  /** More registries to look in; nothing is attached there. */
  readonly sources?: readonly AttestationTarget[];
  /** Whether everything else that trusted signers say of the subjects is copied too; by default what is attested only. */
  readonly carriesAll?: boolean;
  /** Bundles of this run: a registry may not list yet what was attached a second ago. */
  readonly known?: readonly Uint8Array<ArrayBuffer>[];
}

/** The bundle of one statement. */
export interface AttestedStatement {
  readonly subject: string;
  readonly predicateType: string;
  /** "missing": no trusted signer has signed it, and there is no signer. */
  readonly state: "signed" | "found" | "missing";
  /** Digest of the bundle, and who signed it. */
  readonly bundle?: string;
  readonly signer?: string;
}

/** What came of it in one registry. */
export interface AttestedTarget {
  readonly name: string;
  /** Bundles attached now, and those that were there. */
  readonly attached: number;
  readonly present: number;
  readonly problem?: Problem;
}

export interface AttestResult {
  /** In the order of the attestations. */
  readonly statements: readonly AttestedStatement[];
  /** In the order of the targets. */
  readonly targets: readonly AttestedTarget[];
  /** What was signed or found, to be passed as `known` to the next call. */
  readonly bundles: readonly Uint8Array<ArrayBuffer>[];
}

/** The bundles of one target by subject, or why they cannot be read. */
type Seen =
  { readonly found: ReadonlyMap<string, readonly FoundAttestation[]> } | { readonly problem: Problem };

/** A bundle, ready to be attached. */
interface Sealed {
  readonly attestation: Attestation;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: string;
}

/**
 * Attaches one bundle for each statement to its manifest, in every registry, with the same bytes. A bundle of a trusted
 * signer that any registry has is copied to the others, because signatures are not deterministic: only what none has is
 * signed. Running it again changes nothing. A failure in one registry holds up no other.
 * @throws TgoError of the signer: then nothing is attached
 */
export async function attest(
  targets: readonly AttestationTarget[],
  attestations: readonly Attestation[],
  { signer, trust, sources = [], known = [], carriesAll = false }: AttestOptions,
): Promise<AttestResult> {
  const types = carriesAll ? undefined : [...new Set(attestations.map(({ predicateType }) => predicateType))];
  const subjects = [...new Set(attestations.map(({ subject }) => subject.digest))];
  const [seen, elsewhere] = await Promise.all([
    Promise.all(targets.map((target) => readTarget(target, subjects, types))),
    Promise.all(sources.map((source) => readTarget(source, subjects, types))),
  ]);
  const found = [...seen, ...elsewhere].flatMap((each) =>
    "found" in each ? [...each.found.values()].flat() : [],
  );
  const statements: AttestedStatement[] = [];
  const sealed: Sealed[] = [];
  for (const attestation of attestations) {
    const { subject, predicateType } = attestation;
    const names = { subject: subject.digest, predicateType };
    const chosen =
      chooseFound(attestation, known.map(bundleOf), trust) ?? chooseFound(attestation, found, trust);
    const bytes = chosen?.bytes ?? (await signNew(attestation, signer));
    if (bytes === undefined) {
      if (attestation.optional !== true) statements.push({ ...names, state: "missing" });
      continue;
    }
    const digest = digestOf(bytes);
    const by = chosen?.signer ?? signer?.name ?? "";
    statements.push({ ...names, state: chosen ? "found" : "signed", bundle: digest, signer: by });
    sealed.push({ attestation, bytes, digest });
  }
  if (carriesAll)
    for (const { attestation, signer: by, ...bundle } of otherBundles(attestations, found, trust)) {
      const { subject, predicateType } = attestation;
      if (sealed.some((each) => each.digest === bundle.digest)) continue;
      const names = { subject: subject.digest, predicateType };
      statements.push({ ...names, state: "found", bundle: bundle.digest, signer: by });
      sealed.push({ attestation, ...bundle });
    }
  const rows = targets.map((target, index) => attachTo(target, seen[index], sealed));
  return { statements, targets: await Promise.all(rows), bundles: sealed.map(({ bytes }) => bytes) };
}

async function readTarget(
  target: AttestationTarget,
  subjects: readonly string[],
  predicateTypes: readonly string[] | undefined,
): Promise<Seen> {
  const options = { predicateTypes, skipsMissing: true };
  try {
    const lists = subjects.map(
      async (subject) => [subject, await readAttestations(target, subject, options)] as const,
    );
    return { found: new Map(await Promise.all(lists)) };
  } catch (error) {
    return { problem: foreseen(error) };
  }
}

async function signNew(
  attestation: Attestation,
  signer: Signer | undefined,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (signer === undefined) return undefined;
  const predicate = (await attestation.compute?.()) ?? attestation.predicate;
  return predicate === undefined ? undefined : signer.sign(statementBytes({ ...attestation, predicate }));
}

/** Of several, the one with the smallest digest: every run chooses the same. */
function chooseFound(
  { subject, predicateType, isSame = () => true }: Attestation,
  found: readonly Pick<FoundAttestation, "bytes" | "digest" | "statement">[],
  trust: Trust,
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly signer: string } | undefined {
  const candidates = found
    .filter(
      ({ statement }) =>
        statement?.predicateType === predicateType &&
        isAbout(statement.subjects, subject) &&
        isSame(statement.predicate),
    )
    .sort((a, b) => (a.digest < b.digest ? -1 : 1));
  for (const { bytes } of candidates) {
    const verdict = verifyBundle(bytes, trust);
    if (verdict.trusted) return { bytes, signer: verdict.signer };
  }
  return undefined;
}

/** Each bundle of a trusted signer about one of the subjects. */
function otherBundles(
  attestations: readonly Attestation[],
  found: readonly FoundAttestation[],
  trust: Trust,
): (Sealed & { readonly signer: string })[] {
  const subjects = new Map(attestations.map(({ subject }) => [subject.digest, subject]));
  return found.flatMap(({ bytes, digest, statement }) => {
    const [first, ...others] = statement?.subjects ?? [];
    const subject = first === undefined || others.length > 0 ? undefined : subjects.get(first);
    if (statement === undefined || subject === undefined) return [];
    const verdict = verifyBundle(bytes, trust);
    if (!verdict.trusted) return [];
    const { predicateType, predicate } = statement;
    return { attestation: { subject, predicateType, predicate }, bytes, digest, signer: verdict.signer };
  });
}

function bundleOf(bytes: Uint8Array<ArrayBuffer>): Pick<FoundAttestation, "bytes" | "digest" | "statement"> {
  return { bytes, digest: digestOf(bytes), statement: statementOf(bytes) };
}

function isAbout(subjects: readonly string[], { digest }: Descriptor): boolean {
  return subjects.length === 1 && subjects[0] === digest;
}

async function attachTo(
  target: AttestationTarget,
  seen: Seen | undefined,
  sealed: readonly Sealed[],
): Promise<AttestedTarget> {
  const { name, registry, repository, anonymous, config } = target;
  const found = seen !== undefined && "found" in seen ? seen.found : new Map<string, FoundAttestation[]>();
  const isThere = ({ attestation, digest }: Sealed): boolean =>
    found.get(attestation.subject.digest)?.some((each) => each.digest === digest) === true;
  const missing = sealed.filter((each) => !isThere(each));
  const present = sealed.length - missing.length;
  if (seen !== undefined && "problem" in seen) return { name, attached: 0, present, problem: seen.problem };
  // At once: each manifest has a list of its own, and a client waits for a list to settle.
  const subjects = new Map(missing.map(({ attestation: { subject } }) => [subject.digest, subject]));
  const outcomes = await Promise.allSettled(
    [...subjects.values()].map(async (subject) => {
      const own = missing.filter((each) => each.attestation.subject.digest === subject.digest);
      const artifacts = own.map((each) => artifactOf(each, config));
      await registry.attach(repository, subject, artifacts, anonymous);
      return own.length;
    }),
  );
  const attached = outcomes.reduce(
    (sum, outcome) => sum + (outcome.status === "fulfilled" ? outcome.value : 0),
    0,
  );
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  return { name, attached, present, ...(failed === undefined ? {} : { problem: foreseen(failed.reason) }) };
}

/** As cosign writes them. https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md */
function artifactOf({ attestation, bytes }: Sealed, config: AttestationTarget["config"]): Artifact {
  return {
    type: BUNDLE_TYPE,
    content: bytes,
    config,
    annotations: {
      "dev.sigstore.bundle.content": "dsse-envelope",
      "dev.sigstore.bundle.predicateType": attestation.predicateType,
    },
  };
}

/** @throws what is a defect of ours */
function foreseen(error: unknown): Problem {
  const problem = problemOf(error);
  if (problem.code === "INTERNAL" || problem.code === "INTERRUPTED") throw error;
  return problem;
}
