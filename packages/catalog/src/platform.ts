import * as v from "@tgo/schemas";
import { PLATFORMS } from "./parse-platform.js";

export const Platform = v.picklist(PLATFORMS);
export type Platform = v.InferOutput<typeof Platform>;
