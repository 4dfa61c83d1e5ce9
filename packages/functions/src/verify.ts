import type { PrepareOptions } from "@tgo/builders";
import { problemOf, TgoError } from "@tgo/errors";
import { differencesOf, ownNotesOf, parityError, testsOf } from "@tgo/proof";
import {
  candidateTag,
  prepareCandidate,
  recordedProofs,
  rowsOfVerification,
  reportService,
  variantRows,
  verifyRemedies,
  verifyTag,
  type KnownProof,
} from "@tgo/publishing";
import { isDigest, isTag } from "@tgo/registry";
import { defined, type ReportFormat, type ServiceReport } from "@tgo/report";
import type { Call } from "./call.js";
import type { Context } from "./context.js";
import { reportServices } from "./report-services.js";
import type { ShellArguments } from "./shell-arguments.js";
import { openTagChecks, type CheckTag } from "./signing.js";
import { prepareOptions, type SelectedService, type SourceArguments } from "./source-arguments.js";

export type VerifyFlags = ShellArguments<{
  /** Tag to verify; by default the source's candidate. */
  tag: string;
  /** Whether differences between the platforms' contents are a failure, not a note. */
  strictParity: boolean;
  /** Any images, instead of the catalog's. */
  reference: readonly string[];
}> & {
  /** Read manifests and configs only. */
  readonly fast?: boolean;
  /** Read every layer, and check the architecture of every binary. */
  readonly elf: boolean;
};

/** Compares the images in the registries with the plan, and with each other; or checks any images by their references. */
export async function verify(
  call: Call,
  names: readonly string[],
  source: SourceArguments & VerifyFlags,
  format: ReportFormat,
): Promise<string> {
  const { tag, elf, fast = false, reference = [], strictParity } = source;
  if (reference.length > 0) {
    refuseBoth(names, source);
    const { verifyReferences } = await import("./images.js");
    return verifyReferences(call, reference, { elf, fast, strictParity: strictParity ?? false }, format);
  }
  if (names.length === 0)
    throw new TgoError("USAGE", "verify needs --service or the reference of an image", {
      remedy:
        "For example: tgo verify --service all --tag latest, or tgo verify ghcr.io/tgoai/tgo-api:1.2.3.",
    });
  if (tag !== undefined && !isTag(tag) && !isDigest(tag)) throw notATag(tag);
  const flags = { tag, "elf=false": !elf, fast, strictParity };
  return reportServices(
    call,
    { command: "verify", names, source, format, flags },
    async (context, selected) =>
      verifyService(context, selected, prepareOptions(source), {
        ...source,
        signatures: await openTagChecks(call, context),
      }),
  );
}

/** @throws TgoError USAGE for flags that say which image of the catalog is meant, beside references */
function refuseBoth(names: readonly string[], source: SourceArguments & VerifyFlags): void {
  const { tag, revision, created, value } = source;
  const service = names.length === 0 ? undefined : names;
  const given = defined({ service, tag, revision, created, value });
  const [flag] = Object.keys(given);
  if (flag === undefined) return;
  throw new TgoError("USAGE", `--${flag} and references are mutually exclusive`, {
    remedy: "Give --service for images of the catalog, or references for any others.",
  });
}

function notATag(tag: string): TgoError {
  return new TgoError("USAGE", `--tag "${tag}" is neither a tag nor a digest`, {
    remedy: "Give a tag such as latest or 1.2.3, or a whole digest: sha256: and 64 lower-case hex digits.",
  });
}

/** Never throws for the service's own failure. */
function verifyService(
  context: Context,
  selected: SelectedService,
  source: PrepareOptions,
  {
    tag,
    elf,
    fast = false,
    strictParity = false,
    signatures,
  }: VerifyFlags & { readonly signatures: CheckTag | undefined },
): Promise<ServiceReport> {
  const { name, service } = selected;
  return reportService(context, name, async () => {
    const verified = tag ?? candidateTag((await prepareCandidate(context, name, service, source)).key);
    const { allowForeign, allowDifferences } = service;
    const { machines } = context.catalog;
    const remedyFor = verifyRemedies({ service: name, tag: verified });
    const options = {
      ...{ elf: elf && !fast, presence: !fast, bases: context.pins },
      ...{ allowForeign, allowDifferences, machines, remedyFor },
    };
    const verification = await verifyTag(context, name, context.targets, verified, options);
    const { proofs, built } = await recordedProofs(context, selected, verification.variants, verified);
    const known = verification.variants.flatMap(({ digest }) => proofs.get(digest)?.proof ?? []);
    const differences = verification.differences ?? differencesOf(known);
    const problems =
      strictParity && differences.length > 0 ? [problemOf(parityError(name, differences))] : [];
    const revision = verification.annotations["org.opencontainers.image.revision"];
    const rows = rowsOfVerification(context.targets, name, verified, verification);
    const signed = await signatures?.({ service: name, tag: verified }, verification, rows);
    const tests = testsOf(context.catalog, service);
    const signedProof = (digest: string): KnownProof | undefined =>
      signed?.proofs.get(digest)?.find((one) => one.tests === tests);
    const ok = verification.ok && problems.length === 0 && signed?.check.state !== "failed";
    return defined({
      service: name,
      state: ok ? ("verified" as const) : ("failed" as const),
      revision,
      source: verification.annotations["org.opencontainers.image.source"],
      tag: verified,
      digest: verification.digest,
      variants: variantRows(context, verification, ({ digest }) => proofs.get(digest) ?? signedProof(digest)),
      checks: [...verification.checks, ...(signed === undefined ? [] : [signed.check])],
      registries: signed?.registries ?? rows,
      problems,
      notes: [
        ...(built === undefined || built === verification.digest
          ? []
          : [`not the image that this engine built as ${verified}: ${built}`]),
        ...differences,
        ...ownNotesOf(known),
      ],
    });
  });
}
