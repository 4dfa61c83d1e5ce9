import { digestOf, OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from "@tgo/registry";
import { randomBytes } from "node:crypto";

/** Something to push. */
export interface Pushed {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly digest: string;
}

function pushed(mediaType: string, bytes: Uint8Array): Pushed {
  return { mediaType, bytes, digest: digestOf(bytes) };
}

function json(mediaType: string, value: object): Pushed {
  return pushed(mediaType, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...value })));
}

const reference = ({ mediaType, bytes, digest }: Pushed): object => ({
  mediaType,
  digest,
  size: bytes.length,
});

const EMPTY = "application/vnd.oci.empty.v1+json";

/** A tiny image of one layer, what refers to it, and manifests that registries differ in. All of it is random: nobody else's. */
export function probeImage(): {
  readonly layer: Pushed;
  readonly config: Pushed;
  readonly emptyConfig: Pushed;
  readonly manifest: Pushed;
  readonly other: Pushed;
  readonly index: Pushed;
  readonly indexOfNothing: Pushed;
  readonly large: Pushed;
  readonly artifact: (config: "empty" | "custom" | "image", subject: boolean) => Pushed;
} {
  const name = randomBytes(16).toString("hex");
  const layer = pushed(OCI_LAYER, Buffer.from(`tgo doctor --probe ${name}`));
  const config = pushed(
    OCI_CONFIG,
    Buffer.from(
      JSON.stringify({
        architecture: "amd64",
        os: "linux",
        config: {},
        rootfs: { type: "layers", diff_ids: [layer.digest] },
      }),
    ),
  );
  const emptyConfig = pushed(EMPTY, Buffer.from("{}"));
  const image = (note: string): Pushed =>
    json(OCI_MANIFEST, {
      config: reference(config),
      layers: [reference(layer)],
      annotations: { "dev.tgo.probe": note },
    });
  const manifest = image(name);
  const platform = { os: "linux", architecture: "amd64" };
  const absent = pushed(OCI_MANIFEST, Buffer.from(`absent ${name}`));
  return {
    layer,
    config,
    emptyConfig,
    manifest,
    other: image(`${name} again`),
    index: json(OCI_INDEX, { manifests: [{ ...reference(manifest), platform }] }),
    indexOfNothing: json(OCI_INDEX, { manifests: [{ ...reference(absent), platform }] }),
    large: image("x".repeat(4 << 20)),
    artifact: (kind, subject) => {
      const configType = {
        empty: EMPTY,
        custom: "application/vnd.tgo.probe.config.v1+json",
        image: OCI_CONFIG,
      }[kind];
      return json(OCI_MANIFEST, {
        artifactType: "application/vnd.tgo.probe",
        config: { ...reference(emptyConfig), mediaType: configType },
        layers: [reference(layer)],
        annotations: { "dev.tgo.probe": `${name} ${kind}` },
        ...(subject ? { subject: reference(manifest) } : {}),
      });
    },
  };
}
