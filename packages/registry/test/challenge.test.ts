import { expect, test } from "vitest";
import { parseChallenges } from "../src/auth/challenge.js";

const bearer = (parameters: Record<string, string>): object => ({ scheme: "bearer", parameters });

test.each([
  ["nothing", "", []],
  [
    "GHCR",
    'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:user/image:pull"',
    [bearer({ realm: "https://ghcr.io/token", service: "ghcr.io", scope: "repository:user/image:pull" })],
  ],
  [
    "a comma inside a quoted value",
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push",error="insufficient_scope"',
    [
      bearer({
        realm: "https://auth.docker.io/token",
        service: "registry.docker.io",
        scope: "repository:a/b:pull,push",
        error: "insufficient_scope",
      }),
    ],
  ],
  [
    "ACR",
    'Bearer realm="https://dockerauth.cn-hangzhou.aliyuncs.com/auth",service="registry.aliyuncs.com:cn-shanghai:26842"',
    [
      bearer({
        realm: "https://dockerauth.cn-hangzhou.aliyuncs.com/auth",
        service: "registry.aliyuncs.com:cn-shanghai:26842",
      }),
    ],
  ],
  [
    "several challenges in one header",
    'Basic realm="x, y", Bearer realm="https://r/t",service=s',
    [{ scheme: "basic", parameters: { realm: "x, y" } }, bearer({ realm: "https://r/t", service: "s" })],
  ],
  [
    "a bare scheme and a token68",
    "Negotiate, NTLM TlRMTVNTUAAB==, Basic realm=r",
    [
      { scheme: "negotiate", parameters: {} },
      { scheme: "ntlm", parameters: {} },
      { scheme: "basic", parameters: { realm: "r" } },
    ],
  ],
  [
    "blanks, odd case and escapes",
    'BEARER  Realm = "a\\"b" ,\tSERVICE=c',
    [bearer({ realm: 'a"b', service: "c" })],
  ],
  [
    "empty list elements",
    ', Basic realm="r",, Bearer realm="s",',
    [{ scheme: "basic", parameters: { realm: "r" } }, bearer({ realm: "s" })],
  ],
  ["an unquoted URL", "Bearer realm=https://r/t,service=s", [bearer({ realm: "https://r/t", service: "s" })]],
  [
    "a quote that never ends",
    'Basic realm="r", Bearer realm="s',
    [{ scheme: "basic", parameters: { realm: "r" } }, bearer({ realm: '"s' })],
  ],
])("reads %s", (_, header, expected) => {
  expect(parseChallenges(header)).toEqual(expected);
});
