import type { Secret } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import type { ServiceReport } from "@tgo/report";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Context } from "../src/context.js";
import { finishReport, type FinishedRun } from "../src/finish-report.js";
import { ReportError } from "../src/function-failed.js";
import { cleanError, redactionOf } from "../src/redaction.js";

const secret = (text: string): Secret => ({ plaintext: () => Promise.resolve(text) }) as unknown as Secret;
const options = {
  npmrc: secret("registry=https://npm.example.com/\n//npm.example.com/:_authToken=correct-horse\n"),
  netrc: secret("machine pypi.example.com login me password battery-staple\n"),
  buildSecrets: secret('KEY="{\\"token\\":\\"json-token-1\\"}"\n'),
  dockerConfig: { plaintext: () => Promise.reject(new Error("gone")) } as unknown as Secret,
};
const PRINTED = "npm.example.com refuses correct-horse, battery-staple, json-token-1 and pr0xy-pass";
const MASKED = "npm.example.com refuses ***, ***, *** and ***";

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("in a Dagger module", () => {
  it("reports and errors show no credential that is inside a secret, nor the proxy's", async () => {
    vi.stubEnv("HTTP_PROXY", "http://me:pr0xy-pass@proxy:3128");
    const clean = await redactionOf(options, {});
    expect(clean(PRINTED)).toBe(MASKED);
    const problems = [{ code: "BUILD", what: PRINTED }];
    const services = [
      { service: "x", state: "failed", problems, registries: [], variants: [], notes: [PRINTED] },
    ];
    const run: FinishedRun = {
      ...{ command: "smoke", ok: false, started: 0, flags: {}, format: "json" },
      services: services as unknown as ServiceReport[],
    };
    const context = { host: {}, engine: "e", pipeline: "p", clean } as unknown as Context;
    try {
      await finishReport(context, run);
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof ReportError)) throw error;
      expect(JSON.stringify(error.report) + error.message).not.toMatch(/horse|staple|json-token|pr0xy/);
      expect(error.message).toContain("npm.example.com refuses ***");
    }
    const error = cleanError(new TgoError("BUILD", PRINTED, { where: PRINTED, remedy: PRINTED }), clean);
    expect(error).toMatchObject({ code: "BUILD", what: MASKED, where: MASKED, remedy: MASKED });
    expect(String(error)).not.toMatch(/horse|staple/);
  });

  it("on the caller's machine nothing is read twice: the command masks", async () => {
    const read = vi.fn(() => Promise.resolve("correct-horse"));
    const clean = await redactionOf({ npmrc: { plaintext: read } as unknown as Secret }, { local: true });
    expect(read).not.toHaveBeenCalled();
    expect(clean("correct-horse")).toBe("correct-horse");
  });
});
