import { describe, expect, it } from "vitest";
import { requireUser, withUsers, type ImageUser } from "../../src/image-config/users.js";

const base = {
  passwd:
    "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nnode:x:1000:1000::/home/node:/bin/bash\n",
  group: "root:x:0:\nwww-data:x:33:\nusers:x:100:\nnode:x:1000:\n",
};
const rag: ImageUser = { name: "rag", uid: 1001, home: "/home/rag" };

describe("users of an image", () => {
  it("get an entry in each file, with their own group", () => {
    expect(withUsers(base, [rag])).toEqual({
      passwd: `${base.passwd}rag:x:1001:1001::/home/rag:/sbin/nologin\n`,
      group: `${base.group}rag:x:1001:\n`,
    });
  });

  it("join a group of the base if its gid is given", () => {
    const { passwd, group } = withUsers(base, [{ ...rag, gid: 33 }]);
    expect(passwd).toContain("rag:x:1001:33:");
    expect(group).toBe(base.group);
  });

  it("are added to a base without such files, or without a trailing newline", () => {
    expect(withUsers({ passwd: "", group: "root:x:0:" }, [rag])).toEqual({
      passwd: "rag:x:1001:1001::/home/rag:/sbin/nologin\n",
      group: "root:x:0:\nrag:x:1001:\n",
    });
  });

  it("change nothing if the base already has them", () => {
    expect(withUsers(base, [{ name: "node", uid: 1000, home: "/home/node" }])).toEqual(base);
    expect(withUsers(withUsers(base, [rag]), [rag])).toEqual(withUsers(base, [rag]));
  });

  it.each<[string, ImageUser, RegExp]>([
    ["a name with another uid", { name: "node", uid: 1001, home: "/home/node" }, /user node with uid 1000/],
    ["a name with another home", { name: "node", uid: 1000, home: "/app" }, /node.*home \/home\/node/],
    ["a uid of another name", { name: "app", uid: 33, gid: 1001, home: "/" }, /user www-data with uid 33/],
    ["a uid that is another group's gid", { name: "app", uid: 100, home: "/" }, /group users with gid 100/],
    ["a group's name with another gid", { name: "users", uid: 1001, home: "/" }, /group users with gid 100/],
  ])("are rejected for %s, showing what the base has", (_, user, message) => {
    expect(() => withUsers(base, [user])).toThrow(message);
  });

  it("that conflict with each other are rejected", () => {
    expect(() => withUsers(base, [rag, { ...rag, name: "rag2" }])).toThrow(/rag2.*rag with uid 1001/);
  });

  it("can be used in image.user", () => {
    requireUser("rag", withUsers(base, [rag]));
    requireUser("www-data:users", base);
    requireUser("1234:1", base);
    expect(() => {
      requireUser("rag", base);
    }).toThrow(/no user rag\n.*image\.users/);
  });
});
