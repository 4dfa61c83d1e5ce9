import { describe, expect, it } from "vitest";
import { withoutProxyPasswords, withProxySecrets } from "../../src/dockerfile/proxy-arguments.js";

const PROXY = "http://me:pr0xy-pass@proxy:3128";
const TEXT = `ARG HTTP_PROXY
ARG VERSION=1 HTTP_PROXY="a b" \\
    https_proxy
FROM x
arg http_proxy=$HTTP_PROXY OTHER
ARG HTTP_PROXY_NOTE HTTP_PROXY
RUN echo "ARG HTTP_PROXY"
`;

describe("ARG of a proxy with a password", () => {
  it("is left out of the Dockerfile, line by line", () => {
    const values = { HTTP_PROXY: PROXY, http_proxy: PROXY, HTTPS_PROXY: PROXY, VERSION: "1" };
    expect(withoutProxyPasswords(TEXT, values).split("\n")).toEqual([
      "",
      "ARG VERSION=1 https_proxy",
      "",
      "FROM x",
      "ARG OTHER",
      "ARG HTTP_PROXY_NOTE",
      'RUN echo "ARG HTTP_PROXY"',
      "",
    ]);
  });

  it("stays without a password, and other arguments stay with one", () => {
    const values = { HTTP_PROXY: "http://proxy:3128", NO_PROXY: "localhost", OTHER: PROXY };
    expect(withoutProxyPasswords(TEXT, values)).toBe(TEXT);
  });
});

describe("a proxy as a secret of RUN lines", () => {
  it("is mounted in each of them, as the variable that builders predefine", () => {
    const values = { HTTP_PROXY: PROXY, no_proxy: "localhost", HTTPS_PROXY: "", OTHER: "x" };
    const text = "FROM x\nRUN a \\\n  && RUN b\nCOPY RUN /\n  run --network=none c\nRUN <<EOF\nRUN d\nEOF\n";
    const mounts =
      "--mount=type=secret,id=tgo-proxy-HTTP_PROXY,env=HTTP_PROXY --mount=type=secret,id=tgo-proxy-no_proxy,env=no_proxy";
    expect(withProxySecrets(text, values)).toEqual({
      text: `FROM x\nRUN ${mounts} a \\\n  && RUN b\nCOPY RUN /\n  run ${mounts} --network=none c\nRUN ${mounts} <<EOF\nRUN d\nEOF\n`,
      secrets: [
        { id: "tgo-proxy-HTTP_PROXY", value: PROXY },
        { id: "tgo-proxy-no_proxy", value: "localhost" },
      ],
    });
  });

  it("changes nothing without a proxy", () => {
    expect(withProxySecrets(TEXT, { OTHER: PROXY })).toEqual({ text: TEXT, secrets: [] });
  });
});
