import type { Image } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";

export type ImageUser = Image["users"][number];

/** The contents of /etc/passwd and /etc/group. */
export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

/** Exists on Debian with a merged /usr, and on Alpine. */
const NO_LOGIN = "/sbin/nologin";

/**
 * Adds a service's users to the user files of a base image. The files are edited directly, because useradd would be a
 * program of the target. Without an entry in /etc/shadow, nobody can log in as these users.
 * @throws TgoError SOURCE for a name or number that the base already uses differently
 */
export function withUsers(files: UserFiles, users: readonly ImageUser[]): UserFiles {
  return users.reduce(
    (result, user) => ({ passwd: withUser(result.passwd, user), group: withGroup(result.group, user) }),
    files,
  );
}

/**
 * Checks that the user an image runs as exists.
 * @throws TgoError SOURCE
 */
export function requireUser(user: string, { passwd }: Pick<UserFiles, "passwd">): void {
  const [name = ""] = user.split(":");
  if (/^\d+$/.test(name) || entries(passwd).some((entry) => entry[0] === name)) return;
  throw new TgoError("SOURCE", `the image has no user ${name}`, {
    where: "image.user",
    remedy: "Add it to image.users with its uid, or use a number.",
  });
}

function withUser(passwd: string, user: ImageUser): string {
  const { name, uid, gid = uid, home } = user;
  const existing = entries(passwd).find((entry) => entry[0] === name || entry[2] === `${uid}`);
  if (existing === undefined) return appendEntry(passwd, [name, "x", uid, gid, "", home, NO_LOGIN]);
  const [foundName, , foundUid, foundGid, , foundHome] = existing;
  if (foundName === name && foundUid === `${uid}` && foundGid === `${gid}` && foundHome === home)
    return passwd;
  throw conflict(
    user,
    `the base has the user ${foundName} with uid ${foundUid}, gid ${foundGid} and home ${foundHome}`,
  );
}

function withGroup(group: string, user: ImageUser): string {
  const { name, uid, gid = uid } = user;
  const groups = entries(group);
  const sameId = groups.find((entry) => entry[2] === `${gid}`);
  // An explicit gid may be a group of the base, such as 33 (www-data).
  if (sameId !== undefined && (sameId[0] === name || user.gid !== undefined)) return group;
  const other = sameId ?? groups.find((entry) => entry[0] === name);
  if (other === undefined) return appendEntry(group, [name, "x", gid, ""]);
  throw conflict(user, `the base has the group ${other[0]} with gid ${other[2]}`);
}

function conflict({ name, uid, gid = uid }: ImageUser, found: string): TgoError {
  return new TgoError("SOURCE", `the user ${name} (uid ${uid}, gid ${gid}) cannot be added: ${found}`, {
    where: "image.users",
    remedy: "Choose another name, uid or gid, or use exactly the values of the base.",
  });
}

function entries(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(":"));
}

function appendEntry(text: string, fields: readonly (string | number)[]): string {
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  return `${text}${separator}${fields.join(":")}\n`;
}
