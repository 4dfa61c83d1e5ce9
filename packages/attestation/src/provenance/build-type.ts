/**
 * Tells what the fields of our provenance mean; the page describes them.
 * @see ../../../../docs/guides/provenance.md
 */
export const BUILD_TYPE =
  "https://github.com/tgoai/tgo-pipelines/blob/main/docs/guides/provenance.md#build-type-v1";
