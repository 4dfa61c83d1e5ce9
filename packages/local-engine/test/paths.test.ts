import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { absolute, resolveIn } from "../src/files/paths.js";

describe("paths in a container", () => {
  it("cannot leave it", () => {
    expect(absolute("../../etc", "/app")).toBe("/etc");
    const root = mkdtempSync(join(tmpdir(), "tgo-engine-paths-"));
    mkdirSync(join(root, "srv/real"), { recursive: true });
    symlinkSync("/srv", join(root, "absolute"));
    symlinkSync("../../../../srv", join(root, "srv/up"));
    symlinkSync("/loop", join(root, "loop"));
    expect(resolveIn(root, "/absolute/real")).toBe(join(root, "srv/real"));
    expect(resolveIn(root, "/srv/up/real/new")).toBe(join(root, "srv/real/new"));
    expect(resolveIn(root, "/absolute", false)).toBe(join(root, "absolute"));
    expect(() => resolveIn(root, "/loop")).toThrow("too many symbolic links");
    rmSync(root, { recursive: true });
  });
});
