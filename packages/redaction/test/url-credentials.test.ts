import { expect, it } from "vitest";
import { urlCredentials } from "../src/index.js";

const DIGEST = `sha256:${"0".repeat(64)}`;

it.each([
  ["user:pa55@proxy.example.com", ["pa55", "pa55"]],
  ["localhost:5000/app:1.2.3", []],
  [`localhost:5000/app@${DIGEST}`, []],
  [`user:pa55@${DIGEST.slice(0, 20)}`, ["pa55", "pa55"]],
])("the secrets in %s are %j", (text, secrets) => {
  expect(urlCredentials(text)).toEqual(secrets);
});
