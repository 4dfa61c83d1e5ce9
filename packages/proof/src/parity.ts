import { compareRoots, type BuildContext, type Variant } from "@tgo/builders";
import type { Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { retryIfCanceled, type VariantProof } from "./test-variant.js";

/**
 * Compares what the variants of an image contain.
 * @returns one line per difference
 * @throws TgoError CHECK for any difference when the context is strict
 */
export async function compareVariants(
  context: BuildContext,
  { name, service }: { readonly name: string; readonly service: Service },
  variants: readonly Variant[],
): Promise<readonly string[]> {
  if (variants.length < 2) return [];
  const roots = variants.map(({ platform, container }) => ({ platform, root: container.rootfs() }));
  const differences = await context.progress.step(
    { step: "compare", service: name },
    () => retryIfCanceled(context, () => compareRoots(context, roots, service.allowDifferences)),
    (found) => ({ detail: found.length === 0 ? "no differences" : found.join("; ") }),
  );
  requireParity(context, name, differences);
  return differences;
}

/** @throws TgoError CHECK for any difference when the context is strict */
export function requireParity(
  { strictParity = false }: Pick<BuildContext, "strictParity">,
  name: string,
  differences: readonly string[],
): void {
  if (strictParity && differences.length > 0) throw parityError(name, differences);
}

export function parityError(name: string, differences: readonly string[]): TgoError {
  return new TgoError(
    "CHECK",
    [`the variants of ${name} differ:`, ...differences.map((line) => `  ${line}`)].join("\n"),
    {
      remedy:
        "Make them equal. What is meant to differ goes into allowDifferences of the service in tgo.catalog.json: a " +
        'package by its name, files by a pattern such as "/opt/x86/". Without --strict-parity, it is a note.',
    },
  );
}

/** What the proofs of an image's variants found and did not fail for: differences, and each variant's own notes. */
export function notesOf(proofs: readonly VariantProof[]): readonly string[] {
  return [...differencesOf(proofs), ...ownNotesOf(proofs)];
}

/** Each variant's own notes. */
export function ownNotesOf(proofs: readonly VariantProof[]): readonly string[] {
  return proofs.flatMap(({ platform, notes = [] }) => notes.map((note) => `${platform}: ${note}`));
}

/** The differences that the proofs of an image's variants know, each once. */
export function differencesOf(proofs: readonly VariantProof[]): readonly string[] {
  return [...new Set(proofs.flatMap(({ differences }) => differences ?? []))];
}
