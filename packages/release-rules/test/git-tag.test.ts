import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseReleaseTag } from "../src/index.js";
import { versionText } from "./arbitraries.js";

const services = ["tgo-api", "tgo-web", "tgo-widget-app", "web", "bot-2", "bot"];

describe("a Git tag", () => {
  it.each([
    ["v1.2.3", "1.2.3", undefined],
    ["1.2.3", "1.2.3", undefined],
    ["refs/tags/v1.2.3", "1.2.3", undefined],
    ["v2.0.0-rc.1", "2.0.0-rc.1", undefined],
    ["tgo-api-v0.3.1", "0.3.1", "tgo-api"],
    ["refs/tags/tgo-widget-app-v1.0.0-rc.2", "1.0.0-rc.2", "tgo-widget-app"],
    ["web-v1.0.0", "1.0.0", "web"],
    ["bot-2-v1.0.0", "1.0.0", "bot-2"],
    ["bot-v2.1.0", "2.1.0", "bot"],
  ])("%s releases %s of %s", (tag, text, service) => {
    const release = parseReleaseTag(tag, services);
    expect([release.version.text, release.service]).toEqual([text, service]);
  });

  it.each<[tag: string, told: RegExp]>([
    ["tgo-foo-v1.2.3", /names "tgo-foo", which is not a service\n.*tgo-api, tgo-web/s],
    ["tgo-api-1.2.3", /is not a release\n.*Write tgo-api-v1.2.3\./s],
    ["tgo-api/v1.2.3", /Write tgo-api-v1.2.3\./],
    ["tgo-api@1.2.3", /Write tgo-api-v1.2.3\./],
    ["tgo-api-v1.2", /Write tgo-api-v1.2.0\./],
    ["bot-2-1.0.0", /Write bot-2-v1.0.0\./],
    ["v1.2", /Write v1.2.0\./],
    ["V1.2.3", /Write v1.2.3\./],
    ["nightly", /is not a release\n.*<service>-v1.2.3.*tgo-api/s],
    ["tgo-api", /is not a release/],
    ["", /is not a release/],
  ])("rejects %s with what to write", (tag, told) => {
    expect(() => parseReleaseTag(tag, services)).toThrow(told);
  });

  it("is rejected when ambiguous, naming both meanings", () => {
    expect(() => parseReleaseTag("a-v1.0.0-rc-v2.0.0", ["a", "a-v1.0.0-rc"])).toThrow(
      /1\.0\.0-rc-v2\.0\.0 of a, and as 2\.0\.0 of a-v1\.0\.0-rc\n.*--service/s,
    );
    expect(() => parseReleaseTag("v1.0.0-v2.0.0", ["v1.0.0"])).toThrow(/of all services, and as/);
  });

  it("is parsed back for every service and version", () => {
    fc.assert(
      fc.property(fc.constantFrom(...services), versionText, (service, text) => {
        expect(parseReleaseTag(`${service}-v${text}`, services)).toMatchObject({
          service,
          version: { text },
        });
        expect(parseReleaseTag(`v${text}`, services)).toMatchObject({ version: { text } });
      }),
    );
  });
});
