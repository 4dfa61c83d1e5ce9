/**
 * Tells what the fields of our provenance mean; the page describes them.
 * @see ../../../../docs/provenance.md
 */
export const BUILD_TYPE = "https://github.com/tgoai/tgo-pipelines/blob/main/docs/provenance.md#build-type-v1";
