import { foreseenProblem, type Problem } from "@tgo/errors";
import { address, type Registry } from "@tgo/registry";
import { readAttestations, type FoundAttestation } from "../attach/read-attestations.js";
import { predicateName, PROVENANCE_PREDICATE, SIGNATURE_PREDICATE } from "../predicate-types.js";
import type { Statement } from "../statement.js";
import { provenanceCommits } from "./provenance-commits.js";
import type { Trust } from "./trust.js";
import { verifyBundle, type Verdict } from "./verify-bundle.js";

/** A registry that should have an image's attestations; read as anyone reads it. */
export interface AttestedPlace {
  readonly name: string;
  readonly registry: Registry;
  readonly repository: string;
  /** Whether it lacks the image: what it has is known, and what it lacks is no problem of the attestations. */
  readonly lacksImage?: boolean;
}

/** One manifest of the image. */
export interface AttestedSubject {
  /** "index", or its platform. */
  readonly name: string;
  readonly digest: string;
  /** Whether it is a problem if no trusted signer signed it. */
  readonly mustBeSigned: boolean;
}

export interface VerifyAttestationsOptions {
  readonly places: readonly AttestedPlace[];
  readonly subjects: readonly AttestedSubject[];
  readonly trust: Trust;
  /** What brings back a bundle that another registry has, and what mends anything else. */
  readonly remedies: { readonly restore: string; readonly other: string };
  /** The commit that the image says it is of. */
  readonly revision?: string;
}

export interface AttestationCheck {
  /** By place. */
  readonly problems: ReadonlyMap<string, readonly Problem[]>;
  /** What was seen, one line each. */
  readonly evidence: readonly string[];
  /** No failure, but somebody should know: signatures of others. */
  readonly notes: readonly string[];
  /** What trusted signers say of the subjects, each bundle once. */
  readonly statements: readonly TrustedStatement[];
}

/** A statement about a manifest, and who signed it. */
export interface TrustedStatement extends Pick<Statement, "predicateType" | "predicate"> {
  /** Digest of the manifest. */
  readonly subject: string;
  /** "key release" */
  readonly signer: string;
}

/** A bundle in one place, and whether it counts. */
interface Judged {
  readonly place: AttestedPlace;
  readonly subject: AttestedSubject;
  readonly found: FoundAttestation;
  readonly verdict: Verdict;
}

/**
 * Verifies what is said of an image in every registry: signatures by trusted signers, about these manifests, and the same
 * in each registry.
 */
export async function verifyAttestations(options: VerifyAttestationsOptions): Promise<AttestationCheck> {
  const { places, subjects, trust, remedies } = options;
  const problems = new Map<string, Problem[]>(places.map(({ name }) => [name, []]));
  const report = (
    place: AttestedPlace,
    subject: AttestedSubject,
    what: string,
    remedy = remedies.other,
  ): void => {
    const where = address(place.registry, place.repository, subject.digest);
    problems.get(place.name)?.push({ code: "VERIFY", what: `${subject.name}: ${what}`, where, remedy });
  };
  const unread = new Set<string>();
  const judged = await Promise.all(
    places.flatMap((place) =>
      subjects.map(async (subject): Promise<Judged[]> => {
        try {
          const found = await readAttestations(place, subject.digest);
          return found.map((one) => ({
            place,
            subject,
            found: one,
            verdict: verifyBundle(one.bytes, trust),
          }));
        } catch (error) {
          unread.add(`${place.name} ${subject.digest}`);
          const { what, ...problem } = foreseenProblem(error);
          if (place.lacksImage === true) return [];
          const remedy = problem.code === "INVALID_RESPONSE" ? remedies.restore : problem.remedy;
          const told = { ...problem, ...(remedy === undefined ? {} : { remedy }) };
          problems.get(place.name)?.push({ ...told, what: `${subject.name}: ${what}` });
          return [];
        }
      }),
    ),
  ).then((lists) => lists.flat());
  for (const { place, subject, found, verdict } of judged)
    for (const what of objections(subject, found, verdict, options)) report(place, subject, what);
  const good = judged.filter((one) => objections(one.subject, one.found, one.verdict, options).length === 0);
  const trusted = good.filter(({ verdict }) => verdict.trusted);
  for (const place of places)
    for (const subject of subjects) {
      if (place.lacksImage === true || unread.has(`${place.name} ${subject.digest}`)) continue;
      const here = trusted.filter((one) => one.place === place && one.subject === subject);
      for (const what of missing(
        here,
        trusted.filter((one) => one.subject === subject),
      ))
        report(place, subject, what, remedies.restore);
      if (!subject.mustBeSigned || here.some(isSignature)) continue;
      const others = judged.flatMap((one) =>
        one.place === place && one.subject === subject && !one.verdict.trusted ? one.verdict.reason : [],
      );
      const why = others.length === 0 ? "" : `: ${[...new Set(others)].join("; ")}`;
      // What another registry has is named as missing here already.
      if (!trusted.some((one) => one.subject === subject && isSignature(one)))
        report(place, subject, `it has no trusted signature${why}`);
    }
  return {
    problems,
    evidence: evidenceOf(subjects, trusted),
    notes: notesOf(good),
    statements: statementsOf(trusted),
  };
}

/** What speaks against a bundle, whoever signed it. */
function objections(
  subject: AttestedSubject,
  { statement, problem }: FoundAttestation,
  verdict: Verdict,
  { revision }: VerifyAttestationsOptions,
): string[] {
  if (statement === undefined) return [`an attestation cannot be read: ${problem ?? "it is malformed"}`];
  const name = predicateName(statement.predicateType);
  if (!verdict.trusted) {
    const counts = ["tampered", "malformed", "revoked key", "expired key", "untrusted certificate"];
    return counts.includes(verdict.distrust) ? [`${name}: ${verdict.reason}`] : [];
  }
  if (!statement.subjects.includes(subject.digest))
    return [`${name} is about another manifest: ${statement.subjects.join(", ") || "none"}`];
  if (statement.predicateType !== PROVENANCE_PREDICATE || revision === undefined) return [];
  const commits = provenanceCommits(statement.predicate);
  if (commits.length === 0 || commits.includes(revision)) return [];
  return [`the provenance is of commit ${commits.join(", ")}, the image of ${revision}`];
}

/** Bundles that another registry has: the same bytes are everywhere. */
function missing(here: readonly Judged[], anywhere: readonly Judged[]): string[] {
  const own = new Set(here.map(({ found }) => found.digest));
  const others = new Map<string, Judged>();
  // It is best copied from one that has the image, too.
  const sources = [...anywhere].sort(
    (a, b) => Number(a.place.lacksImage === true) - Number(b.place.lacksImage === true),
  );
  for (const one of sources)
    if (!own.has(one.found.digest) && !others.has(one.found.digest)) others.set(one.found.digest, one);
  return [...others.values()].map(
    ({ place, found }) =>
      `it lacks the ${predicateName(found.statement?.predicateType)} ${found.digest}, which ${place.name} has`,
  );
}

function isSignature({ found }: Judged): boolean {
  return found.statement?.predicateType === SIGNATURE_PREDICATE;
}

function evidenceOf(subjects: readonly AttestedSubject[], trusted: readonly Judged[]): string[] {
  return subjects.map((subject) => {
    const own = trusted.filter((one) => one.subject === subject);
    const lines = own.map(({ found, verdict }) => {
      const signer = verdict.trusted ? verdict.signer : "";
      return `${predicateName(found.statement?.predicateType)} by ${signer}`;
    });
    return `${subject.name}: ${[...new Set(lines)].sort().join(", ") || "nothing that a trusted signer signed"}`;
  });
}

function statementsOf(trusted: readonly Judged[]): TrustedStatement[] {
  const byBundle = new Map(trusted.map((one) => [`${one.subject.digest} ${one.found.digest}`, one]));
  return [...byBundle.values()].flatMap(({ subject, verdict }) => {
    if (!verdict.trusted) return [];
    const { predicateType, predicate } = verdict.statement;
    return { subject: subject.digest, signer: verdict.signer, predicateType, predicate };
  });
}

/** Others may sign as well. */
function notesOf(good: readonly Judged[]): string[] {
  return [
    ...new Set(
      good.flatMap(({ place, subject, verdict }) =>
        verdict.trusted ? [] : [`${subject.name} in ${place.name}: ${verdict.reason}`],
      ),
    ),
  ];
}
