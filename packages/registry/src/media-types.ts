/**
 * Media types of the OCI image specification.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md
 */
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
/** The config of an artifact that has no config of its own. */
export const OCI_EMPTY = "application/vnd.oci.empty.v1+json";
export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
export const OCI_LAYER = "application/vnd.oci.image.layer.v1.tar";
export const OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
export const OCI_LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd";
export const OCI_FOREIGN_LAYER = "application/vnd.oci.image.layer.nondistributable.v1.tar";
export const OCI_FOREIGN_LAYER_GZIP = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";

/** Docker's own media types: https://distribution.github.io/distribution/spec/manifest-v2-2/#media-types */
export const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
export const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
export const DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
export const DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar";
export const DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip";
export const DOCKER_LAYER_ZSTD = "application/vnd.docker.image.rootfs.diff.tar.zstd";
export const DOCKER_FOREIGN_LAYER_GZIP = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

const MANIFEST_TYPES: readonly string[] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];

export const isManifestType = (type: string): boolean => MANIFEST_TYPES.includes(type);

/** Always sent in full: GHCR responds 404 to a request whose `Accept` does not name the type of the index. */
export const ACCEPT_MANIFESTS = MANIFEST_TYPES.join(", ");

/** The largest manifest or image config we read, in bytes: skopeo's limit, and most registries' on a push. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** BuildKit's annotation on the descriptor of an attestation in an index. */
export const ATTESTATION_ANNOTATION = "vnd.docker.reference.type";
