import { type BuildContext, equalPackages, type Variant } from "@tgo/builders";
import type { Platform, PythonBuild } from "@tgo/catalog";
import type { ImportReport } from "./imports.js";

/** Imports that an emulated run need not repeat, and what they need there of the standard library. */
export interface KnownImports {
  /** Names of packages. */
  readonly equal: readonly string[];
  readonly standard: NonNullable<ImportReport["standard"]>;
}

/**
 * The native run of the same image: it tells for all platforms what does not depend on the machine, so emulated runs of
 * the other variants leave that out.
 */
export class NativeSibling {
  readonly platform: Platform;
  /** Sets what the native run's imports found; undefined if it failed. Only the first call counts. */
  readonly imported: (report: ImportReport | undefined) => void;
  readonly #report: Promise<ImportReport | undefined>;

  constructor(
    private readonly context: BuildContext,
    private readonly variant: Variant,
  ) {
    this.platform = variant.platform;
    let settle: (report: ImportReport | undefined) => void = () => undefined;
    this.#report = new Promise((resolve) => (settle = resolve));
    this.imported = settle;
  }

  /**
   * What a variant's emulated run need not import: packages with the same files as in the native variant, unless their
   * import looks at the machine. Undefined: everything is to be imported, because the native run failed.
   */
  async known(foreign: Variant, { environment }: PythonBuild): Promise<KnownImports | undefined> {
    const roots = [this.variant.container.rootfs(), foreign.container.rootfs()] as const;
    const [equal, report] = await Promise.all([
      equalPackages(this.context, roots, environment),
      this.#report,
    ]);
    if (report?.standard === undefined) return undefined;
    const { looks = [], standard } = report;
    return { equal: equal.filter((name) => !looks.includes(name)), standard };
  }
}

/** The native run among variants of one image; undefined if there is none, or if every run is to be complete. */
export function nativeSibling(
  context: BuildContext,
  variants: readonly Variant[],
): NativeSibling | undefined {
  const native = variants.find(({ platform }) => platform === context.native);
  if (context.fullSmoke === true || native === undefined || variants.length < 2) return undefined;
  return new NativeSibling(context, native);
}
