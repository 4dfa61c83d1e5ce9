import {
  CYCLONEDX_PREDICATE,
  billOf,
  cycloneDx,
  PROVENANCE_PREDICATE,
  provenanceOf,
  readImageBill,
  SPDX_PREDICATE,
  spdx,
  type Attestation,
  type Bill,
  type LockedPackage,
  type Provenance,
} from "@tgo/attestation";
import { compiledPackages } from "@tgo/builders";
import { TgoError } from "@tgo/errors";
import { type BillFiles, FilesReader, isBillFile, readBlob } from "@tgo/image";
import { address, isIndex, parseConfig, type Descriptor } from "@tgo/registry";
import { CANDIDATE_ANNOTATION } from "../candidate/annotations.js";
import { inputsKey } from "../candidate/candidate-key.js";
import { buildInputsOf } from "../candidate/build-inputs.js";
import type { Prepared } from "../candidate/prepared.js";
import { repositoryOf } from "../targets/target.js";
import type { ImageSubjects } from "./attestor.js";
import type { BuildLedger } from "./build-ledger.js";

/**
 * Says of an image what this run knows: bills of materials of each platform's image, and, if this run built it, the
 * provenance of the index and of each platform's image. Nothing of images whose source it did not read.
 * @param builder URI of who runs this
 */
export function imageStatements(
  ledger: BuildLedger,
  builder: string,
): (image: ImageSubjects) => Promise<readonly Attestation[]> {
  return async (image) => {
    const { target, service, index } = image;
    const { value } = await target.client.manifest(repositoryOf(target, service), index.digest);
    const key = isIndex(value) ? value.annotations?.[CANDIDATE_ANNOTATION] : undefined;
    const prepared = key === undefined ? undefined : ledger.candidate(inputsKey(key));
    if (prepared === undefined) return [];
    const isBuilt = ledger.hasBuilt(index.digest);
    return [
      ...provenanceStatements(image, isBuilt ? prepared : undefined, builder),
      ...billStatements(image, prepared, ledger),
    ];
  };
}

/**
 * One a manifest: whoever pulls one platform by its digest finds it too.
 * @param prepared undefined for an image that another run built: its provenance is only carried on
 */
function provenanceStatements(
  { index, platforms }: ImageSubjects,
  prepared: Prepared | undefined,
  builder: string,
): Attestation[] {
  const compute = async (built: Prepared): Promise<Provenance> =>
    provenanceOf(await buildInputsOf(built), builder);
  return [index, ...platforms.map(({ descriptor }) => descriptor)].map((subject) => ({
    subject,
    predicateType: PROVENANCE_PREDICATE,
    predicate: undefined,
    optional: true,
    ...(prepared === undefined ? {} : { compute: () => compute(prepared) }),
  }));
}

/**
 * Of each platform its own: the platforms' packages differ. They are made only if they have to be signed, and layers are
 * read only of an image that this run did not check.
 */
function billStatements(image: ImageSubjects, { request }: Prepared, ledger: BuildLedger): Attestation[] {
  const reader = new FilesReader({ keep: isBillFile, digests: false });
  let locked: Promise<readonly LockedPackage[] | undefined> | undefined;
  return image.platforms.flatMap(({ platform, descriptor }) => {
    let reading: Promise<Bill> | undefined;
    const bill = (): Promise<Bill> => {
      locked ??= compiledPackages(request);
      reading ??= locked.then((packages = []) =>
        billOfVariant(image, {
          platform,
          descriptor,
          locked: packages,
          files: ledger.files(descriptor.digest) ?? reader,
        }),
      );
      return reading;
    };
    const common = { subject: descriptor, predicate: undefined, optional: true };
    return [
      { ...common, predicateType: CYCLONEDX_PREDICATE, compute: async () => cycloneDx(await bill()) },
      { ...common, predicateType: SPDX_PREDICATE, compute: async () => spdx(await bill()) },
    ];
  });
}

async function billOfVariant(
  { target, service }: ImageSubjects,
  {
    platform,
    descriptor,
    locked,
    files,
  }: {
    readonly platform: string;
    readonly descriptor: Descriptor;
    readonly locked: readonly LockedPackage[];
    readonly files: BillFiles | FilesReader;
  },
): Promise<Bill> {
  const source = { registry: target.client, repository: repositoryOf(target, service) };
  const where = address(source.registry, source.repository, descriptor.digest);
  const { value: manifest } = await source.registry.manifest(source.repository, descriptor.digest);
  if (isIndex(manifest)) throw new TgoError("INVALID_RESPONSE", "the index lists another index", { where });
  const bytes = await readBlob(source.registry, source.repository, manifest.config);
  const { created, config } = parseConfig(bytes, where);
  const { layers } = manifest;
  const variant = {
    ...{ platform, digest: descriptor.digest, layers },
    config: { created, labels: config?.Labels ?? {} },
  };
  return files instanceof FilesReader
    ? readImageBill(source, variant, files, locked)
    : billOf(variant, files, locked);
}
