import type { Plugin } from "esbuild";

/** Leads imports from this repository's packages to the files that declare the names. */
export const directImports: Plugin;
