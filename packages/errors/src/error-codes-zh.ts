import type { TgoErrorCode } from "./error.js";

/** Chinese documentation of a code. Messages are printed in English, so that examples have them as they are. */
export interface ChineseErrorCode {
  readonly cause: string;
  readonly remedy: string;
  /** One for each English example, in their order. */
  readonly situations: readonly string[];
}

/** A test holds it to have what `ERROR_CODES` has. */
export const CHINESE_ERROR_CODES: Readonly<Record<TgoErrorCode, ChineseErrorCode>> = {
  USAGE: {
    cause: "命令行、环境变量或其指定的文件有误：名称不存在，或取值为空、格式不对。",
    remedy: "按提示改正。`tgo` 的退出码为 2。",
    situations: [
      "`plan --service tgo-apo`（服务名写错）",
      "`--registry nonsense`（没有主机或路径）",
      "`--platform linux/sparc`（不支持的平台）",
      '`--registry "$NOT_SET"`（变量没有设置）',
    ],
  },
  CATALOG: {
    cause: "服务目录（catalog）、覆盖文件或基础镜像锁文件无效。",
    remedy: "改正提示中列出的字段。",
    situations: ["platforms 为空的服务目录", "字段名写错"],
  },
  SOURCE: {
    cause: "服务的源码不存在、与其提交不一致，或缺少构建所需的文件。",
    remedy: "用 --source 指定另一份源码，或提交提示中列出的改动。",
    situations: ["用不是 git 仓库的文件夹发版", "本地仓库中有未提交的改动时发版", "找不到 Dockerfile"],
  },
  BUILD: {
    cause: "构建的某一步失败，提示的末尾是它的输出。",
    remedy: "修正源码、锁文件或 Dockerfile。",
    situations: ["某一行 RUN 失败", "某条命令一直不结束"],
  },
  CHECK: {
    cause:
      "构建出的某个平台镜像与其平台不符：其中的文件或配置属于另一个架构，程序缺少所需的动态库，或承诺支持的机器无法加载某个文件。使用 --strict-parity 时：各平台镜像的内容不一致。",
    remedy: "为每个平台分别构建提示中的文件，补上缺少的动态库；不会被加载的文件可以列入 allowForeign。",
    situations: ["基础镜像没有该平台", "标明适用于所有平台的 wheel 包里带有某一个平台的动态库"],
  },
  SMOKE: {
    cause: "构建出的某个平台镜像不能正常运行，或不能在承诺支持的机器上运行。",
    remedy: "查看提示中的输出，修正镜像，或修正服务的 smoke 设置。",
    situations: ["解释器属于另一个架构"],
  },
  UNAUTHORIZED: {
    cause: "镜像仓库需要登录，或不接受所给的凭据。",
    remedy: "登录镜像仓库，或用 --docker-config 指定凭据。",
    situations: ["没有凭据就访问私有仓库", "密码错误"],
  },
  NOT_FOUND: {
    cause: "镜像仓库中没有这个仓库、标签、清单或层。",
    remedy: "用 `status` 核对名称。只有部分镜像仓库缺少的内容，可以用提示中的命令复制过去。",
    situations: ["标签从未被推送过"],
  },
  DENIED: {
    cause: "镜像仓库拒绝了请求；在改正权限或设置之前，重试也会被拒绝。",
    remedy: "给账号授予权限，或修改提示中提到的仓库设置。",
    situations: ["账号无权访问该仓库", "标签受镜像仓库保护，不可覆盖"],
  },
  UNAVAILABLE: {
    cause: "镜像仓库无法访问（地址或网络不通），或暂时出错。",
    remedy:
      "等待恢复，或改正地址；已完成的部分不会重做。其他镜像仓库的用户在等待发版？可以只为这一条命令把它设为可选" +
      '（"required": false），见 docs/zh/guides/incident.md。',
    situations: [
      "镜像仓库返回 503",
      "镜像仓库返回 429，并要求等待 3600 秒（Retry-After）",
      "镜像仓库没有运行",
    ],
  },
  INVALID_RESPONSE: {
    cause: "镜像仓库，或它前面的代理，返回的不是所请求的内容。",
    remedy: "检查地址：可能是某个网页或别的程序在应答。",
    situations: ["该地址是一个网站", "返回的字节与 digest 不符"],
  },
  VERIFY: {
    cause: "已发布的镜像与计划不符，或各个镜像仓库中的内容不一致。",
    remedy: "按提示处理；提示中给出命令的，运行该命令。",
    situations: ["镜像只有一个平台", "某个镜像仓库里是另一个镜像"],
  },
  CONFLICT: {
    cause: "与已发布的内容冲突：版本标签将被改变，或 latest 将倒退。",
    remedy: "用下一个版本号发版，或加上提示中给出的参数。",
    situations: ["用已发布的版本号为不同的内容发版", "latest 的来源不明"],
  },
  ENVIRONMENT: {
    cause: "机器缺少某样东西：引擎、程序、模拟器、权限或磁盘空间。",
    remedy: "按提示安装或腾出空间。",
    situations: ["文件系统无法读取", "磁盘已满"],
  },
  INTERRUPTED: {
    cause: "被调用者用 Ctrl-C 或信号中止。`tgo` 的退出码为 130 或 143。",
    remedy: "再次运行同一条命令，即可完成剩余部分。",
    situations: ["按下 Ctrl-C"],
  },
  INTERNAL: {
    cause: "本程序自身的缺陷。",
    remedy: "加上 --verbose 再运行一次，并附上调用栈报告问题。",
    situations: ["未预料到的错误"],
  },
};
