/** Builds images in an engine of its own, and prints what could differ between machines: `HOME REGISTRY IMAGE SOURCE`. */
import { busybox } from "./busybox.js";
import { platform, session } from "./session.js";

const [home = "", registry = "", image = "", source = ""] = process.argv.slice(2);

const SHOW = `
  umask; ulimit -Sn; ulimit -Hn; ulimit -c; pwd; env | sort
  cd /; stat -c '%a %u %g %n' . etc/hosts run run/deep run/deep/er run/deep/er/file cache/of/mine srv srv/sub
  mkdir -p /made/deep; echo x >/made/deep/file; ln -s file /made/deep/link`;

const result = await session({ home }, async ({ client }) => {
  const files = client.host().directory(source).withTimestamps(1);
  const base = busybox(client, image)
    .withDirectory("/srv", files)
    .withNewFile("/new/folder/file", "x")
    .withMountedFile("/run/deep/er/file", files.file("hello"))
    .withMountedCache("/cache/of/mine", client.cacheVolume("mine"));
  const ran = base.withExec(["sh", "-c", SHOW]);
  const shown = await ran.stdout();
  const reads = await base
    .withUser("app")
    .withExec(["sh", "-c", "cat /run/deep/er/file /etc/hosts"])
    .stdout();
  const foreign = await busybox(client, image, "linux/arm64")
    .withExec(["sh", "-c", "umask; env | sort"])
    .stdout();
  const made = ran.directory("/made").withTimestamps(1);
  const copied = busybox(client, image).withDirectory("/srv", files).withDirectory("/made", made);
  const built = files.dockerBuild({ platform: platform("linux/amd64") });
  const commands = await files.dockerBuild({ dockerfile: "Commands" }).file("/shown").contents();
  return {
    ...{ shown, reads, foreign, commands },
    copied: await copied.publish(`${registry}/copied:1`),
    built: await built.publish(`${registry}/built:1`),
  };
});
console.log(JSON.stringify(result));
