/**
 * What the module's shell and the `tgo` command call: the packages with the product's data, bundled into
 * lib/core.js. A Dagger module sees only its own folder, and is loaded straight from git.
 */
import { Pipelines as FunctionPipelines, type HostOptions, type Options, type Product } from "@tgo/functions";
import type { Client } from "@dagger.io/dagger";
import bases from "../bases.json";
import ai from "../services/tgo-ai/service.json";
import api from "../services/tgo-api/service.json";
import platform from "../services/tgo-platform/service.json";
import rag from "../services/tgo-rag/service.json";
import web from "../services/tgo-web/service.json";
import widgetApp from "../services/tgo-widget-app/service.json";

export { formatEvent } from "@tgo/progress";
export { loginOf, renderRecord, renderReport, ReportError } from "@tgo/functions";
export type { HostOptions, Options, SourceArguments } from "@tgo/functions";
export type { OutputFormat } from "@tgo/report";
export type { ProgressEvent } from "@tgo/progress";

/** Hash of this bundle's own code, written in when it is made. */
export const PIPELINE = "0000000000000000";

/** Hash of the part of it that decides an image's bytes, written in when it is made. */
export const BUILD_HASH = "1111111111111111";

/** The catalog as shipped; registries and platforms are the schema's defaults. */
export const BUILT_IN = {
  services: {
    "tgo-api": api,
    "tgo-ai": ai,
    "tgo-platform": platform,
    "tgo-rag": rag,
    "tgo-web": web,
    "tgo-widget-app": widgetApp,
  },
};

/** The base lock as shipped: what is not in it is resolved when it is used. */
export const BASES: NonNullable<Product["bases"]> = bases;

/** The pipelines of TGO, on a client of any engine. */
export class Pipelines extends FunctionPipelines {
  constructor(client: Client, options: Options, host?: HostOptions) {
    super(
      client,
      { catalog: BUILT_IN, bases: BASES, pipeline: PIPELINE, buildHash: BUILD_HASH },
      options,
      host,
    );
  }
}
