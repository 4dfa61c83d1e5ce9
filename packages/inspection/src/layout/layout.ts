/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
export const LAYOUT_FILE = "oci-layout";
export const LAYOUT_TEXT = '{"imageLayoutVersion":"1.0.0"}';
export const INDEX_FILE = "index.json";

/** The tag of an image in a layout: image-layout.md#indexjson-file */
export const REF_NAME = "org.opencontainers.image.ref.name";

/** `blobs/sha256/0123…`: the digest is checked where it is read, so that it can name no other file. */
export function blobPath(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}
