import type { Image } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";

export type ImageUser = Image["users"][number];

/** The texts of /etc/passwd and /etc/group. */
export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

/** A path that Debian has through its merged /usr, and Alpine too. */
const NO_LOGIN = "/sbin/nologin";

/**
 * The user files of a base image with a service's users. Written, not made by useradd: that would be a program of the
 * target. Without a line in /etc/shadow nobody can log in as them.
 * @throws TgoError SOURCE for a name or a number that the base uses otherwise
 */
export function withUsers(files: UserFiles, users: readonly ImageUser[]): UserFiles {
  return users.reduce(
    (result, user) => ({ passwd: withUser(result.passwd, user), group: withGroup(result.group, user) }),
    files,
  );
}

/** @throws TgoError SOURCE when an image is to run as a name that it does not have */
export function requireUser(user: string, { passwd }: Pick<UserFiles, "passwd">): void {
  const [name = ""] = user.split(":");
  if (/^\d+$/.test(name) || entries(passwd).some((entry) => entry[0] === name)) return;
  throw new TgoError("SOURCE", `the image has no user ${name}`, {
    where: "image.user",
    remedy: `Add it to image.users with its uid, or write a number.`,
  });
}

function withUser(passwd: string, user: ImageUser): string {
  const { name, uid, gid = uid, home } = user;
  const existing = entries(passwd).find((entry) => entry[0] === name || entry[2] === `${uid}`);
  if (existing === undefined) return added(passwd, [name, "x", uid, gid, "", home, NO_LOGIN]);
  const [itsName, , itsUid, itsGid, , itsHome] = existing;
  if (itsName === name && itsUid === `${uid}` && itsGid === `${gid}` && itsHome === home) return passwd;
  throw conflict(
    user,
    `the base has the user ${itsName} with uid ${itsUid}, gid ${itsGid} and home ${itsHome}`,
  );
}

function withGroup(group: string, user: ImageUser): string {
  const { name, uid, gid = uid } = user;
  const groups = entries(group);
  const sameId = groups.find((entry) => entry[2] === `${gid}`);
  // A gid that was written down may well be a group of the base, such as 33, www-data.
  if (sameId !== undefined && (sameId[0] === name || user.gid !== undefined)) return group;
  const other = sameId ?? groups.find((entry) => entry[0] === name);
  if (other === undefined) return added(group, [name, "x", gid, ""]);
  throw conflict(user, `the base has the group ${other[0]} with gid ${other[2]}`);
}

function conflict({ name, uid, gid = uid }: ImageUser, found: string): TgoError {
  return new TgoError("SOURCE", `the user ${name} (uid ${uid}, gid ${gid}) cannot be added: ${found}`, {
    where: "image.users",
    remedy: "Choose another name, uid or gid, or write exactly what the base has.",
  });
}

function entries(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(":"));
}

function added(text: string, fields: readonly (string | number)[]): string {
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  return `${text}${separator}${fields.join(":")}\n`;
}
