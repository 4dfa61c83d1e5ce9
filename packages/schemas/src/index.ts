export * from "valibot";
export { isObject, looseObject, object, record, strictObject } from "./json-object.js";
export { describeIssue, outputOf, pathOf, safeParse } from "./safe-parse.js";
export { wholeNumber } from "./whole-number.js";
