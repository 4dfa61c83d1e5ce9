import { compareContents, readContents } from "@tgo/image";

export interface CompareVariantsInput {
  readonly variants: readonly { readonly platform: string; readonly root: string }[];
  /** Names of packages and path patterns whose differences are meant. */
  readonly allow: readonly string[];
}

/** What only some variants of an image have, one line per finding; see compareContents. */
export async function compareVariants({ variants, allow }: CompareVariantsInput): Promise<string[]> {
  const contents = await Promise.all(variants.map(({ platform, root }) => readContents(root, platform)));
  return compareContents(contents, allow);
}
