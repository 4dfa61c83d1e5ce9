import type { Client, Container } from "@dagger.io/dagger";
import type { ReportFormat } from "@tgo/report";
import type { Call } from "../call.js";
import { withOwnLastLine } from "../function-failed.js";
import type { HostOptions } from "../host.js";
import type { Options, Product } from "../options.js";
import { refuseEmpty } from "../refuse-empty.js";
import { verifyReferences } from "../verify-references.js";
import { publishVariants, type PublishVariantsFlags } from "./publish-variants.js";

/** The one service of the module's product: rules for the check of an image that nobody described. */
const ANY_IMAGE = "any-image";

/** Its catalog. Nobody promised on which machines an image runs. */
const CATALOG = {
  services: { [ANY_IMAGE]: { title: "Any image", build: { strategy: "dockerfile" } } },
  registries: {},
  machines: { "linux/amd64": [], "linux/arm64": [] },
};

/** What the module's constructor takes, and logins. */
export type MultiarchOptions = Pick<Options, "dockerConfig" | "registryService" | "mirror" | "logins">;

/** The functions of the module multiarch, without decorators. */
export class Multiarch {
  readonly #call: Call;

  constructor(
    client: Client,
    product: Pick<Product, "pipeline" | "buildHash">,
    options: MultiarchOptions,
    host: HostOptions = {},
  ) {
    this.#call = { client, product: { ...product, catalog: CATALOG }, options, host };
  }

  async publish(
    variants: readonly Container[],
    registries: readonly string[],
    flags: PublishVariantsFlags,
  ): Promise<string[]> {
    try {
      refuseEmpty({ ...flags });
      return await publishVariants(this.#call, ANY_IMAGE, variants, registries, flags);
    } catch (error) {
      throw withOwnLastLine(error);
    }
  }

  async verify(
    references: readonly string[],
    { elf }: { readonly elf: boolean },
    format: ReportFormat,
  ): Promise<string> {
    const flags = { elf, fast: false, strictParity: false };
    return verifyReferences(this.#call, references, flags, format).catch((error: unknown) => {
      throw withOwnLastLine(error);
    });
  }
}
