import { describe, expect, it } from "vitest";
import { findLock } from "../../src/python/locked-requirements.js";
import { requireHashed } from "../../src/python/require-hashes.js";

const HASH = `--hash=sha256:${"a".repeat(64)}`;

describe("the lock of a Python service", () => {
  it("is the one its definition names, else the first of poetry.lock, uv.lock and requirements.txt", () => {
    const all = ["requirements.txt", "uv.lock", "poetry.lock", "app/"];
    expect(findLock("api", { lock: undefined }, all)).toBe("poetry.lock");
    expect(findLock("api", { lock: undefined }, ["requirements.txt", "uv.lock"])).toBe("uv.lock");
    expect(findLock("api", { lock: "requirements.txt" }, all)).toBe("requirements.txt");
  });

  it("is rejected if it is missing, with the command that creates it", () => {
    expect(() => findLock("api", { lock: undefined }, ["pyproject.toml"])).toThrow(
      /api has no poetry\.lock, uv\.lock or requirements\.txt\n.*poetry lock/,
    );
    expect(() => findLock("api", { lock: "uv.lock" }, ["poetry.lock"])).toThrow(
      /api has no uv\.lock\n.*Run uv lock/,
    );
  });
});

describe("a requirements file", () => {
  it("is a lock if every requirement has one version and hashes", () => {
    const text = [
      "# made by a tool",
      "--index-url https://pypi.example.com/simple",
      "",
      `six==1.17.0 ${HASH} # via app`,
      `uvicorn[standard]==0.24.0 ; python_version >= "3.11" \\`,
      `    ${HASH} \\`,
      `    ${HASH}`,
    ].join("\r\n");
    expect(() => {
      requireHashed("api", "requirements.txt", text);
    }).not.toThrow();
  });

  it.each([
    ["six==1.17.0", "without --hash", 3],
    [`six>=1.17.0 ${HASH}`, "not pinned", 3],
    [`six==1.* ${HASH}`, "not pinned", 3],
    [`six ${HASH}`, "not pinned", 3],
    [`six @ https://example.com/six.whl ${HASH}`, "not pinned", 3],
    ["-r more.txt", "an option", 3],
    ["-e .", "an option", 3],
  ])("is rejected with %s, naming the line", (line, problem, number) => {
    const text = `ok==1.0 \\\n  ${HASH}\n${line}\n`;
    expect(() => {
      requireHashed("api", "locked.txt", text);
    }).toThrow(new RegExp(`^locked\\.txt:${number}: .*${problem}`));
  });

  it("is rejected if it is empty", () => {
    expect(() => {
      requireHashed("api", "locked.txt", "# nothing\n");
    }).toThrow("locked.txt of api has no requirements");
  });
});
