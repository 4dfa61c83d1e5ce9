import { TgoError, type Problem } from "@tgo/errors";
import { verifyImage, type FindingKind, type Verification } from "@tgo/image";
import { reportService, smokeRow } from "@tgo/publishing";
import { defined, type RegistryReport, type ReportFormat, type ServiceReport } from "@tgo/report";
import type { Call } from "./call.js";
import { loadCatalog } from "./context.js";
import { finishReport } from "./finish-report.js";
import { machinesByPlatform, type Machines } from "./machines.js";
import { openReferences, type NamedImage, type ReferenceContext } from "./references.js";
import { catalogImage, referencedImage } from "./signed-image.js";
import { openSignatureChecks, trustFlags } from "./signing.js";
import type { SignatureChecks } from "./verify-signatures.js";

export interface VerifyReferencesFlags {
  /** Read every layer, and check the architecture of every binary. */
  readonly elf: boolean;
  /** Read manifests and configs only. */
  readonly fast: boolean;
  /** Whether differences between the platforms' contents are a failure, not a note. */
  readonly strictParity: boolean;
}

/** What to do about an image that is not ours to build. */
const REMEDIES: Readonly<Record<FindingKind, string>> = {
  missing: "Check the name: tags are case-sensitive.",
  incomplete: "Push the image again, or copy it from a registry that has all of it.",
  "other digest": "Find out which of them is meant: a tag can be moved.",
  "wrong image": "The image has to be built and published again, by whoever builds it.",
};

/**
 * Checks any image by its references, and compares them with each other.
 * @throws ReportError when a check failed; TgoError USAGE for a malformed reference
 */
export async function verifyReferences(
  call: Call,
  texts: readonly string[],
  flags: VerifyReferencesFlags,
  format: ReportFormat,
): Promise<string> {
  const started = performance.now();
  const context = await openReferences(call, texts);
  const [first] = context.images;
  if (first === undefined) throw new TgoError("INTERNAL", "no reference");
  const { repository } = first.reference;
  const { elf, fast, strictParity } = flags;
  const report = await reportService(context, repository, async () => {
    const names = targetNames(context.images);
    const platforms = call.options.platform ?? [];
    const machines = elf && !fast ? await machinesByPlatform(call) : {};
    const verification = await verify(context, names, { ...flags, platforms, machines });
    const signatures = await signaturesOf(call, context.images, names, verification);
    return serviceReport(repository, verification, {
      signatures,
      problems: strictParity ? parityProblems(verification) : [],
    });
  });
  return finishReport(context, {
    command: "verify",
    ok: report.state !== "failed",
    services: [report],
    started,
    flags: { reference: texts, "elf=false": !elf, fast, strictParity },
    format,
  });
}

interface VerifiedContents {
  readonly platforms: readonly string[];
  readonly machines: Machines;
}

function verify(
  { images, pins, progress }: ReferenceContext,
  names: readonly string[],
  { elf, fast, platforms, machines }: Omit<VerifyReferencesFlags, "strictParity"> & VerifiedContents,
): Promise<Verification> {
  const digests = images.flatMap(({ reference: { digest } }) => digest ?? []);
  const [digest] = digests;
  return progress.step({ step: "verify", service: images[0]?.reference.repository ?? "" }, () =>
    verifyImage({
      targets: images.map(({ reference, wanted, registry }, at) => ({
        name: names[at] ?? reference.host,
        registry,
        repository: reference.repository,
        reference: wanted,
      })),
      ...(platforms.length === 0 ? {} : { platforms }),
      expect: defined({ digest }),
      ...{ elf: elf && !fast, machines },
      presence: !fast,
      referrers: !fast,
      anyImage: true,
      bases: pins,
      remedyFor: (kind) => REMEDIES[kind],
    }),
  );
}

/** Undefined where no flag says whose signatures count, and the image is none that the catalog has a policy for. */
async function signaturesOf(
  call: Call,
  images: readonly NamedImage[],
  names: readonly string[],
  verification: Verification,
): Promise<SignatureChecks | undefined> {
  const catalog = await loadCatalog(call.product.catalog, call.options);
  const isOwn = images.some(({ reference }) => catalogImage(catalog, reference) !== undefined);
  const check = await openSignatureChecks(call, { catalog }, isOwn);
  if (check === undefined) return undefined;
  const isAsked = trustFlags(call).asked;
  return check(referencedImage(images, names, { catalog, isAsked }, verification), rowsOf(verification));
}

/** The host, where that is enough to tell the references apart. */
function targetNames(images: readonly NamedImage[]): string[] {
  return images.map(({ reference: { host }, text }) =>
    images.filter((other) => other.reference.host === host).length === 1 ? host : text,
  );
}

function parityProblems({ differences = [] }: Verification): Problem[] {
  if (differences.length === 0) return [];
  return [
    {
      code: "CHECK",
      what: ["the variants differ:", ...differences.map((line) => `  ${line}`)].join("\n"),
      remedy: "Whoever builds the image has to make them equal. Without --strict-parity, it is a note.",
    },
  ];
}

function rowsOf({ targets }: Verification): RegistryReport[] {
  return targets.map(({ name: registry, reference, state, digest: found, problems, durationMs }) =>
    defined({ registry, reference, state, digest: found, problems, durationMs }),
  );
}

function serviceReport(
  name: string,
  verification: Verification,
  {
    signatures,
    problems,
  }: { readonly signatures: SignatureChecks | undefined; readonly problems: readonly Problem[] },
): Omit<ServiceReport, "durationMs"> {
  const { digest, annotations, variants, checks } = verification;
  const ok = verification.ok && problems.length === 0 && signatures?.check.state !== "failed";
  return defined({
    service: name,
    state: ok ? ("verified" as const) : ("failed" as const),
    revision: annotations["org.opencontainers.image.revision"],
    source: annotations["org.opencontainers.image.source"],
    digest,
    variants: variants.map(({ platform, digest: own, size, elf }) => {
      const proof = signatures?.proofs.get(own)?.[0];
      return defined({
        platform,
        digest: own,
        size,
        elf: elf && { files: elf.files, elf: elf.elf, foreign: elf.foreign.map(({ path }) => path) },
        smoke: proof && smokeRow(proof),
      });
    }),
    checks: [...checks, ...(signatures === undefined ? [] : [signatures.check])],
    registries: signatures?.registries ?? rowsOf(verification),
    problems,
    notes: [],
  });
}
